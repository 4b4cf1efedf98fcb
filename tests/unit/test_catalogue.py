"""Lists over an in-memory Glance that makes trouble: pages emptied, markers lost, records broken, many threads."""

from __future__ import annotations

import json
import logging
import math
import threading
import uuid
from typing import TYPE_CHECKING, Unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperx_glance import Client, Image, ImageCriteria, ImageQuery, Settings, catalogue
from hyperx_glance.errors import (
    AmbiguousNameError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST = r"/v2/images$"
JSON = {"Content-Type": "application/json"}


def fill(cloud: InMemoryCloud, amount: int, **record: object) -> list[str]:
    """Add images, a second apart, and give their ids, the newest first."""
    return [
        cloud.glance.add_image(
            **{  # type: ignore[arg-type]  # columns and properties
                "name": f"image {number}",
                "status": "active",
                "visibility": "private",
                "created_at": f"2026-03-01T12:{59 - number // 60:02}:{59 - number % 60:02}+00:00",
                **record,
            }
        )
        for number in range(amount)
    ]


def connect(cloud: InMemoryCloud, user: str = "alice", page_size: int = 1000) -> Client:
    return Client.from_session(cloud.session(user), settings=Settings(page_size=page_size))


def ids(client: Client, **criteria: Unpack[ImageCriteria]) -> list[str]:
    return [image.id for image in client.images(**criteria)]


def lists(cloud: InMemoryCloud) -> list[dict[str, str]]:
    """Give what each list was asked for."""
    return [
        {key: ",".join(values) for key, values in request.query.items()}
        for request in cloud.requests
        if (request.service, request.method, request.path) == ("glance", "GET", "/v2/images")
    ]


def answer_with(
    cloud: InMemoryCloud,
    images: Sequence[object],
    following: str | None = None,
    *,
    times: int | None = 1,
    skip: int = 0,
) -> None:
    """Let the next lists be this."""
    body: dict[str, object] = {"images": images, "first": "/v2/images", "schema": "/v2/schemas/images"}
    if following is not None:
        body["next"] = following
    cloud.fail("glance", "GET", LIST, status=200, body=body, times=times, skip=skip)


def record(image_id: str) -> dict[str, object]:
    return {"id": image_id, "name": image_id, "status": "active", "created_at": "2026-03-01T12:00:00Z"}


# ----------------------------------------------------------------- lazy


@pytest.mark.parametrize(("amount", "page_size"), [(0, 1000), (1, 2), (4, 2), (5, 2), (9, 3), (10, 3), (7, 1000)])
def test_requests_are_the_pages_and_one_where_glance_needs_it(amount: int, page_size: int) -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, amount)

    assert ids(connect(cloud, page_size=page_size)) == expected
    assert len(lists(cloud)) <= math.ceil(amount / page_size) + 1


def test_the_first_list_asks_what_a_bare_adapter_would() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 3)
    client = connect(cloud)

    assert cloud.requests == []
    assert len(ids(client)) == 3
    assert [(request.method, request.path) for request in cloud.requests] == [
        ("POST", "/v3/auth/tokens"),
        ("GET", "/v2/images"),
    ]
    assert lists(cloud) == [{"visibility": "all", "sort": "created_at:desc,id:asc", "limit": "1000"}]


def test_the_first_image_is_there_after_one_page() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 10)
    found = connect(cloud, page_size=4).images()

    assert lists(cloud) == []
    assert next(found).id == expected[0]
    assert len(lists(cloud)) == 1


def test_a_closed_iterator_asks_nothing_more() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 10)
    found = connect(cloud, page_size=2).images()
    next(found)
    found.close()  # type: ignore[attr-defined]  # iterators of this library are generators

    assert list(found) == []
    assert len(lists(cloud)) == 1


def test_an_iterator_that_is_dropped_asks_nothing_more() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 10)
    for _ in connect(cloud, page_size=2).images():
        break

    assert len(lists(cloud)) == 1


def test_a_limit_stops_paging_and_asks_for_less() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 30)

    assert ids(connect(cloud), limit=4) == expected[:4]
    assert [asked["limit"] for asked in lists(cloud)] == ["5"]
    cloud.requests.clear()
    assert ids(connect(cloud, page_size=3), limit=7) == expected[:7]
    assert len(lists(cloud)) == 3
    cloud.requests.clear()
    assert ids(connect(cloud), limit=0) == []
    assert lists(cloud) == []


