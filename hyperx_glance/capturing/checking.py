"""The checks of a capture before anything exists: the server, its disk, what the image inherits, room.

>>> client.capture("no-such-server", NewCapture(name="web"))
Traceback (most recent call last):
hyperx_glance.errors.NotFoundError: ...
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from hyperx_glance.capturing import services
from hyperx_glance.capturing.order import CaptureOrder
from hyperx_glance.cloud import compute, hidden, volumes
from hyperx_glance.cloud.formats import check_formats, formats
from hyperx_glance.errors import (
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.fields import FOUR_BYTES, LARGEST_CHARACTER
from hyperx_glance.quotas.reading import image_quota, quota_of, volume_quota
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import FIELDS, ISO_FORMAT, Category, Stored
from hyperx_glance.waiting.ids import check_fresh, draw_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.compute import ServerRecord
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.cloud.volumes import Volume
    from hyperx_glance.models.capturing import NewCapture
    from hyperx_glance.models.image import Image

LOG = logging.getLogger(__name__)
ROOT_DEVICE_KEY = "root_device_name"
"""The property of an image by which Nova calls the root of its servers (nova/compute/api.py)."""
_MIB_IN_GIB = 1024
_WITH_A_DISK = ("ACTIVE", "PAUSED", "SHUTOFF", "SUSPENDED")
"""States of servers of which Nova makes snapshots (nova/compute/api.py, snapshot)."""
_FORMATS_OF_NOVA = ("qcow2", "raw", "vmdk", "vdi", "vhd")
_YES = ("1", "on", "t", "true", "y", "yes")  # as oslo_utils/strutils.py reads it
_INHERITED_TEXTS = tuple(
    field.name for field in FIELDS if field.stored is Stored.TEXT and field.name in ImageChanges.model_fields
)
_LONGEST_INHERITED_BYTES = 255
"""The longest value of a property that Nova keeps (nova/utils.py, get_system_metadata_from_image)."""


class Checked(NamedTuple):
    """An order that may be sent, and the volume to copy; None if Nova keeps the disk."""

    order: CaptureOrder
    root: Volume | None


def check(context: Context, server_id: str, new: NewCapture) -> Checked:
    """Ask the services, and return the order; raise the first reason against it."""
    cloud = context.cloud
    if new.category is Category.FEATURED and not cloud.is_administrator:
        raise NotAllowedError(say("only-administrators-capture-featured"), hint=say("choose-public"))
    _check_texts(new)
    if not cloud.is_administrator and (keys := hidden.on_own_images(cloud)):
        raise hidden.refusal(keys)
    doubt = None if new.capture_id is None else _check_id(cloud, new.capture_id)
    server = compute.server(cloud, server_id)
    check_server(cloud, server)
    attached = _attached(cloud, server)
    _check_root_name(cloud, server, attached)
    root = root_volume(server, attached)
    if root is None and new.disk_format is not None:
        raise InvalidRequestError(
            say("wrong-field", field=field_name("disk_format"), problem=say("nova-chooses-the-format"))
        )
    if root is not None:
        if doubt is not None:  # a disk that Nova keeps needs no Cinder
            raise doubt
        _check_root(server, root)
    _check_format(cloud, new, root)
    source = _source(cloud, server, root)
    _check_room(context, new, root)
    order = CaptureOrder(
        capture_id=new.capture_id or draw_id(datetime.now(UTC)),
        server_id=server.id,
        user_id=cloud.user_id,
        new=new,
        disk_gib=None if root is None else root.size,
    )
    order.texts()
    return Checked(_inheriting(order, source, root), root)


def _check_texts(new: NewCapture) -> None:
    """Refuse strings that Glance refuses, before the disk is copied (glance/common/utils.py, no_4byte_params)."""
    texts = {
        "name": new.name,
        "properties": "".join([*new.properties, *new.properties.values()]),
        **{field: getattr(new, field) for field in _INHERITED_TEXTS},
    }
    wrong = sorted(field for field, text in texts.items() if text and max(text) > LARGEST_CHARACTER)
    if wrong:
        fields = [field_name(field) for field in wrong]
        raise InvalidRequestError(say("wrong-field", field=fields, problem=say(FOUR_BYTES)))


def _check_id(cloud: Cloud, capture_id: str) -> ServiceUnavailableError | None:
    """Refuse the id of an earlier capture; return the error if Cinder, which has copies of volumes, cannot be asked."""
    check_fresh("capture_id", capture_id)
    found: Sequence[Image | Volume] = services.records(cloud, capture_id)
    doubt = None
    try:
        if not found and cloud.has("block-storage"):
            found = services.copies(cloud, capture_id)
    except ServiceUnavailableError as error:
        doubt = error
    if found:
        raise ConflictError(
            say("capture-exists", capture=capture_id), hint=say("find-that-capture", capture=capture_id)
        )
    return doubt


def check_server(cloud: Cloud, server: ServerRecord) -> None:
    """Refuse a server by its record alone."""
    if server.project_id != cloud.project_id:
        # The image would belong to the administrator's department, and be shared with the server's
        # (nova/compute/utils.py, initialize_instance_snapshot_metadata).
        raise NotAllowedError(
            say("server-of-another-department", server=server.id), hint=say("connect-to-that-department")
        )
    if server.task_state is not None:
        raise ConflictError(
            say("server-is-busy", server=server.id, task=server.task_state), hint=say("try-again-when-finished")
        )
    if server.status not in _WITH_A_DISK:
        raise ConflictError(
            say("server-in-wrong-status", server=server.id, status=server.status, statuses=_WITH_A_DISK)
        )
    if not (server.image_id or server.volumes):
        raise _no_disk(server)


# ----------------------------------------------------------------- the disk


def _attached(cloud: Cloud, server: ServerRecord) -> list[Volume]:
    """Read the server's volumes; raise if Cinder has the only disk and cannot be asked."""
    if not server.volumes or (server.image_id and not cloud.has("block-storage")):
        return []
    return [volumes.volume(cloud, each.id) for each in server.volumes]


