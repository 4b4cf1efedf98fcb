"""When to stop expecting more after a lost response: after ten seconds without news.

>>> from hyperx_glance import Pace
>>> from hyperx_glance.waiting.quiet import Quiet
>>> now = 0.0
>>> quiet = Quiet(Pace(clock=lambda: now))
>>> quiet.is_over
False
>>> now = 10.0
>>> quiet.is_over
True
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from hyperx_glance.errors import ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.waiting.ids import is_settled
from hyperx_glance.waiting.pace import Pace, attempts, log_failure, may_be_done, wait_until

Found = TypeVar("Found")

QUIET_SECONDS = 10.0
"""After a lost response, all servers were there within 0.7 s in five of five trials."""


class Quiet:
    """Clock of the time without news."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.begin()

    def begin(self) -> None:
        """Start again, because there was news or a reason to expect some."""
        self._end = self._pace.clock() + QUIET_SECONDS

    def end(self) -> None:
        """End the quiet time now, because nothing more can come."""
        self._end = -math.inf

    @property
    def is_over(self) -> bool:
        """Whether the quiet time has passed."""
        return self._pace.clock() >= self._end

    @property
    def timeout(self) -> float:
        """The longest time to wait for quiet, in seconds; it may exceed the deadline."""
        return max(self._pace.deadline, 2 * QUIET_SECONDS)

    def listen(self, look: Callable[[], Found | None]) -> Found | None:
        """Look until something is found, and return it; return None if the quiet time has passed first.

        If a service is out of reach, look again, since the cause of a lost response may last for a while. Raise the
        error of the last look.
        """
        failure: ServiceUnavailableError | None = None
        found: Found | None = None

        def is_done() -> bool | None:
            nonlocal failure, found
            failure = None
            try:
                found = look()
            except ServiceUnavailableError as error:
                log_failure("a look", error)
                failure = error
            return True if found is not None or self.is_over else None

        self.begin()
        wait_until(self._pace, is_done, timeout=self.timeout, what="the result of a lost response")
        if failure is not None:
            raise failure
        return found


def sent_once(pace: Pace, send: Callable[[], Found]) -> Found | ServiceUnavailableError:
    """Send a request that must not be received twice; return its response, or the error of a lost response.

    After a lost response the caller searches for what the service may have made (`Quiet.listen`). A refusal is raised:
    nothing was made. The request is sent again only if no connection was made, so that no service can have seen it.
    """
    for attempt in attempts(pace):
        with attempt:
            try:
                return send()
            except ServiceUnavailableError as error:
                if not error.connected:
                    raise
                lost = error
    if not may_be_done(lost):
        raise lost
    return lost


def find_again(pace: Pace, chosen_id: str, look: Callable[[], Found | None]) -> Found | None:
    """Look for the thing with this id during the quiet time, since a service may still be making it.

    Return None at once if the id is so old that nobody can be making it.
    """
    if is_settled(chosen_id, datetime.now(UTC)):
        return None
    try:
        return wait_until(pace, look, timeout=QUIET_SECONDS, what=f"{chosen_id} to appear")
    except WaitTimeoutError:
        return None


def patient(pace: Pace, look: Callable[[], Found | None]) -> Callable[[], Found | None]:
    """Wrap a look that may fail during the quiet time: looking again is safe, and the service continues its work."""
    silence = Quiet(pace)

    def patient_look() -> Found | None:
        try:
            found = look()
        except ServiceUnavailableError as error:
            if silence.is_over:
                raise
            log_failure("a look", error)
            return None
        silence.begin()
        return found

    return patient_look
