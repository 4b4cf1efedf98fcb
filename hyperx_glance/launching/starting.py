"""Start a launch: one request, and what became of it.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> [server.status for server in launch.servers]
['ACTIVE']
>>> launch.cancel()
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.launching import plan, servers as nova
from hyperx_glance.launching.checking import check
from hyperx_glance.launching.finding import look_for_all
from hyperx_glance.launching.handle import Launch
from hyperx_glance.launching.passwords import UnpickledPassword
from hyperx_glance.models.image import Image
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.models.results import LaunchProgress
from hyperx_glance.quotas.refusals import quota_error
from hyperx_glance.waiting.ids import draw_id, is_fresh
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.pace import may_be_done, repeated
from hyperx_glance.waiting.quiet import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.cloud.cloud import Cloud, Json
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.waiting.pace import Pace

LOG = logging.getLogger(__name__)
_LISTED = {
    "key_name": "keypair",
    "availability zone": "availability zone",
    "security group": "security group",
    "volume type": "volume type",
}
"""What of a request Nova looks up itself, in the words of its refusals, and what lists it."""


def launch(
    context: Context,
    image: Image | str,
    request: LaunchRequest,
    *,
    wait: bool,
    on_progress: Callable[[LaunchProgress], object] | None,
    timeout: float | None,
) -> Launch:
    """Check everything, order all servers by one request, and wait for them.

    Nothing exists before the request is sent, and it is sent again only where certainly nobody received it.
    """
    if request.launch_id is not None and not is_fresh(request.launch_id, datetime.now(UTC)):
        # find_launch() would take it for a launch that nobody can be creating any more.
        raise InvalidRequestError(
            f"launch_id: {request.launch_id} was drawn too long ago.",
            hint="Leave launch_id out, or give an id that does not begin with a time.",
        )
    checked = check(context, image, request)
    password = plan.admin_password(checked.image, request)
    launch_id = request.launch_id or draw_id(datetime.now(UTC))
    body = plan.server_body(
        checked.image,
        checked.flavor,
        checked.networks,
        request,
        launch_id=launch_id,
        password=password,
        user_data=plan.guest_data(checked.image, request, password),
        server_group_id=checked.server_group_id,
    )
    department = context.departments.own().name
    admin_password = None if password is None else SecretStr(password)
    made = MayHaveMade(launch_id=launch_id, admin_password=None if password is None else UnpickledPassword(password))
    quiet = Quiet(context.settings.pace)
    handle = Launch(
        context,
        launch_id=launch_id,
        image_id=checked.image.id,
        count=request.count,
        department=department,
        on_failure=request.on_failure,
        keep_volumes=request.keep_volumes,
        admin_password=admin_password,
        made=made,
        quiet=quiet,
    )
    with made:
        refusal = _order(context.cloud, context.settings.pace, body, password=password)
        if refusal is None:
            quiet.begin()
            _look_once(handle)
        elif may_be_done(refusal):
            _look_for(handle, quiet, refusal)
        else:
            made.undone()
            _refuse(refusal, launch_id=launch_id, department=department)
        return handle.wait(on_progress=on_progress, timeout=timeout) if wait else handle


def _order(cloud: Cloud, pace: Pace, body: dict[str, Json], *, password: str | None) -> HyperxGlanceError | None:
    """Send the one request; give what went wrong."""

    def send(_lost: bool) -> HyperxGlanceError | None:  # noqa: FBT001  # as `repeated` calls it
        try:
            nova.create(cloud, body, password=password)
        except HyperxGlanceError as error:
            # No connection was made, so Nova cannot have seen it: the only case in which it is sent again.
            if isinstance(error, ServiceUnavailableError) and not error.connected:
                raise
            return error
        return None

    try:
        return repeated(pace, send)
    except ServiceUnavailableError as error:
        return error


def _refuse(refusal: HyperxGlanceError, *, launch_id: str, department: str) -> None:
    refusal.launch_id = launch_id
    if isinstance(refusal, QuotaExceededError | NotAllowedError):
        # Unified limits answer 403 with words of their own (nova/limit/placement.py).
        exceeded = quota_error(
            refusal.message, department=department, status=refusal.status, request_id=refusal.request_id
        )
        if exceeded is not None:
            exceeded.launch_id = launch_id
            raise exceeded from refusal
    if isinstance(refusal, ConflictError) and "network" in refusal.message.lower():  # nova.exception.NetworkAmbiguous
        refusal.hint = 'Name the networks: networks=("...",).'
    if isinstance(refusal, InvalidRequestError):
        said = refusal.message.lower().replace("security_group", "security group")
        listed = next((command for words, command in _LISTED.items() if words in said), "")
        refusal.hint = refusal.hint or (f"openstack {listed} list shows which there are." if listed else "")
    raise refusal


def _look_once(handle: Launch) -> None:
    """Show the servers where that works; whatever this look says, the launch goes on, and waiting for it will tell."""
    try:
        handle.progress()
    except HyperxGlanceError as error:
        LOG.warning("Launch %s was accepted; looking at it failed: %s", handle.launch_id, error)


def _look_for(handle: Launch, quiet: Quiet, lost: HyperxGlanceError) -> None:
    """Find out what became of a request whose answer was lost: a proxy's 502 or 504, or a cut connection.

    While Nova works on it none of the servers can be seen, then some, then all.
    """
    try:
        look_for_all(handle, quiet)
    except ServiceUnavailableError as error:
        if handle.servers:
            return
        raise error from lost
    if not handle.servers:
        raise ServiceUnavailableError(
            f"Nova's answer was lost, and no server of launch {handle.launch_id} was found: {lost.message}",
            hint="Look again with find_launch(launch_id) before launching anew.",
            **lost.answer(),
        ) from lost
