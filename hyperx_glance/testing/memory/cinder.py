"""An in-memory Cinder: volumes, types and quotas.

>>> from hyperx_glance.testing import InMemoryCloud
>>> cloud = InMemoryCloud()
>>> cloud.cinder.set_quota("dept-a", volumes=1)
>>> cloud.cinder.present = False  # a cloud without Cinder

Answers were compared with Cinder 29.
"""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hyperx_glance.deployment import CINDER_OPTION
from hyperx_glance.testing import known
from hyperx_glance.testing.memory.glance import Glance
from hyperx_glance.testing.memory.glance.records import ImageRecord, visible
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.plans import next_data_fault
from hyperx_glance.testing.memory.volumes import (
    Volume,
    checked_size,
    image_metadata_of,
    snapshot_view,
    type_view,
    volume_view,
)
from hyperx_glance.testing.memory.wire import (
    Call,
    Caller,
    Record,
    Refused,
    Reply,
    Route,
    Service,
    json_reply,
    paste_problem,
    webob_error,
)

DEFAULT_QUOTA: Mapping[str, int] = {
    "volumes": 10,
    "per_volume_gigabytes": -1,
    "snapshots": 10,
    "gigabytes": 1000,
    "backups": 10,
    "backup_gigabytes": 1000,
    "volumes___DEFAULT__": -1,
    "gigabytes___DEFAULT__": -1,
    "snapshots___DEFAULT__": -1,
    "groups": 10,
}
_SECTOR = bytes(512)
_RESERVED = ("os_glance", "img_signature", "signature_verified")
"""Properties that begin with these are never passed on (cinder/image/image_utils.py, GLANCE_RESERVED_NAMESPACES)."""
_ROOT = "/v3(?:/[0-9a-f]{32})?"
_UNAUTHORIZED = "The request you have made requires authentication."
_DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


