"""What the in-memory Nova checks of an image and of disks before it takes a request (nova/compute/api.py)."""

from __future__ import annotations

import re

from hyperx_glance.testing.memory.glance.records import ImageRecord, visible
from hyperx_glance.testing.memory.nova.records import GIB, Flavor
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused

_BUSES = ("ide", "sata", "scsi", "usb", "virtio", "fdc", "uml", "lxc", "xen", None)

_KINDS = {"source_type": ("volume", "image", "snapshot", "blank"), "destination_type": ("local", "volume")}
_DISK_KEYS = (
    "boot_index",
    "uuid",
    "source_type",
    "destination_type",
    "volume_size",
    "volume_type",
    "device_name",
    "device_type",
    "disk_bus",
    "guest_format",
    "delete_on_termination",
    "no_device",
    "tag",
)


class Disks(State):
    """The part of Nova that checks images and disks of new servers."""

    def _image(self, call: Call, body: Record, flavor: Flavor) -> ImageRecord | None:
        reference = body.get("imageRef")
        if not reference:
            if not body.get("block_device_mapping_v2"):
                raise Refused(400, "Missing imageRef attribute")
            return None
        image = self._glance.image(reference)
        if image is None or not visible(call.who, image):
            raise Refused(400, "Can not find requested image")
        root_is_volume = any(
            _boot_index(disk) == 0 and disk.get("destination_type") == "volume"
            for disk in body.get("block_device_mapping_v2", ())
        )
        # Policy zero_disk_flavor: for an administrator, a disk of 0 is as large as the image.
        any_disk = root_is_volume or (not flavor.disk and call.who.is_administrator)
        self._check_fit(image, flavor, None if any_disk else flavor.disk)
        return image

    def _first_disk(self, body: Record) -> ImageRecord | None:
        """Return the image that the root volume is made of (nova/block_device.py, get_bdm_image_metadata)."""
        disks = [each for each in body.get("block_device_mapping_v2", ()) if _boot_index(each) == 0]
        return self._glance.image(disks[0]["uuid"]) if disks and disks[0].get("source_type") == "image" else None

    def _check_fit(self, image: ImageRecord, flavor: Flavor, disk_gib: int | None) -> None:
        """Refuse an image that is not active or does not fit (nova/compute/api.py, _validate_flavor_image)."""
        if image.status != "active":
            raise Refused(400, f"Image {image.id} is not active.")
        if flavor.ram < image.min_ram:
            raise Refused(400, "Flavor's memory is too small for requested image.")
        if disk_gib is None:
            return
        if disk_gib == 0:
            raise Refused(403, "Only volume-backed servers are allowed for flavors with zero disk.")
        if (image.size or 0) > disk_gib * GIB:
            raise Refused(
                400,
                "Flavor's disk is too small for requested image. "
                f"Flavor disk is {disk_gib * GIB} bytes, image is {image.size} bytes.",
            )
        if image.min_disk > disk_gib:
            raise Refused(
                400,
                "Flavor's disk is smaller than the minimum size specified in image metadata. "
                f"Flavor disk is {disk_gib * GIB} bytes, minimum size is {image.min_disk * GIB} bytes.",
            )

    def _check_disks(self, call: Call, body: Record, flavor: Flavor, most: int) -> None:
        """Refuse disks that Nova does not make (nova/compute/api.py, _validate_bdm)."""
        disks = body.get("block_device_mapping_v2", [])
        wrong = "Block Device Mapping is Invalid"
        given = [_boot_index(disk) for disk in disks]
        indexes = sorted(index for index in given if index is not None and index >= 0)
        if body.get("imageRef") and 0 not in indexes:
            indexes = [0, *indexes]
        if disks and (not indexes or indexes != list(range(len(indexes)))):
            raise Refused(
                400, f"{wrong}: Boot sequence for the instance and image/block device mapping combination is not valid."
            )
        for disk in disks:
            self._check_disk(call, body, flavor, disk)
        if most > 1 and any(disk.get("source_type") == "volume" for disk in disks):
            raise Refused(400, "Cannot attach one or more volumes to multiple instances")

    def _check_disk(self, call: Call, body: Record, flavor: Flavor, disk: Record) -> None:
        wrong = "Block Device Mapping is Invalid"
        kind = (disk.get("source_type"), disk.get("destination_type"))
        for key in disk:
            if key not in _DISK_KEYS:
                raise invalid("0", disk, f"Additional properties are not allowed ({key!r} was unexpected)")
        _check_kinds(disk)
        if disk.get("disk_bus") not in _BUSES:
            raise Refused(400, f"{wrong}.")
        _check_size(disk.get("volume_size", 1))
        if disk.get("volume_type") and not self._cinder.type_called(disk["volume_type"]):
            raise Refused(400, f"Volume type {disk['volume_type']} could not be found.")
        if kind == ("blank", "volume") and not disk.get("volume_size"):
            raise Refused(400, "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size")
        if kind == ("blank", "local") and not flavor.ephemeral:
            raise Refused(400, f"{wrong}: Ephemeral disks requested are larger than the instance type allows.")
        if kind[0] == "image":
            self._check_image_disk(call, body, flavor, disk)
        if kind[0] == "volume":
            self._check_volume(body, disk)

    def _check_volume(self, body: Record, disk: Record) -> None:
        volume = self._cinder.volumes.get(str(disk.get("uuid")))
        if volume is None:
            raise Refused(400, f"Block Device Mapping is Invalid: failed to get volume {disk.get('uuid')}.")
        # With an image Nova does not ask (nova/compute/api.py, _create_instance).
        if not body.get("imageRef") and _boot_index(disk) == 0 and not volume.bootable:
            raise Refused(400, f"Block Device {volume.id} is not bootable.")

    def _check_image_disk(self, call: Call, body: Record, flavor: Flavor, disk: Record) -> None:
        wrong = "Block Device Mapping is Invalid"
        image = self._glance.image(str(disk.get("uuid")))
        if image is None or not visible(call.who, image):
            raise Refused(400, f"{wrong}: failed to get image {disk.get('uuid')}.")
        if disk.get("destination_type") == "volume":
            self._check_image_volume(image, flavor, disk)
        elif _boot_index(disk) != 0 or disk["uuid"] != body.get("imageRef"):
            raise Refused(400, f"{wrong}: Mapping image to local is not supported.")

    def _check_image_volume(self, image: ImageRecord, flavor: Flavor, disk: Record) -> None:
        if not disk.get("volume_size"):
            raise Refused(400, "Images with destination_type 'volume' need to have a non-zero size specified")
        if _boot_index(disk) == 0:
            self._check_fit(image, flavor, None)
            size = int(disk["volume_size"])
            if image.min_disk > size:
                raise Refused(
                    400,
                    "Volume is smaller than the minimum size specified in image metadata. "
                    f"Volume size is {size * GIB} bytes, minimum size is {image.min_disk * GIB} bytes.",
                )


def _boot_index(disk: Record) -> int | None:
    """Read a disk's place in the boot order, which may be a string, as openstacksdk sends it."""
    index = disk.get("boot_index")
    if index is None or str(index).lower() == "none":
        return None
    if not re.fullmatch("-?[0-9]+", str(index)):
        raise invalid("boot_index", index, f"{index!r} does not match '^-?[0-9]+$'")
    return int(index)


def _check_kinds(disk: Record) -> None:
    for key, words in _KINDS.items():
        if key in disk and disk[key] not in words:
            raise invalid(key, disk[key], f"{disk[key]!r} is not one of {list(words)!r}")


def _check_size(size: object) -> None:
    if not isinstance(size, int | str):
        raise invalid("volume_size", size, f"{size!r} is not of type 'integer', 'string'")
    if not re.fullmatch("[0-9]*", str(size)):
        raise invalid("volume_size", size, f"{size!r} does not match '^[0-9]+$'")
