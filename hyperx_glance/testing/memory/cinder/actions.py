"""Actions on volumes of the in-memory Cinder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Volume
from hyperx_glance.testing.memory.cinder.state import State, no_such_action, no_type, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_RESERVED = ("os_glance", "img_signature", "signature_verified")
"""Properties that begin with these are never passed on (cinder/image/image_utils.py, GLANCE_RESERVED_NAMESPACES)."""
_STATUSES: Final = (
    *("creating", "available", "deleting", "error", "error_deleting", "error_managing", "managing", "attaching"),
    *("in-use", "detaching", "maintenance", "restoring-backup", "error_restoring", "reserved", "awaiting-transfer"),
    *("backing-up", "error_backing-up", "error_extending", "downloading", "uploading", "retyping", "extending"),
)


def _reset(value: object) -> str | valid.Wrong | None:
    """Check the new status of a volume."""
    if isinstance(value, dict):
        if not any(value.get(key) for key in ("status", "attach_status", "migration_status")):
            return valid.Wrong("Must specify 'status', 'attach_status' or 'migration_status' for update.")
        status = value.get("status")
        if isinstance(status, str) and status.lower() not in _STATUSES:
            return valid.Wrong(f"Volume status: {status} is invalid, valid statuses are: {_STATUSES}.")
    states = ("status", "attach_status", "migration_status")
    return valid.fields(dict.fromkeys(states, valid.string()))(value)


def _attachment(value: object) -> str | valid.Wrong | None:
    """Check where a volume is to be attached."""
    keys = {
        "instance_uuid": valid.identifier,
        "mountpoint": valid.string(shortest=1, null=False),
        "host_name": valid.string(null=False),
        "mode": valid.string(null=False),
    }
    return valid.fields(keys, required=["mountpoint"], one_of=["instance_uuid", "host_name"])(value)


class _Action(NamedTuple):
    """The check of an action's body, its policy, and whether it is for administrators."""

    check: valid.Check
    policy: str
    administrator: bool = False


_KEY = valid.fields({"key": valid.string(shortest=1, null=False)}, required=["key"])
_ACTIONS: Final[Mapping[str, _Action]] = {
    "os-extend": _Action(valid.fields({"new_size": valid.size}, required=["new_size"]), "volume:extend"),
    "os-reset_status": _Action(_reset, "volume_extension:volume_admin_actions:reset_status", administrator=True),
    "os-force_delete": _Action(
        valid.anything, "volume_extension:volume_admin_actions:force_delete", administrator=True
    ),
    "os-update_readonly_flag": _Action(
        valid.fields({"readonly": valid.flag}, required=["readonly"]), "volume:update_readonly_flag"
    ),
    "os-set_bootable": _Action(
        valid.fields({"bootable": valid.flag}, required=["bootable"]), "volume_extension:volume_actions:set_bootable"
    ),
    "os-set_image_metadata": _Action(
        valid.fields({"metadata": valid.metadata()}, required=["metadata"]),
        "volume_extension:volume_image_metadata:set",
    ),
    "os-show_image_metadata": _Action(valid.anything, "volume_extension:volume_image_metadata:show"),
    "os-unset_image_metadata": _Action(_KEY, "volume_extension:volume_image_metadata:remove"),
    "os-reserve": _Action(valid.anything, "volume_extension:volume_actions:reserve"),
    "os-unreserve": _Action(valid.anything, "volume_extension:volume_actions:unreserve"),
    "os-attach": _Action(_attachment, "volume_extension:volume_actions:attach"),
    "os-detach": _Action(
        valid.fields({"attachment_id": valid.optional_identifier}), "volume_extension:volume_actions:detach"
    ),
    "os-begin_detaching": _Action(valid.anything, "volume_extension:volume_actions:begin_detaching"),
    "os-roll_detaching": _Action(valid.anything, "volume_extension:volume_actions:roll_detaching"),
    "os-retype": _Action(
        valid.fields({"new_type": valid.string(null=False), "migration_policy": valid.string()}, required=["new_type"]),
        "volume:retype",
    ),
    "revert": _Action(valid.fields({"snapshot_id": valid.optional_identifier}), "volume:revert_to_snapshot"),
    "os-volume_upload_image": _Action(
        valid.fields({"image_name": valid.string(shortest=1, null=False)}, required=["image_name"], closed=False),
        "volume_extension:volume_actions:upload_image",
    ),
}


