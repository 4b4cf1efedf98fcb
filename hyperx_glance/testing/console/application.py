"""The application: the routers behind the guard, the page, and answers to every error.

>>> app = create_app("http://127.0.0.1:5000/v3")
>>> app.openapi_url is None
True
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from hyperx_glance import AuthenticationError, CatalogueIndex, HyperxGlanceError, Settings
from hyperx_glance.testing.console import creating, downloads, events, images, lists, login, servers, uploads
from hyperx_glance.testing.console.answers import Refusal, correct, miss, refuse, tell
from hyperx_glance.testing.console.guard import Guard
from hyperx_glance.testing.console.parts import Parts, Person, parts_of
from hyperx_glance.testing.console.sessions import Sessions, cookie_of, take_back

if TYPE_CHECKING:
    from keystoneauth1.session import Session

PAGE: Final = Path(__file__).with_name("page")


def create_app(
    auth_url: str,
    settings: Settings | None = None,
    *,
    make_index: Callable[[], CatalogueIndex] | None = None,
    people: Sequence[Person] = (),
    sessions: Sessions | None = None,
    steward: Session | None = None,
) -> FastAPI:
    """Make the application for one cloud.

    :param auth_url: the URL of Keystone
    :param settings: the settings of every client
    :param make_index: for clouds with many images: makes an index when a request needs it
    :param people: the users whom the login offers
    :param sessions: where the sessions are kept; None is a new place
    :param steward: a session with the role admin, with which members see the names of other departments, and edit
        public images of others (`hyperx_glance.Client.from_session`)
    """
    parts = Parts(auth_url, settings, make_index=make_index, people=people, sessions=sessions, steward=steward)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        yield
        parts.close()

    # The pages of documentation run scripts of another site.
    app = FastAPI(title="Images", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts
    app.add_middleware(Guard)
    app.exception_handler(RequestValidationError)(correct)
    app.exception_handler(Refusal)(refuse)
    app.exception_handler(HTTPException)(miss)
    app.exception_handler(HyperxGlanceError)(_tell)
    # The actions of an image come after the lists, whose paths have no ids.
    for module in (login, lists, creating, uploads, images, downloads, events, servers):
        app.include_router(module.router)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page() -> FileResponse:
        """Send the page; what stands in its address is for its script."""
        return FileResponse(PAGE / "index.html")

    app.mount("/static", StaticFiles(directory=PAGE, check_dir=False), name="static")
    return app


def _tell(request: Request, error: HyperxGlanceError) -> JSONResponse:
    """Answer with an error; a session whose token has ended is over."""
    response = tell(request, error)
    if isinstance(error, AuthenticationError):
        parts = parts_of(request)
        known = parts.sessions.find(request.cookies.get(cookie_of(request), ""))
        if known is not None and request.url.path != "/api/login":
            parts.sessions.end(known)
            take_back(request, response)
    return response
