"""Cancelling for asyncio: what a task has started is cancelled with the task.

>>> import asyncio
>>> from hyperx_glance.waiting.cancelling import cancelling
>>> async def register(new):
...     async with cancelling(client.start_registration, new) as registration:
...         return await asyncio.to_thread(registration.wait)
>>> asyncio.run(register(NewImage(name="debian", url="https://files.example/debian-12.qcow2"))).name
'debian'

asyncio cannot stop a thread. Nothing here uses asyncio's pool of threads: it may be full of threads that wait for what
is to be cancelled.
"""

import asyncio
import contextlib
import contextvars
import functools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, Protocol, TypeVar

from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.texts import say


class Cancellable(Protocol):
    """Something that can be cancelled: a `Registration`, a `Launch` or a `Capture`."""

    def cancel(self) -> None:
        """Delete what was made."""


Handle = TypeVar("Handle", bound=Cancellable)
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@contextlib.asynccontextmanager
async def cancelling(
    start: Callable[Parameters, Handle], *arguments: Parameters.args, **keywords: Parameters.kwargs
) -> AsyncIterator[Handle]:
    """Start something in a thread, and cancel it if the ``async with`` block, or its task, ends early.

    The block gets the handle. If an exception leaves the block, such as ``asyncio.CancelledError`` or a time-out,
    ``cancel()`` of the handle is called, also if the task is cancelled while ``start`` still runs, and the exception is
    raised when ``cancel()`` has returned. A failure of ``cancel()`` becomes a note on that exception. Nothing is
    cancelled if the block ends without an exception.

    :param start: what returns the handle, such as ``client.start_registration``, ``client.start_capture`` or
        ``client.launch`` with ``wait=False``
    :param arguments: positional arguments of ``start``
    :param keywords: keyword arguments of ``start``
    :raises HyperxGlanceError: what ``start`` raises
    """
    starting = _in_a_thread_of_its_own(functools.partial(start, *arguments, **keywords))
    try:
        yield await asyncio.shield(starting)
    except BaseException as error:
        cancelled_again = await _end_of(starting)
        if starting.exception() is None:
            undoing = _in_a_thread_of_its_own(starting.result().cancel)
            cancelled_again |= await _end_of(undoing)
            failure = undoing.exception()
            if failure is not None:
                problem = failure.message if isinstance(failure, HyperxGlanceError) else str(failure)
                error.add_note(say("not-cancelled", problem=problem))
        if cancelled_again and not isinstance(error, asyncio.CancelledError):
            raise asyncio.CancelledError from error
        raise


def _in_a_thread_of_its_own(call: Callable[[], Result]) -> asyncio.Future[Result]:
    """Call in a new thread; no task, since asyncio.run cancels all tasks at its end."""
    executor = ThreadPoolExecutor(1)
    future = asyncio.get_running_loop().run_in_executor(executor, contextvars.copy_context().run, call)
    executor.shutdown(wait=False)
    return future


async def _end_of(work: asyncio.Future[Result]) -> bool:
    """Wait for the end of a thread, even if this task is cancelled; return whether it was."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
