"""Find a launch again: whose caller died, or whose answer was lost.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> client.find_launch(launch.launch_id).servers == launch.servers
True
>>> launch.cancel()
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hyperx_glance.cloud.compute import ServerRecord
from hyperx_glance.errors import NotFoundError, WaitTimeoutError
from hyperx_glance.launching import plan, servers as nova
from hyperx_glance.launching.handle import Launch
from hyperx_glance.waiting.ids import SETTLED, is_settled
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import wait_until
from hyperx_glance.waiting.quiet import QUIET_SECONDS, Quiet

if TYPE_CHECKING:
    from hyperx_glance.cloud.context import Context


def find_launch(context: Context, launch_id: str) -> Launch:
    """Find a launch by its id.

    Where no server is there, look for ten seconds, since Nova may still be creating them; an id that this library has
    drawn tells when, and after ten minutes one look is enough.
    A launch whose cancellation ended half-way may have no servers any more, but volumes: `Launch.cancel` deletes them.
    Raise `NotFoundError` where neither is there. The password of a launch is kept nowhere: reset it.
    """
    made = MayHaveMade(launch_id=launch_id)
    with made:
        handle = (
            _with_servers(context, launch_id, nova.launched(context.cloud, launch_id), made=made)
            or _without_servers(context, launch_id, made=made)
            or _with_servers(context, launch_id, _wait_for_first(context, launch_id), made=made)
        )
        if handle is not None:
            return handle
        made.undone()
        missing = NotFoundError(
            f"No server belongs to launch {launch_id}.", hint="It was never started, or its servers are gone."
        )
        missing.launch_id = launch_id
        raise missing


def launches(context: Context) -> list[Launch]:
    """List the launches of which servers are there, the newest first; nothing is waited for."""
    found = nova.every_launched(context.cloud)
    oldest = datetime.min.replace(tzinfo=UTC)
    newest_first = sorted(found, key=lambda launch_id: (_born(found[launch_id]) or oldest, launch_id), reverse=True)
    return [
        _handle(
            context,
            launch_id,
            found[launch_id],
            made=MayHaveMade(launch_id=launch_id),
            quiet=Quiet(context.settings.pace),
        )
        for launch_id in newest_first
    ]


def look_for_all(handle: Launch, quiet: Quiet) -> None:
    """Look until all servers of a launch are there, or no new one has come for the quiet time.

    Raise what the last look raised.
    """

    def look() -> bool:
        handle.progress()
        return len(handle.servers) >= handle.count

    quiet.listen(look)


def _wait_for_first(context: Context, launch_id: str) -> list[ServerRecord]:
    """Look for any server of a launch for the quiet time: the caller may have died just after it had sent it."""
    if is_settled(launch_id, datetime.now(UTC)):
        return []
    cloud, pace = context.cloud, context.settings.pace
    try:
        return wait_until(pace, lambda: nova.launched(cloud, launch_id) or None, timeout=QUIET_SECONDS)
    except WaitTimeoutError:
        return []


def _with_servers(context: Context, launch_id: str, known: list[ServerRecord], *, made: MayHaveMade) -> Launch | None:
    """Make the handle of a launch of which some servers are known, and wait for the others."""
    if not known:
        return None
    quiet = Quiet(context.settings.pace)
    handle = _handle(context, launch_id, known, made=made, quiet=quiet)
    if not quiet.is_over and len(known) < handle.count:
        look_for_all(handle, quiet)
    return handle if handle.servers else None


def _handle(context: Context, launch_id: str, known: list[ServerRecord], *, made: MayHaveMade, quiet: Quiet) -> Launch:
    """Make the handle of a launch of which some servers are known; after a while these are all that will come."""
    metadata = known[0].metadata
    # Of a launch that has ended, a server deleted since is no failure for which the others should go.
    going_on = any(record.status == "BUILD" for record in known)
    handle = Launch(
        context,
        launch_id=launch_id,
        image_id=metadata.get(plan.IMAGE_KEY, ""),
        count=plan.told_count(metadata, at_least=len(known)),
        department=context.departments.own().name,
        on_failure="delete" if going_on and metadata.get(plan.ON_FAILURE_KEY) == "delete" else "keep",
        keep_volumes=metadata.get(plan.KEEP_VOLUMES_KEY) == "true",
        admin_password=None,
        made=made,
        quiet=quiet,
        records=known,
    )
    if (born := _born(known)) is not None and datetime.now(UTC) - born > SETTLED:
        quiet.end()
    return handle


def _born(known: list[ServerRecord]) -> datetime | None:
    return min((each.created for each in known if each.created), default=None)


def _without_servers(context: Context, launch_id: str, *, made: MayHaveMade) -> Launch | None:
    """Make the handle of a launch whose cancellation ended half-way: only volumes that it kept are left."""
    marked = nova.volumes(context.cloud, launch_id=launch_id) if context.cloud.has("block-storage") else {}
    if not marked:
        return None
    metadata = next(iter(marked.values())).metadata
    quiet = Quiet(context.settings.pace)
    quiet.end()
    return Launch(
        context,
        launch_id=launch_id,
        image_id=metadata.get(plan.IMAGE_KEY, ""),
        count=plan.told_count(metadata, at_least=1),
        department=context.departments.own().name,
        on_failure="keep",
        keep_volumes=True,
        admin_password=None,
        made=made,
        quiet=quiet,
    )
