"""Following one capture to its end: look, take the next step, and delete what was made if it fails.

One look at Glance, Cinder and Nova always shows the next step: the copy of the volume, its upload,
the patch that makes a template, the deletion of the copy. Each may be taken again, also by another process.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, NoReturn

from hyperx_glance import removal
from hyperx_glance.capturing import services
from hyperx_glance.capturing.template import template_edits
from hyperx_glance.cloud.patching import apply
from hyperx_glance.errors import (
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
            message = (
                "Cinder is copying the server's volume." if self._has_copies else "Nova is starting to copy the disk."
            )
            return self._progress(Phase.REGISTERED, message)
        if is_being_captured(record):
            return self._progress(Phase.STORING, "The data is being uploaded to Glance.", record)
        if copies:
            return self._progress(Phase.STORING, "Cinder is deleting its copy of the volume.", record)
        return self._progress(record.phase, "", record)

    def _progress(self, phase: Phase, message: str, record: Image | None = None) -> Progress:
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
                f"Timed out waiting for capture {self.capture_id}. The capture continues.",
                last_seen=self.last,
                image_id=self.image_id,
                hint="find_capture(capture_id).wait() finishes it; cancel() deletes what it has made.",
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
                self._fail("It was cancelled by another process.")
            if record.glance_status not in _WITH_DATA:
                self._judge(copies)
                return None
            if is_volume_snapshot(record):
                self._snapshots = services.snapshots_named_by(record)
                self._fail(
                    "Nova did not copy its disk: the server runs on a volume, and which one could not be determined."
                )
            finished = self._finish(record)
            return None if finished is None else self._clean(finished, copies)

    def _begin_record(self, copies: list[Volume]) -> None:
        """Take the next step of a capture that has no record: upload the copy when it is there."""
        if self._uploaded:
            self._fail("Its record was deleted, by a user or by the service that was to fill it.")
        if not copies:
            if self._quiet.is_over:
                self._fail("Its copy of the volume is gone.")
            return
        copy, order = copies[0], self._order
        if copy.status == "available" and order is not None and self._quiet.is_over:
            self._upload(copy, order)
        elif "error" in copy.status:
            self._fail(f"Cinder could not copy the volume: the copy {copy.id} is in status {copy.status}.")

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
            self._fail(f"Cinder refused to upload its copy of the volume: {refusal.message}", refusal)
        self._quiet.end()
        self._uploaded = True

    def _judge(self, copies: list[Volume]) -> None:
        """Fail if the data can no longer come, because no service is working on it."""
        if self._works(copies) or (self._has_copies and self._works(self._copies())):
            return
        assert self.image_id is not None
        record = self._read(self.image_id)
        if record is not None and record.glance_status not in _WITH_DATA and self._quiet.is_over:
            self._fail(f"No data arrived, and no service is sending any: the record is still {record.glance_status}.")

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
            raise NotAllowedError("Only administrators may finish the capture of a featured image.")
        try:
            return apply(self._cloud, record, lambda image: template_edits(image, order, public_visibility=visibility))
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
                self._failure = self._failed("It was cancelled.")
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
                f"Capture {self.capture_id} was cancelled, but Cinder has not deleted its copies yet.",
                image_id=self.image_id,
                hint="Call find_capture(capture_id).cancel() again. An operator resets a volume that Cinder left"
                " uploading when it died: openstack volume set --state error VOLUME.",
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
                f"Capture {self.capture_id} has finished; image {finished.id} is kept.",
                hint="delete(image) deletes the image; wait() deletes the rest of the capture.",
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

    def _fail(self, reason: str, cause: HyperxGlanceError | None = None) -> NoReturn:
        """Delete what was made, and raise the reason."""
        failure = self._failed(reason)
        if cause is not None:
            failure.service, failure.status, failure.request_id = cause.service, cause.status, cause.request_id
        self._failure = failure
        self._clear_away(failure)
        raise failure from cause

    def _failed(self, reason: str) -> CaptureFailedError:
        failure = CaptureFailedError(
            f"Capture {self.capture_id} of server {self.server_id} failed. {reason}",
            capture_id=self.capture_id,
            server_id=self.server_id,
            hint="Check the server; its faults and the services' logs have the details. Then capture it again.",
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
            error.add_note(str(lost))
        except HyperxGlanceError as second:
            error.add_note(f"The record or copies of capture {self.capture_id} could not be deleted: {second}")
            LOG.warning("The record or copies of capture %s could not be deleted", self.capture_id)
            return False
        return True