class Actions(State):
    """The part of Cinder that acts on volumes."""

    def _act(self, call: Call, volume_id: str) -> Reply:
        body = call.json()
        name = next((key for key in body if key in _ACTIONS), None) if isinstance(body, dict) else None
        if name is None:
            raise no_such_action(body)
        action = _ACTIONS[name]
        asked = valid.checked(call, name, action.check)
        volume = self._found(call, volume_id)
        self._demand(call, action.policy, administrator=action.administrator)
        handlers: Mapping[str, Callable[[Call, Volume, Record], Reply]] = {
            "os-extend": self._extend,
            "os-reset_status": self._reset_status,
            "os-force_delete": self._force_delete,
            "os-update_readonly_flag": self._set_read_only,
            "os-set_bootable": self._set_bootable,
            "os-set_image_metadata": self._set_image_metadata,
            "os-show_image_metadata": self._show_image_metadata,
            "os-unset_image_metadata": self._unset_image_metadata,
            "os-reserve": self._reserve,
            "os-unreserve": self._unreserve,
            "os-attach": self._attach,
            "os-detach": self._detach,
            "os-begin_detaching": self._begin_detaching,
            "os-roll_detaching": self._roll_detaching,
            "os-retype": self._retype,
            "revert": self._revert,
            "os-volume_upload_image": self._upload,
        }
        return handlers[name](call, volume, asked)

    def _extend(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        size = int(asked["new_size"])
        if size <= volume.size:
            words = "New size for extend must be greater than current size."
            words += f" (current: {volume.size}, extended: {size})."
            raise Refused(400, f"Invalid input received: {words}")
        if volume.status != "available":
            words = f"Volume {volume.id} status must be '{{'status': 'available'}}' to extend, "
            raise Refused(400, f"Invalid volume: {words}currently {volume.status}.")
        self._check_quota(volume.project_id, volume.volume_type, gigabytes=size - volume.size)
        volume.size, volume.updated_at = size, self.now()
        return Reply(202)

    def _reset_status(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        if asked.get("status"):
            volume.status = asked["status"].lower()
        return Reply(202)

    def _force_delete(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        del self.volumes[volume.id]
        for snapshot in self.snapshots_of(volume):
            del self.snapshots[snapshot.id]
        return Reply(202)

    def _set_read_only(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        volume.visible["readonly"] = str(valid.is_true(asked["readonly"]))
        return Reply(202)

    def _set_bootable(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        volume.bootable = valid.is_true(asked["bootable"])
        return Reply(200)

    def _set_image_metadata(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        if volume.status in ("maintenance", "uploading"):
            message = f"Updating volume metadata is not allowed for volumes in {volume.status} status."
            raise Refused(400, f"Invalid volume: {message}")
        volume.image_metadata.update(asked["metadata"])
        return json_reply(200, {"metadata": volume.image_metadata})

    def _show_image_metadata(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        return json_reply(200, {"metadata": volume.image_metadata})

    def _unset_image_metadata(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        if asked["key"] not in volume.image_metadata:
            raise Refused(404, f"Glance metadata for volume/snapshot {volume.id} cannot be found.")
        del volume.image_metadata[asked["key"]]
        return plain(200)

    def _reserve(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        if volume.status != "available":
            raise Refused(
                400, f"Invalid volume: Volume status must be available to reserve, but the status is {volume.status}."
            )
        volume.status = "attaching"
        return Reply(202)

    def _unreserve(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        if volume.status == "attaching":
            volume.status = "available"
        return Reply(202)

    def _attach(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        if volume.status not in ("available", "attaching"):
            words = f"Invalid volume: Volume status must be available or attaching, but it is {volume.status}."
            raise Refused(400, words)
        volume.status, volume.server_id = "in-use", asked.get("instance_uuid")
        volume.device, volume.host_name = asked["mountpoint"], asked.get("host_name")
        volume.attached_at, volume.visible["attached_mode"] = self.now(), asked.get("mode", "rw")
        return Reply(202)

    def _detach(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        volume.status, volume.server_id, volume.host_name, volume.device = "available", None, None, ""
        self.attachments.pop(volume.attachment_id or "", None)
        volume.attachment_id = None
        volume.visible.pop("attached_mode", None)
        return Reply(202)

    def _begin_detaching(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        if volume.status != "in-use":
            words = "Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached'"
            raise Refused(400, f"Invalid volume: {words} to detach.")
        volume.status = "detaching"
        return Reply(202)

    def _roll_detaching(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call, asked
        if volume.status == "detaching":
            volume.status = "in-use"
        return Reply(202)

    def _retype(self, call: Call, volume: Volume, asked: Record) -> Reply:
        kind = self.type_called(asked["new_type"])
        if kind is None or not (kind.is_public or call.who.is_administrator or call.who.project_id in kind.projects):
            raise Refused(404, no_type(asked["new_type"]))
        if volume.status != "available":
            raise Refused(400, f"Invalid volume: Volume {volume.id} status must be available or in-use.")
        self._check_quota(volume.project_id, kind.name)
        volume.volume_type = kind.name
        return Reply(202)

    def _revert(self, call: Call, volume: Volume, asked: Record) -> Reply:
        del call
        snapshots = self.snapshots_of(volume)
        if not snapshots:
            raise Refused(400, f"Volume {volume.id} doesn't have any snapshots.")
        if asked.get("snapshot_id") != snapshots[-1].id:
            words = f"Specified snapshot {asked.get('snapshot_id')} is None or not the latest one of volume"
            raise Refused(400, f"{words} {volume.id}.")
        if volume.size != snapshots[-1].size:
            words = f"Can't revert volume {volume.id} to its latest snapshot {snapshots[-1].id}."
            raise Refused(400, f"{words} The volume size must be equal to the snapshot size.")
        return Reply(202)

    def _upload(self, call: Call, volume: Volume, asked: Record) -> Reply:
        """Make a record of the volume, and begin to fill it (cinder/volume/api.py, copy_volume_to_image)."""
        if volume.status != "available":
            raise Refused(400, f"Invalid volume: Volume {volume.id} status must be available")
        core = {"container_format": asked.get("container_format", "bare"), "name": asked["image_name"]}
        core["disk_format"] = asked.get("disk_format", "raw")
        if call.headers.get("openstack-api-version", "volume 3.0") != "volume 3.0":
            core |= {"visibility": asked.get("visibility", "private"), "protected": False}
        dropped = {*self.glance_core_properties.split(","), *core}
        kept = {
            key: value
            for key, value in volume.image_metadata.items()
            if key not in dropped and not key.startswith(_RESERVED)
        }
        try:
            image = self._glance.make(call.who, {**kept, **core})
        except Refused as refused:
            raise Refused(400, f"{refused.status}: {refused.message or refused.detail}") from refused
        volume.status, volume.upload_id, volume.reads_left = "uploading", image.id, self.copy_polls
        answer = {"id": volume.id, "status": "uploading", "size": volume.size, "image_id": image.id}
        answer |= {"container_format": core["container_format"], "disk_format": core["disk_format"]}
        answer |= {"image_name": core["name"], "display_description": None, "volume_type": volume.volume_type}
        return json_reply(202, {"os-volume_upload_image": answer})
