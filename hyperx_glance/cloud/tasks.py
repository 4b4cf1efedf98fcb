"""Glance's tasks for an image, which are the log of its imports for users.

>>> from hyperx_glance.cloud.tasks import newest_import
>>> newest_import(cloud, disk_image.id).status
'success'
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from hyperx_glance.cloud.answers import ServiceText, Shape
from hyperx_glance.cloud.cloud import Cloud, image_path
from hyperx_glance.errors import NotFoundError
from hyperx_glance.models.times import Time
from hyperx_glance.texts import NO_TEXT, Text, say

STALE_AFTER = timedelta(minutes=60)
"""Glance gives up a lock if its task was not updated for this time (glance/api/v2/images.py, _enforce_import_lock)."""


class Task(Shape):
    """Glance's task for an image."""

    type: str = ""
    status: str = ""
    message: ServiceText | None = None
    created_at: Time | None = None
    updated_at: Time | None = None


class Tasks(Shape):
    """Glance's tasks for an image."""

    tasks: tuple[Task, ...]


def newest_task(tasks: Iterable[Task]) -> Task | None:
    """Return the newest import task; None if there is none, or if it has expired."""
    imports = [task for task in tasks if task.type == "api_image_import"]
    return max(imports, key=lambda task: task.created_at.timestamp() if task.created_at else 0.0, default=None)


def stale(updated_at: datetime | None, now: datetime) -> bool:
    """Check whether the last update is so old that Glance would grant the lock to another import."""
    return updated_at is not None and now - updated_at > STALE_AFTER


def stall(task: Task, now: datetime) -> Text:
    """Return why an import does not progress, no text if unknown; ``now`` is the time of Glance's clock.

    A dead process and a slow download look the same: tasks are updated only while data is copied to a store.
    """
    if task.status == "pending":
        return say("import-threads-busy")
    if stale(task.updated_at, now):
        return say("import-stalled")
    return NO_TEXT


def newest_import(cloud: Cloud, image_id: str) -> Task | None:
    """Read the newest import task; None if there is none, if the record is gone, or if Glance lacks this call."""
    try:
        # Confidential: a task's input holds the URL, credentials included, and keystoneauth logs answers.
        answer = cloud.get_parsed(Tasks, "image", image_path(image_id, "tasks"), confidential=True)
    except NotFoundError:
        return None
    return newest_task(answer.tasks)
