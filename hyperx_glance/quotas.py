"""What departments use and may use, and how administrators set it.

    >>> client.quota().instances
    Usage(used=0, limit=..., remaining=...)
    >>> client.quota().images.remaining is None
    False

A department is a Keystone project. Its limits are kept by three services: images in Keystone's unified limits, which
Glance enforces; servers in Nova; volumes in Cinder.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import Field
from pydantic.alias_generators import to_camel

from hyperx_glance import pages
from hyperx_glance.answers import Shape, not_understood
from hyperx_glance.cloud import Cloud, Place, Service
from hyperx_glance.departments import Department, Departments
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.models.quotas import DepartmentQuota, QuotaLimits, Usage
from hyperx_glance.settings import Settings
from hyperx_glance.waiting import repeated

MIB = 2**20
UNLIMITED = -1
LARGEST_LIMIT = 2**31 - 1
"""The most that Keystone, Nova and Cinder can store."""

# The service's own word for each field (glance/quota/keystone.py, nova/quota.py, cinder/quota.py).
IMAGE_RESOURCES = {
    "images": "image_count_total",
    "image_size_mib": "image_size_total",
    "staging_mib": "image_stage_total",
    "uploading": "image_count_uploading",
}
COMPUTE_RESOURCES = {"instances": "instances", "cores": "cores", "ram_mib": "ram"}
VOLUME_RESOURCES = {"volumes": "volumes", "volume_gib": "gigabytes"}
_COMPUTE_LIMITS = {
    "instances": ("total_instances_used", "max_total_instances"),
    "cores": ("total_cores_used", "max_total_cores"),
    "ram_mib": ("total_ram_used", "max_total_ram_size"),
}
_VOLUME_LIMITS = {
    "volumes": ("total_volumes_used", "max_total_volumes"),
    "volume_gib": ("total_gigabytes_used", "max_total_volume_gigabytes"),
}
FIELDS = (*IMAGE_RESOURCES, *COMPUTE_RESOURCES, *VOLUME_RESOURCES)

# Glance counts these as being uploaded, the first two of them as staged (glance/db/sqlalchemy/api.py,
# _image_get_staging_usage_by_owner and _image_get_uploading_count_by_owner).
_STAGED = ("uploading", "importing")
_UPLOADING = (*_STAGED, "saving")
_GONE = ("killed", "deleted", "pending_delete")
_WITH_DATA = ("active", "deactivated")


# ----------------------------------------------------------------- what the services answer


class _ImageUsage(Shape):
    usage: int
    limit: int


class _ImageUsages(Shape):
    usage: dict[str, _ImageUsage]


class _Absolute(Shape, alias_generator=to_camel):
    """Hold what Nova and Cinder tell of the own department, each its part."""

    total_instances_used: int | None = None
    max_total_instances: int | None = None
    total_cores_used: int | None = None
    max_total_cores: int | None = None
    total_ram_used: int | None = Field(None, alias="totalRAMUsed")
    max_total_ram_size: int | None = Field(None, alias="maxTotalRAMSize")
    total_volumes_used: int | None = None
    max_total_volumes: int | None = None
    total_gigabytes_used: int | None = None
    max_total_volume_gigabytes: int | None = None


class _Limits(Shape):
    absolute: _Absolute


class _LimitsAnswer(Shape):
    limits: _Limits


class _InUse(Shape):
    in_use: int
    limit: int


class _QuotaSet(Shape):
    instances: _InUse | None = None
    cores: _InUse | None = None
    ram: _InUse | None = None
    volumes: _InUse | None = None
    gigabytes: _InUse | None = None


class _QuotaSetAnswer(Shape):
    quota_set: _QuotaSet


class _Defaults(Shape):
    instances: int | None = None
    cores: int | None = None
    ram: int | None = None
    volumes: int | None = None
    gigabytes: int | None = None


class _DefaultsAnswer(Shape):
    quota_set: _Defaults


class _RegisteredLimit(Shape):
    resource_name: str
    default_limit: int


class _RegisteredLimits(Shape):
    registered_limits: tuple[_RegisteredLimit, ...]


class _OwnLimit(Shape):
    id: str
    resource_name: str
    resource_limit: int


class _OwnLimits(Shape):
    limits: tuple[_OwnLimit, ...]


# ----------------------------------------------------------------- verbs


def quota(cloud: Cloud, departments: Departments, department: str | None) -> DepartmentQuota:
    """Ask the services, all at once, what a department uses and may use."""
    return _whole(cloud, departments, _readable(cloud, departments, department))


def image_quota(cloud: Cloud, departments: Departments, department: Department) -> DepartmentQuota:
    """Give the image fields: by one request for the own department, from records for another."""
    if department.id == departments.own().id:
        return _own_images(cloud, department)
    return _others_images(cloud, department)


def compute_quota(cloud: Cloud, departments: Departments, department: Department) -> DepartmentQuota:
    """Give the server fields, by one request."""
    if department.id == departments.own().id:
        return _own_limits(cloud, "compute", department, _COMPUTE_LIMITS)
    return _quota_set(cloud, "compute", f"{_quota_set_path(department)}/detail", department, COMPUTE_RESOURCES)


def volume_quota(cloud: Cloud, departments: Departments, department: Department) -> DepartmentQuota:
    """Give the volume fields, by one request; none where this cloud has no Cinder."""
    if not cloud.has("block-storage"):
        return DepartmentQuota(department=department.name)
    if department.id == departments.own().id:
        return _own_limits(cloud, "block-storage", department, _VOLUME_LIMITS)
    # Not /limits?project_id=: at the default microversion Cinder answers for the caller's own project, silently.
    return _quota_set(cloud, "block-storage", f"{_quota_set_path(department)}?usage=true", department, VOLUME_RESOURCES)


def check_images(quota: DepartmentQuota, *, size_mib: int | None) -> None:
    """Raise where one more image of this size would not fit; None where nobody knows its size."""
    check_room(quota, images=1, image_size_mib=size_mib or 0, uploading=1)


def check_room(quota: DepartmentQuota, **requested: int) -> None:
    """Raise `QuotaExceededError` where the department has no room for all that is requested, by field."""
    usages: list[tuple[str, Usage | None]] = [(field, getattr(quota, field)) for field in FIELDS if field in requested]
    exceeded = [
        (field, usage)
        for field, usage in usages
        if usage is not None and usage.remaining is not None and requested[field] > usage.remaining
    ]
    if exceeded:
        field, usage = exceeded[0]
        raise QuotaExceededError(
            department=quota.department,
            resource=field,
            limit=usage.limit,
            used=usage.used,
            requested=requested[field],
            exceeded=[name for name, _ in exceeded],
        )


def set_quota(
    cloud: Cloud, departments: Departments, settings: Settings, department: str, limits: QuotaLimits
) -> DepartmentQuota:
    """Set limits of a department, and read them back.

    Cinder is written first: it alone may refuse a limit below the present use, and then nothing has been changed. The
    services have no common transaction: notes on an error say which fields were written before, and which perhaps.
    """
    _check_limits(limits)
    if not cloud.is_administrator:
        raise NotAllowedError("Quotas are set by administrators.")
    # Nova and Cinder keep quotas of projects that do not exist: Keystone has the say.
    target = departments.resolve(department)
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
            _write(cloud, settings, call)
            written.append(call.writes)
        writing = ""
        now = _whole(cloud, departments, target)
    except HyperxGlanceError as error:
        error.add_note(f"Written before: {', '.join(written) or 'nothing'}.")
        if writing and isinstance(error, ServiceUnavailableError) and error.connected:
            error.add_note(f"Perhaps written: {writing}. To set a limit again is safe.")
        raise
    _check_taken(now, {field: limit for plan in plans for field, limit in plan.wanted.items()})
    return now


# ----------------------------------------------------------------- reading


def _readable(cloud: Cloud, departments: Departments, department: str | None) -> Department:
    own = departments.own()
    if department is None or department == own.id:
        return own
    found = departments.resolve(department)
    # Nova answers 403 even for the own project named, Keystone an empty 200: the library says it plainly.
    if found.id != own.id and not cloud.is_administrator:
        raise NotAllowedError(
            f"The quota of {found.name} is for administrators.", hint="Connect to that department to see its own quota."
        )
    return found


def _whole(cloud: Cloud, departments: Departments, department: Department) -> DepartmentQuota:
    parts = (image_quota, compute_quota, volume_quota)
    with ThreadPoolExecutor(len(parts)) as pool:
        pending = [pool.submit(part, cloud, departments, department) for part in parts]
    usages: dict[str, Usage] = {}
    for future in pending:
        answer = future.result()
        usages |= {field: getattr(answer, field) for field in FIELDS if getattr(answer, field) is not None}
    return DepartmentQuota.model_validate({"department": department.name, **usages})


def _usage(used: int | None, limit: int | None) -> Usage | None:
    """Build a usage; drivers that count nothing answer a negative use (nova/quota.py, NoopQuotaDriver)."""
    if used is None or limit is None or used < 0:
        return None
    return Usage(used=used, limit=None if limit < 0 else limit)


def _own_images(cloud: Cloud, department: Department) -> DepartmentQuota:
    usage = _glance_usage(cloud)
    return DepartmentQuota.model_validate(
        {"department": department.name}
        | {
            field: _usage(usage[resource].usage, usage[resource].limit)
            for field, resource in IMAGE_RESOURCES.items()
            if resource in usage
        }
    )


def _glance_usage(cloud: Cloud) -> Mapping[str, _ImageUsage]:
    """Ask Glance for the own department; empty where it enforces no unified limits, or is too old to know them."""
    try:
        return cloud.get_parsed(_ImageUsages, "image", "/info/usage").usage
    except NotFoundError:
        return {}


def _others_images(cloud: Cloud, department: Department) -> DepartmentQuota:
    """Count another department's images as Glance does, which tells of the token's own department only."""
    if not _glance_usage(cloud):
        return DepartmentQuota(department=department.name)
    limits = {
        resource: limit.value for resource, limit in _image_limits(cloud, department).items() if limit is not None
    }
    used = image_usage(image_records(cloud, department))
    return DepartmentQuota.model_validate(
        {"department": department.name}
        # oslo.limit takes an unregistered limit for 0 (oslo_limit/limit.py, get_project_limits).
        | {field: _usage(used[field], limits.get(resource, 0)) for field, resource in IMAGE_RESOURCES.items()}
    )


def counts(image: Image) -> bool:
    """Tell whether Glance counts a record; it may list some that are gone."""
    return image.glance_status not in _GONE


def image_usage(images: Iterable[Image]) -> dict[str, int]:
    """Count what Glance counts: every record that is not gone, its size once per store, MiB rounded down."""
    count = uploading = stored = staged = 0
    for image in images:
        if not counts(image):
            continue
        size = image.size or 0
        copying = bool(image.glance_property("os_glance_importing_to_stores"))
        count += 1
        uploading += (image.glance_status in _UPLOADING) + (copying and image.glance_status not in _UPLOADING)
        staged += size if image.glance_status in _STAGED or copying else 0
        # A single-store Glance names no stores.
        stored += size * (len(image.stores) or (image.glance_status in _WITH_DATA))
    return {
        "images": count,
        "image_size_mib": stored // MIB,
        "staging_mib": staged // MIB,
        "uploading": uploading,
    }


def image_records(cloud: Cloud, department: Department) -> Iterable[Image]:
    """Read every record of a department; no single list shows hidden and other images.

    Without "all" Glance leaves community images out (glance/db/sqlalchemy/api.py, _select_images_query).
    """
    for hidden in ("false", "true"):
        parameters = {"owner": department.id, "visibility": "all", "os_hidden": hidden, "sort": "id:asc"}
        yield from pages.read(cloud, list(parameters.items()))


def _own_limits(
    cloud: Cloud, service: Service, department: Department, names: Mapping[str, tuple[str, str]]
) -> DepartmentQuota:
    absolute = cloud.get_parsed(_LimitsAnswer, service, "/limits").limits.absolute
    return DepartmentQuota.model_validate(
        {"department": department.name}
        | {field: _usage(getattr(absolute, used), getattr(absolute, limit)) for field, (used, limit) in names.items()}
    )


def _quota_set(
    cloud: Cloud, service: Service, path: str, department: Department, resources: Mapping[str, str]
) -> DepartmentQuota:
    quota_set = cloud.get_parsed(_QuotaSetAnswer, service, path).quota_set
    told: dict[str, _InUse | None] = {field: getattr(quota_set, resource) for field, resource in resources.items()}
    return DepartmentQuota.model_validate(
        {"department": department.name}
        | {field: _usage(figures.in_use, figures.limit) for field, figures in told.items() if figures is not None}
    )


def _quota_set_path(department: Department) -> str:
    return f"/os-quota-sets/{quote(department.id, safe='')}"


# ----------------------------------------------------------------- Keystone's limits


class _Limit(NamedTuple):
    """Hold one image limit as Keystone has it; ``override`` is the department's own, if it has one."""

    default: int
    override: _OwnLimit | None

    @property
    def value(self) -> int:
        """What Glance enforces."""
        return self.default if self.override is None else self.override.resource_limit


