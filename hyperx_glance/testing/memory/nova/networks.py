"""Choosing networks for servers in the in-memory Nova."""

from __future__ import annotations

import re
from typing import Any

from hyperx_glance.testing.memory.nova.records import Nic
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


class Networks(State):
    """The part of Nova that chooses networks."""

    def _networks(self, call: Call, asked: Any) -> list[Nic]:  # noqa: ANN401 - "auto", "none" or a list
        if asked == "none":
            return []
        self._ask_neutron()
        available = self._neutron.visible_networks(call.who)
        if asked == "auto" or not asked:
            possible = [each for each in available if each["shared"] or each["project_id"] == call.who.project_id]
            if not possible and asked == "auto":
                raise Refused(400, f"Unable to automatically allocate a network for project {call.who.project_id}")
            if len(possible) > 1:
                raise Refused(409, "Multiple possible networks found, use a Network ID to be more specific.")
            return [Nic(network) for network in possible]
        return [self._nic(call, available, asked, wanted) for wanted in asked]

    def _nic(self, call: Call, available: list[Record], asked: object, wanted: Record) -> Nic:
        """Return a network card for a port, or for a network (nova/network/neutron.py, validate_networks)."""
        port_id = wanted.get("port")
        port = self._free_port(call, port_id) if port_id else None
        if port is not None and not port["fixed_ips"]:
            raise Refused(400, f"Port {port_id} requires a FixedIP in order to be used.")
        network_id = str(port["network_id"] if port else wanted.get("uuid", ""))
        if not re.fullmatch(_UUID, network_id):
            raise invalid("networks", asked, f"{asked} is not valid under any of the given schemas")
        network = next((known for known in available if known["id"] == network_id), None)
        if network is None:
            raise Refused(400, f"Network {network_id} could not be found.")
        if port is None and not network["subnets"]:
            raise Refused(400, f"Network {network_id} requires a subnet in order to boot instances on.")
        if network["router:external"] and not network["shared"] and not call.who.is_administrator:
            raise Refused(403, f"It is not allowed to create an interface on external network {network_id}")
        return Nic(network, port_id, wanted.get("fixed_ip"))

    def _free_port(self, call: Call, port_id: object) -> Record:
        """Return an unused port that the caller may use."""
        port = self._neutron.ports.get(str(port_id))
        if port is None or (port["project_id"] != call.who.project_id and not call.who.is_administrator):
            raise Refused(400 if call.path.endswith("/servers") else 404, f"Port id {port_id} could not be found.")
        if port["device_id"]:
            raise Refused(409, f"Port {port_id} is still in use.")
        return port
