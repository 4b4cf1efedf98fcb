"""The requests of lists and single reads, and the images that they return, also to many threads."""

from __future__ import annotations

import json
import threading
import uuid

import pytest

from hyperx_glance import Image, ImageQuery
from hyperx_glance.errors import (
    AmbiguousNameError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support.lists import connect, fill, ids, lists

# ----------------------------------------------------------------- reading


def test_images_of_other_tools_read_without_error() -> None:
    cloud = InMemoryCloud()
    (plain,) = fill(
        cloud, 1, name=None, disk_format=None, container_format=None, created_at="2026-03-01T12:00:00+00:00"
    )
    odd = {f"property {number}": "x" * 255 for number in range(128)}
    (strange,) = fill(cloud, 1, hyperx_password_enabled="maybe", hyperx_bootable="maybe", disk_format="future", **odd)
    cloud.glance.images[strange].shown_as = {
        "status": "frobnicating",
        "size": "big",
        "tags": None,
        "created_at": "soon",
    }

    first, second = sorted(connect(cloud).images(), key=lambda image: image.name)

    assert (first.id, first.name, first.kind, first.state) == (plain, "", "image", "ACTIVE")
    assert (second.state, second.phase, second.disk_format) == ("INACTIVE", "unknown", "future")
    assert (second.password_enabled, second.bootable, second.size, second.tags) == (False, False, None, ())
    assert len(second.properties) == 128


def test_results_of_a_case_insensitive_database_are_filtered_again() -> None:
    cloud = InMemoryCloud()
    cloud.glance.case_sensitive = False
    wanted = fill(cloud, 2, name="debian", os_distro="ubuntu", tags=["gpu"])
    fill(cloud, 2, name="Debian", os_distro="Ubuntu", tags=["GPU"])
    client = connect(cloud)

    for criteria in ({"name": "debian"}, {"os_distro": "ubuntu"}, {"tags": {"gpu"}}, {"any_tags": {"gpu", "gPU"}}):
        cloud.requests.clear()
        assert ids(client, **criteria) == wanted
        assert client.count(**criteria) == 2


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
def test_a_list_goes_on_behind_images_that_a_case_insensitive_database_finds_twice(page_size: int) -> None:
    cloud = InMemoryCloud()
    cloud.glance.case_sensitive = False
    some = fill(cloud, 3, tags=["linux", "Linux", "LINUX "]) + fill(cloud, 3, tags=["linux"])
    client = connect(cloud, page_size=page_size)

    assert sorted(ids(client, tags={"linux"})) == sorted(some)
    assert client.count(any_tags={"linux", "x"}) == 6


# ----------------------------------------------------------------- one image


def test_an_image_is_found_by_id_in_one_request() -> None:
    cloud = InMemoryCloud()
    image_id = fill(cloud, 3)[1]
    client = connect(cloud)

    assert client.image(image_id).id == image_id
    assert [request.path for request in cloud.requests][1:] == [f"/v2/images/{image_id}"]


def test_an_image_is_found_by_name_in_one_request() -> None:
    cloud = InMemoryCloud()
    (image_id,) = fill(cloud, 1, name="a:b")
    fill(cloud, 3)

    assert connect(cloud).image("a:b").id == image_id
    assert [asked["name"] for asked in lists(cloud)] == ["eq:a:b"]


def test_a_name_that_looks_like_an_id_is_found() -> None:
    cloud = InMemoryCloud()
    name = str(uuid.uuid4())
    (image_id,) = fill(cloud, 1, name=name)

    assert connect(cloud).image(name).id == image_id


def test_a_name_of_several_images_is_ambiguous() -> None:
    cloud = InMemoryCloud()
    both = fill(cloud, 2, name="debian")

    with pytest.raises(AmbiguousNameError) as raised:
        connect(cloud).image("debian")
    assert sorted(raised.value.matches) == sorted(both)


@pytest.mark.parametrize("name", ["nothing", str(uuid.UUID(int=1)), "DEBIAN"])
def test_an_image_that_is_not_there_is_not_found(name: str) -> None:
    cloud = InMemoryCloud()
    fill(cloud, 1, name="debian")

    with pytest.raises(NotFoundError):
        connect(cloud).image(name)


def test_one_image_is_looked_for_in_the_view_all() -> None:
    cloud = InMemoryCloud()
    (foreign,) = fill(cloud, 1, name="foreign", owner="dept-b")
    (dying,) = fill(cloud, 1, name="dying", status="pending_delete")
    (hidden,) = fill(cloud, 1, name="hidden", os_hidden=True)
    alice, admin = connect(cloud), connect(cloud, "admin")

    for client in (alice, admin):
        for name_or_id in (foreign, "foreign", dying, "dying", "hidden"):
            with pytest.raises(NotFoundError):
                client.image(name_or_id)
    assert alice.image(hidden).name == "hidden"
    assert [image.id for image in admin.images(view="everything", name="foreign")] == [foreign]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        connect(InMemoryCloud()).image("")


# ----------------------------------------------------------------- counts, tags, owners


def test_a_count_reads_only_what_matches() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 7, os_distro="ubuntu")
    fill(cloud, 20, os_distro="debian")
    client = connect(cloud, page_size=4)

    assert client.count(os_distro="ubuntu") == 7
    assert len(lists(cloud)) == 2
    assert {asked["os_distro"] for asked in lists(cloud)} == {"ubuntu"}
    assert client.count() == client.count(ImageQuery()) == 27
    assert client.count(limit=5) == 5
    assert client.count(search="image 1") == sum(1 for _ in client.images(search="image 1"))


