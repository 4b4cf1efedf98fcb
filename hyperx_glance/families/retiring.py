"""Retiring old releases, one step each: deprecate, disable, delete.

>>> nightly = NewImage(name="Debian 12", url="https://files.example/debian-12.qcow2")
>>> old, new = (client.release(nightly, family="debian-12", version=version) for version in ("12.8", "12.9"))
>>> [(each.image.version, each.action) for each in client.retire("debian-12", keep=1)]
[('12.9', 'kept'), ('12.8', 'deprecated')]

The latest release is never touched, nor one that is not released. One that is protected or in use is not deleted, and
what cannot be seen counts as in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance import deletion
from hyperx_glance.errors import (
    InUseError,
    NotAllowedError,
    NotFoundError,
    ProtectedError,
    ServiceUnavailableError,
)
from hyperx_glance.families import lifecycle, names
from hyperx_glance.families.finding import now, of_owner
from hyperx_glance.models.releases import greatest_of, is_released, latest_of
from hyperx_glance.models.results import Retirement
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import Lifecycle

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image


def retire(
    context: Context,
    family: str,
    *,
    owner: str | None = None,
    keep: int = 3,
    obsolete_after: timedelta | None = None,
    delete_after: timedelta | None = None,
    delete: bool = False,
    dry_run: bool = False,
) -> list[Retirement]:
    """Take each release beyond the newest ``keep`` one step further, and return what became of each."""
    department = _department(context, owner)
    retiring = _Retiring(
        context, obsolete_after=obsolete_after, delete_after=delete_after, delete=delete, dry_run=dry_run
    )
    found = of_owner(context, department, family, unreleased=True)
    retired = retiring.all(found, keep=keep)
    if dry_run:
        return retired
    settled = names.settle(context, department, family)
    return [each.model_copy(update={"image": settled.get(each.image.id, each.image)}) for each in retired]


def _department(context: Context, owner: str | None) -> str:
    own = context.departments.own()
    if owner is None or owner == own.id:
        return own.id
    found = context.departments.resolve(owner)
    if found.id != own.id and not context.cloud.is_administrator:
        raise NotAllowedError(
            say("only-administrators-retire-for-others", department=owner), hint=say("connect-to-that-department")
        )
    return found.id


class _Retiring:
    """The retirement of one family."""

    def __init__(
        self,
        context: Context,
        *,
        obsolete_after: timedelta | None,
        delete_after: timedelta | None,
        delete: bool,
        dry_run: bool,
    ) -> None:
        self._context = context
        self._obsolete_after = obsolete_after
        self._delete_after = delete_after
        self._delete = delete
        self._dry_run = dry_run
        self._now = now()

    def all(self, found: list[Image], *, keep: int) -> list[Retirement]:
        """Retire the releases of a family, which are sorted, the newest first."""
        released = [image for image in found if is_released(image)]
        latest = latest_of(released, self._now), greatest_of(released, self._now)
        current = [image for image in released if image.lifecycle_at(self._now) is Lifecycle.CURRENT]
        kept = {image.id for image in current[:keep]}
        return [self._one(image, latest=image in latest, kept=image.id in kept) for image in found]

    def _one(self, image: Image, *, latest: bool, kept: bool) -> Retirement:
        if not is_released(image):
            return Retirement(image=image, action="skipped", reason=say("not-released"))
        if latest or kept:
            return Retirement(image=image, action="kept", reason=say("is-the-latest") if latest else NO_TEXT)
        try:
            return self._step(image)
        except NotFoundError:
            return Retirement(image=image, action="skipped", reason=say("deleted-meanwhile"))

    def _step(self, image: Image) -> Retirement:
        if image.lifecycle_at(self._now) is Lifecycle.CURRENT:
            return self._deprecated(image)
        if self._must_be_disabled(image):
            after = image if self._dry_run else lifecycle.mark_obsolete(self._context, image)
            return Retirement(image=after, action="disabled")
        if self._must_be_deleted(image):
            return self._deleted(image)
        return Retirement(image=image, action="kept")

    def _deprecated(self, image: Image) -> Retirement:
        after = image if self._dry_run else lifecycle.mark_deprecated(self._context, image)
        return Retirement(image=after, action="deprecated")

    def _must_be_disabled(self, image: Image) -> bool:
        if image.glance_status != "active":
            return False
        is_obsolete = image.lifecycle_at(self._now) is Lifecycle.OBSOLETE
        return is_obsolete or self._is_due(image, self._obsolete_after)

    def _must_be_deleted(self, image: Image) -> bool:
        if not self._delete:
            return False
        if self._delete_after is not None:
            return self._is_due(image, self._delete_after)
        return self._obsolete_after is None or image.glance_status != "active"  # otherwise it is disabled first

    def _is_due(self, image: Image, after: timedelta | None) -> bool:
        since: datetime | None = image.deprecated_at or image.obsolete_at
        return after is not None and since is not None and self._now - since >= after

    # ------------------------------------------------------------- deletion

    def _deleted(self, image: Image) -> Retirement:
        image = self._context.cloud.image(image.id)  # somebody may have reinstated or protected it meanwhile
        obstacle = self._obstacle(image)
        if not obstacle and not self._dry_run:
            try:
                deletion.delete(self._context, image, missing_ok=False, report_servers=False)
            except (ProtectedError, InUseError) as error:
                obstacle = error.message
        return Retirement(image=image, action="skipped" if obstacle else "deleted", reason=obstacle)

    def _obstacle(self, image: Image) -> Text:
        """Return why a release must not be deleted; no text if it may."""
        if image.lifecycle_at(self._now) is Lifecycle.CURRENT:
            return say("reinstated-meanwhile")
        if image.protected:
            return say("image-protected")
        if image.visibility != "private" and not self._context.cloud.is_administrator:
            return say("others-may-use-it")
        try:
            using = deletion.servers_using(self._context, image)
        except (NotAllowedError, ServiceUnavailableError):
            return say("its-servers-not-listed")
        if using.servers:
            return say("servers-use-it", count=len(using.servers))
        return say("its-servers-not-listed") if using.not_looked_at else NO_TEXT