def test_a_limited_search_asks_for_whole_pages() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 30)

    assert len(ids(connect(cloud, page_size=20), search="image", limit=2)) == 2
    assert [asked["limit"] for asked in lists(cloud)] == ["20"]


# ----------------------------------------------------------------- troubles of paging


@settings(max_examples=300)
@given(
    amount=st.integers(0, 14),
    hidden=st.sets(st.integers(0, 13)),
    page_size=st.integers(1, 6),
    largest=st.sampled_from((3, 1000)),
)
def test_what_the_policy_hides_hides_nothing_else(amount: int, hidden: set[int], page_size: int, largest: int) -> None:
    cloud = InMemoryCloud()
    cloud.glance.largest_page = max(largest, page_size)
    expected = fill(cloud, amount)
    cloud.glance.hidden_by_policy = {expected[number] for number in hidden if number < amount}
    if largest < 1000:  # a page of hidden images beyond the largest page cannot be passed
        cloud.glance.hidden_by_policy = set()

    found = ids(connect(cloud, page_size=page_size))

    assert found == [image_id for image_id in expected if image_id not in cloud.glance.hidden_by_policy]


def test_a_first_page_emptied_by_policy_does_not_end_the_list() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 6)
    cloud.glance.hidden_by_policy = set(expected[:3])

    assert ids(connect(cloud, page_size=2)) == expected[3:]


def test_more_hidden_images_than_glance_can_pass_are_an_error() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 12)
    cloud.glance.largest_page = 4
    cloud.glance.hidden_by_policy = set(expected[3:9])

    with pytest.raises(ServiceUnavailableError, match="does not go on") as raised:
        ids(connect(cloud, page_size=4))
    assert "get_image" in raised.value.hint


@settings(max_examples=300)
@given(
    amount=st.integers(1, 12),
    page_size=st.integers(1, 5),
    deaths=st.dictionaries(st.integers(1, 8), st.sets(st.integers(0, 11), min_size=1, max_size=8), max_size=4),
    births=st.sets(st.integers(1, 8), max_size=3),
    losing=st.sampled_from(("deleted", "private")),
)
def test_images_that_come_and_go_take_none_with_them(
    amount: int, page_size: int, deaths: dict[int, set[int]], births: set[int], losing: str
) -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, amount, visibility="community", owner="dept-b")
    lost: set[str] = set()
    born: set[str] = set()
    request = 0

    def change() -> None:
        nonlocal request
        request += 1
        for number in deaths.get(request, ()):
            if number < amount and expected[number] not in lost:
                lost.add(expected[number])
                if losing == "deleted":
                    cloud.glance.remove_image(expected[number])  # then its marker is a 400
                else:
                    cloud.glance.images[expected[number]].visibility = "private"  # then its marker is a 403
                    cloud.glance._changed()
        if request in births:
            born.update(fill(cloud, 1, visibility="community", created_at="2026-03-01T13:00:00+00:00"))

    client = connect(cloud, page_size=page_size)
    cloud.before("glance", "GET", LIST, change)
    found = ids(client)

    assert len(found) == len(set(found))
    assert [image_id for image_id in found if image_id not in lost | born] == [
        image_id for image_id in expected if image_id not in lost
    ]


def test_a_page_whose_images_all_vanished_is_passed_in_few_requests() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 130)
    found = connect(cloud, page_size=100).images()
    first = [next(found).id for _ in range(90)]
    for image_id in expected[1:100]:
        cloud.glance.remove_image(image_id)

    rest = [image.id for image in found]

    assert first == expected[:90]
    assert set(expected[100:]) <= set(rest)
    assert len(rest) == len(set(rest))
    assert len(lists(cloud)) < 12


def test_a_list_that_vanishes_faster_than_it_is_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "REMEMBERED", 4)
    cloud = InMemoryCloud()
    expected = fill(cloud, 20)
    client = connect(cloud, page_size=5)

    def vanish() -> None:
        for image_id in expected[:10]:
            cloud.glance.remove_image(image_id)

    cloud.before("glance", "GET", LIST, vanish, skip=2)

    with pytest.raises(ServiceUnavailableError, match="vanish"):
        ids(client)


