"""The doctor on real services that refuse members something, lack something or break, and no false alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hyperx_glance import HyperxGlanceError, NewImage
from tests import samples
from tests.deployments.worlds.neutron import changed
from tests.support.clouds import image_ids, unique

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance import Finding
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

ADMINISTRATORS: Final = "role:admin"
GONE: Final = {"filesystem_store_datadir": "/proc/nowhere"}


@pytest.fixture(autouse=True)
def _records_removed(local_cloud: LocalCloud, client: ClientFactory) -> Iterator[None]:
    """Remove the scratch record of a Glance that let nobody do so."""
    before = image_ids(local_cloud)
    yield
    for image_id in image_ids(local_cloud) - before:
        client("admin").delete(image_id)


def probed(client: ClientFactory, user: str = "alice") -> dict[str, Finding]:
    return {finding.check: finding for finding in client(user).doctor(probe=True)}


def errors(found: dict[str, Finding]) -> set[str]:
    return {check for check, finding in found.items() if finding.level == "error"}


def told(found: dict[str, Finding]) -> dict[str, str]:
    return {check: finding.level for check, finding in found.items() if finding.level != "ok"}


@pytest.mark.parametrize(
    ("policies", "level"),
    [
        (("deactivate", "reactivate"), "warning"),
        (("upload_image", "download_image"), "error"),
        (("modify_image",), "error"),
        (("delete_image",), "error"),
    ],
)
def test_policies_of_glance_for_administrators_alone_are_named(
    local_cloud: LocalCloud, client: ClientFactory, policies: tuple[str, ...], level: str
) -> None:
    before = image_ids(local_cloud)
    with local_cloud.configured("glance", policies=dict.fromkeys(policies, ADMINISTRATORS)):
        found = probed(client)
        assert errors(probed(client, "admin")) == set()

    assert found["image-policies"].level == level
    assert f": {', '.join(sorted(policies))}." in found["image-policies"].message
    assert errors(found) <= {"image-policies", "scratch-record"}
    assert found["property-protections"].level != "error"
    assert (image_ids(local_cloud) == before) == ("delete_image" not in policies)


@pytest.mark.parametrize(
    ("policy", "level", "code"),
    [
        ("os_compute_api:servers:create:attach_volume", "warning", "some-launches-are-refused"),
        ("os_compute_api:servers:create", "error", "launches-are-refused"),
    ],
)
def test_policies_of_nova_that_refuse_launches_are_named(
    local_cloud: LocalCloud, client: ClientFactory, policy: str, level: str, code: str
) -> None:
    alice = client("alice").cloud
    assert told(probed(client)) == {}
    with local_cloud.configured("nova", policies={policy: ADMINISTRATORS}):
        found = probed(client)

    assert told(found) == {"launch-rights": level}
    assert found["launch-rights"].message.code == code
    assert policy in found["launch-rights"].explanation
    assert alice.get("compute", "/servers").json()["servers"] == []


@pytest.mark.parametrize("policy", ["volume:create", "volume:create_from_image"])
def test_policies_of_cinder_that_refuse_volumes_are_named(
    local_cloud: LocalCloud, client: ClientFactory, policy: str
) -> None:
    alice = client("alice").cloud
    assert probed(client)["volume-rights"].message.code == "volumes-are-allowed"
    with local_cloud.configured("cinder", policies={policy: ADMINISTRATORS}):
        found = probed(client)

    assert told(found) == {"volume-rights": "warning"}
    assert policy in found["volume-rights"].explanation
    assert alice.get("block-storage", "/volumes").json()["volumes"] == []


def test_a_reader_and_an_administrator_are_told_no_errors(client: ClientFactory) -> None:
    assert errors(probed(client, "rita")) == set()
    assert errors(probed(client, "admin")) == set()


def test_a_store_that_is_gone_is_an_error(local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path) -> None:
    file = tmp_path / "disk.qcow2"
    file.write_bytes(samples.data("disk.qcow2"))
    with local_cloud.configured("glance", {"fast": GONE}):
        found = probed(client)
        with pytest.raises(HyperxGlanceError):
            client("alice").register(NewImage(name="a", file=file))

    assert errors(found) == {"image-store"}


def test_a_staging_area_that_is_gone_is_an_error(local_cloud: LocalCloud, client: ClientFactory) -> None:
    options = {"os_glance_staging_store": GONE, "DEFAULT": {"node_staging_uri": "file:///proc/nowhere"}}
    before = image_ids(local_cloud)
    with local_cloud.configured("glance", options):
        found = probed(client)
        left = image_ids(local_cloud) - before

    assert errors(found) == {"scratch-record"}  # an import of what is not there ends before it needs the area
    assert "staging area" in found["scratch-record"].remedy
    assert all(image_id in found["scratch-record"].message for image_id in left)


def test_a_department_without_a_network_for_servers_is_told(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice = client("alice").cloud
    with changed(**{"router:external": True, "shared": False})(local_cloud):
        none = probed(client)["launch-choices"]
        body = {"network": {"name": unique("bare")}}
        bare = alice.post("network", "/networks", json=body).json()["network"]
        unaddressed = probed(client)["launch-choices"]
        alice.delete("network", f"/networks/{bare['id']}")

    assert (none.level, unaddressed.level) == ("error", "error")
    assert "no network for servers" in none.message
    assert bare["name"] in unaddressed.message
    assert "no subnets" in unaddressed.message
