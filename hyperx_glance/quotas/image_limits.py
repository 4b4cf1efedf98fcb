"""Keystone's unified limits, in the place where the oslo.limit of Glance and Nova reads them.

>>> from hyperx_glance.quotas.image_limits import image_limits
>>> image_limits(cloud, cloud.project_id)["image_count_total"].value
100000
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from hyperx_glance.cloud.cloud import Cloud, Service, not_in_catalogue
from hyperx_glance.cloud.pages import (
    KeystonePage,
    Listed,
    keystone_collection,
    read_as_far_as_shown,
    read_by_name,
)
from hyperx_glance.cloud.tokens import Endpoint
from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.quotas.resources import IMAGE_RESOURCES

SHOW_LIMITS = "use-the-system-role"
"""The code of the hint if Keystone hides the limits of images."""


class _Registered(Listed):
    resource_name: str
    default_limit: int


class _RegisteredLimits(KeystonePage[_Registered], alias_generator=keystone_collection("registered_limits")):
    pass


class Own(Listed):
    """A department's own limit; a domain's limit has no project."""

    project_id: str | None = None
    resource_name: str
    resource_limit: int


class _OwnLimits(KeystonePage[Own], alias_generator=keystone_collection("limits")):
    pass


class Limit(NamedTuple):
    """One image limit in Keystone; ``override`` is the department's own limit, if there is one."""

    default: int
    override: Own | None

    @property
    def value(self) -> int:
        """The limit that Glance enforces."""
        return self.default if self.override is None else self.override.resource_limit

    @property
    def own(self) -> int | None:
        """The department's own limit instead of the default; None if it has none."""
        return None if self.override is None else self.override.resource_limit


def limits_endpoint(cloud: Cloud, service: Service) -> Endpoint:
    """Return the service's endpoint, whose service and region oslo.limit uses."""
    endpoint = cloud.endpoint(service)
    if endpoint:
        return endpoint
    raise ServiceUnavailableError(not_in_catalogue(service, cloud.region_name), connected=False, service=service)


def image_limits(cloud: Cloud, project_id: str) -> dict[str, Limit | None] | None:
    """Read the limits of all image resources; see `unified_limits`."""
    return unified_limits(cloud, "image", [resource.word for resource in IMAGE_RESOURCES], project_id)


def unified_limits(
    cloud: Cloud, service: Service, words: Collection[str], project_id: str
) -> dict[str, Limit | None] | None:
    """Read a service's limits, by Keystone's names; return None if Keystone hides those of this department.

    A resource without a registered limit, in the service's own region, has None.
    """
    endpoint = limits_endpoint(cloud, service)
    where = {"service_id": endpoint.service_id} | ({"region_id": endpoint.region_id} if endpoint.region_id else {})
    registered = read_by_name(cloud, _RegisteredLimits, "/registered_limits", where, words)
    own = _limits_of(cloud, project_id, where, words)
    if own is None:
        return None
    # If there are several limits for one resource, the first counts, as in oslo.limit.
    defaults = {limit.resource_name: limit.default_limit for limit in reversed(registered)}
    overrides = {limit.resource_name: limit for limit in reversed(own)}
    return {
        word: Limit(default=defaults[word], override=overrides.get(word)) if word in defaults else None
        for word in words
    }


def visibility(cloud: Cloud) -> Literal["shown", "to the system", "unknown"]:
    """Return how the limits of other departments can be read: with an administrator's own token, or one for the system.

    "unknown" can also mean that Keystone would show them, but no department has any.
    """
    shown, _ = read_as_far_as_shown(cloud, _OwnLimits, "/limits")
    if any(limit.project_id != cloud.project_id for limit in shown):
        return "shown"
    return "unknown" if cloud.of_system() is None else "to the system"


def _limits_of(cloud: Cloud, project_id: str, where: Mapping[str, str], words: Collection[str]) -> Sequence[Own] | None:
    """Read a department's own limits; return None if Keystone hides them.

    Before 2026.1, Keystone silently leaves out all limits except those of the token's own project, even for
    administrators (keystone/api/limits.py). A token for the system sees all of them.
    """
    of_department = {**where, "project_id": project_id}
    reader = cloud if project_id == cloud.project_id else cloud.of_system()
    if reader is not None:
        return read_by_name(reader, _OwnLimits, "/limits", of_department, words)
    shown, is_whole = read_as_far_as_shown(cloud, _OwnLimits, "/limits", where)
    # A limit of another project proves that Keystone hides nothing; without one, this is unknown.
    if all(limit.project_id == cloud.project_id for limit in shown):
        return None
    if not is_whole:
        shown = read_by_name(cloud, _OwnLimits, "/limits", of_department, words)
    return [limit for limit in shown if limit.project_id == project_id]
