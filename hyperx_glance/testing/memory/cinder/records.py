"""What the in-memory Cinder keeps: volumes, snapshots, types, groups and others, and their forms in responses."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime

from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.wire import Record, microseconds

DEFAULT_TYPE = "__DEFAULT__"
BACKEND = "host1@files#files"
"""The pool in which all volumes are."""
_VISIBLE_SPECS = ("multiattach", "RESKEY:availability_zones", "replication_enabled")
"""What everybody sees of the extra specs of a type (cinder/policies/type_extra_specs.py)."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclasses.dataclass
class Volume:
    """One volume; ``size`` is GiB."""

    id: str
    name: str | None
    size: int
    project_id: str
    user_id: str
    description: str | None = None
    status: str = "available"
    volume_type: str = DEFAULT_TYPE
    """The name of its type."""
    bootable: bool = False
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    image_metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    encrypted: bool = False
    visible: dict[str, str] = dataclasses.field(default_factory=dict)
    """What Cinder itself shows among the metadata: whether it is read-only, and how it is attached."""
    server_id: str | None = None
    host_name: str | None = None
    """The host to which it is attached instead."""
    device: str = ""
    attached_at: datetime | None = None
    attachment_id: str | None = None
    """The attachment through which a request attached it; Nova's attachments have the volume's own id."""
    group_id: str | None = None
    source_id: str | None = None
    snapshot_id: str | None = None
    """The snapshot from which it was made."""
    upload_id: str | None = None
    """The image into which the volume is being uploaded."""
    reads_left: int = 0
    created_at: datetime = dataclasses.field(default_factory=_now)
    updated_at: datetime | None = None


@dataclasses.dataclass
class Snapshot:
    """One snapshot of a volume; ``size`` is that of the volume when it was made."""

    id: str
    volume_id: str
    size: int
    project_id: str
    user_id: str
    name: str | None = None
    description: str | None = None
    status: str = "available"
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    group_snapshot_id: str | None = None
    """The snapshot of a group of which it is a part."""
    reads_left: int = 0
    created_at: datetime = dataclasses.field(default_factory=_now)
    updated_at: datetime | None = None


@dataclasses.dataclass
class Attachment:
    """One attachment of a volume; ``mode`` is "null" until it is known."""

    id: str
    volume_id: str
    instance_id: str | None
    status: str
    mode: str
    host: str = ""
    device: str = ""
    attached_at: datetime | None = None


@dataclasses.dataclass
class Encryption:
    """How the volumes of a type are encrypted."""

    id: str
    provider: str
    control_location: str
    cipher: str | None = None
    key_size: int | None = None
    created_at: datetime = dataclasses.field(default_factory=_now)
    updated_at: datetime | None = None


@dataclasses.dataclass
class GroupType:
    """One type of groups of volumes."""

    id: str
    name: str
    description: str | None = None
    is_public: bool = True
    specs: dict[str, str | None] = dataclasses.field(default_factory=dict)

    @classmethod
    def of_old_groups(cls) -> GroupType:
        """Return the type that every Cinder has, for what once were consistency groups."""
        name, words = "default_cgsnapshot_type", "Default group type for migrating cgsnapshot"
        specs: dict[str, str | None] = {"consistent_group_snapshot_enabled": "<is> True"}
        return cls(str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), name, words, specs=specs)


@dataclasses.dataclass
class Group:
    """One group of volumes, which know it; ``volume_types`` are ids."""

    id: str
    project_id: str
    type_id: str
    volume_types: list[str]
    name: str | None = None
    description: str | None = None
    status: str = "available"
    created_at: datetime = dataclasses.field(default_factory=_now)


@dataclasses.dataclass
class GroupSnapshot:
    """One snapshot of a group; the snapshots of its volumes know it."""

    id: str
    project_id: str
    group_id: str
    type_id: str
    name: str | None = None
    description: str | None = None
    status: str = "available"
    created_at: datetime = dataclasses.field(default_factory=_now)


@dataclasses.dataclass
class VolumeType:
    """One type of volumes; ``projects`` may use it if it is not public."""

    id: str
    name: str
    description: str | None = None
    is_public: bool = True
    extra_specs: dict[str, str] = dataclasses.field(default_factory=dict)
    projects: list[str] = dataclasses.field(default_factory=list)
    qos_specs_id: str | None = None
    encryption: Encryption | None = None

    @classmethod
    def default(cls) -> VolumeType:
        """Return the type that every Cinder has."""
        return cls(str(uuid.uuid5(uuid.NAMESPACE_DNS, DEFAULT_TYPE)), DEFAULT_TYPE, "Default Volume Type")


