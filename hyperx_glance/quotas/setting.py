"""Setting limits of a department.

>>> from hyperx_glance.quotas.setting import check_limits
>>> check_limits({"images": -2})
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: images: must be a whole number from -1 (unlimited) to 2147483647, ...
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hyperx_glance.cloud.answers import Shape, not_understood
from hyperx_glance.cloud.cloud import Cloud, Service, resource_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from hyperx_glance.models.quotas import DepartmentQuota, QuotaLimits, Usage
from hyperx_glance.quotas.image_limits import SHOW_LIMITS, Limit, limits_endpoint, unified_limits
from hyperx_glance.quotas.reading import Known, own_image_quota, quota_set_path, whole_quota
from hyperx_glance.quotas.resources import (
    COMPUTE_RESOURCES,
    FIELDS,
    IMAGE_RESOURCES,
    RESOURCES,
    VOLUME_RESOURCES,
    Resource,
)
from hyperx_glance.texts import field_name, say, sentences, word
from hyperx_glance.waiting.pace import answered, attempts, may_be_done

UNLIMITED = -1
LARGEST_LIMIT = 2**31 - 1
"""The largest limit that Keystone, Nova and Cinder can store."""


class _QuotaSetAnswer(Shape):
    quota_set: Known[int]


def set_quota(context: Context, department: str, limits: QuotaLimits) -> DepartmentQuota:
    """Set limits of a department, and read them back; restore the former limits after an error or an interrupt.

    Cinder is written first: only Cinder may refuse a limit below the current usage, and then nothing has been changed.
    The services have no common transaction; notes on an error say what was restored, and what was not. A service that
    has none of these limits may be down: then its figures are missing from the result.
    """
    check_limits(limits)
    cloud = context.cloud
    if not cloud.is_administrator:
        raise NotAllowedError(say("only-administrators-set-quotas"))
    # Nova and Cinder accept quotas for projects that do not exist, so Keystone is asked.
    target = context.departments.resolve(department)
    nova = _plan_quota_set(cloud, "compute", target, COMPUTE_RESOURCES, limits)
    plans = [
        plan
        for plan in (
            _plan_quota_set(cloud, "block-storage", target, VOLUME_RESOURCES, limits),
            nova,
            _plan_unified(cloud, "image", target, IMAGE_RESOURCES, limits),
        )
        if plan.wanted
    ]
    wanted = {field: limit for plan in plans for field, limit in plan.wanted.items()}
    written = {resource.service for resource in RESOURCES if resource.field in wanted}
    if "image" in written:
        # Its limits are Keystone's, but only Glance tells whether it applies them: it must answer before they change.
        own_image_quota(cloud, target)
    touched: set[str] = set()
    try:
        for call in (call for plan in plans for call in plan.calls):
            _write(context, call, touched)
        now = whole_quota(context, target, needed=written)
        unified = _NOTHING
        if _ignored(now, nova.wanted) and not _ignored(now, nova.former):
            # Nova said yes and changed nothing: its quota driver, which no API shows, takes limits from Keystone.
            unified = _plan_unified(cloud, "compute", target, COMPUTE_RESOURCES, limits)
        if unified.wanted:
            plans = [unified if plan is nova else plan for plan in plans]
            for call in unified.calls:
                _write(context, call, touched)
            now = whole_quota(context, target, needed=written)
        _check_taken(now, wanted)
    except BaseException as error:
        _take_back(context, plans, touched, error)
        raise
    return now


def check_limits(limits: QuotaLimits) -> None:
    """Refuse invalid limits before any request."""
    known = list(map(field_name, FIELDS))
    problems = [say("unknown-limit", field=name, known=known) for name in sorted({*limits} - {*FIELDS})]
    problems += [
        say("must-be-a-limit", field=field_name(name), most=LARGEST_LIMIT)
        for name, limit in limits.items()
        if name in FIELDS and not _is_limit(limit)
    ]
    if not limits:
        problems.append(say("no-limits", known=known))
    if problems:
        raise InvalidRequestError(say("wrong-request", problems=problems))


def _is_limit(limit: object) -> bool:
    if limit is None:
        return True
    return isinstance(limit, int) and not isinstance(limit, bool) and UNLIMITED <= limit <= LARGEST_LIMIT


class _Call(NamedTuple):
    """One planned request, and the fields that it writes."""

    fields: Sequence[str]
    service: Service
    method: str
    path: str
    body: Mapping[str, Any] | None


class _Undo(NamedTuple):
    """The requests that restore former limits, and the fields that somebody else has written meanwhile."""

    calls: Sequence[_Call]
    of_others: Collection[str]


class _Plan(NamedTuple):
    """The planned requests to one service, the limits that it has afterwards, and how to restore the former ones."""

    wanted: Mapping[str, int]
    calls: Sequence[_Call]
    undo: Callable[[Collection[str]], _Undo]
    former: Mapping[str, int] = {}


_NOTHING = _Plan({}, (), lambda _: _Undo((), ()))


def _plan_quota_set(
    cloud: Cloud, service: Service, department: Department, resources: Sequence[Resource], limits: QuotaLimits
) -> _Plan:
    """Plan a PUT of the whole change to Nova's or Cinder's quota set.

    To restore a default, its current value is written: neither service can reset a single limit, and DELETE of the
    quota set would also remove all other limits of the department (nova and cinder, QuotaSetsController.delete).
    """
    words = {resource.field: resource.word for resource in resources}
    given = {field: limit for field, limit in limits.items() if field in words}
    if not given:
        return _NOTHING
    path = quota_set_path(department)
    wanted = {field: limit for field, limit in given.items() if isinstance(limit, int)}
    cloud.base(service)  # raises if the cloud has no such service
    if len(wanted) < len(given):
        defaults = cloud.get_parsed(_QuotaSetAnswer, service, f"{path}/defaults").quota_set
        reset = given.keys() - wanted.keys()
        wanted |= {each.field: _default(defaults, service, each) for each in resources if each.field in reset}
    former = cloud.get_parsed(_QuotaSetAnswer, service, path).quota_set

    def call(limits: Mapping[str, int | None]) -> _Call:
        quota_set: dict[str, int | bool] = {words[field]: limit for field, limit in limits.items() if limit is not None}
        if service == "compute":
            # Without it, Nova refuses a limit below the current usage (nova, QuotaSetsController.update).
            quota_set["force"] = True
        return _Call(tuple(limits), service, "PUT", path, {"quota_set": quota_set})

    def undo(fields: Collection[str]) -> _Undo:
        now = cloud.get_parsed(_QuotaSetAnswer, service, path).quota_set
        before = {field: former.get(words[field]) for field in fields}
        # A limit that is restored already is written again: an earlier request may still take effect.
        ours = {field: limit for field, limit in before.items() if now.get(words[field]) in (wanted[field], limit)}
        return _Undo([call(ours)] if ours else [], before.keys() - ours.keys())

    shown = {field: former.get(words[field]) for field in wanted}
    return _Plan(wanted, [call(wanted)], undo, {field: limit for field, limit in shown.items() if limit is not None})


def _default(defaults: Mapping[str, int | None], service: Service, resource: Resource) -> int:
    default = defaults.get(resource.word)
    if default is None:
        raise not_understood(service, "default-missing", resource=word("quota", resource.field))
    return default


def _plan_unified(
    cloud: Cloud, service: Service, department: Department, resources: Sequence[Resource], limits: QuotaLimits
) -> _Plan:
    """Plan creating, changing or deleting the department's own limits in Keystone; limits that are right stay."""
    names = {resource.field: resource.unified or resource.word for resource in resources}
    given: dict[str, int | None] = {field: limits[field] for field in names if field in limits}  # type: ignore[literal-required]  # each is a key
    if not given:
        return _NOTHING
    former = _limits_that_are_shown(cloud, service, department, names, given)
    if not former:
        return _NOTHING
    wanted = {field: former[field].default if limit is None else limit for field, limit in given.items()}

    def calls(current: Mapping[str, Limit], limits: Mapping[str, int | None]) -> list[_Call]:
        return [
            call
            for field, limit in limits.items()
            for call in _unified_calls(cloud, department, _Place(field, service, names[field]), current[field], limit)
        ]

    def undo(fields: Collection[str]) -> _Undo:
        now = _limits_that_are_shown(cloud, service, department, names, fields)
        before = {field: former[field].own for field in fields}
        # For a limit of 0, the old one is deleted first, and the new one may not exist yet.
        ours = {
            field: own
            for field, own in before.items()
            if now[field].own in (own, given[field]) or (given[field] == 0 and now[field].own is None)
        }
        return _Undo(calls(now, ours), before.keys() - ours.keys())

    return _Plan(wanted, calls(former, given), undo)


