"""Cinder's volumes, as every verb reads them.

>>> from hyperx_glance.cloud.volumes import volumes
>>> list(volumes(cloud))
[]
"""

from collections.abc import Iterator, Mapping
from json import dumps

from pydantic import Field

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud, resource_path
from hyperx_glance.cloud.pages import Listed, ListPage, collection, listed

PAGE = 1000


class Attachment(Shape):
    """The place of a volume in a server."""

    server_id: str | None = None
    device: str | None = None


class VolumeOfImage(Listed):
    """The part of a volume's record that says where the volume comes from and which servers have it.

    Nothing else is read, so that no odd record of another department fails an administrator's list.
    """

    attachments: tuple[Attachment, ...] | None = None
    volume_image_metadata: dict[str, str | None] | None = None

    def of_image(self, key: str) -> str:
        """Return a value that Cinder copied from the record of the volume's image; "" if there is no such property."""
        return (self.volume_image_metadata or {}).get(key) or ""


class Volume(VolumeOfImage):
    """Cinder's view of a volume; ``size`` is GiB."""

    name: str | None = None
    status: str = ""
    size: int = 0
    encrypted: bool = False
    bootable: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()

    def device(self, server_id: str) -> str:
        """Return the name of the volume's device in a server; "" if Cinder does not name it."""
        return next((each.device or "" for each in self.attachments or () if each.server_id == server_id), "")


class OneVolume(Shape):
    """Cinder's response that shows one volume."""

    volume: Volume


class _VolumePage(ListPage[Volume], alias_generator=collection("volumes")):
    pass


class _VolumeOfImagePage(ListPage[VolumeOfImage], alias_generator=collection("volumes")):
    pass


def volume(cloud: Cloud, volume_id: str) -> Volume:
    """Read one volume."""
    return cloud.get_parsed(OneVolume, "block-storage", volume_path(volume_id)).volume


def volumes(cloud: Cloud, *, metadata: Mapping[str, str] | None = None) -> Iterator[Volume]:
    """Iterate over the volumes that have this metadata: one request for each page."""

    def read(params: Mapping[str, object]) -> _VolumePage:
        return cloud.get_parsed(_VolumePage, "block-storage", "/volumes/detail", params=params)

    asked: dict[str, object] = {"limit": PAGE}
    if metadata:
        asked["metadata"] = dumps(metadata)
    wanted = (metadata or {}).items()
    # An operator may switch the filter off: then Cinder shows every volume (cinder/api/api_utils.py).
    return (each for each in listed("block-storage", read, asked) if wanted <= each.metadata.items())


def volumes_of_images(cloud: Cloud, criteria: Mapping[str, str], *, page_size: int) -> Iterator[VolumeOfImage]:
    """Iterate over the volumes that match Cinder's own criteria, with only the fields about their images."""

    def read(params: Mapping[str, object]) -> _VolumeOfImagePage:
        return cloud.get_parsed(_VolumeOfImagePage, "block-storage", "/volumes/detail", params=params)

    return listed("block-storage", read, {**criteria, "limit": page_size})


def volume_path(volume_id: str, *more: str) -> str:
    """Return the path of a volume, or of something below it."""
    return resource_path("volumes", volume_id, *more)
