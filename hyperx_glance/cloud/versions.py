"""The versions of a service, which it lists to everybody.

>>> from hyperx_glance.cloud.versions import newest
>>> newest(cloud, "image")
(2, 17)
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import JsonValue

from hyperx_glance.cloud.answers import Shape, parsed
from hyperx_glance.cloud.cloud import Cloud, Service

Version = tuple[int, ...]

CAREFUL_GLANCE = (2, 17)
"""Older versions do not inspect data (glance/location.py), and follow redirects past their filter for URLs
(glance/common/scripts/utils.py)."""


class _Version(Shape):
    id: str | None = None
    version: str | None = None


class _Versions(Shape):
    """A service's list of versions; Keystone's is an object, and other services may send anything."""

    versions: tuple[_Version, ...] | JsonValue = ()


class FrontDoor(NamedTuple):
    """The newest version, () if there is none, and the time of the service's clock as it was sent."""

    version: Version
    date: str | None


def front_door_url(base: str) -> str:
    """Return the URL at which a service lists its versions."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{re.sub(r'/v[0-9].*$', '/', parts.path)}"


def front_door(cloud: Cloud, service: Service) -> FrontDoor:
    """Read a service's list of versions, which needs no rights, and the time of its clock."""
    response = cloud.get(service, front_door_url(cloud.base(service)))
    versions = parsed(_Versions, service, response.content).versions
    return FrontDoor(_newest(versions), response.headers.get("Date"))


def newest(cloud: Cloud, service: Service) -> Version:
    """Return the newest version of a service; () if it lists none."""
    return front_door(cloud, service).version


def _newest(versions: tuple[_Version, ...] | JsonValue) -> Version:
    """Return the highest version; Glance sends it as an id ("v2.17"), Nova and Cinder as a microversion ("2.96")."""
    if not isinstance(versions, tuple):
        return ()
    numbers = [re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})", each.version or each.id or "") for each in versions]
    return max(((int(found[1]), int(found[2])) for found in numbers if found), default=())
