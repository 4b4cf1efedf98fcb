"""Resource providers of the in-memory Placement, their inventories, traits and aggregates (placement/handlers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hyperx_glance.testing.memory.nova.hosts import hypervisor_id
from hyperx_glance.testing.memory.placement import bodies
from hyperx_glance.testing.memory.placement.records import DEFAULT_INVENTORY, Provider
from hyperx_glance.testing.memory.placement.state import (
    CONCURRENT,
    State,
    asked_version,
    check_query,
    conflict,
    demand_administrator,
    demand_version,
    is_since,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "inventories": (1, 0),
    "usages": (1, 0),
    "aggregates": (1, 1),
    "traits": (1, 6),
    "allocations": (1, 11),
}
"""What a provider has, and since which microversion it links to that."""
_NESTED: Final = (1, 14)
_IN_USE: Final = "placement.inventory.inuse"
_NEW = {"name": bodies.text(200), "uuid": bodies.identifier}
_PARENT = {"parent_provider_uuid": bodies.optional(bodies.identifier)}
_CHANGE = {"name": bodies.text(200)}
_AMOUNTS = {
    "resource_provider_generation": bodies.number(),
    "total": bodies.number(1),
    "reserved": bodies.number(0),
    "min_unit": bodies.number(1),
    "max_unit": bodies.number(1),
    "step_size": bodies.number(1),
    "allocation_ratio": bodies.ratio,
}
_INVENTORY = bodies.fields(
    {**_AMOUNTS, "resource_class": bodies.text(pattern=bodies.CLASS)}, ["total", "resource_class"]
)
_INVENTORY_CHANGE = bodies.fields(_AMOUNTS, ["total", "resource_provider_generation"])
_INVENTORIES = bodies.fields(
    {
        "resource_provider_generation": bodies.number(),
        "inventories": bodies.mapping(bodies.CLASS, bodies.fields(_AMOUNTS, ["total"]), closed=False),
    },
    ["resource_provider_generation", "inventories"],
)
_TRAITS = bodies.fields(
    {"traits": bodies.each(bodies.text()), "resource_provider_generation": bodies.number()},
    ["traits", "resource_provider_generation"],
)
_OLD_AGGREGATES = bodies.each(bodies.identifier)
_AGGREGATES = bodies.fields(
    {"aggregates": _OLD_AGGREGATES, "resource_provider_generation": bodies.number()},
    ["aggregates", "resource_provider_generation"],
)
_CHANGED = "Resource provider's generation already changed. Please update the generation and try again."
_RIGHTS = "placement:resource_providers"


class Providers(State):
    """The part of Placement that handles resource providers."""

    def _list_providers(self, call: Call) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:list")
        check_query(call, ("name", "uuid", "in_tree", "member_of", "resources", "required"))
        found = [each for each in self.providers.values() if self._is_asked_for(call, each)]
        return json_reply(200, {"resource_providers": [self._view(call, each) for each in found]})

    def _asked_resources(self, text: str) -> dict[str, int]:
        """Read "VCPU:2,MEMORY_MB:1024" (placement/util.py, normalize_resources_qs_param)."""
        wanted: dict[str, int] = {}
        for part in text.split(","):
            name, colon, amount = part.partition(":")
            if not colon or not amount.isdecimal():
                words = "Badly formed resources parameter. Expected resources query string parameter in form:"
                raise Refused(400, f"{words} ?resources=VCPU:2,MEMORY_MB:1024. Got: {text}.")
            if name not in self.known_classes():
                raise Refused(400, f"Invalid resource class in resources parameter: No such resource class {name}.")
            wanted[name] = int(amount)
        return wanted

    def _is_asked_for(self, call: Call, provider: Provider) -> bool:
        tree = self.providers.get(call.value("in_tree"))
        members = call.value("member_of").removeprefix("in:").split(",") if call.value("member_of") else None
        traits = self.traits_of(provider)
        required = [each for each in call.value("required").split(",") if each]
        used = self.usages_of(provider)
        wanted = self._asked_resources(call.value("resources")) if call.value("resources") else {}
        return (
            call.value("name", provider.name) == provider.name
            and call.value("uuid", provider.id) == provider.id
            and (not call.value("in_tree") or (tree is not None and self.root_of(tree) is self.root_of(provider)))
            and (members is None or bool(set(members) & set(provider.aggregates)))
            and all((each.removeprefix("!") in traits) != each.startswith("!") for each in required)
            and all(free(provider, used, name) >= amount for name, amount in wanted.items())
        )

    def _show_provider(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:show")
        return json_reply(200, self._view(call, self._provider(provider_id)))

    def _view(self, call: Call, provider: Provider) -> Record:
        links = [{"rel": "self", "href": f"/resource_providers/{provider.id}"}]
        links += [
            {"rel": part, "href": f"/resource_providers/{provider.id}/{part}"}
            for part, since in _PARTS.items()
            if is_since(call, since)
        ]
        view: Record = {"uuid": provider.id, "name": provider.name, "generation": provider.generation, "links": links}
        if is_since(call, _NESTED):
            view |= {"parent_provider_uuid": provider.parent_id, "root_provider_uuid": self.root_of(provider).id}
        return view

    def _create_provider(self, call: Call) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:create")
        keys = {**_NEW, **_PARENT} if is_since(call, _NESTED) else _NEW
        asked = bodies.checked(call, bodies.fields(keys, ["name"]))
        provider = Provider(asked.get("uuid") or str(self.ids.uuid4()), asked["name"])
        provider.parent_id = asked.get("parent_provider_uuid")
        if provider.parent_id is not None and provider.parent_id not in self.providers:
            words = f'Unable to create resource provider "{provider.name}", {provider.id}: Object action create failed'
            raise Refused(400, f"{words} because: parent provider UUID does not exist.")
        for each in self.providers.values():
            alike = f"uuid: {each.id}" if each.id == provider.id else f"name: {each.name}"
            if each.id == provider.id or each.name == provider.name:
                words = f"Conflicting resource provider {alike} already exists."
                raise conflict(words, "placement.duplicate_name")
        self.providers[provider.id] = provider
        place = {"Location": f"{self.url}/resource_providers/{provider.id}"}
        if not is_since(call, (1, 20)):
            return Reply(201, headers=place)
        return json_reply(200, self._view(call, provider), **place)

    def _update_provider(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:update")
        provider = self._provider(provider_id)
        keys = {**_CHANGE, **_PARENT} if is_since(call, _NESTED) else _CHANGE
        asked = bodies.checked(call, bodies.fields(keys, ["name"]))
        if any(each.name == asked["name"] and each is not provider for each in self.providers.values()):
            words = f"Conflicting resource provider {asked['name']} already exists."
            raise conflict(words, "placement.duplicate_name")
        parent = asked.get("parent_provider_uuid", provider.parent_id)
        if parent is not None and parent not in self.providers:
            words = f"Unable to save resource provider {provider_id}: Object action create failed because:"
            raise Refused(400, f"{words} parent provider UUID does not exist.")
        provider.name, provider.parent_id = asked["name"], parent
        return json_reply(200, self._view(call, provider))

    def _delete_provider(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:delete")
        if provider_id not in self.providers:
            raise Refused(404, f"No resource provider with uuid {provider_id} found for delete")
        if any(each.parent_id == provider_id for each in self.providers.values()):
            words = f"Unable to delete parent resource provider {provider_id}: It has child resource providers."
            raise conflict(words, "placement.resource_provider.cannot_delete_parent")
        if any(provider_id in each.allocations for each in self.every_consumer()):
            words = f"Unable to delete resource provider {provider_id}: Resource provider has allocations."
            raise conflict(words, "placement.resource_provider.inuse")
        del self.providers[provider_id]
        return Reply(204)

    # ------------------------------------------------------------- inventories

    def _list_inventories(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:inventories:list")
        return _inventories(self._provider(provider_id, "No resource provider with uuid {0} found : "))

    def _show_inventory(self, call: Call, provider_id: str, name: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:inventories:show")
        provider = self._provider(provider_id)
        if name not in provider.inventories:
            raise Refused(404, f"No inventory of class {name} for {provider_id}")
        return _inventory(provider, name)

    def _create_inventory(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:inventories:create")
        provider = self._provider(provider_id)
        asked = bodies.checked(call, _INVENTORY)
        name = asked.pop("resource_class")
        words = f"Unable to create inventory for resource provider {provider_id}"
        self._check_inventory(provider, name, asked, words, words)
        if name in provider.inventories:
            raise conflict("Update conflict: UNIQUE constraint failed", CONCURRENT)
        self._set_inventories(provider, {**provider.inventories, name: _completed(asked)})
        place = f"{self.url}/resource_providers/{provider_id}/inventories/{name}"
        return _inventory(provider, name, 201, place)

    def _check_inventory(self, provider: Provider, name: str, asked: Record, unknown: str, reserved: str) -> None:
        """Refuse an unknown class, and an inventory of which more is reserved than there is."""
        if name not in (*self.custom_classes, *self.known_classes()):
            raise Refused(400, f"{unknown}: No such resource class {name}.")
        if asked.get("reserved", 0) > asked["total"]:
            words = f"Invalid inventory for '{name}' on resource provider '{provider.id}'."
            raise Refused(400, f"{reserved}: {words} The reserved value is greater than total.")

    def _set_inventories(self, provider: Provider, inventories: dict[str, Record]) -> None:
        provider.inventories, provider.generation = inventories, provider.generation + 1

    def _update_inventory(self, call: Call, provider_id: str, name: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:inventories:update")
        provider = self._provider(provider_id)
        asked = bodies.checked(call, _INVENTORY_CHANGE)
        if asked.pop("resource_provider_generation") != provider.generation:
            raise conflict("resource provider generation conflict", CONCURRENT)
        words = f"Unable to update inventory for resource provider {provider_id}"
        self._check_inventory(provider, name, asked, words, words)
        if name not in provider.inventories:
            words = (
                f"No inventory record with resource class for resource provider {provider_id}: No inventory of class"
            )
            raise Refused(400, f"{words} {name} found.")
        self._set_inventories(provider, {**provider.inventories, name: _completed(asked)})
        return _inventory(provider, name)

    def _replace_inventories(self, call: Call, provider_id: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:inventories:update")
        provider = self._provider(provider_id)
        asked = bodies.checked(call, _INVENTORIES)
        if asked["resource_provider_generation"] != provider.generation:
            raise conflict("resource provider generation conflict", CONCURRENT)
        for name, each in asked["inventories"].items():
            unknown = f"Unknown resource class in inventory for resource provider {provider_id}"
            reserved = f"Unable to update inventory for resource provider {provider_id}"
            self._check_inventory(provider, name, each, unknown, reserved)
        gone = [name for name in provider.inventories if name not in asked["inventories"]]
        self._check_unused(provider, gone, "update conflict: ")
        self._set_inventories(provider, {name: _completed(each) for name, each in asked["inventories"].items()})
        return _inventories(provider)

    def _check_unused(self, provider: Provider, names: list[str], before: str, code: str = _IN_USE) -> None:
        used = [name for name in names if self.usages_of(provider).get(name)]
        if used:
            words = f"Inventory for '{', '.join(used)}' on resource provider '{provider.id}' in use."
            raise conflict(f"{before}{words}", code)

    def _delete_inventory(self, call: Call, provider_id: str, name: str) -> Reply:
        demand_administrator(call, f"{_RIGHTS}:inventories:delete")
        provider = self._provider(provider_id)
        if name not in provider.inventories:
            words = f"No inventory of class {name} found for delete: No inventory of class {name} found for delete"
            raise Refused(404, words)
        self._check_unused(provider, [name], f"Unable to delete inventory of class {name}: ", CONCURRENT)
        left = {key: each for key, each in provider.inventories.items() if key != name}
        self._set_inventories(provider, left)
        return Reply(204)

    def _delete_inventories(self, call: Call, provider_id: str) -> Reply:
        if asked_version(call) < (1, 5):
            raise Refused(405, "The method DELETE is not allowed for this resource.")
        demand_administrator(call, f"{_RIGHTS}:inventories:delete")
        provider = self._provider(provider_id)
        self._check_unused(provider, list(provider.inventories), "")
        self._set_inventories(provider, {})
        return Reply(204)

    # ------------------------------------------------------------- traits and aggregates

    def _provider_traits(self, call: Call, provider_id: str) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, f"{_RIGHTS}:traits:list")
        return self._traits_reply(self._provider(provider_id, "No resource provider with uuid {0} found: "))

    def _traits_reply(self, provider: Provider) -> Reply:
        shown = {"traits": self.traits_of(provider), "resource_provider_generation": provider.generation}
        return json_reply(200, shown)

    def _set_traits(self, provider: Provider, traits: list[str]) -> None:
        if set(traits) == set(self.traits_of(provider)):
            return
        if provider.id == hypervisor_id():
            self.traits = traits
        else:
            provider.traits = traits
        provider.generation += 1

    def _replace_traits(self, call: Call, provider_id: str) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, f"{_RIGHTS}:traits:update")
        asked = bodies.checked(call, _TRAITS)
        provider = self._provider(provider_id)
        if asked["resource_provider_generation"] != provider.generation:
            raise conflict(_CHANGED, CONCURRENT)
        unknown = [each for each in asked["traits"] if each not in self.known_traits()]
        if unknown:
            raise Refused(400, f"No such trait {', '.join(unknown)}")
        self._set_traits(provider, list(dict.fromkeys(asked["traits"])))
        return self._traits_reply(provider)

    def _delete_traits(self, call: Call, provider_id: str) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, f"{_RIGHTS}:traits:delete")
        self._set_traits(self._provider(provider_id), [])
        return Reply(204)

    def _list_aggregates(self, call: Call, provider_id: str) -> Reply:
        demand_version(call, (1, 1))
        demand_administrator(call, f"{_RIGHTS}:aggregates:list")
        return _aggregates(call, self._provider(provider_id))

    def _replace_aggregates(self, call: Call, provider_id: str) -> Reply:
        demand_version(call, (1, 1))
        demand_administrator(call, f"{_RIGHTS}:aggregates:update")
        provider = self._provider(provider_id)
        if not is_since(call, (1, 19)):
            provider.aggregates = bodies.checked(call, _OLD_AGGREGATES)
            return _aggregates(call, provider)
        asked = bodies.checked(call, _AGGREGATES)
        if asked["resource_provider_generation"] != provider.generation:
            raise conflict(_CHANGED, CONCURRENT)
        provider.aggregates = asked["aggregates"]
        provider.generation += 1
        return _aggregates(call, provider)


def free(provider: Provider, used: Mapping[str, int], name: str) -> int:
    """Return how much of a class a provider has left."""
    found = provider.inventories.get(name)
    return 0 if found is None else capacity(found) - used.get(name, 0)


def capacity(inventory: Record) -> int:
    """Return how much of an inventory may be used."""
    return int((inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"])


def _completed(asked: Record) -> Record:
    kept = {key: value for key, value in asked.items() if key != "resource_provider_generation"}
    return {**DEFAULT_INVENTORY, **kept}


def _inventories(provider: Provider) -> Reply:
    shown = {"resource_provider_generation": provider.generation, "inventories": provider.inventories}
    return json_reply(200, shown)


def _inventory(provider: Provider, name: str, status: int = 200, place: str = "") -> Reply:
    shown = {**provider.inventories[name], "resource_provider_generation": provider.generation}
    return json_reply(status, shown, **({"Location": place} if place else {}))


def _aggregates(call: Call, provider: Provider) -> Reply:
    shown: Record = {"aggregates": provider.aggregates}
    if is_since(call, (1, 19)):
        shown["resource_provider_generation"] = provider.generation
    return json_reply(200, shown)
