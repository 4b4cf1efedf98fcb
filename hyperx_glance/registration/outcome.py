"""Judgements of an import by its record: pure functions.

>>> from hyperx_glance.registration.outcome import Outcome, import_outcome
>>> from hyperx_glance.models.image import Image
>>> import_outcome(Image(id="7c1", status="queued", os_glance_import_task="81f"))
<Outcome.RUNNING: 'running'>
>>> import_outcome(Image(id="7c1", status="queued"))
<Outcome.FAILED: 'failed'>
"""

from collections.abc import Iterable
from enum import StrEnum

from hyperx_glance.models.image import Image
from hyperx_glance.models.record import LOCK
from hyperx_glance.vocabulary import Phase


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
    another store. A failed import of staged data leaves the record "importing", and unlocked.
    """
    locked = bool(image.glance_property(LOCK))
    match image.glance_status:
        case "active" if locked or image.phase is Phase.STORING:
            return Outcome.RUNNING
        case "active" | "deactivated":
            return Outcome.DONE
        case "queued" if not locked:
            return Outcome.FAILED
        case "importing" if image.phase is Phase.FAILED:
            return Outcome.FAILED
        case "killed" | "deleted" | "pending_delete":
            return Outcome.FAILED
    return Outcome.RUNNING


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
