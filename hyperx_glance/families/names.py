"""The names of releases: the latest has the name of its family and is shown, every other has its version and is hidden.

Whoever publishes second lists after both, so names converge. If a process dies before, or a PATCH is lost to another
one, two releases may have the name for a while; the next release, deprecation or retirement settles it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hyperx_glance.cloud.patching import apply, made
from hyperx_glance.errors import NotFoundError
from hyperx_glance.families.finding import now, of_owner
from hyperx_glance.models.mapping import Edit
from hyperx_glance.models.releases import greatest_of, plain_name, versioned_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image


def settle(context: Context, owner_id: str, family: str) -> dict[str, Image]:
    """Let the names of one department's family settle, the latest first; return the releases that were changed."""
    found = of_owner(context, owner_id, family)
    newest = greatest_of(found, now())
    changed: dict[str, Image] = {}
    for image in sorted(found, key=lambda each: each is not newest):
        edits = as_the_latest(image) if image is newest else as_an_older_one(image)
        if edits:
            changed |= _changed(context, image, latest=image is newest)
    return changed


def show_the_previous(context: Context, leaving: Image) -> None:
    """Give the name to the release that will be the latest without one that is leaving."""
    others = [image for image in of_owner(context, leaving.owner, leaving.family) if image.id != leaving.id]
    newest = greatest_of(others, now())
    if newest is not None and as_the_latest(newest):
        _changed(context, newest, latest=True)


def hide(context: Context, older: Iterable[Image]) -> None:
    """Take the name from releases that are not the latest any longer."""
    for image in older:
        if as_an_older_one(image):
            _changed(context, image, latest=False)


def as_the_latest(image: Image) -> list[Edit]:
    """Return the edits that the latest release lacks."""
    return _named(image, plain_name(image), hidden=False)


def as_an_older_one(image: Image) -> list[Edit]:
    """Return the edits that a release that is not the latest lacks."""
    return _named(image, versioned_name(plain_name(image), image.version), hidden=True)


def _named(image: Image, name: str, *, hidden: bool) -> list[Edit]:
    edits = [Edit("name", "name", name)] if image.name != name else []
    return [*edits, Edit("hidden", "os_hidden", hidden)] if image.hidden is not hidden else edits


def _changed(context: Context, image: Image, *, latest: bool) -> dict[str, Image]:
    wanted = as_the_latest if latest else as_an_older_one
    with contextlib.suppress(NotFoundError):  # it was deleted meanwhile
        cloud, pace = context.cloud, context.settings.pace
        after = made(cloud, pace, image, lambda each: apply(cloud, pace, each, wanted))
        return {after.id: after}
    return {}
