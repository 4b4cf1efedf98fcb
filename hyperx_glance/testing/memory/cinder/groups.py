"""Groups of volumes in the in-memory Cinder (cinder/api/v3/groups.py, cinder/group/api.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.group_types import GroupTypes
from hyperx_glance.testing.memory.cinder.records import Group, Volume
from hyperx_glance.testing.memory.cinder.state import microversion, no_such_action, no_type, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_STATUSES = ("error", "available", "creating", "deleting", "deleted", "updating", "error_deleting")
"""Those that an administrator may set."""
_SHOWN = ("error", "available", "creating", "deleting", "deleted", "updating", "in-use", "error_deleting")
"""Those that Cinder's words name."""
_NEW = valid.fields(
    {
        "description": valid.string(),
        "group_type": valid.string(shortest=1, null=False),
        "name": valid.string(),
        "volume_types": valid.array,
        "availability_zone": valid.string(),
    },
    required=["group_type", "volume_types"],
)
_CHANGE = valid.fields(
    dict.fromkeys(("name", "description", "add_volumes", "remove_volumes"), valid.string()),
    one_of=["name", "description", "add_volumes", "remove_volumes"],
)
_SOURCES, _LISTED, _REPLICATED, _OWNED = (3, 14), (3, 25), (3, 38), (3, 58)


def _status(value: object) -> str | valid.Wrong | None:
    wrong = valid.string(null=False)(value)
    if wrong is None and str(value).lower() not in _STATUSES:
        words = f"Group status: {value} is invalid, valid status are: {_SHOWN}."
        return valid.Wrong(f"Invalid Group Status: {words}")
    return wrong


_DELETE = valid.fields({"delete-volumes": valid.flag})
_RESET = valid.fields({"status": _status}, required=["status"])


