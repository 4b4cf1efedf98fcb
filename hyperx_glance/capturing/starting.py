"""The start of a capture: one request, and the search for what it made if the response is lost.

>>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
>>> client.start_capture(server.id, NewCapture(name="web with nginx")).image_id is None
False
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, NoReturn

from hyperx_glance.capturing import services
from hyperx_glance.capturing.following import CaptureFollower
from hyperx_glance.errors import HyperxGlanceError, NotAllowedError, NotFoundError, QuotaExceededError
from hyperx_glance.quotas.refusals import quota_error
from hyperx_glance.texts import say
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.quiet import Quiet, sent_once

if TYPE_CHECKING:
    from hyperx_glance.capturing.checking import Checked
    from hyperx_glance.capturing.order import CaptureOrder
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.cloud.volumes import Volume

LOG = logging.getLogger(__name__)


def start(context: Context, checked: Checked) -> CaptureFollower:
    """Order the copy of the disk by one request, which is never sent twice."""
    order, root = checked
    quiet = Quiet(context.settings.pace)
    made = MayHaveMade(capture_id=order.capture_id)
    with made:
        try:
            answer = sent_once(context.settings.pace, lambda: _order(context, order, root))
        except HyperxGlanceError as refusal:
            if _take_back(context, order, refusal):
                made.undone()
            _refuse(context, order, refusal)
        if isinstance(answer, str):
            quiet.end()
        made_id = answer if isinstance(answer, str) else _search(context, order, quiet, answer)
        return CaptureFollower(
            context,
            capture_id=order.capture_id,
            server_id=order.server_id,
            order=order,
            has_copies=order.on_volumes,
            quiet=quiet,
            image_id=None if order.on_volumes else made_id,
            copy_id=made_id if order.on_volumes else None,
        )


def _order(context: Context, order: CaptureOrder, root: Volume | None) -> str:
    """Send the request, and return the id of the record that Nova made, or of the copy that Cinder made."""
    if root is None:
        return services.create_image(context.cloud, order)
    return services.copy_volume(context.cloud, root, order).id


def _refuse(context: Context, order: CaptureOrder, refusal: HyperxGlanceError) -> NoReturn:
    """Raise the error for a refusal: the error with figures if a quota is exceeded, otherwise the refusal itself."""
    refusal.capture_id = order.capture_id
    if isinstance(refusal, QuotaExceededError | NotAllowedError):
        exceeded = quota_error(
            refusal.explanation,
            department=context.departments.own().name,
            status=refusal.status,
            request_id=refusal.request_id,
        )
        if exceeded is not None:
            exceeded.service, exceeded.capture_id = refusal.service, order.capture_id
            raise exceeded from refusal
    raise refusal


def _search(context: Context, order: CaptureOrder, quiet: Quiet, lost: HyperxGlanceError) -> str:
    """Search for the record or copy that a request made whose response was lost, and return its id.

    An error of the search says nothing about the request, which may be done. So the error of the request is raised.
    """

    def look() -> str | None:
        cloud, capture_id = context.cloud, order.capture_id
        found = services.copies(cloud, capture_id) if order.on_volumes else services.records(cloud, capture_id)
        return found[0].id if found else None

    try:
        made_id = quiet.listen(look)
    except HyperxGlanceError as error:
        lost.add_note(say("capture-search-failed", problem=error.message))
        raise lost from error
    if made_id is None:
        raise lost
    if order.on_volumes:
        quiet.end()
    else:
        quiet.begin()
    return made_id


def _take_back(context: Context, order: CaptureOrder, refusal: HyperxGlanceError) -> bool:
    """Delete anything that a refused request has made; return whether it is certain that nothing is left.

    Nova makes the record before it checks whether another task holds the server (nova/compute/api.py, snapshot).
    """
    if order.on_volumes:
        return True
    try:
        for record in services.records(context.cloud, order.capture_id):
            with contextlib.suppress(NotFoundError):
                context.cloud.delete_image(record.id)
    except HyperxGlanceError as second:
        refusal.add_note(say("capture-record-not-deleted", capture=order.capture_id, problem=second.message))
        LOG.warning("The record of capture %s could not be deleted: %s", order.capture_id, second)
        return False
    return True
