"""Types of volumes in the in-memory Cinder, their extra specs, and who may use those that are not public."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.default_types import DefaultTypes
from hyperx_glance.testing.memory.cinder.records import DEFAULT_TYPE, VolumeType, type_view
from hyperx_glance.testing.memory.cinder.state import OF_TYPES, asked_public, no_such_action, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_NEW = valid.fields(
    {
        "name": valid.name,
        "description": valid.string(),
        "extra_specs": valid.metadata(null_values=True),
        "os-volume-type-access:is_public": valid.flag,
    },
    required=["name"],
)
_CHANGE = valid.fields({"name": valid.string(shortest=1), "description": valid.string(), "is_public": valid.flag})
_SPECS = valid.metadata(null_values=True, keys=valid.SPECS_KEY)
_ACCESS = valid.fields({"project": valid.string(shortest=1, null=False)}, required=["project"])
_MANAGE = "volume_extension:type_"


def _extended(call: Call, kind: VolumeType) -> Record:
    """Show a type with what an extension adds."""
    view = type_view(kind, whole=call.who.is_administrator)
    return {**view, "os-volume-type-access:is_public": kind.is_public}


def _written(kind: VolumeType) -> Record:
    """Show a type in the answers to its creation and change."""
    return {key: value for key, value in type_view(kind, whole=True).items() if key != "qos_specs_id"}


class Types(DefaultTypes):
    """The part of Cinder that handles types of volumes."""

    def _list_types(self, call: Call) -> Reply:
        shown = [kind for kind in self.volume_types.values() if self._may_use(call, kind)]
        public = asked_public(call) if call.who.is_administrator else None
        if public is not None:
            shown = [kind for kind in shown if kind.is_public == public]
        return json_reply(200, {"volume_types": [_extended(call, kind) for kind in shown]})

    def _show_type(self, call: Call, wanted: str) -> Reply:
        kind = self.default_of(call.who.project_id) if wanted == "default" else self._found_type(wanted)
        if not self._may_use(call, kind):
            raise Refused(404, f"Volume type {wanted} could not be found.")
        view = type_view(kind, whole=call.who.is_administrator)
        return json_reply(200, {"volume_type": view if wanted == "default" else _extended(call, kind)})

    def _may_use(self, call: Call, kind: VolumeType) -> bool:
        return kind.is_public or call.who.is_administrator or call.who.project_id in kind.projects

    def _found_type(self, type_id: str) -> VolumeType:
        if type_id not in self.volume_types:
            raise Refused(404, f"Volume type {type_id} could not be found.")
        return self.volume_types[type_id]

    def _create_type(self, call: Call) -> Reply:
        asked = valid.checked(call, "volume_type", _NEW)
        self._demand(call, f"{_MANAGE}create", administrator=True)
        self._check_name(asked["name"].strip())
        kind = VolumeType(str(self.ids.uuid4()), asked["name"].strip(), asked.get("description"))
        kind.extra_specs = dict(asked.get("extra_specs") or {})
        kind.is_public = valid.is_true(asked.get("os-volume-type-access:is_public", True))
        self.volume_types[kind.id] = kind
        access = {"os-volume-type-access:is_public": kind.is_public}
        return json_reply(200, {"volume_type": _written(kind) | access})

    def _check_name(self, name: str) -> None:
        if any(kind.name == name for kind in self.volume_types.values()):
            raise Refused(409, f"Volume Type {name} already exists.")

    def _update_type(self, call: Call, type_id: str) -> Reply:
        asked = valid.checked(call, "volume_type", _CHANGE)
        self._demand(call, f"{_MANAGE}update", administrator=True)
        if all(asked.get(key) is None for key in ("name", "description", "is_public")):
            raise Refused(400, "Specify volume type name, description, is_public or a combination thereof.")
        kind = self._found_type(type_id)
        name = (asked.get("name") or kind.name).strip()
        if not name:
            raise Refused(400, "Volume type name can not be empty.")
        if name != kind.name:
            self._check_name(name)
            self._rename(kind, name)
        kind.description = asked.get("description", kind.description)
        if asked.get("is_public") is not None:
            kind.is_public = valid.is_true(asked["is_public"])
        return json_reply(200, {"volume_type": _written(kind)})

    def _rename(self, kind: VolumeType, name: str) -> None:
        """Rename a type, its volumes' type and the limits that are named after it."""
        for volume in self.volumes.values():
            if volume.volume_type == kind.name:
                volume.volume_type = name
        for limits in self.quotas.values():
            for key in OF_TYPES:
                if f"{key}_{kind.name}" in limits:
                    limits[f"{key}_{name}"] = limits.pop(f"{key}_{kind.name}")
        kind.name = name

    def _delete_type(self, call: Call, type_id: str) -> Reply:
        self._demand(call, f"{_MANAGE}delete", administrator=True)
        kind = self._found_type(type_id)
        if kind.name == DEFAULT_TYPE or kind.id in self.default_types.values():
            words = f"The volume type {kind.id} is a default volume type and cannot be deleted."
            raise Refused(400, words)
        if any(volume.volume_type == kind.name for volume in self.volumes.values()):
            raise Refused(400, "Target volume type is still in use.")
        del self.volume_types[type_id]
        return plain(202)

    # ------------------------------------------------------------- extra specs

    def _list_specs(self, call: Call, type_id: str) -> Reply:
        kind = self._found_type(type_id)
        return json_reply(200, {"extra_specs": type_view(kind, whole=call.who.is_administrator)["extra_specs"]})

    def _create_specs(self, call: Call, type_id: str) -> Reply:
        given = valid.checked(call, "extra_specs", _SPECS)
        self._demand(call, "volume_extension:types_extra_specs:create", administrator=True)
        self._found_type(type_id).extra_specs.update(given)
        return json_reply(200, {"extra_specs": given})

    def _show_spec(self, call: Call, type_id: str, key: str) -> Reply:
        kind = self._found_type(type_id)
        specs = type_view(kind, whole=call.who.is_administrator)["extra_specs"]
        if key not in specs:
            raise Refused(404, f"Volume Type {type_id} has no extra specs with key {key}.")
        return json_reply(200, {key: specs[key]})

    def _update_spec(self, call: Call, type_id: str, key: str) -> Reply:
        wrong = valid.single(_SPECS)(call.json())
        if wrong:
            raise Refused(400, wrong)
        self._demand(call, "volume_extension:types_extra_specs:update", administrator=True)
        kind, given = self._found_type(type_id), call.json()
        if key not in given:
            raise Refused(400, "Request body and URI mismatch")
        kind.extra_specs.update(given)
        return json_reply(200, given)

    def _delete_spec(self, call: Call, type_id: str, key: str) -> Reply:
        self._demand(call, "volume_extension:types_extra_specs:delete", administrator=True)
        kind = self._found_type(type_id)
        if key not in kind.extra_specs:
            raise Refused(404, f"Volume Type {type_id} has no extra specs with key {key}.")
        del kind.extra_specs[key]
        return Reply(202)

    # ------------------------------------------------------------- access

    def _list_access(self, call: Call, type_id: str) -> Reply:
        self._demand(call, "volume_extension:volume_type_access:get_all_for_type", administrator=True)
        kind = self._found_type(type_id)
        if kind.is_public:
            raise Refused(404, "Access list not available for public volume types.")
        access = [{"volume_type_id": kind.id, "project_id": project_id} for project_id in kind.projects]
        return json_reply(200, {"volume_type_access": access})

    def _act_on_type(self, call: Call, type_id: str) -> Reply:
        body = call.json()
        action = next((key for key in ("addProjectAccess", "removeProjectAccess") if key in body), "")
        if not action:
            raise no_such_action(body)
        project_id = valid.checked(call, action, _ACCESS)["project"]
        self._demand(call, f"volume_extension:volume_type_access:{action}", administrator=True)
        kind = self._found_type(type_id)
        combination = f"{kind.id} / {project_id} combination"
        if action == "addProjectAccess":
            if project_id in kind.projects:
                raise Refused(409, f"Volume type access for {combination} already exists.")
            kind.projects.append(project_id)
        else:
            if project_id not in kind.projects:
                raise Refused(404, f"Volume type access not found for {combination}.")
            kind.projects.remove(project_id)
        return plain(202)
