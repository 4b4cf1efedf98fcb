"""The in-memory Cinder itself: what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hyperx_glance.testing.memory.cinder.actions import Actions
from hyperx_glance.testing.memory.cinder.metadata import Metadata
from hyperx_glance.testing.memory.cinder.operators import Operators
from hyperx_glance.testing.memory.cinder.qos import Qos
from hyperx_glance.testing.memory.cinder.quotas import Quotas
from hyperx_glance.testing.memory.cinder.snapshots import Snapshots
from hyperx_glance.testing.memory.cinder.state import microversion
from hyperx_glance.testing.memory.cinder.transfers import Transfers
from hyperx_glance.testing.memory.cinder.types import Types
from hyperx_glance.testing.memory.cinder.volumes import Volumes
from hyperx_glance.testing.memory.wire import (
    Call,
    Refused,
    Reply,
    Route,
    json_reply,
    paste_problem,
    webob_error,
)

_ROOT = "/v3(?:/[0-9a-f]{32})?"
_UNAUTHORIZED = "The request you have made requires authentication."
_Row: TypeAlias = tuple[str, str, Callable[..., Reply]]
"""Method, path below the root with ID for the variable parts, and handler."""


def _named(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"volume {version}", "Vary": "OpenStack-API-Version"}


class Cinder(Volumes, Metadata, Actions, Snapshots, Types, Transfers, Qos, Quotas, Operators):
    """The in-memory Cinder."""

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        table = (
            *self._volume_table(),
            *self._type_table(),
            *self._transfer_table("/os-volume-transfer"),
            *self._transfer_table("/volume-transfers"),
            *self._qos_table(),
            *self._operator_table(),
        )
        return (
            Route("GET", "/", self._versions, public=True),
            *(Route(method, _ROOT + path.replace("ID", "([^/]+)"), handler) for method, path, handler in table),
            *self._metadata_routes(_ROOT),
        )

    def _volume_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/volumes", self._list),
            ("POST", "/volumes", self._create),
            ("GET", "/volumes/detail", self._list_details),
            ("GET", "/volumes/summary", self._summarize),
            ("GET", "/volumes/ID", self._show),
            ("PUT", "/volumes/ID", self._update),
            ("DELETE", "/volumes/ID", self._delete),
            ("POST", "/volumes/ID/action", self._act),
            ("GET", "/snapshots", self._list_snapshots),
            ("POST", "/snapshots", self._create_snapshot),
            ("GET", "/snapshots/detail", self._list_snapshot_details),
            ("GET", "/snapshots/ID", self._show_snapshot),
            ("PUT", "/snapshots/ID", self._update_snapshot),
            ("DELETE", "/snapshots/ID", self._delete_snapshot),
            ("POST", "/snapshots/ID/action", self._act_on_snapshot),
        )

    def _type_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/types", self._list_types),
            ("POST", "/types", self._create_type),
            ("GET", "/types/ID", self._show_type),
            ("PUT", "/types/ID", self._update_type),
            ("DELETE", "/types/ID", self._delete_type),
            ("POST", "/types/ID/action", self._act_on_type),
            ("GET", "/types/ID/os-volume-type-access", self._list_access),
            ("GET", "/types/ID/extra_specs", self._list_specs),
            ("POST", "/types/ID/extra_specs", self._create_specs),
            ("GET", "/types/ID/extra_specs/ID", self._show_spec),
            ("PUT", "/types/ID/extra_specs/ID", self._update_spec),
            ("DELETE", "/types/ID/extra_specs/ID", self._delete_spec),
        )

    def _transfer_table(self, root: str) -> Sequence[_Row]:
        return (
            ("GET", root, self._list_transfers),
            ("POST", root, self._create_transfer),
            ("GET", f"{root}/detail", self._list_transfer_details),
            ("GET", f"{root}/ID", self._show_transfer),
            ("DELETE", f"{root}/ID", self._delete_transfer),
            ("POST", f"{root}/ID/accept", self._accept_transfer),
        )

    def _qos_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/qos-specs", self._list_qos),
            ("POST", "/qos-specs", self._create_qos),
            ("GET", "/qos-specs/ID", self._show_qos),
            ("PUT", "/qos-specs/ID", self._update_qos),
            ("DELETE", "/qos-specs/ID", self._delete_qos),
            ("PUT", "/qos-specs/ID/delete_keys", self._delete_qos_keys),
            ("GET", "/qos-specs/ID/associations", self._list_associations),
            ("GET", "/qos-specs/ID/associate", self._associate),
            ("GET", "/qos-specs/ID/disassociate", self._disassociate),
            ("GET", "/qos-specs/ID/disassociate_all", self._disassociate_all),
        )

    def _operator_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/limits", self._limits),
            ("GET", "/os-quota-sets/ID", self._show_quota),
            ("PUT", "/os-quota-sets/ID", self._update_quota),
            ("DELETE", "/os-quota-sets/ID", self._delete_quota),
            ("GET", "/os-quota-sets/ID/defaults", self._default_quota),
            ("GET", "/os-quota-class-sets/ID", self._show_quota_class),
            ("GET", "/os-availability-zone", self._list_zones),
            ("GET", "/os-services", self._list_services),
            ("GET", "/scheduler-stats/get_pools", self._list_pools),
            ("GET", "/backups", self._list_backups),
            ("POST", "/backups", self._create_backup),
            ("GET", "/backups/detail", self._list_backup_details),
            ("GET", "/backups/ID", self._show_backup),
            ("DELETE", "/backups/ID", self._delete_backup),
            ("POST", "/backups/ID/restore", self._restore_backup),
            ("GET", "/backups/ID/export_record", self._refuse_record),
        )

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Cinder does."""
        if refused.status == 404 and not refused.message:
            return webob_error(404, accept=call.headers.get("accept", ""))
        if refused.status == 401:
            return json_reply(401, {"error": {"code": 401, "title": "Unauthorized", "message": _UNAUTHORIZED}})
        reply = paste_problem(refused, retry_after=True)
        reply.headers["Content-Type"] = "application/json"
        if refused.status == 413:
            reply.headers["Retry-After"] = "0"
        return reply

    def handle(self, call: Call) -> Reply:
        """Answer a request, and report the microversion (cinder/api/openstack/wsgi.py)."""
        try:
            version = microversion(call)
        except Refused as refused:
            reply = self.problem(call, refused)
            if refused.status == 406:
                reply.headers |= _named(call.headers["openstack-api-version"].removeprefix("volume").strip())
            return reply
        reply = super().handle(call)
        if not reply.content:
            reply.headers.setdefault("Content-Type", "application/json")
        if call.path.startswith("/v3") and call.caller is not None and b"<br />" not in reply.content:
            reply.headers |= _named(".".join(map(str, version)))
        return reply

    def _versions(self, call: Call) -> Reply:
        del call
        links = [{"rel": "self", "href": f"{self.url}/v3/"}]
        version = {"id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0", "links": links}
        return json_reply(300, {"versions": [{**version, "updated": "2023-08-31T00:00:00Z"}]})
