"""Volumes of the in-memory Cinder, their metadata and their uploads."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.default_types import DefaultTypes
from hyperx_glance.testing.memory.cinder.records import Group, Snapshot, Volume, volume_view
from hyperx_glance.testing.memory.cinder.state import microversion, no_type, plain
from hyperx_glance.testing.memory.glance.records import ImageRecord, visible
from hyperx_glance.testing.memory.plans import next_data_fault
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_SECTOR = bytes(512)
_DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")
_TITLES = {
    "name": valid.title("name"),
    "description": valid.title("description"),
    "display_name": valid.title("name"),
    "display_description": valid.title("description"),
}
_NEW = valid.fields(
    {
        **_TITLES,
        "volume_type": valid.string(),
        "metadata": valid.metadata(null=True),
        "snapshot_id": valid.optional_identifier,
        "source_volid": valid.optional_identifier,
        "consistencygroup_id": valid.optional_identifier,
        "group_id": valid.optional_identifier,
        "size": valid.optional_size,
        "availability_zone": valid.string(shortest=1),
        "image_id": valid.string(),
        "imageRef": valid.string(),
    },
    closed=False,
)
_CHANGE = valid.fields({**_TITLES, "metadata": valid.metadata()})
_GROUPS = (3, 13)
"""The microversion since which volumes have groups."""
_HIDDEN = ("volume_image_metadata",)
"""What extensions add to a volume, and not to the answers to its creation and change."""


class Volumes(DefaultTypes):
    """The part of Cinder that handles volumes; copies and uploads advance when they are read."""

    def _list(self, call: Call) -> Reply:
        page, links = self._volumes_page(call)
        brief = [
            {"id": volume.id, "name": volume.name, "links": self._links(call, "volumes", volume.id)} for volume in page
        ]
        return json_reply(200, {"volumes": brief, **links})

    def _list_details(self, call: Call) -> Reply:
        page, links = self._volumes_page(call)
        body: Record = {"volumes": [self._volume_view(call, volume) for volume in page]}
        return json_reply(200, body | links)

    def _volume_view(self, call: Call, volume: Volume) -> Record:
        links = self._links(call, "volumes", volume.id)
        view = volume_view(volume, links, whole=call.who.is_administrator)
        return {**view, "group_id": volume.group_id} if microversion(call) >= _GROUPS else view

    def _volumes_page(self, call: Call) -> tuple[list[Volume], Record]:
        for volume in list(self.volumes.values()):
            self._go_on(volume)
        group_id = call.value("group_id")
        return self._page(call, self.volumes, "Volume", lambda each: group_id in ("", each.group_id))

    def _summarize(self, call: Call) -> Reply:
        used = [each for each in self.volumes.values() if each.project_id == call.who.project_id]
        summary = {"total_count": len(used), "total_size": sum(volume.size for volume in used)}
        return json_reply(200, {"volume-summary": summary})

    def _create(self, call: Call) -> Reply:
        asked = valid.checked(call, "volume", _NEW, **{"OS-SCH-HNT:scheduler_hints": valid.anything})
        if not asked:
            raise Refused(400)
        snapshot = self._found_snapshot(call, asked["snapshot_id"]) if asked.get("snapshot_id") else None
        source = self._found(call, asked["source_volid"]) if asked.get("source_volid") else None
        image = self._wanted_image(call, asked)
        size = self._wanted_size(asked, snapshot, source)
        self._demand(call, "volume:create")
        kind = asked.get("volume_type")
        if kind and not self._usable_type(call, kind):
            raise Refused(404, no_type(kind))
        if asked.get("availability_zone", "nova") not in (None, "nova"):
            raise Refused(400, f"Availability zone '{asked['availability_zone']}' is invalid.")
        inherited = self.volumes.get(snapshot.volume_id) if snapshot else source
        group = self._wanted_group(call, asked)
        kind = kind or (inherited.volume_type if inherited else self.default_of(call.who.project_id).name)
        name = asked.get("name") or asked.get("display_name")
        volume = self.make(call.who, size, name=name, volume_type=kind, image=image)
        volume.metadata = dict(asked.get("metadata") or {})
        volume.description = asked.get("description") or asked.get("display_description")
        volume.group_id = group.id if group else None
        if snapshot is not None:
            volume.snapshot_id = snapshot.id
        if inherited is not None:
            self._copy(volume, inherited)
            volume.source_id = None if source is None else source.id
        return json_reply(202, {"volume": {**self._brief(call, volume), "status": "creating", "updated_at": None}})

    def _brief(self, call: Call, volume: Volume) -> Record:
        """Show a volume without what extensions add."""
        view = self._volume_view(call, volume)
        return {key: value for key, value in view.items() if key not in _HIDDEN and not key.startswith("os-vol-")}

    def _copy(self, volume: Volume, source: Volume) -> None:
        volume.bootable, volume.image_metadata = source.bootable, dict(source.image_metadata)
        if volume.status != "error":
            volume.status, volume.reads_left = "creating", self.copy_polls

    def _usable_type(self, call: Call, wanted: str) -> bool:
        kind = self.type_called(wanted)
        return kind is not None and (
            kind.is_public or call.who.is_administrator or call.who.project_id in kind.projects
        )

    def _wanted_group(self, call: Call, asked: Record) -> Group | None:
        """Return the group that a volume is to join, which names its types (cinder/volume/api.py, create)."""
        if not asked.get("group_id") or microversion(call) < _GROUPS:
            return None
        group = self._found_group(call, asked["group_id"])
        if not asked.get("volume_type"):
            words = "volume_type must be provided when creating a volume in a group."
            raise Refused(400, f"Invalid input received: {words}")
        kind = self.type_called(asked["volume_type"])
        if kind is None or kind.id not in group.volume_types:
            words = f"Invalid volume_type provided: {asked['volume_type']} (requested type must be supported by this"
            raise Refused(400, f"Invalid input received: {words} group).")
        return group

    def _wanted_image(self, call: Call, asked: Record) -> ImageRecord | None:
        wanted = asked.get("imageRef") or asked.get("image_id")
        if not wanted:
            return None
        image = self._glance.image(wanted)
        if image is None or not visible(call.who, image):
            raise Refused(400, "Invalid image identifier or unable to access requested image.")
        if image.status != "active":
            raise Refused(400, f"Invalid input received: Image {image.id} is not active.")
        return image

    def _wanted_size(self, asked: Record, snapshot: Snapshot | None, source: Volume | None) -> int:
        if snapshot is not None and snapshot.status != "available":
            raise Refused(400, "Invalid snapshot: Originating snapshot status must be one of 'available' values")
        if source is not None and source.status not in ("available", "in-use"):
            raise Refused(
                400, "Invalid volume: Originating source volume status must be one of 'available, in-use' values"
            )
        least = snapshot.size if snapshot else source.size if source else 0
        size = int(asked.get("size") or least)
        if not size:
            raise Refused(400)
        if size < least:
            words = f"Volume size '{size}'GB cannot be smaller than"
            words += (
                f" the snapshot size {least}GB. They must be >= original snapshot size."
                if snapshot
                else (f" original volume size  {least}GB. They must be >= original volume size.")
            )
            raise Refused(400, f"Invalid input received: {words}")
        return size

    def _show(self, call: Call, volume_id: str) -> Reply:
        volume = self._found(call, volume_id)
        self._go_on(volume)
        return json_reply(200, {"volume": self._volume_view(call, volume)})

    def _update(self, call: Call, volume_id: str) -> Reply:
        asked = valid.checked(call, "volume", _CHANGE)
        volume = self._found(call, volume_id)
        self._demand(call, "volume:update")
        for key in ("name", "description"):
            given = asked.get(key, asked.get(f"display_{key}", ...))
            if given is not ...:
                setattr(volume, key, given)
        if "metadata" in asked:
            volume.metadata = asked["metadata"]
        volume.updated_at = self.now()
        return json_reply(200, {"volume": self._brief(call, volume)})

    def _delete(self, call: Call, volume_id: str) -> Reply:
        volume = self._found(call, volume_id)
        self._demand(call, "volume:delete")
        snapshots = self.snapshots_of(volume)
        cascade = call.value("cascade").lower() in ("true", "1")
        if volume.status not in _DELETABLE or volume.group_id or (snapshots and not cascade):
            raise Refused(
                400,
                f"Invalid volume: Volume status must be {' or '.join(_DELETABLE)} and must not be migrating, attached, "
                "belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after "
                "volume transfer.",
            )
        del self.volumes[volume_id]
        for snapshot in snapshots:
            del self.snapshots[snapshot.id]
        return plain(202)

    # ------------------------------------------------------------- copies and uploads

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