class Groups(GroupTypes):
    """The part of Cinder that handles groups."""

    def _list_groups(self, call: Call) -> Reply:
        return json_reply(200, {"groups": [{"id": each.id, "name": each.name} for each in self._own_groups(call)]})

    def _list_group_details(self, call: Call) -> Reply:
        return json_reply(200, {"groups": [self._group_view(call, group) for group in self._own_groups(call)]})

    def _own_groups(self, call: Call) -> list[Group]:
        everybody = call.who.is_administrator and "all_tenants" in dict(call.query)
        found = [
            group
            for group in self.groups.values()
            if (everybody or group.project_id == call.who.project_id)
            and call.value("name", group.name or "") == (group.name or "")
            and call.value("status", group.status) == group.status
        ]
        return self._newest(call, found, "Group")

    def _group_view(self, call: Call, group: Group) -> Record:
        version = microversion(call)
        view: Record = {
            "id": group.id,
            "status": group.status,
            "availability_zone": "nova",
            "created_at": microseconds(group.created_at),
            "name": group.name,
            "description": group.description,
            "group_type": group.type_id,
            "volume_types": group.volume_types,
        }
        if version >= _SOURCES:
            view |= {"group_snapshot_id": None, "source_group_id": None}
        if version >= _LISTED and valid.is_true(call.value("list_volume")):
            view["volumes"] = [volume.id for volume in self._members(group)]
        if version >= _REPLICATED:
            view["replication_status"] = "disabled"
        if version >= _OWNED and call.who.is_administrator:
            view["project_id"] = group.project_id
        return view

    def _members(self, group: Group) -> list[Volume]:
        return [volume for volume in self.volumes.values() if volume.group_id == group.id]

    def _show_group(self, call: Call, group_id: str) -> Reply:
        return json_reply(200, {"group": self._group_view(call, self._found_group(call, group_id))})

    def _create_group(self, call: Call) -> Reply:
        asked = valid.checked(call, "group", _NEW)
        wanted = asked["group_type"]
        kind = self.group_types.get(wanted) or next(
            (each for each in self.group_types.values() if each.name == wanted), None
        )
        named = "with name " if no_type(wanted).startswith("Volume type with") else ""
        if kind is None and named:
            raise Refused(404, f"Group type {named}{wanted} could not be found.")
        self._demand(call, "group:create")
        types = [self.type_called(each) for each in asked["volume_types"]]
        for name, found in zip(asked["volume_types"], types, strict=True):
            if found is None:
                raise Refused(404, no_type(name))
        if kind is None:
            raise Refused(404, f"Group type {wanted} could not be found.")
        if asked.get("availability_zone", "nova") not in (None, "nova"):
            words = f"Availability zone '{asked['availability_zone']}' is invalid."
            raise Refused(400, f"Invalid input received: {words}")
        limit = self.limits_of(call.who.project_id)["groups"]
        if -1 < limit <= self.in_use(call.who.project_id)["groups"]:
            raise Refused(413, f"GroupLimitExceeded: Maximum number of groups allowed ({limit}) exceeded")
        group = Group(str(self.ids.uuid4()), call.who.project_id, kind.id, [found.id for found in types if found])
        group.name, group.description, group.created_at = asked.get("name"), asked.get("description"), self.now()
        self.groups[group.id] = group
        return json_reply(202, {"group": {"id": group.id, "name": group.name}})

    def _update_group(self, call: Call, group_id: str) -> Reply:
        asked = valid.checked(call, "group", _CHANGE)
        group = self._found_group(call, group_id)
        self._demand(call, "group:update")
        name, description = asked.get("name") or group.name, asked.get("description") or group.description
        joining = [self._joining(call, group, each) for each in _ids(asked.get("add_volumes"))]
        leaving = [self._leaving(group, each) for each in _ids(asked.get("remove_volumes"))]
        if (name, description) == (group.name, group.description) and not joining and not leaving:
            words = f"Cannot update group {group_id} because no valid name, description, add_volumes,"
            raise Refused(400, f"Invalid Group: {words} or remove_volumes were provided.")
        group.name, group.description = name, description
        for volume in joining:
            volume.group_id = group.id
        for volume in leaving:
            volume.group_id = None
        return plain(202)

    def _joining(self, call: Call, group: Group, volume_id: str) -> Volume:
        refused = f"Invalid volume: Cannot add volume {volume_id} to group {group.id} because"
        volume = self.volumes.get(volume_id)
        if volume is None or not (call.who.is_administrator or volume.project_id == call.who.project_id):
            raise Refused(400, f"{refused} volume cannot be found.")
        if volume.group_id not in (None, group.id):
            raise Refused(400, f"{refused} it is already in group {volume.group_id}.")
        if volume.project_id != group.project_id:
            raise Refused(400, f"{refused.removesuffix('because')}as they belong to different projects.")
        kind = self.type_called(volume.volume_type)
        if kind is None or kind.id not in group.volume_types:
            raise Refused(400, f"{refused} volume type {kind.id if kind else None} is not supported by the group.")
        if volume.status not in ("available", "in-use"):
            words = f"volume is in an invalid state: {volume.status}. Valid states are: ('available', 'in-use')."
            raise Refused(400, f"{refused} {words}")
        return volume

    def _leaving(self, group: Group, volume_id: str) -> Volume:
        volume = self.volumes.get(volume_id)
        if volume is None or volume.group_id != group.id:
            words = f"Cannot remove volume {volume_id} from group {group.id} because it is not in the group."
            raise Refused(400, f"Invalid volume: {words}")
        return volume

    def _act_on_group(self, call: Call, group_id: str) -> Reply:
        body = call.json()
        name = next((key for key in body if key in ("delete", "reset_status")), "") if isinstance(body, dict) else ""
        if name == "delete":
            asked = valid.checked(call, name, _DELETE)
            return self._delete_group(call, self._found_group(call, group_id), asked)
        if name == "reset_status":
            status = valid.checked(call, name, _RESET)["status"].lower()
            group = self._found_group(call, group_id)
            self._demand(call, "group:reset_status", administrator=True)
            group.status = status
            return plain(202)
        raise no_such_action(body)

    def _delete_group(self, call: Call, group: Group, asked: Record) -> Reply:
        self._demand(call, "group:delete")
        if any(snapshot.group_id == group.id for snapshot in self.group_snapshots.values()):
            raise Refused(400, "Invalid Group: Group has existing snapshots.")
        members = self._members(group)
        if members and not valid.is_true(asked.get("delete-volumes", False)):
            words = f"Group {group.id} still contains volumes. The delete-volumes flag is required to delete it."
            raise Refused(400, f"Invalid Group: {words}")
        for volume in members:
            if volume.status == "in-use":
                raise Refused(400, f"Invalid Group: Volume in group {group.id} is attached. Need to detach first.")
            if self.snapshots_of(volume):
                raise Refused(400, "Invalid Group: Volume in group still has dependent snapshots.")
        for volume in members:
            del self.volumes[volume.id]
        del self.groups[group.id]
        return plain(202)


def _ids(text: str | None) -> list[str]:
    return [each for each in (text or "").split(",") if each]