def test_a_refusal_of_every_page_is_raised_as_it_is() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 6)
    client = connect(cloud, page_size=2)
    cloud.fail("glance", "GET", LIST, status=403, body="Not any more.", times=None, skip=1)

    with pytest.raises(NotAllowedError, match="Not any more"):
        ids(client)


def test_a_next_that_repeats_itself_is_an_error() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud, page_size=2)
    answer_with(cloud, [record("a"), record("b")], "/v2/images?marker=b", times=None)
    found = client.images(sort=["id"])

    assert [next(found).id, next(found).id] == ["a", "b"]
    with pytest.raises(ServiceUnavailableError, match="does not go on behind image b"):
        next(found)
    assert len(lists(cloud)) == 3


def test_empty_pages_that_name_each_other_are_an_error() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    for number, following in enumerate(("a", "b", "a")):
        answer_with(cloud, [], f"/v2/images?marker={following}", skip=number)

    with pytest.raises(ServiceUnavailableError, match="does not go on"):
        ids(client)


def test_an_empty_page_with_a_next_is_followed() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    answer_with(cloud, [], "/v2/images?limit=2&marker=a")
    answer_with(cloud, [record("b")], skip=1)

    assert ids(client) == ["b"]
    assert lists(cloud)[1]["marker"] == "a"


def test_a_next_without_a_marker_is_an_error() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    answer_with(cloud, [record("a")], "/v2/images?limit=2")

    with pytest.raises(ServiceUnavailableError, match="without a marker"):
        ids(client)


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[]", b'{"servers": []}'])
def test_an_answer_that_is_no_list_is_an_error(body: bytes) -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    cloud.fail("glance", "GET", LIST, status=200, body=body, headers=JSON)

    with pytest.raises(ServiceUnavailableError, match="no list of images"):
        ids(client)


def test_every_tag_is_asked_for_on_every_page() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 5, tags=["a", "b"])
    fill(cloud, 5, tags=["b"])

    assert ids(connect(cloud, page_size=2), tags={"a", "b"}) == expected
    assert {asked["tag"] for asked in lists(cloud)} == {"a,b"}


# ----------------------------------------------------------------- reading


def test_an_image_that_does_not_parse_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 5)
    cloud.glance.images[expected[1]].shown_as = {"id": None}
    cloud.glance.images[expected[3]].shown_as = {"id": 5}

    with caplog.at_level(logging.WARNING, logger="hyperx_glance"):
        found = ids(connect(cloud, page_size=2))

    assert found == [expected[0], expected[2], expected[4]]
    warnings = [entry.getMessage() for entry in caplog.records]
    assert any("Image None" in warning for warning in warnings)
    assert any("Image 5" in warning for warning in warnings)


def test_a_record_that_is_no_object_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    answer_with(cloud, [record("a"), None, "b", record("c")])

    assert ids(client, sort=["id"]) == ["a", "c"]
    assert len(caplog.records) == 2


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


def test_what_the_database_takes_for_equal_is_tested_again() -> None:
    cloud = InMemoryCloud()
    cloud.glance.case_sensitive = False
    wanted = fill(cloud, 2, name="debian", os_distro="ubuntu", tags=["gpu"])
    fill(cloud, 2, name="Debian", os_distro="Ubuntu", tags=["GPU"])
    client = connect(cloud)

    for criteria in ({"name": "debian"}, {"os_distro": "ubuntu"}, {"tags": {"gpu"}}):
        cloud.requests.clear()
        assert ids(client, **criteria) == wanted
        assert client.count(**criteria) == 2


# ----------------------------------------------------------------- order


def test_images_of_one_second_are_ordered_by_id_across_pages() -> None:
    cloud = InMemoryCloud()
    same = [fill(cloud, 1, created_at=f"2026-03-01T12:00:00.{number}+00:00")[0] for number in range(10, 19)]
    newer = fill(cloud, 1, created_at="2026-03-01T12:00:01+00:00")
    older = fill(cloud, 2, created_at="2026-03-01T11:59:59.5+00:00")

    assert ids(connect(cloud, page_size=2)) == [*newer, *sorted(same), *sorted(older)]
    assert ids(connect(cloud, page_size=2), sort=["created_at", "-id"]) == [
        *sorted(older, reverse=True),
        *sorted(same, reverse=True),
        *newer,
    ]
    assert ids(connect(cloud, page_size=2), limit=3) == [*newer, *sorted(same)[:2]]