def _image_place(cloud: Cloud) -> Place:
    """Find Glance's service and region: oslo.limit asks with those of Glance's endpoint."""
    place = cloud.place("image")
    if place:
        return place
    raise ServiceUnavailableError(
        f"This cloud's catalogue has no image service in region {cloud.region_name or 'any'}.",
        connected=False,
        service="image",
    )


def _image_limits(cloud: Cloud, department: Department) -> dict[str, _Limit | None]:
    """Read the limits of all image resources; None where nothing is registered for Glance's service and region."""
    place = _image_place(cloud)
    where = {"service_id": place.service_id} | ({"region_id": place.region_id} if place.region_id else {})
    registered = cloud.get_parsed(_RegisteredLimits, "identity", "/registered_limits", params=where)
    limits = cloud.get_parsed(_OwnLimits, "identity", "/limits", params={**where, "project_id": department.id})
    # Of several for one resource the first counts, as for oslo.limit.
    defaults = {limit.resource_name: limit.default_limit for limit in reversed(registered.registered_limits)}
    overrides = {limit.resource_name: limit for limit in reversed(limits.limits)}
    return {
        resource: _Limit(default=defaults[resource], override=overrides.get(resource)) if resource in defaults else None
        for resource in IMAGE_RESOURCES.values()
    }


