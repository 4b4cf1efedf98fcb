"""The requests of a capture to Nova, Cinder and Glance.

>>> from hyperx_glance.capturing.services import records
>>> records(cloud, "no-such-capture")
[]
"""

from __future__ import annotations

from collections.abc import Mapping

import pydantic
from pydantic import Field

from hyperx_glance.capturing.order import CAPTURE_KEY, CaptureOrder
from hyperx_glance.cloud import pages
from hyperx_glance.cloud.answers import Shape, parsed
from hyperx_glance.cloud.cloud import Cloud, Json, resource_path
from hyperx_glance.cloud.compute import nova, server_path
from hyperx_glance.cloud.formats import CONTAINER_FORMAT
from hyperx_glance.cloud.volumes import OneVolume, Volume, volume, volume_path, volumes
from hyperx_glance.errors import ConflictError, InvalidRequestError, NotAllowedError, NotFoundError
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import GONE, is_being_captured, is_cancelled_capture
from hyperx_glance.vocabulary import (
    CAPTURE_CANCELLED_KEY,
    CAPTURE_ORDER_KEY,
    OWNER_NOTE_KEY,
    SERVER_NOTE_KEY,
    VOLUMES_KEY,
)

UPLOAD_MICROVERSION = "3.1"
"""Cinder of Ocata (2017), whose uploads may be private from the beginning."""
DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing", "error_deleting")
"""States in which Cinder deletes a volume (cinder/volume/api.py, delete)."""


class _Created(Shape):
    image_id: str


class _Metadata(Shape):
    metadata: dict[str, str]


class _Device(Shape):
    snapshot_id: str | None = None


_SNAPSHOTS = pydantic.TypeAdapter(tuple[_Device, ...])


class _UploadAnswer(Shape):
    upload: _Created = Field(alias="os-volume_upload_image")


# ----------------------------------------------------------------- Nova


def create_image(cloud: Cloud, order: CaptureOrder) -> str:
    """Let Nova copy the server's disk into a new image, and return its id; sent once.

    The server's image may name a department with which Nova would share the copy; an empty string takes its place
    (nova/compute/utils.py, initialize_instance_snapshot_metadata).
    """
    metadata = {**order.texts(), OWNER_NOTE_KEY: ""}
    body: dict[str, Json] = {"createImage": {"name": order.name, "metadata": metadata}}
    answer = nova(cloud, "POST", server_path(order.server_id, "action"), json=body)
    return parsed(_Created, "compute", answer).image_id


# ----------------------------------------------------------------- Cinder


def copies(cloud: Cloud, capture_id: str) -> list[Volume]:
    """List a capture's copies of volumes: one request, unless an operator switched the filter off."""
    return list(volumes(cloud, metadata={CAPTURE_KEY: capture_id}))


def copy_of_id(cloud: Cloud, volume_id: str) -> list[Volume]:
    """Return the copy with this id; nothing if Cinder no longer has it."""
    try:
        return [volume(cloud, volume_id)]
    except NotFoundError:
        return []


def copy_volume(cloud: Cloud, source: Volume, order: CaptureOrder) -> Volume:
    """Let Cinder copy a volume, which may be attached; sent once."""
    body: dict[str, Json] = {
        "volume": {
            "name": f"capture {order.capture_id}",
            "source_volid": source.id,
            "size": source.size,
            "metadata": order.texts(),
        }
    }
    answer = cloud.post("block-storage", "/volumes", json=body)
    return parsed(OneVolume, "block-storage", answer.content).volume


def write_image_metadata(cloud: Cloud, volume_id: str, metadata: Mapping[str, str]) -> None:
    """Write the properties that the image made from a volume inherits; it may be sent again.

    Cinder takes an image's properties from there alone (cinder/volume/api.py, _merge_volume_image_meta).
    """
    body: dict[str, Json] = {"os-set_image_metadata": {"metadata": metadata}}
    parsed(_Metadata, "block-storage", cloud.post("block-storage", volume_path(volume_id, "action"), json=body).content)


