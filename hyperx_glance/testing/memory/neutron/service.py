"""The in-memory Neutron itself: what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.addresses import Addresses
from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.forwarding import Forwarding
from hyperx_glance.testing.memory.neutron.kinds import KINDS
from hyperx_glance.testing.memory.neutron.operators import Operators
from hyperx_glance.testing.memory.neutron.state import LIMITS
from hyperx_glance.testing.memory.neutron.tags import Tags
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply, webob_error

_TYPES = {404: "HTTPNotFound", 403: "HTTPForbidden", 400: "HTTPBadRequest", 401: "HTTPUnauthorized"}
_EXTENSIONS = {
    "security-group": ("security-group", "2012-10-05T10:00:00-00:00"),
    "port-security": ("Port Security", "2012-07-23T10:00:00-00:00"),
    "external-net": ("Neutron external network", "2013-01-14T10:00:00-00:00"),
    "router": ("Neutron L3 Router", "2012-07-20T10:00:00-00:00"),
    "ext-gw-mode": ("Neutron L3 Configurable external gateway mode", "2013-03-28T10:00:00-00:00"),
    "fip-port-details": ("Floating IP Port Details Extension", "2018-04-09T10:00:00-00:00"),
    "binding": ("Port Binding", "2014-02-03T10:00:00-00:00"),
    "quotas": ("Quota management support", "2012-07-29T10:00:00-00:00"),
    "standard-attr-tag": ("Tag support for resources with standard attribute: standard-attr-tag", ""),
    "tag-creation": ("Tag creation extension", "2024-23-07T10:00:00-00:00"),
    "extraroute": ("Neutron Extra Route", "2013-02-01T10:00:00-00:00"),
    "l3-ha": ("HA Router extension", "2014-04-26T00:00:00-00:00"),
    "net-mtu": ("Network MTU", "2015-03-25T10:00:00-00:00"),
    "subnet_allocation": ("Subnet Allocation", "2015-03-30T10:00:00-00:00"),
    "subnetpool-prefix-ops": ("Subnet Pool Prefix Operations", "2019-02-08T10:00:00-00:00"),
    "standard-attr-revisions": ("Resource revision numbers", "2016-04-11T10:00:00-00:00"),
    "address-scope": ("Address scope", "2015-07-26T10:00:00-00:00"),
    "rbac-policies": ("RBAC Policies", "2015-06-17T12:15:12-00:00"),
    "floating-ip-port-forwarding": ("Floating IP Port Forwarding", "2018-01-19T10:00:00-00:00"),
    "agent": ("agent", "2013-02-03T10:00:00-00:00"),
    "dvr": ("Distributed Virtual Router", "2014-06-1T10:00:00-00:00"),
    "flavors": ("Neutron Service Flavors", "2015-09-17T10:00:00-00:00"),
    "address-group": ("Address group", "2020-07-15T10:00:00-00:00"),
    "auto-allocated-topology": ("Auto Allocated Topology Services", "2016-01-01T00:00:00-00:00"),
    "network-ip-availability": ("Network IP Availability", "2015-09-24T00:00:00-00:00"),
    "network-ip-availability-details": ("Network IP Availability Details Extension", "2025-10-31T00:00:00-00:00"),
    "security-groups-default-rules": ("Default rules for security groups", "2022-12-19T10:00:00-00:00"),
    "expose-port-forwarding-in-fip": ("Expose Floating IP port forwardings", "2018-06-28T16:00:00-00:00"),
}
"""Names of extensions, and when each was last changed; their descriptions are not repeated here."""


def _extension(alias: str) -> Record:
    name, updated = _EXTENSIONS[alias]
    return {"alias": alias, "name": name, "description": f"{name}.", "links": [], "updated": updated}


class Neutron(Forwarding, Addresses, Operators, Tags):
    """The in-memory Neutron; every department has a security group "default"."""

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        quota = "/v2.0/quotas/([^/]+?)(?:.json)?"
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v2.0/?", self._resources),
            Route("GET", "/v2.0/extensions(?:.json)?", self._extensions),
            Route("GET", "/v2.0/extensions/([^/]+?)(?:.json)?", self._show_extension),
            Route("GET", "/v2.0/agents(?:.json)?", self._nothing),
            Route("GET", "/v2.0/availability_zones(?:.json)?", self._nothing),
            *self.resource_routes(),
            *self.topology_routes(),
            *self.address_routes(),
            *self.operator_routes(),
            *self.router_routes(),
            *self.pool_routes(),
            *self.forwarding_routes(),
            *self.tag_routes(),
            Route("GET", "/v2.0/quotas/([^/]+)/details(?:.json)?", self._quota_details),
            Route("GET", "/v2.0/quotas/([^/]+)/default(?:.json)?", self._default_quota),
            Route("GET", "/v2.0/service-providers(?:.json)?", self._service_providers),
            Route("GET", "/v2.0/quotas(?:.json)?", self._quotas),
            Route("GET", quota, self._quota),
            Route("PUT", quota, self._update_quota),
            Route("DELETE", quota, self._delete_quota),
        )

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Neutron does."""
        del call
        kind = refused.detail or _TYPES.get(refused.status, "HTTPInternalServerError")
        message = refused.message or "The resource could not be found."
        return json_reply(refused.status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})

    def _versions(self, call: Call) -> Reply:
        del call
        links = [{"rel": "self", "href": f"{self.url}/v2.0/"}]
        return json_reply(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})

    def _resources(self, call: Call) -> Reply:
        del call
        found = [
            {
                "name": kind.member,
                "collection": kind.collection,
                "links": [{"rel": "self", "href": f"{self.url}/v2.0/{kind.collection}"}],
            }
            for kind in KINDS
        ]
        return json_reply(200, {"resources": found})

    def _extensions(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"extensions": [_extension(alias) for alias in _EXTENSIONS]})

    def _show_extension(self, call: Call, alias: str) -> Reply:
        if alias not in _EXTENSIONS:
            accept, words = call.headers.get("accept", ""), f"Extension with alias {alias} does not exist"
            return webob_error(404, detail=words, accept=accept)
        return json_reply(200, {"extension": _extension(alias)})

    def _nothing(self, call: Call) -> Reply:
        """Answer with an empty list, as where no agent reports."""
        return json_reply(200, {call.path.removesuffix(".json").rpartition("/")[2]: []})

    def _limits_of(self, call: Call, project_id: str) -> Record:
        if project_id != call.who.project_id and not call.who.is_administrator:
            raise self._forbidden("get_quota")
        return {**LIMITS, **self.limits.get(project_id, {})}

    def _quota(self, call: Call, project_id: str) -> Reply:
        return json_reply(200, {"quota": self._limits_of(call, project_id)})

    def _service_providers(self, call: Call) -> Reply:
        """List the ways in which routers are made (neutron/services/l3_router/service_providers)."""
        found = [
            {"service_type": "L3_ROUTER_NAT", "name": name, "default": False}
            for name in ("dvrha", "dvr", "ha", "single_node")
            if call.value("service_type", "L3_ROUTER_NAT") == "L3_ROUTER_NAT"
        ]
        return json_reply(200, {"service_providers": found})

    def _quotas(self, call: Call) -> Reply:
        """List the projects that have limits of their own."""
        if not call.who.is_administrator:
            raise self._forbidden("get_quota")
        found = [
            {**LIMITS, **limits, "project_id": project_id, "tenant_id": project_id}
            for project_id, limits in self.limits.items()
        ]
        return json_reply(200, {"quotas": found})

    def _default_quota(self, call: Call, project_id: str) -> Reply:
        self._limits_of(call, project_id)
        return json_reply(200, {"quota": LIMITS})

    def _update_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator:
            raise self._forbidden("update_quota")
        asked = call.member("quota")
        unknown = sorted(set(asked) - set(LIMITS))
        if unknown:
            raise Refused(400, f"Unrecognized attribute(s) '{', '.join(unknown)}'")
        for value in asked.values():
            if not re.fullmatch("-?[0-9]+", str(value)):
                raise invalid(f"'{value}' is not an integer.")
        self.limits.setdefault(project_id, {}).update({key: int(value) for key, value in asked.items()})
        return json_reply(200, {"quota": self._limits_of(call, project_id)})

    def _delete_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator:
            raise self._forbidden("delete_quota")
        self.limits.pop(project_id, None)
        return Reply(204)

    def _quota_details(self, call: Call, project_id: str) -> Reply:
        used = {kind.limit: self.used(kind, project_id) for kind in KINDS}
        details = {
            key: {"limit": limit, "used": used.get(key, 0), "reserved": 0}
            for key, limit in self._limits_of(call, project_id).items()
        }
        return json_reply(200, {"quota": details})
