"""Deployments with other options than ours: each is refused early in words that help, or works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import ConflictError, FlavorTooSmallError, InvalidRequestError, LaunchRequest, NotFoundError
from tests.support import launches
from tests.support.clouds import unique
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

COMPUTE = {"service_type": "compute"}


@pytest.fixture(autouse=True)
def _nothing_left(local_cloud: LocalCloud) -> Iterator[None]:
    yield
    launches.remove_servers(local_cloud)


@pytest.fixture
def image(local_cloud: LocalCloud) -> str:
    return make_image(local_cloud, sample="disk.raw")


@pytest.fixture
def diskless(local_cloud: LocalCloud) -> Iterator[str]:
    """Make a flavor without a root disk."""
    session = local_cloud.session("admin")
    flavor = {"name": unique("diskless"), "ram": 512, "vcpus": 1, "disk": 0}
    made = session.post("/flavors", json={"flavor": flavor}, endpoint_filter=COMPUTE).json()["flavor"]
    yield made["name"]
    session.delete(f"/flavors/{made['id']}", endpoint_filter=COMPUTE)


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
    local_cloud: LocalCloud, client: ClientFactory, image: str
) -> None:
    with local_cloud.configured("nova", {"DEFAULT": {"max_local_block_devices": 0}}):
        with pytest.raises(InvalidRequestError) as caught:
            client().launch(image, ask())
        assert "boot_volume_gib" in caught.value.hint
        launch = client().launch(image, ask(boot_volume_gib=1))
        assert [server.status for server in launch.servers] == ["ACTIVE"]
        launch.cancel()


# ----------------------------------------------------------------- soft delete


def test_softly_deleted_servers_go_by_themselves_with_their_volumes(
    local_cloud: LocalCloud, client: ClientFactory, image: str
) -> None:
    with local_cloud.configured("nova", {"DEFAULT": {"reclaim_instance_interval": 3600}}):
        launch = client().launch(image, ask(count=2, boot_volume_gib=1))
        launch.cancel()
        assert [server.status for server in launch.servers] == ["SOFT_DELETED", "SOFT_DELETED"]
        session = local_cloud.session("alice")
        for server in launch.servers:
            session.post(f"/servers/{server.id}/action", json={"forceDelete": None}, endpoint_filter=COMPUTE)


def test_kept_volumes_of_softly_deleted_servers_can_be_deleted_after_these(
    local_cloud: LocalCloud, client: ClientFactory, image: str
) -> None:
    with local_cloud.configured("nova", {"DEFAULT": {"reclaim_instance_interval": 3600}}):
        launch = client().launch(image, ask(boot_volume_gib=1, keep_volumes=True))
        server_id = launch.servers[0].id
        with pytest.raises(ConflictError, match="deletes servers softly"):
            launch.cancel()
        session = local_cloud.session("alice")
        session.post(f"/servers/{server_id}/action", json={"forceDelete": None}, endpoint_filter=COMPUTE)
        client().find_launch(launch.launch_id).cancel()
    with pytest.raises(NotFoundError):
        client().find_launch(launch.launch_id)
