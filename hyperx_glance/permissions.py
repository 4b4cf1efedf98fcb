"""What a caller may do with an image, without a request.

>>> client.why_not(disk_image, "feature")
'Only administrators feature images; use category="public", or ask an administrator.'

The rules are those of the verbs, and of the default policies of a deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance import editing
from hyperx_glance.cloud.patching import belongs_to_another
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.launching import plan
from hyperx_glance.models import mapping
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.record import GONE
from hyperx_glance.vocabulary import Action, Category

if TYPE_CHECKING:
    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image

_EDIT = mapping.Edit("description", "description", "")
_CHANGES = {
    Action.PUBLISH: (ImageChanges(category=Category.PUBLIC), "The image is already public."),
    Action.WITHDRAW: (ImageChanges(category=Category.PRIVATE), "The image is already private."),
    Action.FEATURE: (ImageChanges(category=Category.FEATURED), "The image is already featured."),
    Action.PROTECT: (ImageChanges(protected=True), "The image is already protected against deletion."),
}
_STATUSES = {
    Action.ENABLE: ("active", "The image is already enabled."),
    Action.DISABLE: ("deactivated", "The image is already disabled."),
}
"""For each action, what it asks for, and the sentence for an image that is so already."""


def allowed(context: Context, image: Image) -> frozenset[Action]:
    """Return the actions that would succeed and change something; launches and downloads change no image."""
    return frozenset(action for action in Action if not why_not(context, image, action))


def why_not(context: Context, image: Image, action: Action) -> str:
    """Return the sentence that says why the action would fail or change nothing; "" if it is allowed."""
    if image.glance_status in GONE:
        return "The image is being deleted; register it again."
    cloud = context.cloud
    match action:
        case Action.LAUNCH:
            return _launch_problem(cloud, image) or _reader_problem(cloud)
        case Action.DOWNLOAD:
            return _download_problem(cloud, image) or _reader_problem(cloud)
        case Action.EDIT:
            problem = _owner_problem(cloud, image)
            return problem and _edit_problem(context, image, problem)
        case Action.DELETE if image.protected:
            return "The image is protected against deletion; remove the protection first: protected=False."
        case Action.DELETE:
            return _owner_problem(cloud, image)
        case Action.ENABLE | Action.DISABLE:
            return _switch_problem(cloud, image, *_STATUSES[action])
    return _change_problem(context, image, *_CHANGES[action])


def _sentence(error: HyperxGlanceError) -> str:
    message = error.message.removesuffix(".")
    return f"{message}; {error.hint[:1].lower()}{error.hint[1:]}" if error.hint else f"{message}."


def _launch_problem(cloud: Cloud, image: Image) -> str:
    try:
        plan.check_image(image, project_id=cloud.project_id)
        plan.check_request(image, plan.AS_USUAL)
    except HyperxGlanceError as error:
        return _sentence(error)
    return ""


def _reader_problem(cloud: Cloud) -> str:
    if cloud.is_administrator or "member" in cloud.access.role_names:
        return ""
    return "You have read-only access in this department; ask for the role member."


def _owner_problem(cloud: Cloud, image: Image) -> str:
    if belongs_to_another(cloud, image):
        return "The image belongs to another department; only its members and administrators may do this."
    return _reader_problem(cloud)


def _edit_problem(context: Context, image: Image, problem: str) -> str:
    if image.owner == context.cloud.project_id:
        return problem
    reason, hint = editing.not_for_everybody(context, image, [_EDIT])
    return reason and f"The image belongs to another department{reason}; {hint[:1].lower()}{hint[1:]}"


def _switch_problem(cloud: Cloud, image: Image, wanted: str, already: str) -> str:
    if image.glance_status == wanted:
        return already
    if image.glance_status in (status for status, _ in _STATUSES.values()):
        return _owner_problem(cloud, image)
    return _owner_problem(cloud, image) or "Only an image with data can be disabled or enabled; wait for its data."


def _change_problem(context: Context, image: Image, changes: ImageChanges, already: str) -> str:
    # Values that the image already has are not sent, so the verb would change nothing.
    if not mapping.edit_patch(image, changes, public_visibility=context.settings.public_visibility):
        return already
    try:
        editing.check_category(context.cloud, image, changes)
    except HyperxGlanceError as error:
        return _sentence(error)
    return _owner_problem(context.cloud, image)


def _download_problem(cloud: Cloud, image: Image) -> str:
    match image.glance_status:
        case "active":
            return ""
        case "deactivated":
            # glance/api/v2/image_data.py, download
            return "" if cloud.is_administrator else "The image is disabled; enable it first."
    return "The image has no data yet; wait for its data."
