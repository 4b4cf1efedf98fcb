"""Routes for the login, the log-out, and who is logged in.

>>> [route.path for route in router.routes]
['/api/start', '/api/login', '/api/logout', '/api/me']
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from keystoneauth1 import session as keystone
from keystoneauth1.identity import access, v3
from pydantic import BaseModel, SecretStr, StringConstraints

from hyperx_glance import Client
from hyperx_glance.testing.console.parts import Caller, LoggedIn, Person, Shared
from hyperx_glance.testing.console.sessions import Session, cookie_of, hand_over, take_back

PAGE_SIZES: Final = (10, 20, 50, 100)
TIMEOUT_SECONDS: Final = 60
router = APIRouter(prefix="/api")
_Word = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Asked(BaseModel, extra="forbid", hide_input_in_errors=True):
    """What a browser sends, and nothing else."""


class Login(Asked):
    """What a person types to log in."""

    username: _Word
    password: SecretStr
    project_name: _Word
    domain_id: _Word = "default"


class Start(BaseModel):
    """What the page needs before anybody is logged in."""

    people: tuple[Person, ...]
    languages: tuple[str, ...] = ("en", "zh")
    page_sizes: tuple[int, ...] = PAGE_SIZES
    logged_in: bool


class Me(BaseModel):
    """The person who is logged in; ``is_reader`` if that person may only look."""

    username: str
    department: str
    user_id: str
    project_id: str
    is_administrator: bool
    is_reader: bool


@router.get("/start")
def start(request: Request, shared: Shared) -> Start:
    """Say whom the form can offer, and whether the browser's session still runs."""
    known = shared.sessions.find(request.cookies.get(cookie_of(request), ""))
    return Start(people=shared.people, logged_in=known is not None)


@router.post("/login")
def login(who: Login, request: Request, response: Response, shared: Shared) -> Me:
    """Log in to Keystone, keep the token here, and give the browser a new id, whatever id it had before."""
    auth = v3.Password(
        shared.auth_url,
        username=who.username,
        password=who.password.get_secret_value(),
        user_domain_id=who.domain_id,
        project_name=who.project_name,
        project_domain_id=who.domain_id,
    )
    asking = keystone.Session(auth=auth, timeout=TIMEOUT_SECONDS)
    try:
        user_id = Client.from_session(asking, settings=shared.settings).user_id  # fails in words of the library
        granted = auth.get_access(asking)
    finally:
        asking.session.close()
    # The token without the password: when it ends, the session ends.
    cloud = keystone.Session(auth=access.AccessInfoPlugin(granted, shared.auth_url), timeout=TIMEOUT_SECONDS)
    former = shared.sessions.find(request.cookies.get(cookie_of(request), ""))
    if former is not None:
        shared.sessions.end(former)
    session = shared.sessions.begin(
        cloud,
        username=granted.username or user_id,
        department=granted.project_name or "",
        roles=frozenset(granted.role_names or ()),
    )
    hand_over(request, response, session)
    return _me(session, shared.client(session))


@router.post("/logout", status_code=204, response_model=None)
def logout(request: Request, response: Response, shared: Shared) -> None:
    """End the session; registrations that it began go on."""
    known = shared.sessions.find(request.cookies.get(cookie_of(request), ""))
    if known is not None:
        shared.sessions.end(known)
    take_back(request, response)


@router.get("/me")
def me(session: LoggedIn, client: Caller) -> Me:
    """Say who is logged in."""
    return _me(session, client)


def _me(session: Session, client: Client) -> Me:
    return Me(
        username=session.username,
        department=session.department,
        user_id=client.user_id,
        project_id=client.project_id,
        is_administrator=client.is_administrator,
        is_reader=not session.roles & {"member", "manager", "admin"},
    )
