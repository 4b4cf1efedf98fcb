"""How long nothing new must have come before nothing more will.

>>> from hyperx_glance import Pace
>>> from hyperx_glance.launching.quiet import Quiet
>>> quiet = Quiet(Pace(first_interval=0, longest_interval=0))
>>> for _ in range(20):
...     quiet.looked()
>>> quiet.is_over
True
"""

from hyperx_glance.waiting import Pace

QUIET_SECONDS = 10.0
"""After a lost answer all servers were there within 0.7 s, five times of five."""
QUIET_LOOKS = 20
"""Who never sleeps between looks, as tests do, gains nothing from time."""


class Quiet:
    """Listen for news; ``is_over`` tells that none has come for the quiet time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.begin()

    def begin(self) -> None:
        """Begin anew: there was news, or a reason to listen."""
        self._since = self._pace.clock()
        self._looks = 0

    def looked(self) -> None:
        """Count a look that showed nothing new."""
        self._looks += 1

    @property
    def is_over(self) -> bool:
        """Whether the quiet time has passed."""
        if self._pace.longest_interval == 0 and self._looks >= QUIET_LOOKS:
            return True
        return self._pace.clock() - self._since >= QUIET_SECONDS

    @property
    def timeout(self) -> float:
        """How long waiting for quiet may take at most, in seconds: no deadline cuts it short."""
        return max(self._pace.deadline, 2 * QUIET_SECONDS)
