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

from collections.abc import Iterable

from hyperx_glance.cloud.cloud import FIRST_PATCH_MEDIA_TYPE, Cloud, image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.patching import apply, belongs_to_another, patch
from hyperx_glance.cloud.refusals import remembered
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
from hyperx_glance.texts import NO_TEXT, Text, field_name, say, word
from hyperx_glance.vocabulary import Category, glance_key
from hyperx_glance.waiting.pace import attempts

MOST_RIVALS = 20
"""How often others may write an image before an update of it gives up."""


def changes(given: ImageChanges | None, fields: ImageFields) -> ImageChanges:
    """Return the changes from a request model or from keywords."""
    if given is not None and fields:
        raise InvalidRequestError(say("changes-and-keywords"))
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
        raise NotAllowedError(say("only-administrators-feature"), hint=say("use-public-instead"))
    if changes.category is not Category.PRIVATE and is_volume_snapshot(current):
        raise ConflictError(say("snapshot-on-volumes", image=current.id), hint=say("capture-the-server"))
    if changes.category is not Category.PRIVATE and is_being_captured(current):
        raise ConflictError(
            say("still-being-captured", image=current.id), hint=say("finish-the-capture", capture=current.capture_id)
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
            reason or say("of-another-department", image=image.id),
            hint=hint,
            **refusal.answer(),
        ) from refusal
    edits = [*edits, Edit("edited_by", glance_key("edited_by"), context.cloud.user_id)]
    try:
        after = patch(steward, image, mapping.patch_unless_featured(image, edits), media_type=FIRST_PATCH_MEDIA_TYPE)
    except AuthenticationError as error:  # an error of the steward: logging in again would not help the caller
        raise NotAllowedError(
            say("steward-cannot-edit", image=image.id, problem=error.message),
            hint=say("renew-the-steward"),
            **refusal.answer(),
        ) from error
    except NotAllowedError as error:
        error.hint = say("steward-needs-admin")
        raise
    if after.category is not Category.PUBLIC:
        raise ConflictError(
            say(
                "edited-a-moment-late",
                image=image.id,
                category=after.category,
                fields=_fields(edit.field for edit in edits),
            ),
            hint=say("tell-its-department"),
        )
    # The response to the steward may contain properties that this caller may not read.
    return _read_after(context, image.id, "edit")


def not_for_everybody(context: Context, image: Image, edits: list[Edit]) -> tuple[Text, Text]:
    """Return why not everybody may make an edit, and what to do; no text if everybody may."""
    reserved = {edit.field for edit in edits} - mapping.STEWARD_FIELDS
    if image.category is not Category.PUBLIC:
        reason = say("of-another-department-in-category", image=image.id, category=image.category)
        return reason, say("only-its-department")
    if reserved:
        reason = say("of-another-department-with-fields", image=image.id, fields=_fields(reserved))
        return reason, say("only-these-fields", fields=_fields(mapping.STEWARD_FIELDS))
    if set(context.cloud.access.role_names) <= {"reader"}:
        return say("of-another-department-read-only", image=image.id), say("ask-for-the-role-member")
    if context.steward is None:
        return say("of-another-department-no-steward", image=image.id), say("connect-with-a-steward")
    return NO_TEXT, NO_TEXT


def _fields(names: Iterable[str]) -> list[Text]:
    return [field_name(name) for name in sorted(set(names))]


def _act(context: Context, reference: str, action: str) -> Image:
    """Send an action, whose response is empty, and read the image again.

    It may be sent again: Glance answers 204 for an image that is in that state already. It answers 403 if the caller
    may not do this, and also for an image without data (glance/domain/__init__.py, deactivate).
    """
    try:
        for attempt in attempts(context.settings.pace):
            with attempt, remembered(context.cloud, reference):
                context.cloud.post("image", image_path(reference, "actions", action))
        context.cloud.refused_policies.discard(action)
    except NotAllowedError as error:
        if "image in status" not in error.explanation:
            raise
        message, hint = say("image-without-data", image=reference), say("only-with-data")
        raise ConflictError(message, hint=hint, **error.answer()) from error
    return _read_after(context, reference, action)


def _read_after(context: Context, reference: str, action: str) -> Image:
    try:
        return context.cloud.image(reference)
    except HyperxGlanceError as error:
        error.add_note(say("action-was-done", action=word("glance-action", action)))
        raise
