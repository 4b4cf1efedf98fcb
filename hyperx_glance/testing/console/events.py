r"""The route that tells the page how images and launches progress: server-sent events, as Glance and Nova show it.

>>> event("gone", {"id": "7c1"})
'event: gone\ndata: {"id": "7c1"}\n\n'

Nothing here is remembered between two requests, so a page that is loaded again, or another process, goes on following.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from hyperx_glance import AuthenticationError, HyperxGlanceError, Launch, NotFoundError, Phase, Text
from hyperx_glance.testing.console.answers import Refusal, refused, shown, told
from hyperx_glance.testing.console.bridge import EndingResponse
from hyperx_glance.testing.console.parts import Visit, Visiting

LOOK_SECONDS: Final = 1.0
LOOKS_A_SECOND: Final = 4
"""Of one stream, however many images it follows."""
QUIET_SECONDS: Final = 15.0
MOST_FOLLOWED: Final = 20
router = APIRouter(prefix="/api")
_ENDED: Final = (Phase.READY, Phase.FAILED, Phase.DISABLED)
_Ids = Annotated[list[str], Query(max_length=MOST_FOLLOWED)]


def event(name: str, data: dict[str, Any]) -> str:
    """Write one event; JSON has no line breaks."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


class Followed:
    """The images and launches that one stream follows; a thread looks at them, one after the other."""

    def __init__(self, visit: Visit, images: list[str], launches: list[str]) -> None:
        self._visit = visit
        self._left: dict[str, Callable[[str], dict[str, Any]]] = dict.fromkeys(images, self._image)
        self._left |= dict.fromkeys(launches, self._launch)
        self._found: dict[str, Launch] = {}
        self._last: dict[str, object] = {}
        self.ended = False
        """Whether nothing is left to follow."""

    @property
    def pause(self) -> float:
        """The seconds until the next look."""
        return max(LOOK_SECONDS, len(self._left) / LOOKS_A_SECOND)

    def look(self) -> list[str]:
        """Return the events of what has changed."""
        events: list[str] = []
        for key, look in list(self._left.items()):
            try:
                seen = look(key)
            except NotFoundError:
                events += self._gone(key)
            except HyperxGlanceError as error:
                events += self._changed(key, "failed", {"id": key, "error": told(error, self._visit.language)})
                if isinstance(error, AuthenticationError):
                    self._visit.shared.sessions.end(self._visit.session)
                    self._left.clear()
                    break
            else:
                events += self._changed(key, "image" if look == self._image else "launch", seen)
                if key in self._visit.session.failures:  # nobody works on it any more
                    events += self._failed(key)
                if seen["ended"] or key in self._visit.session.failures:
                    del self._left[key]
        if not self._left:
            self.ended = True
            events.append(event("end", {}))
        return events

    def _changed(self, key: str, name: str, data: dict[str, Any]) -> list[str]:
        compared = {**data, "elapsed_seconds": None}
        if self._last.get(key) == (name, compared):
            return []
        self._last[key] = (name, compared)
        return [event(name, data)]

    def _gone(self, key: str) -> list[str]:
        del self._left[key]
        return [*self._failed(key), event("gone", {"id": key})]

    def _failed(self, key: str) -> list[str]:
        """Return why the work on something failed, if this process knows it."""
        failure = self._visit.session.failures.get(key)
        return [] if failure is None else [event("failed", {"id": key, "error": told(failure, self._visit.language)})]

    def _image(self, image_id: str) -> dict[str, Any]:
        progress = self._visit.shared.measured(image_id, self._visit.client.progress(image_id))
        return {"id": image_id, **shown(progress, self._visit.language), "ended": progress.phase in _ENDED}

    def _launch(self, launch_id: str) -> dict[str, Any]:
        launch = self._found.get(launch_id)
        if launch is None:
            launch = self._found[launch_id] = self._visit.client.find_launch(launch_id)
        progress = launch.progress()
        if not launch.servers:
            raise NotFoundError(Text("The servers are gone."))
        servers = [shown(server, self._visit.language) for server in launch.servers]
        ended = progress.building == 0 and not self._visit.shared.works_on(launch_id)  # it may be cancelled
        return {"id": launch_id, **shown(progress, self._visit.language), "ended": ended, "servers": servers}


@router.get("/events", response_class=StreamingResponse)
async def events(
    request: Request,
    visit: Visiting,
    image: _Ids = [],  # noqa: B006  # FastAPI copies it
    launch: _Ids = [],  # noqa: B006
) -> StreamingResponse:
    """Follow images and launches until all have ended, the session ends, or the page is left."""
    if len({*image, *launch}) > MOST_FOLLOWED:
        raise Refusal("too-many")
    visit.session.open_stream()
    told_now = _told(request, visit, Followed(visit, image, launch))
    return EndingResponse(told_now, visit.session.close_stream, media_type="text/event-stream")


async def _told(request: Request, visit: Visit, followed: Followed) -> AsyncIterator[str]:
    shared, session = visit.shared, visit.session
    quiet_since = time.monotonic()
    while not followed.ended and not shared.closing.is_set() and not await request.is_disconnected():
        if shared.sessions.find(session.id) is None:  # who watches is not silent
            yield event("failed", {"id": None, "error": refused("session-ended", visit.language)})
            return
        told_now = await anyio.to_thread.run_sync(followed.look, limiter=shared.looks)
        if not told_now and time.monotonic() - quiet_since > QUIET_SECONDS:
            told_now = [": nothing new\n\n"]
        if told_now:
            quiet_since = time.monotonic()
            yield "".join(told_now)
        if not followed.ended:
            await anyio.sleep(followed.pause)
