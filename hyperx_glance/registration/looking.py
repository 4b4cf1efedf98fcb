"""One look at a registration or a capture from any process, whoever has begun it."""

from datetime import UTC, datetime

from hyperx_glance.cloud.answers import server_time
from hyperx_glance.cloud.cloud import image_of, image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import LOCK, verified
from hyperx_glance.models.results import Progress
from hyperx_glance.models.url_text import scrub
from hyperx_glance.registration.outcome import stale, stall
from hyperx_glance.registration.tasks import newest_import
from hyperx_glance.vocabulary import Phase, glance_key

_ENDED = (Phase.READY, Phase.DISABLED, Phase.UNKNOWN)


def look(context: Context, image_id: str) -> Progress:
    """Read the record, and Glance's task for it where the record does not say enough."""
    answer = context.cloud.get("image", image_path(image_id))
    image = image_of(answer, image_id)
    now = server_time(answer.headers.get("Date")) or datetime.now(UTC)
    phase, message = _judged(context, image, now)
    return Progress(
        phase=phase,
        bytes_expected=image.size,
        bytes_done=image.size if phase in _ENDED else None,
        elapsed_seconds=max(0.0, (now - image.created_at).total_seconds()) if image.created_at else 0.0,
        message=message,
    )


def _judged(context: Context, image: Image, now: datetime) -> tuple[Phase, str]:
    if image.phase in _ENDED:
        wanted = image.glance_property(glance_key("checksum_wanted")).lower()
        return image.phase, "Its checksum has not been verified yet." if wanted and not verified(image, wanted) else ""
    if image.failure:
        return Phase.FAILED, image.failure
    if image.glance_status != "queued" and not stale(image.updated_at, now):
        return image.phase, ""
    task = newest_import(context.cloud, image.id)
    if task is None:
        return image.phase, ""
    # Without its lock an import has ended, and a record that is queued then has no data (outcome.import_outcome).
    if task.status == "failure" or (image.glance_status == "queued" and not image.glance_property(LOCK)):
        return Phase.FAILED, scrub(task.message or "")
    return image.phase, stall(task, now)
