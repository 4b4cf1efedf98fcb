"""The handle of one launch: look, wait, cancel.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny", count=2))
>>> launch.progress()
LaunchProgress(active=2, building=0, failed=0, count=2, elapsed_seconds=...)
>>> launch.cancel()
>>> launch.servers
()
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal, NoReturn

from hyperx_glance.arguments import callback, checked, optional, seconds
from hyperx_glance.cloud import compute
from hyperx_glance.cloud.compute import ServerRecord
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    LaunchFailedError,
    NotFoundError,
    WaitTimeoutError,
)
from hyperx_glance.launching import servers as nova
from hyperx_glance.launching.plan import COUNT_KEY, IMAGE_KEY, LAUNCH_KEY, name_order
from hyperx_glance.models.results import LaunchProgress, Server
from hyperx_glance.quotas.refusals import exceeded, quota_error
from hyperx_glance.waiting.callbacks import CallbackError, teller
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import wait_until
from hyperx_glance.waiting.quiet import Quiet, patient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import SecretStr

    from hyperx_glance.cloud.context import Context
    from hyperx_glance.waiting.callbacks import Tell


BUILD_SECONDS = 120.0
"""So long `Launch.cancel` waits for a server to be built before it deletes it, where volumes would be left behind."""
FAULT_SECONDS = 2.0
"""So long a server may be in ERROR before Nova writes why (nova/scheduler/utils.py, set_vm_state_and_notify)."""
_BUILDING = ("BUILD", "UNKNOWN")
_FAILED = ("ERROR", "DELETED", "SOFT_DELETED")


class Launch:
    """Follow one launch; threads may share it.

    ``servers`` are those of the last look, ordered by name ("web-2" before "web-10"). ``admin_password`` is None if the
    image is not password-enabled, and in a launch that was found again, since the password is not stored.
    """

    def __init__(
        self,
        context: Context,
        *,
        launch_id: str,
        image_id: str,
        count: int,
        department: str,
        on_failure: Literal["keep", "delete"],
        keep_volumes: bool,
        admin_password: SecretStr | None,
        made: MayHaveMade,
        quiet: Quiet,
        records: Sequence[ServerRecord] = (),
    ) -> None:
        self.launch_id = launch_id
        """The id by which `Client.find_launch` finds it."""
        self.image_id = image_id
        """The id of the image or ISO."""
        self.count = count
        """How many servers were asked for."""
        self.admin_password = admin_password
        """The administrator's password of all its servers, kept nowhere else."""
        self._cloud = context.cloud
        self._settings = context.settings
        self._department = department
        self._on_failure = on_failure
        self._keep_volumes = keep_volumes
        self._records: tuple[ServerRecord, ...] = ()
        self._seen: frozenset[str] = frozenset()
        self._going: set[str] = set()
        self._judged: set[str] = set()
        self._refused = ""
        self._started = context.settings.pace.clock()
        self._made = made
        self._quiet = quiet
        self._take(records)

    def __repr__(self) -> str:
        return f"Launch(launch_id={self.launch_id!r}, count={self.count}, servers={len(self._records)})"

    @property
    def servers(self) -> tuple[Server, ...]:
        """All servers of the launch, as the last look showed them."""
        return tuple(record.as_server() for record in self._records)

    def progress(self) -> LaunchProgress:
        """Look once: one request for all servers."""
        with self._made:
            self._take(nova.launched(self._cloud, self.launch_id))
        building = sum(record.status in _BUILDING for record in self._records) + self._coming
        active = sum(record.status not in (*_BUILDING, *_FAILED) for record in self._records)
        return LaunchProgress(
            active=active,
            building=building,
            failed=max(0, self.count - active - building),
            count=self.count,
            elapsed_seconds=self._settings.pace.clock() - self._started,
        )

    def _take(self, records: Sequence[ServerRecord]) -> None:
        """Keep what a look has shown."""
        self._records = tuple(sorted(records, key=lambda record: name_order(record.name)))
        seen = self._seen | {record.id for record in records}
        if len(seen) > len(self._seen):
            self._quiet.begin()
        self._seen = seen

    @property
    def _coming(self) -> int:
        """How many servers Nova may still be creating."""
        return 0 if self._quiet.is_over else max(0, self.count - len(self._seen))

    @checked(on_progress=optional(callback), timeout=optional(seconds))
    def wait(
        self, *, on_progress: Callable[[LaunchProgress], object] | None = None, timeout: float | None = None
    ) -> Launch:
        """Wait until every server is there; ``timeout`` is seconds, None is `Pace.deadline`.

        Raise `LaunchFailedError` if servers failed, `QuotaExceededError` if quota was the reason and nothing is left,
        and `WaitTimeoutError` if the time is over; then, as after Ctrl-C, the launch goes on. Every exception has the
        ``launch_id`` as long as anything may be left.
        """
        with self._made:
            try:
                progress = self._wait(teller(on_progress), timeout)
            except CallbackError as error:
                raised = error.raised
            else:
                if progress.failed:
                    self._fail(progress)
                return self
            raise raised

    def _wait(self, tell: Tell[LaunchProgress], timeout: float | None) -> LaunchProgress:
        last: LaunchProgress | None = None
        untold_until: float | None = None
        clock = self._settings.pace.clock
        patient_look = patient(self._settings.pace, self.progress)

        def look() -> LaunchProgress | None:
            nonlocal last, untold_until
            progress = patient_look()
            if progress is None:
                return None
            last = progress
            tell(progress)
            if progress.building:
                return None
            if not self._learn_faults():
                untold_until = untold_until or clock() + FAULT_SECONDS
                return None if clock() < untold_until else progress
            return progress

        try:
            return wait_until(self._settings.pace, look, timeout=timeout)
        except WaitTimeoutError as error:
            raise WaitTimeoutError(
                f"Launch {self.launch_id} goes on: {self._summary(last)} when the time was over.",
                last_seen=last,
                launch_id=self.launch_id,
                hint="find_launch(launch_id) finds it again; cancel() deletes it.",
            ) from error

    def _learn_faults(self) -> bool:
        """Read the servers one by one of which no list tells why they are in ERROR; say whether all is known."""
        records = list(self._records)
        for place, record in enumerate(records):
            if record.status == "ERROR" and record.fault is None:
                with contextlib.suppress(NotFoundError):
                    records[place] = compute.server(self._cloud, record.id)
        self._records = tuple(records)
        return all(record.status != "ERROR" or record.fault for record in records)

    def cancel(self) -> None:
        """Delete what the launch made, and return when servers and volumes are gone; a second call is no error.

        Volumes that were to be kept are deleted too, since this launch made them. A volume of the user's own stays. If
        your program dies meanwhile, ``find_launch(launch_id).cancel()`` continues. A server that somebody has locked
        raises `ConflictError`; the others are deleted.
        """
        with self._made:
            self._delete_servers()
            self._delete_volumes()
            self._made.undone()

    def _delete_servers(self) -> None:
        clock = self._settings.pace.clock
        patient_until = clock() + BUILD_SECONDS

        def servers_gone() -> bool | None:
            self.progress()
            # Which volumes a server leaves behind is known once it is built; others Nova deletes itself.
            early = self._keep_volumes and clock() < patient_until
            due = [record for record in self._records if not (early and record.status in _BUILDING)]
            if self._keep_volumes:
                due = self._mark_volumes(due)
            for record in due:
                self._going.update(each.id for each in record.volumes if each.delete_on_termination)
            _ask_each(self._delete, [record.id for record in due if record.task_state != "deleting"])
            return None if self._records or self._coming else True

        self._wait_for(servers_gone, "its servers are not gone")

    def _delete(self, server_id: str) -> None:
        """Delete a server; asked again at the next look, which is safe, where its state forbids it now.

        A lock does not pass by waiting (nova/exception.py, InstanceIsLocked).
        """
        try:
            nova.delete(self._cloud, server_id)
        except ConflictError as error:
            if "is locked" not in error.message:
                self._refused = error.message
                return
            error.hint = "Unlock it: openstack server unlock. Then cancel the launch again."
            raise

    def _mark_volumes(self, records: Sequence[ServerRecord]) -> list[ServerRecord]:
        """Write the launch's id onto the volumes that these servers will leave behind; give the servers that are done.

        Without the servers nothing else would lead from the launch to its volumes, if the caller died.
        """
        told = {LAUNCH_KEY: self.launch_id, COUNT_KEY: str(self.count), IMAGE_KEY: self.image_id}
        attached = {record.id: {volume.id for volume in record.volumes} for record in records}
        unknown = set().union(*attached.values()) - self._judged
        existing = nova.volumes(self._cloud) if unknown else {}
        for record in records:
            for volume_id in attached[record.id] & unknown:
                volume = existing.get(volume_id)
                own = volume is not None and self._is_own(volume, record)
                if own:
                    self._going.add(volume_id)
                if not own or nova.mark_volume(self._cloud, volume_id, told):
                    self._judged.add(volume_id)
        return [record for record in records if attached[record.id] <= self._judged]

    def _is_own(self, volume: nova.Volume, record: ServerRecord) -> bool:
        """Tell a volume that Nova made for this server from one that the user attached later, by the names Nova gives.

        nova/virt/block_device.py: DriverVolBlankBlockDevice names it after the server, DriverVolImageBlockDevice not.
        """
        blank = volume.name == f"{record.id}-blank-vol"
        return blank or (not volume.name and volume.volume_image_metadata.get("image_id") == self.image_id)

    def _delete_volumes(self) -> None:
        """Wait for the volumes that Nova deletes, and delete those that were to be kept."""
        if not (self._keep_volumes or self._going) or not self._cloud.has("block-storage"):
            return

        def volumes_gone() -> bool | None:
            going = [
                volume
                for volume in nova.volumes(self._cloud).values()
                if volume.id in self._going or volume.metadata.get(LAUNCH_KEY) == self.launch_id
            ]
            # Nova deletes its volumes itself, unless it fails to: then they are left in one of these states.
            left = [volume.id for volume in going if volume.status in ("available", "error", "error_deleting")]
            _ask_each(self._delete_volume, left)
            return None if going else True

        self._wait_for(volumes_gone, "its volumes are not gone")

    def _delete_volume(self, volume_id: str) -> None:
        """Delete a volume; Cinder answers 400 while somebody deletes it already, and where something hangs on it."""
        try:
            nova.delete_volume(self._cloud, volume_id)
        except InvalidRequestError as error:
            self._refused = error.message

    def _wait_for(self, gone: Callable[[], bool | None], problem: str) -> None:
        self._refused = ""
        try:
            wait_until(self._settings.pace, patient(self._settings.pace, gone))
        except WaitTimeoutError as error:
            reason = f": {self._refused}" if self._refused else "."
            raise WaitTimeoutError(
                f"Launch {self.launch_id} was cancelled, but {problem}{reason}",
                last_seen=self.servers,
                launch_id=self.launch_id,
                hint="Call cancel() again; an operator finds the reason in the service's log.",
            ) from error

    def _fail(self, progress: LaunchProgress) -> NoReturn:
        failed = [server for server in self.servers if server.status in _FAILED]
        faults = [server.fault or "" for server in failed]
        refused = quota_error(next(filter(exceeded, faults), ""), department=self._department)
        # Servers that quota refused are of no use to anybody, and count against it.
        useless = progress.active == 0 and all(map(exceeded, faults)) and bool(faults)
        if self._on_failure == "keep" and not useless:
            raise self._failure(
                progress, failed, hint=f'The others stay: find_launch("{self.launch_id}").cancel() deletes all.'
            )
        try:
            self.cancel()
        except HyperxGlanceError as problem:
            failure = self._failure(
                progress, failed, hint=f'find_launch("{self.launch_id}").cancel() deletes what is left.'
            )
            failure.add_note(f"What the launch made could not be deleted: {problem}")
            raise failure from problem
        error = refused or self._failure(progress, failed, hint="All that was made has been deleted.")
        error.launch_id = self.launch_id
        raise error

    def _failure(self, progress: LaunchProgress, failed: Sequence[Server], *, hint: str) -> LaunchFailedError:
        lines = [f"{server.name}: {server.fault or server.status}" for server in failed]
        missing = progress.failed - len(failed)
        if missing:
            lines.append(f"{missing} of them {'were' if missing > 1 else 'was'} never made, or deleted by somebody")
        return LaunchFailedError(
            f"{progress.failed} of {progress.count} servers of launch {self.launch_id} failed. {'; '.join(lines)}",
            launch_id=self.launch_id,
            servers=failed,
            hint=hint,
        )

    @staticmethod
    def _summary(progress: LaunchProgress | None) -> str:
        if progress is None:
            return "nothing was seen"
        return f"{progress.active} of {progress.count} active, {progress.building} building, {progress.failed} failed"


def _ask_each(ask: Callable[[str], None], ids: Sequence[str]) -> None:
    """Ask for each, so that one refusal keeps none of the others; raise the first refusal in the end.

    Where the service is out of reach the others would be asked in vain.
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
