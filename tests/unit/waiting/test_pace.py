"""Waiting looks first, sleeps in growing intervals, and looks once more at the deadline."""

from collections.abc import Callable

import pytest

from hyperx_glance.errors import (
    HyperxGlanceError,
    InvalidRequestError,
    NotFoundError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.waiting.pace import REPETITIONS, Pace, answered, may_be_done, repeated, wait_until
from tests.support.clouds import Clock


def pace(clock: Clock, **choices: float) -> Pace:
    return Pace(**choices, sleep=clock.sleep, clock=clock)


def test_looks_before_it_sleeps() -> None:
    clock = Clock(1000)

    assert wait_until(pace(clock), lambda: "there") == "there"
    assert clock.naps == []


def test_intervals_grow_up_to_the_longest() -> None:
    clock = Clock(1000)
    answers = iter([None] * 6 + ["there"])

    wait_until(pace(clock, first_interval=1, growth=2, longest_interval=10), lambda: next(answers))

    assert clock.naps == [1, 2, 4, 8, 10, 10]


def test_the_last_look_comes_at_the_deadline() -> None:
    clock = Clock(1000)
    looks: list[float] = []

    with pytest.raises(WaitTimeoutError):
        wait_until(
            pace(clock, first_interval=4, growth=1, longest_interval=5, deadline=10), lambda: looks.append(clock.now)
        )

    assert looks == [1000, 1004, 1008, 1010]


def test_timeout_replaces_the_deadline() -> None:
    clock = Clock(1000)

    with pytest.raises(WaitTimeoutError):
        wait_until(pace(clock, first_interval=1, growth=1, deadline=1000), lambda: None, timeout=3)

    assert clock.now == 1003


def test_what_a_look_raises_ends_the_waiting() -> None:
    clock = Clock(1000)

    def look() -> str:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        wait_until(pace(clock), look)
    assert clock.naps == []


def test_false_and_zero_are_found() -> None:
    assert wait_until(pace(Clock(1000)), lambda: 0) == 0
    assert wait_until(pace(Clock(1000)), lambda: False) is False


def test_a_very_long_wait_does_not_overflow() -> None:
    clock = Clock(1000)
    answers = iter([None] * 5000 + ["there"])

    assert wait_until(pace(clock, deadline=1e9), lambda: next(answers)) == "there"


@pytest.mark.parametrize("wrong", [{"first_interval": -1}, {"growth": 0.5}, {"longest_interval": -1}, {"deadline": -1}])
def test_an_impossible_pace_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidRequestError, match="pace"):
        pace(Clock(1000), **wrong)


# ----------------------------------------------------------------- sending again


def unavailable(*, connected: bool = True, status: int | None = None) -> ServiceUnavailableError:
    return ServiceUnavailableError("It is not there.", connected=connected, status=status)


LOST = unavailable, lambda: unavailable(status=503)
NOT_SENT = lambda: unavailable(connected=False, status=503), lambda: unavailable(status=429)


@pytest.mark.parametrize("make", LOST)
def test_a_lost_answer_is_told_to_what_is_sent_again(make: Callable[[], ServiceUnavailableError]) -> None:
    told: list[bool] = []
    assert outcome([make(), NotFoundError("gone")], told) == "gone"
    assert told == [False, True]


@pytest.mark.parametrize("make", NOT_SENT)
def test_a_login_that_failed_and_a_limited_rate_are_no_lost_answers(
    make: Callable[[], ServiceUnavailableError],
) -> None:
    told: list[bool] = []
    assert outcome([make(), make(), NotFoundError("gone")], told) == "gone"
    assert told == [False, False, False]
    assert not may_be_done(make())


def test_what_was_lost_once_stays_lost_whatever_comes_behind() -> None:
    told: list[bool] = []
    errors: list[HyperxGlanceError] = [unavailable(), *(unavailable(connected=False) for _ in range(REPETITIONS))]

    with pytest.raises(ServiceUnavailableError) as caught:
        outcome(errors, told)

    assert told == [False, True, True, True]
    assert caught.value.connected


def test_a_limited_rate_alone_leaves_nothing_behind() -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        outcome([unavailable(status=429) for _ in range(REPETITIONS + 1)], [])
    assert not caught.value.connected


def outcome(errors: list[HyperxGlanceError], told: list[bool]) -> str:
    def send(lost: bool) -> str:  # noqa: FBT001  # as `repeated` calls it
        told.append(lost)
        raise errors.pop(0)

    try:
        return repeated(pace(Clock(1000)), send)
    except NotFoundError as error:
        return error.message


def test_the_status_of_a_login_is_no_answer_to_the_request() -> None:
    assert answered(NotFoundError("gone", status=404), 404, 410)
    assert answered(unavailable(status=501), 501)
    assert not answered(unavailable(status=501, connected=False), 501)
    assert not answered(NotFoundError("gone"), 404)
