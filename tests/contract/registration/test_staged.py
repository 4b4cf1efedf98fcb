"""Registering data through Glance's staging area: what several stores, and import plug-ins, are for."""

from __future__ import annotations

import gzip
import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ChecksumMismatchError,
    ConflictError,
    InvalidRequestError,
    NewImage,
    NewIso,
    NotFoundError,
    Phase,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import ClientFactory, CloudUnderTest, unique
from tests.support.conversion import converting
from tests.support.interference import Interference, interrupt, unreachable
from tests.support.registrations import disk as serve_disk, images_used, limits, new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hyperx_glance import Client, Image, Progress, Registration
    from tests.support.file_server import FileServer

DISK = samples.data("disk.qcow2")
SHA256 = f"sha256:{hashlib.sha256(DISK).hexdigest()}"
BOTH = ("fast", "slow")


def staged(path: Path, **fields: object) -> NewImage:
    return NewImage.model_validate({"name": unique("staged"), "file": path, "stores": BOTH, **fields})


def stored(alice: Client, image: Image | str) -> bytes:
    return alice.cloud.get("image", f"/images/{getattr(image, 'id', image)}/file").content


def is_complete(alice: Client, image: Image) -> None:
    assert (image.state, image.phase, image.size, set(image.stores)) == ("ACTIVE", "ready", len(DISK), set(BOTH))
    assert stored(alice, image) == DISK


@contextmanager
def configured(cloud: CloudUnderTest, options: dict[str, dict[str, object]], **memory: object) -> Iterator[None]:
    """Configure Glance for a while: the real one by its options, that in memory by its settings."""
    if not isinstance(cloud, InMemoryCloud):
        with cloud.configured("glance", options):  # type: ignore[attr-defined]  # LocalCloud
            yield
        return
    before = {name: getattr(cloud.glance, name) for name in memory}
    for name, value in memory.items():
        setattr(cloud.glance, name, value)
    yield
    for name, value in before.items():
        setattr(cloud.glance, name, value)


@pytest.mark.parametrize("transfer", ["auto", "import", "stream"])
def test_a_file_fills_several_stores(client: ClientFactory, disk: Path, transfer: str) -> None:
    alice = client("alice", transfer=transfer)
    between = Interference(alice)
    seen: list[Progress] = []

    image = alice.register(staged(disk, checksum=SHA256), on_progress=seen.append)

    is_complete(alice, image)
    assert image.glance_property("hyperx_checksum_verified") == "true"
    assert [between.count(*each) for each in (("PUT", "/stage$"), ("POST", "/import$"), ("PUT", "/file$"))] == [1, 1, 0]
    done = [each.bytes_done or 0 for each in seen]
    assert done == sorted(done)
    assert (seen[0].phase, seen[-1].bytes_done, seen[-1].bytes_expected) == (Phase.STORING, len(DISK), len(DISK))
    assert image.id not in {each.id for each in alice.unfinished_registrations()}
    assert alice.resume_registration(image).wait().id == image.id


def test_a_file_object_of_packed_data_fills_several_stores(client: ClientFactory, tmp_path: Path) -> None:
    packed = gzip.compress(DISK)
    path = tmp_path / "disk.qcow2.gz"
    path.write_bytes(packed)
    alice = client("alice")

    image = alice.register(staged(path, checksum=f"sha256:{hashlib.sha256(packed).hexdigest()}"))

    is_complete(alice, image)


def test_a_url_that_glance_does_not_read_fills_several_stores(client: ClientFactory, file_server: FileServer) -> None:
    url = serve_disk(file_server)
    with_login = url.replace("//", "//alice:5ecre7@")

    for transfer, address in (("stream", url), ("auto", with_login)):
        alice = client("alice", transfer=transfer)
        is_complete(alice, alice.register(new(address, stores=BOTH, checksum=SHA256)))