class Cinder(Service):
    """The in-memory Cinder."""

    name: ClassVar[str] = "cinder"
    type: ClassVar[str] = "block-storage"
    endpoint_path: ClassVar[str] = "/v3"
    older_types: ClassVar[Mapping[str, str]] = {"volumev3": "cinderv3"}

    def __init__(self, keystone: Keystone, glance: Glance) -> None:
        super().__init__()
        self.max_limit = 1000
        """The option osapi_max_limit: the largest number of volumes of a page."""
        self.volumes: dict[str, Volume] = {}
        """Volumes by id."""
        self.volume_types: list[str] = ["__DEFAULT__"]
        """The names of the volume types, the default one first."""
        self.quotas: dict[str, dict[str, int]] = {}
        """Limits by project id; missing ones have the default."""
        self.faults: list[str] = []
        """Failures of the next volumes: each volume takes one, and becomes "error"."""
        self.snapshots: dict[str, str] = {}
        """Volumes of which Nova has made snapshots, by the ids of these."""
        self.copy_polls = 1
        """The number of reads after which the copy of a volume, or its upload, ends."""
        self.copies_stall = False
        """True: copies and uploads never end, as if cinder-volume had died."""
        self.upload_faults: list[str] = []
        """Failures of the next uploads: "lost" leaves the record queued, "deleted" deletes it, as Cinder does."""
        self.glance_core_properties = CINDER_OPTION
        """The option of that name: properties that an image made of a volume does not get from its image metadata."""
        self._keystone = keystone
        self._glance = glance

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", _ROOT + "/limits", self._limits),
            Route("GET", _ROOT + "/os-quota-sets/([^/]+)", self._show_quota),
            Route("PUT", _ROOT + "/os-quota-sets/([^/]+)", self._update_quota),
            Route("DELETE", _ROOT + "/os-quota-sets/([^/]+)", self._delete_quota),
            Route("GET", _ROOT + "/os-quota-sets/([^/]+)/defaults", self._default_quota),
            Route("GET", _ROOT + "/types", self._list_types),
            Route("GET", _ROOT + "/types/([^/]+)", self._show_type),
            Route("GET", _ROOT + "/volumes", self._list),
            Route("POST", _ROOT + "/volumes", self._create),
            Route("GET", _ROOT + "/volumes/detail", self._list_details),
            Route("GET", _ROOT + "/volumes/([^/]+)", self._show),
            Route("DELETE", _ROOT + "/volumes/([^/]+)", self._delete),
            Route("POST", _ROOT + "/volumes/([^/]+)/action", self._act),
            Route("GET", _ROOT + "/snapshots/([^/]+)", self._show_snapshot),
            Route("DELETE", _ROOT + "/snapshots/([^/]+)", self._delete_snapshot),
            Route("GET", _ROOT + "/volumes/([^/]+)/metadata", self._show_metadata),
            Route("POST", _ROOT + "/volumes/([^/]+)/metadata", self._add_metadata),
        )

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Cinder does."""
        if refused.status == 404 and not refused.message:
            return webob_error(404, accept=call.headers.get("accept", ""))
        if refused.status == 401:
            return json_reply(401, {"error": {"code": 401, "title": "Unauthorized", "message": _UNAUTHORIZED}})
        reply = paste_problem(refused, retry_after=True)
        reply.headers["Content-Type"] = "application/json"
        return reply

    def handle(self, call: Call) -> Reply:
        """Answer a request, and report the microversion (cinder/api/openstack/wsgi.py)."""
        reply = super().handle(call)
        if call.path.startswith("/v3") and call.caller is not None and b"<br />" not in reply.content:
            asked = call.headers.get("openstack-api-version", "").removeprefix("volume").strip()
            version = "3.71" if asked == "latest" else asked or "3.0"
            reply.headers |= {"OpenStack-API-Version": f"volume {version}", "Vary": "OpenStack-API-Version"}
        return reply

    # ------------------------------------------------------------- filled from Python

    def set_quota(self, department: str, **limits: int) -> None:
        """Set limits of a department, given by name or id: volumes, gigabytes, and others; -1 is none."""
        known.require_limits("Cinder", limits, DEFAULT_QUOTA)
        self.quotas.setdefault(self._keystone.project_id(department), {}).update(limits)

    def make(
        self, caller: Caller, size: int, *, name: str, volume_type: str | None = None, image: ImageRecord | None = None
    ) -> Volume:
        """Make a volume as a request does; raise `Refused` if that exceeds the quota."""
        self._check_quota(caller.project_id, size)
        volume = Volume(str(uuid.uuid4()), name, size, caller.project_id, caller.user_id, created_at=self.now())
        volume.volume_type = volume_type or self.volume_types[0]
        if image is not None:
            volume.bootable = True
            volume.image_metadata = image_metadata_of(image)
        if self.faults:
            self.faults.pop(0)
            volume.status = "error"
        self.volumes[volume.id] = volume
        return volume

    def in_use(self, project_id: str) -> dict[str, int]:
        """Count a project's volumes and their GiB."""
        own = [volume for volume in self.volumes.values() if volume.project_id == project_id]
        return {"volumes": len(own), "gigabytes": sum(volume.size for volume in own)}

    def limits_of(self, project_id: str) -> dict[str, int]:
        """Return a project's limits."""
        return {**DEFAULT_QUOTA, **self.quotas.get(project_id, {})}

    def _check_quota(self, project_id: str, size: int) -> None:
        limits, used = self.limits_of(project_id), self.in_use(project_id)
        if limits["gigabytes"] != -1 and used["gigabytes"] + size > limits["gigabytes"]:
            raise Refused(
                413,
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. "
                f"Requested {size}G, quota is {limits['gigabytes']}G and {used['gigabytes']}G has been consumed.",
            )
        if limits["volumes"] != -1 and used["volumes"] + 1 > limits["volumes"]:
            raise Refused(
                413,
                f"VolumeLimitExceeded: Maximum number of volumes allowed ({limits['volumes']}) exceeded "
                "for quota 'volumes'.",
            )

    # ------------------------------------------------------------- discovery, types, quotas

    def _versions(self, call: Call) -> Reply:
        del call
        links = [{"rel": "self", "href": f"{self.url}/v3/"}]
        version = {"id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0", "links": links}
        return json_reply(300, {"versions": [{**version, "updated": "2023-08-31T00:00:00Z"}]})

    def _limits(self, call: Call) -> Reply:
        # The default microversion answers for the caller's own project, regardless of project_id.
        limits, used = self.limits_of(call.who.project_id), self.in_use(call.who.project_id)
        absolute = {
            "maxTotalVolumes": limits["volumes"],
            "maxTotalSnapshots": limits["snapshots"],
            "maxTotalVolumeGigabytes": limits["gigabytes"],
            "maxTotalBackups": limits["backups"],
            "maxTotalBackupGigabytes": limits["backup_gigabytes"],
            "totalVolumesUsed": used["volumes"],
            "totalGigabytesUsed": used["gigabytes"],
            "totalSnapshotsUsed": 0,
            "totalBackupsUsed": 0,
            "totalBackupGigabytesUsed": 0,
        }
        return json_reply(200, {"limits": {"rate": [], "absolute": absolute}})

    def _show_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator and project_id != call.who.project_id:
            raise Refused(403, "Policy doesn't allow volume_extension:quotas:show to be performed.")
        limits: Record = dict(self.limits_of(project_id))
        if call.value("usage").lower() == "true":
            used = self.in_use(project_id)
            limits = {key: {"limit": limit, "in_use": used.get(key, 0), "reserved": 0} for key, limit in limits.items()}
        return json_reply(200, {"quota_set": {**limits, "id": project_id}})

    def _update_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow volume_extension:quotas:update to be performed.")
        wanted = call.member("quota_set")
        unknown = sorted(set(wanted) - set(DEFAULT_QUOTA))
        if unknown:
            raise Refused(400, f"Invalid input received: Bad key(s) in quota set: {','.join(unknown)}")
        for key, value in wanted.items():
            if not isinstance(value, int) or value < -1:
                raise Refused(400, f"{key} must be >= -1")
            if -1 < value < self.in_use(project_id).get(key, 0):
                raise Refused(
                    400,
                    f"Quota {key} limit must be equal or greater than existing resources. "
                    f"Current usage is {self.in_use(project_id)[key]} and the requested limit is {value}.",
                )
        # Stored for any project: Cinder does not ask Keystone whether it exists.
        self.quotas.setdefault(project_id, {}).update(wanted)
        return json_reply(200, {"quota_set": self.limits_of(project_id)})

    def _delete_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow volume_extension:quotas:delete to be performed.")
        self.quotas.pop(project_id, None)
        return Reply(200)

    def _default_quota(self, call: Call, project_id: str) -> Reply:
        del call
        return json_reply(200, {"quota_set": {**DEFAULT_QUOTA, "id": project_id}})

    def _list_types(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"volume_types": [type_view(name) for name in self.volume_types]})

    def _show_type(self, call: Call, wanted: str) -> Reply:
        del call
        for name in self.volume_types:
            view = type_view(name)
            if wanted in (name, view["id"]) or (wanted == "default" and name == self.volume_types[0]):
                return json_reply(200, {"volume_type": view})
        raise Refused(404, f"Volume type {wanted} could not be found.")

    # ------------------------------------------------------------- volumes

    def _list(self, call: Call) -> Reply:
        page, links = self._page(call)
        body: Record = {"volumes": [{"id": volume.id, "name": volume.name, "links": []} for volume in page]}
        return json_reply(200, body | links)

    def _list_details(self, call: Call) -> Reply:
        page, links = self._page(call)
        body: Record = {"volumes": [volume_view(volume) for volume in page]}
        return json_reply(200, body | links)

    def _page(self, call: Call) -> tuple[list[Volume], Record]:
        for volume in list(self.volumes.values()):
            self._go_on(volume)
        everybody = call.who.is_administrator and call.value("all_tenants") in ("1", "true", "True")
        wanted = ast.literal_eval(call.value("metadata", "{}"))  # as cinder/volume/api.py, check_volume_filters
        found = [
            volume
            for volume in reversed(self.volumes.values())
            if (everybody or volume.project_id == call.who.project_id)
            and wanted.items() <= volume.metadata.items()
            and call.value("name", volume.name) == volume.name
            and call.value("status", volume.status) == volume.status
        ]
        ids = [volume.id for volume in found]
        marker = call.value("marker")
        if marker:
            if marker not in ids:
                raise Refused(404, f"Volume {marker} could not be found.")
            found = found[ids.index(marker) + 1 :]
        if not re.fullmatch("[0-9]+", call.value("limit", "1000")):
            raise Refused(400, "limit param must be an integer")
        limit = min(int(call.value("limit", "1000")), self.max_limit)
        page = found[:limit]
        if not page or len(page) < limit:
            return page, {}
        href = f"{self.url}{call.path}?limit={limit}&marker={page[-1].id}"
        return page, {"volumes_links": [{"rel": "next", "href": href}]}

    def _create(self, call: Call) -> Reply:
        asked = call.member("volume")
        if not asked:
            raise Refused(400)
        source = self._found(call, asked["source_volid"]) if asked.get("source_volid") else None
        size = checked_size(asked.get("size") or (source.size if source else 0))
        if size < 1:
            raise Refused(
                400, f"Invalid input for field/attribute size. Value: {size}. {size} is less than the minimum of 1"
            )
        if not call.who.may_write:
            raise Refused(403, "Policy doesn't allow volume:create to be performed.")
        image = self._glance.image(asked["imageRef"]) if asked.get("imageRef") else None
        if asked.get("imageRef") and (image is None or not visible(call.who, image)):
            raise Refused(400, "Invalid image identifier or unable to access requested image.")
        if image is not None and image.status != "active":
            raise Refused(400, f"Invalid input received: Image {image.id} is not active.")
        if source is not None and source.status not in ("available", "in-use"):
            raise Refused(
                400, "Invalid volume: Originating source volume status must be one of 'available, in-use' values"
            )
        volume = self.make(
            call.who, size, name=asked.get("name") or "", volume_type=asked.get("volume_type"), image=image
        )
        volume.metadata, volume.description = dict(asked.get("metadata") or {}), asked.get("description")
        if source is not None:
            volume.source_id, volume.bootable = source.id, source.bootable
            volume.image_metadata = dict(source.image_metadata)
            if volume.status != "error":
                volume.status, volume.reads_left = "creating", self.copy_polls
        hidden = ("os-vol-tenant-attr:tenant_id", "volume_image_metadata")  # which extensions add, later
        view = {key: value for key, value in volume_view(volume).items() if key not in hidden}
        return json_reply(202, {"volume": {**view, "status": "creating"}})

    def _show(self, call: Call, volume_id: str) -> Reply:
        volume = self._found(call, volume_id)
        self._go_on(volume)
        return json_reply(200, {"volume": volume_view(volume)})

    def _go_on(self, volume: Volume) -> None:
        """Advance a copy or an upload, because it was read."""
        if volume.status not in ("creating", "uploading") or self.copies_stall:
            return
        if volume.reads_left > 0:
            volume.reads_left -= 1
            return
        uploading, volume.status = volume.status == "uploading", "available"
        image = self._glance.image(volume.upload_id) if uploading and volume.upload_id else None
        if image is None:
            return
        fault = next_data_fault("upload_faults", self.upload_faults)
        if fault == "deleted":
            self._glance.remove_image(image.id)
        elif not fault:
            self._glance.fill(image, str(image.disk_format), _SECTOR)

    def look_at_image(self, image: ImageRecord) -> None:
        """Advance the upload that fills an image, because the image was read."""
        for volume in self.volumes.values():
            if volume.upload_id == image.id:
                self._go_on(volume)

    def writes_to_image(self, image: ImageRecord) -> bool:
        """Check whether an upload has yet to fill an image."""
        return any(each.status == "uploading" and each.upload_id == image.id for each in self.volumes.values())

    def _delete(self, call: Call, volume_id: str) -> Reply:
        volume = self._found(call, volume_id)
        if not call.who.may_write:
            raise Refused(403, "Policy doesn't allow volume:delete to be performed.")
        if volume.status not in _DELETABLE:
            raise Refused(
                400,
                f"Invalid volume: Volume status must be {' or '.join(_DELETABLE)} and must not be migrating, attached, "
                "belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after "
                "volume transfer.",
            )
        del self.volumes[volume_id]
        return Reply(202)

    def _act(self, call: Call, volume_id: str) -> Reply:
        volume = self._found(call, volume_id)
        body = call.json()
        if not call.who.may_write:
            raise Refused(403, f"Policy doesn't allow volume_extension:{next(iter(body), '')} to be performed.")
        if "os-volume_upload_image" in body:
            return self._upload(call, volume, body["os-volume_upload_image"])
        if "os-set_bootable" in body:
            volume.bootable = str(body["os-set_bootable"].get("bootable")).lower() in ("true", "1")
            return Reply(200)
        if "os-set_image_metadata" not in body:
            raise Refused(400, f"There is no such action: {next(iter(body), '')}")
        if volume.status in ("maintenance", "uploading"):
            message = f"Updating volume metadata is not allowed for volumes in {volume.status} status."
            raise Refused(400, f"Invalid volume: {message}")
        volume.image_metadata.update(body["os-set_image_metadata"]["metadata"])
        return json_reply(200, {"metadata": volume.image_metadata})

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

    def _show_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        volume = self.volumes.get(self.snapshots.get(snapshot_id, ""))
        if volume is None or not (call.who.is_administrator or volume.project_id == call.who.project_id):
            raise Refused(404, f"Snapshot {snapshot_id} could not be found.")
        return json_reply(200, {"snapshot": snapshot_view(snapshot_id, volume)})

    def _delete_snapshot(self, call: Call, snapshot_id: str) -> Reply:
        if snapshot_id not in self.snapshots:
            raise Refused(404, f"Snapshot {snapshot_id} could not be found.")
        self._found(call, self.snapshots.pop(snapshot_id))
        return Reply(202)

    def _show_metadata(self, call: Call, volume_id: str) -> Reply:
        return json_reply(200, {"metadata": self._found(call, volume_id).metadata})

    def _add_metadata(self, call: Call, volume_id: str) -> Reply:
        volume = self._found(call, volume_id)
        if not call.who.may_write:
            raise Refused(403, "Policy doesn't allow volume:create_volume_metadata to be performed.")
        if volume.status in ("maintenance", "uploading"):
            message = f"Updating volume metadata is not allowed for volumes in {volume.status} status."
            raise Refused(400, f"Invalid volume: {message}")
        volume.metadata.update(call.member("metadata"))
        return json_reply(200, {"metadata": volume.metadata})

    def _found(self, call: Call, volume_id: str) -> Volume:
        volume = self.volumes.get(volume_id)
        if volume is None or not (call.who.is_administrator or volume.project_id == call.who.project_id):
            raise Refused(404, f"Volume {volume_id} could not be found.")
        return volume