def root_volume(server: ServerRecord, attached: Sequence[Volume]) -> Volume | None:
    """Return the volume that the server runs on, or None if it runs on a disk that Nova keeps.

    Members see neither the root device's name nor boot indexes. The root is the first device that is not an ISO: "a" of
    any bus. A server whose record names an image runs on a volume only if the volume is such a device.
    """
    disks = sorted((each for each in attached if not _is_iso(each)), key=lambda each: _place(each, server))
    if server.image_id:
        return disks[0] if disks and _letters(disks[0].device(server.id)) == "a" else None
    if not disks:
        raise _no_disk(server)
    return disks[0]


def _no_disk(server: ServerRecord) -> ConflictError:
    return ConflictError(say("server-has-no-disk", server=server.id), hint=say("capture-from-a-disk"))


def _check_root_name(cloud: Cloud, server: ServerRecord, attached: Sequence[Volume]) -> None:
    """Refuse a server whose image does not give the root the first name, because another disk may have that name."""
    disks = [each for each in attached if not _is_iso(each)]
    if len(disks) + bool(server.image_id) < 2:  # with two disks, one of them may be the root
        return
    names = {each.of_image(ROOT_DEVICE_KEY) for each in disks}
    if server.image_id:
        with contextlib.suppress(NotFoundError, NotAllowedError):
            names.add(cloud.image(server.image_id).glance_property(ROOT_DEVICE_KEY))
    odd = sorted(name for name in names if name and _letters(name) != "a")
    if odd:
        raise ConflictError(
            say("root-disk-unknown", server=server.id, device=repr(odd[0])), hint=say("detach-other-volumes")
        )


def _is_iso(volume: Volume) -> bool:
    return volume.of_image("disk_format") == ISO_FORMAT


def _place(volume: Volume, server: ServerRecord) -> tuple[int, str, bool, str]:
    device = volume.device(server.id)
    letters = _letters(device)
    return len(letters) or 99, letters, volume.bootable != "true", device


