"""The encryption of types of volumes in the in-memory Cinder (cinder/api/contrib/volume_type_encryption.py)."""

from __future__ import annotations

import dataclasses

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Encryption, VolumeType
from hyperx_glance.testing.memory.cinder.state import State, plain
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_CHECKS = {
    "key_size": valid.key_size,
    "provider": valid.string(null=False),
    "control_location": valid.one_of("front-end", "back-end"),
    "cipher": valid.string(),
}
_NEW = valid.fields(_CHECKS, required=["provider", "control_location"], closed=False)
_CHANGE = valid.fields(_CHECKS, closed=False)
_POLICY = "volume_extension:volume_type_encryption:"


class Encryptions(State):
    """The part of Cinder that keeps how the volumes of a type are encrypted."""

    def _encrypted(self, type_id: str) -> VolumeType:
        if type_id not in self.volume_types:
            raise Refused(404, f"Volume type {type_id} could not be found.")
        return self.volume_types[type_id]

    def _show_encryption(self, call: Call, type_id: str) -> Reply:
        self._demand(call, f"{_POLICY}get", administrator=True)
        return json_reply(200, _view(self._encrypted(type_id)))

    def _show_encryption_item(self, call: Call, type_id: str, key: str) -> Reply:
        self._demand(call, f"{_POLICY}get", administrator=True)
        view = _view(self._encrypted(type_id))
        if key not in view:
            raise _no_encryption(type_id)
        return json_reply(200, {key: view[key]})

    def _create_encryption(self, call: Call, type_id: str) -> Reply:
        asked = _asked(call, _NEW)
        self._demand(call, f"{_POLICY}create", administrator=True)
        self._check_without_volumes(type_id, "create")
        kind = self._encrypted(type_id)
        if kind.encryption is not None:
            raise Refused(400, f"Volume type encryption for type {type_id} already exists.")
        known = {key: asked[key] for key in _CHECKS if key in asked}
        kind.encryption = Encryption(str(self.ids.uuid4()), **known, created_at=self.now())
        made = {"volume_type_id": type_id, "encryption_id": kind.encryption.id}
        return json_reply(200, {"encryption": {**asked, **made}})

    def _update_encryption(self, call: Call, type_id: str, encryption_id: str) -> Reply:
        del encryption_id
        asked = _asked(call, _CHANGE)
        self._demand(call, f"{_POLICY}update", administrator=True)
        kind = self._encrypted(type_id)
        self._check_without_volumes(type_id, "update")
        if kind.encryption is None:
            raise _no_encryption(type_id)
        known = {key: asked[key] for key in _CHECKS if key in asked}
        kind.encryption = dataclasses.replace(kind.encryption, **known, updated_at=self.now())
        return json_reply(200, {"encryption": asked})

    def _delete_encryption(self, call: Call, type_id: str, encryption_id: str) -> Reply:
        del encryption_id
        self._demand(call, f"{_POLICY}delete", administrator=True)
        self._check_without_volumes(type_id, "delete")
        kind = self.volume_types.get(type_id)
        if kind is None or kind.encryption is None:
            raise _no_encryption(type_id)
        kind.encryption = None
        return plain(202)

    def _check_without_volumes(self, type_id: str, action: str) -> None:
        kind = self.volume_types.get(type_id)
        if kind is not None and any(volume.volume_type == kind.name for volume in self.volumes.values()):
            raise Refused(400, f"Cannot {action} encryption specs. Volume type in use.")


def _asked(call: Call, check: valid.Check) -> Record:
    asked = dict(valid.checked(call, "encryption", check))
    if asked.get("key_size") is not None:
        asked["key_size"] = int(asked["key_size"])
    return asked


def _no_encryption(type_id: str) -> Refused:
    return Refused(404, f"Volume type encryption for type {type_id} does not exist.")


def _view(kind: VolumeType) -> Record:
    found = kind.encryption
    if found is None:
        return {}
    return {
        "encryption_id": found.id,
        "cipher": found.cipher,
        "key_size": found.key_size,
        "provider": found.provider,
        "control_location": found.control_location,
        "volume_type_id": kind.id,
        "created_at": microseconds(found.created_at),
        "updated_at": microseconds(found.updated_at) if found.updated_at else None,
        "deleted_at": None,
        "deleted": False,
    }
