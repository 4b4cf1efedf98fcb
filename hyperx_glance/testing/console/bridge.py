"""How a thread of the library waits for the browser: each piece of a body goes through the event loop.

>>> import asyncio
>>> async def told() -> str:
...     loop = asyncio.get_running_loop()
...     return await asyncio.to_thread(waited, asyncio.sleep(0, "taken"), loop, threading.Event())
>>> asyncio.run(told())
'taken'
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

SILENCE_SECONDS: Final = 60.0
"""How long a browser may send nothing, or take nothing."""
_LOOK_SECONDS: Final = 0.5
_Result = TypeVar("_Result")


class EndingResponse(StreamingResponse):
    """A streamed answer that does something at its end, also if the browser left before it began."""

    def __init__(
        self, content: AsyncIterator[str | bytes], at_end: Callable[[], object], *, media_type: str, **headers: str
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._at_end()


def waited(
    coming: Coroutine[Any, Any, _Result],
    loop: asyncio.AbstractEventLoop,
    closing: threading.Event,
    *,
    seconds: float = SILENCE_SECONDS,
) -> _Result:
    """Return what the event loop brings; raise `OSError` if the browser has left or waits, or if the console ends."""
    deadline = time.monotonic() + seconds
    try:
        future = asyncio.run_coroutine_threadsafe(coming, loop)
    except RuntimeError as error:  # the loop has ended
        coming.close()
        raise OSError("The console ends.") from error
    while True:
        try:
            return future.result(_LOOK_SECONDS)
        except TimeoutError as error:
            if closing.is_set() or time.monotonic() > deadline:
                future.cancel()
                raise OSError("The browser has left.") from error
        except (ClientDisconnect, concurrent.futures.CancelledError) as error:
            raise OSError("The browser has left.") from error
