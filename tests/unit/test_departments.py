import pytest

from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import STALE_SECONDS, Departments
from hyperx_glance.errors import NotAllowedError, NotFoundError
from hyperx_glance.testing import InMemoryCloud


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def departments(fake: InMemoryCloud, user: str, clock: Clock) -> Departments:
    return Departments(Cloud.from_session(fake.session(user), retry_delay=0), clock=clock)


def project_requests(fake: InMemoryCloud) -> list[str]:
    return [request.path for request in fake.requests if "projects" in request.path]


def test_the_own_department_needs_no_request(fake: InMemoryCloud, clock: Clock) -> None:
    known = departments(fake, "alice", clock)

    assert known.name(fake.departments["dept-a"]) == "dept-a"
    assert known.resolve("dept-a").id == known.resolve(fake.departments["dept-a"]).id == known.own().id
    assert project_requests(fake) == []


def test_an_administrator_learns_all_names_by_one_request(fake: InMemoryCloud, clock: Clock) -> None:
    known = departments(fake, "admin", clock)

    assert [known.name(fake.departments[name]) for name in ("dept-a", "dept-b")] == ["dept-a", "dept-b"]
    assert len(project_requests(fake)) == 1


def test_a_member_gets_the_id_where_keystone_does_not_tell(fake: InMemoryCloud, clock: Clock) -> None:
    known = departments(fake, "alice", clock)
    other = fake.departments["dept-b"]

    assert [known.name(other), known.name(other)] == [other, other]
    assert len(project_requests(fake)) == 1


def test_an_unknown_id_is_looked_up_again_later(fake: InMemoryCloud, clock: Clock) -> None:
    known = departments(fake, "admin", clock)
    known.names()
    new = fake.keystone.add_department("dept-c")

    assert known.name(new) == new
    assert known.matching("dept-c") == ["dept-c"]
    clock.now = STALE_SECONDS + 1
    assert known.matching("dept-c") == [new]
    assert known.name(new) == "dept-c"
    assert len(project_requests(fake)) == 2


def test_a_member_cannot_resolve_another_department(fake: InMemoryCloud, clock: Clock) -> None:
    with pytest.raises(NotAllowedError, match="dept-b"):
        departments(fake, "alice", clock).resolve("dept-b")


def test_an_administrator_resolves_by_id_and_by_name(fake: InMemoryCloud, clock: Clock) -> None:
    known = departments(fake, "admin", clock)

    assert known.resolve("dept-b") == known.resolve(fake.departments["dept-b"])
    with pytest.raises(NotFoundError, match="dept-z"):
        known.resolve("dept-z")


def test_a_filter_takes_an_unknown_word_for_an_id(fake: InMemoryCloud, clock: Clock) -> None:
    known = departments(fake, "alice", clock)

    assert known.matching("dept-a") == [fake.departments["dept-a"]]
    assert known.matching("7c1") == ["7c1"]
