"""Glance's tasks of an image, and what an import's record and tasks say together."""

from collections.abc import Callable
from datetime import datetime

from hyperx_glance.cloud.cloud import Cloud, image_path
from hyperx_glance.errors import NotFoundError
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import LOCK
from hyperx_glance.registration.outcome import Outcome, Task, Tasks, import_outcome, newest_task, stale, stall
from hyperx_glance.waiting.pace import Pace, pause

_SUSPICIOUS_AFTER_SECONDS = 1.0
_TASK_LOOKS = 5


def newest_import(cloud: Cloud, image_id: str) -> Task | None:
    """Read the newest import task; None where there is none, or no record any more, or a Glance without this call."""
    try:
        # Confidential: a task's input holds the URL, credentials included, and keystoneauth logs answers.
        answer = cloud.get_parsed(Tasks, "image", image_path(image_id, "tasks"), confidential=True)
    except NotFoundError:
        return None
    return newest_task(answer.tasks)


class ImportWatch:
    """Judge an import by its record; ask for the task only where the record looks failed or stalled."""

    def __init__(self, newest: Callable[[], Task | None], pace: Pace) -> None:
        self._newest = newest
        self._pace = pace
        self._started = pace.clock()
        self._locked_since: float | None = None
        self._tasks_read_at: float | None = None
        self.message = ""
        """Why the import does not move, where that is known."""

    def judge(self, image: Image, now: datetime) -> tuple[Outcome, Task | None]:
        """Give the outcome, and the task where it was read; ``now`` is by Glance's own clock."""
        outcome = import_outcome(image)
        if outcome is Outcome.DONE:
            return outcome, None
        if outcome is Outcome.FAILED:
            return outcome, self._failed_task()
        if not self._suspicious(image, now):
            return outcome, None
        task = self._newest()
        self.message = stall(task, now) if task else ""
        # Where the flow cannot even be built, the task fails while the lock stays (glance/async_/taskflow_executor.py).
        return (Outcome.FAILED if task and task.status == "failure" else outcome), task

    def _suspicious(self, image: Image, now: datetime) -> bool:
        here = self._pace.clock()
        if image.glance_status == "queued" and image.glance_property(LOCK):
            self._locked_since = here if self._locked_since is None else self._locked_since
            quiet, pause = here - self._locked_since, _SUSPICIOUS_AFTER_SECONDS
        else:
            self._locked_since = None
            quiet = here - self._started if stale(image.updated_at, now) else 0.0
            pause = quiet / 2
        due = self._tasks_read_at is None or here - self._tasks_read_at >= pause
        if quiet < _SUSPICIOUS_AFTER_SECONDS or not due:
            return False
        self._tasks_read_at = here
        return True

    def _failed_task(self) -> Task | None:
        """Read the task of a failed record; it may still say "processing" for a moment."""
        task = self._newest()
        for _ in range(_TASK_LOOKS):
            if task is None or task.status not in ("pending", "processing"):
                break
            pause(self._pace, min(self._pace.first_interval, 0.1))
            task = self._newest()
        return task
