"""The caller's callback for progress, and what it raises.

>>> from hyperx_glance import Phase, Progress
>>> from hyperx_glance.waiting.callbacks import reported
>>> def complain(progress):
...     raise ValueError(progress.phase)
>>> reported(lambda tell: tell(Progress(phase=Phase.STORING)), complain)
Traceback (most recent call last):
ValueError: storing
"""

from collections.abc import Callable
from typing import TypeVar

from hyperx_glance.errors import AuthenticationError, ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.texts import NO_TEXT, Text

Event = TypeVar("Event")
Result = TypeVar("Result")
Tell = Callable[[Event], None]

OUT_OF_REACH = (ServiceUnavailableError, AuthenticationError)
"""Errors after which nothing can be undone now. They say nothing about what was made."""


class CallbackError(BaseException):
    """Carrier of an exception of the caller's callback, past every handler of this library's own errors.

    The exception may be one of this library's errors, since a callback may use the library.
    """

    def __init__(self, raised: BaseException) -> None:
        super().__init__(raised)
        self.raised = raised


def teller(on_progress: Callable[[Event], object] | None) -> Tell[Event]:
    """Wrap a callback, so that nothing that it raises is taken for an error after which waiting continues."""

    def tell(progress: Event) -> None:
        if on_progress is None:
            return
        try:
            on_progress(progress)
        except BaseException as error:
            raise CallbackError(error) from error

    return tell


def reported(
    finish: Callable[[Tell[Event]], Result],
    on_progress: Callable[[Event], object] | None,
    *,
    withdraw: Callable[[BaseException], bool] = lambda _: False,
    more_time: Text = NO_TEXT,
) -> Result:
    """Call ``finish`` with the wrapped callback, and return its result; raise what the callback raises as it is.

    After an error, ``withdraw`` deletes what was made, and returns whether nothing is left. It is not called if a
    service is out of reach. ``more_time`` is then the hint of a `WaitTimeoutError`.
    """
    try:
        return finish(teller(on_progress))
    except OUT_OF_REACH:
        raise
    except CallbackError as error:
        raised = error.raised
        withdraw(raised)
    except BaseException as error:
        if withdraw(error) and isinstance(error, WaitTimeoutError):
            error.hint = more_time
        raise
    raise raised
