"""Deployments with other options than ours: each is refused early in words that help, or works."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ConflictError,
    FlavorTooSmallError,
    InvalidRequestError,
    LaunchRequest,
    NewCapture,
    NewImage,
    NotFoundError,
)
from hyperx_glance.waiting.pace import wait_until
from tests import samples
from tests.support.clouds import PATIENT, image_ids, unique
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance import Finding
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

pytestmark = pytest.mark.usefixtures("_servers_removed")

COMPUTE = {"service_type": "compute"}


@pytest.fixture
def image(local_cloud: LocalCloud) -> str:
    return make_image(local_cloud, sample="disk.raw")


@contextmanager
def flavor(local_cloud: LocalCloud, *, disk: int) -> Iterator[str]:
    """Make a flavor with no other disks than its root disk."""
    session = local_cloud.session("admin")
    asked = {"name": unique("flavor"), "ram": 512, "vcpus": 1, "disk": disk}
    made = session.post("/flavors", json={"flavor": asked}, endpoint_filter=COMPUTE).json()["flavor"]
    yield made["name"]
    session.delete(f"/flavors/{made['id']}", endpoint_filter=COMPUTE)


@pytest.fixture
def diskless(local_cloud: LocalCloud) -> Iterator[str]:
    with flavor(local_cloud, disk=0) as name:
        yield name


@pytest.fixture
def plain(local_cloud: LocalCloud) -> Iterator[str]:
    with flavor(local_cloud, disk=1) as name:
        yield name


def ask(**fields: object) -> LaunchRequest:
    return LaunchRequest.model_validate({"name": unique("web"), "flavor": "m1.tiny", "networks": "none", **fields})


# ----------------------------------------------------------------- disks


def test_nova_judges_flavors_without_a_root_disk(
    local_cloud: LocalCloud, client: ClientFactory, image: str, diskless: str
) -> None:
    with pytest.raises(FlavorTooSmallError, match="has no root disk") as caught:
        client().launch(image, ask(flavor=diskless))
    assert "boot_volume_gib" in caught.value.hint
    with local_cloud.configured("nova", policies={"os_compute_api:servers:create:zero_disk_flavor": "role:member"}):
        launch = client().launch(image, ask(flavor=diskless))
        assert [server.status for server in launch.servers] == ["ACTIVE"]
        launch.cancel()


def test_nova_without_local_disks_gets_the_hint_to_boot_from_a_volume(
    local_cloud: LocalCloud, client: ClientFactory, image: str, plain: str
) -> None:
    with local_cloud.configured("nova", {"DEFAULT": {"max_local_block_devices": 0}}):
        with pytest.raises(InvalidRequestError) as caught:
            client().launch(image, ask(flavor=plain))
        assert "boot_volume_gib" in caught.value.hint
        launch = client().launch(image, ask(flavor=plain, boot_volume_gib=1))
        assert [server.status for server in launch.servers] == ["ACTIVE"]
        launch.cancel()


# ----------------------------------------------------------------- soft delete


def delete_for_good(local_cloud: LocalCloud, *server_ids: str) -> None:
    """Delete softly deleted servers, and wait until they are gone."""
    session = local_cloud.session("alice")
    for server_id in server_ids:
        session.post(f"/servers/{server_id}/action", json={"forceDelete": None}, endpoint_filter=COMPUTE)

    def gone() -> bool | None:
        shown = [
            session.get(f"/servers/{server_id}", endpoint_filter=COMPUTE, raise_exc=False) for server_id in server_ids
        ]
        return all(answer.status_code == 404 for answer in shown) or None

    wait_until(PATIENT.pace, gone, what="the end of softly deleted servers")


def test_softly_deleted_servers_go_by_themselves_with_their_volumes(
    local_cloud: LocalCloud, client: ClientFactory, image: str
) -> None:
    with local_cloud.configured("nova", {"DEFAULT": {"reclaim_instance_interval": 3600}}):
        launch = client().launch(image, ask(count=2, boot_volume_gib=1))
        launch.cancel()
        assert [server.status for server in launch.servers] == ["SOFT_DELETED", "SOFT_DELETED"]
        delete_for_good(local_cloud, *(server.id for server in launch.servers))


def test_kept_volumes_of_softly_deleted_servers_can_be_deleted_after_these(
    local_cloud: LocalCloud, client: ClientFactory, image: str
) -> None:
    with local_cloud.configured("nova", {"DEFAULT": {"reclaim_instance_interval": 3600}}):
        launch = client().launch(image, ask(boot_volume_gib=1, keep_volumes=True))
        server_id = launch.servers[0].id
        with pytest.raises(ConflictError, match="deletes servers softly"):
            launch.cancel()
        delete_for_good(local_cloud, server_id)
        client().find_launch(launch.launch_id).cancel()
    with pytest.raises(NotFoundError):
        client().find_launch(launch.launch_id)


# ----------------------------------------------------------------- formats and the deployment's own limits


def findings(client: ClientFactory, user: str = "alice") -> dict[str, Finding]:
    return {finding.check: finding for finding in client(user).doctor(probe=True)}


def errors(found: dict[str, Finding]) -> list[str]:
    return [check for check, finding in found.items() if finding.level == "error"]


@pytest.mark.usefixtures("room")
def test_formats_that_glance_does_not_take_are_refused_before_anything_is_created(
    local_cloud: LocalCloud, client: ClientFactory, image: str, tmp_path: Path
) -> None:
    file = tmp_path / "disk.qcow2"
    file.write_bytes(samples.data("disk.qcow2"))
    launch = client().launch(image, ask(boot_volume_gib=1))
    before = image_ids(local_cloud)
    with local_cloud.configured("glance", {"image_format": {"disk_formats": "vmdk,iso"}}):
        with pytest.raises(InvalidRequestError, match="takes no image of the format qcow2; it takes vmdk, iso"):
            client().register(NewImage(name="a", file=file))
        with pytest.raises(InvalidRequestError, match="takes no image of the format raw; it takes vmdk, iso"):
            client().capture(launch.servers[0].id, NewCapture(name="captured"))
        found = findings(client)
        assert errors(found) == []
        assert found["image-formats"].level == "warning"
    assert image_ids(local_cloud) == before
    with local_cloud.configured("glance", {"image_format": {"container_formats": "ovf,docker"}}):
        with pytest.raises(InvalidRequestError, match="container format bare"):
            client().register(NewImage(name="a", file=file))
        assert findings(client)["image-formats"].level == "error"
    launch.cancel()


def test_small_limits_of_properties_and_tags_and_metadata_are_told(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path
) -> None:
    file = tmp_path / "disk.qcow2"
    file.write_bytes(samples.data("disk.qcow2"))
    assert errors(findings(client)) == []
    with local_cloud.configured("glance", {"DEFAULT": {"image_property_quota": 8, "image_tag_quota": 4}}):
        found = findings(client)
        assert "only 8 properties" in found["image-limits"].message
        assert "only 4 tags" in found["image-limits"].message
        assert errors(found) == []
        more = NewImage(name="a", file=file, properties={f"key{number}": "value" for number in range(8)})
        with pytest.raises(InvalidRequestError, match=r"allows 8 properties on an image, .* HYPERX writes up to 17"):
            client().register(more)
        many = NewImage(name="a", file=file, tags={f"tag{number}" for number in range(5)})
        with pytest.raises(InvalidRequestError, match="allows 4 tags on an image, and this image would have 5"):
            client().register(many)
    with local_cloud.configured("glance", {"DEFAULT": {"image_property_quota": 4}}):
        assert errors(findings(client)) == ["image-limits"]
    with local_cloud.configured("glance", {"DEFAULT": {"image_property_quota": 0}}):
        assert "only 0 properties" in findings(client)["image-limits"].message
    with local_cloud.configured("nova", {"quota": {"metadata_items": 2}}):
        assert findings(client)["server-metadata"].level == "error"
