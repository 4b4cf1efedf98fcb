"""The volumes of the in-memory Cinder, and their form in responses."""

from __future__ import annotations

import dataclasses
import re
import uuid
from datetime import UTC, datetime

from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.wire import Record, Refused, microseconds


@dataclasses.dataclass
class Volume:
    """One volume; ``size`` is GiB."""

    id: str
    name: str
    size: int
    project_id: str
    user_id: str
    description: str | None = None
    status: str = "available"
    volume_type: str = "__DEFAULT__"
    bootable: bool = False
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    image_metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    encrypted: bool = False
    server_id: str | None = None
    device: str = ""
    source_id: str | None = None
    upload_id: str | None = None
    """The image into which the volume is being uploaded."""
    reads_left: int = 0
    created_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))


def volume_view(volume: Volume) -> Record:
    """Show a volume as Cinder does."""
    attachment = {
        "id": volume.id,
        "attachment_id": volume.id,
        "volume_id": volume.id,
        "server_id": volume.server_id,
        "host_name": None,
        "device": volume.device,
    }
    view: Record = {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": "nova",
        "created_at": microseconds(volume.created_at),
        "updated_at": microseconds(volume.created_at),
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.volume_type,
        "snapshot_id": None,
        "source_volid": volume.source_id,
        "metadata": volume.metadata,
        "links": [],
        "user_id": volume.user_id,
        "bootable": "true" if volume.bootable else "false",
        "encrypted": volume.encrypted,
        "multiattach": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "migration_status": None,
        "attachments": [attachment] if volume.server_id else [],
        "os-vol-tenant-attr:tenant_id": volume.project_id,
    }
    return {**view, "volume_image_metadata": volume.image_metadata} if volume.image_metadata else view


def snapshot_view(snapshot_id: str, volume: Volume) -> Record:
    """Show a snapshot of a volume."""
    created = microseconds(volume.created_at)
    return {
        "id": snapshot_id,
        "name": "",
        "description": "",
        "volume_id": volume.id,
        "status": "available",
        "size": volume.size,
        "metadata": {},
        "created_at": created,
        "updated_at": created,
        "os-extended-snapshot-attributes:project_id": volume.project_id,
        "os-extended-snapshot-attributes:progress": "100%",
    }


def image_metadata_of(image: ImageRecord) -> dict[str, str]:
    """Return the values that a volume keeps of the image that it was made from (cinder/volume/volume_utils.py).

    A property with the name of a column yields to the column.
    """
    copied = ("container_format", "disk_format", "min_disk", "min_ram", "size", "checksum")
    metadata = {key: str(getattr(image, key)) for key in copied}
    properties = {key: str(value) for key, value in image.properties.items()}
    return {**properties, **metadata, "image_id": image.id, "image_name": str(image.name)}


def type_view(name: str) -> Record:
    """Show a type of volumes."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "name": name,
        "is_public": True,
        "os-volume-type-access:is_public": True,
        "description": "Default Volume Type" if name == "__DEFAULT__" else None,
        "extra_specs": {},
    }


def checked_size(asked: object) -> int:
    """Read a size in GiB; refuse a value that is not a number."""
    if not re.fullmatch("[0-9]+", str(asked)):
        reason = f"Value: {asked}. {asked!r} does not match '^[0-9]+$'"
        raise Refused(400, f"Invalid input for field/attribute size. {reason}")
    return int(str(asked))
