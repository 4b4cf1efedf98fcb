"""Two Glances on one database and one pair of stores take requests in turn, as behind a load balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import NewImage, NotFoundError, RegistrationFailedError, UrlProblem, WaitTimeoutError
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.local.crashes import (
    CALLER_STEPS,
    ENDINGS,
    SHA256,
    STAGER_STEPS,
    UPLOADER_STEPS,
    named,
    race,
    slow,
    survive_a_killed_caller,
    survive_a_killed_uploader,
)
from tests.support.clouds import PATIENT, ClientFactory, image_ids, remove_images, unique
from tests.support.lossy_proxy import LossyProxy
from tests.support.registrations import BLIND, disk, new
from tests.support.second_glance import SecondGlance, in_the_catalogue
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer


@pytest.fixture(scope="module")
def second(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondGlance]:
    with SecondGlance(local_cloud, tmp_path_factory.mktemp("second")) as glance:
        yield glance


@pytest.fixture(scope="module")
def balancer(local_cloud: LocalCloud, second: SecondGlance) -> Iterator[LossyProxy]:
    """Stand in Keystone's catalogue as Glance, so that every client finds both."""
    with (
        LossyProxy([local_cloud.url("glance"), second.url], service="image") as proxy,
        in_the_catalogue(local_cloud, proxy.url.removesuffix("/v2")),
    ):
        yield proxy


@pytest.fixture
def client(local_cloud: LocalCloud, balancer: LossyProxy) -> Iterator[ClientFactory]:
    before = image_ids(local_cloud)
    balancer.asked.clear()
    yield ClientFactory(local_cloud, PATIENT)
    assert len(balancer.asked) == 2, "one Glance was asked nothing"
    remove_images(local_cloud, image_ids(local_cloud) - before)


def staged(local_cloud: LocalCloud, second: SecondGlance) -> list[Path]:
    """Return the files in the staging folders of both Glances."""
    return [
        path for home in (local_cloud.directory, second.directory) for path in (home / "glance" / "staging").iterdir()
    ]


def stored(local_cloud: LocalCloud, image_id: str) -> list[Path]:
    return [path for store in ("fast", "slow") for path in (local_cloud.directory / "glance" / store).glob(image_id)]


@pytest.mark.parametrize(("transfer", "stores"), [("import", ("fast", "slow")), ("stream", ("slow",))])
def test_an_image_is_registered(
    client: ClientFactory, file_server: FileServer, transfer: str, stores: tuple[str, ...]
) -> None:
    alice = client("alice", transfer=transfer)

    image = alice.register(new(disk(file_server), checksum=SHA256, stores=stores))

    assert (image.state, image.size) == ("ACTIVE", len(samples.data("disk.qcow2")))
    assert alice.cloud.get("image", f"/images/{image.id}/file").content == samples.data("disk.qcow2")


@pytest.fixture
def _nothing_staged(local_cloud: LocalCloud, second: SecondGlance) -> Iterator[None]:
    yield
    until(lambda: not staged(local_cloud, second))


@pytest.mark.usefixtures("_nothing_staged")
@pytest.mark.parametrize("turn", [0, 1])
def test_data_is_staged_on_one_host_and_imported_there(client: ClientFactory, tmp_path: Path, turn: int) -> None:
    """The request to import comes to either; the wrong one passes it on (worker_self_reference_url)."""
    path = tmp_path / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))
    alice = client("alice")
    for _ in range(turn):
        alice.cloud.get("image", "/info/stores")

    image = alice.register(NewImage(name=unique("staged"), file=path, checksum=SHA256, stores=("fast", "slow")))

    assert (image.state, set(image.stores)) == ("ACTIVE", {"fast", "slow"})
    assert alice.cloud.get("image", f"/images/{image.id}/file").content == samples.data("disk.qcow2")


@pytest.mark.usefixtures("_nothing_staged")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", [(step, turn) for step in STAGER_STEPS for turn in (0, 1)])
def test_a_stager_is_killed(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path, case: tuple[str, int], ending: str
) -> None:
    step, turn = case
    for _ in range(turn):
        client("alice").cloud.get("image", "/info/stores")

    survive_a_killed_uploader(local_cloud, client, tmp_path, step, ending, packed=False, stores=("fast", "slow"))


def test_a_registration_is_resumed_by_another_client(
    local_cloud: LocalCloud, second: SecondGlance, client: ClientFactory, file_server: FileServer
) -> None:
    held = slow(file_server)
    begun = client("alice").start_registration(new(held.url, checksum=SHA256))
    held.wait_until_reached()
    resumed = client("arthur").resume_registration(begun.image_id)
    held.release()

    assert resumed.wait(timeout=scaled(60)).state == begun.wait(timeout=scaled(60)).state == "ACTIVE"
    assert staged(local_cloud, second) == []


@pytest.mark.parametrize("turn", [0, 1])
def test_a_registration_is_cancelled_whichever_glance_imports(
    local_cloud: LocalCloud, second: SecondGlance, client: ClientFactory, file_server: FileServer, turn: int
) -> None:
    """The other Glance deletes the record; the one that imports notices, and clears up after itself."""
    alice = client("alice")
    held = slow(file_server)
    registration = alice.start_registration(new(held.url))
    held.wait_until_reached()
    for _ in range(turn):
        alice.cloud.get("image", "/info/stores")

    registration.cancel()
    held.release()

    with pytest.raises(NotFoundError):
        alice.cloud.image(registration.image_id)
    until(lambda: not staged(local_cloud, second))
    assert stored(local_cloud, registration.image_id) == []


def test_a_failed_import_is_told(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", url_policy=BLIND)
    request = new(file_server.cut("/cut", samples.data("disk.qcow2"), after=1000), disk_format="qcow2")
    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(request)
    assert caught.value.reason == UrlProblem.TRUNCATED
    assert named(client, request.name) == []


def test_the_glance_that_imports_is_killed(
    second: SecondGlance, local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    """A dead import looks like a slow one; the other Glance keeps working, and cancels."""
    alice = client("alice")
    held = slow(file_server)
    registration = alice.start_registration(new(held.url))
    held.wait_until_reached()
    importing = list((second.directory / "glance" / "staging").iterdir())
    if importing:
        second.kill()
    else:
        local_cloud.kill("glance")
    try:
        with pytest.raises(WaitTimeoutError):
            registration.wait(timeout=2)
        registration.cancel()
        with pytest.raises(NotFoundError):
            alice.cloud.image(registration.image_id)
        assert alice.register(new(disk(file_server))).state == "ACTIVE"
    finally:
        held.release()
        if importing:
            second.start()
        else:
            local_cloud.restart("glance")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("step", CALLER_STEPS)
def test_a_killed_caller(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str, ending: str
) -> None:
    survive_a_killed_caller(local_cloud, client, file_server, step, ending)


@pytest.mark.parametrize("step", UPLOADER_STEPS)
def test_a_killed_uploader(local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path, step: str) -> None:
    survive_a_killed_uploader(local_cloud, client, tmp_path, step, "resume", packed=False)


def test_twenty_processes_against_room_for_five(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    race(local_cloud, client, file_server, processes=20, room=5)
