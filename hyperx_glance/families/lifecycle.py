"""Deprecating an image, so that it is no longer recommended, and reinstating it.

>>> image = client.register(NewImage(name="debian", url="https://files.example/debian-12.qcow2"))
>>> client.deprecate(image).lifecycle, client.reinstate(image).lifecycle
(<Lifecycle.DEPRECATED: 'deprecated'>, <Lifecycle.CURRENT: 'current'>)

A deprecated image can still be launched, an obsolete one cannot.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from hyperx_glance import editing
from hyperx_glance.cloud.patching import belongs_to_another, made_for_good
from hyperx_glance.errors import InvalidRequestError, NotAllowedError
from hyperx_glance.families import names
from hyperx_glance.families.finding import now
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.mapping import Edit
from hyperx_glance.models.record import glance_keys
from hyperx_glance.models.releases import MARKS, is_marked, is_released
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import Lifecycle, glance_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hyperx_glance.cloud.context import Context


def written(time: datetime) -> str:
    """Write a time as the records have it: UTC, in whole seconds."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def deprecate(
    context: Context,
    reference: Image | str,
    *,
    at: datetime | None,
    obsolete_at: datetime | None,
    replacement: Image | str | None,
) -> Image:
    """Deprecate an image now, or at some time; the previous release of its family is shown first.

    A deprecation that is in force keeps its time, so a repeated call changes nothing.
    """
    time = now()
    check_times(at or time, obsolete_at)
    image = read_own(context, reference)
    told = {
        "obsolete_at": obsolete_at and written(obsolete_at),
        "replacement": None if replacement is None else image_id(replacement),
    }
    wanted = _deprecation(time, at=at, told={name: value for name, value in told.items() if value})
    if is_released(image) and (at is None or at <= time) and wanted(image):
        names.show_the_previous(context, image)
    return _settled(context, image, wanted)


def mark_deprecated(context: Context, image: Image) -> Image:
    """Deprecate a release that is not the latest from now on; its family's names do not settle here."""
    return made_for_good(context.cloud, context.settings.pace, image, _deprecation(now(), at=None, told={}))


def _deprecation(time: datetime, *, at: datetime | None, told: dict[str, str]) -> Callable[[Image], list[Edit]]:
    """Return the edits that an image lacks if it is to be deprecated at some time, None for now, which is ``time``."""

    def wanted(image: Image) -> list[Edit]:
        if at is None:
            kept = image.lifecycle_at(time) is not Lifecycle.CURRENT
        else:
            kept = image.deprecated_at == at.replace(microsecond=0)
        marks = {name: value for name, value in told.items() if value != _mark(image, name)}
        if kept:
            return _marked(marks)
        hidden = _out_of_sight(image) if at is None or at <= time else []
        return [*_marked({**marks, "deprecated_at": written(at or time)}), *hidden]

    return wanted


def reinstate(context: Context, reference: Image | str) -> Image:
    """Recommend an image again, and enable it if it is disabled; one that is recommended stays as it is."""
    image = read_own(context, reference)
    if is_marked(image) and image.glance_status == "deactivated":
        image = editing.enable(context, image)
    was_out_of_sight = not is_released(image) and is_marked(image)

    def wanted(each: Image) -> list[Edit]:
        present = glance_keys(each)
        edits = [Edit(name, glance_key(name), None) for name in MARKS if glance_key(name) in present]
        return [*edits, Edit("hidden", "os_hidden", False)] if was_out_of_sight and each.hidden else edits

    return _settled(context, image, wanted)


def check_times(deprecated_at: datetime, obsolete_at: datetime | None) -> None:
    """Refuse an image that is obsolete before it is deprecated."""
    if obsolete_at is not None and obsolete_at < deprecated_at:
        problem = say("must-not-be-earlier", other=field_name("at"))
        raise InvalidRequestError(say("wrong-field", field=field_name("obsolete_at"), problem=problem))


def read_own(context: Context, reference: Image | str) -> Image:
    """Read an image afresh; raise `NotAllowedError` if only another department may change it."""
    image = context.cloud.image(image_id(reference))
    if belongs_to_another(context.cloud, image):
        raise NotAllowedError(say("of-another-department", image=image.id), hint=say("only-its-department"))
    return image


def mark_obsolete(context: Context, image: Image) -> Image:
    """Write that an image is obsolete from now on, unless it is already, and disable it."""
    time = now()

    def wanted(each: Image) -> list[Edit]:
        is_obsolete = each.obsolete_at is not None and each.obsolete_at <= time
        return [] if is_obsolete else _marked({"obsolete_at": written(time)})

    made_for_good(context.cloud, context.settings.pace, image, wanted)
    return editing.disable(context, image)


def _settled(context: Context, image: Image, wanted: Callable[[Image], list[Edit]]) -> Image:
    """Make the edits, let the names of the image's family settle, and return the image as it is afterwards."""
    if wanted(image):
        image = made_for_good(context.cloud, context.settings.pace, image, wanted)
    if not is_released(image):
        return image
    return names.settle(context, image.owner, image.family).get(image.id, image)


def _out_of_sight(image: Image) -> list[Edit]:
    if is_released(image):
        return names.as_an_older_one(image)
    return [] if image.hidden else [Edit("hidden", "os_hidden", True)]


def _mark(image: Image, name: str) -> str:
    value = getattr(image, name)
    if name == "replacement" or value is None:
        return value or ""
    return written(value)


def _marked(marks: dict[str, str]) -> list[Edit]:
    return [Edit(name, glance_key(name), value) for name, value in sorted(marks.items())]
