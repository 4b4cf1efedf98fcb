"""Snapshots of groups of volumes in the in-memory Cinder (cinder/api/v3/group_snapshots.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.groups import Groups
from hyperx_glance.testing.memory.cinder.records import GroupSnapshot
from hyperx_glance.testing.memory.cinder.state import microversion, no_such_action, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_NEW = valid.fields(
    {"group_id": valid.identifier, "name": valid.string(), "description": valid.string()}, required=["group_id"]
)
_STATUSES = ("error", "available", "creating", "deleting", "deleted", "updating", "error_deleting")
_OWNED = (3, 58)


def _status(value: object) -> str | valid.Wrong | None:
    wrong = valid.string(null=False)(value)
    if wrong is None and str(value).lower() not in _STATUSES:
        words = f"Group snapshot status: {value} is invalid, valid statuses are: {_STATUSES}."
        return valid.Wrong(f"Invalid GroupSnapshot Status: {words}")
    return wrong


_RESET = valid.fields({"status": _status}, required=["status"])


class GroupSnapshots(Groups):
    """The part of Cinder that handles snapshots of groups."""

    def _list_group_snapshots(self, call: Call) -> Reply:
        brief = [{"id": each.id, "name": each.name} for each in self._own_group_snapshots(call)]
        return json_reply(200, {"group_snapshots": brief})

    def _list_group_snapshot_details(self, call: Call) -> Reply:
        shown = [_view(call, each) for each in self._own_group_snapshots(call)]
        return json_reply(200, {"group_snapshots": shown})

    def _own_group_snapshots(self, call: Call) -> list[GroupSnapshot]:
        everybody = call.who.is_administrator and "all_tenants" in dict(call.query)
        found = [
            each
            for each in self.group_snapshots.values()
            if (everybody or each.project_id == call.who.project_id)
            and call.value("name", each.name or "") == (each.name or "")
            and call.value("status", each.status) == each.status
            and call.value("group_id", each.group_id) == each.group_id
        ]
        return self._newest(call, found, "GroupSnapshot")

    def _found_group_snapshot(self, call: Call, snapshot_id: str) -> GroupSnapshot:
        found = self.group_snapshots.get(snapshot_id)
        if found is None or not (call.who.is_administrator or found.project_id == call.who.project_id):
            raise Refused(404, f"GroupSnapshot {snapshot_id} could not be found.")
        return found

    def _show_group_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        return json_reply(200, {"group_snapshot": _view(call, self._found_group_snapshot(call, snapshot_id))})

    def _create_group_snapshot(self, call: Call) -> Reply:
        asked = valid.checked(call, "group_snapshot", _NEW)
        group = self._found_group(call, asked["group_id"])
        self._demand(call, "group:create_group_snapshot")
        whole = GroupSnapshot(str(self.ids.uuid4()), call.who.project_id, group.id, group.type_id)
        whole.name, whole.description, whole.created_at = asked.get("name"), asked.get("description"), self.now()
        for volume in self._members(group):
            part = self.snap(call.who, volume, whole.name, whole.description)
            part.group_snapshot_id = whole.id
        self.group_snapshots[whole.id] = whole
        brief = {"id": whole.id, "name": whole.name, "group_type_id": whole.type_id}
        return json_reply(202, {"group_snapshot": brief})

    def _delete_group_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        whole = self._found_group_snapshot(call, snapshot_id)
        self._demand(call, "group:delete_group_snapshot")
        if whole.status not in ("available", "error"):
            words = "GroupSnapshot status must be available or error, and no Group can be currently using it as source"
            raise Refused(400, f"Invalid GroupSnapshot: {words} for its creation.")
        for part in [each for each in self.snapshots.values() if each.group_snapshot_id == whole.id]:
            del self.snapshots[part.id]
        del self.group_snapshots[snapshot_id]
        return plain(202)

    def _act_on_group_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or "reset_status" not in body:
            raise no_such_action(body)
        status = valid.checked(call, "reset_status", _RESET)["status"].lower()
        whole = self._found_group_snapshot(call, snapshot_id)
        self._demand(call, "group:reset_group_snapshot_status", administrator=True)
        whole.status = status
        return plain(202)


def _view(call: Call, whole: GroupSnapshot) -> Record:
    view: Record = {
        "id": whole.id,
        "group_id": whole.group_id,
        "group_type_id": whole.type_id,
        "status": whole.status,
        "created_at": microseconds(whole.created_at),
        "name": whole.name,
        "description": whole.description,
    }
    own = microversion(call) >= _OWNED and call.who.is_administrator
    return {**view, "project_id": whole.project_id} if own else view
