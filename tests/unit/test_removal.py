"""Records that are being written to: no verb deletes one in a way that loses its place in the quota."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    CaptureFailedError,
    Client,
    HyperxGlanceError,
    LaunchRequest,
    NewCapture,
    NewImage,
    Pace,
    PlaceLostError,
    WaitTimeoutError,
    removal,
)
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Departments
from tests import samples
from tests.support.clouds import HASTY, ClientFactory, Clock, sent
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import Recorded, Reply

NEW = NewCapture(name="captured", capture_id="capture-0001")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(cloud: InMemoryCloud, clock: Clock) -> ClientFactory:
    """Connect users to a Glance that loses places; time passes only during sleeps."""
    cloud.glance.loses_places = True
    pace = Pace(first_interval=1, longest_interval=5, deadline=600, sleep=clock.sleep, clock=clock)
    ClientFactory(cloud, HASTY)("admin").set_quota("dept-a", image_size_mib=10_000)
    return ClientFactory(cloud, dataclasses.replace(HASTY, pace=pace))


@pytest.fixture
def alice(client: ClientFactory) -> Client:
    return client("alice")


@pytest.fixture(params=["disk", "volume"])
def server(cloud: InMemoryCloud, alice: Client, request: pytest.FixtureRequest) -> str:
    size = 2 if request.param == "volume" else None
    asked = LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=size)
    return alice.launch(make_image(cloud, "alice"), asked).servers[0].id


@pytest.fixture
def on_disk(cloud: InMemoryCloud, alice: Client) -> str:
    return alice.launch(make_image(cloud, "alice"), LaunchRequest(name="web", flavor="m1.tiny")).servers[0].id


def unlisted(cloud: InMemoryCloud) -> int:
    """Return how many images the quota of dept-a counts in addition to the existing records."""
    project = cloud.keystone.departments["dept-a"]
    there = [each for each in cloud.glance.images.values() if each.owner == project and not each.deleted]
    return cloud.glance.used("image_count_total", project) - len(there)


# ----------------------------------------------------------------- captures


@pytest.mark.parametrize("polls", range(6))
def test_a_cancelled_capture_gives_its_place_back(cloud: InMemoryCloud, alice: Client, server: str, polls: int) -> None:
    cloud.nova.snapshot_polls = cloud.cinder.copy_polls = polls
    capture = alice.start_capture(server, NEW)
    for _ in range(polls):
        capture.progress()
    capture.cancel()
    assert unlisted(cloud) == 0
    assert alice.count(view="private") == 1  # what the server was made of


@pytest.mark.parametrize("fault", ["lost", "deleted"])
def test_a_failed_capture_gives_its_place_back(cloud: InMemoryCloud, alice: Client, server: str, fault: str) -> None:
    (cloud.cinder.upload_faults if cloud.cinder.volumes else cloud.nova.snapshot_faults).append(fault)
    with pytest.raises(CaptureFailedError):
        alice.capture(server, NEW)
    assert unlisted(cloud) == 0


def test_nova_is_waited_for_half_a_minute_and_a_lost_place_is_told(
    cloud: InMemoryCloud, alice: Client, on_disk: str, clock: Clock
) -> None:
    cloud.nova.snapshots_stall = True
    capture = alice.start_capture(on_disk, NEW)
    began = clock.now
    with pytest.raises(PlaceLostError, match="may still take a place in the quota of department dept-a") as caught:
        capture.cancel()
    assert 30 <= clock.now - began <= 36
    assert (caught.value.image_id, caught.value.capture_id) == (capture.image_id, "capture-0001")
    assert "may still be there" not in str(caught.value)
    assert unlisted(cloud) == 1
    capture.cancel()  # nothing is left
    with pytest.raises(CaptureFailedError, match="It was cancelled"):
        capture.wait()


def test_a_lost_place_is_a_note_on_the_first_error(cloud: InMemoryCloud, alice: Client, on_disk: str) -> None:
    cloud.nova.snapshots_stall = True
    with pytest.raises(WaitTimeoutError, match="The capture was deleted") as caught:
        alice.capture(on_disk, NEW, timeout=5)
    (note,) = caught.value.__notes__
    assert f"Image {caught.value.image_id} is deleted, but it may still take a place" in note


def test_a_nova_that_stalls_and_writes_nothing_loses_no_place(
    cloud: InMemoryCloud, alice: Client, on_disk: str
) -> None:
    cloud.nova.snapshots_stall, cloud.glance.loses_places = True, False
    alice.start_capture(on_disk, NEW).cancel()
    assert unlisted(cloud) == 0


@pytest.mark.parametrize("status", [403, 503])
def test_a_nova_that_cannot_be_asked_delays_a_cancellation_and_prevents_none(
    cloud: InMemoryCloud, alice: Client, on_disk: str, status: int, clock: Clock
) -> None:
    capture = alice.start_capture(on_disk, NEW)
    cloud.nova.servers[on_disk].snapshot_id = None
    cloud.fail("nova", "GET", "/servers/", status=status, times=None)
    began = clock.now
    capture.cancel()
    assert clock.now - began >= 30
    assert cloud.glance.images[str(capture.image_id)].deleted


def test_a_short_deadline_does_not_keep_a_cancellation_from_deleting(
    cloud: InMemoryCloud, client: ClientFactory, on_disk: str, clock: Clock
) -> None:
    cloud.nova.snapshots_stall, cloud.glance.loses_places = True, False
    pace = Pace(first_interval=1, longest_interval=2, deadline=3, sleep=clock.sleep, clock=clock)
    capture = client("alice", pace=pace).start_capture(on_disk, NEW)
    capture.cancel()
    assert cloud.glance.images[str(capture.image_id)].deleted


def test_a_request_that_is_still_on_its_way_is_waited_for(
    cloud: InMemoryCloud, client: ClientFactory, on_disk: str, clock: Clock
) -> None:
    """Nova makes the record before it gives the server its task."""
    client("alice").start_capture(on_disk, NEW)
    cloud.nova.servers[on_disk].snapshot_id = None
    began = clock.now
    client("alice").find_capture("capture-0001").cancel()
    assert 10 <= clock.now - began <= 16


# ----------------------------------------------------------------- delete


def test_deleting_the_record_of_a_capture_waits_for_nova(cloud: InMemoryCloud, alice: Client, on_disk: str) -> None:
    cloud.nova.snapshot_polls = 3
    record = alice.image(str(alice.start_capture(on_disk, NEW).image_id))
    assert record.glance_status == "queued"
    alice.delete(record)
    assert unlisted(cloud) == 0


def test_deleting_a_record_that_nova_goes_on_to_write_tells_of_a_lost_place(
    cloud: InMemoryCloud, alice: Client, on_disk: str
) -> None:
    cloud.nova.snapshots_stall = True
    record = alice.image(str(alice.start_capture(on_disk, NEW).image_id))
    with pytest.raises(PlaceLostError, match=record.id):
        alice.delete(record)


def test_deleting_waits_five_seconds_for_an_upload(cloud: InMemoryCloud, alice: Client, clock: Clock) -> None:
    record = alice.image(cloud.glance.add_image(status="saving"))
    began = clock.now
    alice.delete(record)
    assert 5 <= clock.now - began <= 10
    assert cloud.glance.images[record.id].deleted


@pytest.mark.parametrize("status", ["active", "importing", "deactivated"])
def test_deleting_takes_one_request_where_nobody_writes_what_could_harm(
    cloud: InMemoryCloud, alice: Client, status: str
) -> None:
    record = alice.image(cloud.glance.add_image(status=status, disk_format="raw", container_format="bare", size=1))
    cloud.requests.clear()
    alice.delete(record)
    assert [each.method for each in sent(cloud)] == ["DELETE"]


def test_a_place_of_another_department_is_not_looked_for(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = cloud.glance.add_image(owner="dept-b", status="saving")
    (record,) = client("admin").images(view="everything", owner="dept-b")
    assert record.id == image_id
    cloud.requests.clear()
    client("admin").delete(record)
    assert not sent(cloud, "GET", "/info/usage")


# ----------------------------------------------------------------- registrations


def test_cancelling_waits_for_the_end_of_what_another_thread_uploads(cloud: InMemoryCloud, tmp_path: Path) -> None:
    """Glance restores a record whose upload breaks off, which must not happen during the deletion."""
    path = tmp_path / "disk.raw"
    path.write_bytes(samples.data("partitioned.raw"))
    registration = ClientFactory(cloud, HASTY)("alice").start_registration(NewImage(name="debian", file=path))
    uploading, cancelled, order = threading.Event(), threading.Event(), list[str]()

    def slowly(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        if request.method == "PUT":
            uploading.set()
            cancelled.wait(timeout=0.3)
            order.append("the upload ends")
        elif request.method == "DELETE":
            order.append("the record is deleted")
        return handle()

    def wait() -> None:
        with pytest.raises(HyperxGlanceError):
            registration.wait()

    cloud.intercept(slowly)
    waiting = threading.Thread(target=wait)
    waiting.start()
    assert uploading.wait(timeout=30)
    registration.cancel()
    cancelled.set()
    waiting.join(timeout=30)
    assert order == ["the upload ends", "the record is deleted"]


def test_an_upload_that_broke_off_is_waited_for_before_its_record_is_cancelled(
    cloud: InMemoryCloud, clock: Clock
) -> None:
    record = cloud.glance.images[cloud.glance.add_image(status="saving", disk_format="raw", container_format="bare")]
    cloud.requests.clear()

    def put_back(_: float) -> None:
        record.status = "queued"

    pace = Pace(first_interval=1, sleep=put_back, clock=clock)
    client = ClientFactory(cloud, dataclasses.replace(HASTY, pace=pace))("alice")
    client.cancel_registration(record.id)
    assert record.deleted
    assert not sent(cloud, "GET", "/info/usage")


def test_a_place_that_is_lost_with_a_registration_is_told(cloud: InMemoryCloud, alice: Client) -> None:
    image_id = cloud.glance.add_image(status="saving", disk_format="raw", container_format="bare")
    cloud.glance.writers.append(lambda image: image.id == image_id)
    with pytest.raises(PlaceLostError, match=image_id):
        alice.cancel_registration(image_id)


# ----------------------------------------------------------------- what the usage shows


def lost(client: Client, send: Callable[[], None]) -> PlaceLostError | None:
    context = Context(client.cloud, Departments(client.cloud), client.settings)
    return removal.delete(context, "7c1", send, in_doubt=True)


def leave_a_row(cloud: InMemoryCloud) -> None:
    cloud.glance.images[cloud.glance.add_image(name="lost")].deleted = True


def _add(cloud: InMemoryCloud) -> None:
    cloud.glance.add_image(name="another's")


def test_images_created_and_deleted_by_others_are_not_a_lost_place(cloud: InMemoryCloud, alice: Client) -> None:
    assert lost(alice, lambda: _add(cloud)) is None
    assert isinstance(lost(alice, lambda: leave_a_row(cloud)), PlaceLostError)


def test_images_that_come_while_they_are_counted_are_counted_again(cloud: InMemoryCloud, alice: Client) -> None:
    def more(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if request.path.endswith("/images") and len(cloud.glance.images) < 3:
            cloud.glance.add_image(name="another's")
        return reply

    cloud.intercept(more)
    assert lost(alice, lambda: None) is None


@pytest.mark.parametrize("path", ["/info/usage", "/images$"])
def test_no_lost_place_is_reported_if_images_cannot_be_counted(cloud: InMemoryCloud, alice: Client, path: str) -> None:
    leave_a_row(cloud)
    cloud.fail("glance", "GET", path, status=500, times=None)
    assert lost(alice, lambda: None) is None


def test_without_unified_limits_no_place_can_be_lost(cloud: InMemoryCloud, alice: Client) -> None:
    cloud.glance.use_keystone_limits = False
    assert lost(alice, lambda: leave_a_row(cloud)) is None
