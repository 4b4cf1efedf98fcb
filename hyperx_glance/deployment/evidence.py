"""What every check of the doctor looks at: the client, and what the services' front doors said.

>>> from hyperx_glance.deployment.evidence import service_status
>>> service_status(cloud, "image").version >= (2, 7)
True
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import JsonValue

from hyperx_glance.answers import Shape, parsed, server_time
from hyperx_glance.errors import HyperxGlanceError, ServiceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperx_glance.cloud import Cloud, Service
    from hyperx_glance.deployment.trials import Trials
    from hyperx_glance.settings import Settings

Level = Literal["ok", "warning", "error"]
"""ok: nothing to do; warning: something of HYPERX is missing or was not seen; error: something of HYPERX fails."""

HOW_TO_PROTECT = (
    "Set property_protection_file of glance-api.conf to a file with the text of deployment.property_protections()"
    " (openstack hyperx deployment protections)."
)


class CheckResult(NamedTuple):
    """Say how a check went."""

    level: Level
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Hold what a service's front door said; ``skew_seconds`` is how far its clock is ahead of ours."""

    present: bool = True
    version: tuple[int, ...] = ()
    skew_seconds: float | None = None
    problem: HyperxGlanceError | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold what every check looks at; ``trials`` is None without a probe."""

    cloud: Cloud
    settings: Settings
    services: Mapping[Service, ServiceStatus]
    trials: Trials | None


class _Version(Shape):
    id: str | None = None
    version: str | None = None


class _FrontDoor(Shape):
    """Hold a service's list of versions; Keystone's is an object, and another service tells what it likes."""

    versions: tuple[_Version, ...] | JsonValue = ()


def front_door(base: str) -> str:
    """Give the URL at which a service lists its versions."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{re.sub(r'/v[0-9].*$', '/', parts.path)}"


def service_status(cloud: Cloud, service: Service) -> ServiceStatus:
    """Read a service's list of versions, which needs no rights, and its clock with it."""
    try:
        if not cloud.has(service):
            return ServiceStatus(present=False, problem=ServiceUnavailableError("It is not in the catalogue."))
        root = front_door(cloud.base(service))
        sent = time.time()
        response = cloud.get(service, root)
        received = time.time()
        versions = parsed(_FrontDoor, service, response.content).versions
    except HyperxGlanceError as error:
        return ServiceStatus(problem=error)
    return ServiceStatus(version=_newest(versions), skew_seconds=skew(response.headers.get("Date"), sent, received))


def _newest(versions: tuple[_Version, ...] | JsonValue) -> tuple[int, ...]:
    """Find the highest version; Glance writes it as an id ("v2.17"), Nova and Cinder as a microversion ("2.96")."""
    if not isinstance(versions, tuple):
        return ()
    numbers = [re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})", each.version or each.id or "") for each in versions]
    return max(((int(found[1]), int(found[2])) for found in numbers if found), default=())


def skew(date: str | None, sent: float, received: float) -> float | None:
    """Give by how much a clock is ahead of ours at least: it was read between sending and receiving."""
    clock = server_time(date)
    if clock is None:
        return None
    told = clock.timestamp()
    if told > received:
        return told - received
    return min(0.0, told + 1 - sent)  # the header has whole seconds
