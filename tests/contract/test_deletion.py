"""Deletions, and the servers that still use an image, on both clouds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Deletion, Image, LaunchRequest, NotAllowedError, NotFoundError, ProtectedError
from tests.support.clouds import unique
from tests.support.records import exists, make_image, patch_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import Client
    from tests.support.clouds import ClientFactory, CloudUnderTest


def test_an_image_is_deleted(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image = client().image(make_image(cloud))
    assert client().delete(image) == Deletion(image=image, servers=None)
    assert not exists(cloud, image.id)


def test_an_image_known_by_id_alone_is_deleted(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    assert client().delete(image_id) == Deletion(image=Image(id=image_id), servers=None)
    assert not exists(cloud, image_id)


def test_a_record_without_data_is_deleted(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, sample=None)
    client().delete(image_id)
    assert not exists(cloud, image_id)


def test_a_disabled_image_is_deleted(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image = client().disable(make_image(cloud))
    client().delete(image)
    assert not exists(cloud, image.id)


def test_deleting_twice_is_not_found(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    client().delete(image_id)
    with pytest.raises(NotFoundError):
        client().delete(image_id)
    assert client().delete(image_id, missing_ok=True) == Deletion(image=None, servers=None)
    assert client().delete(image_id, missing_ok=True, report_servers=True) == Deletion(image=None, servers=())


def test_a_protected_image_stays(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, protected=True)
    for missing_ok in (False, True):
        with pytest.raises(ProtectedError) as caught:
            client().delete(image_id, missing_ok=missing_ok)
    assert "protected=False" in caught.value.hint
    assert exists(cloud, image_id)
    client().update(image_id, protected=False)
    client().delete(image_id)
    assert not exists(cloud, image_id)


def test_only_its_department_deletes_an_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    public = make_image(cloud, visibility="community")
    for user in ("bob", "rita"):
        with pytest.raises(NotAllowedError):
            client(user).delete(public)
    private = make_image(cloud)
    with pytest.raises(NotFoundError):
        client("bob").delete(private)
    assert client("bob").delete(private, missing_ok=True).image is None
    assert exists(cloud, public)
    assert exists(cloud, private)
    client("arthur").delete(private)
    client("admin").delete(public)
    assert not exists(cloud, public)
    assert not exists(cloud, private)


def test_of_two_deletions_at_once_one_is_not_found(cloud: CloudUnderTest, client: ClientFactory) -> None:
    deleting = client()
    for _ in range(5):
        image_id = make_image(cloud)
        with ThreadPoolExecutor(2) as pool:
            outcomes = [future.result() for future in [pool.submit(_outcome, deleting, image_id) for _ in range(2)]]
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Deletion", "NotFoundError"]
        assert not exists(cloud, image_id)


def _outcome(client: Client, image_id: str) -> Deletion | NotFoundError:
    try:
        return client.delete(image_id)
    except NotFoundError as error:
        return error


def test_no_server_uses_a_new_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image = client().image(make_image(cloud))
    assert client().servers_using(image).servers == ()
    assert client().delete(image, report_servers=True) == Deletion(image=image, servers=())


def test_the_servers_of_a_missing_image_are_not_found(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError):
        client().servers_using("nowhere")


def test_a_deleted_image_is_reported_whole(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    patch_record(cloud, image_id, {"description": "mine"})
    deletion = client().delete(image_id, report_servers=True)
    assert deletion.image is not None
    assert deletion.image.description == "mine"


# ----------------------------------------------------------------- servers


@pytest.fixture
def launch(client: ClientFactory) -> Iterator[Callable[..., list[str]]]:
    """Launch servers that go away after the test."""
    launches = []

    def start(user: str, image_id: str, **more: object) -> list[str]:
        request = {"name": unique("server"), "flavor": "m1.tiny", "networks": "none", **more}
        launched = client(user).launch(image_id, LaunchRequest.model_validate(request))
        launches.append(launched)
        return [server.id for server in launched.servers]

    yield start
    for launched in launches:
        launched.cancel()


def test_every_kind_of_user_is_reported(
    cloud: CloudUnderTest, client: ClientFactory, launch: Callable[..., list[str]]
) -> None:
    image_id = make_image(cloud, sample="disk.raw", visibility="community")
    direct = launch("alice", image_id)
    through_volume = launch("alice", image_id, boot_volume_gib=1)
    elsewhere = launch("bob", image_id)
    launch("alice", make_image(cloud, sample="disk.raw"), boot_volume_gib=1)  # another image
    expected = {direct[0]: "image", through_volume[0]: "volume"}
    for user in ("alice", "arthur"):
        found = client(user).servers_using(image_id).servers
        assert {server.id: server.through for server in found} == expected
        assert {server.project_id for server in found} == {client().project_id}
        assert {server.status for server in found} == {"ACTIVE"}
        assert list(found) == sorted(found, key=lambda server: server.name)
    assert [server.id for server in client("bob").servers_using(image_id).servers] == elsewhere
    everybody = client("admin").servers_using(image_id).servers
    assert {server.id: server.through for server in everybody} == {**expected, elsewhere[0]: "image"}
    deletion = client().delete(image_id, report_servers=True)
    assert {server.id: server.through for server in deletion.servers or ()} == expected
    assert {server.id for server in client().servers_using(Image(id=image_id)).servers} == set(expected)


def test_servers_of_an_iso_are_reported(
    cloud: CloudUnderTest, client: ClientFactory, launch: Callable[..., list[str]]
) -> None:
    image_id = make_image(cloud, sample="installer.iso")
    made = launch("alice", image_id, install_disk_gib=1) + launch("alice", image_id, layout="live")
    deletion = client().delete(image_id, report_servers=True)
    assert {server.id: server.through for server in deletion.servers or ()} == dict.fromkeys(made, "iso")
