"""Waiting looks first, sleeps in growing intervals, and looks once more at the deadline."""

import pytest

from hyperx_glance.errors import InvalidRequestError, WaitTimeoutError
from hyperx_glance.waiting.pace import Pace, wait_until
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
