"""The metadata of volumes and snapshots in the in-memory Cinder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Snapshot, Volume
from hyperx_glance.testing.memory.cinder.state import State, plain
from hyperx_glance.testing.memory.wire import Call, Refused, Reply, Route, json_reply

_METADATA = valid.metadata()
_ITEM = valid.single(valid.metadata())


class Metadata(State):
    """The part of Cinder that handles metadata."""

    def _metadata_routes(self, root: str) -> Sequence[Route]:
        """Return the routes of the metadata of both kinds of things."""
        return [
            Route(method, f"{root}/{kind}s/([^/]+)/metadata{path}", partial(handler, kind))
            for kind in ("volume", "snapshot")
            for method, path, handler in (
                ("GET", "", self._show_metadata),
                ("POST", "", self._add_metadata),
                ("PUT", "", self._replace_metadata),
                ("GET", "/([^/]+)", self._show_item),
                ("PUT", "/([^/]+)", self._set_item),
                ("DELETE", "/([^/]+)", self._delete_item),
            )
        ]

    def _owner(self, kind: str, call: Call, thing_id: str, action: str = "") -> Volume | Snapshot:
        """Find what has the metadata; refuse a change of it by a reader, or in a state that forbids it."""
        owner = self._found(call, thing_id) if kind == "volume" else self._found_snapshot(call, thing_id)
        if action:
            self._demand(call, f"volume:{action}_{kind}_metadata")
            if kind == "volume" and owner.status in ("maintenance", "uploading"):
                message = f"Updating volume metadata is not allowed for volumes in {owner.status} status."
                raise Refused(400, f"Invalid volume: {message}")
        return owner

    def _show_metadata(self, kind: str, call: Call, thing_id: str) -> Reply:
        return json_reply(200, {"metadata": self._owner(kind, call, thing_id).metadata})

    def _add_metadata(self, kind: str, call: Call, thing_id: str) -> Reply:
        given = valid.checked(call, "metadata", _METADATA)
        owner = self._owner(kind, call, thing_id, "create" if kind == "volume" else "update")
        owner.metadata.update(given)
        return json_reply(200, {"metadata": owner.metadata})

    def _replace_metadata(self, kind: str, call: Call, thing_id: str) -> Reply:
        given = valid.checked(call, "metadata", _METADATA)
        owner = self._owner(kind, call, thing_id, "update")
        owner.metadata = given
        return json_reply(200, {"metadata": owner.metadata})

    def _show_item(self, kind: str, call: Call, thing_id: str, key: str) -> Reply:
        owner = self._owner(kind, call, thing_id)
        self._demand_item(kind, owner, key)
        return json_reply(200, {"meta": {key: owner.metadata[key]}})

    def _set_item(self, kind: str, call: Call, thing_id: str, key: str) -> Reply:
        given = valid.checked(call, "meta", _ITEM)
        if key not in given:
            raise Refused(400, "Request body and URI mismatch")
        owner = self._owner(kind, call, thing_id, "update")
        owner.metadata.update(given)
        return json_reply(200, {"meta": given})

    def _delete_item(self, kind: str, call: Call, thing_id: str, key: str) -> Reply:
        owner = self._owner(kind, call, thing_id, "delete")
        self._demand_item(kind, owner, key)
        del owner.metadata[key]
        return plain(200)

    def _demand_item(self, kind: str, owner: Volume | Snapshot, key: str) -> None:
        if key not in owner.metadata:
            raise Refused(404, f"{kind.title()} {owner.id} has no metadata with key {key}.")