def _letters(device: str) -> str:
    """Return the letters that distinguish the devices of a bus: "b" of /dev/vdb."""
    found = re.fullmatch(r"(?:/dev/)?(?:xv|[hsv])d([a-z]+)", device)
    return found[1] if found else ""


def _check_root(server: ServerRecord, root: Volume) -> None:
    if root.encrypted:
        raise ConflictError(
            say("volume-is-encrypted", volume=root.id, server=server.id), hint=say("capture-unencrypted")
        )
    # Nova would ask the guest's agent to freeze the file systems; Cinder copies without asking.
    quiesced = root.of_image("os_require_quiesce").lower() in _YES
    if quiesced and server.status != "SHUTOFF":
        raise ConflictError(
            say("server-needs-frozen-file-systems", server=server.id), hint=say("stop-the-server-first")
        )


def _check_format(cloud: Cloud, new: NewCapture, root: Volume | None) -> None:
    """Refuse a format that Glance does not take; otherwise, it refuses the image after the disk was copied.

    Nova's driver chooses the format when it has copied the disk (nova/virt/libvirt/driver.py, snapshot).
    """
    check_formats(formats(cloud), *(_FORMATS_OF_NOVA if root is None else [new.disk_format or "raw"]))


# ----------------------------------------------------------------- inheritance


def _source(cloud: Cloud, server: ServerRecord, root: Volume | None) -> Image | None:
    """Read the image that the disk was made from; return None if it is gone, or if there never was one."""
    image_id = server.image_id if root is None else root.of_image("image_id")
    if not image_id:
        return None
    try:
        image = cloud.image(image_id)
    except (NotFoundError, NotAllowedError):
        return None
    if root is None and image.disk_format == ISO_FORMAT:
        raise ConflictError(
            say("server-runs-from-iso", server=server.id, image=image.name or image.id), hint=say("install-the-iso")
        )
    return image


def _inheriting(order: CaptureOrder, source: Image | None, root: Volume | None) -> CaptureOrder:
    """Add to the order the values that neither Nova nor Cinder copies: tags, long strings and, for volumes, the memory.

    The longest of these are left out if the order would become too long, since another department may have written
    them.
    """
    inherited = _inherited(order.new, source, root)
    while True:
        whole = dataclasses.replace(order, new=order.new.model_copy(update=inherited))
        if whole.fits or not inherited:
            return whole
        longest = max(inherited, key=lambda field: len(str(inherited[field])))
        del inherited[longest]
        LOG.warning("Capture %s does not inherit the %s of the server's image: too long", order.capture_id, longest)


def _inherited(new: NewCapture, source: Image | None, root: Volume | None) -> dict[str, object]:
    inherited: dict[str, object] = {}
    given = new.model_fields_set
    if "tags" not in given and source is not None:
        inherited["tags"] = frozenset(source.tags)
    if root is not None and "min_ram_mib" not in given:
        memory = root.of_image("min_ram")
        inherited["min_ram_mib"] = int(memory) if re.fullmatch("[0-9]{1,9}", memory) else 0
    if root is None and source is not None:
        texts = {field: _written(source, field) for field in _INHERITED_TEXTS if field not in given}
        inherited |= {
            field: text
            for field, text in texts.items()
            if len(text.encode(errors="replace")) > _LONGEST_INHERITED_BYTES
        }
    return inherited


def _written(image: Image, field: str) -> str:
    return image.glance_property("hyperx_os_name") if field == "os_name" else str(getattr(image, field))


# ----------------------------------------------------------------- room


def _check_room(context: Context, new: NewCapture, root: Volume | None) -> None:
    """Refuse a capture that cannot fit. The amount of data on a disk is unknown until the disk is copied."""
    own = context.departments.own()
    if root is None:
        image_quota(context, own).check_room(images=1)
        return
    requested = {"images": 1, "volumes": 1, "volume_gib": root.size}
    if new.disk_format in (None, "raw"):
        requested["image_size_mib"] = root.size * _MIB_IN_GIB
    quota_of(context, own, image_quota, volume_quota).check_room(**requested)