def upload(cloud: Cloud, volume_id: str, order: CaptureOrder) -> str:
    """Let Cinder upload a volume into a new image, and return its id. Cinder refuses a volume that is uploading."""
    asked: dict[str, Json] = {"image_name": order.name, "container_format": CONTAINER_FORMAT, "visibility": "private"}
    if order.new.disk_format is not None:
        asked["disk_format"] = order.new.disk_format
    answer = cloud.post(
        "block-storage",
        volume_path(volume_id, "action"),
        json={"os-volume_upload_image": asked},
        microversion=UPLOAD_MICROVERSION,
    )
    return parsed(_UploadAnswer, "block-storage", answer.content).upload.image_id


def delete_copy(cloud: Cloud, copy: Volume, *, stuck: bool = False) -> None:
    """Delete a copy if its state allows it now; the next look asks again.

    A copy that is ``stuck`` may have no host, since Cinder died before it chose one. Cinder deletes such a copy in any
    state, and refuses others (cinder/volume/api.py, delete).
    """
    if copy.status not in DELETABLE and not stuck:
        return
    try:
        cloud.delete("block-storage", volume_path(copy.id))
    except (NotFoundError, InvalidRequestError):
        return


def snapshots_named_by(record: Image) -> frozenset[str]:
    """Return the ids of the volume snapshots that Nova makes instead of data (nova/compute/api.py)."""
    try:
        named = _SNAPSHOTS.validate_json(record.glance_property(VOLUMES_KEY))
    except pydantic.ValidationError:
        return frozenset()
    return frozenset(each.snapshot_id for each in named if each.snapshot_id)


def delete_snapshot(cloud: Cloud, snapshot_id: str) -> bool:
    """Delete a volume snapshot; return False if it is gone. Cinder refuses while it is being made."""
    try:
        cloud.delete("block-storage", resource_path("snapshots", snapshot_id))
    except NotFoundError:
        return False
    except InvalidRequestError:
        return True
    return True


# ----------------------------------------------------------------- Glance


def records(cloud: Cloud, capture_id: str) -> list[Image]:
    """List the department's records of a capture, the oldest first; records of other departments are not trusted."""
    asked = [
        (CAPTURE_KEY, capture_id),
        ("owner", cloud.project_id),
        ("visibility", "all"),
        ("sort", "created_at:asc,id:asc"),
    ]
    return [record for record in pages.read(cloud, asked) if is_of(record, capture_id)]


def claim(cloud: Cloud, record: Image) -> bool:
    """Remove the first piece of the order, so that no process can finish the record; return False if it is gone.

    The patch that finishes a capture removes it, too, and Glance refuses to remove a property twice
    (glance/api/v2/images.py, _do_remove). So only the first of the two patches succeeds. Who may not edit the record
    cannot finish it, either, and may still delete it.
    """
    if is_cancelled_capture(record):
        return True
    operations = [
        {"op": "remove", "path": f"/{CAPTURE_ORDER_KEY}"},
        {"op": "add", "path": f"/{CAPTURE_CANCELLED_KEY}", "value": record.capture_id},
    ]
    try:
        cloud.patch_image(record.id, operations)
    except NotAllowedError:
        return True
    except (ConflictError, NotFoundError):
        return False
    return True


def is_of(record: Image, capture_id: str) -> bool:
    """Check whether a record is this capture's own: one that it works on, or the finished image.

    Nova and Cinder copy the properties of a server's image onto what they make from the server. So a snapshot of a
    server that was made from a captured image has that capture's marks. The image itself has none of Nova's notes.
    """
    if record.capture_id != capture_id or record.glance_status in GONE:
        return False
    noted = record.glance_property(SERVER_NOTE_KEY) or record.glance_property(VOLUMES_KEY)
    return not noted or is_being_captured(record)
