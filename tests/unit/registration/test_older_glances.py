"""What a Glance before 2024.2 lacks, and what the library does instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    InvalidRequestError,
    NewImage,
    NewIso,
    RegistrationFailedError,
    UrlProblem,
    UrlRejectedError,
)
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import HASTY, ClientFactory
from tests.support.registrations import BLIND, disk
from tests.support.wire import ChangingUploads

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud(release="2024.1")


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)


def ways_taken(cloud: InMemoryCloud) -> set[str]:
    return {request.path.rpartition("/")[2] for request in cloud.requests} & {"import", "file"}


def test_examined_data_is_imported(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    assert client().register(NewImage(name="a", url=disk(file_server))).state == "ACTIVE"
    assert ways_taken(cloud) == {"import"}


def test_unexamined_data_is_streamed(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/disk.qcow2", samples.data("backed.qcow2"))
    with pytest.raises(Exception, match="dangerous to open"):
        client(url_policy=BLIND).register(NewImage(name="a", url=url, disk_format="qcow2"))
    assert ways_taken(cloud) == set()
    assert client(url_policy=BLIND).register(NewImage(name="a", url=disk(file_server), disk_format="qcow2")).url
    assert ways_taken(cloud) == {"file"}


def test_unexamined_data_is_not_imported(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    new = NewImage(name="a", url=disk(file_server), disk_format="qcow2")
    with pytest.raises(InvalidRequestError, match="old Glance does not inspect data"):
        client(url_policy=BLIND, transfer="import").register(new)
    assert client().count() == 0
    assert ways_taken(cloud) == set()


def test_a_redirect_is_followed_by_this_process(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.redirect("/a", disk(file_server))
    assert client().register(NewImage(name="a", url=url)).state == "ACTIVE"
    assert ways_taken(cloud) == {"file"}
    with pytest.raises(InvalidRequestError, match="follows redirects past its own filter"):
        client(transfer="import").register(NewImage(name="b", url=url))
    # A place that leads nowhere, and is not among the trusted ones.
    denied = file_server.redirect("/b", "http://127.0.0.9:9/disk")
    with pytest.raises(UrlRejectedError):
        client().register(NewImage(name="c", url=denied))


def test_newer_glances_are_not_asked_for_their_version(file_server: FileServer) -> None:
    cloud = InMemoryCloud()
    ClientFactory(cloud, HASTY)().register(NewImage(name="a", url=disk(file_server)))
    assert [request.path for request in cloud.requests if request.path in ("/", "/versions")] == []


@pytest.mark.parametrize(
    ("release", "sample", "reason"),
    [
        ("2025.1", "disk.raw", UrlProblem.UNSAFE_IMAGE),  # it says nothing, and the beginning that was sent is good
        ("2026.1", "disk.raw", UrlProblem.UNSAFE_IMAGE),
        ("2026.2", "disk.raw", UrlProblem.WRONG_FORMAT),
        ("2025.1", "backed.qcow2", UrlProblem.UNSAFE_IMAGE),
        ("2026.2", "backed.qcow2", UrlProblem.UNSAFE_IMAGE),
    ],
)
def test_a_refusal_by_glance_alone_has_its_reason(
    file_server: FileServer, release: str, sample: str, reason: UrlProblem
) -> None:
    cloud = ChangingUploads(InMemoryCloud(release=release), samples.data(sample))
    alice = ClientFactory(cloud, HASTY)(url_policy=BLIND, transfer="stream")

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=disk(file_server), disk_format="qcow2"))

    assert caught.value.reason == reason


@pytest.mark.parametrize("release", ["2024.1", "2025.1", "2025.2", "2026.1"])
@pytest.mark.parametrize("transfer", ["auto", "stream", "import"])
def test_isos_that_also_boot_from_a_memory_stick(file_server: FileServer, release: str, transfer: str) -> None:
    cloud = InMemoryCloud(release=release)
    alice = ClientFactory(cloud, HASTY)(transfer=transfer)
    new = NewIso(name="a", url=file_server.serve("/a.iso", samples.data("hybrid.iso")))
    if release not in ("2025.1", "2025.2"):
        assert alice.register(new).phase == "ready"
        return

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(new)

    assert ("transfer='stream'" if transfer == "import" else "dd if=/dev/zero") in caught.value.hint
    assert alice.count() == 0


@pytest.mark.parametrize("release", ["2025.2", "2026.1"])
def test_a_server_that_announces_no_length(file_server: FileServer, release: str) -> None:
    cloud = InMemoryCloud(release=release)
    url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"), chunked=True)

    assert ClientFactory(cloud, HASTY)().register(NewImage(name="a", url=url)).phase == "ready"

    assert ways_taken(cloud) == ({"import", "file"} if release == "2025.2" else {"import"})
