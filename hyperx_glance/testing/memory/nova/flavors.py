"""The in-memory Nova's flavors and availability zones."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.microversions import FLAVOR, microversion, shown
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.records import Flavor
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import check_limit
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class Flavors(State):
    """Answer for flavors and zones."""

    def _list_flavors(self, call: Call) -> Reply:
        found = self._flavor_page(call)
        keys = ("id", "name", "links", "description")
        views = [
            {key: view[key] for key in keys if key in view} for view in (self._flavor_view(call, f) for f in found)
        ]
        return json_reply(200, {"flavors": views} | self._next("flavors_links", call, [each.id for each in found]))

    def _list_flavor_details(self, call: Call) -> Reply:
        found = self._flavor_page(call)
        body: Record = {"flavors": [self._flavor_view(call, flavor) for flavor in found]}
        return json_reply(200, body | self._next("flavors_links", call, [each.id for each in found]))

    def _flavor_page(self, call: Call) -> list[Flavor]:
        check_limit(call)
        return cut_page(call, list(self.flavors.values()), key=lambda flavor: flavor.id)

    def _show_flavor(self, call: Call, flavor_id: str) -> Reply:
        return json_reply(200, {"flavor": self._flavor_view(call, self._flavor(flavor_id))})

    def _show_extra_specs(self, call: Call, flavor_id: str) -> Reply:
        del call
        self._flavor(flavor_id)
        return json_reply(200, {"extra_specs": {}})

    def _flavor(self, flavor_id: str) -> Flavor:
        if flavor_id not in self.flavors:
            raise Refused(404, f"Flavor {flavor_id} could not be found.")
        return self.flavors[flavor_id]

    def _flavor_view(self, call: Call, flavor: Flavor) -> Record:
        version = microversion(call)
        view = {
            "id": flavor.id,
            "name": flavor.name,
            "ram": flavor.ram,
            "disk": flavor.disk,
            "swap": 0 if version >= (2, 75) else "",
            "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
            "OS-FLV-DISABLED:disabled": False,
            "vcpus": flavor.vcpus,
            "os-flavor-access:is_public": True,
            "rxtx_factor": 1.0,
            "links": self._links("flavors", flavor.id),
            "description": None,
            "extra_specs": {},
        }
        return shown(view, FLAVOR, version)

    def _list_zones(self, call: Call) -> Reply:
        del call
        zones = [
            {"zoneName": name, "zoneState": {"available": available}, "hosts": None}
            for names, available in ((self.availability_zones, True), (self.unavailable_zones, False))
            for name in names
        ]
        return json_reply(200, {"availabilityZoneInfo": zones})
