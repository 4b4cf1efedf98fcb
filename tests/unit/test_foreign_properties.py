"""What another department writes into its public image has no effect on images made of servers from it.

Nova and Cinder copy the properties of an image onto the snapshots, volumes and images that they make of its servers.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

import hyperx_glance
from hyperx_glance import (
    Action,
    CaptureFailedError,
    Client,
    ConflictError,
    Image,
    InvalidRequestError,
    LaunchRequest,
    NewCapture,
    Pace,
)
from hyperx_glance.deployment import CINDER_OPTION, NOVA_OPTION
from hyperx_glance.deployment.inheritance import copied
from hyperx_glance.models.image import NAME_OF_KEY
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.vocabulary import CAPTURE_ORDER_PREFIX
from tests.support import foreign
from tests.support.clouds import HASTY, ClientFactory, Clock
from tests.support.records import make_image

BACKINGS = ("disk", "volume")
NOVAS_DEFAULT = "cache_in_nova,bittorrent"
CINDERS_DEFAULT = CINDER_OPTION.partition(",size")[0] + ",size"


def launchable(cloud: InMemoryCloud, properties: dict[str, str], *, options: bool = False) -> tuple[Client, str]:
    """Put another department's public image into a cloud whose operator did all that the guide says, or nothing."""
    cloud.glance.protections = options
    cloud.nova.non_inheritable = NOVA_OPTION if options else NOVAS_DEFAULT
    cloud.cinder.glance_core_properties = CINDER_OPTION if options else CINDERS_DEFAULT
    clock = Clock()
    pace = Pace(first_interval=1, longest_interval=5, deadline=600, sleep=clock.sleep, clock=clock)
    client = ClientFactory(cloud, HASTY)
    client("admin").set_quota("dept-a", image_size_mib=10_000)
    image = make_image(cloud, "bob", visibility="community")
    cloud.glance.images[image].properties.update(properties)
    return client("alice", pace=pace), image


def lived(
    cloud: InMemoryCloud,
    backing: str,
    properties: dict[str, str],
    *,
    options: bool = False,
    capture_id: str | None = foreign.CHOSEN_ID,
) -> list[str]:
    alice, image = launchable(cloud, properties, options=options)
    return foreign.live(cloud, alice, image, backing, properties, capture_id=capture_id)


@functools.cache
def control(backing: str, *, options: bool = False, capture_id: str | None = foreign.CHOSEN_ID) -> list[str]:
    """Return the outcome for servers from an image without such properties."""
    with InMemoryCloud() as cloud:
        return lived(cloud, backing, {}, options=options, capture_id=capture_id)


@pytest.mark.parametrize("backing", BACKINGS)
def test_the_control_run_does_what_members_do(backing: str) -> None:
    refused = [line.partition(":")[0] for line in control(backing) if "Error: " in line]
    unpublished = ["publish"] if backing == "volume" else []
    assert refused == ["resume", "cancel the registration", *unpublished, "cancel it finished", "find none"]


@pytest.mark.parametrize("key", foreign.KEYS)
@pytest.mark.parametrize("backing", BACKINGS)
def test_no_key_of_another_department_decides(cloud: InMemoryCloud, backing: str, key: str) -> None:
    properties = foreign.hostile(key, user_id=cloud.keystone.users["alice"])
    assert lived(cloud, backing, properties) == control(backing)


@pytest.mark.parametrize("options", [False, True])
@pytest.mark.parametrize("backing", BACKINGS)
def test_all_keys_together_do_not_decide(cloud: InMemoryCloud, backing: str, options: bool) -> None:  # noqa: FBT001
    """A capture's id that the library draws cannot be known beforehand."""
    properties = foreign.everything(user_id=cloud.keystone.users["alice"])
    expected = control(backing, options=options, capture_id=None)
    assert lived(cloud, backing, properties, options=options, capture_id=None) == expected


def test_every_key_of_the_library_s_own_is_looked_at() -> None:
    """A new word of the library stands either here, or among the words that an image means to hand on."""
    package = Path(hyperx_glance.__file__).parent
    sources = [path for path in package.rglob("*.py") if "testing" not in path.parts]
    words = {
        word for path in sources for word in re.findall(r"[\"'](hyperx_[a-z_]+)[\"']", path.read_text(encoding="utf-8"))
    }
    assert "hyperx_capture_id" in words
    assert words - {*foreign.KEYS, *foreign.INHERITED, "hyperx_glance", "hyperx_doctor", CAPTURE_ORDER_PREFIX} == set()


@pytest.mark.parametrize("image_type", ["snapshot", "backup", "anything"])
def test_a_copied_image_type_does_not_make_data_of_volume_snapshots(cloud: InMemoryCloud, image_type: str) -> None:
    """Nova makes snapshots of volumes if no volume is recognisable as the root, and writes no ``image_type``."""
    alice, image = launchable(cloud, {"image_type": image_type})
    (server,) = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=1)).servers
    made = cloud.nova.servers[server.id]
    cloud.cinder.volumes[made.volumes[0][0]].device, made.image_id = "", image
    with pytest.raises(CaptureFailedError, match="Nova did not copy its disk"):
        alice.capture(server.id, NewCapture(name="captured"))
    assert cloud.cinder.snapshots == {}
    assert alice.count(properties={"hyperx_captured_from": server.id}) == 0


