"""Routes that create images and ISOs from URLs: the test of a URL, registrations, those that are unfinished.

>>> [route.path for route in router.routes][:2]
['/api/url-reports', '/api/images']
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, SecretStr

from hyperx_glance import Kind, NewImage, NewIso, Registration
from hyperx_glance.testing.console.answers import InLanguage, shown
from hyperx_glance.testing.console.login import Asked
from hyperx_glance.testing.console.parts import Caller, LoggedIn, Parts, Shared
from hyperx_glance.testing.console.rows import Row, row_of
from hyperx_glance.testing.console.sessions import Session

router = APIRouter(prefix="/api")
KINDS: Final[Mapping[Kind, type[NewImage | NewIso]]] = {Kind.IMAGE: NewImage, Kind.ISO: NewIso}


class UrlToTest(Asked):
    """A URL, which may have a password or a signature in it."""

    url: SecretStr
    disk_format: str | None = None


class Again(Asked):
    """The URL again, if the stored one has lost its secret."""

    url: SecretStr | None = None


class Started(BaseModel):
    """The id of the image that will be there."""

    id: str


@router.post("/url-reports")
def test_url(wanted: UrlToTest, client: Caller, language: InLanguage) -> dict[str, Any]:
    """Say what a registration would find; nothing is created."""
    return shown(client.check_url(wanted.url.get_secret_value(), disk_format=wanted.disk_format), language)


class New(BaseModel, extra="allow", hide_input_in_errors=True):
    """What becomes an image or an ISO; the other fields are those of `NewImage` or `NewIso`."""

    kind: Kind

    def made(self, **more: object) -> NewImage | NewIso:
        """Return the library's request, which checks the other fields."""
        fields: dict[str, Any] = {**(self.model_extra or {}), **more}
        return KINDS[self.kind](**fields)


@router.post("/images", status_code=202)
def register(new: New, client: Caller, session: LoggedIn, shared: Shared) -> Started:
    """Begin a registration, and answer; its end is waited for in the background."""
    registration = client.start_registration(new.made(), keep_failed=True)
    return _continue(registration, session, shared)


@router.get("/registrations")
def unfinished(client: Caller, language: InLanguage) -> list[Row]:
    """Return the caller's registrations that are not finished, whichever process began them."""
    return [row_of(client, image, language) for image in client.unfinished_registrations()]


@router.post("/registrations/{image_id}", status_code=202)
def resume(image_id: str, again: Again, client: Caller, session: LoggedIn, shared: Shared) -> Started:
    """Continue a registration whose process died."""
    url = None if again.url is None else again.url.get_secret_value()
    return _continue(client.resume_registration(image_id, url=url, keep_failed=True), session, shared)


@router.delete("/registrations/{image_id}", status_code=204, response_model=None)
def cancel(image_id: str, client: Caller) -> None:
    """Cancel a registration, whichever process began it."""
    client.cancel_registration(image_id)


def _continue(registration: Registration, session: Session, shared: Parts) -> Started:
    """Upload the data if it is streamed, and verify the image; if this fails, the record keeps the reason."""
    key = registration.image_id
    shared.continue_later(session, key, lambda: registration.wait(on_progress=shared.follow(key)))
    return Started(id=key)
