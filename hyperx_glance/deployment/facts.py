"""The facts that every check of the doctor reads: the client, and the services' lists of versions.

>>> from hyperx_glance.deployment.facts import service_status
>>> service_status(cloud, "image").version >= (2, 7)
True
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from hyperx_glance.cloud import versions
from hyperx_glance.cloud.answers import server_time
from hyperx_glance.errors import HyperxGlanceError, ServiceUnavailableError
from hyperx_glance.texts import NO_TEXT, Text, say, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperx_glance.cloud.cloud import Cloud, Service
    from hyperx_glance.deployment.scratch_record import Trials
    from hyperx_glance.settings import Settings

Level = Literal["ok", "warning", "error"]
"""ok: nothing to do; warning: a part of HYPERX is missing or was not seen; error: a part of HYPERX fails."""

HOW_TO_PROTECT = "set-property-protections"
"""The code of the remedy of several checks."""


class CheckResult(NamedTuple):
    """The result of a check; ``explanation`` is what a service said, in its own words."""

    level: Level
    message: Text
    remedy: Text = NO_TEXT
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What a service's list of versions said; ``skew_seconds`` is how far its clock is ahead of ours."""

    present: bool = True
    version: tuple[int, ...] = ()
    skew_seconds: float | None = None
    problem: HyperxGlanceError | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts that every check reads; ``trials`` is None without a probe."""

    cloud: Cloud
    settings: Settings
    services: Mapping[Service, ServiceStatus]
    trials: Trials | None
    steward: Cloud | None = None


def service_status(cloud: Cloud, service: Service) -> ServiceStatus:
    """Read a service's list of versions, which requires no rights, and the service's clock with it."""
    try:
        if not cloud.has(service):
            missing = ServiceUnavailableError(say("catalogue-lacks-service", service=word("service", service)))
            return ServiceStatus(present=False, problem=missing)
        sent = time.time()
        door = versions.front_door(cloud, service)
        received = time.time()
    except HyperxGlanceError as error:
        return ServiceStatus(problem=error)
    return ServiceStatus(version=door.version, skew_seconds=skew(door.date, sent, received))


def skew(date: str | None, sent: float, received: float) -> float | None:
    """Return by how much, at least, a clock is ahead of ours; the clock was read between sending and receiving."""
    clock = server_time(date)
    if clock is None:
        return None
    told = clock.timestamp()
    if told > received:
        return told - received
    return min(0.0, told + 1 - sent)  # the header has whole seconds


def words_of_service(error: HyperxGlanceError) -> str:
    """Return what a service said, with the status and the id of the request, which lead to its log."""
    answer = [f"HTTP {error.status}"] if error.status is not None else []
    answer += [error.request_id] if error.request_id else []
    return f"{error.explanation} ({', '.join(answer)})".lstrip() if answer else error.explanation
