"""Following one capture to its end: look, take the next step, and delete what was made if it fails.

One look at Glance, Cinder and Nova always shows the next step: the copy of the volume, its upload,
the patch that makes a template, the deletion of the copy. Each may be taken again, also by another process.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, NoReturn, Unpack

from hyperx_glance import removal
from hyperx_glance.capturing import services
from hyperx_glance.capturing.template import template_edits
from hyperx_glance.cloud.patching import apply
from hyperx_glance.errors import (
    Answer,
    CaptureFailedError,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    PlaceLostError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import GONE, is_being_captured, is_cancelled_capture, is_volume_snapshot
from hyperx_glance.models.results import Progress
from hyperx_glance.texts import NO_TEXT, Text, say, sentences
from hyperx_glance.vocabulary import SNAPSHOT_KEY, SNAPSHOT_VALUE, Category, Phase
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import wait_until
from hyperx_glance.waiting.quiet import Quiet, patient

if TYPE_CHECKING:
    from hyperx_glance.capturing.order import CaptureOrder
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.cloud.volumes import Volume
    from hyperx_glance.waiting.callbacks import Tell

LOG = logging.getLogger(__name__)
_WITH_DATA = ("active", "deactivated")


class CaptureFollower:
    """Follower of one capture; threads may share it.

    ``order`` is None for a capture that is finished, except that its copy of a volume may still exist. ``quiet`` is
    over when no earlier request can still have an effect.
    """

    def __init__(
        self,
        context: Context,
        *,
        capture_id: str,
        server_id: str,
        order: CaptureOrder | None,
        has_copies: bool,
        quiet: Quiet,
        image_id: str | None = None,
        copy_id: str | None = None,
    ) -> None:
        self.context = context
        self.capture_id = capture_id
        self.server_id = server_id
        self.image_id = image_id
        self.made = MayHaveMade(capture_id=capture_id, image_id=image_id)
        self.made.found(volume_id=copy_id)
        self._copy_id = copy_id
        self._cloud = context.cloud
        self._pace = context.settings.pace
        self._order = order
        self._has_copies = has_copies
        self._quiet = quiet
        self._uploaded = image_id is not None
        self._refused_once = False
        self._failure: CaptureFailedError | None = None
        self._lost: PlaceLostError | None = None
        self._snapshots: frozenset[str] = frozenset()
        self._turn = threading.RLock()
        self._started = self._pace.clock()
        self.last = Progress(phase=Phase.REGISTERED)

    # ------------------------------------------------------------- look

    def progress(self) -> Progress:
        """Look once, and change nothing."""
        copies = self._copies()
        return self._seen(self._record(), copies)

    def _seen(self, record: Image | None, copies: list[Volume]) -> Progress:
        if record is None:
            message = say("capture-copies-the-volume" if self._has_copies else "capture-begins")
            return self._progress(Phase.REGISTERED, message)
        if is_being_captured(record):
            return self._progress(Phase.STORING, say("capture-uploads"), record)
        if copies:
            return self._progress(Phase.STORING, say("capture-deletes-the-copy"), record)
        return self._progress(record.phase, NO_TEXT, record)

    def _progress(self, phase: Phase, message: Text, record: Image | None = None) -> Progress:
        return Progress(
            phase=phase,
            bytes_expected=None if record is None else record.size,
            bytes_done=record.size if record is not None and record.glance_status in _WITH_DATA else None,
            elapsed_seconds=self._pace.clock() - self._started,
            message=message,
        )

    def _record(self) -> Image | None:
        """Read the record; return None if there is none yet, or if it was deleted."""
        if self.image_id is None:
            found = services.records(self._cloud, self.capture_id)
            record = found[0] if found else None
        else:
            record = self._read(self.image_id)
        if record is not None:
            self._know(record.id)
        return record

    def _read(self, image_id: str) -> Image | None:
        try:
            record = self._cloud.image(image_id)
        except NotFoundError:
            return None
        return None if record.glance_status in GONE else record

    def _know(self, image_id: str) -> None:
        self.image_id = image_id
        self.made.found(image_id=image_id)

    def _copies(self) -> list[Volume]:
        """List the copies. One that was seen before is gone only if Cinder does not find its id: a list may lack it."""
        found = services.copies(self._cloud, self.capture_id) if self._has_copies else []
        if not found and self._copy_id is not None:
            found = services.copy_of_id(self._cloud, self._copy_id)
        self._copy_id = found[0].id if found else None
        self.made.found(volume_id=self._copy_id)
        return found

    # ------------------------------------------------------------- continue

    def finish(self, tell: Tell[Progress], timeout: float | None) -> Image:
        """Take all steps that are left, and return the image. The callback's exceptions come out as `CallbackError`."""

        def look() -> Image | None:
            image = self.go_on()
            tell(self.last)
            return image

        try:
            return wait_until(self._pace, patient(self._pace, look), timeout=timeout, what=f"capture {self.capture_id}")
        except WaitTimeoutError as error:
            raise WaitTimeoutError(
                say("capture-timed-out", capture=self.capture_id),
                last_seen=self.last,
                image_id=self.image_id,
                hint=say("finish-or-cancel-the-capture", capture=self.capture_id),
            ) from error

    def go_on(self) -> Image | None:
        """Look once, and take the next step; return the image if none is left."""
        with self._turn:
            if self._failure is not None:
                raise self._failure.with_traceback(None)
            copies, record = self._copies(), self._record()
            self.last = self._seen(record, copies)
            if record is None:
                self._begin_record(copies)
                return None
            if not is_being_captured(record):
                return self._clean(record, copies)
            if is_cancelled_capture(record):
                self._fail(say("capture-cancelled-elsewhere"))
            if record.glance_status not in _WITH_DATA:
                self._judge(copies)
                return None
            if is_volume_snapshot(record):
                self._snapshots = services.snapshots_named_by(record)
                self._fail(say("capture-without-data"))
            finished = self._finish(record)
            return None if finished is None else self._clean(finished, copies)

    def _begin_record(self, copies: list[Volume]) -> None:
        """Take the next step of a capture that has no record: upload the copy when it is there."""
        if self._uploaded:
            self._fail(say("capture-record-deleted"))
        if not copies:
            if self._quiet.is_over:
                self._fail(say("capture-copy-gone"))
            return
        copy, order = copies[0], self._order
        if copy.status == "available" and order is not None and self._quiet.is_over:
            self._upload(copy, order)
        elif "error" in copy.status:
            self._fail(say("capture-copy-failed", volume=copy.id, status=copy.status))

    def _upload(self, copy: Volume, order: CaptureOrder) -> None:
        """Request the upload. If the response is lost, the next looks show what became of it.

        Another process may finish the same capture: Cinder refuses both requests while a volume is uploading, and the
        record exists afterwards.
        """
        try:
            services.write_image_metadata(self._cloud, copy.id, {**order.texts(), SNAPSHOT_KEY: SNAPSHOT_VALUE})
            if services.records(self._cloud, self.capture_id):
                return
            self._quiet.begin()
            self._know(services.upload(self._cloud, copy.id, order))
        except NotFoundError:
            return
        except InvalidRequestError as refusal:
            if any(each.status == "uploading" for each in self._copies()) or self._record() is not None:
                return
            self._fail(say("capture-upload-refused"), refusal)
        self._quiet.end()
        self._uploaded = True

    def _judge(self, copies: list[Volume]) -> None:
        """Fail if the data can no longer come, because no service is working on it."""
        if self._works(copies) or (self._has_copies and self._works(self._copies())):
            return
        assert self.image_id is not None
        record = self._read(self.image_id)
        if record is not None and record.glance_status not in _WITH_DATA and self._quiet.is_over:
            self._fail(say("capture-no-data-arrived", status=record.glance_status))

    def _works(self, copies: list[Volume]) -> bool:
        if self._has_copies:
            return any(copy.status == "uploading" for copy in copies)
        return removal.has_task(self._cloud, self.server_id)

    def _finish(self, record: Image) -> Image | None:
        """Make a template of the record, and return it; return None if another process changed it at the same time."""
        order, visibility = self._order, self.context.settings.public_visibility
        if order is None:
            return None
        if order.new.category is Category.FEATURED and not self._cloud.is_administrator:
            raise NotAllowedError(say("only-administrators-finish-featured"))
        try:
            return apply(
                self._cloud,
                self.context.settings.pace,
                record,
                lambda image: template_edits(image, order, public_visibility=visibility),
            )
        except ConflictError as error:
            if error.status is None or self._refused_once:  # without a status: Glance did not take an edit
                raise
            self._refused_once = True
            return None

    def _clean(self, record: Image, copies: list[Volume]) -> Image | None:
        """Delete the copy of the volume; return the image if the copy is gone."""
        self.last = self._seen(record, copies)
        for copy in copies:
            services.delete_copy(self._cloud, copy)
        return None if copies else record

    # ------------------------------------------------------------- give up

    def cancel(self) -> None:
        """Delete what was made, and return when it is gone; raise `ConflictError` if the image is finished.

        Nova or Cinder may be writing to the record: a deletion at that moment could lose its place in the quota. So the
        record is claimed first, after which no process can finish it. It is deleted when they have finished, or after
        30 seconds.
        """
        with self._turn:
            self._remove()
            if self._failure is None:
                self._failure = self._failed(say("capture-was-cancelled"))
            if self._lost is not None:
                lost, self._lost = self._lost, None
                lost.capture_id = self.capture_id
                raise lost

    def _remove(self) -> None:
        patient_until = self._pace.clock() + removal.WRITER_SECONDS

        def gone() -> bool | None:
            records = self._all_records()
            if not all(services.claim(self._cloud, record) for record in records):
                return None
            copies, late = self._copies(), self._pace.clock() >= patient_until
            written = bool(records) and self._may_be_written(records, copies)
            if written and not late:
                return None
            for record in records:
                self._delete_record(record, in_doubt=written)
            for copy in copies:
                services.delete_copy(self._cloud, copy, stuck=late)
            left = [each for each in self._snapshots if services.delete_snapshot(self._cloud, each)]
            return None if copies or left else True

        try:
            timeout = max(self._pace.deadline, 2 * removal.WRITER_SECONDS)
            wait_until(
                self._pace,
                patient(self._pace, gone),
                timeout=timeout,
                what=f"the deletion of capture {self.capture_id}",
            )
        except WaitTimeoutError as error:
            raise WaitTimeoutError(
                say("capture-copies-not-deleted-yet", capture=self.capture_id),
                image_id=self.image_id,
                hint=say("cancel-the-capture-again", capture=self.capture_id),
            ) from error
        self.made.undone()

    def _all_records(self) -> list[Image]:
        found = services.records(self._cloud, self.capture_id)
        if self.image_id is not None and all(record.id != self.image_id for record in found):
            known = self._read(self.image_id)
            found += [known] if known is not None else []
        finished = next((record for record in found if not is_being_captured(record)), None)
        if finished is not None:
            raise ConflictError(
                say("capture-has-finished", capture=self.capture_id, image=finished.id),
                hint=say("delete-the-image-or-the-rest", capture=self.capture_id, image=finished.id),
            )
        return found

    def _may_be_written(self, records: list[Image], copies: list[Volume]) -> bool:
        """Check whether Nova or Cinder may still write to a record; a service that cannot be asked may.

        Nova makes the record before it gives the server a task. So if a request is still on its way, there is no task.
        """
        try:
            works = self._works(copies)
        except (NotAllowedError, ServiceUnavailableError):
            return True
        begins = not (self._has_copies or self._quiet.is_over)
        return works or (begins and any(record.glance_status == "queued" for record in records))

    def _delete_record(self, record: Image, *, in_doubt: bool) -> None:
        def send() -> None:
            with contextlib.suppress(NotFoundError):
                self._cloud.delete_image(record.id)

        self._lost = removal.delete(self.context, record.id, send, in_doubt=in_doubt) or self._lost

    def _fail(self, reason: Text, cause: HyperxGlanceError | None = None) -> NoReturn:
        """Delete what was made, and raise the reason."""
        failure = self._failed(reason, **(cause.answer() if cause is not None else {}))
        self._failure = failure
        self._clear_away(failure)
        raise failure from cause

    def _failed(self, reason: Text, **answer: Unpack[Answer]) -> CaptureFailedError:
        failure = CaptureFailedError(
            say("capture-failed", capture=self.capture_id, server=self.server_id, reason=reason),
            capture_id=self.capture_id,
            server_id=self.server_id,
            hint=say("check-the-server"),
            **answer,
        )
        failure.image_id = self.image_id
        return failure

    def withdraw(self, error: BaseException) -> bool:
        """Cancel because of this error, which is still the one to raise; return whether nothing is left."""
        return error is self._failure or self._clear_away(error)

    def _clear_away(self, error: BaseException) -> bool:
        try:
            self.cancel()
        except PlaceLostError as lost:
            error.add_note(sentences(lost.message, lost.hint))
        except HyperxGlanceError as second:
            error.add_note(say("capture-not-deleted", capture=self.capture_id, problem=second.message))
            LOG.warning("The record or copies of capture %s could not be deleted: %s", self.capture_id, second)
            return False
        return True
