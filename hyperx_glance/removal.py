"""Deleting a record when nobody is writing to it, so that its place in the quota becomes free.

    >>> from hyperx_glance import Settings, removal
    >>> from hyperx_glance.cloud.context import Context
    >>> from hyperx_glance.cloud.departments import Departments
    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="saving")
    >>> context = Context(cloud, Departments(cloud), Settings())
    >>> removal.delete(context, image_id, lambda: cloud.delete_image(image_id), in_doubt=True) is None
    True

Glance deletes in two changes: it writes the status "deleted", and then that the record is gone
(glance/db/__init__.py, ImageRepo.remove). A request that has read the record before, and writes all of it back between
the two changes, restores the old status: a PATCH (glance/api/v2/images.py, update), or an upload that fails
(glance/api/v2/image_data.py, _restore). Such a record is in no list, and its department's quota counts it forever
(glance/db/sqlalchemy/api.py, _image_get_count_by_owner). An import is harmless: it writes only if the status is still
the one that it read (glance/async_/flows/api_image_import.py, ImportActionWrapper). So does an upload that succeeds.
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
from hyperx_glance.models.record import is_being_uploaded
from hyperx_glance.quotas.reading import image_records, own_image_quota
from hyperx_glance.quotas.room import image_usage
from hyperx_glance.vocabulary import SERVER_NOTE_KEY
from hyperx_glance.waiting.pace import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image
    from hyperx_glance.waiting.pace import Pace

WRITER_SECONDS = 30.0
"""The time that a deletion waits for Nova or Cinder to finish writing, before it deletes nevertheless."""
UPLOAD_SECONDS = 5.0
"""The time to wait for an upload. Without a proxy, Glance notices the end of a connection at once."""
_RECOUNTS = 3
_QUIET_LOOKS = 3
"""An upload that broke off early may not have begun for Glance yet: the record shows it a moment later."""


def delete(context: Context, image_id: str, send: Callable[[], None], *, in_doubt: bool) -> PlaceLostError | None:
    """Call ``send``, which deletes. Return an error if the deletion is ``in_doubt`` and a place in the quota was lost.

    A deletion is in doubt if a service may have written meanwhile. Glance counts the images that a department uses, but
    does not list records that are gone: a place is lost if it counts more images than it lists. It shows the usage of
    the caller's department only, and only with unified limits.
    """
    if not in_doubt:
        send()
        return None
    department = context.departments.own()
    before = _if_possible(lambda: _counted(context.cloud))
    send()
    after = _if_possible(lambda: _counted(context.cloud))
    if before is None or after is None or after < before or not _if_possible(lambda: unlisted(context.cloud)):
        return None
    return PlaceLostError(image_id, department=department.name)


def _if_possible(ask: Callable[[], int | None]) -> int | None:
    """Return what a service answers, or None if it refuses: the deletion itself has succeeded."""
    with contextlib.suppress(HyperxGlanceError):
        return ask()
    return None


def _counted(cloud: Cloud) -> int | None:
    usage = own_image_quota(cloud, Department(cloud.project_id, "")).images
    return None if usage is None else usage.used


def unlisted(cloud: Cloud) -> int | None:
    """Count the images of the caller's department that its quota counts and that no list shows.

    Return None if Glance does not show the usage, or if others create and delete images all the time.
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
    """Check whether Nova is working on a server: it writes to the image of a snapshot until its task has ended."""
    if not server_id:
        return False
    try:
        server = compute.server(cloud, server_id, microversion=None)
    except NotFoundError:
        return False
    return server.task_state is not None


def stands_still(context: Context, image_id: str) -> bool:
    """Wait until nobody is writing to a record without data; return False if somebody still may be.

    Wait for Nova until its task has ended, 30 seconds at most; for an upload, 5 seconds at most.
    """
    pace, cloud = context.settings.pace, context.cloud
    uploads_until = pace.clock() + UPLOAD_SECONDS

    def look() -> bool | None:
        try:
            image = cloud.image(image_id)
        except NotFoundError:
            return True  # the deletion will raise the error
        if _may_be_novas(cloud, image):
            return None
        if not is_being_uploaded(image):
            return True
        return None if pace.clock() < uploads_until else False

    try:
        return wait_until(pace, look, timeout=WRITER_SECONDS, what=f"the writer of image {image_id}")
    except WaitTimeoutError:
        return False


def _may_be_novas(cloud: Cloud, image: Image) -> bool:
    """Check whether Nova may be writing to a record, in which it noted the id of the server."""
    server_id = image.glance_property(SERVER_NOTE_KEY)
    if not server_id or image.glance_status not in ("queued", "saving"):
        return False
    try:
        return has_task(cloud, server_id)
    except (NotAllowedError, ServiceUnavailableError):
        return True


def let_glance_notice(cloud: Cloud, pace: Pace, image_id: str) -> None:
    """Wait briefly until Glance has restored a record whose upload broke off, since it may be deleted next."""
    quiet = 0

    def look() -> bool | None:
        nonlocal quiet
        quiet = 0 if is_being_uploaded(cloud.image(image_id)) else quiet + 1
        return quiet == _QUIET_LOOKS or None

    with contextlib.suppress(HyperxGlanceError):  # the error of the upload is raised anyway
        wait_until(pace, look, timeout=UPLOAD_SECONDS, what=f"Glance to restore image {image_id}")
