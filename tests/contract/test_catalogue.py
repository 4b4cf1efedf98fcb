"""Each list is what the oracle computes from the images, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hyperx_glance import ImageQuery
from hyperx_glance.testing import InMemoryCloud
from tests.support.catalogue_oracle import CRITERIA, Record, answer, populations, queries
from tests.support.clouds import image_ids
from tests.support.crowd import DEPARTMENTS, Crowd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hyperx_glance.testing import LocalCloud

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


@pytest.fixture(scope="module")
def memory() -> Crowd:
    return Crowd(InMemoryCloud())


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(records=populations(), asked=st.lists(cases, min_size=1, max_size=4), page_size=st.sampled_from(PAGE_SIZES))
def test_every_answer_from_memory_is_the_oracles(
    memory: Crowd, records: list[Record], asked: list[Case], page_size: int
) -> None:
    memory.clear(())
    images = memory.stored(records)
    memory.fill(images)

    for user, query in asked:
        check(memory, images, user, query, page_size)


@pytest.fixture(scope="module")
def local(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    assert not image_ids(local_cloud), "another test left images"
    with Crowd.of_services(local_cloud, tmp_path_factory.mktemp("later")) as crowd:
        yield crowd
        crowd.clear(image_ids(local_cloud))


@pytest.mark.local
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(records=populations(5, 15), asked=st.lists(cases, min_size=3, max_size=5), page_size=st.sampled_from(PAGE_SIZES))
def test_every_answer_from_the_services_is_the_oracles(
    local: Crowd, records: list[Record], asked: list[Case], page_size: int
) -> None:
    images = local.stored(records)
    local.fill(images)
    try:
        for user, query in asked:
            check(local, images, user, query, page_size)
    finally:
        local.clear(image["id"] for image in images)
