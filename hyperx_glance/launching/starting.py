"""The start of a launch: one request, and the search for its servers if the response is lost.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> [server.status for server in launch.servers]
['ACTIVE']
>>> launch.cancel()
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from hyperx_glance.cloud.failures import NO_NETWORK_SERVICE
from hyperx_glance.errors import (
    ConflictError,
    FlavorTooSmallError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.launching import plan, servers as nova
from hyperx_glance.launching.checking import Checked, check
from hyperx_glance.launching.following import LaunchFollower
from hyperx_glance.launching.handle import Launch
from hyperx_glance.launching.order import LaunchOrder
from hyperx_glance.launching.passwords import UnpickledPassword
from hyperx_glance.models.image import Image
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.models.results import LaunchProgress
from hyperx_glance.quotas.refusals import quota_error
from hyperx_glance.texts import NO_TEXT, say
from hyperx_glance.waiting.ids import check_fresh, draw_id
from hyperx_glance.waiting.made import MayHaveMade
from hyperx_glance.waiting.quiet import sent_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.cloud.context import Context

LOG = logging.getLogger(__name__)
_LISTED = {
    "key_name": "keypair",
    "availability zone": "availability zone",
    "security group": "security group",
    "volume type": "volume type",
}
"""Words in Nova's refusals for things that it looks up itself, and the OpenStack client's command that lists them."""


def launch(
    context: Context,
    image: Image | str,
    request: LaunchRequest,
    *,
    wait: bool,
    on_progress: Callable[[LaunchProgress], object] | None,
    timeout: float | None,
) -> Launch:
    """Check everything, order all servers by one request, and wait for them."""
    if request.launch_id is not None:
        check_fresh("launch_id", request.launch_id)
    checked = check(context, image, request)
    password = plan.admin_password(checked.image, request)
    order = LaunchOrder(
        launch_id=request.launch_id or draw_id(datetime.now(UTC)),
        image_id=checked.image.id,
        count=request.count,
        on_failure=request.on_failure,
        # Without volumes, the end of the launch needs no Cinder.
        keep_volumes=request.keep_volumes and plan.makes_volumes(checked.image, request),
    )
    body = plan.server_body(
        checked.image,
        checked.flavor,
        checked.networks,
        request,
        order=order,
        password=password,
        server_group_id=checked.server_group_id,
    )
    made = MayHaveMade(
        launch_id=order.launch_id, admin_password=None if password is None else UnpickledPassword(password)
    )
    follower = LaunchFollower(context, order, made=made)
    with made:
        try:
            lost = sent_once(context.settings.pace, lambda: nova.create(context.cloud, body, password=password))
        except HyperxGlanceError as refusal:
            made.undone()
            _refuse(context, order, refusal, checked, request)
        if lost is None:
            follower.quiet.begin()
            _look_once(follower)
        elif lost.code == NO_NETWORK_SERVICE and _shows_nothing(follower):  # Nova asks Neutron before it makes anything
            made.undone()
            raise ServiceUnavailableError(
                say("no-network-service"), hint=say("check-whether-it-is-up"), **lost.answer()
            ) from lost
        else:
            _search(follower, lost)
        handle = Launch(follower, admin_password=None if password is None else SecretStr(password))
        return handle.wait(on_progress=on_progress, timeout=timeout) if wait else handle


def _refuse(
    context: Context, order: LaunchOrder, refusal: HyperxGlanceError, checked: Checked, request: LaunchRequest
) -> NoReturn:
    """Raise the error for Nova's refusal: with figures if a quota is exceeded, otherwise the refusal with a hint."""
    refusal.launch_id = order.launch_id
    if isinstance(refusal, QuotaExceededError | NotAllowedError):
        # Unified limits answer 403 in other words (nova/limit/placement.py).
        department = context.departments.own().name
        exceeded = quota_error(
            refusal.explanation, department=department, status=refusal.status, request_id=refusal.request_id
        )
        if exceeded is not None:
            exceeded.launch_id = order.launch_id
            raise exceeded from refusal
    said = refusal.explanation.lower()
    if "zero disk" in said:  # nova.exception.BootFromVolumeRequiredForZeroDiskFlavor
        too_small = FlavorTooSmallError(
            say("flavor-has-no-root-disk", flavor=checked.flavor.name),
            hint=plan.instead_of_local_disk(checked.image, another_flavor=True),
            **refusal.answer(),
        )
        too_small.launch_id = order.launch_id
        raise too_small from refusal
    if "block device mapping is invalid" in said and not plan.needs_volumes(checked.image, request):
        # Nova's max_local_block_devices: without volumes, the only device of this request is a local disk.
        refusal.hint = plan.instead_of_local_disk(checked.image, another_flavor=False)
    if isinstance(refusal, ConflictError) and "network" in said:  # nova.exception.NetworkAmbiguous
        refusal.hint = say("name-the-networks")
    if isinstance(refusal, InvalidRequestError) and "automatically allocate a network" in said:
        # nova.exception.UnableToAutoAllocateNetwork
        missing = InvalidRequestError(
            say("no-network", department=context.departments.own().name),
            hint=say("create-a-network"),
            **refusal.answer(),
        )
        missing.launch_id = order.launch_id
        raise missing from refusal
    if isinstance(refusal, InvalidRequestError) and not refusal.hint:
        said = said.replace("security_group", "security group")
        listed = next((command for words, command in _LISTED.items() if words in said), None)
        refusal.hint = say("list-shows-existing", list=listed) if listed else NO_TEXT
    raise refusal


def _shows_nothing(follower: LaunchFollower) -> bool:
    """Check by one look that Nova has made no server."""
    try:
        follower.progress()
    except ServiceUnavailableError:
        return False
    return not follower.servers


def _look_once(follower: LaunchFollower) -> None:
    """Show the servers if Nova can be asked now. Errors are only logged, since waiting will raise them."""
    try:
        follower.progress()
    except HyperxGlanceError as error:
        LOG.warning("Launch %s was accepted; looking at it failed: %s", follower.order.launch_id, error)


def _search(follower: LaunchFollower, lost: HyperxGlanceError) -> None:
    """Find out what became of a request whose response was lost: a proxy's 502 or 504, or a cut connection.

    While Nova works on it, none of the servers can be seen, then some, then all.
    """
    try:
        follower.find_all()
    except ServiceUnavailableError as error:
        if follower.servers:
            return
        raise error from lost
    if not follower.servers:
        raise ServiceUnavailableError(
            say("launch-lost", launch=follower.order.launch_id, problem=lost.message),
            hint=say("look-before-launching-again", launch=follower.order.launch_id),
            **lost.answer(),
        ) from lost
