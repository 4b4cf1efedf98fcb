"""Resuming a registration whose process died."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from hyperx_glance import (
    ChecksumMismatchError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    Phase,
    RegistrationFailedError,
    UrlProblem,
)
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, CloudUnderTest, image_ids
from tests.support.file_server import FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, disk, left_behind, new, until_phase
from tests.support.waiting import until


@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_an_import_that_never_began_is_begun(client: ClientFactory, file_server: FileServer, transfer: str) -> None:
    alice = client("alice", transfer=transfer)
    image_id = left_behind(client, new(disk(file_server)))

    assert image_id in {image.id for image in alice.unfinished_registrations()}
    image = alice.resume_registration(image_id).wait()

    assert (image.id, image.state) == (image_id, "ACTIVE")
    assert image_id not in {image.id for image in alice.unfinished_registrations()}


def test_an_import_that_runs_is_followed(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    alice = client("alice")
    image_id = alice.start_registration(new(held.url)).image_id
    held.wait_until_reached()

    resumed = alice.resume_registration(image_id)
    again = alice.resume_registration(image_id)
    held.release()

    assert (resumed.wait().state, again.wait().state) == ("ACTIVE", "ACTIVE")


def test_an_upload_that_runs_is_left_alone(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
    alice = client("alice", transfer="stream", url_policy=LOOPBACK.model_copy(update={"timeout_seconds": 60}))
    registration = alice.start_registration(new(held.url))
    resumed = alice.resume_registration(registration.image_id)
    pushing = Interference(alice)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(registration.wait)]
        until(lambda: alice.cloud.image(registration.image_id).phase is Phase.STORING)
        waiting.append(pool.submit(resumed.wait))
        until(lambda: pushing.count("PUT", "/file$") == 2)
        held.release()

    assert [future.result().state for future in waiting] == ["ACTIVE", "ACTIVE"]


@pytest.mark.parametrize("kind", ["snapshot", "backup", "of a volume"])
def test_an_image_made_from_a_server_is_not_a_registration(
    client: ClientFactory, file_server: FileServer, kind: str
) -> None:
    """It inherits the notes of the registration: the user and the URL."""
    key, text = ("block_device_mapping", "[]") if kind == "of a volume" else ("image_type", kind)
    image_id, alice = left_behind(client, new(disk(file_server))), client("alice")
    alice.cloud.patch_image(image_id, [{"op": "add", "path": f"/{key}", "value": text}])

    assert image_id not in {image.id for image in alice.unfinished_registrations()}
    with pytest.raises(ConflictError, match="made from a server"):
        alice.resume_registration(image_id)
    with pytest.raises(ConflictError, match="made from a server"):
        alice.cancel_registration(image_id)
    assert alice.cloud.image(image_id).phase is Phase.REGISTERED


@pytest.mark.usefixtures("nothing_left")
def test_one_that_never_began_is_cancelled_and_nothing_is_read(client: ClientFactory, file_server: FileServer) -> None:
    image_id = left_behind(client, new(disk(file_server), protected=True))

    client("alice").cancel_registration(image_id)

    with pytest.raises(NotFoundError):
        client("alice").cancel_registration(image_id)
    assert file_server.requests == []


@pytest.mark.usefixtures("nothing_left")
def test_one_that_runs_is_cancelled_by_who_has_no_handle(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    begun = client("alice").start_registration(new(held.url, protected=True))
    held.wait_until_reached()

    client("alice").cancel_registration(begun.image_id)
    held.release()

    with pytest.raises(RegistrationFailedError) as caught:
        begun.wait()
    assert caught.value.reason == "deleted"


def test_the_registration_of_a_ready_image_cannot_be_cancelled(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    image = alice.register(new(disk(file_server)))

    with pytest.raises(ConflictError, match="is registered"):
        alice.cancel_registration(image)
    alice.disable(image)
    with pytest.raises(ConflictError, match="is registered"):
        alice.cancel_registration(image)

    assert alice.cloud.image(image.id).phase is Phase.DISABLED


@pytest.mark.parametrize("right", [True, False])
def test_an_import_that_is_done_is_verified(
    cloud: CloudUnderTest,
    client: ClientFactory,
    file_server: FileServer,
    right: bool,  # noqa: FBT001
) -> None:
    alice = client("alice")
    digest = hashlib.sha512(samples.data("disk.qcow2")).hexdigest() if right else "0" * 128
    registration = alice.start_registration(new(disk(file_server), checksum=f"sha512:{digest}"))
    until_phase(registration, Phase.READY)

    assert (registration.image_id in {image.id for image in alice.unfinished_registrations()}) is not right
    if right:
        assert alice.resume_registration(registration.image_id).wait().state == "ACTIVE"
    else:
        with pytest.raises(ChecksumMismatchError, match="delete it if you do not trust it"):
            alice.resume_registration(registration.image_id).wait()
        assert alice.cloud.image(registration.image_id).state == "ACTIVE"
        with pytest.raises(ChecksumMismatchError):
            registration.wait()
        assert registration.image_id not in image_ids(cloud)


@pytest.mark.needs("formats-checked")
@pytest.mark.usefixtures("nothing_left")
def test_an_import_that_failed_unseen_is_told(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", url_policy=BLIND, transfer="import")
    registration = alice.start_registration(new(file_server.fail("/a", 404), disk_format="qcow2"))
    until_phase(registration, Phase.FAILED)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.resume_registration(registration.image_id).wait()

    assert caught.value.reason == UrlProblem.HTTP_STATUS


@pytest.mark.usefixtures("nothing_left")
def test_a_resumed_url_that_went_bad_is_told(client: ClientFactory, file_server: FileServer) -> None:
    image_id = left_behind(client, new(file_server.fail("/a", 404)))

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").resume_registration(image_id)

    assert caught.value.reason == UrlProblem.HTTP_STATUS


def test_a_url_that_lost_its_secrets_is_asked_for(client: ClientFactory, file_server: FileServer) -> None:
    url = disk(file_server) + "?X-Amz-Signature=5ecre7"
    image_id = left_behind(client, new(url))
    alice = client("alice")

    with pytest.raises(InvalidRequestError, match="complete"):
        alice.resume_registration(image_id)
    with pytest.raises(InvalidRequestError, match="another URL"):
        alice.resume_registration(image_id, url=file_server.url("/other.qcow2"))
    assert alice.resume_registration(image_id, url=url).wait().state == "ACTIVE"


def test_a_missing_image_cannot_be_resumed(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError):
        client("alice").resume_registration("00000000-0000-4000-8000-000000000000")


def test_unfinished_registrations_are_the_callers_own_and_old_enough(
    client: ClientFactory, file_server: FileServer
) -> None:
    image_id = left_behind(client, new(disk(file_server), category="public"))

    assert image_id in {image.id for image in client("alice").unfinished_registrations()}
    assert image_id not in {image.id for image in client("arthur").unfinished_registrations()}
    assert image_id not in {image.id for image in client("alice").unfinished_registrations(older_than_seconds=3600)}