@dataclasses.dataclass
class QosSpecs:
    """How fast the volumes of some types may be, and who sees to that."""

    id: str
    name: str
    consumer: str
    specs: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Transfer:
    """An offer of a volume to whoever knows the key."""

    id: str
    volume_id: str
    auth_key: str
    name: str | None = None
    created_at: datetime = dataclasses.field(default_factory=_now)


@dataclasses.dataclass
class Backup:
    """A backup, which fails: no service here makes it."""

    id: str
    volume_id: str
    size: int
    project_id: str
    user_id: str
    name: str | None = None
    description: str | None = None
    container: str | None = None
    snapshot_id: str | None = None
    created_at: datetime = dataclasses.field(default_factory=_now)


def backup_view(backup: Backup, links: list[Record], *, whole: bool) -> Record:
    """Show a backup that has failed; ``whole`` as administrators see it."""
    made = microseconds(backup.created_at)
    view: Record = {
        "id": backup.id,
        "status": "error",
        "size": backup.size,
        "object_count": 0,
        "availability_zone": None,
        "container": backup.container,
        "created_at": made,
        "updated_at": made,
        "name": backup.name,
        "description": backup.description,
        "fail_reason": "Service not found for creating backup.",
        "volume_id": backup.volume_id,
        "links": links,
        "is_incremental": False,
        "has_dependent_backups": False,
        "snapshot_id": backup.snapshot_id,
        "data_timestamp": made,
    }
    return {**view, "os-backup-project-attr:project_id": backup.project_id} if whole else view


def volume_view(volume: Volume, links: list[Record], *, whole: bool) -> Record:
    """Show a volume as Cinder does; ``whole`` as administrators see it."""
    attachment = {
        "id": volume.id,
        "attachment_id": volume.attachment_id or volume.id,
        "volume_id": volume.id,
        "server_id": volume.server_id,
        "host_name": volume.host_name,
        "device": volume.device,
        "attached_at": microseconds(volume.attached_at or volume.created_at),
    }
    view: Record = {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": "nova",
        "created_at": microseconds(volume.created_at),
        "updated_at": microseconds(volume.updated_at or volume.created_at),
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.volume_type,
        "snapshot_id": volume.snapshot_id,
        "source_volid": volume.source_id,
        "metadata": volume.metadata | volume.visible,
        "links": links,
        "user_id": volume.user_id,
        "bootable": "true" if volume.bootable else "false",
        "encrypted": volume.encrypted,
        "multiattach": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "attachments": [attachment] if volume.server_id or volume.host_name else [],
        "os-vol-tenant-attr:tenant_id": volume.project_id,
    }
    if whole:
        view |= {"migration_status": None, "os-vol-host-attr:host": BACKEND}
        view |= {"os-vol-mig-status-attr:migstat": None, "os-vol-mig-status-attr:name_id": None}
    return {**view, "volume_image_metadata": volume.image_metadata} if volume.image_metadata else view


def snapshot_view(snapshot: Snapshot) -> Record:
    """Show a snapshot of a volume."""
    return {
        "id": snapshot.id,
        "name": snapshot.name,
        "description": snapshot.description,
        "volume_id": snapshot.volume_id,
        "status": snapshot.status,
        "size": snapshot.size,
        "metadata": snapshot.metadata,
        "created_at": microseconds(snapshot.created_at),
        "updated_at": microseconds(snapshot.updated_at) if snapshot.updated_at else None,
    }


def type_view(kind: VolumeType, *, whole: bool) -> Record:
    """Show a type of volumes; ``whole`` as administrators see it."""
    specs = {key: value for key, value in kind.extra_specs.items() if whole or key in _VISIBLE_SPECS}
    return {
        "id": kind.id,
        "name": kind.name,
        "is_public": kind.is_public,
        "description": kind.description,
        "extra_specs": specs,
        **({"qos_specs_id": kind.qos_specs_id} if whole else {}),
    }


def image_metadata_of(image: ImageRecord) -> dict[str, str]:
    """Return the values that a volume keeps of the image that it was made from (cinder/volume/volume_utils.py).

    A property with the name of a column yields to the column.
    """
    copied = ("container_format", "disk_format", "min_disk", "min_ram", "size", "checksum")
    metadata = {key: str(getattr(image, key)) for key in copied}
    properties = {key: str(value) for key, value in image.properties.items()}
    return {**properties, **metadata, "image_id": image.id, "image_name": str(image.name)}
