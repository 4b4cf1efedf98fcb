"""The requests of a deletion; tests/contract/test_deletion.py says what they achieve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    ConflictError,
    Deletion,
    HyperxGlanceError,
    Image,
    InUseError,
    InvalidRequestError,
    LaunchRequest,
    NotFoundError,
    ServersUsing,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import Reply
from tests.support.clouds import HASTY, ClientFactory, sent
from tests.support.records import exists, make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance import Client
    from hyperx_glance.testing.memory import Recorded, ServiceName


def test_a_deletion_costs_one_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    image = client().image(make_image(cloud))
    for reference in (image_id, image):
        cloud.requests.clear()
        assert client().delete(reference).image is not None
        assert [request.method for request in sent(cloud)] == ["DELETE"]


def test_the_loser_of_a_race_finds_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    message = "Image status transition from deleted to deleted is not allowed"
    cloud.fail("glance", "DELETE", "/v2/images", status=400, body=message, times=2)
    with pytest.raises(NotFoundError) as caught:
        client().delete("some-id")
    assert caught.value.status == 400
    assert client().delete("some-id", missing_ok=True) == Deletion(image=None, servers=None)


def test_a_list_of_servers_that_is_not_found_is_no_missing_image(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.fail("nova", "GET", "/servers/detail", status=404)
    with pytest.raises(ServiceUnavailableError, match="has no such list"):
        client().servers_using(image_id)
    cloud.fail("nova", "GET", "/servers/detail", status=404)
    deletion = client().delete(image_id, missing_ok=True, report_servers=True)
    assert deletion == Deletion(image=deletion.image, servers=None, not_looked_at=("compute",))
    assert deletion.image is not None


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
    assert (caught.value.status, caught.value.code) == (409, "store-refused-to-delete")
    assert "in use" in caught.value.explanation
    assert exists(cloud, image_id)


@pytest.mark.parametrize(
    "loss", [{}, {"late": 1}, {"late": 2}, {"handled": False}, {"times": 2}, {"times": 3}], ids=str
)
@pytest.mark.parametrize("missing_ok", [False, True])
def test_a_deletion_whose_answer_is_lost_is_a_deletion(
    cloud: InMemoryCloud,
    client: ClientFactory,
    loss: dict[str, Any],
    missing_ok: bool,  # noqa: FBT001
) -> None:
    image = client().image(make_image(cloud))
    cloud.cut("glance", "DELETE", image.id, **loss)
    assert client().delete(image, missing_ok=missing_ok) == Deletion(image=image)
    assert not exists(cloud, image.id)


@pytest.mark.parametrize("handled", [True, False])
def test_deleting_a_missing_image_raises_unless_a_response_was_lost(
    cloud: InMemoryCloud,
    client: ClientFactory,
    handled: bool,  # noqa: FBT001
) -> None:
    """Glance does not distinguish an image that was deleted from one that never existed."""
    cloud.cut("glance", "DELETE", "/images/some-id$", handled=handled)
    if handled:
        assert client().delete("some-id") == Deletion(image=Image(id="some-id"))
        return
    with pytest.raises(NotFoundError):
        client().delete("some-id")


def test_a_refusal_after_a_lost_answer_is_a_refusal(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "DELETE", image_id, late=9)
    cloud.before("glance", "DELETE", image_id, lambda: cloud.glance.in_use.add(image_id))
    with pytest.raises(InUseError) as caught:
        client().delete(image_id)
    assert caught.value.__notes__ == ["An earlier response was lost: the request may have been carried out."]


def test_a_service_that_never_answers_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.cut("glance", "DELETE", image_id, times=None, late=99)
    with pytest.raises(ServiceUnavailableError) as caught:
        client().delete(image_id)
    assert caught.value.connected
    # See "How many requests" in the guide: up to four times.
    assert [request.method for request in sent(cloud)].count("DELETE") == 4


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
    found = client(page_size=1).servers_using(image_id).servers
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
    assert len(client().servers_using(image_id).servers) == 2
    (listing,) = [request for request in cloud.requests if request.path.endswith("/servers/detail")]
    assert listing.query["image"] == [image_id]
    assert "all_tenants" not in listing.query


def test_a_cloud_without_cinder_has_image_backed_servers(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    launch(client(), image_id, "direct")
    cloud.cinder.present = False
    (server,) = ClientFactory(cloud, HASTY)().servers_using(Image(id=image_id)).servers
    assert (server.name, server.through) == ("direct", "image")


def test_the_servers_of_a_deleted_iso_are_told_by_their_volumes(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud, sample="installer.iso")
    launch(client(), image_id, "installed", install_disk_gib=1)
    client().delete(image_id)
    (server,) = client().servers_using(Image(id=image_id)).servers
    assert (server.name, server.through) == ("installed", "iso")


@pytest.mark.parametrize("dead", ["killed", "refused", "broken"])
def test_without_cinder_the_answer_is_incomplete_and_says_so(
    cloud: InMemoryCloud, client: ClientFactory, dead: str
) -> None:
    image_id = make_image(cloud)
    launch(client(), image_id, "volume", boot_volume_gib=1)
    stop(cloud, "cinder", "/volumes/detail", dead)
    found = client().servers_using(image_id)
    assert found == ServersUsing(servers=(), not_looked_at=("block-storage",))
    assert found != ServersUsing(servers=()), "it is not an empty one"
    launch(client(), image_id, "direct")
    deletion = client().delete(image_id, report_servers=True)
    assert [server.name for server in deletion.servers or ()] == ["direct"]
    assert deletion.not_looked_at == ("block-storage",)
    assert not exists(cloud, image_id)


@pytest.mark.parametrize("dead", ["killed", "refused", "broken"])
def test_an_image_is_deleted_without_nova(cloud: InMemoryCloud, client: ClientFactory, dead: str) -> None:
    image_id = make_image(cloud)
    stop(cloud, "nova", "/servers", dead)
    with pytest.raises(HyperxGlanceError):
        client().servers_using(image_id)
    deletion = client().delete(image_id, report_servers=True)
    assert (deletion.servers, deletion.not_looked_at) == (None, ("compute",))
    assert not exists(cloud, image_id)


def stop(cloud: InMemoryCloud, service: ServiceName, path: str, how: str) -> None:
    if how == "killed":
        cloud.kill(service)
    else:
        cloud.fail(service, "GET", path, status=403 if how == "refused" else 500, times=None)


def test_odd_records_of_other_departments_fail_no_list(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Of servers and volumes, only what concerns their images is read."""
    image_id = make_image(cloud)
    made = launch(client(), image_id, "volume", boot_volume_gib=1)
    odd_server = {"id": "1", "status": None, "tenant_id": None, "image": None, "metadata": None, "flavor": 5}
    odd_server |= {"created": "long ago", "addresses": None, "os-extended-volumes:volumes_attached": None}
    odd_volume = {"id": "2", "size": None, "status": None, "encrypted": None, "metadata": {"a": None}}
    odd_volume |= {"attachments": None, "volume_image_metadata": None}

    def with_odd_records(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        for key, record in (("servers", odd_server), ("volumes", odd_volume)):
            if request.path.endswith(f"/{key}/detail"):
                listed = json.loads(reply.content)
                return Reply(200, json.dumps({**listed, key: [record, *listed[key]]}).encode())
        return reply

    cloud.intercept(with_odd_records)
    found = client("admin").servers_using(image_id).servers
    assert [(server.id, server.through) for server in found] == [(made[0], "volume")]


@pytest.mark.parametrize("status", [400, 404, 409, 413, 429, 500, 503, None])
def test_a_login_that_fails_makes_no_deletion_of_an_image_that_never_was(
    cloud: InMemoryCloud, client: ClientFactory, status: int | None
) -> None:
    alice = client()
    if status is None:
        cloud.cut("keystone", "POST", "/auth/tokens")
    else:
        cloud.fail("keystone", "POST", "/auth/tokens", status=status)

    with pytest.raises(NotFoundError):
        alice.delete("00000000-0000-4000-8000-000000000000")
