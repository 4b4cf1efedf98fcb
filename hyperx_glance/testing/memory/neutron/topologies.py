"""Default networks and pools of the in-memory Neutron, and the networks that it makes on demand from them.

Neutron's own words are in neutron/services/auto_allocate/db.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.kinds import NETWORK, POOL, ROUTER, SUBNET, Kind
from hyperx_glance.testing.memory.neutron.rights import Rights
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_DRY_RUN = "dry-run"


class Topologies(Rights):
    """The part of Neutron that makes a network with a way out for each project that asks."""

    def topology_routes(self) -> Sequence[Route]:
        """Return the routes for what is made on demand."""
        one = "/v2.0/auto-allocated-topology/([^/]+?)(?:.json)?"
        return (Route("GET", one, self._show_topology), Route("DELETE", one, self._delete_topology))

    # ------------------------------------------------------------- what is the default

    def _complete(self, kind: Kind, record: Record) -> None:
        super()._complete(kind, record)
        self._check_default(kind, record)

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        self._check_default(kind, {**record, **given})
        super()._change(kind, record, given)

    def _check_default(self, kind: Kind, record: Record) -> None:
        """Refuse a second default network to the outside, and a second default pool of a family."""
        if not record.get("is_default"):
            return
        if kind is NETWORK and record["router:external"]:
            for network in self.networks.values():
                if network["id"] != record["id"] and network["router:external"] and network.get("is_default"):
                    words = f"A default external network already exists: {network['id']}."
                    raise Refused(409, words, detail="DefaultExternalNetworkExists")
        if kind is POOL:
            for pool in self.subnetpools.values():
                alike = pool["ip_version"] == record["ip_version"] and pool["id"] != record["id"]
                if alike and pool["is_default"]:
                    words = "A default subnetpool for this IP family has already been set."
                    raise invalid(f"{words} Only one default may exist per IP family.")

    # ------------------------------------------------------------- on demand

    def _project_of(self, call: Call, asked: str) -> str:
        """Return the project of a request; a client that names none says so in Python's word."""
        project_id = call.who.project_id if asked == "None" else asked
        if project_id != call.who.project_id and not call.who.is_administrator:
            raise Refused(403, "Not authorized.", detail="NotAuthorized")
        return project_id

    def _show_topology(self, call: Call, asked: str) -> Reply:
        project_id, fields = self._project_of(call, asked), call.values("fields")
        if _DRY_RUN in fields:
            self._way_out()
            if not self._default_pools(call):
                raise _failure("No default subnetpools defined")
            return json_reply(200, {"auto_allocated_topology": {"id": "dry-run=pass", "project_id": project_id}})
        if fields:
            raise Refused(400, "Bad auto_allocate request: Unrecognized field.", detail="BadRequest")
        topology = self.auto_topologies.get(project_id)
        if topology is None or topology["network_id"] not in self.networks:
            topology = self._build(call, project_id)
        view = {"id": topology["network_id"], "project_id": project_id, "tenant_id": project_id}
        return json_reply(200, {"auto_allocated_topology": view})

    def _way_out(self) -> Record:
        """Return the default network to the outside."""
        for network in self.networks.values():
            if network["router:external"] and network.get("is_default"):
                return network
        raise _failure("No default router:external network")

    def _default_pools(self, call: Call) -> list[Record]:
        pools = [pool for pool in self.subnetpools.values() if pool["is_default"]]
        return sorted(
            (pool for pool in pools if self._visible(POOL, call.who, pool)), key=lambda each: each["ip_version"]
        )

    def _build(self, call: Call, project_id: str) -> Record:
        outside = self._way_out()
        network, subnets = self._private_network(call, project_id)
        asked = {"name": "auto_allocated_router", "external_gateway_info": {"network_id": outside["id"]}}
        router = self._add(ROUTER, asked, project_id)
        router["description"] = None
        for subnet in subnets:
            self._join(router, subnet)
            router["revision_number"] += 1
        network["revision_number"] += 1  # it was down until now
        self.auto_topologies[project_id] = {"network_id": network["id"], "router_id": router["id"]}
        return self.auto_topologies[project_id]

    def _private_network(self, call: Call, project_id: str) -> tuple[Record, list[Record]]:
        """Make a network with a subnet of each default pool, or nothing."""
        network = self._add(NETWORK, {"name": "auto_allocated_network"}, project_id)
        plans = [
            {
                "name": f"auto_allocated_subnet_v{pool['ip_version']}",
                "network_id": network["id"],
                "ip_version": pool["ip_version"],
                "subnetpool_id": pool["id"],
            }
            for pool in self._default_pools(call)
        ]
        try:
            subnets = [self._add(SUBNET, plan, project_id) for plan in plans]
        except Refused:
            subnets = []
        if not subnets:
            self.remove(NETWORK, network)
            raise _failure("Unable to provide project private network")
        return network, subnets

    def _delete_topology(self, call: Call, asked: str) -> Reply:
        project_id = self._project_of(call, asked)
        if not call.who.may_write:
            raise self._forbidden("delete_auto_allocated_topology")
        topology = self.auto_topologies.pop(project_id, {})
        router = self.routers.get(topology.get("router_id", ""))
        if router is not None:
            self.remove(ROUTER, router)
        network = self.networks.get(topology.get("network_id", ""))
        if network is not None:
            self.remove(NETWORK, network)
        return Reply(204)


def _failure(reason: str) -> Refused:
    return Refused(409, f"Deployment error: {reason}.", detail="AutoAllocationFailure")
