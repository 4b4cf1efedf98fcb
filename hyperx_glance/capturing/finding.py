"""Find a capture again, because its caller died or a response was lost.

>>> (server,) = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny")).servers
>>> image = client.capture(server.id, NewCapture(name="web", capture_id="order-2026-1125-0001"))
>>> client.find_capture("order-2026-1125-0001").image_id == image.id
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.capturing import services
from hyperx_glance.capturing.following import CaptureFollower
from hyperx_glance.capturing.order import SERVER_KEY, CaptureOrder
from hyperx_glance.capturing.template import glance_texts
from hyperx_glance.errors import NotFoundError
from hyperx_glance.models.record import is_being_captured, is_cancelled_capture
from hyperx_glance.texts import say
from hyperx_glance.waiting.quiet import Quiet, find_again

if TYPE_CHECKING:
    from hyperx_glance.cloud.context import Context


def find(context: Context, capture_id: str) -> CaptureFollower:
    """Find the record, the copy of a volume, or both, that a capture has made.

    If nothing is there, look for ten seconds, since a service may still be working. An id that this library generated
    contains its time; after ten minutes, one look is enough. Raise `NotFoundError` if nothing is found.
    """

    def look() -> CaptureFollower | None:
        return _look(context, capture_id)

    found = look() or find_again(context.settings.pace, capture_id, look)
    if found is None:
        missing = NotFoundError(say("nothing-of-capture", capture=capture_id), hint=say("capture-never-started"))
        missing.capture_id = capture_id
        raise missing
    return found


def _look(context: Context, capture_id: str) -> CaptureFollower | None:
    """Look once. Cinder is not asked if the order says that Nova copies the disk."""
    cloud = context.cloud
    # A finished image first: other records with its marks were made from it.
    record = min(services.records(cloud, capture_id), key=is_being_captured, default=None)
    order: CaptureOrder | None = None
    if record is not None and is_being_captured(record) and not is_cancelled_capture(record):
        order = CaptureOrder.read(glance_texts(record))
    asks_cinder = (order is None or order.on_volumes) and cloud.has("block-storage")
    copies = services.copies(cloud, capture_id) if asks_cinder else []
    if record is None and not copies:
        return None
    if record is None:
        order = CaptureOrder.read(copies[0].metadata)
    return CaptureFollower(
        context,
        capture_id=capture_id,
        server_id=copies[0].metadata.get(SERVER_KEY, "") if record is None else record.captured_from,
        order=order,
        has_copies=bool(copies) or (order is not None and order.on_volumes),
        quiet=Quiet(context.settings.pace),
        image_id=None if record is None else record.id,
        copy_id=copies[0].id if copies else None,
    )
