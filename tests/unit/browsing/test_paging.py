"""The requests that pages and cursors cost over an in-memory Glance."""

from __future__ import annotations

import pytest

from hyperx_glance import Client, ImageQuery, InvalidRequestError, NotAllowedError, PageQuery
from hyperx_glance.testing import InMemoryCloud
from tests.support.lists import connect, fill, lists

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h")


def named(cloud: InMemoryCloud) -> dict[str, str]:
    return {name: fill(cloud, 1, name=name, visibility="community", owner="dept-b")[0] for name in NAMES}


def names(client: Client, cursor: str | None, *, size: int = 2, sort: tuple[str, ...] = ("name",)) -> list[str]:
    return [image.name for image in client.page(size=size, cursor=cursor, sort=sort).images]


# ----------------------------------------------------------------- what a page costs


@pytest.mark.parametrize("view", ["all", "public", "private"])
@pytest.mark.parametrize("sort", [("-created_at", "id"), ("updated_at",), ("name",), ("disk_format", "-created_at")])
def test_each_page_costs_one_request_for_each_listing(view: str, sort: tuple[str, ...]) -> None:
    cloud = InMemoryCloud()
    for number, (visibility, owner) in enumerate(
        [("public", "dept-b"), ("community", "dept-b"), ("private", "dept-a"), ("shared", "dept-a")]
    ):
        for minute in range(12):
            time = f"2026-03-01T12:{minute:02}:{number:02}+00:00"
            fill(
                cloud, 1, visibility=visibility, owner=owner, disk_format=f"f{number}", created_at=time, updated_at=time
            )
    client = connect(cloud)
    listings = 1 if view == "all" else 2
    cursor = None

    for number in range(8):
        cloud.requests.clear()
        page = client.page(view=view, sort=sort, size=3, cursor=cursor)  # type: ignore[arg-type]  # words
        cursor = page.next
        assert len(page.images) == 3
        # A listing that has come to its end is asked once more.
        assert len(lists(cloud)) == listings or (number == 4 and len(lists(cloud)) == listings + 1)
        assert all(int(asked["limit"]) <= 7 for asked in lists(cloud))


def test_images_that_are_sorted_by_time_are_asked_for_by_time() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 5)
    client = connect(cloud)
    first = client.page(size=2)
    second = client.page(size=2, cursor=first.next)
    client.page(size=2, cursor=second.previous)

    assert [asked.get("created_at") for asked in lists(cloud)] == [
        None,
        "lt:2026-03-01T12:59:59Z",
        "gte:2026-03-01T12:59:57Z",
    ]
    assert all("marker" not in asked for asked in lists(cloud))


def test_the_query_keeps_its_own_bounds() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 8)
    times = [image.created_at for image in connect(cloud).images()]
    client = connect(cloud)
    query = ImageQuery(created_after=times[6], created_before=times[1])

    first = client.page(query, size=2)
    second = client.page(query, size=3, cursor=first.next)
    last = client.page(query, size=3, cursor=second.next)

    assert [image.id for page in (first, second, last) for image in page.images] == expected[1:7]
    assert last.next is None
    assert [image.id for image in client.page(query, size=9, cursor=second.previous).images] == expected[1:3]


# ----------------------------------------------------------------- what is gone


@pytest.mark.parametrize("user", ["alice", "admin"])
def test_a_page_begins_although_the_image_before_it_was_deleted(user: str) -> None:
    """Glance takes a deleted marker of administrators, but not of others; an administrator's view is four listings."""
    cloud = InMemoryCloud()
    images = named(cloud)
    client = connect(cloud, user)
    cursor = client.page(size=3, sort=["name"]).next
    cloud.glance.remove_image(images["c"])
    cloud.requests.clear()

    assert names(client, cursor) == ["d", "e"]
    if user == "alice":
        assert [asked["marker"] for asked in lists(cloud)] == [images["c"], images["b"]]
    else:
        assert {asked.get("marker") for asked in lists(cloud)} == {images["c"]}


def test_a_page_begins_although_all_images_near_it_were_deleted() -> None:
    cloud = InMemoryCloud()
    images = named(cloud)
    client = connect(cloud)
    cursor = client.page(size=3, sort=["name"]).next
    for name in "abc":
        cloud.glance.remove_image(images[name])

    assert names(client, cursor) == ["d", "e"]


def test_pages_of_one_image_survive_the_deletion_of_the_marker() -> None:
    cloud = InMemoryCloud()
    images = named(cloud)
    client = connect(cloud)
    cursor = None
    for _ in range(4):
        cursor = client.page(size=1, sort=["name"], cursor=cursor).next
    cloud.glance.remove_image(images["d"])
    cloud.glance.remove_image(images["c"])
    cloud.requests.clear()

    assert names(client, cursor) == ["e", "f"]
    assert [asked["marker"] for asked in lists(cloud)] == [images[name] for name in "dcb"]


def test_a_last_page_that_was_emptied_leads_back() -> None:
    cloud = InMemoryCloud()
    images = named(cloud)
    client = connect(cloud)
    cursor = client.page(size=6, sort=["name"]).next
    for name in "gh":
        cloud.glance.remove_image(images[name])

    page = client.page(size=6, sort=["name"], cursor=cursor)

    assert (page.images, page.next) == ((), None)
    assert names(client, page.previous, size=6) == ["a", "b", "c", "d", "e", "f"]


