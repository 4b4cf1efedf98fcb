"""How long nothing new must have come before nothing more will.

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
from typing import TypeVar

from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.waiting.pace import Pace, wait_until

Found = TypeVar("Found")

QUIET_SECONDS = 10.0
"""After a lost answer all servers were there within 0.7 s, five times of five."""


class Quiet:
    """Listen for news; ``is_over`` tells that none has come for the quiet time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.begin()

    def begin(self) -> None:
        """Begin anew: there was news, or a reason to listen."""
        self._end = self._pace.clock() + QUIET_SECONDS

    def end(self) -> None:
        """Say that certainly nothing more will come."""
        self._end = -math.inf

    @property
    def is_over(self) -> bool:
        """Whether the quiet time has passed."""
        return self._pace.clock() >= self._end

    @property
    def timeout(self) -> float:
        """How long waiting for quiet may take at most, in seconds: no deadline cuts it short."""
        return max(self._pace.deadline, 2 * QUIET_SECONDS)

    def listen(self, look: Callable[[], bool]) -> None:
        """Look until all is there, or quiet has come; raise what the last look raised.

        A service that is out of reach is looked at again: whatever lost an answer may last a little.
        """
        failure: ServiceUnavailableError | None = None

        def heard() -> bool | None:
            nonlocal failure
            failure = None
            try:
                is_all = look()
            except ServiceUnavailableError as error:
                failure, is_all = error, False
            return True if is_all or self.is_over else None

        self.begin()
        wait_until(self._pace, heard, timeout=self.timeout)
        if failure is not None:
            raise failure


def patient(pace: Pace, look: Callable[[], Found | None]) -> Callable[[], Found | None]:
    """Let a service be out of reach for the quiet time: looking again is safe, and what was ordered goes on."""
    silence = Quiet(pace)

    def patient_look() -> Found | None:
        try:
            found = look()
        except ServiceUnavailableError:
            if silence.is_over:
                raise
            return None
        silence.begin()
        return found

    return patient_look
