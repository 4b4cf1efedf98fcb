"""Snapshots of volumes in the in-memory Cinder."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Snapshot, snapshot_view
from hyperx_glance.testing.memory.cinder.state import State, microversion, no_such_action, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_STATUSES = (
    "error",
    "available",
    "creating",
    "deleting",
    "deleted",
    "updating",
    "error_deleting",
    "unmanaging",
    "backing-up",
    "restoring",
)
_TITLES = {
    "name": valid.string(),
    "display_name": valid.string(),
    "description": valid.string(),
}
_NEW = valid.fields(
    {**_TITLES, "volume_id": valid.optional_identifier, "force": valid.flag, "metadata": valid.metadata(null=True)},
    required=["volume_id"],
)
_CHANGED = {**_TITLES, "display_description": valid.string()}
_CHANGE = valid.fields(_CHANGED, one_of=_CHANGED)
_GROUPS = (3, 14)
"""The microversion since which snapshots are parts of those of groups."""


class Snapshots(State):
    """The part of Cinder that handles snapshots."""

    def _list_snapshots(self, call: Call) -> Reply:
        page, links = self._snapshots_page(call)
        summary = [_summary(each) for each in page]
        return json_reply(200, {"snapshots": summary, **links})

    def _list_snapshot_details(self, call: Call) -> Reply:
        page, links = self._snapshots_page(call)
        body: Record = {"snapshots": [_detail(call, each) for each in page]}
        return json_reply(200, body | links)

    def _snapshots_page(self, call: Call) -> tuple[list[Snapshot], Record]:
        volume_id = call.value("volume_id")
        return self._page(call, self.snapshots, "Snapshot", lambda each: volume_id in ("", each.volume_id))

    def _create_snapshot(self, call: Call) -> Reply:
        asked = valid.checked(call, "snapshot", _NEW)
        volume = self._found(call, str(asked["volume_id"]))
        self._demand(call, "volume:create_snapshot")
        if volume.status == "error":
            raise Refused(400, "Invalid volume: The snapshot cannot be created when the volume is in error status.")
        allowed = ("available", "in-use") if valid.is_true(asked.get("force")) else ("available",)
        if volume.status not in allowed:
            words = f"Volume {volume.id} status must be {', '.join(allowed)}, but current status is: {volume.status}."
            raise Refused(400, f"Invalid volume: {words}")
        name = asked.get("name", asked.get("display_name"))
        snapshot = self.snap(call.who, volume, name, asked.get("description"))
        snapshot.metadata = dict(asked.get("metadata") or {})
        return json_reply(202, {"snapshot": {**_summary(snapshot), "status": "creating", "updated_at": None}})

    def _show_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        return json_reply(200, {"snapshot": _detail(call, self._found_snapshot(call, snapshot_id))})

    def _update_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        asked = valid.checked(call, "snapshot", _CHANGE)
        snapshot = self._found_snapshot(call, snapshot_id)
        self._demand(call, "volume:update_snapshot")
        for key in ("name", "description"):
            given = asked.get(key, asked.get(f"display_{key}", ...))
            if given is not ...:
                setattr(snapshot, key, given)
        snapshot.updated_at = self.now()
        return json_reply(200, {"snapshot": _summary(snapshot)})

    def _delete_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        snapshot = self._found_snapshot(call, snapshot_id)
        self._demand(call, "volume:delete_snapshot")
        if snapshot.status not in ("available", "error") or snapshot.group_snapshot_id:
            words = "Snapshot status must be available or error and must not be part of a group."
            raise Refused(400, f"Invalid snapshot: {words}")
        del self.snapshots[snapshot_id]
        return plain(202)

    def _act_on_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        body = call.json()
        if "os-force_delete" in body:
            self._demand(call, "volume_extension:snapshot_admin_actions:force_delete", administrator=True)
            self._found_snapshot(call, snapshot_id)
            del self.snapshots[snapshot_id]
            return Reply(202)
        if "os-reset_status" not in body:
            raise no_such_action(body)
        asked = valid.checked(call, "os-reset_status", valid.fields({"status": _status}, required=["status"]))
        snapshot = self._found_snapshot(call, snapshot_id)
        self._demand(call, "volume_extension:snapshot_admin_actions:reset_status", administrator=True)
        snapshot.status = asked["status"].lower()
        return Reply(202)


def _status(value: object) -> str | valid.Wrong | None:
    if isinstance(value, str) and value.lower() in _STATUSES:
        return None
    return valid.Wrong(f"Snapshot status: {value} is invalid, valid statuses are: {_STATUSES}.")


def _summary(snapshot: Snapshot) -> Record:
    return snapshot_view(snapshot)


def _detail(call: Call, snapshot: Snapshot) -> Record:
    grouped = {"group_snapshot_id": snapshot.group_snapshot_id} if microversion(call) >= _GROUPS else {}
    return {
        **snapshot_view(snapshot),
        **grouped,
        "os-extended-snapshot-attributes:project_id": snapshot.project_id,
        "os-extended-snapshot-attributes:progress": "100%",
    }
