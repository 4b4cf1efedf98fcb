"""Which releases there are, and which of them is the latest.

>>> client.latest("debian-13")
Traceback (most recent call last):
hyperx_glance.errors.NotFoundError: Family debian-13 has no current release...

Anybody may publish an image that claims to be of a family. So without a named department, only the caller's own
releases and featured ones count: an administrator has approved these.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hyperx_glance.cloud import pages
from hyperx_glance.errors import AmbiguousNameError, NotFoundError
from hyperx_glance.models.record import GONE
from hyperx_glance.models.releases import is_release, is_released, latest_of, newest_first
from hyperx_glance.models.results import Family
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import Category, glance_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image

_Criteria = tuple[tuple[str, str], ...]
_ACTIVE = (("status", "active"),)
_HIDDEN = (("os_hidden", "true"),)
_FEATURED = (("visibility", "public"), (glance_key("featured_flag"), "true"))


def now() -> datetime:
    """Return the time, by this machine's clock: the lifecycles that people plan are days, not seconds."""
    return datetime.now(UTC)


def latest(context: Context, family: str, *, owner: str | None) -> Image:
    """Return the latest release; hidden ones count only if no other is found."""
    scope = _scope(context, owner)
    for hidden in ((), _HIDDEN):
        found = _by_owner(image for criteria in scope for image in _of(context, criteria, family, _ACTIVE + hidden))
        chosen = [image for each in found.values() if (image := latest_of(each.values(), now())) is not None]
        if len(chosen) > 1:
            owners = [context.departments.name(image.owner) for image in chosen]
            raise AmbiguousNameError(
                say("family-of-several-departments", family=family, departments=owners),
                matches=[image.id for image in chosen],
                hint=say("name-the-families-department", family=family),
            )
        if chosen:
            return chosen[0]
    raise NotFoundError(say("no-current-release", family=family), hint=say("list-families"))


def releases(context: Context, family: str, *, owner: str | None) -> list[Image]:
    """Return the releases of a family, the newest first."""
    scope = _scope(context, owner)
    found = {
        image.id: image
        for hidden in ((), _HIDDEN)
        for criteria in scope
        for image in _of(context, criteria, family, hidden)
    }
    return newest_first(found.values())


def of_owner(context: Context, owner_id: str, family: str, *, unreleased: bool = False) -> list[Image]:
    """Return the releases of one department's family, the newest first; if ``unreleased``, also unfinished ones."""
    criteria = _of_department(owner_id)
    found = {
        image.id: image
        for hidden in ((), _HIDDEN)
        for image in _of(context, criteria, family, hidden, unreleased=unreleased)
    }
    return newest_first(found.values())


def shown_of_owner(context: Context, owner_id: str, family: str) -> list[Image]:
    """Return the releases of one department's family that lists show, by one request."""
    return list(_of(context, _of_department(owner_id), family, ()))


def families(context: Context) -> list[Family]:
    """Return the families of the caller's department and those of featured images, by name and department.

    Glance does not list images by the presence of a property, so all of them are read.
    """
    found: dict[tuple[str, str], dict[str, Image]] = {}
    for criteria in _scope(context, None):
        for hidden in ((), _HIDDEN):
            for image in _released(pages.read(context.cloud, _sorted(criteria + hidden)), criteria):
                found.setdefault((image.family, image.owner), {})[image.id] = image
    return [
        Family(name=name, owner=owner, latest=latest_of(each.values(), now()), releases=len(each))
        for (name, owner), each in sorted(found.items())
    ]


# ----------------------------------------------------------------- lists of Glance


def _scope(context: Context, owner: str | None) -> list[_Criteria]:
    if owner is not None:
        return [_of_department(each) for each in context.departments.matching(owner)]
    return [_of_department(context.cloud.project_id), _FEATURED]


def _of_department(owner_id: str) -> _Criteria:
    # Without "all", Glance leaves out community images (glance/db/sqlalchemy/api.py, _select_images_query).
    return (("visibility", "all"), ("owner", owner_id))


def _of(
    context: Context, criteria: _Criteria, family: str, more: _Criteria, *, unreleased: bool = False
) -> Iterator[Image]:
    asked = (*criteria, (glance_key("family"), family), *more)
    for image in _released(pages.read(context.cloud, _sorted(asked)), criteria, unreleased=unreleased):
        if image.family == family:  # databases may compare without case
            yield image


def _sorted(criteria: _Criteria) -> list[tuple[str, str]]:
    return [*criteria, ("sort", "created_at:desc,id:desc")]


def _released(images: Iterable[Image], criteria: _Criteria, *, unreleased: bool = False) -> Iterator[Image]:
    """Iterate over the releases among the images; the criteria are tested again, as lists do."""
    owner, featured = dict(criteria).get("owner"), criteria == _FEATURED
    is_one = is_release if unreleased else is_released
    for image in images:
        if image.glance_status in GONE or owner not in (None, image.owner):
            continue
        if is_one(image) and not (featured and image.category is not Category.FEATURED):
            yield image


def _by_owner(images: Iterable[Image]) -> dict[str, dict[str, Image]]:
    found: dict[str, dict[str, Image]] = {}
    for image in images:
        found.setdefault(image.owner, {})[image.id] = image
    return found