@pytest.mark.parametrize("backing", BACKINGS)
def test_an_image_with_endless_texts_can_be_captured(cloud: InMemoryCloud, backing: str) -> None:
    """What is too long to travel with a capture is left out; Nova has kept the beginning of each text."""
    alice, image = launchable(cloud, {"description": "d" * 60_000, "hyperx_os_name": "Debian 12"})
    cloud.glance.images[image].tags = {f"{number:03}" + "t" * 252 for number in range(128)}
    boot_volume_gib = 1 if backing == "volume" else None
    request = LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=boot_volume_gib)
    (server,) = alice.launch(image, request).servers
    captured = alice.capture(server.id, NewCapture(name="captured"))
    assert (captured.tags, captured.os_name) == ((), "Debian 12")
    assert captured.description == "d" * (255 if backing == "disk" else 60_000)


@pytest.mark.parametrize("boot_volume_gib", [None, 1])
def test_an_image_that_names_volumes_of_another_department_is_not_launched(
    cloud: InMemoryCloud, boot_volume_gib: int | None
) -> None:
    """Nova creates the named volumes, in the department of the user who launches it."""
    devices = '[{"source_type": "blank", "destination_type": "volume", "volume_size": 1000}]'
    alice, image = launchable(cloud, {foreign.REFUSED_AT_LAUNCH: devices, "bdm_v2": "True"})
    request = LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=boot_volume_gib)
    with pytest.raises(InvalidRequestError, match="of another department names volumes"):
        alice.launch(image, request)
    assert "names volumes" in alice.why_not(alice.image(image), Action.LAUNCH)
    assert not any(choice.fits for choice in alice.flavors(image))
    cloud.glance.images[image].owner = cloud.keystone.departments["dept-a"]
    assert alice.launch(image, request).servers


@pytest.mark.parametrize("backing", BACKINGS)
def test_no_other_disk_is_captured_where_the_image_names_the_root(cloud: InMemoryCloud, backing: str) -> None:
    """Nova calls the root as the image says, so that a volume that is attached later becomes the first device."""
    alice, image = launchable(cloud, {"root_device_name": "/dev/vdb"})
    boot_volume_gib = 1 if backing == "volume" else None
    request = LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=boot_volume_gib)
    (server,) = alice.launch(image, request).servers
    made = cloud.nova.servers[server.id]
    for volume_id, _ in made.volumes:
        cloud.cinder.volumes[volume_id].device = "/dev/vdb"
    new = NewCapture(name="captured")
    alice.delete(alice.capture(server.id, new))
    data = cloud.cinder.make(made.caller, 1, name="data")
    data.server_id, data.device, data.status = server.id, "/dev/vda", "in-use"
    made.volumes.append((data.id, False))
    with pytest.raises(ConflictError, match="names the root '/dev/vdb'"):
        alice.capture(server.id, new)


def test_an_image_that_names_an_owner_of_its_snapshots_stops_no_capture(cloud: InMemoryCloud) -> None:
    """Nova would share the copy with that department, which Glance refuses for a private image."""
    alice, image = launchable(cloud, {"instance_owner": "dept-b"})
    (server,) = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny")).servers

    captured = alice.capture(server.id, NewCapture(name="captured"))

    assert (captured.state, captured.category) == ("ACTIVE", "private")
    assert "instance_owner" not in captured.properties


NAMED_AS_FIELDS = sorted(name for key, name in NAME_OF_KEY.items() if key != name)
"""Fields of `Image` whose key in Glance differs, so that another tool's property may have their name."""


@pytest.mark.parametrize("backing", BACKINGS)
def test_a_property_with_the_name_of_a_field_stops_no_capture(cloud: InMemoryCloud, backing: str) -> None:
    foreign_ones = dict.fromkeys(NAMED_AS_FIELDS, "of another tool")
    alice, image = launchable(cloud, foreign_ones)
    request = LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=1 if backing == "volume" else None)
    (server,) = alice.launch(image, request).servers

    captured = alice.capture(server.id, NewCapture(name="captured"))

    kept = cloud.glance.images[captured.id].properties
    assert {key: kept.get(key) for key in foreign_ones} == foreign_ones


def test_a_property_with_the_name_of_a_field_is_no_copy_of_ours() -> None:
    snapshot = {"id": "7c1", **dict.fromkeys(NAMED_AS_FIELDS, "of another tool")}

    assert copied(Image.model_validate(snapshot)) == []
    assert copied(Image.model_validate({**snapshot, "hyperx_url": "http://a/b"})) == ["hyperx_url"]


def test_a_steward_writes_a_field_though_a_property_has_its_name(cloud: InMemoryCloud) -> None:
    image = make_image(cloud, "bob", visibility="community", admin_user="of another tool", edited_by="of another tool")
    alice = ClientFactory(cloud, HASTY)("alice", steward="admin")

    assert alice.update(image, password_enabled=True, admin_user="debian").admin_user == "debian"
    assert cloud.glance.images[image].properties["admin_user"] == "of another tool"
