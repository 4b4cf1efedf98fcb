"""Keystone's limits of images, where Glance's oslo.limit looks for them.

>>> from hyperx_glance.quotas.image_limits import image_limits
>>> image_limits(cloud, cloud.project_id)["image_count_total"].value
100000
"""

from typing import NamedTuple

from hyperx_glance.answers import Shape
from hyperx_glance.cloud import Cloud, Endpoint
from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.quotas.resources import IMAGE_RESOURCES


class _Registered(Shape):
    resource_name: str
    default_limit: int


class _RegisteredLimits(Shape):
    registered_limits: tuple[_Registered, ...]


class Own(Shape):
    """Hold a department's own limit."""

    id: str
    resource_name: str
    resource_limit: int


class _OwnLimits(Shape):
    limits: tuple[Own, ...]


class Limit(NamedTuple):
    """Hold one image limit as Keystone has it; ``override`` is the department's own, if it has one."""

    default: int
    override: Own | None

    @property
    def value(self) -> int:
        """What Glance enforces."""
        return self.default if self.override is None else self.override.resource_limit


def image_endpoint(cloud: Cloud) -> Endpoint:
    """Find Glance's service and region: oslo.limit asks with those of Glance's endpoint."""
    endpoint = cloud.endpoint("image")
    if endpoint:
        return endpoint
    raise ServiceUnavailableError(
        f"This cloud's catalogue has no image service in region {cloud.region_name or 'any'}.",
        connected=False,
        service="image",
    )


def image_limits(cloud: Cloud, project_id: str) -> dict[str, Limit | None]:
    """Read the limits of all image resources; None where nothing is registered for Glance's service and region."""
    endpoint = image_endpoint(cloud)
    where = {"service_id": endpoint.service_id} | ({"region_id": endpoint.region_id} if endpoint.region_id else {})
    registered = cloud.get_parsed(_RegisteredLimits, "identity", "/registered_limits", params=where)
    limits = cloud.get_parsed(_OwnLimits, "identity", "/limits", params={**where, "project_id": project_id})
    # Of several for one resource the first counts, as for oslo.limit.
    defaults = {limit.resource_name: limit.default_limit for limit in reversed(registered.registered_limits)}
    overrides = {limit.resource_name: limit for limit in reversed(limits.limits)}
    return {
        word: Limit(default=defaults[word], override=overrides.get(word)) if word in defaults else None
        for word in (resource.word for resource in IMAGE_RESOURCES)
    }
