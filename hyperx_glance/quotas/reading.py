"""Reading what a department uses and may use from the services.

>>> from hyperx_glance import Settings
>>> from hyperx_glance.cloud.context import Context
>>> from hyperx_glance.cloud.departments import Departments
>>> from hyperx_glance.quotas.reading import quota
>>> quota(Context(cloud, Departments(cloud), Settings()), None).cores.used
0
"""

import functools
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypeVar

from pydantic import BeforeValidator

from hyperx_glance.cloud import pages
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud, Service, resource_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import NotAllowedError, NotFoundError, ServiceUnavailableError
from hyperx_glance.models.image import Image
from hyperx_glance.models.quotas import DepartmentQuota, Usage
from hyperx_glance.quotas.image_limits import SHOW_LIMITS, image_limits
from hyperx_glance.quotas.resources import (
    COMPUTE_RESOURCES,
    IMAGE_RESOURCES,
    VOLUME_RESOURCES,
    WORDS,
    Resource,
)
from hyperx_glance.quotas.room import image_usage
from hyperx_glance.texts import Text, say, sentences, word

LOG = logging.getLogger(__name__)

# ----------------------------------------------------------------- responses of the services

_Figures = TypeVar("_Figures")


def _known(reported: object) -> object:
    """Keep the known resources; the services report more, and not only in numbers."""
    return {word: reported[word] for word in reported if word in WORDS} if isinstance(reported, Mapping) else reported


Known = Annotated[dict[str, _Figures | None], BeforeValidator(_known)]


class _ImageUsage(Shape):
    usage: int
    limit: int


class _ImageUsages(Shape):
    usage: dict[str, _ImageUsage]


class _Limits(Shape):
    absolute: Known[int]


class _LimitsAnswer(Shape):
    limits: _Limits


class _InUse(Shape):
    in_use: int
    limit: int


class _QuotaSetAnswer(Shape):
    quota_set: Known[_InUse]


Part = Callable[[Context, Department], DepartmentQuota]

# ----------------------------------------------------------------- verbs


def quota(context: Context, department: str | None) -> DepartmentQuota:
    """Return what a department uses and may use, as far as the services answer."""
    return whole_quota(context, _readable(context, department))


def whole_quota(context: Context, department: Department, *, needed: Collection[Service] = ()) -> DepartmentQuota:
    """Return a department's quota, without the figures of services that do not answer; all services are asked at once.

    Raise the error of a service that is ``needed``, and the first one if none answers.
    """
    known: dict[Service, Part] = {"image": image_quota, "compute": compute_quota, "block-storage": volume_quota}
    with ThreadPoolExecutor(len(known)) as pool:
        reading = {service: pool.submit(part, context, department) for service, part in known.items()}
    parts: list[DepartmentQuota] = []
    failures: list[ServiceUnavailableError] = []
    for service, part in reading.items():
        try:
            parts.append(part.result())
        except ServiceUnavailableError as error:
            if service in needed:
                raise
            failures.append(error)
            parts.append(_unread(service, department, error))
    if len(failures) == len(reading):
        raise failures[0]
    return merged(*parts)


def quota_of(context: Context, department: Department, *parts: Part) -> DepartmentQuota:
    """Return these parts of a department's quota, such as `image_quota`; services are asked at once."""
    with ThreadPoolExecutor(len(parts)) as pool:
        return merged(*pool.map(lambda part: part(context, department), parts))


def merged(*parts: DepartmentQuota) -> DepartmentQuota:
    """Put several parts of one department's quota together."""
    known = {field: usage for part in parts for field, usage in part if usage is not None}
    notes = tuple(note for part in parts for note in part.notes)
    not_looked_at = tuple(service for part in parts for service in part.not_looked_at)
    return DepartmentQuota.model_validate(known | {"notes": notes, "not_looked_at": not_looked_at})


def _missing(service: Service, department: Department, note: Text) -> DepartmentQuota:
    return DepartmentQuota(department=department.name, not_looked_at=(service,), notes=(note,))


def _unread(service: Service, department: Department, error: ServiceUnavailableError) -> DepartmentQuota:
    LOG.warning("The figures of the %s service were not read: %s", service, error)
    called = word("service", service)
    note = say("quota-not-read", service=called, department=department.name, problem=error.message)
    return _missing(service, department, note)


def _if_shown(service: Service) -> Callable[[Part], Part]:
    """Make a part of a quota say that its service does not show it to the caller, instead of an error.

    So a launch or a registration goes on where a policy hides the figures: the service itself enforces the limits.
    """

    def shown(part: Part) -> Part:
        @functools.wraps(part)
        def read(context: Context, department: Department) -> DepartmentQuota:
            try:
                return part(context, department)
            except NotAllowedError as error:
                refused = say("quota-not-shown", service=word("service", service), department=department.name)
                return _missing(service, department, sentences(refused, error.hint))

        return read

    return shown


@_if_shown("image")
def image_quota(context: Context, department: Department) -> DepartmentQuota:
    """Return the image fields: by one request for the caller's department, from records for another."""
    if department.id == context.departments.own().id:
        return own_image_quota(context.cloud, department)
    return _others_images(context.cloud, department)


