"""Classes of resources and traits of the in-memory Placement (placement/handlers/resource_class.py, trait.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.placement.bodies import CUSTOM, checked, fields, text
from hyperx_glance.testing.memory.placement.records import CLASSES
from hyperx_glance.testing.memory.placement.state import (
    Raised,
    State,
    class_view,
    conflict,
    demand_administrator,
    demand_version,
)
from hyperx_glance.testing.memory.wire import Call, Refused, Reply, json_reply

_NEW = fields({"name": text(pattern=CUSTOM)}, ["name"])
_NAMED = text(pattern=CUSTOM)
_RIGHTS = "placement:resource_classes:"


class Names(State):
    """The part of Placement that handles classes and traits."""

    def _list_classes(self, call: Call) -> Reply:
        demand_version(call, (1, 2))
        demand_administrator(call, f"{_RIGHTS}list")
        return json_reply(200, {"resource_classes": [class_view(name) for name in self.known_classes()]})

    def _show_class(self, call: Call, name: str) -> Reply:
        demand_version(call, (1, 2))
        demand_administrator(call, f"{_RIGHTS}show")
        self._known_class(name)
        return json_reply(200, class_view(name))

    def _known_class(self, name: str) -> None:
        if name not in self.known_classes():
            raise Raised(404, f"No such resource class {name}.")

    def _create_class(self, call: Call) -> Reply:
        demand_version(call, (1, 2))
        demand_administrator(call, f"{_RIGHTS}create")
        name = checked(call, _NEW)["name"]
        if name in self.custom_classes:
            raise conflict(f"Conflicting resource class already exists: {name}")
        self.custom_classes.append(name)
        return Reply(201, headers={"Location": f"{self.url}/resource_classes/{name}"})

    def _put_class(self, call: Call, name: str) -> Reply:
        demand_version(call, (1, 7))
        demand_administrator(call, f"{_RIGHTS}update")
        wrong = _NAMED(name)
        if wrong:
            raise Refused(400, f"JSON does not validate: {wrong}")
        place = {"Location": f"{self.url}/resource_classes/{name}"}
        if name in self.custom_classes:
            return Reply(204, headers=place)
        self.custom_classes.append(name)
        return Reply(201, headers=place)

    def _delete_class(self, call: Call, name: str) -> Reply:
        demand_version(call, (1, 2))
        demand_administrator(call, f"{_RIGHTS}delete")
        self._known_class(name)
        if name in CLASSES:
            raise Refused(400, f"Error in delete resource class: Cannot delete standard resource class {name}.")
        if any(name in provider.inventories for provider in self.providers.values()):
            words = f"Cannot delete resource class {name}. Class is in use in inventory."
            raise conflict(f"Error in delete resource class: {words}")
        self.custom_classes.remove(name)
        return Reply(204)

    # ------------------------------------------------------------- traits

    def _list_traits(self, call: Call) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, "placement:traits:list")
        operation, colon, value = call.value("name").partition(":")
        if operation and (not colon or operation not in ("in", "startswith")):
            words = "Badly formatted name parameter. Expected name query string parameter in form:"
            raise Refused(400, f'{words} ?name=[in|startswith]:[name1,name2|prefix]. Got: "{call.value("name")}"')
        names = value.split(",")
        used = {name for provider in self.providers.values() for name in self.traits_of(provider)}
        associated = {"true": True, "false": False}.get(call.value("associated").lower())
        found = [
            trait
            for trait in self.known_traits()
            if (associated is None or (trait in used) == associated)
            and (not operation or (trait.startswith(value) if operation == "startswith" else trait in names))
        ]
        return json_reply(200, {"traits": found})

    def _known_trait(self, name: str) -> None:
        if name not in self.known_traits():
            raise Refused(404, f"No such trait(s): {name}.")

    def _show_trait(self, call: Call, name: str) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, "placement:traits:show")
        self._known_trait(name)
        return Reply(204)

    def _put_trait(self, call: Call, name: str) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, "placement:traits:update")
        if _NAMED(name):
            words = "The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix"
            raise Refused(400, f'{words} "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"')
        place = {"Location": f"{self.url}/traits/{name}"}
        if name in self.custom_traits:
            return Reply(204, headers=place)
        self.custom_traits.append(name)
        return Reply(201, headers=place)

    def _delete_trait(self, call: Call, name: str) -> Reply:
        demand_version(call, (1, 6))
        demand_administrator(call, "placement:traits:delete")
        self._known_trait(name)
        if name not in self.custom_traits:
            raise Refused(400, f"Cannot delete standard trait {name}.")
        if any(name in provider.traits for provider in self.providers.values()):
            raise conflict(f"The trait {name} is in use by a resource provider.")
        self.custom_traits.remove(name)
        return Reply(204)
