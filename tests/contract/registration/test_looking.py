"""One look at a registration by its id, from another process."""

from __future__ import annotations

import uuid

import pytest

from hyperx_glance import InvalidRequestError, NotFoundError, Phase
from tests import samples
from tests.support.clouds import ClientFactory
from tests.support.file_server import FileServer
from tests.support.registrations import BLIND, cut_late, disk, left_behind, new
from tests.support.waiting import until


def test_an_import_is_seen_from_elsewhere_until_it_is_ready(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    registration = client("alice").start_registration(new(held.url))
    held.wait_until_reached()

    elsewhere = client("alice")
    running = elsewhere.progress(registration.image_id)
    held.release()
    image = registration.wait()
    ready = elsewhere.progress(image)

    assert running.phase in (Phase.DOWNLOADING, Phase.STORING)
    assert (running.bytes_done, running.bytes_expected) == (None, len(samples.data("disk.qcow2")))
    assert (ready.phase, ready.bytes_done, ready.bytes_expected, ready.message) == (
        Phase.READY,
        image.size,
        image.size,
        "",
    )
    assert ready.elapsed_seconds >= running.elapsed_seconds >= 0


def test_a_look_starts_nothing(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    image_id = left_behind(client, new(disk(file_server)))

    looks = [alice.progress(image_id) for _ in range(3)]

    assert {(look.phase, look.bytes_done, look.message) for look in looks} == {(Phase.REGISTERED, None, "")}
    assert alice.image(image_id).glance_status == "queued"
    assert image_id in {image.id for image in alice.unfinished_registrations()}


@pytest.mark.needs("formats-checked")
def test_a_failed_import_is_seen_though_nobody_waits(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", transfer="import", url_policy=BLIND)
    image_id = alice.start_registration(new(cut_late(file_server), disk_format="qcow2")).image_id

    until(lambda: alice.progress(image_id).phase is Phase.FAILED)

    assert client("alice").progress(image_id).phase is Phase.FAILED
    alice.delete(image_id)


def test_a_registration_that_is_gone_is_not_found(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError):
        client("alice").progress(str(uuid.uuid4()))
    with pytest.raises(InvalidRequestError):
        client("alice").progress("..")
