"""Transfers of volumes between projects in the in-memory Cinder."""

from __future__ import annotations

import secrets
import uuid

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Transfer
from hyperx_glance.testing.memory.cinder.state import State, microversion, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_KEY_BYTES = 8
_NEW = valid.fields(
    {"volume_id": valid.identifier, "name": valid.string(), "no_snapshots": valid.flag}, required=["volume_id"]
)


def _key(value: object) -> str | None:
    return None if isinstance(value, str | int) else f"{value!r} is not of type 'string', 'integer'"


_ANSWER = valid.fields({"auth_key": _key}, required=["auth_key"])


class Transfers(State):
    """The part of Cinder that handles transfers, old and new: the paths differ, and the answers do not."""

    def _list_transfers(self, call: Call) -> Reply:
        return json_reply(200, {"transfers": [self._summary(call, each) for each in self._seen(call)]})

    def _list_transfer_details(self, call: Call) -> Reply:
        return json_reply(200, {"transfers": [self._detail(call, each) for each in self._seen(call)]})

    def _seen(self, call: Call) -> list[Transfer]:
        """Return the offers of the caller's project."""
        found = []
        for transfer in self.transfers.values():
            volume = self.volumes.get(transfer.volume_id)
            if volume is not None and (volume.project_id == call.who.project_id or call.who.is_administrator):
                found.append(transfer)
        return found

    def _own(self, call: Call, transfer_id: str) -> Transfer:
        for transfer in self._seen(call):
            if transfer.id == transfer_id:
                return transfer
        raise Refused(404, f"Transfer {transfer_id} could not be found.")

    def _create_transfer(self, call: Call) -> Reply:
        asked = valid.checked(call, "transfer", _NEW)
        volume = self._found(call, asked["volume_id"])
        self._demand(call, "volume:create_transfer")
        if volume.status != "available":
            raise Refused(400, "Invalid volume: status must be available")
        transfer = Transfer(str(uuid.uuid4()), volume.id, secrets.token_hex(_KEY_BYTES), asked.get("name"))
        transfer.created_at = self.now()
        self.transfers[transfer.id] = transfer
        volume.status = "awaiting-transfer"
        return json_reply(202, {"transfer": {**self._detail(call, transfer), "auth_key": transfer.auth_key}})

    def _show_transfer(self, call: Call, transfer_id: str) -> Reply:
        return json_reply(200, {"transfer": self._detail(call, self._own(call, transfer_id))})

    def _delete_transfer(self, call: Call, transfer_id: str) -> Reply:
        transfer = self._own(call, transfer_id)
        self._demand(call, "volume:delete_transfer")
        del self.transfers[transfer_id]
        self.volumes[transfer.volume_id].status = "available"
        return plain(202)

    def _accept_transfer(self, call: Call, transfer_id: str) -> Reply:
        asked = valid.checked(call, "accept", _ANSWER)
        transfer = self.transfers.get(transfer_id)
        if transfer is None:
            raise Refused(404, f"Transfer {transfer_id} could not be found.")
        self._demand(call, "volume:accept_transfer")
        if str(asked["auth_key"]) != transfer.auth_key:
            words = f"Attempt to transfer {transfer_id} with invalid auth key."
            raise Refused(400, f"Invalid auth key: {words}")
        volume = self.volumes[transfer.volume_id]
        self._check_quota(call.who.project_id, volume.volume_type, gigabytes=volume.size, volumes=1)
        volume.project_id, volume.user_id = call.who.project_id, call.who.user_id
        for snapshot in self.snapshots_of(volume):
            snapshot.project_id, snapshot.user_id = call.who.project_id, call.who.user_id
        volume.status = "available"
        del self.transfers[transfer_id]
        return json_reply(202, {"transfer": self._summary(call, transfer)})

    def _summary(self, call: Call, transfer: Transfer) -> Record:
        links = self._links(call, "os-volume-transfer", transfer.id)
        return {"id": transfer.id, "volume_id": transfer.volume_id, "name": transfer.name, "links": links}

    def _detail(self, call: Call, transfer: Transfer) -> Record:
        more = {"no_snapshots": False} if microversion(call) >= (3, 55) else {}
        return {**self._summary(call, transfer), "created_at": microseconds(transfer.created_at), **more}
