"""Find a launch again, because its caller died or a response was lost.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> client.find_launch(launch.launch_id).servers == launch.servers
True
>>> launch.cancel()
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hyperx_glance.cloud.compute import ServerRecord
from hyperx_glance.cloud.volumes import volumes
from hyperx_glance.errors import NotFoundError
from hyperx_glance.launching import servers as nova
from hyperx_glance.launching.following import LaunchFollower
from hyperx_glance.launching.handle import Launch
from hyperx_glance.launching.order import LAUNCH_KEY, LaunchOrder
from hyperx_glance.texts import say
from hyperx_glance.waiting.ids import SETTLED
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.quiet import find_again

if TYPE_CHECKING:
    from hyperx_glance.cloud.context import Context


def find_launch(context: Context, launch_id: str) -> Launch:
    """Find a launch by its id.

    If there is no server, look for ten seconds, since Nova may still be creating them. An id that this library
    generated contains its time; after ten minutes, one look is enough. A launch whose cancellation was interrupted may
    have volumes, but no servers: `Launch.cancel` deletes them. Raise `NotFoundError` if there is neither. The password
    of a launch is not stored: reset it.
    """
    made = MayHaveMade(launch_id=launch_id)
    with made:
        follower = (
            _with_servers(context, launch_id, nova.launched(context.cloud, launch_id), made)
            or _with_volumes(context, launch_id, made)
            or _with_servers(context, launch_id, _wait_for_first(context, launch_id), made)
        )
        if follower is not None:
            return Launch(follower)
        made.undone()
        missing = NotFoundError(say("no-server-of-launch", launch=launch_id), hint=say("launch-never-started"))
        missing.launch_id = launch_id
        raise missing


def launches(context: Context) -> list[Launch]:
    """List the launches that have servers, the newest first, without waiting for servers."""
    found = nova.every_launched(context.cloud)
    oldest = datetime.min.replace(tzinfo=UTC)
    newest_first = sorted(found, key=lambda launch_id: (_born(found[launch_id]) or oldest, launch_id), reverse=True)
    return [
        Launch(_follower(context, launch_id, found[launch_id], MayHaveMade(launch_id=launch_id)))
        for launch_id in newest_first
    ]


def _wait_for_first(context: Context, launch_id: str) -> list[ServerRecord]:
    """Look for any server of a launch: the caller may have died just after it had sent the request."""
    return find_again(context.settings.pace, launch_id, lambda: nova.launched(context.cloud, launch_id) or None) or []


def _with_servers(
    context: Context, launch_id: str, known: list[ServerRecord], made: MayHaveMade
) -> LaunchFollower | None:
    """Follow a launch of which some servers are known, and wait for the others."""
    if not known:
        return None
    follower = _follower(context, launch_id, known, made)
    if not follower.quiet.is_over and len(known) < follower.order.count:
        follower.find_all()
    return follower if follower.servers else None


def _follower(context: Context, launch_id: str, known: list[ServerRecord], made: MayHaveMade) -> LaunchFollower:
    """Follow a launch of which some servers are known; after ten minutes, no more servers will come."""
    order = LaunchOrder.read(launch_id, known[0].metadata, at_least=len(known))
    if all(record.status != "BUILD" for record in known):
        # The launch has ended: a server that was deleted since then is not a failure for which the others should be
        # deleted.
        order = replace(order, on_failure="keep")
    follower = LaunchFollower(context, order, made=made, records=known)
    if (born := _born(known)) is not None and datetime.now(UTC) - born > SETTLED:
        follower.quiet.end()
    return follower


def _born(known: list[ServerRecord]) -> datetime | None:
    return min((each.created for each in known if each.created), default=None)


def _with_volumes(context: Context, launch_id: str, made: MayHaveMade) -> LaunchFollower | None:
    """Follow a launch whose cancellation was interrupted: only volumes that it kept are left."""
    if not context.cloud.has("block-storage"):
        return None
    marked = next(volumes(context.cloud, metadata={LAUNCH_KEY: launch_id}), None)
    if marked is None:
        return None
    order = replace(LaunchOrder.read(launch_id, marked.metadata, at_least=1), on_failure="keep", keep_volumes=True)
    follower = LaunchFollower(context, order, made=made)
    follower.quiet.end()
    return follower
