"""Delete a record when nobody writes to it any more, so that its place in the quota is given back.

    >>> from hyperx_glance import Settings, removal
    >>> from hyperx_glance.cloud.context import Context
    >>> from hyperx_glance.cloud.departments import Departments
    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="saving")
    >>> context = Context(cloud, Departments(cloud), Settings())
    >>> removal.delete(context, image_id, lambda: cloud.delete_image(image_id), in_doubt=True) is None
    True

Glance deletes in two changes: it writes the status "deleted", and then that the record is gone
(glance/db/__init__.py, ImageRepo.remove). Whoever has read the record before and writes all of it back between the two
puts the old status back: a PATCH (glance/api/v2/images.py, update), or an upload that fails
(glance/api/v2/image_data.py, _restore). Such a record is in no list, and its department's quota counts it for ever
(glance/db/sqlalchemy/api.py, _image_get_count_by_owner). An import is harmless: it writes only where the status is the
one that it has read (glance/async_/flows/api_image_import.py, ImportActionWrapper). So does an upload that succeeds.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hyperx_glance.cloud import compute
from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import (
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    PlaceLostError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.quotas.reading import image_records, own_image_quota
from hyperx_glance.quotas.room import image_usage
from hyperx_glance.waiting.pace import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image
    from hyperx_glance.waiting.pace import Pace

WRITER_SECONDS = 30.0
"""So long a deletion waits for Nova or Cinder to end what they write, before it deletes all the same."""
UPLOAD_SECONDS = 5.0
"""Glance notices the end of a connection at once, where no proxy stands between."""
_RECOUNTS = 3


def delete(context: Context, image_id: str, send: Callable[[], None], *, in_doubt: bool) -> PlaceLostError | None:
    """Delete by ``send``; where somebody may have written meanwhile, give the error that tells of a lost place.

    Glance tells what a department uses, but lists no record that is gone: a place is lost where it counts more than it
    lists. It tells this of the caller's department alone, and only with unified limits.
    """
    if not in_doubt:
        send()
        return None
    department = context.departments.own()
    before = _told(lambda: _counted(context.cloud))
    send()
    after = _told(lambda: _counted(context.cloud))
    if before is None or after is None or after < before or not _told(lambda: unlisted(context.cloud)):
        return None
    return PlaceLostError(image_id, department=department.name)


def _told(ask: Callable[[], int | None]) -> int | None:
    """Give what a service tells; None where it does not, since what was to be done is done."""
    with contextlib.suppress(HyperxGlanceError):
        return ask()
    return None


def _counted(cloud: Cloud) -> int | None:
    usage = own_image_quota(cloud, Department(cloud.project_id, "")).images
    return None if usage is None else usage.used


def unlisted(cloud: Cloud) -> int | None:
    """Count the images of the caller's department that its quota counts and that no list shows.

    Give None where Glance does not tell, or where others make and delete images all the time.
    """
    counted = _counted(cloud)
    for _ in range(_RECOUNTS):
        if counted is None:
            return None
        listed = image_usage(image_records(cloud, Department(cloud.project_id, "")))["images"]
        again = _counted(cloud)
        if again == counted:
            return max(0, counted - listed)
        counted = again
    return None


# ----------------------------------------------------------------- who writes


def has_task(cloud: Cloud, server_id: str) -> bool:
    """Tell whether Nova does something with a server: it writes to the image of a snapshot until its task is over."""
    if not server_id:
        return False
    try:
        server = compute.server(cloud, server_id, microversion=None)
    except NotFoundError:
        return False
    return server.task_state is not None


def stands_still(context: Context, image_id: str) -> bool:
    """Wait until nobody writes to a record that has no data yet; False where somebody may do so all the same.

    Nova is waited for until its task is over, 30 seconds at most; an upload, 5 seconds at most.
    """
    pace, cloud = context.settings.pace, context.cloud
    uploads_until = pace.clock() + UPLOAD_SECONDS

    def look() -> bool | None:
        try:
            image = cloud.image(image_id)
        except NotFoundError:
            return True  # the deletion tells
        if _may_be_novas(cloud, image):
            return None
        if image.glance_status != "saving":
            return True
        return None if pace.clock() < uploads_until else False

    try:
        return wait_until(pace, look, timeout=WRITER_SECONDS)
    except WaitTimeoutError:
        return False


def _may_be_novas(cloud: Cloud, image: Image) -> bool:
    """Tell whether Nova may write to a record: it notes there of which server it makes one."""
    server_id = image.glance_property("instance_uuid")
    if not server_id or image.glance_status not in ("queued", "saving"):
        return False
    try:
        return has_task(cloud, server_id)
    except (NotAllowedError, ServiceUnavailableError):
        return True


def let_glance_notice(cloud: Cloud, pace: Pace, image_id: str) -> None:
    """Wait, for a moment, until Glance has put back a record whose upload broke off: it may be deleted next."""

    def look() -> bool | None:
        return cloud.image(image_id).glance_status != "saving" or None

    with contextlib.suppress(HyperxGlanceError):  # what broke the upload is told; a deletion tells what is wrong now
        wait_until(pace, look, timeout=UPLOAD_SECONDS)