def test_tags_are_those_of_the_view_all() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 2, tags=["gpu", "linux"])
    fill(cloud, 1, tags=["linux", "双核"], visibility="public", owner="dept-b")
    fill(cloud, 1, tags=["theirs"], owner="dept-b")
    fill(cloud, 1, tags=["hidden"], os_hidden=True)
    fill(cloud, 1, tags=["snapshot"], image_type="snapshot")

    assert connect(cloud, page_size=2).tags() == {"gpu": 2, "linux": 3, "双核": 1}


def test_owner_names_come_from_one_request_for_all() -> None:
    cloud = InMemoryCloud()
    own, theirs, nobodys = fill(cloud, 1) + fill(cloud, 1, owner="dept-b") + fill(cloud, 1, owner=None)
    admin = connect(cloud, "admin")
    images = list(admin.images(view="everything"))
    cloud.requests.clear()

    names = {image.id: admin.owner_name(image) for _ in range(3) for image in images}

    assert names == {own: "dept-a", theirs: "dept-b", nobodys: ""}
    assert [(request.method, request.path) for request in cloud.requests] == [("GET", "/v3/projects")]
    assert admin.owner_name(theirs) == "dept-b"


def test_a_member_knows_an_unknown_owner_by_its_id() -> None:
    cloud = InMemoryCloud()
    (theirs,) = fill(cloud, 1, owner="dept-b", visibility="public")

    assert connect(cloud).owner_name(theirs) == cloud.departments["dept-b"]


def test_a_member_searches_by_the_names_that_keystone_tells() -> None:
    cloud = InMemoryCloud()
    (own,) = fill(cloud, 1)
    (theirs,) = fill(cloud, 1, owner="dept-b", visibility="public")
    alice, admin = connect(cloud), connect(cloud, "admin")

    assert ids(alice, search="dept-a") == ids(alice, owner="dept-a") == [own]
    assert ids(alice, search="dept-b") == ids(alice, owner="dept-b") == []
    assert ids(alice, owner=cloud.departments["dept-b"]) == [theirs]
    assert ids(admin, search="DEPT-B") == ids(admin, owner="dept-b") == [theirs]
    names = [request.path for request in cloud.requests if request.service == "keystone" and request.method == "GET"]
    assert sorted(names) == ["/v3/auth/projects", "/v3/projects"]


def test_a_list_that_names_no_owner_asks_keystone_nothing() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 1)

    ids(connect(cloud), search="  ", os_distro="x")
    # An empty page is requested again, with more images.
    assert [request.service for request in cloud.requests if request.method == "GET"] == ["glance", "glance"]


def test_a_forbidden_view_is_refused_at_once() -> None:
    cloud = InMemoryCloud()

    with pytest.raises(NotAllowedError):
        connect(cloud).images(view="everything")
    with pytest.raises(NotAllowedError):
        connect(cloud, "admin").images(view="shared")
    with pytest.raises(NotAllowedError):
        connect(cloud, "rita").count(view="everything")


# ----------------------------------------------------------------- threads


def test_sixteen_threads_share_a_client() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 40, tags=["linux"])
    client = connect(cloud, page_size=7)
    together = threading.Barrier(16, timeout=60)
    wrong: list[object] = []

    def browse() -> None:
        together.wait()
        for _ in range(3):
            found = [image.id for image in client.images(search="dept-a")]
            answers = (
                found,
                client.count(),
                client.tags(),
                client.image(expected[5]).name,
                client.owner_name(expected[0]),
            )
            if answers != (expected, 40, {"linux": 40}, "image 5", "dept-a"):
                wrong.append(answers)

    threads = [threading.Thread(target=browse) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_iterators_of_one_client_do_not_disturb_each_other() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 9)
    client = connect(cloud, page_size=2)

    pairs = list(zip(client.images(), client.images(sort=["created_at"]), strict=True))

    assert [first.id for first, _ in pairs] == expected
    assert [second.id for _, second in pairs] == expected[::-1]


def test_images_are_read_from_bytes_as_from_records() -> None:
    cloud = InMemoryCloud()
    (image_id,) = fill(cloud, 1, hyperx_bootable="false", tags=["a"])
    session = cloud.session("alice")
    page = session.get("/v2/images", endpoint_filter={"service_type": "image"}).content

    (found,) = connect(cloud).images()

    assert found.id == image_id
    assert found == Image.model_validate(json.loads(page)["images"][0])
