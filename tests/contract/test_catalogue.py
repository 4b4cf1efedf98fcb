"""Each list is what the oracle computes from the images, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hyperx_glance import ImageQuery
from tests.support.catalogue_oracle import CRITERIA, Record, answer, populations, queries
from tests.support.crowd import DEPARTMENTS, Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMBER_VIEWS = ("all", "featured", "public", "private", "shared", "offered")
ADMINISTRATOR_VIEWS = ("all", "featured", "public", "private", "everything")
PAGE_SIZES = (1, 2, 3, 5, 1000)
Case = tuple[str, dict[str, Any]]

cases = st.sampled_from(sorted(DEPARTMENTS)).flatmap(
    lambda user: st.tuples(st.just(user), queries(ADMINISTRATOR_VIEWS if user == "admin" else MEMBER_VIEWS))
)


def check(crowd: Crowd, images: Sequence[Record], user: str, query: dict[str, Any], page_size: int) -> None:
    """Ask the library and the oracle."""
    client = crowd.client(user, page_size)
    expected = answer(images, query, crowd.callers[user])

    assert [image.id for image in client.images(**query)] == expected
    assert client.count(**query) == len(expected)


def test_the_oracle_knows_every_criterion() -> None:
    assert set(ImageQuery.model_fields) == CRITERIA


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(records=populations(), asked=st.lists(cases, min_size=1, max_size=4), page_size=st.sampled_from(PAGE_SIZES))
def test_every_answer_from_memory_is_the_oracles(
    crowd_in_memory: Crowd, records: list[Record], asked: list[Case], page_size: int
) -> None:
    crowd_in_memory.clear(())
    images = crowd_in_memory.stored(records)
    crowd_in_memory.fill(images)

    for user, query in asked:
        check(crowd_in_memory, images, user, query, page_size)


@pytest.mark.local
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(records=populations(5, 15), asked=st.lists(cases, min_size=3, max_size=5), page_size=st.sampled_from(PAGE_SIZES))
def test_every_answer_from_the_services_is_the_oracles(
    crowd_of_services: Crowd, records: list[Record], asked: list[Case], page_size: int
) -> None:
    images = crowd_of_services.stored(records)
    crowd_of_services.fill(images)
    try:
        for user, query in asked:
            check(crowd_of_services, images, user, query, page_size)
    finally:
        crowd_of_services.clear(image["id"] for image in images)
