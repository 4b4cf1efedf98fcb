"""The in-memory Nova's flavors, with their extra specs and who may use them, and availability zones."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from hyperx_glance.testing.memory.nova.filters import flag_word
from hyperx_glance.testing.memory.nova.microversions import FLAVOR, microversion, shown
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.records import Flavor
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import (
    NO,
    YES,
    check_keys,
    check_limit,
    check_name,
    check_number,
    enveloped,
    invalid,
    wrong_query,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_NUMBERS: Final = {
    "ram": ("ram", 1),
    "vcpus": ("vcpus", 1),
    "disk": ("disk", 0),
    "OS-FLV-EXT-DATA:ephemeral": ("ephemeral", 0),
    "swap": ("swap", 0),
}
_ORDERS: Final[dict[str, Callable[[Flavor], Any]]] = {
    "name": lambda flavor: flavor.name,
    "memory_mb": lambda flavor: flavor.ram,
    "root_gb": lambda flavor: flavor.disk,
    "vcpus": lambda flavor: flavor.vcpus,
}
_SORT_KEYS: Final = [
    "created_at",
    "description",
    "disabled",
    "ephemeral_gb",
    "flavorid",
    "id",
    "is_public",
    "memory_mb",
    "name",
    "root_gb",
    "rxtx_factor",
    "swap",
    "updated_at",
    "vcpu_weight",
    "vcpus",
]


class Flavors(State):
    """The part of Nova that handles flavors and zones."""

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
        key, direction = call.value("sort_key", "flavorid"), call.value("sort_dir", "asc")
        if key not in _SORT_KEYS:
            raise wrong_query("sort_key", key, f"{key!r} is not one of {_SORT_KEYS!r}")
        if direction not in ("asc", "desc"):
            raise wrong_query("sort_dir", direction, f"{direction!r} is not one of ['asc', 'desc']")
        least = {name: self._least(call, name) for name in ("minRam", "minDisk")}
        found = [
            flavor for flavor in self._usable(call) if flavor.ram >= least["minRam"] and flavor.disk >= least["minDisk"]
        ]
        found.sort(key=_ORDERS.get(key, lambda flavor: flavor.id), reverse=direction == "desc")
        return cut_page(call, found, key=lambda flavor: flavor.id, largest=self.max_limit)

    def _least(self, call: Call, name: str) -> int:
        value = call.value(name, "0")
        if not re.fullmatch(r"\s*[+-]?[0-9]+\s*", value):
            raise Refused(400, f"Invalid {name} filter [{value}]")
        return int(value)

    def _usable(self, call: Call) -> list[Flavor]:
        """Return the flavors in a list: an administrator chooses, others get the public ones and their own."""
        asked = call.value("is_public", "true") if call.who.is_administrator else "true"
        wanted = None if asked.lower() == "none" else flag_word(asked)
        if wanted is None and asked.lower() != "none":
            raise Refused(400, f"Invalid is_public filter [{asked}]")
        own = call.who.project_id
        return [
            flavor
            for flavor in self.flavors.values()
            if wanted is None or flavor.is_public == wanted or (wanted and own in flavor.projects)
        ]

    def _show_flavor(self, call: Call, flavor_id: str) -> Reply:
        return json_reply(200, {"flavor": self._flavor_view(call, self._visible_flavor(call, flavor_id))})

    def _visible_flavor(self, call: Call, flavor_id: str) -> Flavor:
        flavor = self._flavor(flavor_id)
        if flavor.is_public or call.who.is_administrator or call.who.project_id in flavor.projects:
            return flavor
        raise Refused(404, f"Flavor {flavor_id} could not be found.")

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
            "swap": flavor.swap or (0 if version >= (2, 75) else ""),
            "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
            "OS-FLV-DISABLED:disabled": False,
            "vcpus": flavor.vcpus,
            "os-flavor-access:is_public": flavor.is_public,
            "rxtx_factor": flavor.rxtx_factor,
            "links": self._links("flavors", flavor.id),
            "description": flavor.description,
            "extra_specs": flavor.extra_specs,
        }
        return shown(view, FLAVOR, version)

    # ------------------------------------------------------------- what administrators do

    def _create_flavor(self, call: Call) -> Reply:
        asked, version = enveloped(call, "flavor"), microversion(call)
        more = [*(["description"] if version >= (2, 55) else []), *(["rxtx_factor"] if version < (2, 102) else [])]
        allowed = ["name", "id", *_NUMBERS, "os-flavor-access:is_public", *more]
        check_keys("flavor", asked, allowed=allowed, required=["name", "ram", "vcpus", "disk"])
        check_name(asked["name"])
        for key, (_, least) in _NUMBERS.items():
            if key in asked:
                check_number(key, asked[key], least=least, most=0x7FFFFFFF)
        public = asked.get("os-flavor-access:is_public", True)
        if public not in (*YES, *NO):
            raise invalid("os-flavor-access:is_public", public, f"{public!r} is not one of {[*YES, *NO]!r}")
        factor = asked.get("rxtx_factor", 1.0)
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", str(factor)) or float(factor) <= 0:
            raise invalid("rxtx_factor", factor, f"{factor!r} does not match '^[0-9]+(\\\\.[0-9]+)?$'")
        flavor_id = asked.get("id") or str(self.ids.uuid4())
        if not re.fullmatch(r"(?! )[a-zA-Z0-9. _-]{1,255}(?<! )", str(flavor_id)):
            raise invalid("id", flavor_id, f"{flavor_id!r} does not match '^(?! )[a-zA-Z0-9. _-]+(?<! )$'")
        self._demand_administrator(call, "os-flavor-manage:create")
        for flavor in self.flavors.values():
            if flavor.name == asked["name"]:
                raise Refused(409, f"Flavor with name {flavor.name} already exists.")
            if flavor.id == str(flavor_id):
                raise Refused(409, f"Flavor with ID {flavor.id} already exists.")
        numbers = {name: int(asked.get(key, 0)) for key, (name, _) in _NUMBERS.items()}
        public = asked.get("os-flavor-access:is_public", True) not in NO
        flavor = Flavor(str(flavor_id), asked["name"], numbers["ram"], numbers["disk"], numbers["vcpus"])
        flavor.ephemeral, flavor.swap = numbers["ephemeral"], numbers["swap"]
        flavor.rxtx_factor, flavor.is_public, flavor.description = float(factor), public, asked.get("description")
        self.flavors[flavor.id] = flavor
        return json_reply(200, {"flavor": self._flavor_view(call, flavor)})

    def _update_flavor(self, call: Call, flavor_id: str) -> Reply:
        if microversion(call) < (2, 55):
            raise Refused(404, "The resource could not be found.")
        asked = enveloped(call, "flavor")
        check_keys("flavor", asked, allowed=["description"], required=["description"])
        self._demand_administrator(call, "os-flavor-manage:update")
        self._flavor(flavor_id).description = asked["description"]
        return json_reply(200, {"flavor": self._flavor_view(call, self._flavor(flavor_id))})

    def _delete_flavor(self, call: Call, flavor_id: str) -> Reply:
        self._demand_administrator(call, "os-flavor-manage:delete")
        self._flavor(flavor_id)
        del self.flavors[flavor_id]
        return Reply(202)

    def _list_access(self, call: Call, flavor_id: str) -> Reply:
        self._demand_administrator(call, "os-flavor-access")
        flavor = self._flavor(flavor_id)
        if flavor.is_public:
            raise Refused(404, "Access list not available for public flavors.")
        return json_reply(200, self._access(flavor))

    def _access(self, flavor: Flavor) -> Record:
        pairs = [{"flavor_id": flavor.id, "tenant_id": each} for each in sorted(flavor.projects)]
        return {"flavor_access": pairs}

    def _act_on_flavor(self, call: Call, flavor_id: str) -> Reply:
        body = call.json()
        action = next(iter(body), "") if isinstance(body, dict) else ""
        if action not in ("addTenantAccess", "removeTenantAccess"):
            raise Refused(400, f"There is no such action: {action}")
        check_keys(action, body[action], allowed=["tenant"], required=["tenant"])
        self._demand_administrator(
            call, "os-flavor-access:add_tenant_access" if action[0] == "a" else "os-flavor-access:remove_tenant_access"
        )
        project_id, flavor = body[action]["tenant"], self._flavor(flavor_id)
        if action == "removeTenantAccess":
            if project_id not in flavor.projects:
                raise Refused(404, f"Flavor access not found for {flavor_id} / {project_id} combination.")
            flavor.projects.discard(project_id)
            return json_reply(200, self._access(flavor))
        if project_id not in self._keystone.records["projects"]:
            raise Refused(400, f"Project ID {project_id} is not a valid project.")
        if microversion(call) >= (2, 7) and flavor.is_public:
            raise Refused(409, "Can not add access to a public flavor.")
        if project_id in flavor.projects:
            raise Refused(
                409, f"Flavor access already exists for flavor {flavor_id} and project {project_id} combination."
            )
        flavor.projects.add(project_id)
        return json_reply(200, self._access(flavor))

    # ------------------------------------------------------------- extra specs

    def _show_extra_specs(self, call: Call, flavor_id: str) -> Reply:
        return json_reply(200, {"extra_specs": self._visible_flavor(call, flavor_id).extra_specs})

    def _create_extra_specs(self, call: Call, flavor_id: str) -> Reply:
        specs = enveloped(call, "extra_specs")
        _check_specs(specs)
        self._demand_administrator(call, "os-flavor-extra-specs:create")
        self._flavor(flavor_id).extra_specs.update({key: str(value) for key, value in specs.items()})
        return json_reply(200, {"extra_specs": specs})

    def _show_extra_spec(self, call: Call, flavor_id: str, key: str) -> Reply:
        return json_reply(200, {key: self._spec(self._visible_flavor(call, flavor_id), key)})

    def _update_extra_spec(self, call: Call, flavor_id: str, key: str) -> Reply:
        specs = call.json()
        _check_specs(specs)
        if len(specs) > 1:
            raise Refused(400, f"{specs!r} has too many properties")
        self._demand_administrator(call, "os-flavor-extra-specs:update")
        if key not in specs:
            raise Refused(400, "Request body and URI mismatch")
        self._flavor(flavor_id).extra_specs.update(specs)
        return json_reply(200, specs)

    def _delete_extra_spec(self, call: Call, flavor_id: str, key: str) -> Reply:
        self._demand_administrator(call, "os-flavor-extra-specs:delete")
        flavor = self._flavor(flavor_id)
        self._spec(flavor, key)
        del flavor.extra_specs[key]
        return Reply(200)

    def _spec(self, flavor: Flavor, key: str) -> str:
        if key not in flavor.extra_specs:
            raise Refused(404, f"Flavor {flavor.id} has no extra specs with key {key}.")
        return flavor.extra_specs[key]

    def _list_zone_details(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-availability-zone:detail")
        return self._list_zones(call)

    def _list_zones(self, call: Call) -> Reply:
        del call
        zones = [
            {"zoneName": name, "zoneState": {"available": available}, "hosts": None}
            for names, available in ((self.availability_zones, True), (self.unavailable_zones, False))
            for name in names
        ]
        return json_reply(200, {"availabilityZoneInfo": zones})


def _check_specs(specs: object) -> None:
    if not isinstance(specs, dict):
        raise invalid("extra_specs", specs, f"{specs!r} is not of type 'object'")
    for key, value in specs.items():
        if not re.fullmatch(r"[a-zA-Z0-9\-_:. ]{1,255}", key):
            raise invalid(
                "extra_specs", specs, f"{key!r} does not match any of the regexes: '^[a-zA-Z0-9-_:. ]{{1,255}}$'"
            )
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise invalid(key, value, f"{value!r} is not of type 'string', 'number'")
