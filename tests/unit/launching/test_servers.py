"""How often the servers of a launch are read, and on how many pages."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    AmbiguousNameError,
    Client,
    LaunchProgress,
    NotFoundError,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support import launches
from tests.support.clouds import Clock, sent
from tests.support.launches import ask
from tests.support.readers import assert_told

if TYPE_CHECKING:
    pass


def test_requests_do_not_depend_on_the_count(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    counted = []
    for count in (1, 10):
        cloud.requests.clear()
        alice.launch(image, ask(count=count))
        counted.append([(each.service, each.method) for each in cloud.requests if "auth" not in each.path])
        # See "How many requests" in the guide: one for all servers.
        assert len(sent(cloud, "POST", "/servers")) == 1
    one, ten = map(sorted, counted)
    assert one == ten
    assert len(one) == 5 + 2  # image, flavors, networks, limits, POST; the list at once, and until all are ACTIVE


def test_the_services_are_asked_once_each_before_anything_is_created(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    cloud.requests.clear()
    alice.launch(iso, ask(networks=("net1",)), wait=False)
    before = cloud.requests[: next(i for i, each in enumerate(cloud.requests) if each.path.endswith("/servers"))]
    assert sorted((each.service, each.method, each.path.rsplit("/", 1)[-1]) for each in before) == sorted(
        [
            ("keystone", "POST", "tokens"),
            ("glance", "GET", iso),
            ("nova", "GET", "detail"),
            ("nova", "GET", "limits"),
            ("neutron", "GET", "networks"),
            ("cinder", "GET", "limits"),
        ]
    )


def test_polls_are_one_list_each_and_grow_apart(cloud: InMemoryCloud, alice: Client, clock: Clock, image: str) -> None:
    cloud.nova.build_polls = 12
    seen: list[tuple[float, LaunchProgress]] = []
    alice.launch(image, ask(count=10), on_progress=lambda progress: seen.append((clock.now, progress)))
    times = [at for at, _ in seen]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 2 * gaps[0]
    assert len(sent(cloud, "GET", "/servers/detail")) == len(seen) + 1
    assert seen[0][1] == LaunchProgress(active=0, building=10, failed=0, count=10, elapsed_seconds=0)
    assert seen[-1][1].active == 10
    assert seen[-1][1].elapsed_seconds == pytest.approx(times[-1])


def test_more_servers_than_a_page_are_all_found(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.max_limit = 4
    launch = alice.launch(image, ask(count=10))
    assert [server.name for server in launch.servers] == [f"web-{number}" for number in range(1, 11)]
    pages = sent(cloud, "GET", "/servers/detail")
    assert {"marker" in page.query for page in pages} == {True, False}


@pytest.mark.parametrize("page", [1, 1000])
def test_flavors_are_found_by_name_or_id_on_any_page(
    cloud: InMemoryCloud, alice: Client, image: str, page: int
) -> None:
    cloud.nova.max_limit = page
    small = next(flavor.id for flavor in cloud.nova.flavors.values() if flavor.name == "m1.small")
    assert alice.launch(image, ask(flavor="m1.small")).servers[0].flavor == "m1.small"
    assert alice.launch(image, ask(flavor=small)).servers[0].flavor == "m1.small"
    with pytest.raises(
        NotFoundError, match=r"There is no flavor m1\.large.*There are m1\.small, m1\.tiny; openstack flavor list"
    ) as caught:
        alice.launch(image, ask(flavor="m1.large"))
    assert caught.value.in_language("zh", audience="person") == (
        "没有名称或编号为 m1.large 的规格。现有 m1.small、m1.tiny。"
    )
    assert_told(caught.value)


def test_server_groups_are_found_by_name_or_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    session = cloud.session("alice")
    for name in ("near", "far", "far"):
        body = {"server_group": {"name": name, "policies": ["affinity"]}}
        session.post("/os-server-groups", json=body, endpoint_filter=launches.COMPUTE)
    near, *_ = cloud.nova.server_groups.values()
    alice.launch(image, ask(server_group="near"))
    alice.launch(image, ask(server_group=near["id"]))
    assert len(near["members"]) == 2
    with pytest.raises(AmbiguousNameError, match="Several server groups are called far") as caught:
        alice.launch(image, ask(server_group="far"))
    assert len(caught.value.matches) == 2
    with pytest.raises(NotFoundError):
        alice.launch(image, ask(server_group="nowhere"))


def test_the_password_is_in_no_log_line_and_no_repr(
    alice: Client, cloud: InMemoryCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    image = launches.put_password_image(cloud)
    launch = alice.launch(image, ask(admin_password="Very-5ecret-indeed"))
    alice.reset_password(launch.servers[0].id, "Even-m0re-secret")
    assert caplog.text
    assert "5ecret" not in caplog.text
    assert "m0re" not in caplog.text
    assert "5ecret" not in repr(launch) + repr(launch.admin_password)
    assert cloud.nova.server("web").admin_pass == "Even-m0re-secret"
