"""Types of groups of volumes in the in-memory Cinder, and their specs (cinder/api/v3/group_types.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import GroupType
from hyperx_glance.testing.memory.cinder.state import State, asked_public, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_NEW = valid.fields(
    {
        "name": valid.name,
        "description": valid.string(),
        "is_public": valid.flag,
        "group_specs": valid.metadata(null_values=True),
    },
    required=["name"],
)
_CHANGE = valid.fields({"name": valid.string(), "description": valid.string(), "is_public": valid.flag})
_SPECS = valid.metadata(null_values=True, keys=valid.SPECS_KEY)
_MANAGE = "group:group_types:"
_MANAGE_SPECS = "group:group_types_specs:"


class GroupTypes(State):
    """The part of Cinder that handles types of groups."""

    def _list_group_types(self, call: Call) -> Reply:
        public = asked_public(call) if call.who.is_administrator else True
        kinds = [kind for kind in self.group_types.values() if public is None or kind.is_public == public]
        shown = [_group_type_view(call, kind) for kind in self._newest(call, kinds, "Group type")]
        return json_reply(200, {"group_types": shown})

    def _show_group_type(self, call: Call, type_id: str) -> Reply:
        if type_id == "default":
            raise Refused(404, "Default group type can not be found.")
        return json_reply(200, {"group_type": _group_type_view(call, self._found_group_type(call, type_id))})

    def _found_group_type(self, call: Call, type_id: str) -> GroupType:
        kind = self.group_types.get(type_id)
        if kind is None or not (kind.is_public or call.who.is_administrator):
            raise Refused(404, f"Group type {type_id} could not be found.")
        return kind

    def _create_group_type(self, call: Call) -> Reply:
        asked = valid.checked(call, "group_type", _NEW)
        self._demand(call, f"{_MANAGE}create", administrator=True)
        self._check_group_type_name(asked["name"])
        kind = GroupType(str(self.ids.uuid4()), asked["name"], asked.get("description"))
        kind.is_public = valid.is_true(asked.get("is_public", True))
        kind.specs = dict(asked.get("group_specs") or {})
        self.group_types[kind.id] = kind
        return json_reply(202, {"group_type": _group_type_view(call, kind)})

    def _check_group_type_name(self, name: str) -> None:
        if any(kind.name == name for kind in self.group_types.values()):
            raise Refused(409, f"Group Type {name} already exists.")

    def _update_group_type(self, call: Call, type_id: str) -> Reply:
        asked = valid.checked(call, "group_type", _CHANGE)
        self._demand(call, f"{_MANAGE}update", administrator=True)
        if asked.get("name") and not asked["name"].strip():
            raise Refused(400, "Group type name can not be empty.")
        if all(asked.get(key) is None for key in ("name", "description", "is_public")):
            raise Refused(400, "Specify group type name, description or a combination thereof.")
        kind = self._found_group_type(call, type_id)
        name = asked.get("name") or kind.name
        if name != kind.name:
            self._check_group_type_name(name)
        kind.name, kind.description = name, asked.get("description", kind.description)
        if asked.get("is_public") is not None:
            kind.is_public = valid.is_true(asked["is_public"])
        return json_reply(200, {"group_type": _group_type_view(call, kind)})

    def _delete_group_type(self, call: Call, type_id: str) -> Reply:
        self._demand(call, f"{_MANAGE}delete", administrator=True)
        kind = self._found_group_type(call, type_id)
        if any(group.type_id == kind.id for group in self.groups.values()):
            words = f"Target group type is still in use. Group Type {type_id} deletion is not allowed with groups"
            raise Refused(400, f"{words} present with the type.")
        del self.group_types[type_id]
        return plain(202)

    # ------------------------------------------------------------- specs

    def _list_group_specs(self, call: Call, type_id: str) -> Reply:
        self._demand(call, f"{_MANAGE_SPECS}get_all", administrator=True)
        return json_reply(200, {"group_specs": self._found_group_type(call, type_id).specs})

    def _create_group_specs(self, call: Call, type_id: str) -> Reply:
        given = valid.checked(call, "group_specs", _SPECS)
        self._demand(call, f"{_MANAGE_SPECS}create", administrator=True)
        self._found_group_type(call, type_id).specs.update(given)
        return json_reply(202, {"group_specs": given})

    def _show_group_spec(self, call: Call, type_id: str, key: str) -> Reply:
        self._demand(call, f"{_MANAGE_SPECS}get", administrator=True)
        specs = self._found_group_type(call, type_id).specs
        if key not in specs:
            raise Refused(404, f"Group Type {type_id} has no extra spec with key {key}.")
        return json_reply(200, {key: specs[key]})

    def _update_group_spec(self, call: Call, type_id: str, key: str) -> Reply:
        given = call.json()
        wrong = valid.single(_SPECS)(given)
        if wrong:
            raise Refused(400, wrong)
        self._demand(call, f"{_MANAGE_SPECS}update", administrator=True)
        kind = self._found_group_type(call, type_id)
        if key not in given:
            raise Refused(400, "Request body and URI mismatch")
        kind.specs.update(given)
        return json_reply(200, given)

    def _delete_group_spec(self, call: Call, type_id: str, key: str) -> Reply:
        self._demand(call, f"{_MANAGE_SPECS}delete", administrator=True)
        specs = self._found_group_type(call, type_id).specs
        if key not in specs:
            raise Refused(404, f"Group Type {type_id} has no specs with key {key}.")
        del specs[key]
        return plain(202)


def _group_type_view(call: Call, kind: GroupType) -> Record:
    view: Record = {"id": kind.id, "name": kind.name, "description": kind.description, "is_public": kind.is_public}
    return {**view, "group_specs": kind.specs} if call.who.is_administrator else view
