"""The checks of a launch before anything exists: one request to each service, all at once.

>>> client.launch(disk_image, LaunchRequest(name="web", flavor="m1.nonsense"))
Traceback (most recent call last):
hyperx_glance.errors.NotFoundError: There is no flavor m1.nonsense...
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperx_glance.errors import ConflictError
from hyperx_glance.launching import plan, servers as nova
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.quotas.reading import compute_quota, merged, volume_quota
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from hyperx_glance.cloud.context import Context


@dataclass(frozen=True, slots=True)
class Checked:
    """Results of the checks before a launch."""

    image: Image
    flavor: plan.Flavor
    networks: tuple[plan.Network, ...]
    server_group_id: str | None


def check(context: Context, image: Image | str, request: LaunchRequest) -> Checked:
    """Ask the services, all at once, one request each; raise the first problem."""
    cloud, own = context.cloud, context.departments.own()
    with ThreadPoolExecutor(7) as pool:
        reading = pool.submit(cloud.image, image_id(image))
        flavors = pool.submit(nova.find_flavor, cloud, request.flavor)
        networks = pool.submit(nova.find_networks, cloud, request)
        compute = pool.submit(compute_quota, context, own)
        group = pool.submit(nova.find_server_group, cloud, request.server_group) if request.server_group else None
        zone = request.availability_zone and pool.submit(nova.check_zone, cloud, request.availability_zone)
        earlier = pool.submit(nova.launched, cloud, request.launch_id) if request.launch_id else None
        fresh = reading.result()
        plan.check_way(fresh, request, has_volumes=cloud.has("block-storage"), project_id=cloud.project_id)
        volumes = None
        if plan.needs_volumes(fresh, request):
            volumes = pool.submit(volume_quota, context, own)
    flavor = flavors.result()
    plan.check_flavor(fresh, flavor, request)
    if zone:
        zone.result()
    checked = Checked(fresh, flavor, networks.result(), group.result() if group else None)
    if earlier is not None and earlier.result():
        raise ConflictError(
            say("launch-exists", launch=request.launch_id), hint=say("find-that-launch", launch=request.launch_id)
        )
    department = compute.result()
    if volumes is not None:
        department = merged(department, volumes.result())
    department.check_room(**plan.room(fresh, flavor, request))
    return checked
