"""The handle of a registration: look, wait, cancel.

>>> registration = client.start_registration(NewImage(name="debian", url=files["disk.qcow2"]))
>>> registration.progress().phase is Phase.FAILED
False
>>> registration.wait().phase
<Phase.READY: 'ready'>
>>> registration.cancel()
>>> client.count()
0
"""

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from hyperx_glance.cloud import image_path, parsed
from hyperx_glance.errors import (
    ChecksumMismatchError,
    HyperxGlanceError,
    NotFoundError,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.models import Image, Progress
from hyperx_glance.registration import failures, streaming
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import (
    LOCK,
    Outcome,
    Task,
    import_outcome,
    newest_task,
    of_department,
    recorded_checksum,
    stale,
    stall,
    told_time,
)
from hyperx_glance.vocabulary import Phase, UrlProblem
from hyperx_glance.waiting import wait_until

CANCELLED, DELETED, UNVERIFIABLE = "cancelled", "deleted", "unverifiable"
_SUSPICIOUS_AFTER_SECONDS = 1.0
_TASK_LOOKS = 5
_HASH_PIECE_BYTES = 1024 * 1024


class Registration:
    """Follow one registration; threads may share it."""

    def __init__(self, site: Site, order: Order, *, streams: bool, interrupted: bool = False) -> None:
        self._site = site
        self._order = order
        self._clock = site.settings.pace.clock
        self._started = self._clock()
        self._to_stream = streams
        self._interrupted = interrupted
        self._transfer = threading.Lock()
        self._cancelled = threading.Event()
        self._sent: int | None = None
        self._digest: str | None = None
        self._locked_since: float | None = None
        self._tasks_read_at: float | None = None
        self._message = ""
        self._seen = Progress(phase=Phase.REGISTERED, bytes_expected=order.size)
        self.ended = False
        """Whether nothing is left to do: the image is ready and verified, or has failed and was cleaned up."""

    def __repr__(self) -> str:
        """Show the id: nothing else may be shown to everybody."""
        return f"Registration(image_id={self.image_id!r})"

    @property
    def image_id(self) -> str:
        """The id of the image, for `Client.resume_registration` and `Client.delete`."""
        return self._order.image_id

    # ------------------------------------------------------------- look

    def progress(self) -> Progress:
        """Look once. `wait` must still be called in the end: it verifies, or tells why it failed and cleans up."""
        image, now = self._read()
        if self._to_stream:
            return self._remember(image, self._sent)
        outcome, task = self._judged(image, now)
        if outcome is Outcome.FAILED:
            failed = self._remember(image, None)
            return failed.model_copy(update={"phase": Phase.FAILED, "message": task.message if task else image.failure})
        return self._remember(image, image.size if outcome is Outcome.DONE else self._sent)

    def _remember(self, image: Image, done: int | None) -> Progress:
        self._seen = Progress(
            phase=image.phase,
            bytes_expected=self._order.size if image.size is None else image.size,
            bytes_done=done,
            elapsed_seconds=self._clock() - self._started,
            message=self._message,
        )
        return self._seen

    def _read(self) -> tuple[Image, datetime]:
        """Read the record, and Glance's clock, by which its times are to be judged."""
        try:
            answer = self._site.cloud.get("image", image_path(self.image_id))
            image = parsed(Image, "image", answer.content)
        except NotFoundError as error:
            raise self._gone() from error
        except ServiceUnavailableError as error:
            error.image_id = self.image_id
            raise
        return image, told_time(answer.headers.get("Date"), here=datetime.now(UTC))

    def _gone(self) -> RegistrationFailedError:
        cancelled = self._cancelled.is_set()
        return RegistrationFailedError(
            f"The registration of image {self.image_id} was cancelled."
            if cancelled
            else f"Image {self.image_id} was deleted while it was being registered.",
            image_id=self.image_id,
            phase=self._seen.phase,
            reason=CANCELLED if cancelled else DELETED,
        )

    def _judged(self, image: Image, now: datetime) -> tuple[Outcome, Task | None]:
        """Judge by the record; ask for the tasks only where it looks failed or stalled."""
        outcome = import_outcome(image)
        if outcome is Outcome.DONE:
            return outcome, None
        if outcome is Outcome.FAILED:
            return outcome, self._failed_task()
        if not self._suspicious(image, now):
            return outcome, None
        task = self._newest_task()
        self._message = stall(task, now) if task else ""
        # Where the flow cannot even be built, the task fails while the lock stays (glance/async_/taskflow_executor.py).
        return (Outcome.FAILED if task and task.status == "failure" else outcome), task

    def _suspicious(self, image: Image, now: datetime) -> bool:
        here = self._clock()
        if image.glance_status == "queued" and image.glance_property(LOCK):
            self._locked_since = here if self._locked_since is None else self._locked_since
            quiet = here - self._locked_since
        else:
            self._locked_since = None
            quiet = here - self._started if stale(image.updated_at, now) else 0.0
        due = self._tasks_read_at is None or here - self._tasks_read_at >= quiet / 2
        if quiet < _SUSPICIOUS_AFTER_SECONDS or not due:
            return False
        self._tasks_read_at = here
        return True

    def _newest_task(self) -> Task | None:
        try:
            # Confidential: a task's input holds the URL, credentials included, and keystoneauth logs answers.
            answer = self._site.cloud.document("image", image_path(self.image_id, "tasks"), confidential=True)
        except NotFoundError:  # a Glance without this call, or the record has gone meanwhile
            return None
        return newest_task(answer["tasks"])

    def _failed_task(self) -> Task | None:
        """Read the task of a failed record; it may still say "processing" for a moment."""
        pace = self._site.settings.pace
        task = self._newest_task()
        for _ in range(_TASK_LOOKS):
            if task is None or task.status not in ("pending", "processing"):
                break
            pace.sleep(min(pace.first_interval, 0.1))
            task = self._newest_task()
        return task

    # ------------------------------------------------------------- wait

    def wait(self, *, on_progress: Callable[[Progress], object] | None = None, timeout: float | None = None) -> Image:
        """Wait until the image is ready and verified, and give it; when streaming, transfer it in this thread.

        ``timeout`` is seconds, None `Pace.deadline`; when it is over only the waiting ends. A failure deletes the
        record, or marks it where failed ones are kept.
        """
        pace = self._site.settings.pace
        end = self._clock() + (pace.deadline if timeout is None else timeout)
        tell = on_progress or (lambda _: None)
        try:
            with self._transfer:
                if self._to_stream:
                    self._stream(tell, end)
            image = wait_until(pace, lambda: self._settled(tell), timeout=max(0.0, end - self._clock()))
            return self._verified(image)
        except WaitTimeoutError as error:
            raise self._late() from error
        except ServiceUnavailableError as error:
            error.image_id = self.image_id
            raise

    def _late(self) -> WaitTimeoutError:
        return WaitTimeoutError(
            f"Image {self.image_id} is not ready yet: {self._seen.phase}. {self._seen.message}".rstrip(),
            last_seen=self._seen,
            image_id=self.image_id,
            hint="It goes on without us: resume_registration follows it, delete ends it.",
        )

    def _settled(self, tell: Callable[[Progress], object]) -> Image | None:
        image, now = self._read()
        outcome, task = self._judged(image, now)
        if outcome is Outcome.FAILED:
            message = task.message if task else image.failure
            raise self._failed(failures.explain(self._site, self._order, message=message, phase=self._seen.phase))
        tell(self._remember(image, image.size if outcome is Outcome.DONE else self._sent))
        return image if outcome is Outcome.DONE else None

    def _failed(self, error: HyperxGlanceError) -> HyperxGlanceError:
        if self._cancelled.is_set():
            return self._gone()
        self.ended = True
        return failures.dispose(self._site, self._order, failures.scrubbed(error, self._order))

    # ------------------------------------------------------------- streaming

    def _stream(self, tell: Callable[[Progress], object], end: float) -> None:
        url = self._order.url
        assert url is not None  # a resumed record without one is followed, never streamed

        def on_bytes(sent: int) -> None:
            if self._cancelled.is_set():
                raise self._gone()
            if self._clock() >= end:
                raise self._late()
            self._sent = sent
            self._seen = Progress(
                phase=Phase.STORING,
                bytes_expected=self._order.size,
                bytes_done=sent,
                elapsed_seconds=self._clock() - self._started,
            )
            tell(self._seen)

        if self._interrupted and not self._free_again(end):
            self._to_stream = False
            return
        self._interrupted = True
        try:
            self._digest = streaming.upload(self._site, self._order, url, on_bytes)
        except ServiceUnavailableError:
            if not self._arrived():
                raise
        except (WaitTimeoutError, RegistrationFailedError):  # as `on_bytes` says
            raise
        except HyperxGlanceError as error:
            raise self._failed(self._stream_failure(error)) from error
        self._to_stream = False

    def _free_again(self, end: float) -> bool:
        """Wait for the end of an upload that was broken off; tell whether its record can take another.

        Glance learns it from the connection, and then puts the record back to queued (glance/api/v2/image_data.py).
        """

        def look() -> Image | None:
            image, _ = self._read()
            return None if image.glance_status == "saving" else image

        return (
            wait_until(self._site.settings.pace, look, timeout=max(0.0, end - self._clock())).glance_status == "queued"
        )

    def _stream_failure(self, error: HyperxGlanceError) -> HyperxGlanceError:
        match error:
            case UrlRejectedError():
                return failures.from_url(error, self._order, phase=self._seen.phase)
            case NotFoundError():
                return self._gone()
            case QuotaExceededError() if error.resource is None and _STORE_FULL not in error.message:
                return of_department(error, self._order.department.name)
            case QuotaExceededError() if error.resource is not None:
                return error
        return self._refused(error)

    def _arrived(self) -> bool:
        """Tell whether an upload whose answer was lost is there all the same."""
        image, _ = self._read()
        return image.glance_status in ("active", "saving")

    def _refused(self, error: HyperxGlanceError) -> RegistrationFailedError:
        return RegistrationFailedError(
            f"Glance refuses the data of image {self.image_id}: {error.message}",
            image_id=self.image_id,
            phase=self._seen.phase,
            reason=failures.GLANCE if _STORE_FULL in error.message else _REASONS.get(error.status, failures.GLANCE),
            **error.answer(),
            hint="Give the format that the file really has." if error.status == 415 else "",
        )

    # ------------------------------------------------------------- verify

    def _verified(self, image: Image) -> Image:
        wanted = self._order.checksum
        if wanted is None:
            self.ended = True
            return image
        algorithm = wanted.partition(":")[0]
        actual = self._digest or recorded_checksum(image, algorithm) or self._hashed(algorithm)
        self.ended = True
        if actual == wanted:
            return image
        if self._digest is None and self._converted(image):
            error: HyperxGlanceError = RegistrationFailedError(
                f"Glance converted image {self.image_id} on its way in, so that its checksum cannot be verified.",
                image_id=self.image_id,
                phase=Phase.READY,
                reason=UNVERIFIABLE,
                hint="Register it with transfer='stream', which hashes what comes from the URL, or without a checksum.",
            )
        else:
            error = ChecksumMismatchError(image_id=self.image_id, expected=wanted, actual=actual)
        # Whatever is kept of other failures: data that is not what it should be must not become usable.
        raise failures.dispose(self._site, dataclasses.replace(self._order, keep_failed=False), error)

    def _converted(self, image: Image) -> bool:
        """Tell whether an import plug-in changed the data (glance/async_/flows/plugins/)."""
        other_format = image.disk_format != self._order.disk_format
        return other_format or (self._order.size is not None and image.size != self._order.size)

    def _hashed(self, algorithm: str) -> str:
        """Hash the data itself, where Glance keeps no digest of this algorithm."""
        digest = hashlib.new(algorithm, usedforsecurity=False)
        answer = self._site.cloud.get("image", image_path(self.image_id, "file"), stream=True)
        try:
            for piece in answer.iter_content(_HASH_PIECE_BYTES):
                digest.update(piece)
        finally:
            answer.close()
        return f"{algorithm}:{digest.hexdigest()}"

    # ------------------------------------------------------------- cancel

    def cancel(self) -> None:
        """Delete the record, whatever it has come to; from any thread, as often as one likes.

        Nothing comes back, but Glance may read the URL to its end.
        """
        self._cancelled.set()
        failures.delete_record(self._site.cloud, self.image_id)


# glance/api/v2/image_data.py, upload
_REASONS: Mapping[int | None, str] = {413: UrlProblem.TOO_LARGE, 415: UrlProblem.WRONG_FORMAT}
_STORE_FULL = "storage media is full"
