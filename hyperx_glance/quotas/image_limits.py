"""Keystone's limits of images, where Glance's oslo.limit looks for them.

>>> from hyperx_glance.quotas.image_limits import image_limits
>>> image_limits(cloud, cloud.project_id)["image_count_total"].value
100000
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.tokens import Endpoint
from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.quotas.resources import IMAGE_RESOURCES

SHOW_LIMITS = (
    "Give this administrator the role admin on the system too (openstack role add --system all), and connect with the"
    " password; or upgrade Keystone to 2026.1."
)


class _Registered(Shape):
    resource_name: str
    default_limit: int


class _RegisteredLimits(Shape):
    registered_limits: tuple[_Registered, ...]


class Own(Shape):
    """Hold a department's own limit; a domain's names no project."""

    id: str
    project_id: str | None = None
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

    @property
    def own(self) -> int | None:
        """What the department has instead of the default; None where it has none."""
        return None if self.override is None else self.override.resource_limit


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


def image_limits(cloud: Cloud, project_id: str) -> dict[str, Limit | None] | None:
    """Read the limits of all image resources; None instead where Keystone hides this department's.

    A resource for which nothing is registered, in Glance's service and region, has None.
    """
    endpoint = image_endpoint(cloud)
    where = {"service_id": endpoint.service_id} | ({"region_id": endpoint.region_id} if endpoint.region_id else {})
    registered = cloud.get_parsed(_RegisteredLimits, "identity", "/registered_limits", params=where)
    own = _limits_of(cloud, project_id, where)
    if own is None:
        return None
    # Of several for one resource the first counts, as for oslo.limit.
    defaults = {limit.resource_name: limit.default_limit for limit in reversed(registered.registered_limits)}
    overrides = {limit.resource_name: limit for limit in reversed(own)}
    return {
        word: Limit(default=defaults[word], override=overrides.get(word)) if word in defaults else None
        for word in (resource.word for resource in IMAGE_RESOURCES)
    }


def visibility(cloud: Cloud) -> Literal["shown", "to the system", "unknown"]:
    """Tell how the limits of other departments can be read: with an administrator's own token, or another one.

    "unknown" is also where Keystone would show them, but no department has any.
    """
    shown = cloud.get_parsed(_OwnLimits, "identity", "/limits").limits
    if any(limit.project_id != cloud.project_id for limit in shown):
        return "shown"
    return "unknown" if cloud.of_system() is None else "to the system"


def _limits_of(cloud: Cloud, project_id: str, where: Mapping[str, str]) -> Sequence[Own] | None:
    """Read a department's own limits; None where Keystone hides them.

    Before 2026.1 Keystone leaves out, without a word, every limit but those of the token's own project, for
    administrators too (keystone/api/limits.py): a token for the system sees all.
    """
    reader = cloud if project_id == cloud.project_id else cloud.of_system()
    if reader is not None:
        return reader.get_parsed(_OwnLimits, "identity", "/limits", params={**where, "project_id": project_id}).limits
    shown = cloud.get_parsed(_OwnLimits, "identity", "/limits", params=where).limits
    # One that is not the caller's own proves a Keystone that hides nothing; where there is none, nobody knows.
    if all(limit.project_id == cloud.project_id for limit in shown):
        return None
    return [limit for limit in shown if limit.project_id == project_id]