def test_one_store_and_import_stage_a_file_as_well(client: ClientFactory, disk: Path) -> None:
    """Every file passes Glance's import plug-ins then."""
    alice = client("alice", transfer="import")
    between = Interference(alice)

    image = alice.register(staged(disk, stores=("slow",)))

    assert (image.state, image.stores, stored(alice, image)) == ("ACTIVE", ("slow",), DISK)
    assert (between.count("PUT", "/stage$"), between.count("PUT", "/file$")) == (1, 0)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("keep_failed", [False, True])
def test_wrong_data_is_never_imported(client: ClientFactory, disk: Path, keep_failed: bool) -> None:  # noqa: FBT001
    alice = client("alice")
    between = Interference(alice)

    with pytest.raises(ChecksumMismatchError):
        alice.register(staged(disk, checksum=f"sha256:{'0' * 64}"), keep_failed=keep_failed)

    assert between.count("POST", "/import$") == 0


LOST: dict[str, Callable[[Interference], None]] = {
    "the answer to the staging": lambda between: between.lose("PUT", "/stage$"),
    "the answer to the import": lambda between: between.lose("POST", "/import$"),
    "the first two answers to the import": lambda between: between.lose("POST", "/import$", times=2),
    "the request to import": lambda between: between.before("POST", "/import$", unreachable),
}


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_message_stages_and_imports_once(client: ClientFactory, disk: Path, lost: str) -> None:
    alice = client("alice")
    between = Interference(alice)
    LOST[lost](between)

    image = alice.register(staged(disk, checksum=SHA256))

    is_complete(alice, image)
    assert between.count("PUT", "/stage$") == 1
    assert sum(status == 202 for method, _, status in between.answered if method == "POST") == 1
    tasks = alice.cloud.get("image", f"/images/{image.id}/tasks").json()["tasks"]
    assert len(tasks) == 1


# ----------------------------------------------------------------- converted


@pytest.fixture
def _converting(cloud: CloudUnderTest, request: pytest.FixtureRequest) -> Iterator[None]:
    with converting(cloud, lambda: request.getfixturevalue("tools")):
        yield


def is_converted(alice: Client, image: Image, stores: tuple[str, ...]) -> None:
    raw = samples.data("disk.raw")
    assert (image.disk_format, image.state, image.size, image.stores) == ("raw", "ACTIVE", len(raw), stores)
    assert image.glance_property("hyperx_converted_from") == "qcow2"
    assert image.hash_value == hashlib.new(str(image.hash_algorithm), raw).hexdigest()
    assert stored(alice, image) == raw


@pytest.mark.usefixtures("_converting")
def test_staged_data_is_verified_as_it_was_sent_and_converted(
    client: ClientFactory, disk: Path, tmp_path: Path
) -> None:
    packed = gzip.compress(DISK)
    (tmp_path / "packed").write_bytes(packed)
    of_packed = f"sha256:{hashlib.sha256(packed).hexdigest()}"
    alice = client("alice", transfer="import")
    between = Interference(alice)

    for path, checksum in ((disk, SHA256), (disk, None), (tmp_path / "packed", of_packed)):
        image = alice.register(staged(path, checksum=checksum, stores=("slow",)))
        is_converted(alice, image, ("slow",))
        assert image.glance_property("hyperx_checksum") == (checksum or "")
        assert image.glance_property("hyperx_checksum_verified") == ("true" if checksum else "")
        assert alice.resume_registration(image).wait().id == image.id

    assert between.count("PATCH", "") == 3
    assert image.id not in {each.id for each in alice.unfinished_registrations()}


@pytest.mark.usefixtures("_converting")
def test_a_deployment_that_has_converted_an_image_converts_the_next_file(
    client: ClientFactory, file_server: FileServer, disk: Path, tmp_path: Path
) -> None:
    """Nothing but such an image shows that a deployment converts."""
    iso = tmp_path / "installer.iso"
    iso.write_bytes(samples.data("installer.iso"))
    alice = client("alice")

    unknowing = alice.register(staged(disk, stores=()))
    known = alice.register(new(serve_disk(file_server)))
    image = client("alice").register(staged(disk, stores=()))

    assert (unknowing.disk_format, unknowing.stores) == ("qcow2", ("fast",))
    is_converted(alice, known, ("fast",))
    is_converted(alice, image, ("fast",))
    between = Interference(alice)
    streaming = client("alice", transfer="stream").register(staged(disk, stores=(), checksum=SHA256))
    assert (streaming.disk_format, stored(alice, streaming)) == ("qcow2", DISK)
    assert alice.register(NewIso(name=unique("staged"), file=iso)).state == "ACTIVE"
    assert between.count("PUT", "/stage$") == 0
    for each in (known, image):
        alice.delete(each)


