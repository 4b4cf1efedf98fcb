"""Lists: every answer is the oracle's, from both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hyperx_glance import Client, ImageQuery, Settings
from hyperx_glance.testing import InMemoryCloud
from tests import glance_rows
from tests.catalogue_oracle import CRITERIA, Caller, Record, answer, populations, queries
from tests.clouds import REGION, image_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hyperx_glance.testing import LocalCloud

MEMBER_VIEWS = ("all", "featured", "public", "private", "shared")
ADMINISTRATOR_VIEWS = ("all", "featured", "public", "private", "everything")
DEPARTMENTS = {"alice": "dept-a", "rita": "dept-a", "bob": "dept-b", "admin": "admin"}
PAGE_SIZES = (1, 2, 3, 5, 1000)
Case = tuple[str, dict[str, Any]]

cases = st.sampled_from(sorted(DEPARTMENTS)).flatmap(
    lambda user: st.tuples(st.just(user), queries(ADMINISTRATOR_VIEWS if user == "admin" else MEMBER_VIEWS))
)


class Crowd:
    """Fill a cloud past its API, and know who asks."""

    def __init__(self, cloud: InMemoryCloud | LocalCloud) -> None:
        self.cloud = cloud
        self.sessions = {user: cloud.session(user) for user in DEPARTMENTS}
        self.projects = {name: str(self.sessions[user].get_project_id()) for user, name in DEPARTMENTS.items()}
        names = {project: name for name, project in self.projects.items()}
        self.callers = {"admin": Caller(self.projects["admin"], is_administrator=True, names=names)}
        for user in ("alice", "rita", "bob"):
            own = self.projects[DEPARTMENTS[user]]
            self.callers[user] = Caller(own, is_administrator=False, names={own: names[own]})

    def stored(self, records: Sequence[Record]) -> list[Record]:
        """Write departments by their ids."""
        return [
            {
                **record,
                "owner": self.projects[record["owner"]],
                "members": {self.projects[name]: status for name, status in record["members"].items()},
            }
            for record in records
        ]

    def check(self, images: Sequence[Record], user: str, query: dict[str, Any], page_size: int) -> None:
        """Ask the library and the oracle."""
        client = Client.from_session(self.sessions[user], region_name=REGION, settings=Settings(page_size=page_size))
        expected = answer(images, query, self.callers[user])

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
    assert isinstance(memory.cloud, InMemoryCloud)
    glance = memory.cloud.glance
    glance.images.clear()
    memory.cloud.requests.clear()
    images = memory.stored(records)
    for record, image in zip(records, images, strict=True):
        glance.add_image(**{key: value for key, value in image.items() if key not in ("members", "properties")})
        glance.images[image["id"]].properties |= image["properties"]
        for department, status in record["members"].items():
            glance.share(image["id"], department, status=status)

    for user, query in asked:
        memory.check(images, user, query, page_size)


@pytest.fixture(scope="module")
def local(local_cloud: LocalCloud) -> Iterator[Crowd]:
    assert not image_ids(local_cloud), "another test left images"
    yield Crowd(local_cloud)
    glance_rows.remove(local_cloud.database("glance"), image_ids(local_cloud))


@pytest.mark.local
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(records=populations(5, 15), asked=st.lists(cases, min_size=3, max_size=5), page_size=st.sampled_from(PAGE_SIZES))
def test_every_answer_from_the_services_is_the_oracles(
    local: Crowd, records: list[Record], asked: list[Case], page_size: int
) -> None:
    assert not isinstance(local.cloud, InMemoryCloud)
    database = local.cloud.database("glance")
    images = local.stored(records)
    glance_rows.insert(database, images)
    try:
        for user, query in asked:
            local.check(images, user, query, page_size)
    finally:
        glance_rows.remove(database, [image["id"] for image in images])
