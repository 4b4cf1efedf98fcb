"""How long to wait, and how often to try: the one place that polls and sends again.

>>> from hyperx_glance.waiting.pace import Pace, attempts, wait_until
>>> pace = Pace(first_interval=0, longest_interval=0)
>>> answers = iter([None, None, "ready"])
>>> wait_until(pace, lambda: next(answers))
'ready'
>>> for attempt in attempts(pace):
...     with attempt:
...         print("sent, after a lost response:", attempt.lost)
sent, after a lost response: False

The logger ``hyperx_glance.waiting.pace`` gets a line for each retry, and for each wait that a person would notice
(INFO). Each single pause is a line, too (DEBUG, or INFO if it is that long).
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from hyperx_glance.arguments import callback, number, require, seconds
from hyperx_glance.errors import HyperxGlanceError, ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    import tenacity

Found = TypeVar("Found")

LOG = logging.getLogger(__name__)
REPETITIONS = 3
NOTICED_SECONDS = 2.0
"""A person notices a wait of this length, so it is logged at INFO."""
LARGEST_GROWTH = 10
"""Its powers stay within floating-point numbers for any possible waiting time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to poll and when to give up; all times are seconds.

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


def wait_until(
    pace: Pace, look: Callable[[], Found | None], *, timeout: float | None = None, what: str = "a service"
) -> Found:
    """Call ``look`` until it returns something; an error of ``look`` ends the waiting.

    ``timeout`` is in seconds, None means ``pace.deadline``. The last look comes at the deadline, not before it. Raise
    `WaitTimeoutError` if that look finds nothing. ``what`` says in the log what is waited for.
    """
    import tenacity  # noqa: PLC0415  # it imports asyncio: 20 ms for a client that only reads

    start = pace.clock()
    end = start + (pace.deadline if timeout is None else timeout)
    told = False

    def interval(state: "tenacity.RetryCallState") -> float:
        exponent = min(state.attempt_number - 1, 200)  # a longer wait has reached longest_interval, and floats overflow
        return max(0.0, min(pace.first_interval * pace.growth**exponent, pace.longest_interval, end - pace.clock()))

    def sleep(interval: float) -> None:
        nonlocal told
        if not told and pace.clock() + interval - start >= NOTICED_SECONDS:
            told = True
            LOG.info("waiting for %s, at most %.0f s", what, end - start)
        LOG.debug("waiting for %.2f s", interval)
        pace.sleep(interval)

    polling = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda found: found is None),
        wait=interval,
        stop=lambda _: pace.clock() >= end,
        sleep=sleep,
    )
    try:
        found = polling(look)
    except tenacity.RetryError:
        raise WaitTimeoutError(say("timed-out")) from None
    assert found is not None  # retried otherwise
    return found


def pause(pace: Pace, interval: float) -> None:
    """Wait for some seconds, and log it."""
    LOG.log(logging.INFO if interval >= NOTICED_SECONDS else logging.DEBUG, "waiting for %.2f s", interval)
    pace.sleep(interval)


def log_failure(what: str, error: ServiceUnavailableError) -> None:
    """Log that something failed and is tried again, without the service's message."""
    LOG.info("%s failed: service %s, status %s, request %s", what, error.service, error.status, error.request_id)


def may_be_done(refusal: HyperxGlanceError) -> bool:
    """Check whether the response was lost, so that the service may work on the request.

    Nothing else decides this. A failed login and a limited rate are refusals.
    """
    return isinstance(refusal, ServiceUnavailableError) and refusal.connected and refusal.status != 429


def answered(refusal: HyperxGlanceError, *statuses: int) -> bool:
    """Check whether the response to the request itself, and not to the login before it, has one of these statuses."""
    return refusal.status in statuses and not (isinstance(refusal, ServiceUnavailableError) and not refusal.connected)


class Attempt:
    """One of several attempts to send a request: a context manager that suppresses an error if another one follows.

    ``lost`` is True if the response to an earlier attempt was lost: the service may have worked on it.
    """

    def __init__(self, attempt: "tenacity.AttemptManager", *, lost: bool) -> None:
        self._attempt = attempt
        self.lost = lost

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, ServiceUnavailableError):
            # A lost request may have been done, although the last one did not reach the service.
            self.lost = error.connected = self.lost or may_be_done(error)
        elif error is not None:
            if self.lost and isinstance(error, HyperxGlanceError):
                error.add_note(say("response-was-lost"))
            return False
        return bool(self._attempt.__exit__(kind, error, traceback))


def attempts(pace: Pace) -> Iterator[Attempt]:
    """Iterate over attempts to send a request, until one succeeds; each is a context manager around the request.

    Another attempt follows if the service does not respond or fails, up to three times and after growing pauses. Only
    for requests that are safe to repeat: the caller's code says why they are. Any other error is raised at once, with a
    note if an earlier response was lost.
    """
    import tenacity  # noqa: PLC0415  # as above

    def log(state: "tenacity.RetryCallState") -> None:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, ServiceUnavailableError)
        log_failure(f"attempt {state.attempt_number} of {1 + REPETITIONS}", error)

    lost = False
    for each in tenacity.Retrying(
        wait=lambda state: pace.first_interval * 4 ** (state.attempt_number - 1),
        stop=tenacity.stop_after_attempt(1 + REPETITIONS),
        sleep=lambda interval: pause(pace, interval),
        before_sleep=log,
        reraise=True,
    ):
        attempt = Attempt(each, lost=lost)
        yield attempt
        lost = attempt.lost
