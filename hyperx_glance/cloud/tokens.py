"""The contents of a token: the caller's identity, and the endpoints of the services.

    >>> from hyperx_glance.cloud.tokens import access_of, token_of
    >>> access_of(token_of(session)).project_name
    'dept-a'

keystoneauth logs in if that is due. It does not check Keystone's response: `failures` does.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.identity import v3
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session

from hyperx_glance.cloud.answers import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keystoneauth1.access import AccessInfo
    from keystoneauth1.adapter import Adapter

_URLS: weakref.WeakKeyDictionary[AccessInfo, dict[tuple[str | None, ...], str | None]] = weakref.WeakKeyDictionary()
"""The URLs of services that were looked up in each token's catalogue."""
_GOOD_UNTIL: weakref.WeakKeyDictionary[AccessInfo, float] = weakref.WeakKeyDictionary()
"""The time until which keystoneauth uses each token."""
_RENEWED_SECONDS = 150
"""keystoneauth gets a new token 120 s before the end of the old one (identity/base.py, MIN_TOKEN_LIFE_SECONDS)."""


class Access(Shape):
    """The user of a token, with project and roles."""

    user_id: str
    project_id: str
    project_name: str
    role_names: tuple[str, ...]

    @property
    def is_administrator(self) -> bool:
        """Whether the role admin is among them."""
        return "admin" in self.role_names


class Caller(NamedTuple):
    """The names of a session, for people; None is not known."""

    user: str | None
    department: str | None
    cloud: str | None


class FoundEndpoint(Shape):
    """An endpoint in the catalogue."""

    service_id: str | None
    region_id: str | None


class Endpoint(NamedTuple):
    """The service and region of an endpoint, as Keystone's limits name them."""

    service_id: str
    region_id: str | None


def token_of(session: Session) -> AccessInfo | None:
    """Return the token, after logging in if that is due; None if the session has only a string for a token.

    keystoneauth itself parses the token's time of expiry at each access, several times for each request.
    """
    held: AccessInfo | None = getattr(session.auth, "auth_ref", None)
    if held is not None and _is_good(held):
        return held
    get_access: Callable[[Session], AccessInfo] | None = getattr(session.auth, "get_access", None)
    if get_access is None:
        return None
    found = get_access(session)
    if found.expires is not None:
        _GOOD_UNTIL[found] = found.expires.timestamp() - _RENEWED_SECONDS
    return found


def headers_of(session: Session) -> dict[str, str] | None:
    """Return the headers that authenticate a request; None if the login gives none.

    keystoneauth parses the token's time of expiry for each of them, so a token that `token_of` has just found good is
    taken as it is, unless a plugin has headers of its own.
    """
    login = session.auth
    held: AccessInfo | None = getattr(login, "auth_ref", None)
    if held is not None and _is_good(held) and isinstance(login, BaseIdentityPlugin) and _is_usual(type(login)):
        return {"X-Auth-Token": held.auth_token} if held.auth_token else None
    headers = session.get_auth_headers()
    return None if headers is None else dict(headers)


def _is_usual(kind: type[BaseIdentityPlugin]) -> bool:
    """Check whether a login's header is its token."""
    usual = BaseIdentityPlugin
    return kind.get_headers is usual.get_headers and kind.get_token is usual.get_token


def _is_good(held: AccessInfo) -> bool:
    return time.time() < _GOOD_UNTIL.get(held, 0)


def access_rules(token: AccessInfo | None) -> tuple[Sequence[Mapping[str, object]], Sequence[str]] | None:
    """Return the access rules of an application credential, and the types of services; None if there are no rules."""
    rules = getattr(token, "application_credential_access_rules", None)
    if token is None or rules is None:
        return None
    catalogue = token.service_catalog.catalog if token.has_service_catalog() else []
    return rules, [str(service.get("type")) for service in catalogue]


def access_of(found: AccessInfo) -> Access:
    """Return the user, project and roles of a token."""
    if not isinstance(found.auth_token, str):
        raise TypeError("a token without an id")
    return Access(
        user_id=found.user_id or "",
        project_id=found.project_id or "",
        project_name=found.project_name or found.project_id or "",
        role_names=tuple(found.role_names or ()),
    )


def caller_of(session: Session) -> Caller:
    """Return who logs in where, without a request: as the token says, or before the login, as the caller has said."""
    login = session.auth
    where = urlsplit(getattr(login, "auth_url", None) or "")
    host = where.netloc.rpartition("@")[2]
    cloud = f"{where.scheme}://{host}{where.path}" if host else None
    held: AccessInfo | None = getattr(login, "auth_ref", None)
    if held is not None:
        with contextlib.suppress(KeyError, TypeError):  # keystoneauth does not check what Keystone sends
            return Caller(held.username or held.user_id, held.project_name or held.project_id, cloud)
    try:
        said = login.get_cache_id_elements()  # type: ignore[union-attr]  # of identity plugins; it has the password, too
    except (AttributeError, NotImplementedError):
        return Caller(None, None, cloud)
    names = "username", "password_username", "user_id", "password_user_id"
    user = next((said[name] for name in names if said.get(name)), None)
    return Caller(user, said.get("project_name") or said.get("project_id"), cloud)


def of_system(known: Session, token: AccessInfo, base: str) -> Session:
    """Return a system-scoped session of the same user; no request is sent yet."""
    return _with_login(known, v3.Token(base, token=token.auth_token or "", system_scope="all"))


def of_system_by_password(known: Session, base: str) -> Session | None:
    """Return a system-scoped session with the password of a session; None if its login has no password alone."""
    login = known.auth
    methods = getattr(login, "auth_methods", None) or getattr(getattr(login, "_plugin", None), "auth_methods", ())
    if not methods or not all(isinstance(method, v3.PasswordMethod) for method in methods):
        return None
    return _with_login(known, v3.Auth(base, list(methods), system_scope="all"))


def _with_login(known: Session, login: v3.Auth) -> Session:
    return Session(login, known.session, verify=known.verify, cert=known.cert, timeout=known.timeout)


def url(token: AccessInfo | None, adapter: Adapter) -> str | None:
    """Return the URL of a service, looked up once for each token: a back end makes many clients of one session."""
    known = {} if token is None or adapter.endpoint_override else _URLS.setdefault(token, {})
    wanted = adapter.service_type, adapter.service_name, str(adapter.interface), adapter.region_name
    if wanted not in known:
        try:
            found = adapter.get_endpoint()
        except (keystone_exceptions.CatalogException, ValueError) as error:
            _check_absent(error)
            found = None
        known[wanted] = found.rstrip("/") if found else None
    return known[wanted]


def endpoints(token: AccessInfo | None, adapter: Adapter, *, region_name: str | None) -> list[FoundEndpoint]:
    """Return the endpoints of a service in the token's catalogue; none if the session has no catalogue."""
    if token is None:
        return []
    try:
        found = token.service_catalog.get_endpoint_data_list(
            service_type=adapter.service_type,
            service_name=adapter.service_name,
            interface=adapter.interface or "public",
            region_name=region_name,
        )
    except ValueError as error:
        _check_absent(error)
        return []
    return [FoundEndpoint(service_id=data.service_id, region_id=data.region_name) for data in found]


def _check_absent(error: Exception) -> None:
    """Raise an error that means anything else than that a service has no endpoint.

    keystoneauth has a ValueError for that if the catalogue has the service under several types, and none of them has an
    endpoint in the region (access/service_catalog.py, _endpoints_by_type).
    """
    if isinstance(error, ValueError) and str(error) != "Programming error choosing an endpoint.":
        raise error
