"""Snapshots of volumes in the in-memory Nova: the proxy of Cinder's, until microversion 2.35, and what Cinder asks for.

Nova's own words are in nova/api/openstack/compute/snapshots.py and assisted_volume_snapshots.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from hyperx_glance.testing.memory.nova.proxies import Proxies, Row, cut, until_the_end
from hyperx_glance.testing.memory.nova.validation import NO, YES, check_keys, enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_KEYS = ("volume_id", "force", "display_name", "display_description")
_INFO = ("snapshot_id", "type", "new_file", "id")
_RIGHTS = "os-assisted-volume-snapshots"


class VolumeSnapshots(Proxies):
    """The part of Nova that passes requests for snapshots on, and assists Cinder with those of attached volumes."""

    def _proxy_table(self) -> Sequence[Row]:
        every = "/os-snapshots"
        proxies: Sequence[Row] = (
            ("GET", every, self._list_volume_snapshots),
            ("POST", every, self._create_volume_snapshot),
            ("GET", f"{every}/detail", self._list_volume_snapshots),
            ("GET", f"{every}/ID", self._show_volume_snapshot),
            ("DELETE", f"{every}/ID", self._delete_volume_snapshot),
        )
        return (
            *super()._proxy_table(),
            *((method, path, until_the_end(handler)) for method, path, handler in proxies),
            ("POST", f"/{_RIGHTS}", self._assist),
            ("DELETE", f"/{_RIGHTS}/ID", self._end_assistance),
        )

    # ------------------------------------------------------------- passed on

    def _list_volume_snapshots(self, call: Call) -> Reply:
        found = self._asked(self._cinder, call, "GET", "/v3/snapshots/detail")["snapshots"]
        return json_reply(200, {"snapshots": [_view(each) for each in cut(call, found)]})

    def _create_volume_snapshot(self, call: Call) -> Reply:
        asked = enveloped(call, "snapshot")
        check_keys("snapshot", asked, allowed=_KEYS, required=("volume_id",))
        for key in ("volume_id", "display_name", "display_description"):
            if not isinstance(asked.get(key, ""), str):
                raise invalid(key, asked[key], f"{asked[key]!r} is not of type 'string'")
        force = asked.get("force", False)
        if force not in (*YES, *NO):
            raise invalid("force", force, f"{force!r} is not one of {[*YES, *NO]}")
        wanted = {"volume_id": asked["volume_id"], "force": force in YES}
        wanted |= {"name": asked.get("display_name"), "description": asked.get("display_description")}
        made = self._asked(self._cinder, call, "POST", "/v3/snapshots", {"snapshot": wanted})["snapshot"]
        return json_reply(200, {"snapshot": _view(made)})

    def _volume_snapshot(self, call: Call, method: str, snapshot_id: str) -> Record:
        try:
            return self._asked(self._cinder, call, method, f"/v3/snapshots/{snapshot_id}")
        except Refused as refused:
            if refused.status == 404:
                raise Refused(404, f"Snapshot {snapshot_id} could not be found.") from None
            raise

    def _show_volume_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        return json_reply(200, {"snapshot": _view(self._volume_snapshot(call, "GET", snapshot_id)["snapshot"])})

    def _delete_volume_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        self._volume_snapshot(call, "DELETE", snapshot_id)
        return Reply(202)

    # ------------------------------------------------------------- for Cinder

    def _assist(self, call: Call) -> Reply:
        asked = enveloped(call, "snapshot")
        check_keys("snapshot", asked, allowed=("volume_id", "create_info"), required=("volume_id", "create_info"))
        info = asked["create_info"]
        if not isinstance(info, dict):
            raise invalid("create_info", info, f"{info!r} is not of type 'object'")
        check_keys("create_info", info, allowed=_INFO, required=_INFO[:3])
        if info["type"] != "qcow2":
            raise invalid("type", info["type"], f"{info['type']!r} is not one of ['qcow2']")
        self._demand_administrator(call, f"{_RIGHTS}:create")
        self._check_attached(asked["volume_id"])
        return json_reply(200, {"snapshot": {"id": info.get("id"), "volumeId": asked["volume_id"]}})

    def _end_assistance(self, call: Call, snapshot_id: str) -> Reply:
        del snapshot_id
        self._demand_administrator(call, f"{_RIGHTS}:delete")
        if not call.values("delete_info"):
            raise Refused(400, "'delete_info'")
        try:
            info = json.loads(call.value("delete_info"))
        except ValueError as error:
            raise Refused(400, str(error)) from None
        if not isinstance(info, dict) or "volume_id" not in info:
            raise Refused(400, "'volume_id'")
        self._check_attached(info["volume_id"])
        return Reply(204)

    def _check_attached(self, volume_id: object) -> None:
        if not any(volume_id == kept for server in self.servers.values() for kept, _ in server.volumes):
            raise Refused(400, f"No volume Block Device Mapping with id {volume_id}.")


def _view(snapshot: Record) -> Record:
    return {
        "id": snapshot["id"],
        "volumeId": snapshot["volume_id"],
        "status": snapshot["status"],
        "size": snapshot["size"],
        "createdAt": snapshot["created_at"],
        "displayName": snapshot["name"],
        "displayDescription": snapshot["description"],
    }
