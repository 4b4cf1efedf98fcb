"""The upload into a record, or into the staging area, which another process may be doing as well."""

from hyperx_glance.errors import (
    AuthenticationError,
    ChecksumMismatchError,
    HyperxGlanceError,
    NotFoundError,
    RegistrationFailedError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import is_being_uploaded, is_staged
from hyperx_glance.models.results import Progress
from hyperx_glance.registration import failures, importing, streaming
from hyperx_glance.registration.looking import Journal
from hyperx_glance.registration.order import Deadline, RegistrationOrder
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.sources.opening import REJECTED
from hyperx_glance.vocabulary import UrlProblem
from hyperx_glance.waiting.callbacks import OUT_OF_REACH, Tell
from hyperx_glance.waiting.pace import answered, wait_until

_UPLOADS = 3


class Uploader:
    """Upload of one record's data; if it is ``staged``, Glance is then asked to import it.

    ``interrupted`` if an upload may be running or have been interrupted: it is waited for. ``last_resort`` if Glance
    has failed to import the record before.
    """

    def __init__(
        self,
        record: RegistrationRecord,
        order: RegistrationOrder,
        journal: Journal,
        *,
        staged: bool = False,
        interrupted: bool = False,
        last_resort: bool = False,
    ) -> None:
        self._record = record
        self._order = order
        self._journal = journal
        self.staged = staged
        """Whether Glance imports the data that is uploaded."""
        self._interrupted = interrupted
        self._last_resort = last_resort
        self.digest: str | None = None
        """The checksum of the uploaded data, as "algorithm:hex", if one is wanted."""

    def run(self, tell: Tell[Progress], end: Deadline) -> None:
        """Upload, or return if another process has done it; after an exception it can be called again.

        An upload is started again if it is refused because another one runs, or because the login has expired.
        """
        for attempt in range(1, _UPLOADS + 1):
            if self._interrupted:
                image = self._after_interruption(end)
                if is_staged(image):
                    self._import()
                if image.glance_status != "queued":
                    return
            self._interrupted = True
            if self._uploaded(tell, end, last=attempt == _UPLOADS):
                self._record.own = True
                if not self.staged:
                    return
                image = self._after_interruption(end)  # the response may have been lost before Glance had all data
                if is_staged(image):
                    self._import()
                if image.glance_status != "queued" or attempt == _UPLOADS:
                    return

    def _uploaded(self, tell: Tell[Progress], end: Deadline, *, last: bool) -> bool:
        """Upload once; return False if another attempt may succeed."""

        def on_bytes(sent: int, read: int) -> None:
            self._record.stop_if_cancelled(phase=self._journal.last.phase)
            if end.passed:
                raise self._late()
            tell(self._journal.uploaded(sent, read))

        try:
            with self._record.writing(phase=self._journal.last.phase):
                self.digest = streaming.upload(
                    self._record.context, self._order, on_bytes, staged=self.staged, seconds=end.left
                )
        except ChecksumMismatchError as error:
            self._record.own = True
            raise self._record.reject(error) from None
        except (WaitTimeoutError, RegistrationFailedError):  # as `on_bytes` says
            raise
        except HyperxGlanceError as error:
            if end.passed and _is_silence(error):
                raise self._late() from error
            # If a failed import has left its data in the store, Glance answers 500 to every upload.
            if isinstance(error, ServiceUnavailableError) and not (self._last_resort and answered(error, 500)):
                raise
            if error.status in (401, 409) and not last:
                return False
            if isinstance(error, AuthenticationError):
                raise
            failure = self._failed(error)
            raise failure from failure.__cause__ if failure is error else error
        return True

    def _import(self) -> None:
        """Ask Glance to import what was staged, by this process or by another one."""
        phase = self._journal.last.phase
        with self._record.writing(phase=phase):
            try:
                importing.import_staged(self._record.context, self._order)
            except OUT_OF_REACH:
                raise
            except HyperxGlanceError as error:
                failure = self._record.fail(error, phase=phase)
                raise failure from failure.__cause__ if failure is error else error
        self._record.own = True

    def _failed(self, error: HyperxGlanceError) -> HyperxGlanceError:
        phase = self._journal.last.phase
        if isinstance(error, NotFoundError) and not self.staged:
            return self._record.missing(phase=phase)
        if error.status in (404, 410):
            # Raises if the record is gone. A store that refuses writes is 410, too, and a Glance without staging 404.
            self._record.read(phase=phase)
        return self._record.fail(failures.of_upload(error, self._record.context, self._order, phase=phase), phase=phase)

    def _late(self) -> WaitTimeoutError:
        return failures.late(self._record.image_id, self._journal.last, streams=True)

    def _after_interruption(self, end: Deadline) -> Image:
        """Wait for the end of an interrupted upload, and return the record.

        Glance notices the end of the connection, and then sets the record back to queued (glance/api/v2/image_data.py).
        """

        def look() -> Image | None:
            image, _ = self._record.read(phase=self._journal.last.phase)
            self._journal.seen(image, done=self._journal.sent)
            return None if is_being_uploaded(image) else image

        try:
            return wait_until(
                self._record.context.settings.pace,
                look,
                timeout=end.left,
                what=f"the interrupted upload of image {self._record.image_id}",
            )
        except WaitTimeoutError as error:
            raise self._late() from error


def _is_silence(error: HyperxGlanceError) -> bool:
    timeout = isinstance(error, REJECTED) and error.reason == UrlProblem.TIMEOUT
    return timeout or isinstance(error, ServiceUnavailableError)
