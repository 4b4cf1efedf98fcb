"""Captures that are refused before anything exists, and the choice of the volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, ConflictError, InvalidRequestError, NewCapture, NotAllowedError, QuotaExceededError
from hyperx_glance.capturing.checking import root_volume
from hyperx_glance.cloud.compute import ServerRecord
from hyperx_glance.cloud.volumes import Volume
from tests.support.clouds import sent
from tests.support.readers import assert_told
from tests.support.records import HIDING, make_image

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import Recorded
    from hyperx_glance.testing.memory.cinder.records import Volume as Stored

NEW = NewCapture(name="captured")


def begun(cloud: InMemoryCloud) -> list[Recorded]:
    """Return the requests that make a record or a copy."""
    asked = [*sent(cloud, "POST", "/action"), *sent(cloud, "POST", "/volumes")]
    return [each for each in asked if "createImage" in str(each.body) or "source_volid" in str(each.body)]


def root(cloud: InMemoryCloud, server_id: str) -> Stored:
    return cloud.cinder.volumes[cloud.nova.servers[server_id].volumes[0][0]]


def test_a_busy_server_is_refused(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    alice.start_capture(server, NEW)
    with pytest.raises(ConflictError, match=r"is busy: image_uploading\. Hint: Try again when that has finished"):
        alice.start_capture(server, NEW)
    assert len(begun(cloud)) == 1


def test_a_server_that_is_gone_wrong_is_refused(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    cloud.nova.servers[server].status = "ERROR"
    with pytest.raises(ConflictError, match="is ERROR; it must be one of ACTIVE") as caught:
        alice.capture(server, NEW)
    assert_told(caught.value)
    assert begun(cloud) == []


def test_an_encrypted_volume_is_refused(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    root(cloud, on_volume).encrypted = True
    with pytest.raises(ConflictError, match="is encrypted; an image of it would need its key") as caught:
        alice.capture(on_volume, NEW)
    assert_told(caught.value)
    assert begun(cloud) == []


def test_a_running_server_that_wants_quiet_is_refused_on_a_volume(
    cloud: InMemoryCloud, alice: Client, on_volume: str
) -> None:
    root(cloud, on_volume).image_metadata["os_require_quiesce"] = "yes"
    with pytest.raises(ConflictError, match="requires frozen file systems") as caught:
        alice.capture(on_volume, NEW)
    assert_told(caught.value)
    assert begun(cloud) == []
    cloud.nova.servers[on_volume].status = "SHUTOFF"
    assert alice.capture(on_volume, NEW).state == "ACTIVE"


def test_a_server_without_a_disk_is_refused(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    root(cloud, on_volume).image_metadata["disk_format"] = "iso"
    with pytest.raises(ConflictError, match="has no disk to capture") as caught:
        alice.capture(on_volume, NEW)
    assert_told(caught.value)
    assert begun(cloud) == []


def test_an_order_that_is_too_long_is_refused(alice: Client, server: str) -> None:
    with pytest.raises(InvalidRequestError, match="a capture carries at most 10198") as caught:
        alice.capture(server, NewCapture(name="web", description="x" * 20_000))
    assert_told(caught.value)


def test_an_id_drawn_long_ago_is_refused(alice: Client, server: str) -> None:
    with pytest.raises(InvalidRequestError, match="was drawn too long ago"):
        alice.capture(server, NewCapture(name="web", capture_id="20200101T000000Z-0f3a9c4e5b2d7861"))


def test_a_whole_volume_need_not_fit_where_it_is_packed(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_size_total", "dept-a", 100)
    with pytest.raises(QuotaExceededError, match="2048 more MiB of image data"):
        alice.start_capture(on_volume, NEW)
    alice.start_capture(on_volume, NewCapture(name="web", disk_format="qcow2")).cancel()


# ----------------------------------------------------------------- which volume


def volume(number: int, device: str, **fields: object) -> Volume:
    attachment = {"server_id": "81f", "device": device}
    return Volume.model_validate({"id": str(number), "size": 1, "attachments": (attachment,), **fields}, strict=False)


@pytest.mark.parametrize(
    ("devices", "image", "expected"),
    [
        (["/dev/vda"], "", "/dev/vda"),
        (["/dev/vdb", "/dev/vda"], "", "/dev/vda"),
        (["/dev/sda"], "", "/dev/sda"),
        (["/dev/vdb"], "", "/dev/vdb"),
        (["/dev/vdaa", "/dev/vdb"], "", "/dev/vdb"),
        (["nonsense", "/dev/xvdc"], "", "/dev/xvdc"),
        (["/dev/vdb"], "7c1", None),
        (["/dev/vda", "/dev/vdb"], "7c1", "/dev/vda"),
        ([], "7c1", None),
    ],
)
def test_the_root_is_the_first_device(devices: list[str], image: str, expected: str | None) -> None:
    shown = ServerRecord.model_validate({"id": "81f", "image": {"id": image} if image else ""})
    found = root_volume(shown, [volume(number, device) for number, device in enumerate(devices)])
    assert (found and found.device("81f")) == expected


def test_of_two_first_devices_the_bootable_one_is_the_root() -> None:
    shown = ServerRecord.model_validate({"id": "81f", "image": ""})
    data, boots = volume(1, "/dev/sda"), volume(2, "/dev/vda", bootable="true")
    assert root_volume(shown, [data, boots]) == boots


def test_a_volume_made_from_an_iso_is_not_the_root() -> None:
    shown = ServerRecord.model_validate({"id": "81f", "image": ""})
    iso, blank = volume(1, "/dev/sda", volume_image_metadata={"disk_format": "iso"}), volume(2, "/dev/sdb")
    assert root_volume(shown, [iso, blank]) == blank


@pytest.mark.parametrize("disk_format", [None, "raw", "vmdk"])
def test_a_volume_is_captured_only_into_a_format_that_glance_takes(
    cloud: InMemoryCloud, alice: Client, on_volume: str, disk_format: str | None
) -> None:
    cloud.glance.disk_formats = ["qcow2", "iso"]
    told = rf"takes no image of the format {disk_format or 'raw'}; it takes qcow2, iso"
    with pytest.raises(InvalidRequestError, match=told) as caught:
        alice.capture(on_volume, NewCapture.model_validate({"name": "captured", "disk_format": disk_format}))
    assert_told(caught.value)
    assert begun(cloud) == []


def test_a_disk_of_nova_is_captured_if_glance_takes_any_format_of_disks(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    cloud.glance.disk_formats = ["iso", "ploop"]
    with pytest.raises(InvalidRequestError, match="takes no image of the format qcow2 or raw or"):
        alice.capture(server, NEW)
    cloud.glance.disk_formats = ["qcow2"]
    cloud.glance.container_formats = ["ovf"]
    with pytest.raises(InvalidRequestError, match="container format bare"):
        alice.capture(server, NEW)
    assert begun(cloud) == []
    cloud.glance.container_formats = ["bare"]
    cloud.fail("glance", "GET", "/v2/schemas/image", status=404)
    assert alice.capture(server, NEW).name == "captured"


def test_nothing_is_captured_whose_properties_the_caller_cannot_read(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    make_image(cloud, hyperx_created_by=alice.cloud.user_id)
    cloud.glance.protections = HIDING

    with pytest.raises(NotAllowedError) as caught:
        alice.capture(server, NEW)

    assert caught.value.code == "own-properties-hidden"
    assert begun(cloud) == []
