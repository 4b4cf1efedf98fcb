"""What a token says: who the caller is, and where the services are.

    >>> from hyperx_glance.cloud.tokens import access_of, token_of
    >>> access_of(token_of(session)).project_name
    'dept-a'

keystoneauth logs in where that is due. It checks nothing of what Keystone answers: `failures` does.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING, NamedTuple

from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from requests.adapters import HTTPAdapter

from hyperx_glance.cloud.answers import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from keystoneauth1.access import AccessInfo
    from keystoneauth1.adapter import Adapter

_URLS: weakref.WeakKeyDictionary[AccessInfo, dict[tuple[str | None, ...], str | None]] = weakref.WeakKeyDictionary()
"""Where each token's catalogue has the services that were looked for."""
_GOOD_UNTIL: weakref.WeakKeyDictionary[AccessInfo, float] = weakref.WeakKeyDictionary()
"""Until when keystoneauth goes on with each token."""
_RENEWED_SECONDS = 150
"""keystoneauth takes a new token 120 s before the end of the old one (identity/base.py, MIN_TOKEN_LIFE_SECONDS)."""


class Access(Shape):
    """Hold what a token says about its user."""

    user_id: str
    project_id: str
    project_name: str
    role_names: tuple[str, ...]

    @property
    def is_administrator(self) -> bool:
        """Whether the role admin is among them."""
        return "admin" in self.role_names


class FoundEndpoint(Shape):
    """Hold what the catalogue says of an endpoint."""

    service_id: str | None
    region_id: str | None


class Endpoint(NamedTuple):
    """Name the service and region of an endpoint, as Keystone does where it keeps limits."""

    service_id: str
    region_id: str | None


def token_of(session: Session) -> AccessInfo | None:
    """Give the token, after logging in where that is due; None where the session has only a text for a token.

    keystoneauth reads the text of the token's end whenever it is asked for the token, several times a request.
    """
    held: AccessInfo | None = getattr(session.auth, "auth_ref", None)
    if held is not None and time.time() < _GOOD_UNTIL.get(held, 0):
        return held
    get_access: Callable[[Session], AccessInfo] | None = getattr(session.auth, "get_access", None)
    if get_access is None:
        return None
    found = get_access(session)
    if found.expires is not None:
        _GOOD_UNTIL[found] = found.expires.timestamp() - _RENEWED_SECONDS
    return found


def access_of(found: AccessInfo) -> Access:
    """Read for whom a token speaks."""
    if not isinstance(found.auth_token, str):
        raise TypeError("a token without an id")
    return Access(
        user_id=found.user_id or "",
        project_id=found.project_id or "",
        project_name=found.project_name or found.project_id or "",
        role_names=tuple(found.role_names or ()),
    )


def of_system(known: Session, token: AccessInfo, base: str) -> Session:
    """Make a session of the same user for the whole system; nothing is asked yet."""
    login = v3.Token(base, token=token.auth_token or "", system_scope="all")
    return Session(login, known.session, verify=known.verify, cert=known.cert, timeout=known.timeout)


def url(token: AccessInfo | None, adapter: Adapter) -> str | None:
    """Find a service in the catalogue, once for each token: a back end makes many clients of one session."""
    known = {} if token is None or adapter.endpoint_override else _URLS.setdefault(token, {})
    wanted = adapter.service_type, adapter.service_name, str(adapter.interface), adapter.region_name
    if wanted not in known:
        try:
            found = adapter.get_endpoint()
        except keystone_exceptions.CatalogException:
            found = None
        known[wanted] = found.rstrip("/") if found else None
    return known[wanted]


def endpoints(token: AccessInfo | None, adapter: Adapter, *, region_name: str | None) -> list[FoundEndpoint]:
    """Read from the token where the endpoints of a service are; nowhere, where the session has no catalogue."""
    if token is None:
        return []
    found = token.service_catalog.get_endpoint_data_list(
        service_type=adapter.service_type,
        service_name=adapter.service_name,
        interface=adapter.interface or "public",
        region_name=region_name,
    )
    return [FoundEndpoint(service_id=data.service_id, region_id=data.region_name) for data in found]


def renew(session: Session) -> None:
    """Leave the connections to the parent after a fork, and use no lock that one of its threads may have held.

    The parent's sockets are closed here without a word on them. Unpickling, too, gives an adapter new connections
    (requests/adapters.py, HTTPAdapter.__setstate__).
    """
    http = session.session
    http.cookies = http.cookies.copy()
    for adapter in http.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.__setstate__(adapter.__getstate__())  # type: ignore[attr-defined]  # types-requests lacks it
    # keystoneauth1/identity/base.py and generic/base.py, which holds a second plugin.
    login = session.auth
    for plugin in (login, getattr(login, "_plugin", None)):
        if "_lock" in getattr(plugin, "__dict__", ()):
            vars(plugin)["_lock"] = threading.Lock()
