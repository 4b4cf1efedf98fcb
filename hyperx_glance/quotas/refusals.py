"""Reading refusals for quota: the messages of Glance, Nova and Cinder.

>>> from hyperx_glance.quotas.refusals import exceeded
>>> exceeded("Quota exceeded for cores: Requested 4, but already used 8 of 10 cores")
[Exceeded(resource='cores', limit=10, used=8, requested=4)]
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from hyperx_glance.cloud.answers import LONGEST_TEXT
from hyperx_glance.errors import QuotaExceededError
from hyperx_glance.quotas.resources import field_of, known, position
from hyperx_glance.texts import NO_TEXT, Text, say, word

_OF_EACH_SERVER = "metadata_items"
"""A limit of each server, whatever its department uses (nova/limit/local.py, API_LIMITS)."""
_UNKNOWN = "quota"


class Exceeded(NamedTuple):
    """One exceeded resource, with the figures that the service reported."""

    resource: str
    limit: int | None = None
    used: int | None = None
    requested: int | None = None


def exceeded(text: str) -> list[Exceeded]:
    """Return the exceeded resources in a refusal, in the order of `DepartmentQuota`; none if it is not about a quota.

    Only the length of a service's own error message is read; the rest of a longer text does not come from a service.
    """
    for read in _READERS:
        found = read(text[:LONGEST_TEXT])
        if found:
            return sorted(found, key=lambda each: position(each.resource))
    return []


def quota_error(
    text: str, *, department: str, status: int | None = None, request_id: str | None = None
) -> QuotaExceededError | None:
    """Return the error for a refusal, or None if the refusal is not about a quota."""
    found = exceeded(text)
    if not found:
        return None
    first = found[0]
    of_servers = first.resource == _OF_EACH_SERVER
    complete = None not in first and not of_servers
    return QuotaExceededError(
        NO_TEXT if complete else _told(first, department),
        explanation="" if complete else text,
        hint=say("raise-the-limit-of-metadata") if of_servers else NO_TEXT,
        department=department,
        resource=first.resource,
        limit=first.limit,
        used=first.used,
        requested=first.requested,
        exceeded=[each.resource for each in found],
        service="compute" if status else None,
        status=status,
        request_id=request_id,
    )


def _told(exceeded: Exceeded, department: str) -> Text:
    """Return the sentence for a resource whose figures are not known, or not the department's."""
    if exceeded.resource == _OF_EACH_SERVER:
        return say("servers-have-too-much-metadata")
    if exceeded.resource == _UNKNOWN:
        return say("quota-exceeded-somewhere", department=department)
    return say("no-room", department=department, resource=word("quota", exceeded.resource))


def image_quota_error(text: str, *, department: str) -> QuotaExceededError | None:
    """Return the error for Glance's message about unified limits, in a response or in a task; None if it is another."""
    found = {each.resource: each for each in _unified(text)}
    if not found:
        return None
    first, *_ = ordered = sorted(found.values(), key=lambda each: position(each.resource))
    return QuotaExceededError(
        department=department,
        resource=first.resource,
        limit=first.limit,
        used=first.used,
        requested=max(first.requested or 0, 0),
        exceeded=[each.resource for each in ordered],
    )


def of_department(error: QuotaExceededError, department: str) -> QuotaExceededError:
    """Return the error for Glance's 413 with the department, and with the figures if Glance sent them.

    The department is the one that the caller is connected to, even if another will own the image
    (glance/api/v2/images.py, create).
    """
    found = image_quota_error(error.explanation, department=department)
    if found is None:
        return QuotaExceededError(
            say("quota-exceeded-somewhere", department=department), department=department, **error.answer()
        )
    found.service, found.status, found.request_id = error.service, error.status, error.request_id
    return found


def _legacy(text: str) -> list[Exceeded]:
    """Parse nova.exception.TooManyInstances."""
    match = re.search(
        r"Quota exceeded for (?P<names>[\w, :]+): Requested (?P<requested>[\d, -]+?),?"
        r" but already used (?P<used>[\d, -]+?) of (?P<limits>[\d, -]+)",
        text,
    )
    if not match:
        return []
    columns = [re.split(r",\s*", match[name].strip()) for name in ("names", "limits", "used", "requested")]
    if len({len(column) for column in columns}) != 1:
        return [Exceeded(field_of(name)) for name in columns[0]]
    return [
        Exceeded(field_of(name), *(_number(figure) for figure in figures))
        for name, *figures in zip(*columns, strict=True)
    ]


def _unified(text: str) -> list[Exceeded]:
    """Parse oslo_limit.exception.ProjectOverLimit."""
    return [
        Exceeded(field_of(name), int(limit), int(used), int(delta))
        for name, limit, used, delta in re.findall(
            r"Resource ([\w:]+) is over limit of (-?\d{1,18}) due to current usage (-?\d{1,18}) and delta (-?\d{1,18})",
            text,
        )
    ]


def _volume_count(text: str) -> list[Exceeded]:
    """Parse cinder.exception.VolumeLimitExceeded."""
    match = re.search(r"Maximum number of volumes allowed \((\d{1,18})\) exceeded(?: for quota '(\w+)')?", text)
    return [Exceeded(field_of(match[2] or "volumes"), limit=int(match[1]))] if match else []


def _volume_size(text: str) -> list[Exceeded]:
    """Parse cinder.exception.VolumeSizeExceedsAvailableQuota."""
    match = re.search(
        r"exceeds allowed (\w+) quota\. Requested (\d{1,18})G, quota is (\d{1,18})G and (\d{1,18})G has been consumed",
        text,
    )
    return [Exceeded(field_of(match[1]), int(match[3]), int(match[4]), int(match[2]))] if match else []


def _ports(text: str) -> list[Exceeded]:
    """Parse nova.exception.PortLimitExceeded, which is Neutron's quota."""
    return [Exceeded("ports")] if "Maximum number of ports exceeded" in text else []


def _metadata(text: str) -> list[Exceeded]:
    """Parse nova.exception.MetadataLimitExceeded."""
    match = re.search(r"Maximum number of metadata items exceeds (\d{1,18})", text)
    return [Exceeded(_OF_EACH_SERVER, limit=int(match[1]))] if match else []


def _any(text: str) -> list[Exceeded]:
    match = re.search(r"(?i)quota exceeded for (?:resources: )?'?([\w, ]+)", text) or re.search(
        r"\b(\w+)LimitExceeded|\bOverQuota\b|over a limit", text
    )
    if not match:
        return []
    return [Exceeded(field_of(word)) for word in re.split(r",\s*", (match[1] or "").strip()) if known(word)] or [
        Exceeded(_UNKNOWN)
    ]


def _number(text: str) -> int | None:
    """Return a figure, or None for a range of counts ("1-5")."""
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None


_READERS: tuple[Callable[[str], list[Exceeded]], ...] = (
    _legacy,
    _unified,
    _volume_count,
    _volume_size,
    _ports,
    _metadata,
    _any,
)
