"""Judgements of an import by its record and tasks: pure functions.

>>> from hyperx_glance.registration.outcome import Outcome, import_outcome
>>> from hyperx_glance.models.image import Image
>>> import_outcome(Image(id="7c1", status="queued", os_glance_import_task="81f"))
<Outcome.RUNNING: 'running'>
>>> import_outcome(Image(id="7c1", status="queued"))
<Outcome.FAILED: 'failed'>
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from hyperx_glance.cloud.answers import ServiceText, Shape
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import LOCK
from hyperx_glance.models.times import Time
from hyperx_glance.vocabulary import Phase

STALE_AFTER = timedelta(minutes=60)
"""Glance gives up a lock if its task was not updated for this time (glance/api/v2/images.py, _enforce_import_lock)."""


class Outcome(StrEnum):
    """Outcome of an import that Glance has accepted."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


def import_outcome(image: Image) -> Outcome:
    """Return the outcome, from the record alone.

    Glance sets the lock before it answers 202, and removes it at the end of every import: a record that is queued
    without a lock has failed (glance/async_/flows/api_image_import.py, _ImageLock, _CompleteTask).
    `os_glance_failed_import` does not show this. It stays empty on a single-store Glance, and if a quota is exceeded
    (merge_store_list, assert_quota). On an active image it stays from an import before a stream, or is of a copy to
    another store.
    """
    locked = bool(image.glance_property(LOCK))
    match image.glance_status:
        case "active" if locked or image.phase is Phase.STORING:
            return Outcome.RUNNING
        case "active" | "deactivated":
            return Outcome.DONE
        case "queued" if not locked:
            return Outcome.FAILED
        case "killed" | "deleted" | "pending_delete":
            return Outcome.FAILED
    return Outcome.RUNNING


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
    """Check whether the last update is so old that Glance would give the lock to another import."""
    return updated_at is not None and now - updated_at > STALE_AFTER


def stall(task: Task, now: datetime) -> str:
    """Return why an import does not progress, "" if unknown; ``now`` is the time of Glance's clock.

    A dead process and a slow download look the same: tasks are updated only while data is copied to a store.
    """
    if task.status == "pending":
        return "All of Glance's import threads are busy."
    if stale(task.updated_at, now):
        return "Glance has not touched this import for an hour: the download is slow, or Glance's process has died."
    return ""


def admission_rank(image_id: str, records: Iterable[Image]) -> int:
    """Return an image's rank among the records that its department's quota counts, from 1.

    Records whose data has begun come first, then older records. Ranking by age alone would admit too many: an older
    record may become visible after a younger one has begun. created_at has whole seconds, so the id decides between
    equal ones.
    """

    def place(image: Image) -> tuple[bool, str, str]:
        created = image.created_at.isoformat() if image.created_at else ""
        return image.phase is Phase.REGISTERED, created, image.id

    ranked = sorted(records, key=place)
    return next((rank for rank, image in enumerate(ranked, start=1) if image.id == image_id), len(ranked) + 1)
