"""What the routes of one console share, and what each of them may ask for: the session, the caller's client.

>>> parts = Parts("http://127.0.0.1:5000/v3", Settings())
>>> len(parts.sessions), parts.people
(0, ())
>>> parts.close()
"""

from __future__ import annotations

import functools
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import anyio
from fastapi import Depends, Request
from pydantic import BaseModel

from hyperx_glance import CatalogueIndex, Client, HyperxGlanceError, Progress, Settings
from hyperx_glance.testing.console.answers import InLanguage, Language, Refusal
from hyperx_glance.testing.console.sessions import Session, Sessions, cookie_of

if TYPE_CHECKING:
    from keystoneauth1.session import Session as CloudSession

LOG = logging.getLogger(__name__)
WORK_AT_ONCE: Final = 20
TRANSFERS_AT_ONCE: Final = 20
LOOKS_AT_ONCE: Final = 16


class Person(BaseModel, frozen=True):
    """A user whom the form of the login offers."""

    username: str
    project_name: str
    domain_id: str = "default"


class ClosingError(Exception):
    """The console ends, and with it the waiting; the work goes on in the cloud."""


class Parts:
    """The parts of one console."""

    def __init__(
        self,
        auth_url: str,
        settings: Settings | None = None,
        *,
        make_index: Callable[[], CatalogueIndex] | None = None,
        people: Sequence[Person] = (),
        sessions: Sessions | None = None,
        steward: CloudSession | None = None,
    ) -> None:
        self.auth_url = auth_url
        self.settings = settings
        self.steward = steward
        self.people = tuple(people)
        self.sessions = Sessions() if sessions is None else sessions
        self.closing = threading.Event()
        self.index = functools.cache(make_index) if make_index else None  # when a request needs it: after the fork
        # Threads of their own: however many registrations run, there are threads that answer requests.
        self._lock = threading.Lock()
        self._work = ThreadPoolExecutor(WORK_AT_ONCE, thread_name_prefix="console-work")
        self.transfers = anyio.CapacityLimiter(TRANSFERS_AT_ONCE)
        self.looks = anyio.CapacityLimiter(LOOKS_AT_ONCE)
        self._seen: dict[str, Progress] = {}
        self._working: Counter[str] = Counter()

    def client(self, session: Session) -> Client:
        """Make the client of a session, which takes microseconds and no request."""
        return Client.from_session(session.cloud, steward=self.steward, settings=self.settings)

    def continue_later(self, session: Session, key: str, work: Callable[[], object]) -> None:
        """Do work in the background, and keep its failure for the page."""

        def run() -> None:
            try:
                work()
            except ClosingError:
                pass
            except HyperxGlanceError as error:
                session.note_failure(key, error)
                LOG.warning("the work on %s failed: %s", key, error.code, exc_info=True)
            except Exception:
                LOG.exception("the work on %s failed", key)
            finally:
                self.forget(key)
                with self._lock:
                    self._working[key] -= 1
                    self._working += Counter()  # without those that are 0

        with session.lock:
            session.failures.pop(key, None)
        with self._lock:
            self._working[key] += 1
        self._work.submit(run)

    def works_on(self, key: str) -> bool:
        """Say whether work in the background has not ended."""
        return self._working[key] > 0

    def follow(self, key: str) -> Callable[[Progress], None]:
        """Return what notes each look of the work on an image, and ends the waiting if the console ends."""

        def note(progress: Progress) -> None:
            self._seen[key] = progress
            if self.closing.is_set():
                raise ClosingError

        return note

    def forget(self, key: str) -> None:
        """Forget what was noted, as the work has ended."""
        self._seen.pop(key, None)

    def measured(self, key: str, progress: Progress) -> Progress:
        """Add the bytes that only this process knows, because it transfers them, to what Glance says."""
        own = self._seen.get(key)
        if own is None or own.phase != progress.phase or progress.bytes_done is not None:
            return progress
        known = ("bytes_done", "bytes_to_read", "bytes_read")
        return progress.model_copy(update={name: getattr(own, name) for name in known})

    def close(self) -> None:
        """End the waiting and the sessions; registrations that wait for a thread are unfinished ones."""
        self.closing.set()
        self._work.shutdown(cancel_futures=True)
        self.sessions.end_all()


# ----------------------------------------------------------------- for the routes


def parts_of(request: Request) -> Parts:
    """Return the parts of the console that answers."""
    parts: Parts = request.app.state.parts
    return parts


def session_of(request: Request) -> Session:
    """Return the session of the browser, or ask for a login."""
    found = parts_of(request).sessions.find(request.cookies.get(cookie_of(request), ""))
    if found is None:
        raise Refusal("session-ended")
    return found


Shared = Annotated[Parts, Depends(parts_of)]
LoggedIn = Annotated[Session, Depends(session_of)]


def client_of(shared: Shared, session: LoggedIn) -> Client:
    """Return the client of the caller."""
    return shared.client(session)


Caller = Annotated[Client, Depends(client_of)]


class Visit(NamedTuple):
    """One request of somebody who is logged in."""

    shared: Parts
    session: Session
    client: Client
    language: Language


def visit_of(shared: Shared, session: LoggedIn, client: Caller, language: InLanguage) -> Visit:
    """Return what a route takes that needs all of them."""
    return Visit(shared, session, client, language)


Visiting = Annotated[Visit, Depends(visit_of)]
