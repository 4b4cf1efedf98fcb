"""Which requests a deletion sends; tests/contract/test_deletion.py says what they achieve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ConflictError,
    Deletion,
    Image,
    InUseError,
    InvalidRequestError,
    LaunchRequest,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from tests.clouds import HASTY, ClientFactory
from tests.records import exists, make_image

if TYPE_CHECKING:
    from hyperx_glance import Client


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)


def sent(cloud: InMemoryCloud) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in cloud.requests if request.user]


def test_a_deletion_costs_one_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    image = client().image(make_image(cloud))
    for reference in (image_id, image):
        cloud.requests.clear()
        assert client().delete(reference).image is not None
        assert [method for method, _ in sent(cloud)] == ["DELETE"]


def test_the_loser_of_a_race_finds_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    message = "Image status transition from deleted to deleted is not allowed"
    cloud.fail("glance", "DELETE", "/v2/images", status=400, body=message, times=2)
    with pytest.raises(NotFoundError) as caught:
        client().delete("some-id")
    assert caught.value.status == 400
    assert client().delete("some-id", missing_ok=True) == Deletion(image=None, servers=None)


def test_other_bad_requests_are_none(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("glance", "DELETE", "/v2/images", status=400, body="Something else")
    with pytest.raises(InvalidRequestError):
        client().delete("some-id", missing_ok=True)


def test_data_in_use_stays(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.glance.in_use.add(image_id)
    with pytest.raises(InUseError) as caught:
        client().delete(image_id, missing_ok=True)
    assert isinstance(caught.value, ConflictError)
    assert caught.value.status == 409
    assert exists(cloud, image_id)


def test_a_deletion_whose_answer_is_lost_is_not_sent_again(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "DELETE", image_id)
    with pytest.raises(ServiceUnavailableError):
        client().delete(image_id)
    assert client().delete(image_id, missing_ok=True).image is None


def test_an_empty_reference_is_refused_before_any_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    for act in (client().delete, client().servers_using):
        with pytest.raises(InvalidRequestError):
            act("")
    assert cloud.requests == []


# ----------------------------------------------------------------- servers


def launch(client: Client, image_id: str, name: str, **more: object) -> list[str]:
    request = {"name": name, "flavor": "m1.tiny", "networks": "none", **more}
    return [server.id for server in client.launch(image_id, LaunchRequest.model_validate(request)).servers]


def test_servers_are_listed_page_by_page(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    made = launch(client(), image_id, "direct", count=3)
    made += launch(client(), image_id, "volume", count=2, boot_volume_gib=1)
    launch(client(), make_image(cloud), "other")
    found = client(page_size=1).servers_using(image_id)
    assert [(server.name, server.through) for server in found] == [
        ("direct-1", "image"),
        ("direct-2", "image"),
        ("direct-3", "image"),
        ("volume-1", "volume"),
        ("volume-2", "volume"),
    ]
    assert {server.id for server in found} == set(made)


def test_without_volumes_nova_finds_the_servers(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    launch(client(), image_id, "direct", count=2)
    cloud.requests.clear()
    assert len(client().servers_using(image_id)) == 2
    (listing,) = [request for request in cloud.requests if request.path.endswith("/servers/detail")]
    assert listing.query["image"] == [image_id]
    assert "all_tenants" not in listing.query


def test_a_cloud_without_cinder_has_image_backed_servers(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    launch(client(), image_id, "direct")
    cloud.cinder.present = False
    (server,) = ClientFactory(cloud, HASTY)().servers_using(Image(id=image_id))
    assert (server.name, server.through) == ("direct", "image")


def test_the_servers_of_a_deleted_iso_are_told_by_their_volumes(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, sample="installer.iso")
    launch(client(), image_id, "installed", install_disk_gib=1)
    client().delete(image_id)
    (server,) = client().servers_using(Image(id=image_id))
    assert (server.name, server.through) == ("installed", "iso")


def test_where_the_servers_cannot_be_told_nothing_is_deleted(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.fail("nova", "GET", "/servers/detail", status=500, times=None)
    with pytest.raises(ServiceUnavailableError):
        client().delete(image_id, report_servers=True)
    assert exists(cloud, image_id)
