"""Registrations that race for the last places of a department."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    NewImage,
    Pace,
    QuotaExceededError,
    WaitTimeoutError,
)
from hyperx_glance.registration.admission import STANDSTILL_SECONDS, admit
from hyperx_glance.registration.order import Deadline
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import ClientFactory, Clock
from tests.support.file_server import FileServer
from tests.support.interference import Interference
from tests.support.registrations import disk, record_of, timed

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.support.file_server import FileServer


class TestAdmission:
    """Glance let in more than fit: the limit falls right after the creates."""

    def crowd(self, client: ClientFactory, file_server: FileServer, *, room: int, clock: Clock | None = None) -> Client:
        """Connect alice, whose next record will be one too many."""
        alice = client("alice", pace=Pace(clock=clock, sleep=clock.sleep)) if clock else client("alice")
        used = client("admin").quota("dept-a").images
        assert used is not None
        Interference(alice).after(
            "POST", "^/images$", lambda: client("admin").set_quota("dept-a", images=used.used + room)
        )
        return alice

    def test_the_last_one_withdraws(self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
        client("alice").register(NewImage(name="there", url=disk(file_server)))

        with pytest.raises(QuotaExceededError) as caught:
            self.crowd(client, file_server, room=0).register(NewImage(name="late", url=disk(file_server)))

        assert (caught.value.resource, caught.value.limit) == ("images", 1)
        assert [image.name for image in cloud.glance.images.values() if not image.deleted] == ["there"]

    def test_an_older_one_waits_for_a_younger_to_withdraw(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = self.crowd(client, file_server, room=1)
        young = ""
        between = Interference(alice)

        def join() -> None:
            nonlocal young
            young = cloud.glance.add_image(owner="dept-a", name="young", created_at="2999-01-01T00:00:00+00:00")

        between.after("POST", "^/images$", join)
        looks = iter(range(100))
        between.after(
            "GET", "^/images$", lambda: cloud.glance.remove_image(young) if next(looks) == 5 else None, times=99
        )

        assert alice.register(NewImage(name="old", url=disk(file_server))).state == "ACTIVE"
        assert next(looks) > 5

    def test_a_registration_waiting_for_a_dead_one_continues_after_the_standstill(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
    ) -> None:
        clock = Clock()
        alice = self.crowd(client, file_server, room=1, clock=clock)
        young = {"name": "dead", "disk_format": "qcow2", "created_at": "2999-01-01T00:00:00+00:00"}
        Interference(alice).after("POST", "^/images$", lambda: cloud.glance.add_image(owner="dept-a", **young))

        assert alice.register(NewImage(name="old", url=disk(file_server))).state == "ACTIVE"
        assert STANDSTILL_SECONDS <= clock.now < 2 * STANDSTILL_SECONDS

        (dead,) = (image.id for image in cloud.glance.images.values() if image.name == "dead")
        with pytest.raises(QuotaExceededError):
            client("alice").resume_registration(dead, url=disk(file_server))
        assert [image.name for image in client("alice").images()] == ["old"]


def test_a_crowded_department_is_counted_page_by_page(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.largest_page = 2
    for number in range(5):
        cloud.glance.add_image(owner="dept-a", name=str(number), status="active", os_hidden=number % 2 == 0)

    with pytest.raises(QuotaExceededError):
        TestAdmission().crowd(client, file_server, room=0).register(NewImage(name="late", url=disk(file_server)))

    assert len([image for image in cloud.glance.images.values() if not image.deleted]) == 5


def test_a_record_that_finds_no_room_is_never_kept(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    with pytest.raises(QuotaExceededError):
        TestAdmission().crowd(client, file_server, room=0).register(
            NewImage(name="late", url=disk(file_server)), keep_failed=True
        )

    assert not [image for image in cloud.glance.images.values() if not image.deleted]


def test_a_registration_that_gets_no_quota_times_out(cloud: InMemoryCloud, file_server: FileServer) -> None:
    """A younger registration was killed before it began, so none withdraws."""
    timed(cloud, Clock(1000), "admin").set_quota("dept-a", images=1)
    clock = Clock(1000)
    alice = timed(cloud, clock)

    def die() -> None:
        cloud.glance.add_image(
            id="f" * 32, owner="dept-a", name="dead", status="queued", disk_format="raw", container_format="bare"
        )

    Interference(alice).after("POST", "^/images$", die)
    before = clock.now
    with pytest.raises(WaitTimeoutError, match="timed out waiting for quota") as caught:
        alice.register(NewImage(name="a", url=disk(file_server)), timeout=5, keep_failed=True)

    assert clock.now - before == pytest.approx(5)
    assert "Its record is deleted" in caught.value.hint
    assert [image.name for image in cloud.glance.images.values() if not image.deleted] == ["dead"]


def test_a_department_that_is_just_full_is_not_listed(client: ClientFactory, file_server: FileServer) -> None:
    client("admin").set_quota("dept-a", images=1)
    alice = client("alice")
    between = Interference(alice)

    alice.register(NewImage(name="a", url=disk(file_server)))

    assert between.count("GET", "^/images$") == 0


def test_waiting_for_quota_ends_exactly_at_the_deadline(cloud: InMemoryCloud, client: ClientFactory) -> None:
    clock = Clock(1000)
    alice = client("alice", pace=Pace(clock=clock, sleep=clock.sleep))
    record = record_of(cloud, alice)
    cloud.glance.add_image(owner="dept-a", name="younger", created_at="2999-01-01T00:00:00+00:00")
    client("admin").set_quota("dept-a", images=1)

    with pytest.raises(WaitTimeoutError):
        admit(record.context, record.order, Deadline(clock, clock.now + 5))

    assert clock.now == pytest.approx(1005)


def test_a_cloud_without_unified_limits(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.glance.use_keystone_limits = False

    assert client("alice").register(NewImage(name="a", url=disk(file_server))).state == "ACTIVE"


def test_a_department_without_a_limit(client: ClientFactory, file_server: FileServer) -> None:
    client("admin").set_quota("dept-a", images=-1)

    assert client("alice").register(NewImage(name="a", url=disk(file_server))).state == "ACTIVE"
