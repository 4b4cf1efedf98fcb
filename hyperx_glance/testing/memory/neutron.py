"""An in-memory Neutron: networks and security groups.

>>> neutron = Neutron()
>>> network_id = neutron.add_network("net2", shared=True)
>>> [network["name"] for network in neutron.networks.values()]
['net1', 'net2']

Answers were compared with Neutron 29.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import ClassVar

from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Route, Service, json_reply

_TYPES = {404: "HTTPNotFound", 403: "HTTPForbidden", 400: "HTTPBadRequest", 401: "HTTPUnauthorized"}
_LIMITS = {
    "network": 100,
    "subnet": 100,
    "subnetpool": -1,
    "port": 500,
    "rbac_policy": 10,
    "security_group": 10,
    "security_group_rule": 100,
}


class Neutron(Service):
    """Keep networks; every department has a security group "default"."""

    name: ClassVar[str] = "neutron"
    type: ClassVar[str] = "network"

    def __init__(self) -> None:
        super().__init__()
        self.networks: dict[str, Record] = {}
        self.security_groups: dict[str, Record] = {}
        self._addresses = 0
        self.add_network("net1", shared=True)

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v2.0/?", self._resources),
            Route("GET", "/v2.0/extensions", self._extensions),
            Route("GET", "/v2.0/networks", self._list_networks),
            Route("GET", "/v2.0/networks/([^/]+)", self._show_network),
            Route("GET", "/v2.0/security-groups", self._list_groups),
            Route("GET", "/v2.0/security-groups/([^/]+)", self._show_group),
            Route("GET", "/v2.0/quotas/([^/]+)", self._quota),
            Route("GET", "/v2.0/quotas/([^/]+)/details(?:.json)?", self._quota_details),
        )

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Neutron does."""
        del call
        kind = refused.detail or _TYPES.get(refused.status, "HTTPInternalServerError")
        message = refused.message or "The resource could not be found."
        return json_reply(refused.status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})

    def add_network(
        self, name: str, *, shared: bool = False, project_id: str = "", external: bool = False, subnets: int = 1
    ) -> str:
        """Create a network with one subnet, or some; give its id. Everybody sees an external one."""
        network_id = str(uuid.uuid4())
        self.networks[network_id] = {
            "id": network_id,
            "name": name,
            "tenant_id": project_id,
            "project_id": project_id,
            "admin_state_up": True,
            "mtu": 1500,
            "status": "ACTIVE",
            "subnets": [str(uuid.uuid4()) for _ in range(subnets)],
            "shared": shared,
            "router:external": external,
            "description": "",
            "port_security_enabled": True,
            "tags": [],
            "revision_number": 2,
        }
        return network_id

    def add_security_group(self, name: str, project_id: str) -> str:
        """Create a security group; give its id."""
        group_id = str(uuid.uuid4())
        self.security_groups[group_id] = {
            "id": group_id,
            "name": name,
            "stateful": True,
            "tenant_id": project_id,
            "project_id": project_id,
            "description": "",
            "shared": False,
            "security_group_rules": [],
            "tags": [],
        }
        return group_id

    def visible_networks(self, caller: Caller) -> list[Record]:
        """Give the networks that a caller may know of."""
        return [
            network
            for network in self.networks.values()
            if network["shared"]
            or network["router:external"]
            or network["project_id"] == caller.project_id
            or caller.is_administrator
        ]

    def groups_of(self, caller: Caller) -> list[Record]:
        """Give a project's security groups; the default one comes into being here, as in Neutron."""
        own = [group for group in self.security_groups.values() if group["project_id"] == caller.project_id]
        if not any(group["name"] == "default" for group in own):
            self.add_security_group("default", caller.project_id)
            return self.groups_of(caller)
        return own

    def new_address(self) -> str:
        """Give an address that nobody has."""
        self._addresses += 1
        return f"10.99.{self._addresses // 250}.{self._addresses % 250 + 2}"

    # ------------------------------------------------------------- handlers

    def _versions(self, call: Call) -> Reply:
        del call
        links = [{"rel": "self", "href": f"{self.url}/v2.0/"}]
        return json_reply(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})

    def _resources(self, call: Call) -> Reply:
        del call
        links = [{"rel": "self", "href": f"{self.url}/v2.0/networks"}]
        return json_reply(200, {"resources": [{"name": "network", "collection": "networks", "links": links}]})

    def _extensions(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"extensions": [{"alias": "security-group", "name": "security-group"}]})

    def _list_networks(self, call: Call) -> Reply:
        return json_reply(200, {"networks": _filtered(call, self.visible_networks(call.who))})

    def _show_network(self, call: Call, network_id: str) -> Reply:
        for network in self.visible_networks(call.who):
            if network["id"] == network_id:
                return json_reply(200, {"network": network})
        raise Refused(404, f"Network {network_id} could not be found.", detail="NetworkNotFound")

    def _list_groups(self, call: Call) -> Reply:
        return json_reply(200, {"security_groups": _filtered(call, self.groups_of(call.who))})

    def _show_group(self, call: Call, group_id: str) -> Reply:
        for group in self.groups_of(call.who):
            if group["id"] == group_id:
                return json_reply(200, {"security_group": group})
        raise Refused(404, f"Security group {group_id} does not exist", detail="SecurityGroupNotFound")

    def _quota(self, call: Call, project_id: str) -> Reply:
        del call, project_id
        return json_reply(200, {"quota": _LIMITS})

    def _quota_details(self, call: Call, project_id: str) -> Reply:
        del call, project_id
        details = {key: {"limit": limit, "used": 0, "reserved": 0} for key, limit in _LIMITS.items()}
        return json_reply(200, {"quota": details})


def _filtered(call: Call, found: Sequence[Record]) -> list[Record]:
    """Apply every query parameter that is an attribute; several values of one mean "one of"."""
    wanted: dict[str, set[str]] = {}
    for key, value in call.query:
        wanted.setdefault(key, set()).add(value.lower())
    return [
        record
        for record in found
        if all(str(record.get(key)).lower() in values for key, values in wanted.items() if key in record)
    ]
