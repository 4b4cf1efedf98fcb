"""Sessions in memory: the browser holds a random id, and the Keystone token never leaves this process.

>>> sessions = Sessions(idle_seconds=60, most=2)
>>> sessions.find("guessed") is None
True

A session ends with its log-out, after an hour of silence, with its Keystone token, or if too many are newer.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response

from hyperx_glance.testing.console.answers import Refusal

if TYPE_CHECKING:
    from keystoneauth1.session import Session as CloudSession

    from hyperx_glance import HyperxGlanceError, NewImage, NewIso

IDLE_SECONDS: Final = 3600.0
MOST_SESSIONS: Final = 200
MOST_STREAMS: Final = 4
MOST_TICKETS: Final = 8
TICKET_SECONDS: Final = 600.0
MOST_FAILURES: Final = 100


@dataclass
class Ticket:
    """An upload that the department has room for, and whose file is expected."""

    made: Callable[..., NewImage | NewIso]
    """Makes the request of the file."""
    size: int
    until: float
    taken: bool = False
    error: HyperxGlanceError | None = None


@dataclass
class Session:
    """One person who is logged in, with what only this process knows of that person's work."""

    id: str
    cloud: CloudSession
    username: str
    department: str
    roles: frozenset[str]
    used: float
    tickets: dict[str, Ticket] = field(default_factory=dict)
    failures: dict[str, HyperxGlanceError] = field(default_factory=dict)
    """Why work in the background failed, by the id of its image, launch or capture."""
    streams: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note_failure(self, key: str, error: HyperxGlanceError) -> None:
        """Keep the reason for the page, which has had its answer."""
        with self.lock:
            self.failures[key] = error
            while len(self.failures) > MOST_FAILURES:
                del self.failures[next(iter(self.failures))]

    def open_stream(self) -> None:
        """Count a stream of events, and refuse one too many: each of them asks the cloud again and again."""
        with self.lock:
            if self.streams >= MOST_STREAMS:
                raise Refusal("too-many")
            self.streams += 1

    def close_stream(self) -> None:
        """Make room for another stream."""
        with self.lock:
            self.streams -= 1


class Sessions:
    """All sessions of this process; threads may share it."""

    def __init__(
        self,
        *,
        idle_seconds: float = IDLE_SECONDS,
        most: int = MOST_SESSIONS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self._idle_seconds = idle_seconds
        self._most = most
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, cloud: CloudSession, *, username: str, department: str, roles: frozenset[str]) -> Session:
        """Begin a session under a new id, whatever id the browser has had; the longest unused one makes room."""
        began = Session(secrets.token_urlsafe(32), cloud, username, department, roles, self.clock())
        with self._lock:
            self._sessions[began.id] = began
            old = [each for each in self._sessions.values() if self._is_over(each)]
            by_use = sorted(self._sessions.values(), key=lambda each: each.used)
            over = {each.id: each for each in [*old, *by_use[: max(0, len(by_use) - self._most)]]}
        for each in over.values():
            self.end(each)
        return began

    def find(self, session_id: str) -> Session | None:
        """Return the session with this id, and note that it is used."""
        with self._lock:
            found = self._sessions.get(session_id)
        if found is None:
            return None
        if self._is_over(found):
            self.end(found)
            return None
        found.used = self.clock()
        return found

    def end(self, session: Session) -> None:
        """End a session; what it has begun in the background goes on."""
        with self._lock:
            self._sessions.pop(session.id, None)
        session.cloud.session.close()

    def end_all(self) -> None:
        """End every session."""
        with self._lock:
            left = list(self._sessions.values())
        for each in left:
            self.end(each)

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self._sessions)

    def _is_over(self, session: Session) -> bool:
        return self.clock() - session.used > self._idle_seconds


# ----------------------------------------------------------------- the cookie


def cookie_of(request: Request) -> str:
    """Return the name of the cookie: browsers send cookies to every port of a host, so each console has its own."""
    return f"session-{request.url.port or request.url.scheme}"


def hand_over(request: Request, response: Response, session: Session) -> None:
    """Give the browser the id; no script can read it, and no other site's page sends it."""
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_of(request), session.id, path="/", httponly=True, samesite="strict", secure=secure)


def take_back(request: Request, response: Response) -> None:
    """Let the browser forget the id."""
    response.delete_cookie(cookie_of(request), path="/", httponly=True, samesite="strict")