@pytest.mark.usefixtures("_converting")
def test_converted_data_whose_sender_died_cannot_be_verified(client: ClientFactory, disk: Path) -> None:
    image_id = killed(client, staged(disk, checksum=SHA256), "POST", "/import$")

    with pytest.raises(RegistrationFailedError, match="Glance converted it during the import: from qcow2") as caught:
        client("alice").resume_registration(image_id).wait()

    assert caught.value.reason == "unverifiable"


# ----------------------------------------------------------------- ended early


def killed(client: ClientFactory, request: NewImage, method: str, path: str) -> str:
    """Register until a request, and die there; return the id of the record."""
    alice = client("alice")
    registration = alice.start_registration(request)
    Interference(alice).before(method, path, interrupt)
    with pytest.raises(KeyboardInterrupt):  # the caller dies: `wait` alone cleans nothing up
        registration.wait()
    return registration.image_id


@pytest.mark.parametrize("checksum", [None, SHA256])
def test_what_was_staged_is_imported_by_the_next_client_without_the_file(
    client: ClientFactory, disk: Path, checksum: str | None
) -> None:
    image_id = killed(client, staged(disk, checksum=checksum), "POST", "/import$")
    alice = client("alice")
    between = Interference(alice)

    assert image_id in {image.id for image in alice.unfinished_registrations()}
    image = alice.resume_registration(image_id).wait()

    assert (image.state, image.stores, stored(alice, image)) == ("ACTIVE", ("fast",), DISK)
    assert between.count("PUT", "") == 0
    assert image_id not in {image.id for image in alice.unfinished_registrations()}


def test_two_clients_that_find_staged_data_import_it_once(client: ClientFactory, disk: Path) -> None:
    image_id = killed(client, staged(disk, checksum=SHA256), "POST", "/import$")
    first, second = client("alice"), client("alice")
    other = second.resume_registration(image_id)
    Interference(first).before("POST", "/import$", other.wait)

    image = first.resume_registration(image_id).wait()

    assert image.state == other.wait().state == "ACTIVE"
    assert len(first.cloud.get("image", f"/images/{image_id}/tasks").json()["tasks"]) == 1


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("ending", ["cancel", "cancel by id", "delete"])
def test_staged_data_is_deleted_with_its_record(client: ClientFactory, disk: Path, ending: str) -> None:
    image_id = killed(client, staged(disk), "POST", "/import$")
    alice = client("alice")

    match ending:
        case "cancel":
            alice.resume_registration(image_id).cancel()
        case "cancel by id":
            alice.cancel_registration(image_id)
        case _:
            alice.delete(alice.image(image_id))

    with pytest.raises(NotFoundError):
        alice.cloud.image(image_id)


