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
    sent, connected = 0, False
    while True:
        try:
            return send(sent > 0)
        except ServiceUnavailableError as error:
            # What one of them may have done is done, though the last did not get through.
            connected = error.connected = connected or error.connected
            sent += 1
            if sent > REPETITIONS:
                raise
        site.settings.pace.sleep(pause)
        pause *= 4
