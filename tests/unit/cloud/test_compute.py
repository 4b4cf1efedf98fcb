"""Nova's servers are read in one place, with the microversion that a verb needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import LaunchRequest
from hyperx_glance.cloud import compute
from hyperx_glance.errors import NotAllowedError, ServiceUnavailableError
from hyperx_glance.testing import InMemoryCloud
from tests.support.records import make_image

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory

BARE = {"id": "81f", "name": None, "status": "ACTIVE", "tenant_id": "9f", "image": ""}
DETAIL = {"forbidden": {"message": "Policy doesn't allow os_compute_api:servers:detail to be performed.", "code": 403}}


def test_without_a_microversion_any_nova_lists_its_servers(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.nova.max_microversion = "2.1"

    assert list(compute.servers_of_images(client().cloud, {}, page_size=1)) == []
    with pytest.raises(ServiceUnavailableError, match="too old"):
        list(compute.servers(client().cloud))


@pytest.mark.parametrize(
    ("image", "image_id"), [("", ""), (None, ""), ({"id": "7c1"}, "7c1"), ({"id": None}, ""), ({"links": []}, "")]
)
def test_a_server_names_its_image_if_it_was_made_from_one(
    cloud: InMemoryCloud, client: ClientFactory, image: object, image_id: str
) -> None:
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": [{**BARE, "image": image}]})

    (server,) = compute.servers_of_images(client().cloud, {}, page_size=1)

    assert (server.id, server.image_id, server.project_id, server.name) == ("81f", image_id, "9f", None)


def test_ids_are_quoted_in_paths() -> None:
    assert compute.server_path("a/b?c", "action") == "/servers/a%2Fb%3Fc/action"


def test_servers_are_read_one_by_one_where_the_list_with_details_is_refused(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    alice = client()
    image = alice.cloud.image(make_image(cloud))
    launch = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny", count=2))
    cloud.fail("nova", "GET", "/servers/detail", status=403, body=DETAIL, times=None)

    again = alice.launch(image, LaunchRequest(name="db", flavor="m1.tiny"))

    assert [server.status for server in again.servers] == ["ACTIVE"]
    assert len(alice.find_launch(launch.launch_id).servers) == 2
    assert [server.name for server in alice.servers_using(image).servers] == ["db", "web-1", "web-2"]
    assert compute.server_id(alice.cloud, "db") == again.servers[0].id
    assert compute.images_being_launched(alice.cloud) == frozenset()
    again.cancel()
    assert len(alice.delete(image, report_servers=True).servers or ()) == 2


def test_an_image_is_deleted_though_its_servers_may_not_be_listed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("nova", "GET", "/servers", status=403, body=DETAIL, times=None)

    deletion = client().delete(make_image(cloud), report_servers=True)

    assert deletion.image is not None
    assert (deletion.servers, deletion.not_looked_at) == (None, ("compute",))


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        (
            "Policy doesn't allow os_compute_api:os-keypairs:index to be performed.",
            "os_compute_api:os-keypairs:index",
        ),
        ("Policy doesn't allow volume:get_all to be performed.", "volume:get_all"),
        ("(rule:get_network) is disallowed by policy", "get_network"),
        ("rule:get_network is disallowed by policy", "get_network"),
    ],
)
def test_a_refusal_names_the_policy(cloud: InMemoryCloud, client: ClientFactory, said: str, policy: str) -> None:
    cloud.fail("nova", "GET", "/os-keypairs", status=403, body=said)

    with pytest.raises(NotAllowedError) as caught:
        client().cloud.get("compute", "/os-keypairs")

    assert f"policy {policy} " in caught.value.hint
