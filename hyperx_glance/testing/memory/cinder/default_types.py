"""Default types of projects in the in-memory Cinder (cinder/api/v3/default_types.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import VolumeType
from hyperx_glance.testing.memory.cinder.state import State, no_type
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_CHOICE = valid.fields({"volume_type": valid.string(null=False)}, required=["volume_type"])


class DefaultTypes(State):
    """The part of Cinder that gives each project the type of its volumes that ask for none."""

    def default_of(self, project_id: str) -> VolumeType:
        """Return the type of a project's volumes that ask for none."""
        chosen = self.volume_types.get(self.default_types.get(project_id, ""))
        return chosen or next(iter(self.volume_types.values()))

    def _list_default_types(self, call: Call) -> Reply:
        _demand_rights(call)
        return json_reply(200, {"default_types": [_view(*pair) for pair in self.default_types.items()]})

    def _show_default_type(self, call: Call, project_id: str) -> Reply:
        self._check_project(call, project_id)
        if project_id not in self.default_types:
            raise Refused(404, f"Default type for project {project_id} not found.")
        return json_reply(200, {"default_type": _view(project_id, self.default_types[project_id])})

    def _set_default_type(self, call: Call, project_id: str) -> Reply:
        wanted = valid.checked(call, "default_type", _CHOICE)["volume_type"]
        self._check_project(call, project_id)
        kind = self.type_called(wanted)
        if kind is None:
            raise Refused(400, no_type(wanted))
        self.default_types[project_id] = kind.id
        return json_reply(200, {"default_type": _view(project_id, kind.id)})

    def _unset_default_type(self, call: Call, project_id: str) -> Reply:
        _demand_rights(call)  # a project that is gone may have a default type
        self.default_types.pop(project_id, None)
        return Reply(204)

    def _check_project(self, call: Call, project_id: str) -> None:
        _demand_rights(call)
        if project_id not in self._keystone.records["projects"]:
            raise Refused(404, f"Project with id {project_id} not found.")


def _demand_rights(call: Call) -> None:
    if not call.who.is_administrator:
        raise Refused(403, "You are not authorized to perform this operation.")


def _view(project_id: str, type_id: str) -> Record:
    return {"project_id": project_id, "volume_type_id": type_id}
