"""Staged uploads on the real Glance: killed processes, lost answers, and import plug-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import RegistrationFailedError, ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.contract.registration.test_staged import BOTH, SHA256, is_complete, mislabelled, staged, stored
from tests.local.crashes import ENDINGS, STAGER_STEPS, named, survive_a_killed_uploader
from tests.support.clouds import image_ids
from tests.support.interference import Interference
from tests.support.lossy_proxy import Fate, LossyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance import Client, Image, NewImage
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory


@pytest.fixture
def _nothing_left(local_cloud: LocalCloud) -> Iterator[None]:
    before = image_ids(local_cloud)
    yield
    assert image_ids(local_cloud) == before
    assert not [*(local_cloud.directory / "glance" / "staging").iterdir()]


@pytest.mark.usefixtures("_nothing_left")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", [(step, packed) for step in STAGER_STEPS for packed in (False, True)])
def test_a_killed_stager(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path, case: tuple[str, bool], ending: str
) -> None:
    step, packed = case
    survive_a_killed_uploader(local_cloud, client, tmp_path, step, ending, packed=packed, stores=BOTH)


@pytest.mark.usefixtures("_nothing_left")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("moment", ["before the staging", "after the staging", "after the import request"])
def test_a_glance_that_is_killed(
    local_cloud: LocalCloud, client: ClientFactory, disk: Path, moment: str, ending: str
) -> None:
    alice, request = client("alice"), staged(disk, checksum=SHA256)
    between = Interference(alice)
    match moment:
        case "before the staging":
            between.before("PUT", "/stage$", lambda: local_cloud.kill("glance"))
        case "after the staging":
            between.after("PUT", "/stage$", lambda: local_cloud.kill("glance"))
        case _:
            between.after("POST", "/import$", lambda: local_cloud.kill("glance"))
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(request)
    local_cloud.restart("glance")

    image_id = caught.value.image_id
    assert image_id is not None
    assert named(client, request.name) == [image_id]
    alice = client("alice")
    registration = alice.resume_registration(image_id, file=disk)
    if ending == "resume":
        try:
            image = registration.wait(timeout=scaled(5))
        except WaitTimeoutError:
            assert moment == "after the import request"  # the import died with Glance's process, or had not begun
            registration.cancel()
        else:
            assert (image.state, stored(alice, image)) == ("ACTIVE", samples.data("disk.qcow2"))
            alice.delete(image)
    else:
        registration.cancel()
    assert named(client, request.name) == []


@pytest.mark.usefixtures("_nothing_left")
def test_a_single_store_glance(local_cloud: LocalCloud, client: ClientFactory, disk: Path) -> None:
    """It notes no failure in the record, which stays "importing": the task tells."""
    store = local_cloud.directory / "glance" / "single"
    store.mkdir(parents=True, exist_ok=True)
    of_store: dict[str, str | None] = {"stores": "file", "default_store": "file", "default_backend": None}
    options: dict[str, dict[str, str | None]] = {
        "DEFAULT": {"enabled_backends": None},
        "glance_store": {**of_store, "filesystem_store_datadir": str(store)},
    }
    alice, request = client("alice", transfer="import"), staged(disk, stores=(), checksum=SHA256)
    with local_cloud.configured("glance", options):
        image = alice.register(request)
        assert (image.state, image.stores, stored(alice, image)) == ("ACTIVE", (), samples.data("disk.qcow2"))
        alice.delete(image)
        with pytest.raises(RegistrationFailedError) as caught:
            mislabelled(alice, request).wait(timeout=scaled(30))

    assert caught.value.reason == "glance"


@pytest.mark.usefixtures("_nothing_left")
@pytest.mark.parametrize("fate", ["cut_early", "cut_late", "bad_gateway", "drop"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_lost_answer(local_cloud: LocalCloud, client: ClientFactory, disk: Path, method: str, fate: Fate) -> None:
    path = "/stage$" if method == "PUT" else "/import$"
    proxy = LossyProxy(local_cloud.url("glance"), [fate], service="image", creation=path, method=method)
    with proxy:
        alice = proxy.client(local_cloud.session("alice"), client.settings)
        try:
            image = alice.register(staged(disk, checksum=SHA256))
        except ServiceUnavailableError as error:  # the data did not arrive: nothing is lost, but it is read only once
            assert (method, fate) in {("PUT", "drop"), ("PUT", "cut_early"), ("PUT", "bad_gateway")}
            image = client("alice").resume_registration(str(error.image_id), file=disk).wait()
            assert (image.state, stored(alice, image)) == ("ACTIVE", samples.data("disk.qcow2"))
        else:
            is_complete(alice, image)

    tasks = client("alice").cloud.get("image", f"/images/{image.id}/tasks").json()["tasks"]
    assert len(tasks) <= 1  # what is resumed has forgotten its stores, and may be streamed to the default one
    client("alice").delete(image)


def kept_failure(alice: Client, request: NewImage) -> Image:
    """Let Glance refuse the content at the end of its import; return the record, which stays."""
    registration = mislabelled(alice, request, keep_failed=True)
    with pytest.raises(RegistrationFailedError):
        registration.wait(timeout=scaled(30))
    return alice.image(registration.image_id)


def files(cloud: LocalCloud, image: Image) -> list[str]:
    """Return the places in which Glance has a file of an image."""
    return sorted(path.parent.name for path in (cloud.directory / "glance").rglob(f"{image.id}*"))


def is_left_in(store: str, local_cloud: LocalCloud, alice: Client, image: Image) -> bool:
    """Delete an image, and check whether its data is in a store all the same; then remove it."""
    alice.delete(image)
    left = files(local_cloud, image)
    for forgotten in (local_cloud.directory / "glance" / store).glob(image.id):
        forgotten.unlink()
    return left == [store]


@pytest.mark.parametrize(("stores", "first"), [(BOTH, "fast"), (("slow",), "slow")])
def test_a_refused_import_of_staged_data_leaves_it_in_a_store(
    local_cloud: LocalCloud, client: ClientFactory, disk: Path, stores: tuple[str, ...], first: str
) -> None:
    """Glance looks at the content once it is in the store, and notes the place later (docs/decisions/0141)."""
    alice = client("alice", transfer="import")

    image = kept_failure(alice, staged(disk, stores=stores))

    assert files(local_cloud, image) == [first, "staging"]
    assert is_left_in(first, local_cloud, alice, image)


def test_a_refused_upload_leaves_nothing(local_cloud: LocalCloud, client: ClientFactory, disk: Path) -> None:
    alice = client("alice", transfer="stream")

    image = kept_failure(alice, staged(disk, stores=()))
    alice.delete(image)

    assert files(local_cloud, image) == []