class _Place(NamedTuple):
    """A field, and the service and name of its limit in Keystone."""

    field: str
    service: Service
    name: str


def _limits_that_are_shown(
    cloud: Cloud, service: Service, department: Department, names: Mapping[str, str], fields: Collection[str]
) -> dict[str, Limit]:
    """Read limits in Keystone, by field; raise if one of these fields is hidden, or not registered.

    None at all if Nova has no registered limit: then its limits are elsewhere. ``names`` are all of the service's.
    """
    known = unified_limits(cloud, service, names.values(), department.id)
    if known is None:
        code = "image-limits-hidden" if service == "image" else "server-limits-hidden"
        raise NotAllowedError(say(code, department=department.name), hint=say(SHOW_LIMITS))
    if service != "image" and not any(known.values()):
        return {}
    shown: dict[str, Limit] = {}
    for field in fields:
        name = names[field]
        limit = known[name]
        if limit is None:
            region = limits_endpoint(cloud, service).region_id
            code = "image-limit-not-registered" if service == "image" else "server-limit-not-registered"
            hint = say("register-image-limits" if service == "image" else "register-server-limits")
            raise NotFoundError(say(code, resource=word("quota", field), name=name, region=region), hint=hint)
        shown[field] = limit
    return shown


def _unified_calls(
    cloud: Cloud, department: Department, place: _Place, current: Limit, limit: int | None
) -> Iterator[_Call]:
    """Return the requests that change a current limit to ``limit``; None is the default."""
    if limit == current.own:
        return
    if current.override is not None:
        path = resource_path("limits", current.override.id)
        if limit:
            yield _Call([place.field], "identity", "PATCH", path, {"limit": {"resource_limit": limit}})
            return
        # Keystone ignores a PATCH to 0 (keystone/limit/backends/sql.py, update_limit): such a limit is created again.
        yield _Call([place.field], "identity", "DELETE", path, None)
    if limit is not None:
        endpoint = limits_endpoint(cloud, place.service)
        record = {
            "service_id": endpoint.service_id,
            "region_id": endpoint.region_id,
            "project_id": department.id,
            "resource_name": place.name,
            "resource_limit": limit,
        }
        yield _Call([place.field], "identity", "POST", "/limits", {"limits": [record]})


