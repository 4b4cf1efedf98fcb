"""Registering without room: the error names the department, the resource and the figures."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Image,
    QuotaExceededError,
    RegistrationFailedError,
    UrlProblem,
)
from hyperx_glance.testing.capabilities import lacking
from tests import samples
from tests.support.clouds import ClientFactory
from tests.support.file_server import BigBody, FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, Steps, disk, images_used, limits, new
from tests.support.wire import ChangingUploads

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud, LocalCloud


@pytest.mark.usefixtures("nothing_left")
def test_no_room_for_the_size(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(5 * 1024 * 1024 + 1, samples.data("disk.qcow2")))

    with limits(client, "dept-a", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(new(url))

    error = caught.value
    assert (error.department, error.resource, error.limit, error.requested) == ("dept-a", "image_size_mib", 5, 6)
    assert error.status is None


@pytest.mark.usefixtures("nothing_left")
def test_no_room_for_the_size_in_another_department(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(5 * 1024 * 1024 + 1, samples.data("disk.qcow2")))
    admin = client("admin")
    between = Interference(admin)

    with limits(client, "dept-b", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        admin.register(new(url, owner="dept-b"))

    error = caught.value
    assert (error.department, error.resource, error.limit, error.requested) == ("dept-b", "image_size_mib", 5, 6)
    assert between.count("POST", "") == 0


@pytest.mark.usefixtures("nothing_left")
def test_each_store_counts(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(3 * 1024 * 1024, samples.data("disk.qcow2")))

    with limits(client, "dept-a", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(new(url, stores=("fast", "slow")))

    assert caught.value.requested == 6


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("user", ["alice", "admin"])
def test_no_room_for_one_more(client: ClientFactory, file_server: FileServer, user: str) -> None:
    owner = "dept-a" if user == "admin" else None
    used = images_used(client)

    with limits(client, "dept-a", {"images": used}), pytest.raises(QuotaExceededError) as caught:
        client(user).register(new(disk(file_server), owner=owner))

    assert (caught.value.department, caught.value.resource, caught.value.requested) == ("dept-a", "images", 1)


def test_glances_own_refusal_at_import_is_the_same_error(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", url_policy=BLIND)
    alice.register(new(disk(file_server, "disk.raw"), disk_format="raw"))

    with limits(client, "dept-a", {"image_size_mib": 0}), pytest.raises(QuotaExceededError) as caught:
        alice.register(new(disk(file_server), disk_format="qcow2"))

    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("dept-a", "image_size_mib", 0)


@pytest.mark.usefixtures("nothing_left")
def test_a_stream_without_length_stops_at_the_remaining_quota(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(20 * 1024 * 1024, samples.data("disk.qcow2")), chunked=True)

    with limits(client, "dept-a", {"image_size_mib": 2}), pytest.raises(QuotaExceededError) as caught:
        client("alice", transfer="stream").register(new(url))

    assert (caught.value.department, caught.value.resource) == ("dept-a", "image_size_mib")


@pytest.mark.usefixtures("nothing_left")
def test_glances_own_refusal_at_create_is_the_same_error(client: ClientFactory, file_server: FileServer) -> None:
    begun = Steps(client("alice"), new(disk(file_server)))
    used = images_used(client)

    with limits(client, "dept-a", {"images": used}), pytest.raises(QuotaExceededError) as caught:
        begun.start()

    error = caught.value
    assert (error.department, error.resource, error.limit, error.used) == ("dept-a", "images", used, used)
    assert (error.requested, error.status) == (1, 413)


@pytest.mark.usefixtures("nothing_left")
def test_glances_own_refusal_is_of_the_department_that_is_connected(
    client: ClientFactory, file_server: FileServer
) -> None:
    """Glance looks at the caller's quota, regardless of the owner of the image."""
    used = client("admin").quota().images
    assert used is not None
    begun = Steps(client("admin"), new(disk(file_server), owner="dept-b"))

    with limits(client, "admin", {"images": used.used}), pytest.raises(QuotaExceededError) as caught:
        begun.start()

    assert (caught.value.department, caught.value.resource, caught.value.used) == ("admin", "images", used.used)


@pytest.mark.usefixtures("nothing_left")
def test_glances_refusal_inside_the_task_is_the_same_error(client: ClientFactory, file_server: FileServer) -> None:
    """Preflight saw room; when Glance's task looks, somebody else has taken it."""
    alice = client("alice")
    begun = Steps(alice, new(disk(file_server)))
    between = Interference(alice)

    with limits(client, "dept-a", {"uploading": 0}), pytest.raises(QuotaExceededError) as caught:
        begun.start().wait()

    assert [status for method, path, status in between.answered if path.endswith("/import")] == [202]
    error = caught.value
    assert (error.department, error.resource, error.limit) == ("dept-a", "uploading", 0)


@pytest.mark.needs("streams-counted")
@pytest.mark.usefixtures("nothing_left")
def test_glances_own_refusal_of_a_streams_size_is_the_same_error(
    client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.serve("/big", BigBody(3 * 1024 * 1024, samples.data("disk.qcow2")))
    usage = client("admin").quota("dept-a").image_size_mib
    assert usage is not None
    steps = Steps(client("alice", url_policy=BLIND, transfer="stream"), new(url, disk_format="qcow2"))

    with limits(client, "dept-a", {"image_size_mib": usage.used + 2}), pytest.raises(QuotaExceededError) as caught:
        steps.start().wait()

    error = caught.value
    assert (error.department, error.resource, error.limit) == ("dept-a", "image_size_mib", usage.used + 2)
    assert (error.service, error.status) == ("image", 413)


@pytest.mark.needs("formats-checked")
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("sample", ["disk.raw", "backed.qcow2"])
def test_glances_own_refusal_of_a_stream_of_another_format_says_why(
    cloud: InMemoryCloud | LocalCloud, client: ClientFactory, file_server: FileServer, sample: str
) -> None:
    changing = ClientFactory(ChangingUploads(cloud, samples.data(sample)), client.settings)
    alice = changing("alice", url_policy=BLIND, transfer="stream")
    told = "unsafe-told" not in lacking(cloud.release)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(new(disk(file_server), disk_format="qcow2"))

    error = caught.value
    reason = UrlProblem.WRONG_FORMAT if sample == "disk.raw" and told else UrlProblem.UNSAFE_IMAGE
    assert (error.reason, error.service, error.status) == (reason, "image", 415)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(("user", "owner"), [("alice", None), ("admin", "dept-a")])
def test_a_race_for_the_last_places(
    client: ClientFactory, file_server: FileServer, user: str, owner: str | None
) -> None:
    """Glance counts and then inserts; a registration beyond the limit withdraws before its import begins."""
    url = disk(file_server)
    barrier = threading.Barrier(8, timeout=60)

    def attempt(number: int) -> Image | QuotaExceededError:
        racer = client(user)
        Interference(racer).before("POST", "^/images$", lambda: barrier.wait(30))
        try:
            return racer.register(new(url, os_distro=f"racer{number}", owner=owner))
        except QuotaExceededError as error:
            return error

    with limits(client, "dept-a", {"images": images_used(client) + 3}), ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(8)))

    ready = [result for result in results if isinstance(result, Image)]
    refused = [result for result in results if isinstance(result, QuotaExceededError)]
    assert (len(ready), len(refused)) == (3, 5)
    assert {(error.department, error.resource) for error in refused} == {("dept-a", "images")}
    for image in ready:
        client("alice").delete(image)
