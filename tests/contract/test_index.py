"""The index answers as the client does, on both clouds; no page shows what is gone, or another department's image."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hyperx_glance import CatalogueIndex
from tests.support.catalogue_oracle import Record, answer, populations, queries
from tests.support.crowd import DEPARTMENTS, Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VIEWS = ("all", "featured", "public", "private")
Case = tuple[str, dict[str, Any]]
cases = st.sampled_from(sorted(DEPARTMENTS)).flatmap(lambda user: st.tuples(st.just(user), queries(VIEWS)))


def check(crowd: Crowd, folder: Path, images: Sequence[Record], asked: Sequence[Case], size: int) -> None:
    """Ask the index page by page, and the oracle; every second page is the client's, with the same cursor."""
    with CatalogueIndex(crowd.client("rita"), path=folder / f"{uuid.uuid4()}.sqlite") as index:
        assert index.refresh().error is None
        for user, query in asked:
            client = crowd.client(user)
            expected = answer(images, query, crowd.callers[user])
            assert index.count(client, **query) == len(expected)
            assert index.summary(client, **query).total == len(expected)
            counted = {name: value for name, value in query.items() if name in ("view", "kind", "state", "formats")}
            assert index.summary(client, **counted) == client.summary(**counted)
            assert index.tags(client) == client.tags()
            found, cursor = [], None
            criteria = {name: value for name, value in query.items() if name != "limit"}
            expected = answer(images, criteria, crowd.callers[user])
            for number in range(len(expected) + 2):
                if number % 2:
                    page = client.page(size=size, cursor=cursor, **criteria)
                else:
                    page = index.page(client, size=size, cursor=cursor, **criteria)
                found += [image.id for image in page.images]
                cursor = page.next
                if cursor is None:
                    break
            assert found == expected


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(records=populations(), asked=st.lists(cases, min_size=1, max_size=4), size=st.sampled_from((1, 2, 3, 20)))
def test_pages_of_the_index_in_memory_are_the_oracles(
    crowd_in_memory: Crowd, tmp_path: Path, records: list[Record], asked: list[Case], size: int
) -> None:
    crowd_in_memory.clear(())
    images = crowd_in_memory.stored(records)
    crowd_in_memory.fill(images)

    check(crowd_in_memory, tmp_path, images, asked, size)


@pytest.mark.local
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(records=populations(5, 15), asked=st.lists(cases, min_size=2, max_size=4), size=st.sampled_from((1, 3, 20)))
def test_pages_of_the_index_from_the_services_are_the_oracles(
    crowd_of_services: Crowd, tmp_path: Path, records: list[Record], asked: list[Case], size: int
) -> None:
    images = crowd_of_services.stored(records)
    crowd_of_services.fill(images)
    try:
        check(crowd_of_services, tmp_path, images, asked, size)
    finally:
        crowd_of_services.clear(image["id"] for image in images)
