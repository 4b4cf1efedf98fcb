"""Make and read images past this library, as another tool would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests import samples
from tests.support.clouds import unique

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.clouds import CloudUnderTest

IMAGE: Final = {"service_type": "image"}
HIDING: Final = """\
[^hyperx_]
create = @
read = admin
update = @
delete = @

[.*]
create = @
read = @
update = @
delete = @
"""
"""Property protections by which everybody writes what only administrators read."""
PATCH: Final = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def make_image(cloud: CloudUnderTest, user: str = "alice", *, sample: str | None = "disk.qcow2", **body: object) -> str:
    """Create an image as ``user``, with the data of a sample (None: none); return its id."""
    session = cloud.session(user)
    disk_format = samples.DISK_FORMATS[sample] if sample else "qcow2"
    record = {
        "name": unique("image"),
        "disk_format": disk_format,
        "container_format": "bare",
        "visibility": "private",
        **body,
    }
    image_id = str(session.post("/v2/images", json=record, endpoint_filter=IMAGE).json()["id"])
    if sample:
        session.put(
            f"/v2/images/{image_id}/file",
            data=samples.data(sample),
            headers={"Content-Type": "application/octet-stream"},
            endpoint_filter=IMAGE,
        )
    return image_id


def make_volume_snapshot(cloud: CloudUnderTest, user: str = "alice", **body: object) -> str:
    """Create what Nova makes of a server on volumes: no data, but the names of volume snapshots; return its id."""
    mapping = '[{"source_type": "snapshot", "destination_type": "volume", "snapshot_id": "7c1", "boot_index": 0}]'
    marks = {"bdm_v2": "True", "block_device_mapping": mapping, "root_device_name": "/dev/vda"}
    image_id = make_image(cloud, user, sample=None, disk_format="raw", **marks, **body)
    octets = {"Content-Type": "application/octet-stream"}
    cloud.session(user).put(f"/v2/images/{image_id}/file", data=b"", headers=octets, endpoint_filter=IMAGE)
    return image_id


def record_of(cloud: CloudUnderTest, image_id: str, user: str = "admin") -> dict[str, object]:
    """Read a record as Glance has it, without what changes by itself."""
    record: dict[str, object] = cloud.session(user).get(f"/v2/images/{image_id}", endpoint_filter=IMAGE).json()
    return {key: value for key, value in record.items() if key != "updated_at"}


def records_of(cloud: CloudUnderTest, *image_ids: str) -> dict[str, dict[str, object]]:
    """Read several records, by id."""
    return {image_id: record_of(cloud, image_id) for image_id in image_ids}


def without_ours(records: Mapping[str, Mapping[str, object]], *, but: str = "") -> dict[str, dict[str, object]]:
    """Return the same records without the properties of this library, except for one."""
    return {
        image_id: {key: value for key, value in record.items() if key == but or not key.startswith("hyperx_")}
        for image_id, record in records.items()
    }


def patch_record(cloud: CloudUnderTest, image_id: str, properties: Mapping[str, object], user: str = "admin") -> None:
    """Write keys of a record."""
    operations = [{"op": "add", "path": f"/{key}", "value": value} for key, value in properties.items()]
    cloud.session(user).patch(f"/v2/images/{image_id}", json=operations, headers=PATCH, endpoint_filter=IMAGE)


def exists(cloud: CloudUnderTest, image_id: str) -> bool:
    """Check whether Glance still has an image."""
    answer = cloud.session("admin").get(f"/v2/images/{image_id}", endpoint_filter=IMAGE, raise_exc=False)
    return bool(answer.status_code == 200)
