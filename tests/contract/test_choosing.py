"""What lists for a launch form offer can be launched, on both clouds."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import HyperxGlanceError, LaunchRequest
from tests.support import launches
from tests.support.clouds import REGION, unique

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance import Client, FlavorChoice, Image
    from tests.support.clouds import ClientFactory, CloudUnderTest

FLAVORS = (
    {"name": "form.diskless", "ram": 4096, "disk": 0, "vcpus": 2},
    {"name": "form.narrow", "ram": 256, "disk": 8, "vcpus": 1},
    {"name": "form.wide", "ram": 2048, "disk": 8, "vcpus": 4},
)


@pytest.fixture(autouse=True)
def _nothing_left(cloud: CloudUnderTest) -> Iterator[None]:
    yield
    launches.remove_servers(cloud)
    launches.remove_servers(cloud, "admin")


@pytest.fixture
def flavors(cloud: CloudUnderTest) -> Iterator[None]:
    """Add flavors that differ from the usual ones in every way that counts."""
    with launches.flavors(cloud, FLAVORS):
        yield


def refusal(client: Client, image: Image, flavor: FlavorChoice) -> str:
    """Launch as usual, and return the sentence of the refusal; "" if there is none."""
    try:
        client.launch(image, LaunchRequest(name=unique("web"), flavor=flavor.id), wait=False)
    except HyperxGlanceError as error:
        return error.message
    return ""


@pytest.mark.parametrize("user", ["alice", "admin"])
@pytest.mark.parametrize(
    ("sample", "record"),
    [
        ("disk.qcow2", {}),
        ("disk.qcow2", {"min_ram": 1024}),
        ("disk.qcow2", {"min_disk": 9}),
        ("installer.iso", {"min_disk": 8, "min_ram": 512}),
        ("installer.iso", {"hyperx_bootable": "false"}),
        ("disk.qcow2", {"hyperx_password_enabled": "true", "os_admin_user": "a b"}),
    ],
)
@pytest.mark.usefixtures("flavors")
def test_fitting_flavors_launch_and_the_others_are_refused_for_the_listed_reason(
    cloud: CloudUnderTest, client: ClientFactory, user: str, sample: str, record: Mapping[str, object]
) -> None:
    user_client = client(user)
    image = user_client.image(launches.put_image(cloud, sample, record, user=user))
    choices = user_client.flavors(image)
    assert {"m1.tiny", "m1.small", *(str(flavor["name"]) for flavor in FLAVORS)} <= {each.name for each in choices}

    for choice in choices:
        assert choice.fits == (not choice.reason)
        refused = refusal(user_client, image, choice)
        if choice.name == "form.diskless" and choice.fits:  # Nova decides who may launch without a root disk
            assert refused in ("", "Flavor form.diskless has no root disk.")
        else:
            assert refused == choice.reason, choice.name


@pytest.mark.usefixtures("flavors")
def test_an_image_that_cannot_be_launched_fits_nowhere(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    image_id = launches.put_image(cloud)
    alice.disable(image_id)

    reasons = {choice.reason for choice in alice.flavors(image_id)}

    with pytest.raises(HyperxGlanceError) as caught:
        alice.launch(image_id, LaunchRequest(name=unique("web"), flavor="m1.tiny"))
    assert reasons == {caught.value.message}


@pytest.mark.usefixtures("flavors")
def test_those_that_fit_come_first_and_the_smallest_of_them_at_the_top(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    image_id = launches.put_image(cloud, record={"min_ram": 512})
    names = {"m1.tiny", "m1.small", *(str(flavor["name"]) for flavor in FLAVORS)}

    found = [choice for choice in client("alice").flavors(image_id) if choice.name in names]

    assert [choice.name for choice in found] == ["m1.tiny", "m1.small", "form.wide", "form.diskless", "form.narrow"]
    assert [choice.fits for choice in found] == [True, True, True, True, False]
    assert (found[2].cores, found[2].ram_mib, found[2].disk_gib) == (4, 2048, 8)
    assert all(choice.fits and not choice.reason for choice in client("alice").flavors())


def test_networks_are_those_that_a_launch_may_name(cloud: CloudUnderTest, client: ClientFactory) -> None:
    session = cloud.session("alice")
    (net1,) = session.get("/v2.0/networks?name=net1", endpoint_filter=launches.NETWORKS).json()["networks"]

    (found,) = [choice for choice in client("alice").networks() if choice.name == "net1"]

    assert (found.id, found.owner, found.shared) == (net1["id"], net1["project_id"], True)
    image_id = launches.put_image(cloud)
    launch = client("alice").launch(image_id, LaunchRequest(name=unique("web"), flavor="m1.tiny", networks=(found.id,)))
    assert list(launch.servers[0].addresses) == ["net1"]


@pytest.mark.parametrize("user", ["alice", "admin"])
def test_every_network_that_is_listed_takes_servers_and_no_other_does(
    cloud: CloudUnderTest, client: ClientFactory, user: str
) -> None:
    user_client = client(user)
    image_id = launches.put_image(cloud, user=user)
    with launches.networks(cloud) as names:
        listed = {network.name for network in user_client.networks()}
        taken = set()
        for name in names:
            request = LaunchRequest(name=unique("web"), flavor="m1.tiny", networks=(name,), on_failure="delete")
            with contextlib.suppress(HyperxGlanceError):
                user_client.launch(image_id, request)
                taken.add(name)

        assert taken == listed & set(names)
        assert len(taken) == (2 if user == "admin" else 1)


def test_key_pairs_are_the_user_s_own(cloud: CloudUnderTest, client: ClientFactory) -> None:
    session = cloud.session("alice")
    name = unique("key")
    public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Zq1bI5m0Ff6DqfG1hO3gVb7M8Yw5YwKx0vB9y2mJx alice"
    body = {"keypair": {"name": name, "public_key": public_key}}
    made = session.post("/os-keypairs", json=body, endpoint_filter=launches.COMPUTE).json()["keypair"]

    (found,) = [pair for pair in client("alice").key_pairs() if pair.name == name]

    assert (found.kind, found.fingerprint) == ("ssh", made["fingerprint"])
    assert name not in {pair.name for pair in client("arthur").key_pairs()}
    session.delete(f"/os-keypairs/{name}", endpoint_filter=launches.COMPUTE)


def test_availability_zones_can_be_launched_into(cloud: CloudUnderTest, client: ClientFactory) -> None:
    zones = client("alice").availability_zones()

    assert [(zone.name, zone.available) for zone in zones] == [("nova", True)]
    image_id = launches.put_image(cloud)
    request = LaunchRequest(name=unique("web"), flavor="m1.tiny", availability_zone=zones[0].name)
    assert client("alice").launch(image_id, request).servers[0].status == "ACTIVE"


def test_departments_are_the_own_or_for_an_administrator_all(client: ClientFactory) -> None:
    alice = client("alice")
    assert [(each.id, each.name) for each in alice.departments()] == [(alice.project_id, "dept-a")]
    assert [each.name for each in client("rita").departments()] == ["dept-a"]

    names = [each.name for each in client("admin").departments()]
    assert {"admin", "dept-a", "dept-b"} <= set(names)
    assert names == sorted(names)


def test_regions_come_from_the_catalogue(client: ClientFactory) -> None:
    assert client("alice").regions() == (REGION,)
