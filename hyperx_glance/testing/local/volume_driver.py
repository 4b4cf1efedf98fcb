"""A Cinder driver whose volumes are sparse files.

Cinder loads it in its own process; it cannot be imported where Cinder is not installed. (No example for that reason.)
"""

# ruff: noqa: FBT001, FBT002 - the signatures are Cinder's

import errno
import io
import os
import shutil
from pathlib import Path
from typing import Protocol

from cinder import exception, interface
from cinder.image import image_utils
from cinder.volume import configuration, driver
from oslo_config import cfg

from hyperx_glance.testing.local import releases

_OPTIONS = [cfg.StrOpt("file_volumes_directory", help="Where the volumes' files are.")]
cfg.CONF.register_opts(_OPTIONS, group=configuration.SHARED_CONF_GROUP)

# Formats whose bytes are the disk: copied as they are, so that qemu-img is not needed for them.
_PLAIN_FORMATS = ("iso", "raw")
_SECTOR = 512


class Volume(Protocol):
    """The part of `cinder.objects.Volume` that the driver reads; `size` is in GiB."""

    id: str
    size: int


class Snapshot(Protocol):
    """The part of `cinder.objects.Snapshot` that the driver reads."""

    id: str
    volume: Volume


class ImageService(Protocol):
    """The part of `cinder.image.glance.GlanceImageService` that the driver calls."""

    def download(self, context: object, image_id: str, data: object) -> None:
        """Write the image's bytes to `data`."""

    def show(self, context: object, image_id: str) -> dict[str, str]:
        """Return the image's record."""

    def update(self, context: object, image_id: str, image_meta: dict[str, object], data: object) -> None:
        """Upload `data`."""


