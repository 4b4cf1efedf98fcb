"""Resuming a registration whose process died."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ChecksumMismatchError,
    InvalidRequestError,
    NewImage,
    Phase,
    QuotaExceededError,
    RegistrationFailedError,
    UrlPolicy,
    UrlProblem,
    UrlRejectedError,
)
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, sent
from tests.support.file_server import FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, disk, kept

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.file_server import FileServer


def test_a_resumed_registration_withdraws_too(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    registration = client("alice", transfer="stream").start_registration(NewImage(name="a", url=disk(file_server)))
    cloud.glance.add_image(owner="dept-a", name="there", status="active")
    client("admin").set_quota("dept-a", images=1)

    with pytest.raises(QuotaExceededError):
        client("alice").resume_registration(registration.image_id)

    assert not cloud.glance.image(registration.image_id)


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 1e12])
def test_an_age_that_is_none_is_refused(client: ClientFactory, seconds: float) -> None:
    with pytest.raises(InvalidRequestError, match="older_than_seconds"):
        client("alice").unfinished_registrations(older_than_seconds=seconds)


def test_a_url_and_a_file_are_refused_before_anything_is_asked(cloud: InMemoryCloud, client: ClientFactory) -> None:
    with pytest.raises(InvalidRequestError, match="url, file: give one of them, not both"):
        client("alice").resume_registration("7c1", url="https://files.example/a", file=io.BytesIO())
    assert sent(cloud) == []


@pytest.mark.parametrize("url", ["http://[bad/x", f"http://{'ä' * 80}/x", "x"])
def test_a_stored_url_that_is_none_is_not_used(cloud: InMemoryCloud, client: ClientFactory, url: str) -> None:
    fields = {"owner": "dept-a", "name": "a", "disk_format": "qcow2", "container_format": "bare", "hyperx_url": url}
    alice = client("alice")
    lost = cloud.glance.add_image(status="queued", **fields)
    failed = cloud.glance.add_image(status="importing", **fields)

    with pytest.raises(InvalidRequestError, match="the complete URL is required"):
        alice.resume_registration(lost)
    registration = alice.resume_registration(failed)
    cloud.glance.images[failed].status = "queued"
    with pytest.raises(RegistrationFailedError, match="Glance failed to import"):
        registration.wait()

    assert cloud.glance.image(lost)
    assert not cloud.glance.image(failed)


def test_a_url_of_which_something_was_taken_out_must_be_given_again(
    client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.serve("/get", samples.data("disk.qcow2")) + "?id=7"
    alice = client("alice", transfer="stream")
    image_id = alice.start_registration(NewImage(name="a", url=url)).image_id
    lost = alice.image(image_id)
    assert (lost.url, lost.glance_property("hyperx_url_stripped")) == (file_server.url("/get"), "true")

    with pytest.raises(InvalidRequestError, match="the complete URL is required"):
        alice.resume_registration(image_id)

    assert alice.resume_registration(image_id, url=url).wait().state == "ACTIVE"


def test_a_resuming_callers_mistake_deletes_nothing(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = disk(file_server)
    registration = client("alice", transfer="stream").start_registration(NewImage(name="a", url=url))
    nowhere = BLIND.model_copy(update={"ca_file": "/nowhere/ca.pem"})

    with pytest.raises(InvalidRequestError, match="not a valid URL"):
        client("alice").resume_registration(registration.image_id, url="http://[bad")
    with pytest.raises(InvalidRequestError, match="ca_file"):
        client("alice", url_policy=nowhere).resume_registration(registration.image_id)

    assert cloud.glance.image(registration.image_id)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (UrlPolicy(), UrlProblem.DENIED_ADDRESS),
        (UrlPolicy(only_hosts=("files.example",)), UrlProblem.DENIED_ADDRESS),
        (LOOPBACK.model_copy(update={"allowed_ports": (443,)}), UrlProblem.DENIED_PORT),
    ],
    ids=["address", "host", "port"],
)
def test_a_url_refused_by_the_callers_policy_deletes_nothing(
    client: ClientFactory, file_server: FileServer, policy: UrlPolicy, reason: UrlProblem
) -> None:
    url = disk(file_server)
    image_id = client("alice", transfer="stream").start_registration(NewImage(name="a", url=url)).image_id

    with pytest.raises(UrlRejectedError) as raised:
        client("alice", url_policy=policy).resume_registration(image_id)

    assert (raised.value.reason, raised.value.left) == (reason, (f"image {image_id}",))
    assert client("alice").resume_registration(image_id).wait().state == "ACTIVE"


def test_a_certificate_that_the_callers_policy_does_not_know_deletes_nothing(
    client: ClientFactory, tls_file_server: FileServer, ca_file: Path
) -> None:
    knowing = client("alice", transfer="stream", url_policy=LOOPBACK.model_copy(update={"ca_file": str(ca_file)}))
    url = tls_file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
    image_id = knowing.start_registration(NewImage(name="a", url=url)).image_id

    with pytest.raises(UrlRejectedError) as raised:
        client("alice").resume_registration(image_id)

    assert raised.value.reason is UrlProblem.TLS
    assert knowing.resume_registration(image_id).wait().state == "ACTIVE"


def test_a_url_that_was_stored_with_what_counts_as_a_secret_today_is_the_same(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = f"{disk(file_server)}?temp_url_expires=1"
    fields = {"disk_format": "qcow2", "container_format": "bare", "hyperx_url": url}
    image_id = cloud.glance.add_image(owner="dept-a", name="a", status="queued", **fields)

    assert client("alice").resume_registration(image_id, url=url).wait().state == "ACTIVE"


@pytest.mark.parametrize("url", ["http:///x", "http://h:abc/x", "http://h:99999/x", "ftp://h/x", "x"])
def test_a_mistyped_url_deletes_no_record(cloud: InMemoryCloud, client: ClientFactory, url: str) -> None:
    image_id = cloud.glance.add_image(
        owner="dept-a", name="a", status="queued", disk_format="qcow2", container_format="bare"
    )

    with pytest.raises(InvalidRequestError, match="not a valid URL"):
        client("alice").resume_registration(image_id, url=url)

    assert cloud.glance.image(image_id)


def test_a_record_without_tasks_has_never_begun(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "GET", "/tasks$", status=404, times=None)
    image_id = client("alice", transfer="stream").start_registration(NewImage(name="a", url=disk(file_server))).image_id

    assert client("alice").resume_registration(image_id).wait().state == "ACTIVE"


def test_of_two_who_resume_at_once_the_second_follows_and_deletes_no_ready_data(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    request = NewImage(name="a", url=disk(file_server), checksum=f"sha512:{'0' * 128}")
    image_id = client("alice", transfer="stream").start_registration(request).image_id
    first, second = client("alice"), client("alice")
    begun = []
    Interference(second).before("POST", "/import$", lambda: begun.append(first.resume_registration(image_id)))
    registration = second.resume_registration(image_id)

    with pytest.raises(ChecksumMismatchError, match="left as it was found"):
        registration.wait()
    assert kept(cloud) == [image_id]
    with pytest.raises(ChecksumMismatchError):
        begun[0].wait()
    assert kept(cloud) == []


def test_an_import_of_which_the_record_shows_nothing_is_judged_and_not_begun_anew(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    """A single store does not say what has failed; only the task does."""
    cloud.glance.stores = []
    alice = client("alice", url_policy=BLIND, transfer="import")
    new = NewImage(name="a", url=file_server.fail("/disk.qcow2", 404), disk_format="qcow2")
    registration = alice.start_registration(new)
    while registration.progress().phase is not Phase.FAILED:
        pass
    disk(file_server)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.resume_registration(registration.image_id).wait()

    assert caught.value.reason == "glance"
    assert len(sent(cloud, "POST", "/import")) == 1
