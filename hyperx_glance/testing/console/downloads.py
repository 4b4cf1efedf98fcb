"""The route that saves an image: the library reads and verifies, and the browser gets each piece at once.

>>> [route.path for route in router.routes]
['/api/images/{image_id}/file']

The last piece is held back until the data is verified, so a file that is wrong never looks whole to the browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import re
import threading
from collections.abc import AsyncIterator
from typing import BinaryIO, Final, cast
from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from hyperx_glance import Client
from hyperx_glance.testing.console.answers import Refusal
from hyperx_glance.testing.console.bridge import EndingResponse, waited
from hyperx_glance.testing.console.parts import Caller, Shared

PIECES_AT_ONCE: Final = 2
router = APIRouter(prefix="/api/images/{image_id}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+-]")


class Outgoing(io.RawIOBase):
    """The body of an answer as a file; a write waits until the browser has taken what was written before."""

    name = "the browser"

    def __init__(self, closing: threading.Event) -> None:
        super().__init__()
        self._closing = closing
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(PIECES_AT_ONCE)
        self._left = threading.Event()
        self.filling: asyncio.Task[None] | None = None
        """What writes: the event loop itself keeps no task alive."""

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: object) -> int:
        """Hand over one piece."""
        piece = bytes(data)  # type: ignore[call-overload]  # a buffer
        self.hand_over(piece)
        return len(piece)

    def hand_over(self, piece: bytes | BaseException | None) -> None:
        """Hand over a piece, or the end: None, or the error that cuts the answer."""
        if self._left.is_set():
            raise OSError("The browser has left.")
        waited(self._pieces.put(piece), self._loop, self._closing)

    async def following(self) -> bytes | None:
        """Return the next piece, None at the end; raise the error that cuts the answer."""
        piece = await self._pieces.get()
        if isinstance(piece, BaseException):
            raise piece
        return piece

    def leave(self) -> None:
        """Let the next write fail: nobody reads any more."""
        self._left.set()
        while not self._pieces.empty():  # wakes up a write that waits
            self._pieces.get_nowait()


@router.get("/file", response_class=StreamingResponse)
async def save(image_id: str, client: Caller, shared: Shared) -> StreamingResponse:
    """Send the data of an image; errors before its second piece are answered as usual, later ones cut the answer."""
    if shared.transfers.available_tokens < 1:
        raise Refusal("too-many")
    image = await anyio.to_thread.run_sync(client.image, image_id)
    outgoing = Outgoing(shared.closing)
    work = functools.partial(_save, client, image.id, outgoing)
    outgoing.filling = asyncio.create_task(anyio.to_thread.run_sync(work, limiter=shared.transfers))
    held = await outgoing.following()
    following = None if held is None else await outgoing.following()
    name = image.name if image.name.lower().endswith(f".{image.disk_format}") else f"{image.name}.{image.disk_format}"
    headers = {"Content-Disposition": _attached(name)}
    if image.size is not None:
        headers["Content-Length"] = str(image.size)
    pieces = _pieces(outgoing, held, following)
    return EndingResponse(pieces, outgoing.leave, media_type="application/octet-stream", **headers)


async def _pieces(outgoing: Outgoing, held: bytes | None, following: bytes | None) -> AsyncIterator[bytes]:
    while held is not None:
        yield held
        held, following = following, None if following is None else await outgoing.following()


def _save(client: Client, image_id: str, outgoing: Outgoing) -> None:
    last: BaseException | None = None
    try:
        client.download(image_id, cast(BinaryIO, outgoing))
    except BaseException as error:  # noqa: BLE001  # it is raised where the answer is made
        last = error
    with contextlib.suppress(OSError):  # the browser has left
        outgoing.hand_over(last)


def _attached(name: str) -> str:
    """Return the header with the name of a file, without anything that could end it (RFC 6266)."""
    return f"attachment; filename=\"{_UNSAFE.sub('_', name)[:150]}\"; filename*=UTF-8''{quote(name[:150], safe='')}"