_DONE_BEFORE = {"POST": (409,), "DELETE": (404,)}
"""Keystone's status for a limit that already exists, or that does not exist."""


def _write(context: Context, call: _Call, touched: set[str]) -> None:
    """Send one request, and send it again if its response is lost: all of them are idempotent.

    If a limit already exists, reading the figures back shows whether it is ours. Fields whose limit has changed, or may
    have, are added to ``touched``.
    """
    fresh = set(call.fields) - touched
    touched |= fresh
    for attempt in attempts(context.settings.pace):
        with attempt:
            try:
                context.cloud.request(call.service, call.method, call.path, json=call.body)
            except HyperxGlanceError as error:
                if answered(error, *_DONE_BEFORE.get(call.method, ())):
                    return
                if not (attempt.lost or may_be_done(error)):
                    touched.difference_update(fresh)
                raise


def _take_back(context: Context, plans: Sequence[_Plan], touched: Collection[str], error: BaseException) -> None:
    """Restore the former limits as far as the services allow, and add notes to the error about the result."""
    back: list[str] = []
    stay: list[str] = []
    left: list[str] = []
    for plan in plans:
        fields = [field for field in plan.wanted if field in touched]
        if not fields:
            continue
        try:
            undo = plan.undo(fields)
            for call in undo.calls:
                _write(context, call, set())
        except HyperxGlanceError:
            left += fields
        else:
            back += [field for field in fields if field not in undo.of_others]
            stay += [field for field in fields if field in undo.of_others]
    if not touched:
        error.add_note(say("nothing-changed"))
    if back:
        error.add_note(say("limits-restored", fields=list(map(field_name, back))))
    if stay:
        error.add_note(say("limits-not-restored", fields=list(map(field_name, stay))))
    if left:
        error.add_note(say("limits-left", fields=list(map(field_name, left))))


_SERVICE_OF = {resource.field: resource.service for resource in RESOURCES}


def _ignored(now: DepartmentQuota, wanted: Mapping[str, int]) -> list[str]:
    """Return the fields whose limit is not the wanted one."""
    ignored = []
    for field, limit in wanted.items():
        usage: Usage | None = getattr(now, field)
        if usage is None and _SERVICE_OF[field] in now.not_looked_at:
            raise NotAllowedError(sentences(*now.notes))
        if usage is None or usage.limit != (None if limit < 0 else limit):
            ignored.append(field)
    return ignored


def _check_taken(now: DepartmentQuota, wanted: Mapping[str, int]) -> None:
    """Raise if a service answered with success but did not apply a limit."""
    ignored = _ignored(now, wanted)
    if ignored:
        raise ConflictError(
            say("limits-not-applied", department=now.department, fields=list(map(field_name, ignored))),
            hint=say("limits-are-elsewhere"),
        )
