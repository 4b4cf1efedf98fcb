"""Every list of every service that the library reads is whole, or an error says that it is not.

Services cut lists at a limit of their own. Some link to the rest, some take an offset, Keystone only says that it cut.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
from typing import TYPE_CHECKING

import pytest

import hyperx_glance
from hyperx_glance import ConflictError, ImageQuery, LaunchRequest, ServiceUnavailableError
from hyperx_glance.cloud.pages import KeystonePage, ListPage
from tests.support.clouds import ClientFactory, sent
from tests.support.readers import assert_told
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance import Client
    from hyperx_glance.cloud.answers import Shape
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import Recorded, Reply

DEPARTMENTS = [f"lab-{number}" for number in range(5)]
REQUEST = {"flavor": "m1.tiny", "networks": "none"}


def limit_pages(cloud: InMemoryCloud, most: int) -> None:
    cloud.glance.largest_page = cloud.nova.max_limit = cloud.cinder.max_limit = most
    cloud.neutron.max_limit = cloud.keystone.list_limit = cloud.keystone.max_db_limit = most


@pytest.fixture
def ids(cloud: InMemoryCloud, client: ClientFactory) -> list[str]:
    """Fill the cloud with more of everything than a page shows."""
    for name in DEPARTMENTS:
        cloud.keystone.add_department(name)
    ids = [make_image(cloud, name=f"image-{number}") for number in range(5)]
    hidden = [make_image(cloud, name=f"hidden-{number}", os_hidden=True) for number in range(3)]
    for number in range(5):
        cloud.nova.add_flavor(f"flavor-{number}", ram=512, disk=5, vcpus=1)
        cloud.neutron.add_network(f"net-{number}", shared=True)
        post(cloud, "compute", "/os-keypairs", {"keypair": {"name": f"key-{number}"}})
        post(
            cloud,
            "compute",
            "/os-server-groups",
            {"server_group": {"name": f"group-{number}", "policies": ["affinity"]}},
        )
    launch(client(), ids[0], "direct", count=4)
    launch(client(), ids[0], "volume", count=4, boot_volume_gib=1)
    return ids + hidden


def post(cloud: InMemoryCloud, service: str, path: str, body: object) -> None:
    cloud.session("alice").post(path, json=body, endpoint_filter={"service_type": service})


def launch(client: Client, image_id: str, name: str, **more: object) -> str:
    made = client.launch(image_id, LaunchRequest.model_validate(REQUEST | {"name": name} | more))
    return made.launch_id


def answers(client: Client, administrator: Client, image_id: str) -> dict[str, object]:
    """Return what each verb that reads a list makes of it, in a form that can be compared."""
    found: dict[str, Callable[[], object]] = {
        "images": lambda: [image.id for image in client.images()],
        "hidden": lambda: sorted(image.id for image in administrator.images(ImageQuery(hidden=True))),
        "summary": lambda: client.summary().total,
        "count": lambda: client.count(ImageQuery(search="image")),
        "tags": client.tags,
        "page": lambda: pages(client),
        "search by department": lambda: sorted(i.id for i in administrator.images(ImageQuery(search="dept-a"))),
        "owner": lambda: sorted(i.id for i in administrator.images(ImageQuery(owner="dept-a"))),
        "departments": lambda: [each.name for each in administrator.departments()],
        "own departments": lambda: [each.name for each in client.departments()],
        "owner names": lambda: administrator.owner_name(client.image(image_id)),
        "flavors": lambda: [flavor.name for flavor in client.flavors()],
        "networks": lambda: [network.name for network in client.networks()],
        "key pairs": lambda: [pair.name for pair in client.key_pairs()],
        "zones": lambda: [zone.name for zone in client.availability_zones()],
        "servers of an image": lambda: sorted(s.name for s in administrator.servers_using(image_id).servers),
        "servers": lambda: list(client.servers()),
        "servers in parts": lambda: parts(client),
        "launches": lambda: sorted((each.launch_id, len(each.servers)) for each in client.launches()),
        "registrations": lambda: len(list(client.unfinished_registrations())),
        "quota": lambda: administrator.quota("dept-b"),
        "doctor": lambda: [(each.check, each.level, each.message) for each in administrator.doctor()],
    }
    return {name: ask() for name, ask in found.items()}


def parts(client: Client) -> list[str]:
    ids: list[str] = []
    last = None
    while part := [server.id for server in client.servers(after=last, limit=3)]:
        ids += part
        last = ids[-1]
    assert len(ids) == 8
    return ids


def pages(client: Client) -> list[str]:
    names, page = [], client.page(size=3)
    while True:
        names += [image.id for image in page.images]
        if page.next is None:
            return names
        page = client.page(size=3, cursor=page.next)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_every_list_is_whole_whatever_a_page_holds(
    cloud: InMemoryCloud, client: ClientFactory, ids: list[str], most: int
) -> None:
    whole = answers(client(), client("admin"), ids[0])
    assert len(whole["images"]) == 5, "the oracle itself"  # type: ignore[arg-type]  # it is a list
    assert set(DEPARTMENTS) < set(whole["departments"])  # type: ignore[call-overload]  # it is a list
    limit_pages(cloud, most)
    assert answers(client(), client("admin"), ids[0]) == whole


@pytest.mark.parametrize("most", [1, 2])
def test_a_launch_finds_by_name_what_is_far_behind(
    cloud: InMemoryCloud, client: ClientFactory, ids: list[str], most: int
) -> None:
    limit_pages(cloud, most)
    alice = client()
    chosen = {"flavor": "flavor-4", "networks": ("net-4",), "server_group": "group-4", "key_name": "key-4"}
    launch_id = launch(alice, ids[0], "web", count=3, keep_volumes=True, boot_volume_gib=1, **chosen)
    found = alice.find_launch(launch_id)
    assert [server.name for server in found.servers] == ["web-1", "web-2", "web-3"]
    before = len(cloud.cinder.volumes)
    found.cancel()
    assert len(cloud.cinder.volumes) == before - 3
    with pytest.raises(ConflictError):
        launch(alice, ids[0], "again", launch_id=launch(alice, ids[0], "mine", launch_id="our-launch"))


def test_each_list_that_the_library_reads_is_among_these(
    cloud: InMemoryCloud, client: ClientFactory, ids: list[str]
) -> None:
    """A list is read through a subclass of `ListPage` or `KeystonePage`; three others have no such page."""
    requests: dict[str, set[str]] = {}

    def noted(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if request.method == "GET" and reply.status == 200 and reply.content.startswith(b"{"):
            for key, value in json.loads(reply.content).items():
                if isinstance(value, list):
                    requests.setdefault(key, set()).add(f"{request.path}?{request.query}")
        return reply

    cloud.intercept(noted)
    limit_pages(cloud, 2)
    answers(client(), client("admin"), ids[0])
    chosen = {"flavor": "flavor-4", "networks": ("net-4",), "server_group": "group-4", "key_name": "key-4"}
    launch(client(), ids[0], "web", **chosen)

    keys = {shape.model_fields["records"].validation_alias for shape in [*every(ListPage), *every(KeystonePage)]}
    read = {str(key) for key in keys if key} | {"images", "server_groups", "availabilityZoneInfo"}
    assert len(read) > 9
    assert read <= requests.keys()
    zones = {"availabilityZoneInfo"}  # Nova never cuts these
    assert {key for key in read if len(requests[key]) < 2} <= zones


def every(shape: type[Shape]) -> list[type[Shape]]:
    """Return the subclasses of a page, in all modules of the library."""
    for module in pkgutil.walk_packages(hyperx_glance.__path__, "hyperx_glance."):
        if not module.name.startswith(("hyperx_glance.testing", "hyperx_glance.cli")):
            importlib.import_module(module.name)
    found, waiting = [], [shape]
    while waiting:
        below = waiting.pop().__subclasses__()
        found += below
        waiting += below
    return found


def test_a_silent_limit_of_keystone_cuts_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Since 2025.2, a list without a limit ends at max_db_limit, without a word."""
    names = sorted([*DEPARTMENTS, *(each.name for each in client("admin").departments())])
    for name in DEPARTMENTS:
        cloud.keystone.add_department(name)
    cloud.keystone.max_db_limit = 4
    assert [each.name for each in client("admin").departments()] == names


