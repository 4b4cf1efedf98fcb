"""What sharing sends, what made-up names do, what is left after a kill, and what an acceptance undoes."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from hyperx_glance import HyperxGlanceError, Pace, WaitTimeoutError
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, ClientFactory, Clock, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance import Client
    from hyperx_glance.testing.memory import Recorded, Reply

OLD: Final = "2026-01-01T00:00:00+00:00"


def private_image(cloud: InMemoryCloud, *former: str) -> str:
    """Have a private image, and members whom another tool has hidden."""
    image_id = cloud.glance.add_image(status="active", visibility="private", updated_at=OLD)
    for department in former:
        cloud.glance.share(image_id, department)
        member = cloud.glance.images[image_id].members[cloud.departments[department]]
        member.created_at = cloud.glance.images[image_id].updated_at
    return image_id


def shared_image(cloud: InMemoryCloud, *departments: str, status: str = "pending") -> str:
    image_id = cloud.glance.add_image(status="active", visibility="shared")
    for department in departments:
        cloud.glance.share(image_id, department, status=status)
    return image_id


def who_has(cloud: InMemoryCloud, image_id: str) -> set[str]:
    record = cloud.glance.images[image_id]
    names = {key: name for name, key in cloud.departments.items()}
    return {names.get(key, key) for key in record.members} if record.visibility == "shared" else set()


# ----------------------------------------------------------------- requests, as the guide promises


@pytest.mark.parametrize(
    ("image", "departments", "requests"),
    [
        (shared_image, ("dept-b",), 3 + 1),
        (shared_image, ("dept-b", "dept-c"), 3 + 2),
        (lambda cloud: shared_image(cloud, "dept-b"), ("dept-b", "dept-c"), 3 + 1),
        (private_image, ("dept-b", "dept-c"), 4 + 2),
        (lambda cloud: private_image(cloud, "dept-b", "dept-c"), ("dept-b",), 4 + 1 + 2 + 2),
    ],
)
def test_sharing_sends_as_many_requests_as_the_guide_says(
    cloud: InMemoryCloud,
    client: ClientFactory,
    image: Callable[[InMemoryCloud], str],
    departments: tuple[str, ...],
    requests: int,
) -> None:
    image_id, ids = image(cloud), [cloud.departments[each] for each in departments]
    cloud.requests.clear()

    client("alice").share(image_id, *ids)

    assert len(sent(cloud, path="/v2/images")) == requests
    assert who_has(cloud, image_id) >= set(departments)


def test_accepting_takes_as_many_requests_more_as_the_guide_says(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = shared_image(cloud)
    cloud.requests.clear()

    client("alice", steward="admin", share_acceptance="steward").share(image_id, "dept-b", "dept-c")

    assert len(sent(cloud, path="/v2/images")) == 3 + 2 + 2 + 1
    assert {(request.user, request.method) for request in cloud.requests if request.method == "PUT"} == {
        ("admin", "PUT")
    }


def test_taking_back_and_looking_take_as_many_requests_as_the_guide_says(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    alice, bob, image_id = client("alice"), client("bob"), shared_image(cloud, "dept-b", "dept-c")
    counts = []
    calls: list[Callable[[], object]] = [
        lambda: bob.accept(image_id),
        lambda: bob.decline(image_id),
        lambda: alice.shares(image_id),
        lambda: alice.unshare(image_id, cloud.departments["dept-b"]),
        lambda: alice.unshare(image_id, everyone=True),
        lambda: alice.update(image_id, category="private"),
    ]
    for call in calls:
        cloud.requests.clear()
        call()
        counts.append(len(sent(cloud, path="/v2/images")))

    assert counts == [2, 1, 1, 1 + 1 + 2, 1 + 1 + 1 + 2, 2 + 1]


# ----------------------------------------------------------------- names


NEARLY_IDS: Final = st.from_regex(r"(?:[0-9a-f]{1,31}|[0-9A-F]{31}[A-F]|[0-9a-f]{33})", fullmatch=True)


@settings(max_examples=1000, suppress_health_check=list(HealthCheck))
@given(st.text(min_size=1) | NEARLY_IDS)
def test_a_made_up_name_writes_nothing(name: str) -> None:
    assume(not re.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}", name))  # an id is taken as it is
    cloud = _MADE_UP
    image_id = next(iter(cloud.glance.images))
    known = cloud.departments["dept-b"]
    for caller in _CALLERS:
        if name in cloud.departments:
            continue
        with pytest.raises(HyperxGlanceError):
            caller.share(image_id, known, name)

    assert {request.method for request in sent(cloud)} <= {"GET"}
    assert cloud.glance.images[image_id].members == {}
    cloud.requests.clear()


_MADE_UP: Final = InMemoryCloud()
_MADE_UP.glance.add_image(status="active", visibility="shared")
_FACTORY: Final = ClientFactory(_MADE_UP, HASTY)
_CALLERS: Final = (_FACTORY("alice"), _FACTORY("alice", steward="admin"), _FACTORY("admin"))


# ----------------------------------------------------------------- kills


class KilledError(BaseException):
    """The end of a program, which sends nothing more."""


def struck(number: int, moment: str) -> Callable[[Recorded, Callable[[], Reply]], Reply]:
    """Kill the program before or after its request of that number."""
    seen = [0]

    def strike(_: Recorded, handle: Callable[[], Reply]) -> Reply:
        seen[0] += 1
        if seen[0] > number or (seen[0] == number and moment == "before"):
            raise KilledError
        answer = handle()
        if seen[0] == number:
            raise KilledError
        return answer

    return strike


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("verb", ["share", "share anew", "unshare", "withdraw"])
def test_a_program_that_is_killed_at_any_request_is_repeated(
    cloud: InMemoryCloud, client: ClientFactory, verb: str, moment: str
) -> None:
    ids = [cloud.departments["dept-b"], cloud.departments["dept-c"]]
    verbs: dict[str, tuple[Callable[[], str], Callable[[Client, str], object], set[str]]] = {
        "share": (
            lambda: private_image(cloud),
            lambda caller, image_id: caller.share(image_id, *ids),
            {"dept-b", "dept-c"},
        ),
        "share anew": (
            lambda: private_image(cloud, "dept-b"),
            # As the guide says: a program that is killed between the first two requests leaves former members.
            lambda caller, image_id: (caller.update(image_id, category="private"), caller.share(image_id, ids[1])),
            {"dept-c"},
        ),
        "unshare": (
            lambda: shared_image(cloud, "dept-b", "dept-c"),
            lambda caller, image_id: caller.unshare(image_id, ids[0]),
            {"dept-c"},
        ),
        "withdraw": (
            lambda: shared_image(cloud, "dept-b", "dept-c"),
            lambda caller, image_id: caller.update(image_id, category="private"),
            set(),
        ),
    }
    prepare, run, wanted = verbs[verb]
    for number in range(1, 20):
        image_id, caller = prepare(), client("alice")
        caller.user_id  # noqa: B018  # logs in
        cloud.intercept(struck(number, moment))
        try:
            run(caller, image_id)
        except KilledError:
            cloud.intercept(None)
        else:
            cloud.intercept(None)
            assert number > 3
            break
        run(client("alice"), image_id)
        assert who_has(cloud, image_id) == wanted
        if not wanted:
            assert cloud.glance.images[image_id].members == {}


# ----------------------------------------------------------------- an acceptance at the same moment


@pytest.mark.parametrize("way", ["unshare", "everyone", "private", "public"])
def test_an_acceptance_at_the_same_moment_is_undone(cloud: InMemoryCloud, client: ClientFactory, way: str) -> None:
    image_id, bob = shared_image(cloud, "dept-b"), client("bob")
    ways: dict[str, Callable[[Client], object]] = {
        "unshare": lambda caller: caller.unshare(image_id, bob.project_id),
        "everyone": lambda caller: caller.unshare(image_id, everyone=True),
        "private": lambda caller: caller.update(image_id, category="private"),
        "public": lambda caller: caller.update(image_id, category="public"),
    }
    found, removed = threading.Event(), threading.Event()

    def while_the_status_is_set() -> None:
        found.set()
        removed.wait(10)

    def let_the_answer_be_written() -> None:
        """After the removal, and before the next look."""
        if not cloud.glance.images[image_id].members and not removed.is_set():
            removed.set()
            answering.join(10)
            assert who_has(cloud, image_id) == {"dept-b"}  # it is back

    cloud.glance.while_a_status_is_set = while_the_status_is_set
    answering = threading.Thread(target=bob.accept, args=(image_id,))
    answering.start()
    assert found.wait(10)
    cloud.before("glance", "GET", "/members$", let_the_answer_be_written)

    ways[way](client("alice"))

    assert removed.is_set()
    assert who_has(cloud, image_id) == set()
    assert cloud.glance.images[image_id].members == {}


def test_somebody_who_comes_back_each_time_is_told_after_a_minute(cloud: InMemoryCloud, client: ClientFactory) -> None:
    clock = Clock()
    alice = client("alice", pace=Pace(sleep=clock.sleep, clock=clock))
    image_id = shared_image(cloud, "dept-b")
    cloud.before("glance", "GET", "/members$", lambda: cloud.glance.share(image_id, "dept-b"))

    with pytest.raises(WaitTimeoutError) as caught:
        alice.unshare(image_id, cloud.departments["dept-b"])

    assert caught.value.image_id == image_id
    assert 60 <= clock.now < 70
    assert caught.value.left == (f"member {cloud.departments['dept-b']}",)
