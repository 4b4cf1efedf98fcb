"""What the caller hands in to be told of progress.

>>> from hyperx_glance import Phase, Progress
>>> from hyperx_glance.waiting.callbacks import CallbackError, teller
>>> def complain(progress):
...     raise ValueError(progress.phase)
>>> try:
...     teller(complain)(Progress(phase=Phase.STORING))
... except CallbackError as error:
...     error.raised
ValueError(<Phase.STORING: 'storing'>)
"""

from collections.abc import Callable
from typing import TypeVar

Told = TypeVar("Told")
Tell = Callable[[Told], None]


class CallbackError(BaseException):
    """Carry what the caller's callback raised past every handler of this library's own errors.

    Whatever it is, it comes back to the caller as it was. It may be one of this library's errors: the callback may use
    the library.
    """

    def __init__(self, raised: BaseException) -> None:
        super().__init__(raised)
        self.raised = raised


def teller(on_progress: Callable[[Told], object] | None) -> Tell[Told]:
    """Wrap the callback, so that what it raises is no error of ours, and none by which the waiting goes on."""

    def tell(progress: Told) -> None:
        if on_progress is None:
            return
        try:
            on_progress(progress)
        except BaseException as error:
            raise CallbackError(error) from error

    return tell
