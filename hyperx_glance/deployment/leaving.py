"""Removing what HYPERX wrote on images, so that other tools see ordinary images.

    >>> image_id = hyperx_cloud.glance.add_image(
    ...     owner="dept-a", name="debian", status="active", hyperx_url="http://a/b"
    ... )
    >>> [departure.left for departure in client.leave(dry_run=True)]
    [('hyperx_url',)]
    >>> [departure.outcome for departure in client.leave()]
    ['removed']
    >>> client.leave()
    []

Everything is listed before anything is changed. Then each image takes one PATCH, which removes only keys with HYPERX's
prefix. Removing a property twice is harmless, so a run that was interrupted can be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hyperx_glance.cloud import compute, pages
from hyperx_glance.cloud.answers import Shape, not_understood, parsed
from hyperx_glance.cloud.cloud import image_path
from hyperx_glance.errors import (
    AuthenticationError,
    ConflictError,
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.models.image import NAME_OF_KEY
from hyperx_glance.models.mapping import Edit, json_patch
from hyperx_glance.models.record import (
    GONE,
    glance_keys,
    is_being_captured,
    is_unfinished_registration,
    is_without_data,
)
from hyperx_glance.models.results import Departure
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import OWN_PREFIX, glance_key
from hyperx_glance.waiting.pace import attempts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image

REGISTRATION = "registration-under-way"
CAPTURE = "capture-under-way"
WRITING = "data-being-written"
LAUNCH = "launch-under-way"
PROTECTED = "properties-protected"
KEPT = "properties-still-there"
MOST_FAILURES = 3
"""After so many images in a row whose requests failed, the service is considered down, and no other image is tried."""


_OWN_FIELDS = tuple(name for key, name in NAME_OF_KEY.items() if key.startswith(OWN_PREFIX))


class _Record(Shape, extra="allow"):
    """A record as Glance sent it, for its keys: a property may have the name of a field of `Image`."""

    id: str


def leave(context: Context, *, department: str | None, dry_run: bool) -> list[Departure]:
    """Remove HYPERX's properties from the images of one department or, for an administrator, of all.

    An error is raised only before anything is changed. After that, the result says what is left, and why.
    """
    listed = _listed(context, _owner(context, department))
    return listed if dry_run else list(_departed(context, listed))


def _owner(context: Context, department: str | None) -> str | None:
    """Return the id of the department that leaves; None means all departments."""
    own = context.departments.own()
    administrator = context.cloud.is_administrator
    if department is None:
        return None if administrator else own.id
    found = context.departments.resolve(department)
    if found.id != own.id and not administrator:
        raise NotAllowedError(
            say("only-administrators-leave", department=found.name), hint=say("connect-to-that-department")
        )
    return found.id


# ----------------------------------------------------------------- what is there


def _listed(context: Context, owner: str | None) -> list[Departure]:
    """List the images that have such properties; those that something is working on are skipped."""
    cloud = context.cloud
    planned = {image.id: _planned(image, keys) for image in _images(cloud, owner) if (keys := _keys(cloud, image))}
    # Read after the images, so that no launch is missed that began meanwhile.
    if planned and cloud.has("compute"):
        for image_id in compute.images_being_launched(cloud) & planned.keys():
            if planned[image_id].outcome == "listed":
                planned[image_id] = planned[image_id].model_copy(update={"outcome": "skipped", "reason": say(LAUNCH)})
    return list(planned.values())


def _images(cloud: Cloud, owner: str | None) -> Iterator[Image]:
    """Iterate over every record; Glance lists either hidden images or the others."""
    for hidden in ("false", "true"):
        parameters = [("visibility", "all"), ("os_hidden", hidden), ("sort", "id:asc")]
        if owner is not None:
            parameters.append(("owner", owner))
        yield from (image for image in pages.read(cloud, parameters) if image.glance_status not in GONE)


def _keys(cloud: Cloud, image: Image) -> frozenset[str]:
    """Return the keys of HYPERX's properties of a record."""
    # A property of another tool may have the name of a field: the model does not show whether ours is there, too.
    if any(name in (image.__pydantic_extra__ or ()) for name in _OWN_FIELDS):
        try:
            return _present(cloud, image.id)
        except NotFoundError:
            return frozenset()
    return _own(glance_keys(image))


def _own(keys: Iterable[str]) -> frozenset[str]:
    return frozenset(key for key in keys if key.startswith(OWN_PREFIX))


def _planned(image: Image, keys: frozenset[str]) -> Departure:
    reason = _under_way(image)
    return Departure(
        image_id=image.id,
        name=image.name,
        owner=image.owner,
        outcome="skipped" if reason else "listed",
        left=tuple(sorted(keys)),
        reason=reason,
    )