@interface.volumedriver
class FileVolumeDriver(driver.VolumeDriver):
    """A driver that keeps each volume, and each snapshot, in a file named by its id."""

    VERSION = "1.0"

    def __init__(self, *arguments: object, **keywords: object) -> None:
        """Read the backend's options."""
        super().__init__(*arguments, **keywords)
        self.configuration.append_config_values(_OPTIONS)

    def check_for_setup_error(self) -> None:
        """Make the directory of the files."""
        self._directory().mkdir(parents=True, exist_ok=True)

    def _directory(self) -> Path:
        return Path(self.configuration.file_volumes_directory)

    def _path(self, volume: Volume | Snapshot) -> Path:
        return self._directory() / volume.id

    def _update_volume_stats(self) -> None:
        self._stats = {
            "volume_backend_name": self.configuration.volume_backend_name,
            "vendor_name": "HYPERX",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            # Sparse files: a terabyte of promises costs nothing.
            "total_capacity_gb": 100000,
            "free_capacity_gb": 90000,
            "provisioned_capacity_gb": 1,
            "reserved_percentage": 0,
            "thin_provisioning_support": True,
            "max_over_subscription_ratio": "10",
            "multiattach": False,
            "QoS_support": False,
        }

    def create_volume(self, volume: Volume) -> None:
        """Create an empty file of the volume's size."""
        with self._path(volume).open("wb") as file:
            file.truncate(volume.size << 30)

    def extend_volume(self, volume: Volume, new_size: int) -> None:
        """Lengthen the file to `new_size` GiB."""
        os.truncate(self._path(volume), new_size << 30)

    def delete_volume(self, volume: Volume) -> None:
        """Remove the file; a missing file counts as removed."""
        self._path(volume).unlink(missing_ok=True)

    def create_cloned_volume(self, volume: Volume, src_vref: Volume) -> None:
        """Copy another volume's file, which may be attached."""
        _copy(self._path(src_vref), self._path(volume))
        os.truncate(self._path(volume), volume.size << 30)

    def create_volume_from_snapshot(self, volume: Volume, snapshot: Snapshot) -> None:
        """Copy a snapshot's file."""
        _copy(self._path(snapshot), self._path(volume))
        os.truncate(self._path(volume), volume.size << 30)

    def create_snapshot(self, snapshot: Snapshot) -> None:
        """Copy the volume's file."""
        _copy(self._path(snapshot.volume), self._path(snapshot))

    def delete_snapshot(self, snapshot: Snapshot) -> None:
        """Remove the copy; a missing copy counts as removed."""
        self._path(snapshot).unlink(missing_ok=True)

    def clone_image(
        self,
        context: object,
        volume: Volume,
        image_location: object,
        image_meta: dict[str, str],
        image_service: ImageService,
    ) -> tuple[dict[str, str], bool]:
        """Copy an ISO or raw image into the volume; return False for others, which copy_image_to_volume then copies."""
        if image_meta.get("disk_format") not in _PLAIN_FORMATS or image_meta.get("container_format") != "bare":
            if not shutil.which("qemu-img"):
                # Otherwise, Cinder 29 fails on its way to "error", and the volume stays "creating" forever.
                raise exception.ImageUnacceptable(image_id=image_meta["id"], reason="qemu-img is not installed")
            return {}, False
        path = self._path(volume)
        with path.open("wb") as file:
            image_service.download(context, image_meta["id"], file)
        # As cinder/image/image_utils.py fetch_verify_image does: a qcow2 called raw may name a file of the host.
        found = releases.image_format(str(path))
        if found not in _PLAIN_FORMATS:
            raise exception.ImageUnacceptable(
                image_id=image_meta["id"], reason=f"said to be {image_meta['disk_format']}, found {found}"
            )
        os.truncate(path, volume.size << 30)
        return {}, True

    def copy_image_to_volume(
        self,
        context: object,
        volume: Volume,
        image_service: ImageService,
        image_id: str,
        disable_sparse: bool = False,
    ) -> None:
        """Convert the image to raw in the volume's file with qemu-img."""
        path = self._path(volume)
        image_utils.fetch_to_raw(context, image_service, image_id, str(path), "1M", size=volume.size, run_as_root=False)
        os.truncate(path, volume.size << 30)

    def copy_image_to_encrypted_volume(
        self,
        context: object,
        volume: Volume,
        image_service: ImageService,
        image_id: str,
        disable_sparse: bool = False,
    ) -> None:
        """Copy the image without encrypting it, since no hypervisor reads the file."""
        image = image_service.show(context, image_id)
        if not self.clone_image(context, volume, None, image, image_service)[1]:
            self.copy_image_to_volume(context, volume, image_service, image_id, disable_sparse)

    def copy_volume_to_image(
        self, context: object, volume: Volume, image_service: ImageService, image_meta: dict[str, str]
    ) -> None:
        """Upload the file as far as it has data, in whole sectors: the rest is a hole of gigabytes.

        Formats other than raw need qemu-img, as in Cinder itself.
        """
        path = self._path(volume)
        if image_meta["disk_format"] != "raw":
            image_utils.upload_volume(context, image_service, image_meta, str(path), run_as_root=False)
            return
        with path.open("rb") as file:
            image_service.update(context, image_meta["id"], {}, io.BytesIO(file.read(_end_of_data(path))))

    def ensure_export(self, context: object, volume: Volume) -> None:
        """Do nothing: the file stays in place."""

    def create_export(self, context: object, volume: Volume, connector: object) -> None:
        """Do nothing: the file stays in place."""

    def remove_export(self, context: object, volume: Volume) -> None:
        """Do nothing: the file stays in place."""

    def initialize_connection(self, volume: Volume, connector: object) -> dict[str, object]:
        """Return the location of the file, in the one form in which Nova attaches an existing file.

        nova/virt/libvirt/volume/gpfs.py; the fake hypervisor does not read it.
        """
        return {"driver_volume_type": "gpfs", "data": {"device_path": str(self._path(volume))}}

    def terminate_connection(self, volume: Volume, connector: object, **options: object) -> None:
        """Do nothing: nothing was connected."""


def _end_of_data(path: Path) -> int:
    """Return the position at which the last data of a sparse file ends, in whole sectors and at least one."""
    end = 0
    with path.open("rb") as file:
        while True:
            try:
                end = os.lseek(file.fileno(), os.lseek(file.fileno(), end, os.SEEK_DATA), os.SEEK_HOLE)
            except OSError as error:
                if error.errno != errno.ENXIO:  # no data behind this point
                    raise
                return max(-(-end // _SECTOR), 1) * _SECTOR


def _copy(source: Path, target: Path) -> None:
    """Copy a sparse file, and leave its holes out."""
    with source.open("rb") as read, target.open("wb") as written:
        length = os.fstat(read.fileno()).st_size
        written.truncate(length)
        begin = 0
        while begin < length:
            try:
                begin = os.lseek(read.fileno(), begin, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:  # no data behind this point
                    raise
                return
            end = os.lseek(read.fileno(), begin, os.SEEK_HOLE)
            while begin < end:
                begin += os.copy_file_range(read.fileno(), written.fileno(), end - begin, begin, begin)
