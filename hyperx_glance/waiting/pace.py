"""How long to wait, and how often to look: the one place that polls.

>>> from hyperx_glance.waiting.pace import Pace, wait_until
>>> answers = iter([None, None, "ready"])
>>> wait_until(Pace(first_interval=0, longest_interval=0), lambda: next(answers))
'ready'
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from hyperx_glance.arguments import callback, number, require, seconds
from hyperx_glance.errors import HyperxGlanceError, ServiceUnavailableError, WaitTimeoutError

if TYPE_CHECKING:
    import tenacity

Found = TypeVar("Found")

REPETITIONS = 3
LARGEST_GROWTH = 10
"""Its powers stay within floating-point numbers for as long as anybody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Say how often to poll and when to give up; all times are seconds.

    The first look comes at once, and the second after ``first_interval``. Each later interval is ``growth`` times as
    long as the one before, but at most ``longest_interval``. ``sleep`` and ``clock`` can be replaced in tests.
    """

    first_interval: float = 0.1
    growth: float = 1.25
    longest_interval: float = 1.5
    deadline: float = 3600.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        require(((f"pace.{each.name}", getattr(self, each.name)) for each in fields(self)), _CHECKS)


_CHECKS = {
    "pace.first_interval": seconds,
    "pace.growth": lambda value: number(value, least=1, most=LARGEST_GROWTH),
    "pace.longest_interval": seconds,
    "pace.deadline": seconds,
    "pace.sleep": callback,
    "pace.clock": callback,
}


def wait_until(pace: Pace, look: Callable[[], Found | None], *, timeout: float | None = None) -> Found:
    """Call ``look`` until it gives something; what ``look`` raises ends the waiting.

    ``timeout`` None means ``pace.deadline``, in seconds. Raise `WaitTimeoutError` when the time is over; the last look
    comes at the deadline, not before it.
    """
    import tenacity  # noqa: PLC0415  # it imports asyncio: 20 ms for a client that never waits

    end = pace.clock() + (pace.deadline if timeout is None else timeout)

    def interval(state: "tenacity.RetryCallState") -> float:
        exponent = min(state.attempt_number - 1, 200)  # a longer wait has reached longest_interval, and floats overflow
        return max(0.0, min(pace.first_interval * pace.growth**exponent, pace.longest_interval, end - pace.clock()))

    polling = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda found: found is None),
        wait=interval,
        stop=lambda _: pace.clock() >= end,
        sleep=pace.sleep,
    )
    try:
        found = polling(look)
    except tenacity.RetryError:
        raise WaitTimeoutError("The time to wait is over.") from None
    assert found is not None  # retried otherwise
    return found


def may_be_done(refusal: HyperxGlanceError) -> bool:
    """Tell a lost answer, after which the service may work on the request, from a refusal.

    Nothing else decides this: a login that failed, or a rate that is limited, is no lost answer.
    """
    return isinstance(refusal, ServiceUnavailableError) and refusal.connected and refusal.status != 429


def answered(refusal: HyperxGlanceError, *statuses: int) -> bool:
    """Tell whether the request itself was answered with one of these, and not the login before it."""
    return refusal.status in statuses and not (isinstance(refusal, ServiceUnavailableError) and not refusal.connected)


def repeated(pace: Pace, send: Callable[[bool], Found]) -> Found:
    """Send what may safely be sent again, when no answer comes; ``send`` learns whether an answer was lost before.

    The caller says why it may. An answer is lost where the service may have seen the request. What else is refused
    afterwards has a note that says so.
    """
    pause = pace.first_interval
    sent, lost = 0, False
    while True:
        try:
            return send(lost)
        except ServiceUnavailableError as error:
            # What one of them may have done is done, though the last did not get through.
            lost = error.connected = lost or may_be_done(error)
            sent += 1
            if sent > REPETITIONS:
                raise
        except HyperxGlanceError as error:
            if lost:
                error.add_note("An answer was lost before: what was asked for may have been done.")
            raise
        pace.sleep(pause)
        pause *= 4
