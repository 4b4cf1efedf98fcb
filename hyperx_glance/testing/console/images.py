"""Routes for one image: its details, its buttons, its shares, the servers that use it.

>>> sorted({route.path for route in router.routes})[:3]
['/api/images/{image_id}', '/api/images/{image_id}/actions', '/api/images/{image_id}/servers']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body

from hyperx_glance import Client, Image, ImageChanges
from hyperx_glance.testing.console.answers import InLanguage, Language, shown
from hyperx_glance.testing.console.login import Asked
from hyperx_glance.testing.console.parts import Caller
from hyperx_glance.testing.console.rows import Row, row_of

router = APIRouter(prefix="/api/images/{image_id}")
ActionName = Literal[
    "publish", "withdraw", "feature", "enable", "disable", "protect", "unprotect", "accept", "decline", "deprecate",
    "reinstate",
]  # fmt: skip

_ACTIONS: Final[Mapping[ActionName, Callable[[Client, str], Image | None]]] = {
    "publish": lambda client, image: client.update(image, category="public"),
    "withdraw": lambda client, image: client.update(image, category="private"),
    "feature": lambda client, image: client.update(image, category="featured"),
    "enable": lambda client, image: client.enable(image),
    "disable": lambda client, image: client.disable(image),
    "protect": lambda client, image: client.update(image, protected=True),
    "unprotect": lambda client, image: client.update(image, protected=False),
    "accept": lambda client, image: client.accept(image),
    "decline": lambda client, image: client.decline(image),
    "deprecate": lambda client, image: client.deprecate(image),
    "reinstate": lambda client, image: client.reinstate(image),
}


class Press(Asked):
    """The button that was pressed."""

    action: ActionName


class With(Asked):
    """The departments with which an image is shared, by name or id."""

    departments: list[str]


@router.get("")
def details(image_id: str, client: Caller, language: InLanguage) -> Row:
    """Return one image."""
    return row_of(client, client.image(image_id), language)


@router.patch("")
def edit(image_id: str, changes: Annotated[dict[str, Any], Body()], client: Caller, language: InLanguage) -> Row:
    """Change the fields that were sent."""
    return row_of(client, client.update(image_id, ImageChanges(**changes)), language)


@router.post("/actions")
def press(image_id: str, pressed: Press, client: Caller, language: InLanguage) -> Row | None:
    """Do what a button says, and return the row as it is afterwards."""
    image = _ACTIONS[pressed.action](client, image_id)
    return None if image is None else row_of(client, image, language)


@router.get("/servers")
def servers(image_id: str, client: Caller, language: InLanguage) -> dict[str, Any]:
    """Return the servers that use the image, for the question before its deletion."""
    return shown(client.servers_using(image_id), language)


@router.delete("")
def delete(image_id: str, client: Caller, language: InLanguage) -> dict[str, Any]:
    """Delete the image for good, and return the servers that were made from it."""
    deleted = shown(client.delete(image_id, report_servers=True), language)
    return {name: deleted[name] for name in ("servers", "not_looked_at")}


@router.get("/shares")
def shares(image_id: str, client: Caller, language: InLanguage) -> list[dict[str, Any]]:
    """Return the departments with which the image is shared."""
    return _shown_all(client.shares(image_id), language)


@router.post("/shares")
def share(image_id: str, wanted: With, client: Caller, language: InLanguage) -> list[dict[str, Any]]:
    """Share the image with more departments."""
    first, *more = wanted.departments or [""]  # the library says that a name is missing
    return _shown_all(client.share(image_id, first, *more), language)


@router.delete("/shares/{department}")
def unshare(image_id: str, department: str, client: Caller, language: InLanguage) -> list[dict[str, Any]]:
    """Take the image back from a department."""
    return _shown_all(client.unshare(image_id, department), language)


def _shown_all(shares: tuple[Any, ...], language: Language) -> list[dict[str, Any]]:
    return [shown(each, language) for each in shares]
