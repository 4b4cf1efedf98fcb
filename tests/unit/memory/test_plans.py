"""What a test plans on the in-memory cloud: what can never happen is refused, what did not happen is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import InvalidRequestError
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory.plans import paths
from tests.unit.memory.asking import image

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def memory() -> InMemoryCloud:
    """Return a cloud whose plans need not happen, unlike those of the fixture."""
    return InMemoryCloud()


PLANS: list[Callable[[InMemoryCloud, str, str, str], None]] = [
    lambda cloud, service, method, path: cloud.fail(service, method, path, status=500),  # type: ignore[arg-type]  # as a test may write it
    lambda cloud, service, method, path: cloud.cut(service, method, path),  # type: ignore[arg-type]  # as a test may write it
    lambda cloud, service, method, path: cloud.before(service, method, path, print),  # type: ignore[arg-type]  # as a test may write it
]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(
    ("service", "method", "path", "hint"),
    [
        ("glnce", "GET", "/images$", "Did you mean 'glance'"),
        ("glance", "get", "/images$", "Did you mean 'GET'"),
        ("glance", "HEAD", "/images$", "Known: DELETE, GET, PATCH, POST, PUT"),
        ("glance", "GET", "/imagse$", "Did you mean '/v2/images'"),
        ("glance", "GET", "/images/$", "No GET request of glance"),
        ("glance", "DELETE", "/images$", "These methods have such a path: GET, POST"),
        ("nova", "POST", "/servers/action$", "Did you mean '/v2.1/servers/ID/action'"),
    ],
)
def test_plan_that_can_never_happen_is_refused(  # noqa: PLR0917  # a table
    memory: InMemoryCloud,
    plan: Callable[[InMemoryCloud, str, str, str], None],
    service: str,
    method: str,
    path: str,
    hint: str,
) -> None:
    with pytest.raises(InvalidRequestError, match=re.escape(hint)):
        plan(memory, service, method, path)

    assert memory.unused_failures == []


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(
    ("service", "method", "path"),
    [
        ("glance", "GET", ""),
        ("glance", "GET", "^/$"),
        ("glance", "DELETE", "/images/7c1$"),
        ("glance", "GET", r"^/v2/images/9f1c2d3e\-4b5a\-6978\-8796\-a5b4c3d2e1f1$"),
        ("glance", "GET", "/images/(one|two)$"),
        ("glance", "GET", "/images/[^/]+$"),
        ("glance", "DELETE", "/images/disk-.*-old/members/dept$"),
        ("glance", "PUT", "/(file|stage)$"),
        ("keystone", "HEAD", "/auth/tokens"),
        ("cinder", "GET", "/v3/[0-9a-f]{32}/volumes/detail$"),
        ("neutron", "GET", r"/networks\.json$"),
    ],
)
def test_plan_that_can_happen_is_accepted(
    memory: InMemoryCloud, plan: Callable[[InMemoryCloud, str, str, str], None], service: str, method: str, path: str
) -> None:
    plan(memory, service, method, path)

    assert len(memory.unused_failures) == 1


def test_paths_that_plans_are_tried_on_are_those_of_the_routes(memory: InMemoryCloud) -> None:
    for service in memory.keystone.services:
        for route in service.routes():
            made = list(paths(route.pattern))
            assert any(re.fullmatch(route.pattern, path) for path in made)
            assert not any(set("()?*+[]") & set(path) for path in made)


@pytest.mark.parametrize("keywords", [{"times": 0}, {"times": -1}, {"times": True}, {"skip": -1}, {"late": -1}])
def test_plan_for_no_request_is_refused(memory: InMemoryCloud, keywords: dict[str, int]) -> None:
    with pytest.raises(InvalidRequestError, match=f"{next(iter(keywords))} must be a whole number"):
        memory.cut("glance", "GET", "/images$", **keywords)  # type: ignore[arg-type]  # a table


def test_late_work_of_a_request_that_does_not_arrive_is_refused(memory: InMemoryCloud) -> None:
    with pytest.raises(InvalidRequestError, match="late needs handled=True"):
        memory.cut("glance", "POST", "/images$", handled=False, late=1)


def test_unused_failures_are_what_did_not_happen(memory: InMemoryCloud) -> None:
    memory.fail("glance", "GET", "/images$", status=500)
    memory.fail("glance", "GET", "/images$", status=503, times=None)
    memory.before("glance", "GET", "/tasks$", print)
    memory.cut("nova", "POST", "/servers$")
    image(memory, "alice", "GET", "/images")

    assert memory.unused_failures == [
        "fail('glance', 'GET', '/images$', status=503)",
        "before('glance', 'GET', '/tasks$')",
        "cut('nova', 'POST', '/servers$')",
    ]
    image(memory, "alice", "GET", "/images")
    assert len(memory.unused_failures) == 2


def test_faults_that_no_server_and_no_volume_took_are_unused_failures(memory: InMemoryCloud) -> None:
    memory.nova.faults.append("No valid host was found.")
    memory.nova.snapshot_faults.append("lost")
    memory.cinder.faults.append("No space.")
    memory.cinder.upload_faults.append("deleted")

    assert memory.unused_failures == [
        "nova.faults: 'No valid host was found.'",
        "nova.snapshot_faults: 'lost'",
        "cinder.faults: 'No space.'",
        "cinder.upload_faults: 'deleted'",
    ]


def test_check_raises_for_failures_that_did_not_happen(memory: InMemoryCloud) -> None:
    memory.fail("glance", "GET", "/images$", status=500)

    memory.check(passed=False)
    with pytest.raises(AssertionError, match="never happened: fail"):
        memory.check()


def test_with_block_ends_with_an_error_for_failures_that_did_not_happen(memory: InMemoryCloud) -> None:
    memory.fail("glance", "GET", "/images$", status=500)

    with pytest.raises(AssertionError, match="never happened: fail"), memory:
        pass
    with pytest.raises(ZeroDivisionError), memory:
        raise ZeroDivisionError


def test_failures_of_the_same_requests_happen_one_after_another(memory: InMemoryCloud) -> None:
    memory.fail("glance", "GET", "/images$", status=500)
    memory.fail("glance", "GET", "/images$", status=503)
    memory.fail("glance", "GET", "/images$", status=502, skip=2)

    answers = [image(memory, "alice", "GET", "/images").status_code for _ in range(4)]

    assert answers == [500, 503, 502, 200]
    assert memory.unused_failures == []
