"""Start a launch, find one again, reset a password.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> client.find_launch(launch.launch_id).servers == launch.servers
True
>>> launch.cancel()
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic import SecretStr

from hyperx_glance import quotas
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    PasswordResetError,
    QuotaExceededError,
    ServiceUnavailableError,
    name_left,
)
from hyperx_glance.launching import plan
from hyperx_glance.launching import servers as nova
from hyperx_glance.launching.handle import Launch
from hyperx_glance.launching.passwords import check_password, draw_password
from hyperx_glance.launching.quiet import Quiet
from hyperx_glance.launching.refusals import quota_error
from hyperx_glance.models import DepartmentQuota, Image, LaunchProgress, LaunchRequest, image_id, require
from hyperx_glance.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.cloud import Cloud, Json
    from hyperx_glance.departments import Departments
    from hyperx_glance.settings import Settings

CONNECTION_ATTEMPTS = 3
SETTLED = timedelta(minutes=2)
"""A server older than this belongs to a launch whose servers have all been created."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """Hold what the checks before a launch have found."""

    image: Image
    flavor: plan.Flavor
    networks: tuple[plan.Network, ...]
    server_group_id: str | None


def launch(
    cloud: Cloud,
    departments: Departments,
    settings: Settings,
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
    require(request, LaunchRequest)
    checked = _check(cloud, departments, image, request)
    password = plan.admin_password(checked.image, request)
    launch_id = request.launch_id or str(uuid.uuid4())
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
    quiet = Quiet(settings.pace)
    handle = Launch(
        cloud,
        settings,
        launch_id=launch_id,
        image_id=checked.image.id,
        count=request.count,
        department=departments.own().name,
        on_failure=request.on_failure,
        keep_volumes=request.keep_volumes,
        admin_password=None if password is None else SecretStr(password),
        quiet=quiet,
    )
    try:
        _order(cloud, settings, handle, quiet, body, department=departments.own().name)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"Launch {launch_id} may go on; find_launch() finds it again.")
        raise
    if wait:
        return handle.wait(on_progress=on_progress, timeout=timeout)
    return handle


def find_launch(cloud: Cloud, settings: Settings, launch_id: str) -> Launch:
    """Find a launch by its id; look for a while, since Nova may still be creating its servers.

    Raise `NotFoundError` where no server carries the id. The password of a launch is kept nowhere: reset it.
    """
    if not launch_id:
        raise InvalidRequestError("launch_id: a non-empty text is needed")
    known = _wait_for_first(cloud, settings, launch_id)
    metadata = known[0].metadata
    count = metadata.get(plan.COUNT_KEY, "")
    # Of a launch that has ended, a server deleted since is no failure for which the others should go.
    going_on = any(record.status == "BUILD" for record in known)
    quiet = Quiet(settings.pace)
    handle = Launch(
        cloud,
        settings,
        launch_id=launch_id,
        image_id=metadata.get(plan.IMAGE_KEY, ""),
        count=int(count) if count.isdecimal() else len(known),
        department=cloud.access.project_name or cloud.project_id,
        on_failure="delete" if going_on and metadata.get(plan.ON_FAILURE_KEY) == "delete" else "keep",
        keep_volumes=metadata.get(plan.KEEP_VOLUMES_KEY) == "true",
        admin_password=None,
        quiet=quiet,
    )
    _listen(settings, handle, quiet, since=min((each.created for each in known if each.created), default=None))
    return handle


def reset_password(cloud: Cloud, server_id: str, password: str | SecretStr | None) -> SecretStr:
    """Set the administrator's password of a running server through its guest agent; None draws one."""
    if not server_id:
        raise InvalidRequestError("server_id: a non-empty id is needed")
    text = password.get_secret_value() if isinstance(password, SecretStr) else password
    if text is None:
        text = draw_password()
    check_password(text)
    try:
        cloud.post(
            "compute",
            f"/servers/{quote(server_id, safe='', errors='replace')}/action",
            json={"changePassword": {"adminPass": text}},
            confidential=True,
        )
    except (ConflictError, ServiceUnavailableError) as error:
        problem = _reset_problem(error)
        if problem is None:
            raise
        message, hint = problem
        raise PasswordResetError(
            f"{message}: {error.message}",
            hint=hint,
            **error.answer(),
        ) from error
    return SecretStr(text)


# ----------------------------------------------------------------- before anything is created


