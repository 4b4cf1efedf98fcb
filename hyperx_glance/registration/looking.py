"""What a look at a registration shows: its record, Glance's task for it, and how far it has come.

>>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="importing")
>>> client.progress(image_id).phase
<Phase.DOWNLOADING: 'downloading'>
"""

from collections.abc import Callable
from datetime import UTC, datetime

from hyperx_glance.cloud.answers import server_time
from hyperx_glance.cloud.cloud import image_of, image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.tasks import Task, newest_import, stale, stall
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.record import LOCK, expected_size, is_being_captured, verified
from hyperx_glance.models.results import Progress
from hyperx_glance.models.url_text import scrub
from hyperx_glance.registration.order import RegistrationOrder
from hyperx_glance.registration.outcome import Outcome, import_outcome
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import Phase, glance_key
from hyperx_glance.waiting.pace import Pace, pause

_ENDED = (Phase.READY, Phase.DISABLED, Phase.UNKNOWN)
_SUSPICIOUS_AFTER_SECONDS = 1.0
_TASK_LOOKS = 5


def progress(context: Context, reference: Image | str) -> Progress:
    """Look once at a registration or capture of any process: read the record and, if that is not enough, its task."""
    wanted = image_id(reference)
    answer = context.cloud.get("image", image_path(wanted))
    image = image_of(answer, wanted)
    now = server_time(answer.headers.get("Date")) or datetime.now(UTC)
    phase, message, explanation = _judged(context, image, now)
    return Progress(
        phase=phase,
        bytes_expected=expected_size(image),
        bytes_done=image.size if phase in _ENDED else None,
        elapsed_seconds=max(0.0, (now - image.created_at).total_seconds()) if image.created_at else 0.0,
        message=message,
        explanation=explanation,
    )


def _judged(context: Context, image: Image, now: datetime) -> tuple[Phase, Text, str]:
    if is_being_captured(image):  # also after the upload: until the last patch, it is no image for anybody
        return Phase.STORING, say("capture-uploads"), ""
    if image.phase in _ENDED:
        wanted = image.glance_property(glance_key("checksum_wanted")).lower()
        unverified = wanted and not verified(image, wanted)
        return image.phase, say("not-verified-yet") if unverified else NO_TEXT, ""
    if image.failure:
        return Phase.FAILED, say("registration-failed"), image.failure
    ended = image.glance_status in ("queued", "importing") and not image.glance_property(LOCK)
    if image.glance_status != "queued" and not ended and not stale(image.updated_at, now):
        return image.phase, NO_TEXT, ""
    task = newest_import(context.cloud, image.id)
    if task is None:
        return image.phase, NO_TEXT, ""
    # An import without its lock has ended. A record that is still queued then has no data (outcome.import_outcome).
    if task.status == "failure" or ended:
        return Phase.FAILED, say("import-failed"), scrub(task.message or "")
    return image.phase, stall(task, now), ""


# ----------------------------------------------------------------- one registration


class Journal:
    """Progress of one registration, as far as this process has seen it."""

    def __init__(self, order: RegistrationOrder, clock: Callable[[], float]) -> None:
        self._order = order
        self._clock = clock
        self._started = clock()
        self.sent: int | None = None
        """Bytes that this process has uploaded."""
        self.read: int | None = None
        """Bytes that it has read for that, before they are unpacked."""
        self.last = Progress(phase=Phase.REGISTERED, bytes_expected=order.size)

    def seen(self, image: Image, *, done: int | None, message: Text = NO_TEXT) -> Progress:
        """Record what a look at the image shows, and return it."""
        size = expected_size(image)
        expected = self._order.size if size is None else size
        return self._note(image.phase, expected, done, message)

    def uploaded(self, sent: int, read: int) -> Progress:
        """Record how much of the data was uploaded, and how much was read for it, and return it."""
        self.sent, self.read = sent, read
        return self._note(Phase.STORING, self._order.size, sent, NO_TEXT)

    @property
    def _to_read(self) -> int | None:
        """The number of bytes that this process reads in all; None if Glance imports."""
        if self._order.packed:
            return self._order.packed_size
        return None if self.read is None else self._order.size

    def _note(self, phase: Phase, expected: int | None, done: int | None, message: Text) -> Progress:
        self.last = Progress(
            phase=phase,
            bytes_expected=expected,
            bytes_done=done,
            bytes_to_read=self._to_read,
            bytes_read=self.read,
            elapsed_seconds=self._clock() - self._started,
            message=message,
        )
        return self.last


class ImportWatch:
    """Judge of one import by its record; the task is read only if the record looks failed or stalled."""

    def __init__(self, newest: Callable[[], Task | None], pace: Pace) -> None:
        self._newest = newest
        self._pace = pace
        self._started = pace.clock()
        self._odd_since: float | None = None
        self._tasks_read_at: float | None = None
        self.message = NO_TEXT
        """Why the import does not progress, if known."""

    def judge(self, image: Image, now: datetime) -> tuple[Outcome, Task | None]:
        """Return the outcome, and the task if it was read; ``now`` is the time of Glance's clock."""
        outcome = import_outcome(image)
        if outcome is Outcome.DONE:
            return outcome, None
        if outcome is Outcome.FAILED:
            return outcome, self._failed_task()
        if not self._suspicious(image, now):
            return outcome, None
        task = self._newest()
        self.message = stall(task, now) if task else NO_TEXT
        # If the flow cannot be built, the task fails while the lock stays (glance/async_/taskflow_executor.py).
        return (Outcome.FAILED if task and task.status == "failure" else outcome), task

    def _suspicious(self, image: Image, now: datetime) -> bool:
        here = self._pace.clock()
        # A lock on a record that does not begin, or none on one whose import of staged data may have failed: with a
        # single store, Glance notes no failure in the record.
        if (image.glance_status, bool(image.glance_property(LOCK))) in (("queued", True), ("importing", False)):
            self._odd_since = here if self._odd_since is None else self._odd_since
            quiet, pause = here - self._odd_since, _SUSPICIOUS_AFTER_SECONDS
        else:
            self._odd_since = None
            quiet = here - self._started if stale(image.updated_at, now) else 0.0
            pause = quiet / 2
        due = self._tasks_read_at is None or here - self._tasks_read_at >= pause
        if quiet < _SUSPICIOUS_AFTER_SECONDS or not due:
            return False
        self._tasks_read_at = here
        return True

    def _failed_task(self) -> Task | None:
        """Read the task of a failed record; its status may be "processing" for a moment longer."""
        task = self._newest()
        for _ in range(_TASK_LOOKS):
            if task is None or task.status not in ("pending", "processing"):
                break
            pause(self._pace, min(self._pace.first_interval, 0.1))
            task = self._newest()
        return task
