"""The requests of lists over an in-memory Glance, and the order of their images."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from hyperx_glance import Image
from hyperx_glance.browsing.lists import in_order
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.testing import InMemoryCloud
from tests.support.lists import LIST, connect, fill, ids, lists

# ----------------------------------------------------------------- lazy


@pytest.mark.parametrize(("amount", "page_size"), [(0, 1000), (1, 2), (4, 2), (5, 2), (9, 3), (10, 3), (7, 1000)])
def test_requests_are_the_pages_and_one_where_glance_needs_it(amount: int, page_size: int) -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, amount)

    assert ids(connect(cloud, page_size=page_size)) == expected
    assert len(lists(cloud)) <= max(1, math.ceil(amount / page_size)) + 1


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
    assert lists(cloud) == [{"visibility": "all", "sort": "created_at:desc,id:asc", "limit": "12"}]


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
    # See "How many requests" in the guide: one for each page.
    assert len(lists(cloud)) == 3
    cloud.requests.clear()
    assert ids(connect(cloud), limit=0) == []
    assert lists(cloud) == []


def test_a_limited_search_asks_for_little_more_than_it_gives() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 30)

    assert len(ids(connect(cloud), search="image", limit=2)) == 2
    assert [asked["limit"] for asked in lists(cloud)] == ["6"]


def test_a_limited_search_learns_from_what_it_has_read() -> None:
    cloud = InMemoryCloud()
    for number in range(400):
        fill(cloud, 1, name="rare" if number % 10 == 0 else "usual", created_at=_ago(number))

    assert len(ids(connect(cloud), search="rare", limit=20)) == 20
    assert sum(int(asked["limit"]) for asked in lists(cloud)) < 300
    assert len(lists(cloud)) <= 3


def test_a_search_that_finds_nothing_soon_reads_whole_pages() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 3000, created_at="2026-03-01T12:00:00+00:00", name="usual")

    assert ids(connect(cloud), search="rare", limit=20) == []
    assert [int(asked["limit"]) for asked in lists(cloud)] == [42, 85, 253, 757, 1000, 1000]


def test_a_list_begins_with_few_images_and_is_soon_at_whole_pages() -> None:
    cloud = InMemoryCloud()
    expected = fill(cloud, 3000)
    found = connect(cloud).images()

    assert next(found).id == expected[0]
    assert [asked["limit"] for asked in lists(cloud)] == ["12"]
    assert [image.id for image in found] == expected[1:]
    assert [int(asked["limit"]) for asked in lists(cloud)] == [12, 37, 145, 577, 1000, 1000, 1000]


def test_a_limited_search_is_not_misled_by_matches_that_stand_together() -> None:
    cloud = InMemoryCloud()
    for number in range(400):  # 4 of the first 42, then many
        fill(cloud, 1, name="rare" if number % 10 == 7 or 60 <= number < 100 else "usual", created_at=_ago(number))

    assert len(ids(connect(cloud), search="rare", limit=20)) == 20
    assert [int(asked["limit"]) for asked in lists(cloud)] == [42, 85]


def test_several_listings_share_what_is_asked_for_at_first() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 30, visibility="public")
    fill(cloud, 30, visibility="community")
    alice = connect(cloud)

    next(alice.images(view="public"))
    assert len(list(alice.images(view="public", search="image", limit=4))) == 4
    assert [asked["limit"] for asked in lists(cloud)] == ["6", "6", "10", "10"]


def test_a_second_that_does_not_end_is_read_in_few_requests() -> None:
    cloud = InMemoryCloud()
    same = fill(cloud, 1500, created_at="2026-03-01T12:00:00+00:00")

    assert ids(connect(cloud), limit=3) == sorted(same)[:3]
    assert len(lists(cloud)) <= 10


def test_images_that_glance_cannot_tell_apart_cost_few_requests() -> None:
    cloud = InMemoryCloud()
    for number in range(300):
        snapshot = {} if number % 10 == 0 else {"image_type": "snapshot"}
        fill(cloud, 1, created_at=_ago(number), **snapshot)

    assert len(ids(connect(cloud), limit=20)) == 20
    assert len(lists(cloud)) <= 4


def test_the_own_departments_images_of_one_visibility_are_none_where_a_page_is_empty() -> None:
    """A policy that goes by owner and visibility hides all of them or none (decision 32)."""
    cloud = InMemoryCloud()
    alice = connect(cloud)

    assert ids(alice, view="private") == []
    assert [asked["visibility"] for asked in lists(cloud)] == ["private", "shared"]


def test_reading_a_whole_list_requests_the_largest_pages() -> None:
    cloud = InMemoryCloud()
    fill(cloud, 30)

    assert connect(cloud).count(search="image") == 30
    assert connect(cloud).tags() == {}
    assert [asked["limit"] for asked in lists(cloud)] == ["1000", "1000"]


def _ago(number: int) -> str:
    return (datetime(2026, 3, 1, 12, tzinfo=UTC) - timedelta(seconds=number)).isoformat()


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


def test_more_images_of_one_second_than_are_held_come_all_the_same() -> None:
    same = [Image(id=f"{number:02}", created_at=datetime(2026, 3, 1, 12, tzinfo=UTC)) for number in range(20)]

    assert list(in_order(iter(same), bool, Sorting(("-created_at", "id")), most=4)) == same


def test_of_many_images_of_one_second_the_first_go_in_order() -> None:
    """Eight are held, and the first four of them go: the database's own order is another one."""
    numbers = [7, 3, 5, 1, 6, 0, 4, 2, 9, 8]
    same = [Image(id=f"{number:02}", created_at=datetime(2026, 3, 1, 12, tzinfo=UTC)) for number in numbers]

    found = in_order(iter(same), bool, Sorting(("-created_at", "id")), most=4)

    assert [int(image.id) for image in found] == list(range(10))


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
