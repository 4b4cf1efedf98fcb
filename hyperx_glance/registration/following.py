"""Following one registration to its end: look, upload if necessary, wait, fail, and have the image verified."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator

from hyperx_glance.cloud.tasks import Task, newest_import
from hyperx_glance.errors import WaitTimeoutError
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import LOCK, failed_stores
from hyperx_glance.models.results import Progress
from hyperx_glance.quotas.reading import image_quota
from hyperx_glance.registration import failures, staging
from hyperx_glance.registration.looking import ImportWatch, Journal
from hyperx_glance.registration.order import Deadline, Way
from hyperx_glance.registration.outcome import Outcome
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.registration.uploading import Uploader
from hyperx_glance.registration.verification import Verification
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import Phase
from hyperx_glance.waiting.callbacks import Tell
from hyperx_glance.waiting.pace import wait_until


class RegistrationFollower:
    """The machine behind the handle of one registration; threads may share it."""

    def __init__(
        self, record: RegistrationRecord, way: Way, *, interrupted: bool = False, needs_every_store: bool | None = None
    ) -> None:
        order, pace = record.order, record.context.settings.pace
        self.record = record
        self._pace = pace
        self._needs_every_store = bool(order.stores) if needs_every_store is None else needs_every_store
        self._journal = Journal(order, pace.clock)
        self._watch = ImportWatch(lambda: newest_import(record.context.cloud, order.image_id), pace)
        self._verification = Verification(record, self._journal)
        self._uploader = Uploader(record, order, self._journal, staged=way is Way.STAGE, interrupted=interrupted)
        self._to_upload = way in (Way.STREAM, Way.STAGE)
        self._turn = threading.Lock()

    # ------------------------------------------------------------- look

    def progress(self) -> Progress:
        """Look once."""
        image, outcome, task = self._look()
        if outcome is Outcome.FAILED:
            failed = self._journal.seen(image, done=None, message=self._watch.message)
            message, explanation = say("registration-failed"), str(image.failure)
            if task:
                message = say("import-failed")
                explanation = failures.without_secrets(task.message or "", self.record.order)
            failure = {"phase": Phase.FAILED, "message": message, "explanation": explanation}
            return failed.model_copy(update=failure)
        return self._seen(image, outcome)

    def _look(self) -> tuple[Image, Outcome, Task | None]:
        image, now = self.record.read(phase=self._journal.last.phase)
        if self._to_upload:
            return image, Outcome.RUNNING, None
        return image, *self._watch.judge(image, now)

    def _seen(self, image: Image, outcome: Outcome) -> Progress:
        done = image.size if outcome is Outcome.DONE else self._journal.sent
        return self._journal.seen(image, done=done, message=self._watch.message)

    # ------------------------------------------------------------- wait

    def finish(self, tell: Tell[Progress], end: Deadline) -> Image:
        """Take the last two steps of a registration, and return the image.

        An exception of the callback is raised as `CallbackError`.
        """
        # 6. Follow until the image is ready; upload if the data is streamed.
        image = self._ready(tell, end)
        # 7. Verify its checksum.
        staged = self._journal.sent if self._uploader.staged else None
        image = self._verification.run(image, end, digest=self._uploader.digest, staged=staged)
        self.record.ended = True
        return image

    def _ready(self, tell: Tell[Progress], end: Deadline) -> Image:
        while True:
            with self._my_turn(end):
                if self._to_upload:
                    self._uploader.run(tell, end)
                    self._to_upload = False
            image, outcome, task = self._settled(tell, end)
            if outcome is Outcome.DONE:
                self._check_stores(image)
                return image
            with self._my_turn(end):
                self._fail_or_stream(image, task)

    @contextlib.contextmanager
    def _my_turn(self, end: Deadline) -> Iterator[None]:
        """Let one thread at a time upload, or judge a failed import."""
        if not self._turn.acquire(timeout=min(end.left, threading.TIMEOUT_MAX)):
            raise failures.late(self.record.image_id, self._journal.last, streams=True)
        try:
            if (failure := self.record.clean_up()) is not None:
                raise failure
            yield
        finally:
            self._turn.release()

    def _settled(self, tell: Tell[Progress], end: Deadline) -> tuple[Image, Outcome, Task | None]:
        def look() -> tuple[Image, Outcome, Task | None] | None:
            image, outcome, task = self._look()
            if outcome is not Outcome.FAILED:
                tell(self._seen(image, outcome))
            return None if outcome is Outcome.RUNNING else (image, outcome, task)

        try:
            return wait_until(self._pace, look, timeout=end.left, what=f"image {self.record.image_id}")
        except WaitTimeoutError as error:
            raise failures.late(self.record.image_id, self._journal.last, streams=False) from error

    def _check_stores(self, image: Image) -> None:
        """Raise if the data is missing from a store of this registration; other stores do not matter."""
        if not self._needs_every_store:
            return
        failed = failed_stores(image)
        lacking = failed & frozenset(self.record.order.stores or failed)
        if lacking:
            raise self.record.leave(failures.lacking(self.record.image_id, lacking))

    def _fail_or_stream(self, failed: Image, task: Task | None) -> None:
        """Fail after a failed import; or upload, if the settings allow it and this machine can read the URL."""
        record, phase = self.record, self._journal.last.phase
        image, _ = record.read(phase=phase)
        if image.glance_status != failed.glance_status:
            return  # another thread or process has continued it
        message = (task.message or "") if task else image.failure
        staged = self._uploader.staged
        diagnosis = failures.explain(record.context, record.order, message=message, staged=staged, phase=phase)
        stores = record.order.stores or tuple(failed_stores(image))
        if not (diagnosis.url_is_good and self._may_upload(image, stores)):
            raise record.fail(diagnosis.error, phase=phase)
        room = image_quota(record.context, record.order.department).image_size_mib
        order = dataclasses.replace(record.order, room=room, stores=stores)
        self._uploader = Uploader(
            record, order, self._journal, staged=len(stores) > 1, interrupted=True, last_resort=True
        )
        self._to_upload = True

    def _may_upload(self, image: Image, stores: tuple[str, ...]) -> bool:
        """Check whether an upload may replace a failed import: it fills no locked record, and several stores once."""
        context = self.record.context
        free = image.glance_status == "queued" and not image.glance_property(LOCK)
        if context.settings.transfer != "auto" or not free:
            return False
        return len(stores) <= 1 or staging.is_offered(context.cloud)