# ----------------------------------------------------------------- writing


def _check_limits(limits: QuotaLimits) -> None:
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
    cloud: Cloud, service: Service, department: Department, resources: Mapping[str, str], limits: QuotaLimits
) -> _Plan:
    """Plan a PUT of the whole change to Nova's or Cinder's quota set.

    The default again is written as its present value: neither service resets a single limit, and DELETE of the quota
    set would take every other limit of the department with it (nova and cinder, QuotaSetsController.delete).
    """
    given = {field: limit for field, limit in limits.items() if field in resources}
    if not given:
        return _Plan({}, ())
    path = _quota_set_path(department)
    wanted = {field: limit for field, limit in given.items() if isinstance(limit, int)}
    cloud.base(service)  # raises where the cloud has no such service
    if len(wanted) < len(given):
        defaults = cloud.get_parsed(_DefaultsAnswer, service, f"{path}/defaults").quota_set
        wanted |= {field: _told(defaults, service, resources[field]) for field in given if field not in wanted}
    quota_set: dict[str, int | bool] = {resources[field]: limit for field, limit in wanted.items()}
    if service == "compute":
        # Without it Nova refuses a limit below the present use (nova, QuotaSetsController.update).
        quota_set["force"] = True
    return _Plan(wanted, (_Call(", ".join(wanted), service, "PUT", path, {"quota_set": quota_set}),))


