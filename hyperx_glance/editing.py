"""Changing images by the smallest patch; disabling and enabling them.

    >>> image = client.register(hyperx_glance.NewImage(name="debian", url="https://files.example/debian-12.qcow2"))
    >>> image = client.update(image, description="Nightly build", tags={"linux", "nightly"})
    >>> image.description, sorted(image.tags)
    ('Nightly build', ['linux', 'nightly'])
    >>> client.update(image, properties={"hypervisor_type": "xen"})
    Traceback (most recent call last):
    hyperx_glance.errors.ImmutableFieldError: properties.hypervisor_type: hypervisor_type never changes ...

One fresh read, then at most one PATCH; fields that the caller did not name are never written. If a response is lost,
the image is read again, and only what is missing is sent again. The steward, a second connection, sends a PATCH only
for what HYPERX allows and Glance does not: every user may edit public images.
"""

from hyperx_glance.cloud.cloud import FIRST_PATCH_MEDIA_TYPE, Cloud, image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.patching import apply, belongs_to_another, patch
from hyperx_glance.errors import (
    AuthenticationError,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
)
from hyperx_glance.models import mapping
from hyperx_glance.models.editing import ImageChanges, ImageFields
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.mapping import Edit
from hyperx_glance.models.record import is_being_captured, is_volume_snapshot
from hyperx_glance.vocabulary import Category, glance_key
from hyperx_glance.waiting.pace import attempts

MOST_RIVALS = 20
"""How often others may write an image before an update of it gives up."""


def changes(given: ImageChanges | None, fields: ImageFields) -> ImageChanges:
    """Return the changes from a request model or from keywords."""
    if given is not None and fields:
        raise InvalidRequestError("update: give changes or keywords, not both")
    return ImageChanges.model_validate(fields) if given is None else given


def update(context: Context, image: Image | str, changes: ImageChanges) -> Image:
    """Change the fields that differ, and return the image as it is afterwards.

    If a response is lost, or somebody else writes at the same time, the image is read again, and only fields that still
    differ are sent. So nothing is written twice. Each conflict means that somebody else's change succeeded; a second
    conflict on an unchanged image is final.
    """
    reference = image_id(image)
    current = context.cloud.image(reference)
    for attempt in attempts(context.settings.pace):
        with attempt:
            now = context.cloud.image(reference) if attempt.lost else current
            after = _update_among_rivals(context, now, changes)
    return after


def _update_among_rivals(context: Context, now: Image, changes: ImageChanges) -> Image:
    before, rivals = None, 0
    while True:
        try:
            return _update(context, now, changes)
        except ConflictError as error:
            if error.status is None or now == before or rivals == MOST_RIVALS:
                raise
        rivals += 1
        before, now = now, context.cloud.image(now.id)


def disable(context: Context, image: Image | str) -> Image:
    """Make an image INACTIVE, and keep its data."""
    return _act(context, image_id(image), "deactivate")


def enable(context: Context, image: Image | str) -> Image:
    """Make a disabled image ACTIVE again."""
    return _act(context, image_id(image), "reactivate")


def _update(context: Context, current: Image, changes: ImageChanges) -> Image:
    cloud = context.cloud
    check_category(cloud, current, changes)

    def wanted(image: Image) -> list[Edit]:
        return mapping.edit_patch(image, changes, public_visibility=context.settings.public_visibility)

    try:
        return apply(cloud, current, wanted)
    except NotAllowedError as error:
        if not belongs_to_another(cloud, current):
            raise
        return _edit_as_anybody(context, current, wanted(current), error)


def check_category(cloud: Cloud, current: Image, changes: ImageChanges) -> None:
    """Refuse a category that this caller may not set, or in which no tab would show the image."""
    if "category" not in changes.model_fields_set:
        return
    featured = changes.category is Category.FEATURED
    if featured and current.category is not Category.FEATURED and not cloud.is_administrator:
        raise NotAllowedError(
            "Only administrators feature images.", hint=f'Use category="{Category.PUBLIC}", or ask an administrator.'
        )
    if changes.category is not Category.PRIVATE and is_volume_snapshot(current):
        raise ConflictError(
            f"Image {current.id} is a snapshot of a server on volumes: it has no data, and only its department could "
            "launch it.",
            hint="Capture the server: capture(server_id, NewCapture(name=...)) makes an image of its disk.",
        )
    if changes.category is not Category.PRIVATE and is_being_captured(current):
        raise ConflictError(
            f"Image {current.id} is still being captured.",
            hint="find_capture(capture_id).wait() finishes it.",
        )


