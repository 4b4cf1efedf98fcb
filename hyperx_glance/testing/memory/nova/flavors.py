"""The in-memory Nova's flavors and availability zones."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.records import Flavor
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class Flavors(State):
    """Answer for flavors and zones."""

    def _list_flavors(self, call: Call) -> Reply:
        found = cut_page(call, list(self.flavors.values()))
        return json_reply(200, {"flavors": [{"id": flavor.id, "name": flavor.name, "links": []} for flavor in found]})

    def _list_flavor_details(self, call: Call) -> Reply:
        found = cut_page(call, list(self.flavors.values()))
        body: Record = {"flavors": [_flavor_view(flavor) for flavor in found]}
        return json_reply(200, body | self._next("flavors_links", call, found))

    def _show_flavor(self, call: Call, flavor_id: str) -> Reply:
        del call
        if flavor_id not in self.flavors:
            raise Refused(404, f"Flavor {flavor_id} could not be found.")
        return json_reply(200, {"flavor": _flavor_view(self.flavors[flavor_id])})

    def _list_zones(self, call: Call) -> Reply:
        del call
        zones = [
            {"zoneName": name, "zoneState": {"available": available}, "hosts": None}
            for names, available in ((self.availability_zones, True), (self.unavailable_zones, False))
            for name in names
        ]
        return json_reply(200, {"availabilityZoneInfo": zones})


def _flavor_view(flavor: Flavor) -> Record:
    return {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": 0,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "OS-FLV-DISABLED:disabled": False,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": [],
        "description": None,
        "extra_specs": {},
    }
