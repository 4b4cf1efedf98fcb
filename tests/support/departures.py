"""Images that have what this library writes, in a cloud in memory, and their records before and after."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from hyperx_glance import vocabulary

if TYPE_CHECKING:
    from hyperx_glance import Departure
    from hyperx_glance.testing import InMemoryCloud

EVERY = {field.key: "true" for field in vocabulary.FIELDS if field.own} | {"hyperx_of_an_old_release": "1"}
ORDINARY = {
    "description": "Debian 12",
    "os_distro": "debian",
    "os_admin_user": "debian",
    "hw_qemu_guest_agent": "yes",
    "architecture": "x86_64",
    "my_key": "my value",
}
URL = "http://files.example/disk.qcow2"


def add(cloud: InMemoryCloud, owner: str = "dept-a", **record: Any) -> str:  # noqa: ANN401  # columns
    """Put an image into Glance."""
    fields = {"name": "debian", "status": "active", "disk_format": "qcow2", "visibility": "private", **record}
    return cloud.glance.add_image(owner=owner, **fields)


def snapshot(cloud: InMemoryCloud) -> dict[str, dict[str, Any]]:
    """Copy every record, without the time of its last change."""
    return {
        image.id: {
            field.name: copy.deepcopy(getattr(image, field.name))
            for field in dataclasses.fields(image)
            if field.name != "updated_at"
        }
        for image in cloud.glance.images.values()
    }


def without_ours(records: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the same records as they should be afterwards."""
    return {
        image_id: {
            **record,
            "properties": {key: text for key, text in record["properties"].items() if not key.startswith("hyperx_")},
        }
        for image_id, record in records.items()
    }


def ours(cloud: InMemoryCloud, image_id: str) -> set[str]:
    return {key for key in cloud.glance.images[image_id].properties if key.startswith("hyperx_")}


def by_id(departures: list[Departure]) -> dict[str, Departure]:
    assert len({departure.image_id for departure in departures}) == len(departures)
    return {departure.image_id: departure for departure in departures}
