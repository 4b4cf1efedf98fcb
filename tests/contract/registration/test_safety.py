"""Images that a registration never deletes, and records that it never trusts."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    InvalidRequestError,
    NotFoundError,
    Phase,
    ProtectedError,
    RegistrationFailedError,
    UrlProblem,
)
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, CloudUnderTest, image_ids, unique
from tests.support.file_server import FileServer
from tests.support.interference import Interference, interrupt
from tests.support.registrations import disk, new, until_phase
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trustme

    from hyperx_glance import Client

SIZE = len(samples.data("disk.qcow2"))


def stays_as_it_is(client: Client, image_id: str) -> None:
    image = client.cloud.image(image_id)
    assert (image.state, image.phase, image.failure) == ("ACTIVE", "ready", "")


@contextmanager
def a_store_that_fails(cloud: CloudUnderTest, store: str) -> Iterator[None]:
    if isinstance(cloud, InMemoryCloud):
        cloud.glance.broken_stores = {store}
        yield
        cloud.glance.broken_stores = set()
        return
    with cloud.configured("glance", {store: {"filesystem_store_datadir": "/proc/nowhere"}}):  # type: ignore[attr-defined]
        yield


def copy_in_vain(cloud: CloudUnderTest, client: ClientFactory, image_id: str) -> None:
    """Let a copy of a ready image to another store fail, which leaves a note in its record."""
    alice = client("alice")
    until(lambda: not alice.cloud.image(image_id).glance_property("os_glance_import_task"))
    with a_store_that_fails(cloud, "slow"):
        body = {"method": {"name": "copy-image"}, "stores": ["slow"]}
        client("admin").cloud.post("image", f"/images/{image_id}/import", json=body)
        until(lambda: not alice.cloud.image(image_id).glance_property("os_glance_import_task"))
    image = alice.cloud.image(image_id)
    assert image.glance_property("os_glance_failed_import") == "slow"


# ----------------------------------------------------------------- what was ready


@pytest.mark.parametrize("checksum", [None, "sha512", "sha256"])
def test_a_ready_image_whose_copy_to_another_store_failed_is_kept(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer, checksum: str | None
) -> None:
    alice = client("alice")
    wanted = f"{checksum}:{hashlib.new(checksum, samples.data('disk.qcow2')).hexdigest()}" if checksum else None
    begun = alice.start_registration(new(disk(file_server), checksum=wanted))
    until_phase(begun, Phase.READY)
    copy_in_vain(cloud, client, begun.image_id)

    for registration in (alice.resume_registration(begun.image_id), begun):
        image = registration.wait()
        assert (image.state, image.phase) == ("ACTIVE", "ready")

    stays_as_it_is(alice, begun.image_id)


@pytest.mark.parametrize("algorithm", ["sha512", "sha256"])
def test_a_ready_image_with_a_wrong_checksum_is_told_again_and_again_and_kept(
    client: ClientFactory, file_server: FileServer, algorithm: str
) -> None:
    alice = client("alice")
    image = alice.register(new(disk(file_server)))
    length = hashlib.new(algorithm).digest_size * 2
    patch = [{"op": "add", "path": "/hyperx_checksum", "value": f"{algorithm}:{'0' * length}"}]
    alice.cloud.patch_image(image.id, patch)

    for keep_failed in (True, False):
        registration = alice.resume_registration(image, keep_failed=keep_failed)
        for _ in "twice":
            with pytest.raises(RegistrationFailedError, match="left as it was found") as caught:
                registration.wait()
            assert (caught.value.reason, caught.value.image_id) == ("checksum", image.id)

    stays_as_it_is(alice, image.id)
    assert image.id in {unfinished.id for unfinished in alice.unfinished_registrations()}


def test_a_ready_image_that_is_protected_stays_when_who_resumed_it_cancels(
    client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice")
    image = alice.register(new(disk(file_server), protected=True))
    registration = alice.resume_registration(image)

    with pytest.raises(ProtectedError):
        registration.cancel()

    assert registration.wait().id == image.id
    stays_as_it_is(alice, image.id)


def test_an_import_that_another_process_began_is_told_but_its_ready_data_is_kept(
    client: ClientFactory, file_server: FileServer
) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    alice = client("alice")
    begun = alice.start_registration(new(held.url, checksum=f"sha512:{'0' * 128}"))
    held.wait_until_reached()
    resumed = alice.resume_registration(begun.image_id)
    held.release()

    with pytest.raises(RegistrationFailedError, match="left as it was found"):
        resumed.wait()
    stays_as_it_is(alice, begun.image_id)

    with pytest.raises(RegistrationFailedError):
        begun.wait()
    with pytest.raises(NotFoundError):
        alice.cloud.image(begun.image_id)


# ----------------------------------------------------------------- what Glance cannot read, and this machine can


@pytest.fixture
def private_ca(cloud: CloudUnderTest, client: ClientFactory, private_authority: trustme.CA) -> Iterator[PrivateServer]:
    del cloud
    with FileServer(authority=private_authority) as server:
        yield PrivateServer(server, client)


@pytest.fixture(scope="session")
def private_authority() -> trustme.CA:
    """Make an authority that the local cloud's Glance does not trust."""
    import trustme  # noqa: PLC0415  # as the type is only needed by checkers

    return trustme.CA()


