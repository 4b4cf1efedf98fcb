"""Attachments of volumes in the in-memory Cinder: reserved, connected to a host, and completed.

Nova's own attachments are read from the volumes (cinder/api/v3/attachments.py, cinder/volume/api.py).
"""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Attachment, Volume
from hyperx_glance.testing.memory.cinder.state import State, microversion, no_such_action
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_KEYS = {
    "instance_uuid": valid.identifier,
    "connector": valid.mapping(null=True),
    "volume_uuid": valid.identifier,
}
_NEW = valid.fields(_KEYS, required=["volume_uuid"])
_NEW_WITH_MODE = valid.fields({**_KEYS, "mode": valid.one_of("rw", "ro")}, required=["volume_uuid"])
_CHANGE = valid.fields({"connector": valid.mapping(shortest=1)}, required=["connector"])
_MODES, _COMPLETION = (3, 54), (3, 44)


class Attachments(State):
    """The part of Cinder that handles attachments."""

    def _known_attachments(self) -> list[Attachment]:
        """Return those that requests made, and Nova's, the newest first."""
        made = [each for each in self.attachments.values() if each.volume_id in self.volumes]
        found = {each.volume_id for each in made}
        nova = [
            Attachment(volume.id, volume.id, volume.server_id, "attached", "rw", attached_at=volume.attached_at)
            for volume in self.volumes.values()
            if volume.server_id and volume.id not in found
        ]
        return [*reversed(nova), *reversed(made)]

    def _own_attachments(self, call: Call) -> list[Attachment]:
        everybody = call.who.is_administrator and "all_tenants" in dict(call.query)
        return [
            each
            for each in self._known_attachments()
            if (everybody or self.volumes[each.volume_id].project_id == call.who.project_id)
            and call.value("volume_id", each.volume_id) == each.volume_id
            and call.value("instance_id", each.instance_id or "") == (each.instance_id or "")
            and call.value("status", each.status) == each.status
            and call.value("attach_status", each.status) == each.status
        ]

    def _found_attachment(self, call: Call, attachment_id: str) -> Attachment:
        """Return an attachment of the caller's project.

        Cinder itself finds foreign ones, too, for a project that has ever had a volume: its query joins no table
        (cinder/db/api.py, model_query).
        """
        for each in self._known_attachments():
            own = self.volumes[each.volume_id].project_id == call.who.project_id
            if each.id == attachment_id and (own or call.who.is_administrator):
                return each
        words = f"Volume attachment could not be found with filter: attachment_id = {attachment_id}."
        raise Refused(404, words)

    def _list_attachments(self, call: Call) -> Reply:
        return json_reply(200, {"attachments": [_summary(each) for each in self._own_attachments(call)]})

    def _list_attachment_details(self, call: Call) -> Reply:
        return json_reply(200, {"attachments": [_view(each) for each in self._own_attachments(call)]})

    def _show_attachment(self, call: Call, attachment_id: str) -> Reply:
        return json_reply(200, {"attachment": _view(self._found_attachment(call, attachment_id))})

    def _create_attachment(self, call: Call) -> Reply:
        asked = valid.checked(call, "attachment", _NEW_WITH_MODE if microversion(call) >= _MODES else _NEW)
        volume = self._found(call, asked["volume_uuid"])
        self._demand(call, "volume:attachment_create")
        server_id = asked.get("instance_uuid")
        _check_free(volume, server_id, self._known_attachments())
        volume.status = "reserved" if volume.status == "available" else volume.status
        mode = "ro" if volume.visible.get("readonly") == "True" else asked.get("mode", "null")
        attachment = Attachment(str(self.ids.uuid4()), volume.id, server_id, "reserved", mode)
        self.attachments[attachment.id] = attachment
        answer = _view(attachment)  # as it was before it was connected
        if asked.get("connector"):
            self._connect(attachment, volume, asked["connector"])
            answer["connection_info"] = _connection(attachment)
        return json_reply(200, {"attachment": answer})

    def _connect(self, attachment: Attachment, volume: Volume, connector: Record) -> None:
        mode = attachment.mode if attachment.mode != "null" else str(connector.get("mode", "rw"))
        attachment.status, attachment.mode, attachment.attached_at = "attaching", mode, self.now()
        attachment.host, attachment.device = connector.get("host", ""), connector.get("mountpoint", "na")
        volume.status = "attaching"

    def _update_attachment(self, call: Call, attachment_id: str) -> Reply:
        connector = valid.checked(call, "attachment", _CHANGE)["connector"]
        attachment = self._found_attachment(call, attachment_id)
        self._demand(call, "volume:attachment_update")
        before = _view(attachment)
        self._connect(attachment, self.volumes[attachment.volume_id], connector)
        return json_reply(200, {"attachment": {**before, "connection_info": _connection(attachment)}})

    def _act_on_attachment(self, call: Call, attachment_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or "os-complete" not in body:
            raise no_such_action(body)
        if microversion(call) < _COMPLETION:
            raise Refused(404, "The resource could not be found.")
        attachment = self._found_attachment(call, attachment_id)
        self._demand(call, "volume:attachment_complete")
        volume = self.volumes[attachment.volume_id]
        attachment.status = "attached"
        volume.status, volume.server_id, volume.device = "in-use", attachment.instance_id, attachment.device
        volume.host_name = None if attachment.instance_id else attachment.host
        volume.attached_at, volume.attachment_id = attachment.attached_at, attachment.id
        return Reply(204)

    def _delete_attachment(self, call: Call, attachment_id: str) -> Reply:
        attachment = self._found_attachment(call, attachment_id)
        self._demand(call, "volume:attachment_delete")
        if attachment.id not in self.attachments:
            words = f"Detach volume from instance {attachment.instance_id} using the Compute API"
            raise Refused(409, words)
        del self.attachments[attachment.id]
        volume = self.volumes[attachment.volume_id]
        left = [each for each in self._known_attachments() if each.volume_id == volume.id and each.id != volume.id]
        if not left:
            volume.status, volume.server_id, volume.host_name, volume.device = "available", None, None, ""
            volume.attachment_id = None
        return json_reply(200, {"attachments": [_summary(each) for each in left]})


def _check_free(volume: Volume, server_id: str | None, attachments: list[Attachment]) -> None:
    """Refuse to reserve a volume that has an attachment, unless it is for the same server, which then moves."""
    if "error" in volume.status:
        words = "Volume attachments can not be created if the volume is in an error state. The Volume"
        raise Refused(400, f"Invalid volume: {words} {volume.id} currently has a status of: {volume.status} ")
    if volume.status in ("available", "downloading"):
        return
    same = [each for each in attachments if each.volume_id == volume.id and each.instance_id == server_id]
    if not (server_id and same and volume.status in ("in-use", "reserved")):
        words = f"Volume {volume.id} status must be available or downloading to reserve,"
        raise Refused(400, f"Invalid volume: {words} but the current status is {volume.status}.")


def _summary(attachment: Attachment) -> Record:
    return {
        "id": attachment.id,
        "status": attachment.status,
        "instance": attachment.instance_id,
        "volume_id": attachment.volume_id,
    }


def _view(attachment: Attachment) -> Record:
    connected = attachment.status != "reserved"
    return {
        **_summary(attachment),
        "attached_at": microseconds(attachment.attached_at) if attachment.attached_at else "",
        "detached_at": "",
        "attach_mode": attachment.mode,
        "connection_info": _connection(attachment) if connected else {},
    }


def _connection(attachment: Attachment) -> Record:
    """Return what a host needs to reach the volume: the local cloud's volumes are files."""
    return {
        "driver_volume_type": "gpfs",
        "device_path": f"/cinder/volumes/{attachment.volume_id}",
        "qos_specs": None,
        "access_mode": "rw",
        "encrypted": False,
        "cacheable": False,
        "enforce_multipath": False,
        "attachment_id": attachment.id,
    }
