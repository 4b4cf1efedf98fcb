"""Following one launch to its end: look, wait, and delete what it made if it fails or is cancelled."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, NoReturn

from hyperx_glance.cloud import compute
from hyperx_glance.cloud.compute import ServerRecord
from hyperx_glance.cloud.volumes import Volume, volumes
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    LaunchFailedError,
    NotFoundError,
    WaitTimeoutError,
)
from hyperx_glance.launching import servers as nova
from hyperx_glance.launching.order import LAUNCH_KEY
from hyperx_glance.launching.plan import name_order
from hyperx_glance.models.results import LaunchProgress, Server
from hyperx_glance.quotas.refusals import exceeded, quota_error
from hyperx_glance.texts import Text, say
from hyperx_glance.waiting.pace import wait_until
from hyperx_glance.waiting.quiet import Quiet, patient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hyperx_glance.cloud.context import Context
    from hyperx_glance.launching.order import LaunchOrder
    from hyperx_glance.waiting.callbacks import Tell
    from hyperx_glance.waiting.made import MayHaveMade

BUILD_SECONDS = 120.0
"""The time that `LaunchFollower.cancel` gives a server to be built before it deletes it, if volumes would be left."""
FAULT_SECONDS = 2.0
"""The time that Nova may take to write why a server is in ERROR (nova/scheduler/utils.py, set_vm_state_and_notify)."""
_BUILDING = ("BUILD", "UNKNOWN")
_SOFT_DELETED = "SOFT_DELETED"
"""Nova's option reclaim_instance_interval: a deleted server is in no list, keeps its volumes, and goes later."""
_FAILED = ("ERROR", "DELETED", _SOFT_DELETED)
_LOG = logging.getLogger(__name__)


