"""Pages are slices of the whole list, in both directions, while others create, delete and publish, on both clouds."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.catalogue_oracle import Record, answer, populations, queries
from tests.support.crowd import DEPARTMENTS, Crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hyperx_glance import ImagePage

MEMBER_VIEWS = ("all", "featured", "public", "private", "shared", "offered")
ADMINISTRATOR_VIEWS = ("all", "featured", "public", "private", "everything")
MOST_PAGES = 60


class Event(NamedTuple):
    """What happens behind which page: to which image, counted from the end of the page, or from the end of all."""

    page: int
    what: str
    shown: bool
    back: int


class Draw(NamedTuple):
    """The images, the caller and the query, the length of the pages, and what happens meanwhile."""

    records: list[Record]
    late: list[Record]
    asked: tuple[str, dict[str, Any]]
    sizes: list[int]
    events: list[Event]


cases = st.sampled_from(sorted(DEPARTMENTS)).flatmap(
    lambda user: st.tuples(
        st.just(user),
        queries(ADMINISTRATOR_VIEWS if user == "admin" else MEMBER_VIEWS).map(
            lambda query: {name: value for name, value in query.items() if name != "limit"}
        ),
    )
)
events = st.lists(
    st.builds(
        Event,
        st.integers(0, 5),
        st.sampled_from(("delete", "delete", "hide", "publish")),
        st.booleans(),
        st.integers(0, 7),
    ),
    max_size=8,
)
draws = st.builds(
    Draw,
    records=populations(0, 12),
    late=populations(0, 3),
    asked=cases,
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    events=events,
)


def follow(
    fetch: Callable[[int, str | None], ImagePage],
    direction: str,
    cursor: str | None = None,
    between: Callable[[int, ImagePage], None] | None = None,
) -> list[ImagePage]:
    """Turn page by page, as people do."""
    found: list[ImagePage] = []
    for number in range(MOST_PAGES):
        page = fetch(number, cursor)
        found.append(page)
        cursor = getattr(page, direction)
        if cursor is None:
            return found
        if between is not None:
            between(number, page)
    raise AssertionError("the pages do not end")


def ids(pages: Sequence[ImagePage]) -> list[str]:
    return [image.id for page in pages for image in page.images]


def check(crowd: Crowd, images: list[Record], draw: Draw) -> None:
    """Compare pages with one full list: first while nothing happens, then while much does."""
    user, query = draw.asked
    client, caller = crowd.client(user), crowd.callers[user]

    def fetch(number: int, cursor: str | None) -> ImagePage:
        return client.page(size=draw.sizes[number % len(draw.sizes)], cursor=cursor, **query)

    expected = answer(images, query, caller)
    quiet(fetch, expected, draw.sizes)

    now = {image["id"]: copy.copy(image) for image in images}
    throughout = dict.fromkeys(expected)
    newcomers = iter(crowd.stored(draw.late))

    def happen(number: int, page: ImagePage) -> None:
        for event in draw.events:
            pool = [image.id for image in page.images] if event.shown else list(now)
            image_id = pool[-1 - event.back % len(pool)] if pool else ""
            if event.page != number or image_id not in now:
                continue
            if event.what == "delete":
                crowd.delete(image_id)
                del now[image_id]
            else:
                visibility = "private" if event.what == "hide" else "community"
                crowd.show_to(image_id, visibility)
                now[image_id]["visibility"] = visibility
            newcomer = next(newcomers, None)
            if newcomer is not None and newcomer["id"] not in now:
                crowd.fill([newcomer])
                now[newcomer["id"]] = copy.copy(newcomer)
        still = set(answer(list(now.values()), query, caller))
        for image_id in list(throughout):
            if image_id not in still:
                del throughout[image_id]

    forwards = follow(fetch, "next", between=happen)
    found = ids(forwards)
    assert len(found) == len(set(found)), "an image is shown twice"
    assert [image_id for image_id in found if image_id in throughout] == list(throughout)

    backwards = follow(fetch, "previous", forwards[-1].previous, between=happen) if forwards[-1].previous else []
    back = [image.id for page in [forwards[-1], *backwards] for image in reversed(page.images)]
    assert len(back) == len(set(back)), "an image is shown twice on the way back"
    assert [image_id for image_id in reversed(back) if image_id in throughout] == list(throughout)


def quiet(fetch: Callable[[int, str | None], ImagePage], expected: list[str], sizes: list[int]) -> None:
    forwards = follow(fetch, "next")
    assert ids(forwards) == expected
    assert forwards[0].previous is None
    wanted = itertools.cycle(sizes)
    assert all(len(page.images) == next(wanted) for page in forwards[:-1])
    if forwards[-1].previous is None:
        assert len(forwards) == 1
        return

    backwards = follow(fetch, "previous", forwards[-1].previous)
    before = expected[: len(expected) - len(forwards[-1].images)]
    assert ids(backwards[::-1]) == before
    assert all(page.images for page in backwards)
    for number, page in enumerate(backwards):
        position = len(ids(backwards[number + 1 :])) + len(page.images)
        assert page.next is not None
        following = ids([fetch(0, page.next)])
        assert following == expected[position : position + sizes[0]]


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(draw=draws)
def test_pages_from_memory_are_the_list(crowd_in_memory: Crowd, draw: Draw) -> None:
    crowd_in_memory.clear(())
    images = crowd_in_memory.stored(draw.records)
    crowd_in_memory.fill(images)

    check(crowd_in_memory, images, draw)


@pytest.mark.local
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(draw=draws)
def test_pages_from_the_services_are_the_list(crowd_of_services: Crowd, draw: Draw) -> None:
    images = crowd_of_services.stored(draw.records)
    crowd_of_services.fill(images)
    try:
        check(crowd_of_services, images, draw)
    finally:
        crowd_of_services.clear(image["id"] for image in [*images, *draw.late])
