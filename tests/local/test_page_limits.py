"""Lists of real services whose operators allow two entries a page, or one."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import ImageQuery, LaunchRequest, ServiceUnavailableError
from tests.support import launches
from tests.support.clouds import unique
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

IDENTITY = {"service_type": "identity"}
NETWORK = {"service_type": "network"}
MORE = 3


@pytest.fixture
def mark(local_cloud: LocalCloud) -> Iterator[str]:
    """Make three more of everything that is listed; return the beginning of their names."""
    mark = unique("many")
    admin, alice = local_cloud.session("admin"), local_cloud.session("alice")
    made: list[Callable[[], object]] = []
    for number in range(MORE):
        name = f"{mark}-{number}"
        make_image(local_cloud, name=name, tags=[name])
        make_image(local_cloud, name=f"{name} hidden", os_hidden=True)
        creator = {"hyperx_created_by": str(alice.get_user_id()), "hyperx_url": "http://files.example/disk.qcow2"}
        make_image(local_cloud, name=f"{name} begun", sample=None, **creator)
        project = admin.post("/projects", json={"project": {"name": name}}, endpoint_filter=IDENTITY).json()
        flavor = {"flavor": {"name": name, "ram": 128, "vcpus": 1, "disk": 1}}
        flavor_id = admin.post("/flavors", json=flavor, endpoint_filter=launches.COMPUTE).json()["flavor"]["id"]
        network = {"network": {"name": name, "project_id": alice.get_project_id()}}
        network_id = admin.post("/v2.0/networks", json=network, endpoint_filter=NETWORK).json()["network"]["id"]
        subnet = {"subnet": {"network_id": network_id, "ip_version": 4, "cidr": f"10.7.{number}.0/24"}}
        admin.post("/v2.0/subnets", json=subnet, endpoint_filter=NETWORK)
        group = {"server_group": {"name": name, "policies": ["affinity"]}}
        answer = alice.post("/os-server-groups", json=group, endpoint_filter=launches.COMPUTE)
        group_id = answer.json()["server_group"]["id"]
        alice.post("/os-keypairs", json={"keypair": {"name": name}}, endpoint_filter=launches.COMPUTE)
        for session, path, where in (
            (admin, f"/projects/{project['project']['id']}", IDENTITY),
            (admin, f"/flavors/{flavor_id}", launches.COMPUTE),
            (admin, f"/v2.0/networks/{network_id}", NETWORK),
            (alice, f"/os-server-groups/{group_id}", launches.COMPUTE),
            (alice, f"/os-keypairs/{name}", launches.COMPUTE),
        ):
            made.append(functools.partial(session.delete, path, endpoint_filter=where))
    yield mark
    launches.remove_servers(local_cloud)
    for remove in made:
        remove()


def pages(client: Client) -> list[str]:
    names: list[str] = []
    cursor = None
    while True:
        page = client.page(size=3, cursor=cursor)
        names += [image.name for image in page.images]
        cursor = page.next
        if cursor is None:
            return names


def parts(client: Client) -> list[str]:
    ids: list[str] = []
    last = None
    while part := [server.id for server in client.servers(name_contains="MANY", after=last, limit=3)]:
        ids += part
        last = ids[-1]
    return ids


def answers(alice: Client, admin: Client, mark: str) -> dict[str, object]:
    """Return what each verb that reads a list makes of it, in a form that can be compared."""
    image = alice.image(f"{mark}-0")
    return {
        "images": [image.name for image in alice.images(sort=["name"])],
        "hidden": sorted(image.id for image in alice.images(hidden=True)),
        "pages": pages(alice),
        "registrations": sorted(image.id for image in alice.unfinished_registrations()),
        "search": sorted(image.name for image in admin.images(ImageQuery(search="dept-a"))),
        "tags": alice.tags(),
        "total": alice.summary().total,
        "departments": admin.departments(),
        "own departments": alice.departments(),
        "zones": alice.availability_zones(),
        "flavors": alice.flavors(),
        "networks": alice.networks(),
        "key pairs": alice.key_pairs(),
        "servers": alice.servers_using(image).servers,
        "servers of the department": list(alice.servers()),
        "servers in parts": parts(alice),
        "launches": sorted((each.launch_id, len(each.servers)) for each in alice.launches()),
        "quota": admin.quota("dept-b"),
        "doctor": [(each.check, each.level) for each in admin.doctor()],
    }


@pytest.mark.parametrize("most", [2, 1])
def test_no_list_of_real_services_is_read_in_part(
    local_cloud: LocalCloud, client: ClientFactory, mark: str, most: int
) -> None:
    alice, admin = client("alice"), client("admin")
    image = alice.image(f"{mark}-0")
    for number in range(MORE):
        fields = {"name": f"{mark}-{number}", "flavor": "m1.tiny", "networks": "none"}
        alice.launch(image, LaunchRequest.model_validate({**fields, "count": 2}))
    volumes = {**fields, "name": f"{mark}-volume", "count": MORE, "boot_volume_gib": 1}
    alice.launch(image, LaunchRequest.model_validate(volumes))
    whole = answers(alice, admin, mark)
    expected = {"servers": 3 * MORE, "servers in parts": 3 * MORE, "hidden": MORE, "registrations": MORE}
    for name, least in {**expected, "pages": 2 * MORE}.items():
        assert len(whole[name]) >= least, name  # type: ignore[arg-type]  # it is a list or tuple
    with contextlib.ExitStack() as limited:
        for service, options in (
            ("keystone", {"DEFAULT": {"list_limit": str(most), "max_db_limit": str(most)}}),
            ("glance", {"DEFAULT": {"api_limit_max": str(most)}}),
            ("nova", {"api": {"max_limit": str(most)}}),
            ("neutron", {"DEFAULT": {"pagination_max_limit": str(most)}}),
            ("cinder", {"DEFAULT": {"osapi_max_limit": str(most)}}),
        ):
            limited.enter_context(local_cloud.configured(service, options))
        alice, admin = client("alice"), client("admin")
        if local_cloud.release < "2025.2":
            with pytest.raises(ServiceUnavailableError, match="cuts this list"):
                admin.departments()
        else:
            assert answers(alice, admin, mark) == whole
        last = f"{mark}-{MORE - 1}"
        chosen = {"name": last, "flavor": last, "networks": (last,), "server_group": last, "key_name": last}
        launch = alice.launch(image, LaunchRequest.model_validate(chosen))
        assert alice.find_launch(launch.launch_id).servers == launch.servers
        launch.cancel()


def test_networks_are_listed_behind_those_that_a_policy_hides(
    local_cloud: LocalCloud, client: ClientFactory, mark: str
) -> None:
    """Neutron cuts a page first, and does not link to the next one if its policy has hidden something."""
    hiding = {"get_network": f"not '{mark}-1':%(name)s"}
    with local_cloud.configured("neutron", policies=hiding):
        whole = client("alice").networks()
    names = [network.name for network in whole]
    assert {f"{mark}-0", f"{mark}-2"} < set(names)
    assert f"{mark}-1" not in names
    with local_cloud.configured("neutron", {"DEFAULT": {"pagination_max_limit": "2"}}, policies=hiding):
        assert client("alice").networks() == whole
