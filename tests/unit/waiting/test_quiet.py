"""A request is sent once; what its lost response may have made is searched for during the quiet time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.errors import ConflictError, HyperxGlanceError, ServiceUnavailableError
from hyperx_glance.texts import Text
from hyperx_glance.waiting.ids import draw_id
from hyperx_glance.waiting.pace import REPETITIONS, Pace, wait_until
from hyperx_glance.waiting.quiet import QUIET_SECONDS, Quiet, find_again, patient, sent_once
from tests.support.clouds import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

NEVER_SEEN = ServiceUnavailableError(Text("refused"), connected=False)
LOST = ServiceUnavailableError(Text("cut"), connected=True)


@pytest.fixture
def clock() -> Clock:
    return Clock(tick=0.001)


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(first_interval=0.01, longest_interval=1.0, sleep=clock.sleep, clock=clock)


def sending(sent: list[object], *answers: object) -> Callable[[], object]:
    """Return what sends a request, and gets these answers one after the other."""

    def send() -> object:
        answer = answers[min(len(sent), len(answers) - 1)]
        sent.append(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send


@pytest.mark.parametrize(
    ("answers", "result", "times"),
    [
        pytest.param(("7c1",), "7c1", 1, id="an answer"),
        pytest.param((NEVER_SEEN, NEVER_SEEN, "7c1"), "7c1", 3, id="no connection is no request"),
        pytest.param((LOST, "7c1"), LOST, 1, id="a lost response is returned, and nothing is sent again"),
        pytest.param((NEVER_SEEN, LOST, "7c1"), LOST, 2, id="a lost response after no connection"),
    ],
)
def test_a_request_is_received_once(pace: Pace, answers: tuple[object, ...], result: object, times: int) -> None:
    sent: list[object] = []
    assert sent_once(pace, sending(sent, *answers)) is result
    assert len(sent) == times


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        pytest.param(ConflictError(Text("busy"), status=409), 1, id="a conflict"),
        pytest.param(ServiceUnavailableError(Text("slow down"), status=429), 1, id="a rate limit"),
        pytest.param(NEVER_SEEN, 1 + REPETITIONS, id="no connection at all"),
    ],
)
def test_a_refusal_is_raised(pace: Pace, answer: HyperxGlanceError, times: int) -> None:
    sent: list[object] = []
    with pytest.raises(type(answer)) as caught:
        sent_once(pace, sending(sent, answer))
    assert caught.value is answer
    assert len(sent) == times


def test_a_late_result_is_found_within_the_quiet_time(pace: Pace, clock: Clock) -> None:
    assert Quiet(pace).listen(lambda: "7c1" if clock.now > 5 else None) == "7c1"
    assert clock.now < QUIET_SECONDS


def test_nothing_is_found_when_the_quiet_time_is_over(pace: Pace, clock: Clock) -> None:
    assert Quiet(pace).listen(lambda: None) is None
    assert QUIET_SECONDS <= clock.now < QUIET_SECONDS + 2


def test_a_service_that_stays_out_of_reach_is_the_error(pace: Pace) -> None:
    with pytest.raises(ServiceUnavailableError):
        Quiet(pace).listen(sending([], LOST))
    assert Quiet(pace).listen(sending([], LOST, LOST, "7c1")) == "7c1"


def test_a_failed_look_is_logged(pace: Pace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hyperx_glance.waiting.pace"):
        Quiet(pace).listen(sending([], LOST, "7c1"))
        wait_until(pace, patient(pace, sending([], LOST, "7c1")))

    assert [record.getMessage().partition(" failed:")[0] for record in caplog.records] == ["a look", "a look"]


@pytest.mark.parametrize(
    ("chosen_id", "seconds"),
    [
        pytest.param(draw_id(datetime.now(UTC) - timedelta(minutes=11)), 0, id="drawn long ago"),
        pytest.param(draw_id(datetime.now(UTC)), QUIET_SECONDS, id="drawn lately"),
        pytest.param("order-2026-1124-0001", QUIET_SECONDS, id="without a time"),
    ],
)
def test_an_unknown_id_is_looked_for_as_long_as_it_may_appear(
    pace: Pace, clock: Clock, chosen_id: str, seconds: float
) -> None:
    assert find_again(pace, chosen_id, lambda: None) is None
    assert clock.now == pytest.approx(seconds, abs=0.1)