def test_a_first_page_that_was_emptied_leads_on() -> None:
    cloud = InMemoryCloud()
    images = named(cloud)
    client = connect(cloud)
    second = client.page(size=2, sort=["name"], cursor=client.page(size=2, sort=["name"]).next)
    for name in "ab":
        cloud.glance.remove_image(images[name])

    page = client.page(size=2, sort=["name"], cursor=second.previous)

    assert (page.images, page.previous) == ((), None)
    assert names(client, page.next) == ["c", "d"]


def test_a_database_that_sorts_texts_in_another_way_loses_nothing() -> None:
    """MySQL's usual collation puts "B" behind "a"; here the order that Glance has is faked by words."""
    cloud = InMemoryCloud()
    images = [fill(cloud, 1, name=name, visibility="community", owner="dept-b")[0] for name in ("1", "2", "3", "4")]
    for image_id, shown in zip(images, ("apple", "Banana", "cherry", "Date"), strict=True):
        cloud.glance.images[image_id].shown_as = {"name": shown}
    client = connect(cloud)
    cursor = client.page(size=1, sort=["name"]).next
    found = []
    while cursor is not None:
        page = client.page(size=1, sort=["name"], cursor=cursor)
        found += [image.name for image in page.images]
        cursor = page.next

    assert found == ["Banana", "cherry", "Date"]


# ----------------------------------------------------------------- invalid cursors, sizes and queries


def test_a_cursor_belongs_to_its_query() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 5, tags=["a", "b"])
    client = connect(cloud)
    cursor = client.page(size=2, tags={"a", "b"}).next
    assert cursor is not None

    assert len(client.page(size=3, tags=["b", "a"], cursor=cursor).images) == 3
    for criteria in ({}, {"tags": {"a"}}, {"tags": {"a", "b"}, "sort": ["name"]}, {"view": "private"}):
        with pytest.raises(InvalidRequestError, match="another query"):
            client.page(cursor=cursor, **criteria)


@pytest.mark.parametrize("cursor", ["", "x", "=", "äöü", "eyJ9", "A" * 100_000, "\x00", "a b", "a/b+"])
def test_an_invalid_cursor_is_refused(cursor: str) -> None:
    cloud = InMemoryCloud()

    with pytest.raises(InvalidRequestError, match="cursor"):
        connect(cloud).page(cursor=cursor)
    assert lists(cloud) == []


@pytest.mark.parametrize("size", [0, -1, 1001, True, 2.0, "2", None])
def test_a_size_that_glance_cannot_give_is_refused(size: object) -> None:
    with pytest.raises(InvalidRequestError, match="size: must be between 1 and 1000 images"):
        connect(InMemoryCloud()).page(size=size)  # type: ignore[arg-type]  # the test passes a wrong type


def test_a_page_has_a_size_and_no_limit() -> None:
    with pytest.raises(InvalidRequestError, match="limit"):
        connect(InMemoryCloud()).page(limit=5)
    with pytest.raises(InvalidRequestError, match="limit"):
        PageQuery(limit=5)


def test_a_page_is_asked_for_as_one_request() -> None:
    cloud = InMemoryCloud()
    named(cloud)
    client = connect(cloud)
    first = client.page(PageQuery(size=3, sort=["name"], view="public"))
    second = client.page(PageQuery(size=3, sort=["name"], view="public", cursor=first.next))

    assert [image.name for page in (first, second) for image in page.images] == list(NAMES[:6])
    assert second == client.page(view="public", sort=["name"], size=3, cursor=first.next)
    assert len(client.page(PageQuery()).images) == len(NAMES)
    assert client.count(PageQuery(size=3, name="a")) == 1


def test_a_page_query_is_read_from_strings() -> None:
    asked = {"size": "3", "min_size": "5", "hidden": "", "properties": '{"hw_disk_bus": "virtio"}', "bootable": "true"}
    query = PageQuery.model_validate(asked)

    assert (query.size, query.min_size, query.hidden, query.bootable) == (3, 5, None, True)
    assert query.properties == {"hw_disk_bus": "virtio"}
    assert isinstance(query, ImageQuery)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"colour": "red"}, "colour: unknown field"),
        ({"size": 0}, "size: must be at least 1"),
        ({"size": 1001}, "size: must be at most 1000"),
        ({"size": True}, "size: must be a number, not a boolean"),
        ({"cursor": ""}, "cursor: must not be empty"),
        ({"limit": 5}, "limit: must be None"),
        ({"properties": "[1]"}, "properties: must be a dictionary"),
        ({"properties": "x=y"}, "properties: must be a dictionary, or one in JSON"),
    ],
)
def test_what_no_page_can_have_is_refused(fields: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        PageQuery.model_validate(fields)


def test_size_and_cursor_are_given_once() -> None:
    client = connect(InMemoryCloud())
    with pytest.raises(InvalidRequestError, match="the PageQuery has its own"):
        client.page(PageQuery(), size=5)
    with pytest.raises(InvalidRequestError, match="the PageQuery has its own"):
        client.page(PageQuery(), cursor="x")
    with pytest.raises(InvalidRequestError, match="not both"):
        client.page(PageQuery(), view="public")


def test_a_forbidden_view_is_refused() -> None:
    cloud = InMemoryCloud()

    with pytest.raises(NotAllowedError):
        connect(cloud).page(view="everything", search="debian", owner="dept-b")
    assert [request.method for request in cloud.requests] == ["POST"]  # the login
