"""Routes for files that the browser sends: room first, then the file itself, through this process and into Glance.

>>> file = Incoming(6, iter([b"abc", b"def"]).__next__)
>>> file.seek(0, io.SEEK_END), file.seek(0), file.read(2), file.seek(0), file.read(6), file.read(6)
(6, 0, b'ab', 0, b'ab', b'c')

The library reads the first bytes of a file twice, to find out what it is, and the rest once. So nothing of a file is
kept here but its first bytes, and the browser waits while Glance does.
"""

from __future__ import annotations

import asyncio
import io
import threading
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from hyperx_glance import HyperxGlanceError
from hyperx_glance.testing.console.answers import InLanguage, Refusal, told
from hyperx_glance.testing.console.bridge import waited
from hyperx_glance.testing.console.creating import New, Started
from hyperx_glance.testing.console.parts import LoggedIn, Shared, Visiting
from hyperx_glance.testing.console.rows import Row, row_of
from hyperx_glance.testing.console.sessions import MOST_TICKETS, TICKET_SECONDS, Ticket

KEPT_BYTES: Final = 1 << 20
MIB: Final = 1 << 20
router = APIRouter(prefix="/api/uploads")


class NewFile(New):
    """What becomes of a file, and its size in bytes."""

    size: Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]


class Outcome(BaseModel):
    """The error of an upload, for a browser that could not read the answer; None if there is none so far."""

    error: dict[str, Any] | None


class Incoming(io.RawIOBase):
    """The body of a request as a file, which can be read again from its first byte as long as that is kept."""

    name = ""

    def __init__(self, size: int, receive: Callable[[], bytes]) -> None:
        super().__init__()
        self._size = size
        self._receive = receive
        self._kept: bytes | None = b""
        self._place = 0
        self._rest = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read again, which holds for its first bytes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to the end, which only tells the size, or to the first byte."""
        if (offset, whence) == (0, io.SEEK_END):
            return self._size
        if (offset, whence) != (0, io.SEEK_SET) or self._kept is None:
            raise OSError("The browser sends the file once.")
        self._place = 0
        return 0

    def read(self, size: int = -1) -> bytes:
        """Return some bytes, fewer than ``size`` if the browser has sent fewer."""
        size = self._size if size < 0 else size
        if self._kept is not None and self._place < len(self._kept):
            piece = self._kept[self._place : self._place + size]
            self._place += len(piece)
            return piece
        whole = self._rest or self._receive()
        piece, self._rest = whole[:size], whole[size:]
        if self._kept is not None:
            self._place += len(piece)
            self._kept = self._kept + piece if self._place <= KEPT_BYTES else None
        return piece


@router.post("", status_code=201)
def ask_for_room(new: NewFile, visit: Visiting) -> Started:
    """Check the form and the quota before the browser sends the file, and return the id that the image will have."""
    owner = new.made(file=io.BytesIO()).owner
    visit.client.quota(owner).check_room(images=1, image_size_mib=-(-new.size // MIB), uploading=1)
    image_id, now, session = str(uuid.uuid4()), visit.shared.sessions.clock(), visit.session
    with session.lock:
        for key, ticket in list(session.tickets.items()):
            if ticket.until < now or (len(session.tickets) >= MOST_TICKETS and ticket.error is not None):
                del session.tickets[key]
        if len(session.tickets) >= MOST_TICKETS:
            raise Refusal("too-many")
        session.tickets[image_id] = Ticket(new.made, new.size, now + TICKET_SECONDS)
    return Started(id=image_id)


def ticket_of(image_id: str, session: LoggedIn, shared: Shared) -> Ticket:
    """Return the ticket of an upload."""
    with session.lock:
        ticket = session.tickets.get(image_id)
    if ticket is None or (ticket.until < shared.sessions.clock() and not ticket.taken):
        raise Refusal("no-upload")
    return ticket


Expected = Annotated[Ticket, Depends(ticket_of)]


@router.put("/{image_id}", status_code=201)
async def receive(image_id: str, request: Request, ticket: Expected, visit: Visiting) -> Row:
    """Store the file while it is received, and answer when the image is verified."""
    shared, session = visit.shared, visit.session
    if request.headers["content-length"] != str(ticket.size):
        raise Refusal("wrong-length")
    if shared.transfers.available_tokens < 1:
        raise Refusal("too-many")
    with session.lock:
        if ticket.taken:
            raise Refusal("no-upload")
        ticket.taken = True
    file = Incoming(ticket.size, _receiver(request, shared.closing))

    def store() -> Row:
        registration = visit.client.start_registration(ticket.made(id=image_id, file=file))
        image = registration.wait(on_progress=shared.follow(image_id))
        return row_of(visit.client, image, visit.language)

    try:
        row = await anyio.to_thread.run_sync(store, limiter=shared.transfers)
    except HyperxGlanceError as error:
        ticket.error = error
        raise
    finally:
        shared.forget(image_id)
    with session.lock:
        session.tickets.pop(image_id, None)
    return row


@router.get("/{image_id}")
def outcome(ticket: Expected, language: InLanguage) -> Outcome:
    """Say why an upload failed: a browser that is still sending may not read the answer."""
    return Outcome(error=None if ticket.error is None else told(ticket.error, language))


def _receiver(request: Request, closing: threading.Event) -> Callable[[], bytes]:
    """Return what a thread calls for the next piece of the body; the browser may send as fast as that is done."""
    loop, pieces = asyncio.get_running_loop(), request.stream()

    async def following() -> bytes:
        async for piece in pieces:
            if piece:
                return piece
        return b""

    def receive_piece() -> bytes:
        return waited(following(), loop, closing)

    return receive_piece
