"""Find a capture again: whose caller died, or whose answer was lost.

>>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
>>> image = client.capture(server.id, NewCapture(name="web", capture_id="order-2026-1125-0001"))
>>> client.find_capture("order-2026-1125-0001").image_id == image.id
True
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hyperx_glance.capturing import services
from hyperx_glance.capturing.following import Following
from hyperx_glance.capturing.order import SERVER_KEY, Order
from hyperx_glance.capturing.template import glance_texts
from hyperx_glance.errors import NotFoundError, WaitTimeoutError
from hyperx_glance.launching.ids import is_settled
from hyperx_glance.launching.quiet import QUIET_SECONDS, Quiet
from hyperx_glance.models.image import is_being_captured, is_cancelled_capture
from hyperx_glance.waiting import wait_until

if TYPE_CHECKING:
    from hyperx_glance.context import Context


def find(context: Context, capture_id: str) -> Following:
    """Find what a capture has made: a record, a copy of a volume, or both.

    Where nothing is there, look for ten seconds, since a service may still be working; an id that this library has
    drawn tells when, and after ten minutes one look is enough. Raise `NotFoundError` where nothing comes.
    """
    found = _look(context, capture_id)
    if found is None and not is_settled(capture_id, datetime.now(UTC)):
        try:
            found = wait_until(context.settings.pace, lambda: _look(context, capture_id), timeout=QUIET_SECONDS)
        except WaitTimeoutError:
            found = None
    if found is None:
        missing = NotFoundError(
            f"Nothing is there of capture {capture_id}.", hint="It was never started, it failed, or it was cancelled."
        )
        missing.capture_id = capture_id
        raise missing
    return found


def _look(context: Context, capture_id: str) -> Following | None:
    cloud, quiet = context.cloud, Quiet(context.settings.pace)
    copies = services.copies(cloud, capture_id) if cloud.has("block-storage") else []
    # A finished image first: what else is called like it was made of it.
    records = sorted(services.records(cloud, capture_id), key=is_being_captured)
    if not records and not copies:
        return None
    if (records and not is_being_captured(records[0])) or (records and is_cancelled_capture(records[0])):
        order, server_id = None, records[0].captured_from
    elif records:
        order = Order.read(glance_texts(records[0]))
        server_id = order.server_id
    else:
        order = Order.read(copies[0].metadata)
        server_id = copies[0].metadata.get(SERVER_KEY, "")
    return Following(
        context,
        capture_id=capture_id,
        server_id=server_id,
        order=order,
        has_copies=bool(copies) or (order is not None and order.on_volumes),
        quiet=quiet,
        image_id=records[0].id if records else None,
        copy_id=copies[0].id if copies else None,
    )
