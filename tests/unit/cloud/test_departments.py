"""Departments are found by id or name, in one request a minute, and names come from the steward if there is one."""

import gc
import weakref

import pytest
from keystoneauth1.session import Session

from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.departments import STALE_SECONDS, Departments
from hyperx_glance.errors import NotAllowedError, NotFoundError, ServiceUnavailableError
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.waiting.pace import Pace
from tests.support.clouds import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def departments(cloud: InMemoryCloud, user: str, clock: Clock) -> Departments:
    return Departments(Cloud.from_session(cloud.session(user), pace=Pace(first_interval=0)), clock=clock)


def project_requests(cloud: InMemoryCloud) -> list[str]:
    return [request.path for request in cloud.requests if "projects" in request.path]


def test_the_own_department_needs_no_request(cloud: InMemoryCloud, clock: Clock) -> None:
    known = departments(cloud, "alice", clock)

    assert known.name(cloud.departments["dept-a"]) == "dept-a"
    assert known.resolve("dept-a").id == known.resolve(cloud.departments["dept-a"]).id == known.own().id
    assert project_requests(cloud) == []


def test_an_administrator_learns_all_names_by_one_request(cloud: InMemoryCloud, clock: Clock) -> None:
    known = departments(cloud, "admin", clock)

    assert [known.name(cloud.departments[name]) for name in ("dept-a", "dept-b")] == ["dept-a", "dept-b"]
    assert len(project_requests(cloud)) == 1


def test_a_member_gets_the_id_where_keystone_does_not_tell(cloud: InMemoryCloud, clock: Clock) -> None:
    known = departments(cloud, "alice", clock)
    other = cloud.departments["dept-b"]

    assert [known.name(other), known.name(other)] == [other, other]
    # See "How many requests" in the guide: one a minute for all names.
    assert len(project_requests(cloud)) == 1


def test_an_unknown_id_is_looked_up_again_later(cloud: InMemoryCloud, clock: Clock) -> None:
    known = departments(cloud, "admin", clock)
    known.names()
    new = cloud.keystone.add_department("dept-d")

    assert known.name(new) == new
    assert known.matching("dept-d") == ["dept-d"]
    clock.now = STALE_SECONDS + 1
    assert known.matching("dept-d") == [new]
    assert known.name(new) == "dept-d"
    # See "How many requests" in the guide: one a minute for all names.
    assert len(project_requests(cloud)) == 2


def test_a_member_cannot_resolve_another_department(cloud: InMemoryCloud, clock: Clock) -> None:
    with pytest.raises(NotAllowedError, match="dept-b"):
        departments(cloud, "alice", clock).resolve("dept-b")


def test_an_administrator_resolves_by_id_and_by_name(cloud: InMemoryCloud, clock: Clock) -> None:
    known = departments(cloud, "admin", clock)

    assert known.resolve("dept-b") == known.resolve(cloud.departments["dept-b"])
    with pytest.raises(NotFoundError, match=r"dept-z.* client.departments\(\)"):
        known.resolve("dept-z")


def test_a_filter_takes_an_unknown_word_for_an_id(cloud: InMemoryCloud, clock: Clock) -> None:
    known = departments(cloud, "alice", clock)

    assert known.matching("dept-a") == [cloud.departments["dept-a"]]
    assert known.matching("7c1") == ["7c1"]


# ----------------------------------------------------------------- with a steward


def with_steward(cloud: InMemoryCloud, clock: Clock, *, user: str = "alice", steward: Session) -> Departments:
    own, second = (
        Cloud.from_session(session, pace=Pace(first_interval=0)) for session in (cloud.session(user), steward)
    )
    return Departments(own, steward=second, clock=clock)


def asked(cloud: InMemoryCloud) -> list[tuple[str, str]]:
    return [(request.user, request.path) for request in cloud.requests if "projects" in request.path]


def test_a_steward_tells_the_names_of_owners_by_one_request_for_all_clients(cloud: InMemoryCloud, clock: Clock) -> None:
    steward = cloud.session("admin")
    other = cloud.departments["dept-b"]

    for user in ("alice", "rita", "alice"):
        known = with_steward(cloud, clock, user=user, steward=steward)
        assert known.name(other) == "dept-b"
        assert known.matching("dept-b") == [other]
        assert known.owner_names()[other] == "dept-b"

    assert asked(cloud) == [("admin", "/v3/projects")]


def test_department_names_from_a_steward_are_requested_again_after_a_minute(cloud: InMemoryCloud, clock: Clock) -> None:
    known = with_steward(cloud, clock, steward=cloud.session("admin"))
    known.owner_names()
    new = cloud.keystone.add_department("dept-d")
    clock.now = STALE_SECONDS
    assert known.name(new) == new

    clock.now = STALE_SECONDS + 1
    assert known.name(new) == "dept-d"
    assert len(asked(cloud)) == 2


def test_clients_with_other_clocks_keep_nothing_for_ever(cloud: InMemoryCloud, clock: Clock) -> None:
    steward = cloud.session("admin")
    clock.now = 10_000
    with_steward(cloud, clock, steward=steward).owner_names()

    with_steward(cloud, Clock(), steward=steward).owner_names()

    assert len(asked(cloud)) == 2


def test_two_stewards_do_not_share_what_they_know(cloud: InMemoryCloud, clock: Clock) -> None:
    other = cloud.departments["dept-b"]

    assert with_steward(cloud, clock, steward=cloud.session("admin")).name(other) == "dept-b"
    assert with_steward(cloud, clock, steward=cloud.session("rita")).name(other) == other


def test_cached_department_names_do_not_keep_the_session_of_the_steward_alive(
    cloud: InMemoryCloud, clock: Clock
) -> None:
    steward = cloud.session("admin")
    with_steward(cloud, clock, steward=steward).owner_names()
    session = weakref.ref(steward)

    del steward
    gc.collect()

    assert session() is None


def test_a_steward_gives_no_right_to_name_departments_elsewhere(cloud: InMemoryCloud, clock: Clock) -> None:
    known = with_steward(cloud, clock, steward=cloud.session("admin"))
    known.owner_names()

    assert [department.name for department in known.known()] == ["dept-a"]
    assert list(known.names().values()) == ["dept-a"]
    with pytest.raises(NotAllowedError, match="dept-b"):
        known.resolve("dept-b")


def test_a_steward_that_cannot_log_in_is_no_reason_for_the_caller_to_log_in(cloud: InMemoryCloud, clock: Clock) -> None:
    cloud.fail("keystone", "GET", "/v3/projects", status=401, times=None)
    known = with_steward(cloud, clock, steward=cloud.session("admin"))

    with pytest.raises(
        NotAllowedError, match="The steward, which reads the names of departments, cannot log in"
    ) as told:
        known.name(cloud.departments["dept-b"])
    assert "operator" in told.value.hint
    assert known.name(cloud.departments["dept-a"]) == "dept-a"


def test_a_keystone_out_of_order_is_told(cloud: InMemoryCloud, clock: Clock) -> None:
    cloud.fail("keystone", "GET", "/v3/projects", status=500, times=None)

    with pytest.raises(ServiceUnavailableError):
        with_steward(cloud, clock, steward=cloud.session("admin")).owner_names()