def hide_networks(cloud: InMemoryCloud, *hidden: str) -> None:
    """Hide networks as Neutron does: it cuts a page, applies its policy get_network, and then links to no next page."""

    def filtered(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if not request.path.endswith("/networks"):
            return reply
        body = json.loads(reply.content)
        whole = body["networks"]
        body["networks"] = [network for network in whole if network["name"] not in hidden]
        if len(body["networks"]) < len(whole):
            body["networks_links"] = [link for link in body.get("networks_links", []) if link["rel"] != "next"]
        return dataclasses.replace(reply, content=json.dumps(body).encode())

    cloud.intercept(filtered)


@pytest.mark.parametrize("hidden", [["net-0"], ["net-1", "net-3"], ["net-4"], ["net-0", "net-2", "net-4"]], ids=str)
@pytest.mark.usefixtures("ids")
def test_networks_are_listed_behind_those_that_a_policy_hides(
    cloud: InMemoryCloud, client: ClientFactory, hidden: list[str]
) -> None:
    hide_networks(cloud, *hidden)
    names = [network.name for network in client().networks()]
    assert len(names) == 6 - len(hidden)
    cloud.neutron.max_limit = 2
    assert [network.name for network in client().networks()] == names


@pytest.mark.parametrize("hidden", [["net-1", "net-2"], ["net1", "net-0"]], ids=str)
@pytest.mark.usefixtures("ids")
def test_a_page_of_which_a_policy_hides_everything_is_an_error(
    cloud: InMemoryCloud, client: ClientFactory, hidden: list[str]
) -> None:
    hide_networks(cloud, *hidden)
    cloud.neutron.max_limit = 2
    with pytest.raises(ServiceUnavailableError, match="network service cuts this list") as caught:
        client().networks()
    assert "pagination_max_limit" in caught.value.hint
    assert_told(caught.value)


def test_a_list_that_is_not_limited_takes_one_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    client().networks()
    assert len(sent(cloud, "GET", "/networks")) == 1


# ----------------------------------------------------------------- Keystone before 2025.2 continues no list


def test_a_cut_list_of_departments_is_an_error(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.keystone.add_department("lab-0")
    cloud.keystone.list_limit, cloud.keystone.continues_lists = 2, False
    with pytest.raises(ServiceUnavailableError, match="shows only 2 entries") as caught:
        client("admin").departments()
    assert "list_limit" in str(caught.value.hint)


def test_names_of_departments_are_asked_for_if_their_list_is_cut(cloud: InMemoryCloud, client: ClientFactory) -> None:
    made = {name: cloud.keystone.add_department(name) for name in DEPARTMENTS}
    owned = {name: make_image(cloud, "admin", owner=owner, visibility="public") for name, owner in made.items()}
    cloud.keystone.list_limit, cloud.keystone.continues_lists = 2, False
    admin = client("admin")
    for name, image_id in owned.items():
        assert admin.owner_name(admin.image(image_id)) == name
        assert [image.id for image in admin.images(ImageQuery(owner=name))] == [image_id]
        assert [image.id for image in admin.images(ImageQuery(search=name))] == [image_id]
        assert admin.quota(name).department == name
    rita = client("alice", steward="admin")
    public = make_image(cloud, "admin", owner=cloud.departments["lab-4"], visibility="public")
    assert rita.owner_name(rita.image(public)) == "lab-4"


def test_limits_of_departments_are_asked_for_by_name_if_their_list_is_cut(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    client("admin").set_quota("dept-b", images=7, image_size_mib=70)
    client("admin").set_quota("dept-a", images=5, image_size_mib=50)
    cloud.keystone.list_limit = 1
    quota = client("admin").quota("dept-b")
    assert quota.images is not None
    assert quota.image_size_mib is not None
    assert (quota.images.limit, quota.image_size_mib.limit) == (7, 70)
    client("admin").set_quota("dept-b", images=8)
    changed = client("admin").quota("dept-b").images
    assert changed is not None
    assert changed.limit == 8
