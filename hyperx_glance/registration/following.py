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
import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from hyperx_glance import urls
from hyperx_glance.answers import parsed, told_time
from hyperx_glance.arguments import callback, checked, optional, seconds
from hyperx_glance.cloud import image_path
from hyperx_glance.errors import (
    ChecksumMismatchError,
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlRejectedError,
    WaitTimeoutError,
    name_left,
)
from hyperx_glance.models import Image, Progress
from hyperx_glance.registration import failures, streaming
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import (
    LOCK,
    Outcome,
    Task,
    Tasks,
    import_outcome,
    newest_task,
    of_department,
    recorded_checksum,
    stale,
    stall,
    verified,
)
from hyperx_glance.vocabulary import Phase, UrlProblem, glance_key
from hyperx_glance.waiting import wait_until

CANCELLED, UNVERIFIABLE = "cancelled", "unverifiable"
_SUSPICIOUS_AFTER_SECONDS = 1.0
_TASK_LOOKS = 5
_UPLOADS = 3
_LOG = logging.getLogger(__name__)


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
        self._raised: BaseException | None = None
        self._failure: HyperxGlanceError | None = None
        self._disposal: Order | None = None
        self._settling = threading.Lock()
        self._seen = Progress(phase=Phase.REGISTERED, bytes_expected=order.size)
        self.ended = False
        """Whether nothing is left to do: ready and verified, failed and cleaned up, or disabled by somebody else."""

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
            message = failures.without_secrets(task.message or "", self._order) if task else image.failure
            return failed.model_copy(update={"phase": Phase.FAILED, "message": message})
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
            gone = self._gone()
            raise gone from gone.__cause__ or error
        except ServiceUnavailableError as error:
            name_left(error, image_id=self.image_id)
            raise
        return image, told_time(answer.headers.get("Date"), here=datetime.now(UTC))

    def _gone(self) -> HyperxGlanceError:
        if self._failure is not None:
            return self._failure.with_traceback(None)
        if not self._cancelled.is_set():
            return failures.vanished(self.image_id, phase=self._seen.phase)
        message = f"The registration of image {self.image_id} was cancelled."
        return RegistrationFailedError(message, image_id=self.image_id, phase=self._seen.phase, reason=CANCELLED)

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

    def _newest_task(self) -> Task | None:
        try:
            # Confidential: a task's input holds the URL, credentials included, and keystoneauth logs answers.
            path = image_path(self.image_id, "tasks")
            answer = self._site.cloud.get_parsed(Tasks, "image", path, confidential=True)
        except NotFoundError:  # a Glance without this call, or the record has gone meanwhile
            return None
        return newest_task(answer.tasks)

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

    @checked(on_progress=optional(callback), timeout=optional(seconds))
    def wait(self, *, on_progress: Callable[[Progress], object] | None = None, timeout: float | None = None) -> Image:
        """Wait until the image is ready and verified, and give it; when streaming, transfer it in this thread.

        ``timeout`` is seconds, None `Pace.deadline`; when it is over only the waiting ends. A failure deletes the
        record, or marks it where failed ones are kept; who waits again is told of the same failure.
        """
        pace = self._site.settings.pace
        end = self._clock() + (pace.deadline if timeout is None else timeout)

        def tell(progress: Progress) -> None:
            if on_progress is None:
                return
            try:
                on_progress(progress)
            except BaseException as error:
                self._raised = error
                raise

        try:
            self._transfer_within(tell, end)
            image = wait_until(pace, lambda: self._settled(tell), timeout=self._left(end))
            return self._verified(image, end)
        except WaitTimeoutError as error:
            if error.image_id or self.interrupted_by(error):
                raise
            raise self._late() from error
        except ServiceUnavailableError as error:
            if not self.interrupted_by(error):
                name_left(error, image_id=self.image_id)
            raise

    def interrupted_by(self, error: BaseException) -> bool:
        """Tell whether it was the caller's own ``on_progress`` that raised this."""
        return error is self._raised

    def _left(self, end: float) -> float:
        return max(0.0, end - self._clock())

    def _late(self, *, ready: bool = False) -> WaitTimeoutError:
        message = f"Image {self.image_id} is not ready yet: {self._seen.phase}. {self._seen.message}".rstrip()
        hint = "It goes on without us: resume_registration follows it, delete ends it."
        if self._to_stream:
            hint = "wait or resume_registration begins it anew, delete ends it."
        if ready:
            message = f"Image {self.image_id} is ready, but its checksum is not verified yet."
            hint = "wait or resume_registration verifies it, delete ends it."
        return WaitTimeoutError(message, last_seen=self._seen, image_id=self.image_id, hint=hint)

    def _settled(self, tell: Callable[[Progress], object]) -> Image | None:
        image, now = self._read()
        outcome, task = self._judged(image, now)
        if outcome is Outcome.FAILED:
            message = (task.message or "") if task else image.failure
            raise self._failed(failures.explain(self._site, self._order, message=message, phase=self._seen.phase))
        tell(self._remember(image, image.size if outcome is Outcome.DONE else self._sent))
        return image if outcome is Outcome.DONE else None

    def _failed(self, error: HyperxGlanceError) -> HyperxGlanceError:
        if self._cancelled.is_set():
            return self._gone()
        return self._settle(failures.scrubbed(error, self._order), self._order)

    def _settle(self, error: HyperxGlanceError, disposal: Order) -> HyperxGlanceError:
        """Clean up, unless that was done, and give the first failure: several threads may come here, and come again."""
        with self._settling:
            if self._failure is None:
                self._failure, self._disposal = error, disposal
            if self._disposal and failures.dispose(self._site, self._disposal, self._failure):
                self._disposal = None
            self.ended = True
            return self._failure.with_traceback(None)

    # ------------------------------------------------------------- streaming

    def _transfer_within(self, tell: Callable[[Progress], object], end: float) -> None:
        """Stream, if there is anything to stream, unless another thread that waits is still at it at the end."""
        if not self._transfer.acquire(timeout=min(self._left(end), threading.TIMEOUT_MAX)):
            raise self._late()
        try:
            if self._failure is not None:
                raise self._settle(self._failure, self._order)
            for attempt in range(1, _UPLOADS + 1):
                if self._to_stream:
                    self._stream(tell, end, last=attempt == _UPLOADS)
        finally:
            self._transfer.release()

    def _stream(self, tell: Callable[[Progress], object], end: float, *, last: bool) -> None:
        """Upload; return without it where another is at it or the login ran out, unless this is the last attempt."""
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
            self._digest = streaming.upload(self._site, self._order, url, on_bytes, seconds=self._left(end))
        except (WaitTimeoutError, RegistrationFailedError):  # as `on_bytes` says
            raise
        except HyperxGlanceError as error:
            if self._is_late(error, end):
                raise self._late() from error
            if isinstance(error, ServiceUnavailableError) or self.interrupted_by(error):
                raise
            if not last and error.status in (401, 409):
                return
            failure = self._failed(self._stream_failure(error))
            raise failure from failure.__cause__ if failure is error else error
        self._to_stream = False

    def _is_late(self, error: HyperxGlanceError, end: float) -> bool:
        timeout = isinstance(error, UrlRejectedError) and error.reason == UrlProblem.TIMEOUT
        in_vain = timeout or isinstance(error, ServiceUnavailableError)
        return in_vain and self._clock() >= end and not self.interrupted_by(error)

    def _free_again(self, end: float) -> bool:
        """Wait for the end of an upload that was broken off; tell whether its record can take another.

        Glance learns it from the connection, and then puts the record back to queued (glance/api/v2/image_data.py).
        """

        def look() -> Image | None:
            image, _ = self._read()
            self._remember(image, self._sent)
            return None if image.glance_status == "saving" else image

        return wait_until(self._site.settings.pace, look, timeout=self._left(end)).glance_status == "queued"

    def _stream_failure(self, error: HyperxGlanceError) -> HyperxGlanceError:
        match error:
            case UrlRejectedError():
                return failures.from_url(error, self._order, phase=self._seen.phase)
            case NotFoundError():
                return self._gone()
            case HyperxGlanceError(status=410):
                self._read()  # raises where the record has gone; a store that takes no more answers 410, too
            case QuotaExceededError() if error.resource is None and not _NO_QUOTA.search(error.message):
                return of_department(error, self._site.departments.own().name)
            case QuotaExceededError() if error.resource is not None:
                return error
        return self._refused(error)

    def _refused(self, error: HyperxGlanceError) -> RegistrationFailedError:
        reason, hint = next(
            (found for words, *found in _REFUSALS if re.search(words, f"{error.status} {error.message}")),
            (failures.GLANCE, ""),
        )
        return RegistrationFailedError(
            f"Glance refuses the data of image {self.image_id}: {error.message}",
            image_id=self.image_id,
            phase=self._seen.phase,
            reason=reason,
            **error.answer(),
            hint=hint,
        )

    # ------------------------------------------------------------- verify

    def _verified(self, image: Image, end: float) -> Image:
        wanted = self._order.checksum
        if wanted is not None and not verified(image, wanted):
            image = self._verify(image, wanted, end)
        self.ended = True
        return image

    def _verify(self, image: Image, wanted: str, end: float) -> Image:
        algorithm = wanted.partition(":")[0]
        try:
            actual = self._digest or recorded_checksum(image, algorithm) or self._hashed(algorithm, end)
        except NotAllowedError as error:
            if self._disabled():
                self.ended = True
                error.add_note(f"Image {self.image_id} was disabled meanwhile; resume_registration verifies it later.")
                raise
            why = f"Glance does not let its data be read: {error.message}"
            raise self._rejected(self._unverifiable(why)) from error
        except NotFoundError:
            self._read()  # raises where the record has gone, and not its data alone
            raise
        if actual == wanted:
            return image if recorded_checksum(image, algorithm) else self._marked(image)
        if self._digest is None and self._converted(image):
            raise self._rejected(self._unverifiable("Glance converted it on its way in."))
        raise self._rejected(ChecksumMismatchError(image_id=self.image_id, expected=wanted, actual=actual))

    def _unverifiable(self, why: str) -> RegistrationFailedError:
        return RegistrationFailedError(
            f"The checksum of image {self.image_id} cannot be verified: {why}",
            image_id=self.image_id,
            phase=Phase.READY,
            reason=UNVERIFIABLE,
            hint="Register it with transfer='stream', which hashes what comes from the URL, or without a checksum.",
        )

    def _rejected(self, error: HyperxGlanceError) -> HyperxGlanceError:
        """Delete, whatever is kept of other failures: data that may not be what it should be must not become usable."""
        return self._settle(error, dataclasses.replace(self._order, keep_failed=False))

    def _converted(self, image: Image) -> bool:
        """Tell whether an import plug-in changed the data (glance/async_/flows/plugins/).

        A resumed record has the format that it was given; what it was before, only the URL can tell.
        """
        if image.disk_format != self._order.disk_format:
            return True
        if self._order.size is not None:
            return image.size != self._order.size
        if self._order.url is None:
            return False
        try:
            settings = self._site.settings
            found = urls.preflight(
                self._order.url, settings.url_policy, declared=image.disk_format, network=settings.network
            )
        except UrlRejectedError as error:
            return error.reason == UrlProblem.WRONG_FORMAT
        return found.size not in (None, image.size)

    def _hashed(self, algorithm: str, end: float) -> str:
        """Hash the data itself, where Glance keeps no digest of this algorithm."""
        digest = hashlib.new(algorithm, usedforsecurity=False)
        timeout = max(self._left(end), streaming.SHORTEST_SECONDS)
        try:
            for piece in self._site.cloud.pieces("image", image_path(self.image_id, "file"), timeout=timeout):
                if self._cancelled.is_set():
                    raise self._gone()
                if self._clock() >= end:
                    raise self._late(ready=True)
                digest.update(piece)
        except ServiceUnavailableError as error:
            if self._clock() >= end:
                raise self._late(ready=True) from error
            raise
        return f"{algorithm}:{digest.hexdigest()}"

    def _disabled(self) -> bool:
        image, _ = self._read()
        return image.glance_status == "deactivated"

    def _marked(self, image: Image) -> Image:
        """Write down that the data was verified, where nothing in the record shows it.

        Where it cannot be written the image is as good: whoever takes it up again verifies it again.
        """
        patch = [{"op": "add", "path": f"/{glance_key('checksum_verified')}", "value": "true"}]
        try:
            answer = self._site.cloud.patch_image(self.image_id, patch)
        except NotFoundError as error:
            raise self._gone() from error
        except ServiceUnavailableError:
            raise
        except HyperxGlanceError as error:
            _LOG.warning("image %s is verified, which could not be written down: %s", self.image_id, error)
            return image
        return parsed(Image, "image", answer.content)

    # ------------------------------------------------------------- cancel

    def cancel(self) -> None:
        """Delete the record, whatever it has come to; from any thread, as often as one likes.

        Nothing comes back, but Glance may read the URL to its end.
        """
        self._cancelled.set()
        try:
            failures.delete_record(self._site.cloud, self.image_id)
        except ServiceUnavailableError as error:
            name_left(error, image_id=self.image_id)
            raise


# glance/api/v2/image_data.py, upload: 413 has three meanings, and one of them is the quota.
_NO_QUOTA = re.compile("storage media is full|image is too large")
_REFUSALS = (
    ("storage media is full", failures.GLANCE, "An operator should look at Glance's store."),
    ("^413", UrlProblem.TOO_LARGE, "Make the image smaller, or ask an operator for more: image_size_cap."),
    ("^415.*safety", UrlProblem.UNSAFE_IMAGE, "Make a self-contained image: qemu-img convert."),
    ("^415", UrlProblem.WRONG_FORMAT, "Give the format that the file really has."),
)
