"""The first step of a capture: one request, and what became of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hyperx_glance.capturing import services
from hyperx_glance.capturing.following import CaptureFollower
from hyperx_glance.errors import (
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
)
from hyperx_glance.quotas.refusals import quota_error
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import may_be_done
from hyperx_glance.waiting.quiet import Quiet, sent_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.capturing.checking import Checked
    from hyperx_glance.capturing.order import CaptureOrder
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.cloud.volumes import Volume


def start(context: Context, checked: Checked) -> CaptureFollower:
    """Order the copy of the disk. It is never ordered twice: a lost answer is found by the capture's id."""
    order, root = checked
    made = MayHaveMade(capture_id=order.capture_id)
    with made:
        try:
            return _by_nova(context, order) if root is None else _by_cinder(context, order, root)
        except HyperxGlanceError as refusal:
            if not may_be_done(refusal):
                refusal.capture_id = order.capture_id
                if _take_back(context, order, refusal):
                    made.undone()
                _tell_of_quota(context, order, refusal)
            raise


def _tell_of_quota(context: Context, order: CaptureOrder, refusal: HyperxGlanceError) -> None:
    """Raise the error with figures, where the refusal tells of a quota."""
    if isinstance(refusal, QuotaExceededError | NotAllowedError):
        exceeded = quota_error(
            refusal.message,
            department=context.departments.own().name,
            status=refusal.status,
            request_id=refusal.request_id,
        )
        if exceeded is not None:
            exceeded.service, exceeded.capture_id = refusal.service, order.capture_id
            raise exceeded from refusal


def _by_nova(context: Context, order: CaptureOrder) -> CaptureFollower:
    quiet = Quiet(context.settings.pace)
    image_id = _ordered(
        context,
        lambda: services.create_image(context.cloud, order),
        lambda: next((record.id for record in services.records(context.cloud, order.capture_id)), None),
        quiet,
    )
    return _following(context, order, quiet, image_id=image_id)


def _by_cinder(context: Context, order: CaptureOrder, root: Volume) -> CaptureFollower:
    quiet = Quiet(context.settings.pace)
    copy_id = _ordered(
        context,
        lambda: services.copy_volume(context.cloud, root, order).id,
        lambda: next((copy.id for copy in services.copies(context.cloud, order.capture_id)), None),
        quiet,
    )
    quiet.end()
    return _following(context, order, quiet, copy_id=copy_id)


def _following(
    context: Context, order: CaptureOrder, quiet: Quiet, *, image_id: str | None = None, copy_id: str | None = None
) -> CaptureFollower:
    return CaptureFollower(
        context,
        capture_id=order.capture_id,
        server_id=order.server_id,
        order=order,
        has_copies=order.on_volumes,
        quiet=quiet,
        image_id=image_id,
        copy_id=copy_id,
    )


def _ordered(context: Context, send: Callable[[], str], find: Callable[[], str | None], quiet: Quiet) -> str:
    """Send the one request; if its response is lost, search for what it has made. Return the id of what was made."""
    answer = sent_once(context.settings.pace, send)
    if isinstance(answer, str):
        quiet.end()
        return answer
    try:
        found = quiet.listen(find)
    except HyperxGlanceError as problem:
        # Whatever this look says, it is no answer to the order, which may be done.
        answer.add_note(f"Looking for what it has made failed: {problem}")
        raise answer from problem
    if found is None:
        raise answer
    quiet.begin()
    return found


def _take_back(context: Context, order: CaptureOrder, refusal: HyperxGlanceError) -> bool:
    """Delete what a refused request has made all the same; tell whether it is certain that nothing is left.

    Nova makes the record before it looks whether another task has the server (nova/compute/api.py, snapshot).
    """
    if order.on_volumes:
        return True
    try:
        for record in services.records(context.cloud, order.capture_id):
            with contextlib.suppress(NotFoundError):
                context.cloud.delete_image(record.id)
    except HyperxGlanceError as second:
        refusal.add_note(f"What it has made could not be deleted: {second}")
        return False
    return True
