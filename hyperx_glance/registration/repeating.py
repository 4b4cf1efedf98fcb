"""Sending again what may be sent again: the caller says why it may."""

from collections.abc import Callable
from typing import TypeVar

from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.registration.order import Site

REPETITIONS = 3
_Answer = TypeVar("_Answer")


def repeated(site: Site, send: Callable[[bool], _Answer]) -> _Answer:
    """Send what may safely be sent again, when no answer comes; ``send`` learns whether an answer was lost before."""
    pause = site.settings.pace.first_interval
    for attempt in range(REPETITIONS):
        try:
            return send(attempt > 0)
        except ServiceUnavailableError:
            site.settings.pace.sleep(pause)
            pause *= 4
    return send(True)