def _told(defaults: _Defaults, service: Service, resource: str) -> int:
    default: int | None = getattr(defaults, resource)
    if default is None:
        raise not_understood(service, f"it has no default for {resource}")
    return default


def _plan_images(cloud: Cloud, department: Department, limits: QuotaLimits) -> _Plan:
    """Plan creating, changing or deleting the department's own limits in Keystone; what is right already stays."""
    given = {field: limit for field, limit in limits.items() if field in IMAGE_RESOURCES}
    if not given:
        return _Plan({}, ())
    place = _image_place(cloud)
    existing = _image_limits(cloud, department)
    wanted: dict[str, int] = {}
    calls: list[_Call] = []
    for field, limit in given.items():
        resource = IMAGE_RESOURCES[field]
        current = existing[resource]
        if current is None:
            raise NotFoundError(
                f"Keystone has no registered limit {resource} for the image service in region {place.region_id}.",
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
                "service_id": place.service_id,
                "region_id": place.region_id,
                "project_id": department.id,
                "resource_name": resource,
                "resource_limit": limit,
            }
            calls.append(_Call(field, "identity", "POST", "/limits", {"limits": [record]}))
    return _Plan(wanted, calls)


_DONE_BEFORE = {"POST": 409, "DELETE": 404}
"""What Keystone answers to a limit that is there already, or that is gone."""


def _write(cloud: Cloud, settings: Settings, call: _Call) -> None:
    """Send one request, again where its answer is lost: sent twice, each of them leaves what it leaves.

    Whether the limit that is there already is ours shows when the figures are read back.
    """
    try:
        repeated(settings.pace, lambda _: cloud.request(call.service, call.method, call.path, json=call.body))
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