def test_more_images_of_one_second_than_are_held_come_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SAME_SECOND", 4)
    cloud = InMemoryCloud()
    same = fill(cloud, 20, created_at="2026-03-01T12:00:00+00:00")

    assert ids(connect(cloud, page_size=3)) == sorted(same)


def test_null_names_are_sorted_as_empty_ones() -> None:
    cloud = InMemoryCloud()
    unnamed = sorted(fill(cloud, 3, name=None))
    named = fill(cloud, 1, name="b") + fill(cloud, 1, name="c")

    assert ids(connect(cloud, page_size=2), sort=["name"]) == [*unnamed, *named]
    assert ids(connect(cloud, page_size=2), sort=["-name"]) == [*reversed(named), *unnamed]
    assert {asked["sort"] for asked in lists(cloud)} == {"name:asc,id:asc", "name:desc,id:asc"}


def test_several_listings_are_merged_in_order() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 12)
    for number, image_id in enumerate(expected):
        image = cloud.glance.images[image_id]
        image.visibility = ("public", "community", "private", "shared")[number % 4]
        image.os_hidden = number % 5 == 0
        image.owner = cloud.departments["admin"]

    assert ids(connect(cloud, "admin", page_size=2), hidden=None) == expected
    assert ids(connect(cloud, "admin", page_size=2), hidden=None, sort=["created_at"]) == expected[::-1]


def test_an_image_published_between_two_listings_is_there_once() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 4, visibility="public", owner="admin")
    moved = cloud.glance.images[expected[1]]
    client = connect(cloud, "admin")
    cloud.before("glance", "GET", LIST, lambda: setattr(moved, "visibility", "community"), skip=1, times=1)

    assert ids(client) == expected


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
    assert [request.service for request in cloud.requests if request.method == "GET"] == ["glance"]


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
    together = threading.Barrier(16)
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


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_page_is_read_however_it_is_written(separators: tuple[str, str], indent: int | None) -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    texts = ['}, {"', '\\"}, {\\"', "}]", '}], "next": "x', "{", "\\", '"images": [{"', "麒麟\u2028"]
    images = [{**record(str(number)), "description": text, "name": text} for number, text in enumerate(texts)]
    page = {"images": images, "first": '/v2/images?name=}]&os_distro=}, {"', "schema": "/v2/schemas/images"}
    body = json.dumps(page, ensure_ascii=False, separators=separators, indent=indent).encode()
    cloud.fail("glance", "GET", LIST, status=200, body=body, headers=JSON)

    found = list(client.images(sort=["id"]))

    assert [(image.name, image.description) for image in found] == [(text, text) for text in texts]


def test_records_with_objects_inside_are_read() -> None:
    cloud = InMemoryCloud()
    client = connect(cloud)
    places = [{"url": "file:///a", "metadata": {}}, {"url": "file:///b", "metadata": {}}]
    answer_with(cloud, [{**record(name), "locations": places} for name in "abc"])

    assert ids(client, sort=["id"]) == ["a", "b", "c"]


@settings(max_examples=300)
@given(
    texts=st.lists(st.text(st.sampled_from('{}[]", \\:ax\n麒'), max_size=12), max_size=5),
    following=st.one_of(st.none(), st.just("/v2/images?marker=m")),
)
def test_cutting_a_page_gives_what_parsing_it_gives(texts: list[str], following: str | None) -> None:
    page: dict[str, object] = {"images": [{**record(str(n)), "name": text} for n, text in enumerate(texts)]}
    if following:
        page["next"] = following
    content = json.dumps({**page, "first": "".join(texts)}, ensure_ascii=False).encode()

    whole, cut = catalogue._parsed_at_once(content), catalogue._parsed(content)

    assert list(cut.images) == list(whole.images)
    assert cut.following == whole.following
    assert len(texts) == len(list(whole.images))
