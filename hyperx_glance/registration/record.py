"""The record of one registration in Glance: read it, give it up, delete it.

This file alone decides what is deleted, and what never (docs/decisions/0025).
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal

from hyperx_glance import removal
from hyperx_glance.cloud.answers import server_time
from hyperx_glance.cloud.cloud import Cloud, image_of, image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.refusals import remembered
from hyperx_glance.errors import (
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    PlaceLostError,
    ProtectedError,
    QuotaExceededError,
    WaitTimeoutError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import has_become_ready
from hyperx_glance.models.stored import shortened, stored
from hyperx_glance.registration import failures
from hyperx_glance.registration.order import RegistrationOrder
from hyperx_glance.texts import say, sentences
from hyperx_glance.vocabulary import Phase, glance_key
from hyperx_glance.waiting.callbacks import OUT_OF_REACH
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import attempts

MORE_TIME = "record-deleted-allow-more-time"
"""The code of the hint after a timeout."""
_LOG = logging.getLogger(__name__)
_Fate = Literal["deleted", "marked as failed", "left"]


class RegistrationRecord:
    """The record of one registration; threads may share it.

    ``own`` if this process has started the import or upload: only then is data deleted that has become ready.
    """

    def __init__(self, context: Context, order: RegistrationOrder, *, own: bool) -> None:
        self.context = context
        self.order = order
        self.own = own
        self.may_exist = True
        self.ended = False
        """Whether nothing is left to do: ready and verified, failed and cleaned up, or disabled meanwhile."""
        self.is_written = False
        """Whether another process, which this one does not wait for, may be writing to the record."""
        self.hidden: tuple[str, ...] = ()
        """HYPERX's properties that Glance took, and does not show to the caller."""
        self.failure: HyperxGlanceError | None = None
        self._fate: _Fate | None = None
        self._cancelled = threading.Event()
        self._settling = threading.Lock()
        self._pen = threading.RLock()

    @property
    def image_id(self) -> str:
        """The id of the image."""
        return self.order.image_id

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Name the record on every exception that leaves the block while the record may exist."""
        with MayHaveMade(image_id=self.image_id) as made:
            try:
                yield
            finally:
                if not self.may_exist:
                    made.undone()

    @contextlib.contextmanager
    def interruptible(self, undo: Callable[[], None]) -> Iterator[None]:
        """Call ``undo`` after an exception that is not an error of this library, such as Ctrl-C."""
        try:
            yield
        except HyperxGlanceError:
            raise
        except BaseException as error:
            with noted(error, self.image_id):
                undo()
            raise

    @contextlib.contextmanager
    def given_up_on_failure(self) -> Iterator[None]:
        """Delete the record after any exception, or mark it if failed records are kept.

        If a service is out of reach, the record stays: nothing can be done now, and it can be resumed by its id.
        """
        with self.interruptible(self.delete):
            try:
                yield
            except OUT_OF_REACH:
                raise
            except HyperxGlanceError as error:
                self.fail(error)
                if isinstance(error, WaitTimeoutError) and not self.may_exist:
                    error.hint = say(MORE_TIME)
                raise

    # ------------------------------------------------------------- look

    def read(self, *, phase: Phase) -> tuple[Image, datetime]:
        """Read the record, and Glance's clock, with which to compare its times; ``phase`` was seen last."""
        try:
            answer = self.context.cloud.get("image", image_path(self.image_id))
            image = image_of(answer, self.image_id)
        except NotFoundError as error:
            missing = self.missing(phase=phase)
            raise missing from missing.__cause__ or error
        return image, server_time(answer.headers.get("Date")) or datetime.now(UTC)

    def missing(self, *, phase: Phase) -> HyperxGlanceError:
        """Return the error that explains why Glance does not find the record."""
        self.may_exist = False
        return self._ending(phase)

    def _ending(self, phase: Phase) -> HyperxGlanceError:
        if self.failure is not None:
            return self.failure.with_traceback(None)
        if self._cancelled.is_set():
            return failures.cancelled(self.image_id, phase=phase)
        return failures.vanished(self.image_id, phase=phase)

    def stop_if_cancelled(self, *, phase: Phase) -> None:
        """Raise if another thread has cancelled."""
        if self._cancelled.is_set():
            raise self._ending(phase)

    @contextlib.contextmanager
    def writing(self, *, phase: Phase) -> Iterator[None]:
        """Hold the pen while this process writes to the record; a cancellation waits for the pen before it deletes."""
        with self._pen:
            self.stop_if_cancelled(phase=phase)
            yield

    # ------------------------------------------------------------- give up

    def fail(self, error: HyperxGlanceError, *, phase: Phase = Phase.REGISTERED) -> HyperxGlanceError:
        """Delete a record that never became ready, or mark it if failed records are kept; return the error to raise.

        A record that exceeds the quota is never kept: it would take the place of another.
        """
        if self._cancelled.is_set():
            return self._ending(phase)
        kept = self.order.keep_failed and not isinstance(error, QuotaExceededError | WaitTimeoutError)
        return self._settle(failures.scrubbed(error, self.order), "marked as failed" if kept else "deleted")

    def reject(self, error: HyperxGlanceError) -> HyperxGlanceError:
        """Delete wrong data, even if failed records are kept: it must not become usable. Return the error to raise.

        An image whose transfer another process has started was usable before, and may not be a registration at all. It
        stays, and the error says so.
        """
        if self.own:
            return self._settle(error, "deleted")
        error.hint = sentences(error.hint, say("image-left-as-found"))
        return self.leave(error)

    def leave(self, error: HyperxGlanceError) -> HyperxGlanceError:
        """Fail without changing the record; return the error to raise."""
        return self._settle(error, "left")

    def clean_up(self) -> HyperxGlanceError | None:
        """Finish the clean-up after an earlier failure, and return that failure; None if there was none."""
        return None if self.failure is None else self._settle(self.failure, "left")

    def _settle(self, error: HyperxGlanceError, fate: _Fate) -> HyperxGlanceError:
        """Clean up, unless that was done, and return the first failure; several threads may call this repeatedly."""
        with self._settling:
            if self.failure is None:
                self.failure, self._fate = error, fate
            if self._fate is not None:
                with noted(self.failure, self.image_id, self._fate):
                    self._dispose(self.failure, self._fate)
                    self._fate = None
            self.ended = True
            return self.failure.with_traceback(None)

    def _dispose(self, error: HyperxGlanceError, fate: _Fate) -> None:
        if fate == "deleted":
            try:
                self.delete()
            except NotAllowedError:
                # The policy lets nobody of the department delete: the record stays, and says that it has failed.
                self._mark(error)
                raise
            error.left = ()
        elif fate == "marked as failed":
            self._mark(error)

    def _mark(self, error: HyperxGlanceError) -> None:
        with self._pen:
            for attempt in attempts(self.context.settings.pace):
                with attempt:
                    keep(self.context.cloud, self.image_id, error)

    # ------------------------------------------------------------- delete

    def cancel(self) -> None:
        """Delete the record because the caller wants it, and stop all threads that wait for it."""
        self._cancelled.set()
        try:
            self.delete()
        except ProtectedError:
            self._cancelled.clear()
            raise

    def withdraw(self, error: BaseException) -> bool:
        """Cancel because of this error, which is still the one to raise; return whether no record is left."""
        if not self.ended:
            with noted(error, self.image_id, "deleted"):
                self.cancel()
        return not self.may_exist

    def delete(self) -> None:
        """Delete the record; a record that is gone is not an error. Send again if the response is lost.

        Wait for a write of another thread, for at most 5 seconds: if the source sends nothing for so long, Glance does
        not write either. Raise `PlaceLostError` if the quota still counts the record afterwards.
        """
        mine = self._pen.acquire(timeout=removal.UPLOAD_SECONDS)
        own_department = self.order.department.id == self.context.cloud.project_id
        try:
            lost = removal.delete(
                self.context,
                self.image_id,
                self._delete,
                in_doubt=own_department and (self.is_written or not mine),
            )
        finally:
            if mine:
                self._pen.release()
        self.may_exist = False
        if lost is not None:
            raise lost

    def _delete(self) -> None:
        for attempt in attempts(self.context.settings.pace):
            with attempt:
                self._delete_once()

    def _delete_once(self) -> None:
        cloud = self.context.cloud
        try:
            try:
                with remembered(cloud, self.image_id):
                    cloud.delete_image(self.image_id)
            except ProtectedError:
                if not self.own and has_become_ready(cloud.image(self.image_id)):
                    raise
                # The protection that a registration asks for is for its image, not for a failed record.
                cloud.patch_image(self.image_id, [{"op": "replace", "path": "/protected", "value": False}])
                cloud.delete_image(self.image_id)
        except NotFoundError:
            return


def keep(cloud: Cloud, image_id: str, error: HyperxGlanceError) -> None:
    """Write the reason into the record, whose phase is then failed."""
    reason = stored(shortened(failures.for_the_record(error)))
    cloud.patch_image(image_id, [{"op": "add", "path": f"/{glance_key('failure')}", "value": reason}])


@contextlib.contextmanager
def noted(error: BaseException, image_id: str, done: str = "deleted") -> Iterator[None]:
    """Add a note to the first error, which is still the one to raise, if the record cannot be cleaned up."""
    try:
        yield
    except PlaceLostError as lost:
        error.add_note(sentences(lost.message, lost.hint))
    except HyperxGlanceError as second:
        code = "record-not-marked-as-failed" if done == "marked as failed" else "record-not-deleted"
        note = say(code, image=image_id, problem=second.message)
        error.add_note(sentences(note, second.hint) if isinstance(second, NotAllowedError) else note)
        _LOG.warning("the record %s of a failed registration could not be %s", image_id, done)