def _edit_as_anybody(context: Context, image: Image, edits: list[Edit], refusal: NotAllowedError) -> Image:
    """Let the steward make a change that HYPERX allows every user; make all of it or nothing.

    Regardless of the policies, Glance's database refuses everybody except the owner of the image
    (glance/db/sqlalchemy/api.py, is_image_mutable).
    """
    steward = context.steward
    reason, hint = not_for_everybody(context, image, edits)
    if reason or steward is None:
        raise NotAllowedError(
            f"Image {image.id} belongs to another department{reason}.",
            hint=hint,
            **refusal.answer(),
        ) from refusal
    edits = [*edits, Edit("edited_by", glance_key("edited_by"), context.cloud.user_id)]
    try:
        after = patch(steward, image, mapping.patch_unless_featured(image, edits), media_type=FIRST_PATCH_MEDIA_TYPE)
    except AuthenticationError as error:  # an error of the steward: logging in again would not help the caller
        raise NotAllowedError(
            f"Image {image.id} belongs to another department, and the steward cannot log in: {error.message}",
            hint="An operator should renew the steward's session or credentials.",
            **refusal.answer(),
        ) from error
    except NotAllowedError as error:
        error.hint = "The steward itself lacks permission: it needs the role admin."
        raise
    if after.category is not Category.PUBLIC:
        raise ConflictError(
            f"Image {image.id} became {after.category} a moment before it was edited; these fields were still written: "
            f"{', '.join(sorted({edit.field for edit in edits}))}.",
            hint="Tell its department, or an administrator: the steward does not change categories or undo edits.",
        )
    # The response to the steward may contain properties that this caller may not read.
    return _read_after(context, image.id, "edit")


def not_for_everybody(context: Context, image: Image, edits: list[Edit]) -> tuple[str, str]:
    """Return why not everybody may make an edit, and what to do; an empty reason if everybody may."""
    reserved = sorted({edit.field for edit in edits} - mapping.STEWARD_FIELDS)
    if image.category is not Category.PUBLIC:
        hint = "Only its department and administrators may. Every user may edit public images that are not featured."
        return f" and is {image.category}", hint
    if reserved:
        hint = f"Of a public image, every user may change only {', '.join(sorted(mapping.STEWARD_FIELDS))}."
        return f", and only that department may change {', '.join(reserved)}; nothing was changed", hint
    if set(context.cloud.access.role_names) <= {"reader"}:
        return ", and you have read-only access", "Ask an administrator for the role member in your department."
    if context.steward is None:
        return ", and this client has no steward", "Connect with steward=, a session that may edit every public image."
    return "", ""


def _act(context: Context, reference: str, action: str) -> Image:
    """Send an action, whose response is empty, and read the image again.

    It may be sent again: Glance answers 204 for an image that is in that state already. It answers 403 if the caller
    may not do this, and also for an image without data (glance/domain/__init__.py, deactivate).
    """
    try:
        for attempt in attempts(context.settings.pace):
            with attempt:
                context.cloud.post("image", image_path(reference, "actions", action))
    except NotAllowedError as error:
        if "image in status" not in error.message:
            raise
        raise ConflictError(
            f"Image {reference}: {error.message}",
            hint="Only an image with data can be disabled or enabled.",
            **error.answer(),
        ) from error
    return _read_after(context, reference, action)


def _read_after(context: Context, reference: str, action: str) -> Image:
    try:
        return context.cloud.image(reference)
    except HyperxGlanceError as error:
        error.add_note(f"Before this error, Glance had completed the requested action ({action}).")
        raise
