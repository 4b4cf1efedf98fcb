"""Each list for a launch form is one request, in a stable order, and says why a choice does not fit."""

from __future__ import annotations

import pytest

from hyperx_glance import AuthenticationError, NetworkChoice, ServiceUnavailableError
from hyperx_glance.testing import InMemoryCloud
from tests.support import launches
from tests.support.clouds import ClientFactory


def requests(cloud: InMemoryCloud) -> list[tuple[str, str]]:
    return [(each.service, each.path) for each in cloud.requests if "tokens" not in each.path]


def test_each_list_is_one_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    alice = client("alice")
    image = alice.image(launches.put_image(cloud))
    for ask, expected in (
        (lambda: alice.flavors(image), ("nova", "/v2.1/flavors/detail")),
        (alice.flavors, ("nova", "/v2.1/flavors/detail")),
        (alice.networks, ("neutron", "/v2.0/networks")),
        (alice.key_pairs, ("nova", "/v2.1/os-keypairs")),
        (alice.availability_zones, ("nova", "/v2.1/os-availability-zone")),
        (alice.departments, ("keystone", "/v3/auth/projects")),
    ):
        cloud.requests.clear()
        ask()
        assert requests(cloud) == [expected]


def test_regions_cost_no_request_and_departments_none_within_a_minute(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    alice = client("alice")
    alice.departments()
    cloud.requests.clear()

    assert alice.regions() == ("RegionOne",)
    alice.departments()

    assert cloud.requests == []


def test_an_image_given_by_its_id_is_read(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = launches.put_image(cloud)
    cloud.requests.clear()

    assert [choice.name for choice in client("alice").flavors(image_id)] == ["m1.tiny", "m1.small"]

    assert sorted(requests(cloud)) == [("glance", f"/v2/images/{image_id}"), ("nova", "/v2.1/flavors/detail")]


def test_flavors_of_one_memory_are_ordered_by_cores_disk_and_name(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.nova.flavors.clear()
    for name, disk, vcpus in (("e", 9, 2), ("d", 5, 2), ("c", 5, 2), ("b", 9, 1), ("a", 1, 3)):
        cloud.nova.add_flavor(name, ram=512, disk=disk, vcpus=vcpus)

    assert [choice.name for choice in client("alice").flavors()] == ["b", "c", "d", "e", "a"]


def test_an_iso_fits_nowhere_in_a_cloud_without_volumes(cloud: InMemoryCloud, client: ClientFactory) -> None:
    iso = client("alice").image(launches.put_image(cloud, "installer.iso"))
    disk = client("alice").image(launches.put_image(cloud))
    cloud.cinder.present = False

    reasons = {choice.reason for choice in client("alice").flavors(iso)}

    assert reasons == {"This cloud has no volumes (Cinder), which installing an ISO needs."}
    told = {reason.in_language("zh") for reason in reasons}
    assert told == {"该云没有云硬盘服务（Cinder），而安装 ISO镜像需要云硬盘。"}
    assert {choice.reason for choice in client("alice").flavors(disk)} == {""}


def test_an_error_of_a_service_is_raised_instead_of_rejecting_flavors(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    image = client("alice").image(launches.put_image(cloud))
    cloud.fail("nova", "GET", "/flavors/detail", status=401, times=None)
    with pytest.raises(AuthenticationError):
        client("alice").flavors(image)

    cloud.nova.max_microversion = "2.50"
    with pytest.raises(ServiceUnavailableError, match=r"2\.67"):
        client("alice").key_pairs()


def test_networks_that_nova_refuses_are_left_out(cloud: InMemoryCloud, client: ClientFactory) -> None:
    own, other = cloud.departments["dept-a"], cloud.departments["dept-b"]
    add = cloud.neutron.add_network
    private = add("private", project_id=own)
    add("theirs", project_id=other)
    add("bare", project_id=own, subnets=0)
    add("outside", project_id=other, external=True)
    add("outside for all", project_id=other, external=True, shared=True)

    found = client("alice").networks()

    assert [network.name for network in found] == ["net1", "outside for all", "private"]
    assert found[2] == NetworkChoice(id=private, name="private", owner=own, shared=False)
    everything = ["net1", "outside", "outside for all", "private", "theirs"]
    assert [network.name for network in client("admin").networks()] == everything


def test_key_pairs_are_in_the_order_of_their_names(cloud: InMemoryCloud, client: ClientFactory) -> None:
    session = cloud.session("alice")
    for name in ("laptop", "desk"):
        body = {
            "keypair": {
                "name": name,
                "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Zq1bI5m0Ff6DqfG1hO3gVb7M8Yw5YwKx0vB9y2mJx",
            }
        }
        session.post("/os-keypairs", json=body, endpoint_filter=launches.COMPUTE)

    assert [pair.name for pair in client("alice").key_pairs()] == ["desk", "laptop"]


def test_a_zone_without_a_host_that_works_says_so(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.nova.availability_zones.append("east")
    cloud.nova.unavailable_zones.append("closed")

    zones = client("alice").availability_zones()

    assert [(zone.name, zone.available) for zone in zones] == [("closed", False), ("east", True), ("nova", True)]


def test_the_own_department_is_listed_even_where_keystone_names_none(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    cloud.fail("keystone", "GET", "/auth/projects", status=200, body={"projects": []})

    assert [department.name for department in client("alice").departments()] == ["dept-a"]


def test_regions_are_those_with_images_each_once_in_the_catalogue_s_order(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    cloud.keystone.first_endpoints += [("public", "West"), ("public", "East"), ("internal", "Inside")]

    assert client("alice").regions() == ("West", "East", "RegionOne")

    cloud.glance.present = False
    assert client("alice").regions() == ()