@pytest.fixture
def trust(private_authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("private") / "ca.pem"
    private_authority.cert_pem.write_to_path(str(path))
    return str(path)


class PrivateServer:
    """A file server that only this machine can read."""

    def __init__(self, server: FileServer, client: ClientFactory) -> None:
        self.url = disk(server)
        self.client = client

    def connect(self, trust: str, transfer: str = "auto") -> Client:
        policy = LOOPBACK.model_copy(update={"ca_file": trust})
        return self.client("alice", url_policy=policy, transfer=transfer)


@pytest.mark.parametrize("store", [None, "slow"])
def test_a_url_that_glance_cannot_read_is_streamed_into_the_same_record(
    private_ca: PrivateServer, trust: str, store: str | None
) -> None:
    alice = private_ca.connect(trust)
    between = Interference(alice)
    digest = hashlib.sha256(samples.data("disk.qcow2")).hexdigest()
    stores = (store,) if store else ()

    image = alice.register(new(private_ca.url, checksum=f"sha256:{digest}", stores=stores))

    assert (image.state, image.phase, image.size) == ("ACTIVE", "ready", SIZE)
    assert image.stores == (store or "fast",)
    assert image.glance_property("os_glance_failed_import") == (store or "fast")
    assert (
        between.count("POST", "^/images$") == between.count("POST", "/import$") == between.count("PUT", "/file$") == 1
    )
    assert alice.resume_registration(image).wait().id == image.id
    assert image.id not in {unfinished.id for unfinished in alice.unfinished_registrations()}
    stays_as_it_is(alice, image.id)


def test_an_import_alone_says_that_streaming_would_work(
    cloud: CloudUnderTest, private_ca: PrivateServer, trust: str
) -> None:
    before = image_ids(cloud)

    with pytest.raises(RegistrationFailedError) as caught:
        private_ca.connect(trust, "import").register(new(private_ca.url))

    assert caught.value.reason == "glance"
    assert "This machine can read the URL" in caught.value.hint
    assert "transfer='stream' or 'auto'" in caught.value.hint
    assert image_ids(cloud) == before


def test_a_url_that_glance_cannot_read_is_staged_for_several_stores(private_ca: PrivateServer, trust: str) -> None:
    alice = private_ca.connect(trust)
    between = Interference(alice)

    image = alice.register(new(private_ca.url, stores=("fast", "slow")))

    assert (image.state, image.size, set(image.stores)) == ("ACTIVE", SIZE, {"fast", "slow"})
    assert (between.count("PUT", "/stage$"), between.count("POST", "/import$")) == (1, 2)


def test_an_import_alone_to_several_stores_says_what_would_work(
    cloud: CloudUnderTest, private_ca: PrivateServer, trust: str
) -> None:
    before = image_ids(cloud)

    with pytest.raises(RegistrationFailedError) as caught:
        private_ca.connect(trust, "import").register(new(private_ca.url, stores=("fast", "slow")))

    assert "needs the import method glance-direct" in caught.value.hint
    assert image_ids(cloud) == before


def test_a_caller_killed_between_failed_import_and_upload_is_resumed_by_streaming(
    private_ca: PrivateServer, trust: str
) -> None:
    alice = private_ca.connect(trust)
    begun = alice.start_registration(new(private_ca.url))
    Interference(alice).before("PUT", "/file$", interrupt)
    with pytest.raises(KeyboardInterrupt):  # the caller dies: `wait` alone cleans nothing up
        begun.wait()

    later = private_ca.connect(trust)
    assert begun.image_id in {image.id for image in later.unfinished_registrations()}
    image = later.resume_registration(begun.image_id).wait()

    assert (image.state, image.size) == ("ACTIVE", SIZE)
    assert later.resume_registration(image).wait().phase is Phase.READY


def test_a_url_that_neither_glance_nor_this_machine_can_read_fails(
    cloud: CloudUnderTest, private_ca: PrivateServer
) -> None:
    before = image_ids(cloud)
    policy = LOOPBACK.model_copy(update={"preflight": False})

    with pytest.raises(RegistrationFailedError) as caught:
        private_ca.client("alice", url_policy=policy).register(new(private_ca.url, disk_format="qcow2"))

    assert caught.value.reason == UrlProblem.TLS
    assert image_ids(cloud) == before


# ----------------------------------------------------------------- records that others forged


def forged(forger: Client, victim: Client, url: str, **fields: object) -> str:
    """Make a record that says that the victim had begun to register it."""
    record = {
        "id": str(uuid.uuid4()),
        "name": unique("forged"),
        "visibility": "community",
        "disk_format": "qcow2",
        "container_format": "bare",
        "hyperx_created_by": victim.user_id,
        "hyperx_url": url,
        **fields,
    }
    return str(forger.cloud.post("image", "/images", json=record).json()["id"])


@pytest.mark.parametrize("transfer", ["auto", "stream"])
def test_another_departments_record_is_no_unfinished_registration(
    client: ClientFactory, file_server: FileServer, transfer: str
) -> None:
    """Otherwise the recovering caller would read what the forger may not, and put it into the forger's image."""
    admin, bob = client("admin", transfer=transfer), client("bob")
    image_id = forged(bob, admin, disk(file_server))

    assert image_id not in {image.id for image in admin.unfinished_registrations()}
    with pytest.raises(InvalidRequestError, match="another department"):
        admin.resume_registration(image_id)

    assert file_server.requests == []
    assert bob.cloud.image(image_id).phase is Phase.REGISTERED


def test_another_departments_record_is_resumed_with_a_url_of_the_callers_own(
    client: ClientFactory, file_server: FileServer
) -> None:
    admin, url = client("admin", transfer="stream"), disk(file_server)
    begun = admin.start_registration(new(url, owner="dept-b"))

    assert begun.image_id not in {image.id for image in admin.unfinished_registrations()}
    with pytest.raises(InvalidRequestError, match="another URL"):
        admin.resume_registration(begun.image_id, url=file_server.url("/other"))
    image = admin.resume_registration(begun.image_id, url=url).wait()

    assert (image.state, image.owner) == ("ACTIVE", client("bob").project_id)


def test_another_departments_word_that_its_data_was_verified_counts_for_nothing(
    client: ClientFactory, file_server: FileServer
) -> None:
    admin, bob, url = client("admin"), client("bob"), disk(file_server)
    image = bob.register(new(url))
    words = {"hyperx_checksum": f"sha256:{'0' * 64}", "hyperx_checksum_verified": "true"}
    bob.cloud.patch_image(image.id, [{"op": "add", "path": f"/{key}", "value": words[key]} for key in words])

    with pytest.raises(RegistrationFailedError) as caught:
        admin.resume_registration(image.id, url=url).wait()

    assert caught.value.reason == "checksum"
    stays_as_it_is(bob, image.id)
