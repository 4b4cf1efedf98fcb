"""Routes for servers: the form of a launch, launches, the list of servers, passwords, captures.

>>> [route.path for route in router.routes][:2]
['/api/images/{image_id}/form', '/api/images/{image_id}/servers']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, SecretStr

from hyperx_glance import Capture, Launch, LaunchRequest, NewCapture
from hyperx_glance.testing.console.answers import InLanguage, Language, shown
from hyperx_glance.testing.console.login import Asked
from hyperx_glance.testing.console.parts import Caller, LoggedIn, Shared

SERVERS: Final = 20
"""The servers of a part of their list."""
router = APIRouter(prefix="/api")


class ServerPage(BaseModel):
    """A part of the list of servers, and the id of the last one if others are behind it."""

    servers: list[dict[str, Any]]
    next: str | None


class LaunchedOnce(BaseModel):
    """The password as a plain text, only in this answer: it is not stored."""

    launch_id: str
    admin_password: str | None


class NewPassword(Asked):
    """The password that a person has chosen; None lets the library draw one."""

    password: SecretStr | None = None


class PasswordOnce(BaseModel):
    """As `LaunchedOnce`."""

    admin_password: str


@router.get("/images/{image_id}/form")
def form(image_id: str, client: Caller, language: InLanguage) -> dict[str, list[dict[str, Any]]]:
    """Return what can be chosen for servers of one image."""
    choices: dict[str, Sequence[BaseModel]] = {
        "flavors": client.flavors(image_id),
        "networks": client.networks(),
        "key_pairs": client.key_pairs(),
        "availability_zones": client.availability_zones(),
    }
    return {name: [shown(each, language) for each in found] for name, found in choices.items()}


@router.post("/images/{image_id}/servers", status_code=201)
def launch(image_id: str, wanted: Annotated[dict[str, Any], Body()], client: Caller) -> LaunchedOnce:
    """Launch one or many servers, and answer when Nova has accepted them."""
    launched = client.launch(image_id, LaunchRequest(**wanted), wait=False)
    password = launched.admin_password
    return LaunchedOnce(
        launch_id=launched.launch_id, admin_password=None if password is None else password.get_secret_value()
    )


@router.get("/servers")
def servers(
    client: Caller,
    language: InLanguage,
    name: Annotated[str, Query(max_length=255)] = "",
    after: Annotated[str, Query(max_length=255)] = "",
) -> ServerPage:
    """Return a part of the department's servers; one more is read, which tells whether there are others behind it."""
    found = list(client.servers(name_contains=name, after=after or None, limit=SERVERS + 1))
    rows = [shown(server, language) for server in found[:SERVERS]]
    return ServerPage(servers=rows, next=found[SERVERS - 1].id if len(found) > SERVERS else None)


@router.get("/launches")
def launches(client: Caller, language: InLanguage) -> list[dict[str, Any]]:
    """Return the launches of the department with their servers, the newest first."""
    return [_shown_launch(each, language) for each in client.launches()]


@router.delete("/launches/{launch_id}", status_code=202)
def cancel_launch(
    launch_id: str, client: Caller, session: LoggedIn, shared: Shared, language: InLanguage
) -> dict[str, Any]:
    """Begin to delete the servers of a launch."""
    found = client.find_launch(launch_id)
    shared.continue_later(session, launch_id, found.cancel)
    return _shown_launch(found, language)


@router.post("/servers/{server_id}/password")
def reset_password(server_id: str, wanted: NewPassword, client: Caller) -> PasswordOnce:
    """Set the administrator's password of a server, and return it once."""
    return PasswordOnce(admin_password=client.reset_password(server_id, wanted.password).get_secret_value())


@router.post("/servers/{server_id}/captures", status_code=202)
def capture(
    server_id: str, new: Annotated[dict[str, Any], Body()], client: Caller, session: LoggedIn, shared: Shared
) -> dict[str, Any]:
    """Begin to capture a server, and answer; its end is waited for in the background."""
    begun = client.start_capture(server_id, NewCapture(**new))
    key = begun.image_id or begun.capture_id
    shared.continue_later(session, key, lambda: begun.wait(on_progress=shared.follow(key)))
    return {"capture_id": begun.capture_id, "image_id": begun.image_id}


@router.get("/captures/{capture_id}")
def capture_details(capture_id: str, client: Caller, language: InLanguage) -> dict[str, Any]:
    """Return how a capture progresses; it has an image as soon as the image has a record."""
    found = client.find_capture(capture_id)
    progress = shown(found.progress(), language)
    return {
        "capture_id": found.capture_id,
        "server_id": found.server_id,
        "image_id": found.image_id,
        "progress": progress,
    }


@router.delete("/captures/{capture_id}", status_code=202)
def cancel_capture(capture_id: str, client: Caller, session: LoggedIn, shared: Shared) -> dict[str, Any]:
    """Begin to delete what a capture has made."""
    found: Capture = client.find_capture(capture_id)
    shared.continue_later(session, capture_id, found.cancel)
    return {"capture_id": found.capture_id}


def _shown_launch(launch: Launch, language: Language) -> dict[str, Any]:
    return {
        "launch_id": launch.launch_id,
        "image_id": launch.image_id,
        "count": launch.count,
        "servers": [shown(server, language) for server in launch.servers],
    }