def _under_way(image: Image) -> Text:
    """Return the sentence that says what is under way with a record, apart from launches; no text if nothing is.

    Glance's PATCH writes the whole record, so it could also restore the old status of one whose data is being written.
    """
    if is_being_captured(image):
        return say(CAPTURE)
    if is_unfinished_registration(image):
        return say(REGISTRATION)
    return say(WRITING) if is_without_data(image) else NO_TEXT


# ----------------------------------------------------------------- removing


def _departed(context: Context, listed: list[Departure]) -> Iterator[Departure]:
    """Remove the properties of one image after the other; leave out images that were deleted meanwhile."""
    refused: set[str] = set()
    failures: int = 0
    stopped: HyperxGlanceError | None = None
    for departure in listed:
        if departure.outcome == "skipped":
            yield departure
            continue
        if stopped:
            yield _failed(departure, "failed", stopped)
            continue
        try:
            yield _departure(departure, _remove(context, departure, refused), refused)
        except HyperxGlanceError as error:
            if isinstance(error, NotFoundError) and _is_gone(context.cloud, departure.image_id):
                continue
            failures = failures + 1 if isinstance(error, ServiceUnavailableError) else 0
            if failures == MOST_FAILURES or isinstance(error, AuthenticationError):
                stopped = error
            yield _failed(departure, "refused" if isinstance(error, NotAllowedError) else "failed", error)
        else:
            failures = 0


def _failed(departure: Departure, outcome: str, error: HyperxGlanceError) -> Departure:
    changes = {"outcome": outcome, "reason": error.message, "explanation": error.explanation}
    return departure.model_copy(update=changes)


def _is_gone(cloud: Cloud, image_id: str) -> bool:
    """Check whether Glance does not show a record either, so that nothing of it is left to remove."""
    try:
        _present(cloud, image_id)
    except NotFoundError:
        return True
    except HyperxGlanceError:
        return False
    return False


def _departure(departure: Departure, after: frozenset[str], refused: set[str]) -> Departure:
    outcome: Literal["removed", "refused", "failed"] = "removed"
    reason = NO_TEXT
    if after:
        outcome, reason = ("refused", say(PROTECTED)) if after == _kept(after, refused) else ("failed", say(KEPT))
    removed = tuple(key for key in departure.left if key not in after)
    changes = {"outcome": outcome, "removed": removed, "left": tuple(sorted(after)), "reason": reason}
    return departure.model_copy(update=changes)


def _remove(context: Context, departure: Departure, refused: set[str]) -> frozenset[str]:
    """Remove properties of one record, and return those that it still has.

    If a response is lost, the record is read again, and only what is left is sent again. ``refused`` gets the keys that
    property protections refuse: these rules are the same for every image, so they are not tried again.
    """
    for attempt in attempts(context.settings.pace):
        with attempt:
            left = _present(context.cloud, departure.image_id) if attempt.lost else frozenset(departure.left)
            left = _patch(context.cloud, departure.image_id, left, refused)
    return left


def _patch(cloud: Cloud, image_id: str, keys: frozenset[str], refused: set[str]) -> frozenset[str]:
    """Remove properties by one patch; without those that others have removed, and without those that are refused."""
    while wanted := sorted(keys - _kept(keys, refused)):
        try:
            answer = cloud.patch_image(image_id, json_patch(Edit("properties", key, None) for key in wanted))
        except ConflictError:
            now = _present(cloud, image_id)
            if not now < keys:
                raise
            keys = now
        except NotAllowedError as error:
            # Glance names the first property that it refuses (glance/common/exception.py, ReservedProperty).
            named = {key for key in wanted if f"'{key}'" in error.explanation}
            if not named:
                raise
            refused |= named
        else:
            return _keys_of(answer.content, image_id)
    return keys


def _kept(keys: frozenset[str], refused: set[str]) -> frozenset[str]:
    """Return the properties that stay: those that are refused, and those without which they would mislead.

    Without its failure, a record would look like a registration to resume, and without the mark of its verification,
    like one to verify.
    """
    kept = keys & refused
    if kept:
        kept |= keys & {glance_key("failure")}
    if glance_key("checksum_wanted") in kept:
        kept |= keys & {glance_key("checksum_verified")}
    return kept


def _present(cloud: Cloud, image_id: str) -> frozenset[str]:
    """Read the keys that a record has now."""
    return _keys_of(cloud.get("image", image_path(image_id)).content, image_id)


def _keys_of(content: bytes, image_id: str) -> frozenset[str]:
    record = parsed(_Record, "image", content)
    if record.id.lower() != image_id.lower():
        raise not_understood("image", "sent-another-image")
    return _own(record.model_extra or ())
