"""Deleting, and who uses an image: the same on both clouds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Deletion, Image, NotAllowedError, NotFoundError, ProtectedError
from tests.records import exists, make_image, patch_record

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.clouds import ClientFactory, CloudUnderTest


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


def test_nobody_uses_a_new_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image = client().image(make_image(cloud))
    assert client().servers_using(image) == []
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