def _check(cloud: Cloud, departments: Departments, image: Image | str, request: LaunchRequest) -> _Checked:
    """Ask the services, all at once, one request each; raise for the first thing that is in the way."""
    own = departments.own()
    with ThreadPoolExecutor(6) as pool:
        reading = pool.submit(cloud.image, image_id(image))
        flavors = pool.submit(nova.find_flavor, cloud, request.flavor)
        networks = pool.submit(nova.find_networks, cloud, request)
        compute = pool.submit(quotas.compute_quota, cloud, departments, own)
        group = pool.submit(nova.find_server_group, cloud, request.server_group) if request.server_group else None
        earlier = pool.submit(nova.launched, cloud, request.launch_id) if request.launch_id else None
        fresh = reading.result()
        plan.check_image(fresh)
        plan.check_request(fresh, request)
        volumes = None
        if plan.needs_volumes(fresh, request):
            _need_cinder(cloud, fresh, request)
            volumes = pool.submit(quotas.volume_quota, cloud, departments, own)
    flavor = flavors.result()
    plan.check_flavor(fresh, flavor, request, is_administrator=cloud.is_administrator)
    checked = _Checked(fresh, flavor, networks.result(), group.result() if group else None)
    if earlier is not None and earlier.result():
        raise ConflictError(
            f"Launch {request.launch_id} exists already.",
            hint="find_launch(launch_id) finds it; another launch needs another id.",
        )
    department = compute.result()
    if volumes is not None:
        found = volumes.result()
        department = DepartmentQuota.model_validate(
            {**department.model_dump(), "volumes": found.volumes, "volume_gib": found.volume_gib}
        )
    quotas.check_room(department, **plan.room(fresh, flavor, request))
    return checked


def _need_cinder(cloud: Cloud, image: Image, request: LaunchRequest) -> None:
    if cloud.has("block-storage"):
        return
    iso = plan.is_install(image, request)
    raise ServiceUnavailableError(
        f"This cloud has no volumes (Cinder), which {'installing an ISO' if iso else 'boot_volume_gib'} needs.",
        connected=False,
        service="block-storage",
        hint='Boot the ISO itself: layout="live".' if iso else "Leave boot_volume_gib out: the flavor has a disk.",
    )


# ----------------------------------------------------------------- the one request, and what became of it


def _order(
    cloud: Cloud, settings: Settings, handle: Launch, quiet: Quiet, body: dict[str, Json], *, department: str
) -> None:
    attempts = 0

    def send() -> ServiceUnavailableError | Literal["accepted"] | None:
        nonlocal attempts
        attempts += 1
        try:
            nova.create(cloud, body)
        except ServiceUnavailableError as error:
            name_left(error, launch_id=handle.launch_id)
            if error.connected and error.status != 429:
                return error
            if error.connected or attempts >= CONNECTION_ATTEMPTS:
                raise
            # No connection was made, so Nova cannot have seen it: the only case in which it is sent again.
            return None
        except (QuotaExceededError, NotAllowedError) as error:
            # Unified limits answer 403 with words of their own (nova/limit/placement.py).
            raise (
                quota_error(error.message, department=department, status=error.status, request_id=error.request_id)
                or error
            ) from error
        except ConflictError as error:
            if "network" in error.message.lower():  # nova.exception.NetworkAmbiguous
                error.hint = 'Name the networks: networks=("...",).'
            raise
        return "accepted"

    lost = wait_until(settings.pace, send)
    if isinstance(lost, ServiceUnavailableError):
        _look_for(settings, handle, quiet, lost)
    else:
        quiet.begin()
        handle.progress()


def _look_for(settings: Settings, handle: Launch, quiet: Quiet, lost: ServiceUnavailableError) -> None:
    """Find out what became of a request whose answer was lost: a proxy's 502 or 504, or a cut connection.

    While Nova works on it none of the servers can be seen, then some, then all.
    """
    _listen(settings, handle, quiet, since=None)
    if handle.servers:
        return
    error = ServiceUnavailableError(
        f"Nova's answer was lost, and no server of launch {handle.launch_id} was found: {lost.message}",
        hint="Look again with find_launch(launch_id) before launching anew.",
        **lost.answer(),
    )
    name_left(error, launch_id=handle.launch_id)
    raise error from lost


def _listen(settings: Settings, handle: Launch, quiet: Quiet, *, since: datetime | None) -> None:
    """Look until all servers are there, or no new one has come for the quiet time."""
    quiet.begin()

    def look() -> bool | None:
        try:
            handle.progress()
        except ServiceUnavailableError:
            # Whatever lost the answer may last a little; what was not seen is not there.
            quiet.looked()
            return True if quiet.is_over else None
        settled = since is not None and datetime.now(UTC) - since > SETTLED
        return True if len(handle.servers) >= handle.count or quiet.is_over or settled else None

    wait_until(settings.pace, look, timeout=quiet.timeout)


def _wait_for_first(cloud: Cloud, settings: Settings, launch_id: str) -> list[nova.Record]:
    """Look for any server of a launch for the quiet time: the caller may have died just after it had sent it."""
    quiet = Quiet(settings.pace)

    def look() -> list[nova.Record] | None:
        found = nova.launched(cloud, launch_id)
        quiet.looked()
        return found if found or quiet.is_over else None

    known = wait_until(settings.pace, look, timeout=quiet.timeout)
    if not known:
        raise NotFoundError(
            f"No server belongs to launch {launch_id}.", hint="It was never started, or its servers are gone."
        )
    return known


def _reset_problem(error: HyperxGlanceError) -> tuple[str, str] | None:
    """Say what a refused changePassword means (nova/api/openstack/compute/admin_password.py)."""
    if error.status == 501:
        return "The guest agent did not answer", "Install and start qemu-guest-agent in the guest, then try again."
    if error.status != 409:
        return None
    if "vm_state" in error.message:
        return "The server is not running", "Start the server, then try again."
    return (
        "The server takes no password",
        "Launch it from a password-enabled image, with a guest agent in it; its properties count from the launch on.",
    )