def test_a_staging_that_broke_off_is_started_again(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    registration = alice.start_registration(staged(disk, checksum=SHA256))

    def die(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registration.wait(on_progress=die)

    with pytest.raises(InvalidRequestError, match="file"):
        client("alice").resume_registration(registration.image_id)
    image = client("alice", transfer="import").resume_registration(registration.image_id, file=disk).wait()

    assert (image.state, stored(alice, image)) == ("ACTIVE", DISK)


@pytest.mark.usefixtures("nothing_left")
def test_a_registration_is_cancelled_between_staging_and_import(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    between = Interference(alice)
    registration = alice.start_registration(staged(disk))
    between.after("PUT", "/stage$", registration.cancel)

    with pytest.raises(RegistrationFailedError) as caught:
        registration.wait()

    assert caught.value.reason == "cancelled"
    assert between.count("POST", "/import$") == 0


@pytest.mark.usefixtures("nothing_left")
def test_ctrl_c_during_the_staging_leaves_nothing(client: ClientFactory, disk: Path) -> None:
    def die(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client("alice").register(staged(disk), on_progress=die)


# ----------------------------------------------------------------- refused


@pytest.mark.usefixtures("nothing_left")
def test_a_glance_that_stages_nothing_fills_one_store(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer, disk: Path
) -> None:
    methods = ["web-download", "copy-image"]
    options: dict[str, dict[str, object]] = {"DEFAULT": {"enabled_import_methods": f"[{','.join(methods)}]"}}
    with configured(cloud, options, import_methods=methods):
        alice, streaming = client("alice"), client("alice", transfer="stream")
        between = Interference(alice)
        with pytest.raises(InvalidRequestError, match=r"stores: .*glance-direct"):
            alice.register(staged(disk))
        assert between.count("POST", "") == 0
        with pytest.raises(InvalidRequestError, match=r"stores: .*glance-direct"):
            streaming.register(new(serve_disk(file_server), stores=BOTH))
        image = client("alice", transfer="import").register(staged(disk, stores=("slow",)))
        assert (image.state, image.stores) == ("ACTIVE", ("slow",))
        alice.delete(image)


@pytest.mark.usefixtures("nothing_left")
def test_no_room_in_the_staging_area(client: ClientFactory, tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(samples.data("partitioned.raw") + bytes(3 << 20))

    with limits(client, "dept-a", {"staging_mib": 1}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(staged(path))

    assert (caught.value.resource, caught.value.status) == ("staging_mib", 413)


def mislabelled(alice: Client, request: NewImage, *, keep_failed: bool = False) -> Registration:
    """Start a registration whose data is not of the format in the record, as if it changed behind its first bytes."""
    registration = alice.start_registration(request, keep_failed=keep_failed)
    patch = [{"op": "replace", "path": "/disk_format", "value": "vmdk"}]
    alice.cloud.patch_image(registration.image_id, patch)
    return registration


@pytest.mark.usefixtures("nothing_left")
def test_staged_data_that_glance_refuses_leaves_nothing(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    used = images_used(client)
    between = Interference(alice)
    registration = mislabelled(alice, staged(disk))

    with pytest.raises(RegistrationFailedError, match="import") as caught:
        registration.wait()

    assert caught.value.reason == "glance"
    assert "worker_self_reference_url" in caught.value.hint
    assert between.count("PUT", "/file$") == 0
    assert images_used(client) == used


def test_a_failed_record_is_kept_with_the_reason(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    registration = mislabelled(alice, staged(disk), keep_failed=True)

    with pytest.raises(RegistrationFailedError):
        registration.wait()

    image = client("alice").image(registration.image_id)
    assert (image.phase, image.state) == (Phase.FAILED, "INACTIVE")
    assert "Glance failed to import" in image.failure
    assert alice.progress(image).phase is Phase.FAILED
    with pytest.raises(ConflictError):
        alice.resume_registration(image)
    alice.delete(image)


def test_a_failed_import_of_staged_data_is_found_by_the_next_client(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    registration = mislabelled(alice, staged(disk))
    Interference(alice).before("GET", "/tasks$", interrupt)
    with pytest.raises(KeyboardInterrupt):
        registration.wait()

    later = client("alice")
    assert registration.image_id in {image.id for image in later.unfinished_registrations()}
    assert later.progress(registration.image_id).phase is Phase.FAILED
    with pytest.raises(RegistrationFailedError, match="import"):
        later.resume_registration(registration.image_id).wait()
    with pytest.raises(NotFoundError):
        later.cloud.image(registration.image_id)


@pytest.mark.usefixtures("nothing_left")
def test_a_service_out_of_reach_between_staging_and_import_loses_nothing(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    between = Interference(alice)
    between.before("POST", "/import$", unreachable, times=10)

    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(staged(disk, checksum=SHA256))

    image = client("alice").resume_registration(str(caught.value.image_id)).wait()
    assert (image.state, stored(alice, image)) == ("ACTIVE", DISK)
    alice.delete(image)