class LaunchFollower:
    """Follower of one launch; threads may share it.

    ``quiet`` is over when Nova can no longer be creating servers.
    """

    def __init__(
        self, context: Context, order: LaunchOrder, *, made: MayHaveMade, records: Sequence[ServerRecord] = ()
    ) -> None:
        self.order = order
        self.made = made
        self.quiet = Quiet(context.settings.pace)
        self._context = context
        self._cloud = context.cloud
        self._pace = context.settings.pace
        self._records: tuple[ServerRecord, ...] = ()
        self._seen: frozenset[str] = frozenset()
        self._going: set[str] = set()
        self._judged: set[str] = set()
        self._softly: set[str] = set()
        self._refused = ""
        self._started = self._pace.clock()
        self._take(records)

    # ------------------------------------------------------------- look

    @property
    def servers(self) -> tuple[Server, ...]:
        """All servers, as the last look showed them."""
        return tuple(record.as_server() for record in self._records)

    def progress(self) -> LaunchProgress:
        """Look once: one request for all servers."""
        self._take(nova.launched(self._cloud, self.order.launch_id))
        building = sum(record.status in _BUILDING for record in self._records) + self._coming
        active = sum(record.status not in (*_BUILDING, *_FAILED) for record in self._records)
        return LaunchProgress(
            active=active,
            building=building,
            failed=max(0, self.order.count - active - building),
            count=self.order.count,
            elapsed_seconds=self._pace.clock() - self._started,
        )

    def find_all(self) -> None:
        """Look until all servers are there, or no new one has come for the quiet time.

        Raise the error of the last look.
        """

        def look() -> bool | None:
            self.progress()
            return len(self._records) >= self.order.count or None

        self.quiet.listen(look)

    def _take(self, records: Sequence[ServerRecord]) -> None:
        """Store the results of a look."""
        self._records = tuple(sorted(records, key=lambda record: name_order(record.name or "")))
        seen = self._seen | {record.id for record in records}
        if len(seen) > len(self._seen):
            self.quiet.begin()
        self._seen = seen

    @property
    def _coming(self) -> int:
        """The number of servers that Nova may still be creating."""
        return 0 if self.quiet.is_over else max(0, self.order.count - len(self._seen))

    # ------------------------------------------------------------- wait

    def finish(self, tell: Tell[LaunchProgress], timeout: float | None) -> None:
        """Wait until every server is there. Exceptions of the callback come out as `CallbackError`."""
        progress = self._wait(tell, timeout)
        if progress.failed:
            self._fail(progress)

    def _wait(self, tell: Tell[LaunchProgress], timeout: float | None) -> LaunchProgress:
        last: LaunchProgress | None = None
        unexplained_until: float | None = None
        clock = self._pace.clock
        patient_look = patient(self._pace, self.progress)

        def look() -> LaunchProgress | None:
            nonlocal last, unexplained_until
            progress = patient_look()
            if progress is None:
                return None
            last = progress
            tell(progress)
            if progress.building:
                return None
            if not self._learn_faults():
                unexplained_until = unexplained_until or clock() + FAULT_SECONDS
                return None if clock() < unexplained_until else progress
            return progress

        try:
            return wait_until(self._pace, look, timeout=timeout, what=f"launch {self.order.launch_id}")
        except WaitTimeoutError as error:
            raise WaitTimeoutError(
                say("launch-timed-out", launch=self.order.launch_id, progress=_summary(last)),
                last_seen=last,
                launch_id=self.order.launch_id,
                hint=say("find-or-cancel-the-launch", launch=self.order.launch_id),
            ) from error

    def _learn_faults(self) -> bool:
        """Read each server in ERROR for which the list has no reason; return whether all reasons are known."""
        records = list(self._records)
        for place, record in enumerate(records):
            if record.status == "ERROR" and record.fault is None:
                with contextlib.suppress(NotFoundError):
                    records[place] = compute.server(self._cloud, record.id)
        self._records = tuple(records)
        return all(record.status != "ERROR" or record.fault for record in records)

    # ------------------------------------------------------------- fail

    def _fail(self, progress: LaunchProgress) -> NoReturn:
        launch_id = self.order.launch_id
        failed = [server for server in self.servers if server.status in _FAILED]
        faults = [server.fault or "" for server in failed]
        failure = self._failure(progress, failed)
        # Servers that quota refused are useless, and count against it.
        useless = progress.active == 0 and all(map(exceeded, faults)) and bool(faults)
        if self.order.on_failure == "keep" and not useless:
            failure.hint = say("others-are-kept", launch=launch_id)
            raise failure
        try:
            self.cancel()
        except HyperxGlanceError as problem:
            failure.hint = say("cancel-deletes-the-rest", launch=launch_id)
            failure.add_note(say("launch-not-deleted", problem=problem.message))
            raise failure from problem
        softly = self._names()
        failure.hint = say("launch-goes-later", servers=softly) if softly else say("launch-is-deleted")
        own = self._context.departments.own()
        error = quota_error(next(filter(exceeded, faults), ""), department=own.name) or failure
        error.launch_id = launch_id
        raise error

    def _failure(self, progress: LaunchProgress, failed: Sequence[Server]) -> LaunchFailedError:
        launch_id, figures = self.order.launch_id, {"failed": progress.failed, "count": progress.count}
        missing = progress.failed - len(failed)
        if missing:
            code = "launch-failed-without-a-server" if missing == 1 else "launch-failed-without-servers"
            message = say(code, launch=launch_id, missing=missing, **figures)
        else:
            message = say("launch-failed", launch=launch_id, **figures)
        return LaunchFailedError(
            message,
            launch_id=launch_id,
            servers=failed,
            explanation="; ".join(f"{server.name}: {server.fault or server.status}" for server in failed),
        )

    # ------------------------------------------------------------- cancel

    def cancel(self) -> None:
        """Delete the servers and volumes of the launch, and return when they are gone, or go by themselves.

        Afterwards, `servers` are those that Nova has deleted softly. It deletes them for good later, with their
        volumes.
        """
        self._softly.clear()
        self._delete_servers()
        self._delete_volumes()
        self._records = self._deleted_softly(self._softly)
        if self._records:
            _LOG.info("%s", say("servers-go-later", launch=self.order.launch_id, servers=self._names()))
        self.made.undone()

    def _names(self) -> list[str]:
        return [record.name or record.id for record in self._records]

    def _deleted_softly(self, ids: Collection[str]) -> tuple[ServerRecord, ...]:
        """Return the servers among these that stay SOFT_DELETED; only a request by id shows them."""
        found = []
        for server_id in ids:
            with contextlib.suppress(NotFoundError):
                found.append(compute.server(self._cloud, server_id))
        return tuple(record for record in found if record.status == _SOFT_DELETED and record.task_state is None)

    def _delete_servers(self) -> None:
        clock = self._pace.clock
        patient_until = clock() + BUILD_SECONDS
        keep_volumes = self.order.keep_volumes

        def servers_gone() -> bool | None:
            self.progress()
            # Which volumes a server leaves behind is known only once it is built. Nova itself deletes all others.
            early = keep_volumes and clock() < patient_until
            due = [record for record in self._records if not (early and record.status in _BUILDING)]
            if keep_volumes:
                due = self._mark_volumes(due)
            for record in due:
                self._going.update(each.id for each in record.volumes if each.delete_on_termination)
            self._softly.update(record.id for record in self._records if record.task_state == "soft-deleting")
            # A second request would delete softly deleted servers for good.
            going = ("deleting", "soft-deleting")
            _ask_each(self._delete, [record.id for record in due if record.task_state not in going])
            return None if self._records or self._coming else True

        self._wait_for(servers_gone, "servers-not-deleted-yet")

    def _delete(self, server_id: str) -> None:
        """Delete a server. If its state forbids it now, the next look asks again, which is safe.

        Waiting does not remove a lock (nova/exception.py, InstanceIsLocked).
        """
        try:
            nova.delete(self._cloud, server_id)
        except ConflictError as error:
            if "is locked" not in error.explanation:
                self._refused = error.explanation
                return
            error.hint = say("unlock-the-server", server=server_id)
            raise

    def _mark_volumes(self, records: Sequence[ServerRecord]) -> list[ServerRecord]:
        """Write the launch's id onto the volumes that these servers will leave behind; return the finished servers.

        Once the servers are deleted, nothing else leads from the launch to its volumes.
        """
        attached = {record.id: {volume.id for volume in record.volumes} for record in records}
        unknown = set().union(*attached.values()) - self._judged
        existing = {volume.id: volume for volume in volumes(self._cloud)} if unknown else {}
        for record in records:
            for volume_id in attached[record.id] & unknown:
                volume = existing.get(volume_id)
                own = volume is not None and self._is_own(volume, record)
                if own:
                    self._going.add(volume_id)
                if not own or nova.mark_volume(self._cloud, volume_id, self.order.volume_metadata()):
                    self._judged.add(volume_id)
        return [record for record in records if attached[record.id] <= self._judged]

    def _is_own(self, volume: Volume, record: ServerRecord) -> bool:
        """Check by its name whether Nova made a volume for this server, and the user did not attach it later.

        nova/virt/block_device.py: DriverVolBlankBlockDevice names it after the server, DriverVolImageBlockDevice not.
        """
        blank = volume.name == f"{record.id}-blank-vol"
        return blank or (not volume.name and volume.of_image("image_id") == self.order.image_id)

    def _delete_volumes(self) -> None:
        """Wait for the volumes that Nova deletes, and delete those that were to be kept."""
        if not (self.order.keep_volumes or self._going) or not self._cloud.has("block-storage"):
            return

        def volumes_gone() -> bool | None:
            going = [
                volume
                for volume in volumes(self._cloud)
                if volume.id in self._going or volume.metadata.get(LAUNCH_KEY) == self.order.launch_id
            ]
            # Nova deletes its volumes itself. If it fails to, they stay in one of these states.
            left = [volume.id for volume in going if volume.status in ("available", "error", "error_deleting")]
            try:
                _ask_each(self._delete_volume, left)
            except HyperxGlanceError as error:
                error.left = tuple(say("left.volume", id=each) for each in left)
                raise
            return True if self._go_later(going) else None

        self._wait_for(volumes_gone, "volumes-not-deleted-yet")

    def _go_later(self, going: Sequence[Volume]) -> bool:
        """Check whether nothing is left but volumes that Nova deletes with their softly deleted servers.

        Raise if such a server has a volume that Nova would keep: only then can it be deleted.
        """
        owners = {each.server_id for volume in going for each in volume.attachments if each.server_id}
        if not all(volume.attachments for volume in going):
            return False
        softly = {record.id for record in self._deleted_softly(owners)}
        if owners - softly:
            return False
        self._softly |= softly
        kept = [volume.id for volume in going if volume.metadata.get(LAUNCH_KEY) == self.order.launch_id]
        if kept:
            raise ConflictError(
                say("volumes-wait-for-servers", launch=self.order.launch_id, volumes=kept),
                hint=say("cancel-after-the-servers", launch=self.order.launch_id),
            )
        return True

    def _delete_volume(self, volume_id: str) -> None:
        """Delete a volume. Cinder answers 400 if it is already being deleted, or if something depends on it."""
        try:
            nova.delete_volume(self._cloud, volume_id)
        except InvalidRequestError as error:
            self._refused = error.explanation

    def _wait_for(self, gone: Callable[[], bool | None], otherwise: str) -> None:
        self._refused = ""
        try:
            wait_until(self._pace, patient(self._pace, gone), what=f"the deletion of launch {self.order.launch_id}")
        except WaitTimeoutError as error:
            raise WaitTimeoutError(
                say(otherwise, launch=self.order.launch_id),
                explanation=self._refused,
                last_seen=self.servers,
                launch_id=self.order.launch_id,
                hint=say("cancel-the-launch-again", launch=self.order.launch_id),
            ) from error


def _summary(progress: LaunchProgress | None) -> Text:
    if progress is None:
        return say("no-server-seen")
    return say(
        "launch-progress",
        active=progress.active,
        count=progress.count,
        building=progress.building,
        failed=progress.failed,
    )


def _ask_each(ask: Callable[[str], None], ids: Sequence[str]) -> None:
    """Make the request for each id, even if some are refused; raise the first refusal in the end.

    If the service is out of reach, the remaining ids are skipped.
    """
    refusals = []
    for each in ids:
        try:
            ask(each)
        except HyperxGlanceError as error:
            if error.status is None:
                raise
            refusals.append(error)
    if refusals:
        raise refusals[0]
