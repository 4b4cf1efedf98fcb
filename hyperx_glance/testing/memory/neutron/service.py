"""The in-memory Neutron itself: what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.kinds import KINDS, invalid
from hyperx_glance.testing.memory.neutron.routers import Routers
from hyperx_glance.testing.memory.neutron.state import LIMITS
from hyperx_glance.testing.memory.neutron.tags import Tags
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_TYPES = {404: "HTTPNotFound", 403: "HTTPForbidden", 400: "HTTPBadRequest", 401: "HTTPUnauthorized"}
_EXTENSIONS = (
    "security-group",
    "port-security",
    "external-net",
    "router",
    "ext-gw-mode",
    "fip-port-details",
    "binding",
    "quotas",
    "standard-attr-tag",
    "tag-creation",
    "extraroute",
    "l3-ha",
    "net-mtu",
)


class Neutron(Routers, Tags):
    """The in-memory Neutron; every department has a security group "default"."""

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        quota = "/v2.0/quotas/([^/]+?)(?:.json)?"
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v2.0/?", self._resources),
            Route("GET", "/v2.0/extensions(?:.json)?", self._extensions),
            *self.resource_routes(),
            *self.router_routes(),
            *self.tag_routes(),
            Route("GET", "/v2.0/quotas/([^/]+)/details(?:.json)?", self._quota_details),
            Route("GET", "/v2.0/quotas/([^/]+)/default(?:.json)?", self._default_quota),
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
        found = [
            {"alias": alias, "name": alias, "description": "", "links": [], "updated": ""} for alias in _EXTENSIONS
        ]
        return json_reply(200, {"extensions": found})

    def _limits_of(self, call: Call, project_id: str) -> Record:
        if project_id != call.who.project_id and not call.who.is_administrator:
            raise self._forbidden("get_quota")
        return {**LIMITS, **self.limits.get(project_id, {})}

    def _quota(self, call: Call, project_id: str) -> Reply:
        return json_reply(200, {"quota": self._limits_of(call, project_id)})

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
