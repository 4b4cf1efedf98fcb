"""The in-memory Cinder itself: what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hyperx_glance.testing.memory.cinder.actions import Actions
from hyperx_glance.testing.memory.cinder.attachments import Attachments
from hyperx_glance.testing.memory.cinder.encryption import Encryptions
from hyperx_glance.testing.memory.cinder.group_snapshots import GroupSnapshots
from hyperx_glance.testing.memory.cinder.metadata import Metadata
from hyperx_glance.testing.memory.cinder.operators import Operators
from hyperx_glance.testing.memory.cinder.qos import Qos
from hyperx_glance.testing.memory.cinder.quotas import Quotas
from hyperx_glance.testing.memory.cinder.reports import Reports
from hyperx_glance.testing.memory.cinder.snapshots import Snapshots
from hyperx_glance.testing.memory.cinder.state import microversion
from hyperx_glance.testing.memory.cinder.transfers import Transfers
from hyperx_glance.testing.memory.cinder.types import Types
from hyperx_glance.testing.memory.cinder.volumes import Volumes
from hyperx_glance.testing.memory.wire import (
    Call,
    Record,
    Refused,
    Reply,
    Route,
    json_reply,
    paste_problem,
    webob_error,
)

_ROOT = "/v3(?:/[0-9a-f]{32})?"
_UNAUTHORIZED = "The request you have made requires authentication."
_MEDIA = {"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}
_Row: TypeAlias = tuple[str, str, Callable[..., Reply]]
"""Method, path below the root with ID for the variable parts, and handler."""


def _named(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"volume {version}", "Vary": "OpenStack-API-Version"}


def _since(version: tuple[int, int], table: Sequence[_Row]) -> Sequence[_Row]:
    """Return the rows with handlers that answer as where nothing is before this microversion."""

    def checked(handler: Callable[..., Reply]) -> Callable[..., Reply]:
        def handle(call: Call, *parts: str) -> Reply:
            if microversion(call) < version:
                raise Refused(404, "The resource could not be found.")
            return handler(call, *parts)

        return handle

    return [(method, path, checked(handler)) for method, path, handler in table]


class Cinder(
    Volumes,
    Metadata,
    Actions,
    Snapshots,
    Types,
    Encryptions,
    Transfers,
    Attachments,
    GroupSnapshots,
    Qos,
    Quotas,
    Operators,
    Reports,
):
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
            *_since((3, 11), self._group_type_table()),
            *_since((3, 13), self._group_table()),
            *_since((3, 14), self._group_snapshot_table()),
            *_since((3, 27), self._attachment_table()),
            *_since((3, 33), [("GET", "/resource_filters", self._list_filters)]),
            *_since((3, 62), self._default_type_table()),
        )
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v3/?", self._versions),
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
            ("GET", "/types/ID/encryption", self._show_encryption),
            ("POST", "/types/ID/encryption", self._create_encryption),
            ("GET", "/types/ID/encryption/ID", self._show_encryption_item),
            ("PUT", "/types/ID/encryption/ID", self._update_encryption),
            ("DELETE", "/types/ID/encryption/ID", self._delete_encryption),
        )

    def _default_type_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/default-types", self._list_default_types),
            ("GET", "/default-types/ID", self._show_default_type),
            ("PUT", "/default-types/ID", self._set_default_type),
            ("DELETE", "/default-types/ID", self._unset_default_type),
        )

    def _group_type_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/group_types", self._list_group_types),
            ("POST", "/group_types", self._create_group_type),
            ("GET", "/group_types/ID", self._show_group_type),
            ("PUT", "/group_types/ID", self._update_group_type),
            ("DELETE", "/group_types/ID", self._delete_group_type),
            ("GET", "/group_types/ID/group_specs", self._list_group_specs),
            ("POST", "/group_types/ID/group_specs", self._create_group_specs),
            ("GET", "/group_types/ID/group_specs/ID", self._show_group_spec),
            ("PUT", "/group_types/ID/group_specs/ID", self._update_group_spec),
            ("DELETE", "/group_types/ID/group_specs/ID", self._delete_group_spec),
        )

    def _group_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/groups", self._list_groups),
            ("POST", "/groups", self._create_group),
            ("GET", "/groups/detail", self._list_group_details),
            ("GET", "/groups/ID", self._show_group),
            ("PUT", "/groups/ID", self._update_group),
            ("POST", "/groups/ID/action", self._act_on_group),
        )

    def _group_snapshot_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/group_snapshots", self._list_group_snapshots),
            ("POST", "/group_snapshots", self._create_group_snapshot),
            ("GET", "/group_snapshots/detail", self._list_group_snapshot_details),
            ("GET", "/group_snapshots/ID", self._show_group_snapshot),
            ("DELETE", "/group_snapshots/ID", self._delete_group_snapshot),
            ("POST", "/group_snapshots/ID/action", self._act_on_group_snapshot),
        )

    def _attachment_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/attachments", self._list_attachments),
            ("POST", "/attachments", self._create_attachment),
            ("GET", "/attachments/detail", self._list_attachment_details),
            ("GET", "/attachments/ID", self._show_attachment),
            ("PUT", "/attachments/ID", self._update_attachment),
            ("DELETE", "/attachments/ID", self._delete_attachment),
            ("POST", "/attachments/ID/action", self._act_on_attachment),
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
            ("GET", "/extensions", self._list_extensions),
            ("GET", "/extensions/ID", self._show_extension),
            ("GET", "/capabilities/ID", self._show_capabilities),
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
        links = [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": f"{self.url}/v3/"},
        ]
        version: Record = {"id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0"}
        version |= {"updated": "2023-08-31T00:00:00Z", "links": links, "media-types": [_MEDIA]}
        return json_reply(300 if call.path == "/" else 200, {"versions": [version]})
