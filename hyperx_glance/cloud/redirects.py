"""A keystoneauth session that sends no secret to any server but the intended one.

    >>> from hyperx_glance.cloud.redirects import careful
    >>> careful(session).get("http://glance.cloud.test/v2/images")
    <Response [200]>

keystoneauth follows a redirect of any request to any host, with its token and its body (keystoneauth1/session.py,
_send_request), and plugins log in through the session that they are given. So every request of this library, a login
included, goes through such a session; the caller's session stays as it is.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.session import Session

from hyperx_glance.errors import known_request_id

MOST_REDIRECTS = 5
_FOLLOWED = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}


class RedirectedError(keystone_exceptions.HttpError):
    """A redirect that is not followed; plugins of keystoneauth handle it like any other failed request.

    ``target`` is the URL to which it points, "" if that is invalid. The error's text does not quote it.
    """

    message = "a redirect that is not followed"

    def __init__(self, response: requests.Response, method: str, target: str) -> None:
        request_id = known_request_id(response.headers.get("x-openstack-request-id"))
        super().__init__(http_status=response.status_code, request_id=request_id, response=response, method=method)
        self.target = target


def careful(session: Session) -> Session:
    """Return a session that shares login, connections and settings with this one, including later changes."""
    if isinstance(session, _Careful):
        return session
    kind = type(session)
    if kind not in _FACES:
        _FACES[kind] = type(kind.__name__, (_Careful, kind), {})
    face: Session = object.__new__(_FACES[kind])
    face.__dict__ = session.__dict__
    return face


class _Careful(Session):
    """A session that follows a redirect only to the same server, and only for a request without a body."""

    def request(  # type: ignore[override]  # keystoneauth names all but the first two
        self,
        url: str,
        method: str,
        *,
        redirect: int | bool | None = None,
        raise_exc: bool = True,
        **options: Any,  # noqa: ANN401
    ) -> requests.Response:
        """Send a request as keystoneauth does; with ``redirect`` False, return a redirect instead of following it."""
        response = super().request(url, method, redirect=False, raise_exc=False, **options)
        bare = method in ("GET", "HEAD") and options.get("json") is None and options.get("data") is None
        left = MOST_REDIRECTS
        while redirect is not False and 300 < response.status_code < 400 and "location" in response.headers:
            target = _target(response)
            if not (bare and left and response.status_code in _FOLLOWED and _origin(target) == _origin(response.url)):
                response.close()
                raise RedirectedError(response, method, target)
            response.close()
            left -= 1
            options["params"] = None  # the target has its own
            response = super().request(target, method, redirect=False, raise_exc=False, **options)
        if raise_exc and response.status_code >= 400:
            raise _refusal(response, method)
        return response

    def __del__(self) -> None:
        """Leave the connections open: they belong to the caller's session."""


_FACES: dict[type[Session], type[Session]] = {}
"""The careful class for each class of sessions, including a caller's own."""


def _target(response: requests.Response) -> str:
    """Return the URL to which a redirect points, "" if it is invalid."""
    try:
        parts = urlsplit(urljoin(response.url, response.headers["location"]))
        _ = parts.port
    except ValueError:
        return ""
    return urlunsplit(parts)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port; None for URLs that different parsers may read in different ways."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]


def _refusal(response: requests.Response, method: str) -> Exception:
    """Return keystoneauth's error for a status without the service's text, which may repeat the request.

    Plugins that need the response itself find it on the error.
    """
    if "Openstack-Auth-Receipt" in response.headers:
        return keystone_exceptions.from_response(response, method, response.url)
    wordless = requests.Response()
    wordless.status_code = response.status_code
    request_id = known_request_id(response.headers.get("x-openstack-request-id"))
    if request_id is not None:
        wordless.headers["x-openstack-request-id"] = request_id
    error = keystone_exceptions.from_response(wordless, method, response.url)
    error.response = response
    return error
