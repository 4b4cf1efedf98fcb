"""Waiting looks first and sleeps in growing intervals; a safe request is sent again; both are logged."""

import logging
from collections.abc import Callable, Sequence

import pytest

from hyperx_glance.errors import (
    HyperxGlanceError,
    InvalidRequestError,
    NotFoundError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.texts import Text
from hyperx_glance.waiting.pace import REPETITIONS, Pace, answered, attempts, may_be_done, wait_until
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


def test_an_exception_while_polling_ends_the_wait() -> None:
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
    return ServiceUnavailableError(Text("It is not there."), connected=connected, status=status)


LOST = unavailable, lambda: unavailable(status=503)
NOT_SENT = lambda: unavailable(connected=False, status=503), lambda: unavailable(status=429)


@pytest.mark.parametrize("make", LOST)
def test_a_lost_answer_is_told_to_what_is_sent_again(make: Callable[[], ServiceUnavailableError]) -> None:
    told: list[bool] = []
    assert outcome([make(), NotFoundError(Text("gone"))], told) == "gone"
    assert told == [False, True]


@pytest.mark.parametrize("make", NOT_SENT)
def test_a_login_that_failed_and_a_limited_rate_are_no_lost_answers(
    make: Callable[[], ServiceUnavailableError],
) -> None:
    told: list[bool] = []
    assert outcome([make(), make(), NotFoundError(Text("gone"))], told) == "gone"
    assert told == [False, False, False]
    assert not may_be_done(make())


def test_a_lost_response_is_remembered_after_later_connection_failures() -> None:
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


def test_the_pauses_between_attempts_grow() -> None:
    clock = Clock(1000)

    with pytest.raises(ServiceUnavailableError):
        fail(pace(clock, first_interval=1), [unavailable() for _ in range(4)])

    assert clock.naps == [1, 4, 16]


def test_a_refusal_after_a_lost_answer_has_a_note() -> None:
    with pytest.raises(NotFoundError) as caught:
        fail(pace(Clock(1000)), [unavailable(), NotFoundError(Text("gone"))])

    assert caught.value.__notes__ == ["An earlier response was lost: the request may have been carried out."]


@pytest.mark.parametrize("error", [KeyError(Text("gone")), KeyboardInterrupt(), NotFoundError(Text("gone"))])
def test_any_other_error_ends_the_attempts(error: BaseException) -> None:
    clock = Clock(1000)

    with pytest.raises(type(error)) as caught:
        fail(pace(clock), [error])

    assert caught.value is error
    assert (clock.naps, getattr(error, "__notes__", [])) == ([], [])


def fail(pace: Pace, errors: Sequence[BaseException]) -> None:
    left = iter(errors)
    for attempt in attempts(pace):
        with attempt:
            raise next(left)


def test_a_success_ends_the_attempts() -> None:
    clock, made = Clock(1000), []

    for attempt in attempts(pace(clock)):
        with attempt:
            made.append(attempt.lost)
            if len(made) == 1:
                raise unavailable()

    assert made == [False, True]


def test_the_result_can_be_returned_from_an_attempt() -> None:
    def send() -> str:
        for attempt in attempts(pace(Clock(1000))):
            with attempt:
                return "done"
        raise AssertionError

    assert send() == "done"


def outcome(errors: list[HyperxGlanceError], told: list[bool]) -> str:
    try:
        for attempt in attempts(pace(Clock(1000))):
            with attempt:
                told.append(attempt.lost)
                raise errors.pop(0)
    except NotFoundError as error:
        return error.message
    raise AssertionError


def test_every_retry_and_every_wait_is_logged_without_a_word_of_the_service(caplog: pytest.LogCaptureFixture) -> None:
    errors = [ServiceUnavailableError(Text("secret"), service="image", status=503, request_id="req-1"), unavailable()]
    looks = iter([None, "there"])

    with caplog.at_level(logging.DEBUG):
        for attempt in attempts(pace(Clock(1000), first_interval=1)):
            with attempt:
                if errors:
                    raise errors.pop(0)
        wait_until(pace(Clock(1000)), lambda: next(looks))

    assert {name for name, _, _ in caplog.record_tuples} == {"hyperx_glance.waiting.pace"}
    assert [(level, text) for _, level, text in caplog.record_tuples] == [
        (logging.INFO, "attempt 1 of 4 failed: service image, status 503, request req-1"),
        (logging.DEBUG, "waiting for 1.00 s"),
        (logging.INFO, "attempt 2 of 4 failed: service None, status None, request None"),
        (logging.INFO, "waiting for 4.00 s"),
        (logging.DEBUG, "waiting for 0.10 s"),
    ]


def test_a_wait_that_a_person_notices_is_announced_once(caplog: pytest.LogCaptureFixture) -> None:
    looks = iter([None] * 5 + ["there"])

    with caplog.at_level(logging.DEBUG):
        wait_until(
            pace(Clock(1000), first_interval=1, growth=1), lambda: next(looks), timeout=600, what="the image of a test"
        )

    assert [(level, text) for _, level, text in caplog.record_tuples] == [
        (logging.DEBUG, "waiting for 1.00 s"),
        (logging.INFO, "waiting for the image of a test, at most 600 s"),
        *[(logging.DEBUG, "waiting for 1.00 s")] * 4,
    ]


def test_the_status_of_a_login_is_no_answer_to_the_request() -> None:
    assert answered(NotFoundError(Text("gone"), status=404), 404, 410)
    assert answered(unavailable(status=501), 501)
    assert not answered(unavailable(status=501, connected=False), 501)
    assert not answered(NotFoundError(Text("gone")), 404)
