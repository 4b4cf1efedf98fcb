"""Set limits of a department.

>>> from hyperx_glance.quotas.setting import check_limits
>>> check_limits({"images": -2})
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: images: a limit is a whole number from -1 (unlimited) to 2147483647, ...
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from hyperx_glance.answers import Shape, not_understood
from hyperx_glance.cloud import Cloud, Service
from hyperx_glance.context import Context
from hyperx_glance.departments import Department
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.models.quotas import DepartmentQuota, QuotaLimits, Usage
from hyperx_glance.quotas.image_limits import image_endpoint, image_limits
from hyperx_glance.quotas.reading import Known, quota_set_path, whole_quota
from hyperx_glance.quotas.resources import COMPUTE_RESOURCES, FIELDS, IMAGE_RESOURCES, VOLUME_RESOURCES, Resource
from hyperx_glance.waiting import repeated

UNLIMITED = -1
LARGEST_LIMIT = 2**31 - 1
"""The most that Keystone, Nova and Cinder can store."""


class _DefaultsAnswer(Shape):
    quota_set: Known[int]


def set_quota(context: Context, department: str, limits: QuotaLimits) -> DepartmentQuota:
    """Set limits of a department, and read them back.

    Cinder is written first: it alone may refuse a limit below the present use, and then nothing has been changed. The
    services have no common transaction: notes on an error say which fields were written before, and which perhaps.
    """
    check_limits(limits)
    cloud = context.cloud
    if not cloud.is_administrator:
        raise NotAllowedError("Quotas are set by administrators.")
    # Nova and Cinder keep quotas of projects that do not exist: Keystone has the say.
    target = context.departments.resolve(department)
    plans = [
        plan
        for plan in (
            _plan_quota_set(cloud, "block-storage", target, VOLUME_RESOURCES, limits),
            _plan_quota_set(cloud, "compute", target, COMPUTE_RESOURCES, limits),
            _plan_images(cloud, target, limits),
        )
        if plan.wanted
    ]
    written: list[str] = []
    writing = ""
    try:
        for call in (call for plan in plans for call in plan.calls):
            writing = call.writes
            _write(context, call)
            written.append(call.writes)
        writing = ""
        now = whole_quota(context, target)
    except HyperxGlanceError as error:
        error.add_note(f"Written before: {', '.join(written) or 'nothing'}.")
        if writing and isinstance(error, ServiceUnavailableError) and error.connected:
            error.add_note(f"Perhaps written: {writing}. To set a limit again is safe.")
        raise
    _check_taken(now, {field: limit for plan in plans for field, limit in plan.wanted.items()})
    return now


def check_limits(limits: QuotaLimits) -> None:
    """Refuse nonsense before anything is asked."""
    known = ", ".join(FIELDS)
    problems = [f"{name}: there is no such limit; there are {known}" for name in sorted({*limits} - {*FIELDS})]
    problems += [
        f"{name}: a limit is a whole number from -1 (unlimited) to {LARGEST_LIMIT}, or None (the default)"
        for name, limit in limits.items()
        if name in FIELDS and not _is_limit(limit)
    ]
    if not limits:
        problems.append(f"limits: name at least one of {known}")
    if problems:
        raise InvalidRequestError("\n".join(problems))


def _is_limit(limit: object) -> bool:
    if limit is None:
        return True
    return isinstance(limit, int) and not isinstance(limit, bool) and UNLIMITED <= limit <= LARGEST_LIMIT


class _Call(NamedTuple):
    """Hold one request to come, and what it writes, for people."""

    writes: str
    service: Service
    method: str
    path: str
    body: Mapping[str, Any] | None


class _Plan(NamedTuple):
    """Hold what one service is to be told, and the limits it has afterwards."""

    wanted: Mapping[str, int]
    calls: Sequence[_Call]


def _plan_quota_set(
    cloud: Cloud, service: Service, department: Department, resources: Sequence[Resource], limits: QuotaLimits
) -> _Plan:
    """Plan a PUT of the whole change to Nova's or Cinder's quota set.

    The default again is written as its present value: neither service resets a single limit, and DELETE of the quota
    set would take every other limit of the department with it (nova and cinder, QuotaSetsController.delete).
    """
    words = {resource.field: resource.word for resource in resources}
    given = {field: limit for field, limit in limits.items() if field in words}
    if not given:
        return _Plan({}, ())
    path = quota_set_path(department)
    wanted = {field: limit for field, limit in given.items() if isinstance(limit, int)}
    cloud.base(service)  # raises where the cloud has no such service
    if len(wanted) < len(given):
        defaults = cloud.get_parsed(_DefaultsAnswer, service, f"{path}/defaults").quota_set
        wanted |= {field: _default(defaults, service, words[field]) for field in given if field not in wanted}
    quota_set: dict[str, int | bool] = {words[field]: limit for field, limit in wanted.items()}
    if service == "compute":
        # Without it Nova refuses a limit below the present use (nova, QuotaSetsController.update).
        quota_set["force"] = True
    return _Plan(wanted, (_Call(", ".join(wanted), service, "PUT", path, {"quota_set": quota_set}),))


def _default(defaults: Mapping[str, int | None], service: Service, word: str) -> int:
    default = defaults.get(word)
    if default is None:
        raise not_understood(service, f"it has no default for {word}")
    return default


def _plan_images(cloud: Cloud, department: Department, limits: QuotaLimits) -> _Plan:
    """Plan creating, changing or deleting the department's own limits in Keystone; what is right already stays."""
    words = {resource.field: resource.word for resource in IMAGE_RESOURCES}
    given = {field: limit for field, limit in limits.items() if field in words}
    if not given:
        return _Plan({}, ())
    endpoint = image_endpoint(cloud)
    existing = image_limits(cloud, department.id)
    wanted: dict[str, int] = {}
    calls: list[_Call] = []
    for field, limit in given.items():
        word = words[field]
        current = existing[word]
        if current is None:
            raise NotFoundError(
                f"Keystone has no registered limit {word} for the image service in region {endpoint.region_id}.",
                hint="An operator registers the limits of images first, in the region of Glance's endpoint.",
            )
        wanted[field] = limit if isinstance(limit, int) else current.default
        override = current.override
        if limit == (override and override.resource_limit):
            continue
        if override is not None:
            path = f"/limits/{quote(override.id, safe='')}"
            if limit:
                calls.append(_Call(field, "identity", "PATCH", path, {"limit": {"resource_limit": limit}}))
                continue
            # Keystone ignores a PATCH to 0 (keystone/limit/backends/sql.py, update_limit): such a limit is made anew.
            calls.append(_Call(f"{field} (its default)", "identity", "DELETE", path, None))
        if limit is not None:
            record = {
                "service_id": endpoint.service_id,
                "region_id": endpoint.region_id,
                "project_id": department.id,
                "resource_name": word,
                "resource_limit": limit,
            }
            calls.append(_Call(field, "identity", "POST", "/limits", {"limits": [record]}))
    return _Plan(wanted, calls)


_DONE_BEFORE = {"POST": 409, "DELETE": 404}
"""What Keystone answers to a limit that is there already, or that is gone."""


def _write(context: Context, call: _Call) -> None:
    """Send one request, again where its answer is lost: sent twice, each of them leaves what it leaves.

    Whether the limit that is there already is ours shows when the figures are read back.
    """
    try:
        repeated(
            context.settings.pace, lambda _: context.cloud.request(call.service, call.method, call.path, json=call.body)
        )
    except (ConflictError, NotFoundError) as error:
        if error.status != _DONE_BEFORE.get(call.method):
            raise


def _check_taken(now: DepartmentQuota, wanted: Mapping[str, int]) -> None:
    """Raise where a service answered yes and did nothing: it takes its limits from elsewhere, or enforces none."""
    ignored = []
    for field, limit in wanted.items():
        usage: Usage | None = getattr(now, field)
        if usage is None or usage.limit != (None if limit < 0 else limit):
            ignored.append(field)
    if ignored:
        raise ConflictError(
            f"Not taken by this cloud for {now.department}: {', '.join(ignored)}.",
            hint="The service takes its limits from elsewhere, or enforces none, or somebody else wrote just now.",
        )