@_if_shown("compute")
def compute_quota(context: Context, department: Department) -> DepartmentQuota:
    """Return the server fields, by one request."""
    if department.id == context.departments.own().id:
        return _own_limits(context.cloud, "compute", department, COMPUTE_RESOURCES)
    return _quota_set(context.cloud, "compute", f"{quota_set_path(department)}/detail", department, COMPUTE_RESOURCES)


@_if_shown("block-storage")
def volume_quota(context: Context, department: Department) -> DepartmentQuota:
    """Return the volume fields, by one request; none if this cloud has no Cinder."""
    if not context.cloud.has("block-storage"):
        return DepartmentQuota(department=department.name)
    if department.id == context.departments.own().id:
        return _own_limits(context.cloud, "block-storage", department, VOLUME_RESOURCES)
    # Not /limits?project_id=: at the default microversion, Cinder silently answers for the caller's own project.
    return _quota_set(
        context.cloud, "block-storage", f"{quota_set_path(department)}?usage=true", department, VOLUME_RESOURCES
    )


def image_records(cloud: Cloud, department: Department) -> Iterable[Image]:
    """Iterate over every record of a department; no single list shows both hidden and other images.

    Without "all", Glance leaves out community images (glance/db/sqlalchemy/api.py, _select_images_query).
    """
    for hidden in ("false", "true"):
        parameters = {"owner": department.id, "visibility": "all", "os_hidden": hidden, "sort": "id:asc"}
        yield from pages.read(cloud, list(parameters.items()))


def quota_set_path(department: Department) -> str:
    """Return the path of a department's limits in Nova and Cinder."""
    return resource_path("os-quota-sets", department.id)


# ----------------------------------------------------------------- each service


def _readable(context: Context, department: str | None) -> Department:
    own = context.departments.own()
    if department is None or department == own.id:
        return own
    found = context.departments.resolve(department)
    # Nova answers 403 even for the caller's own project, Keystone an empty 200: the library gives a clear error.
    if found.id != own.id and not context.cloud.is_administrator:
        raise NotAllowedError(say("quota-of-others", department=found.name), hint=say("connect-to-see-its-quota"))
    return found


def _quota(department: Department, usages: Mapping[str, Usage | None]) -> DepartmentQuota:
    return DepartmentQuota.model_validate({"department": department.name, **usages})


def _usage(used: int | None, limit: int | None) -> Usage | None:
    """Return a usage; drivers that do not count report a negative usage (nova/quota.py, NoopQuotaDriver)."""
    if used is None or limit is None or used < 0:
        return None
    return Usage(used=used, limit=None if limit < 0 else limit)


def own_image_quota(cloud: Cloud, department: Department) -> DepartmentQuota:
    """Return the image fields of the caller's department, by one request."""
    reported = _glance_usage(cloud)
    usages = {
        resource.field: _usage(reported[resource.word].usage, reported[resource.word].limit)
        for resource in IMAGE_RESOURCES
        if resource.word in reported
    }
    return _quota(department, usages)


def _glance_usage(cloud: Cloud) -> Mapping[str, _ImageUsage]:
    """Ask Glance for the caller's department; empty if it enforces no unified limits, or is too old for them."""
    try:
        return cloud.get_parsed(_ImageUsages, "image", "/info/usage").usage
    except NotFoundError:
        return {}


def _others_images(cloud: Cloud, department: Department) -> DepartmentQuota:
    """Count another department's images as Glance does, which reports only the usage of the token's department."""
    if not _glance_usage(cloud):
        return DepartmentQuota(department=department.name)
    known = image_limits(cloud, department.id)
    if known is None:
        hidden = sentences(say("image-usage-not-shown", department=department.name), say(SHOW_LIMITS))
        return _missing("image", department, hidden)
    limits = {word: limit.value for word, limit in known.items() if limit is not None}
    used = image_usage(image_records(cloud, department))
    # oslo.limit treats an unregistered limit as 0 (oslo_limit/limit.py, get_project_limits).
    return _quota(
        department, {each.field: _usage(used[each.field], limits.get(each.word, 0)) for each in IMAGE_RESOURCES}
    )


def _own_limits(
    cloud: Cloud, service: Service, department: Department, resources: Sequence[Resource]
) -> DepartmentQuota:
    limits = cloud.get_parsed(_LimitsAnswer, service, "/limits").limits.absolute
    usages = {each.field: _usage(limits.get(each.used), limits.get(each.limit)) for each in resources}
    if limits.keys().isdisjoint(each.used for each in resources):
        # Cinder's policy limits_extension:used_limits.
        note = say("usage-not-told", service=word("service", service), department=department.name)
        return DepartmentQuota(department=department.name, notes=(note,))
    return _quota(department, usages)


def _quota_set(
    cloud: Cloud, service: Service, path: str, department: Department, resources: Sequence[Resource]
) -> DepartmentQuota:
    reported = cloud.get_parsed(_QuotaSetAnswer, service, path).quota_set
    usages: dict[str, Usage | None] = {}
    for resource in resources:
        figures = reported.get(resource.word)
        usages[resource.field] = None if figures is None else _usage(figures.in_use, figures.limit)
    return _quota(department, usages)
