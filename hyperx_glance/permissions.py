"""What a caller may do with an image or a server, without a request.

>>> client.why_not(disk_image, "feature")
'Only administrators feature images. Use category="public", or ask an administrator.'

The rules are those of the verbs, and of the default policies of a deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance import editing, sharing
from hyperx_glance.capturing import checking
from hyperx_glance.cloud.patching import belongs_to_another
from hyperx_glance.cloud.refusals import refused
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.launching import plan, resetting
from hyperx_glance.models import mapping
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.record import GONE
from hyperx_glance.models.releases import is_marked
from hyperx_glance.texts import NO_TEXT, Text, say, sentences
from hyperx_glance.vocabulary import Action, Category, Lifecycle, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.compute import ServerRecord
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image

_EDIT = mapping.Edit("description", "description", "")
_CHANGES = {
    Action.PUBLISH: (ImageChanges(category=Category.PUBLIC), "already-public"),
    Action.WITHDRAW: (ImageChanges(category=Category.PRIVATE), "already-private"),
    Action.FEATURE: (ImageChanges(category=Category.FEATURED), "already-featured"),
    Action.PROTECT: (ImageChanges(protected=True), "already-protected"),
    Action.UNPROTECT: (ImageChanges(protected=False), "already-unprotected"),
}
_STATUSES = {
    Action.ENABLE: ("active", "already-enabled"),
    Action.DISABLE: ("deactivated", "already-disabled"),
}
"""For each action, what it asks for, and the code of the text for an image that is so already."""


def allowed(context: Context, image: Image) -> frozenset[Action]:
    """Return the actions that would succeed and change something; launches and downloads change no image."""
    return frozenset(action for action in Action if not why_not(context, image, action))


def why_not(context: Context, image: Image, action: Action) -> Text:
    """Return the text that says why the action would fail or change nothing; no text if it is allowed."""
    if image.glance_status in GONE:
        return sentences(say("being-deleted"), say("register-again"))
    cloud = context.cloud
    match action:
        case Action.LAUNCH:
            return _launch_problem(cloud, image) or _reader_problem(cloud)
        case Action.DOWNLOAD:
            return _download_problem(cloud, image) or _reader_problem(cloud)
        case Action.EDIT:
            problem = _owner_problem(cloud, image)
            return problem and _edit_problem(context, image, problem)
        case Action.DELETE:
            return _delete_problem(cloud, image)
        case Action.DEPRECATE | Action.REINSTATE:
            return _lifecycle_problem(image, action) or _owner_problem(cloud, image)
        case Action.ENABLE | Action.DISABLE:
            policy = "reactivate" if action is Action.ENABLE else "deactivate"
            return _switch_problem(cloud, image, *_STATUSES[action]) or _policy_problem(cloud, policy)
        case Action.SHARE:
            return _share_problem(cloud, image)
        case Action.ACCEPT | Action.DECLINE:
            return sharing.why_not_answer(cloud, image, action) or _reader_problem(cloud)
    return _change_problem(context, image, *_CHANGES[action])


def why_not_capture(cloud: Cloud, server: ServerRecord) -> Text:
    """Return the text that says why a server cannot be captured, as far as its record shows."""
    return _problem(lambda: checking.check_server(cloud, server)) or _reader_problem(cloud)


def why_not_reset_password(cloud: Cloud, server: ServerRecord) -> Text:
    """Return the text that says why the password of a server cannot be set, as far as its record shows."""
    return _problem(lambda: resetting.check_server(cloud, server)) or _reader_problem(cloud)


def _problem(check: Callable[[], object]) -> Text:
    try:
        check()
    except HyperxGlanceError as error:
        return sentences(error.message, error.hint)
    return NO_TEXT


def _launch_problem(cloud: Cloud, image: Image) -> Text:
    def check() -> None:
        plan.check_image(image, project_id=cloud.project_id)
        plan.check_request(image, plan.AS_USUAL)

    return _problem(check)


def _reader_problem(cloud: Cloud) -> Text:
    if cloud.is_administrator or "member" in cloud.access.role_names:
        return NO_TEXT
    return sentences(say("read-only-access"), say("ask-for-the-role"))


def _owner_problem(cloud: Cloud, image: Image) -> Text:
    if belongs_to_another(cloud, image):
        return say("of-its-department")
    return _reader_problem(cloud)


def _delete_problem(cloud: Cloud, image: Image) -> Text:
    if image.protected:
        return sentences(say("image-protected"), say("unprotect-first"))
    return _owner_problem(cloud, image) or _policy_problem(cloud, "delete_image")


def _policy_problem(cloud: Cloud, policy: str) -> Text:
    """Return the text about a policy that has refused the same on another image of the department."""
    if not refused(cloud, policy):
        return NO_TEXT
    return sentences(say("policy-refused-it"), say("ask-for-the-policy", policy=policy))


def _edit_problem(context: Context, image: Image, problem: Text) -> Text:
    if image.owner == context.cloud.project_id:
        return problem
    return sentences(*editing.not_for_everybody(context, image, [_EDIT]))


def _switch_problem(cloud: Cloud, image: Image, wanted: str, already: str) -> Text:
    if image.glance_status == wanted:
        return say(already)
    if image.glance_status in (status for status, _ in _STATUSES.values()):
        return _owner_problem(cloud, image)
    return _owner_problem(cloud, image) or sentences(say("only-with-data"), _way_to_data(image))


def _share_problem(cloud: Cloud, image: Image) -> Text:
    try:
        sharing.check_shareable(image)
    except HyperxGlanceError as error:
        return sentences(error.message, error.hint)
    return _owner_problem(cloud, image)


def _lifecycle_problem(image: Image, action: Action) -> Text:
    if action is Action.DEPRECATE:
        return NO_TEXT if image.lifecycle is Lifecycle.CURRENT else say("already-deprecated")
    return NO_TEXT if is_marked(image) else say("already-current")


def _change_problem(context: Context, image: Image, changes: ImageChanges, already: str) -> Text:
    # Values that the image already has are not sent, so the verb would change nothing.
    if not mapping.edit_patch(image, changes, public_visibility=context.settings.public_visibility):
        return say(already)
    try:
        editing.check_category(context.cloud, image, changes)
    except HyperxGlanceError as error:
        return sentences(error.message, error.hint)
    return _owner_problem(context.cloud, image)


def _download_problem(cloud: Cloud, image: Image) -> Text:
    match image.glance_status:
        case "active":
            return NO_TEXT
        case "deactivated":
            # glance/api/v2/image_data.py, download
            if cloud.is_administrator:
                return NO_TEXT
            return sentences(say("image-is-disabled"), say("enable-first", image=image.id))
    return sentences(say("image-has-no-data"), _way_to_data(image))


def _way_to_data(image: Image) -> Text:
    failed = image.phase is Phase.FAILED  # then waiting would be in vain
    return say("delete-and-register-again" if failed else "wait-for-its-data")
