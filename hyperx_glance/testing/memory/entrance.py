"""The adapters that lead this process's requests to the in-memory cloud, from keystoneauth and from requests.

Imported on first use: a cloud behind HTTP does not need it.

>>> request = requests.Request("GET", "http://glance.cloud.test/v2/images").prepare()
>>> [type(RAISED[silence](request)).__name__ for silence in ("refused", "reset", "timeout")]
['ConnectionError', 'ConnectionError', 'ReadTimeout']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.client import RemoteDisconnected
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance.testing.extras import needed
from hyperx_glance.testing.memory.silences import NoAnswer, Silence
from hyperx_glance.testing.memory.wire import Reply

with needed("testing"):
    import requests_mock


class _Wire(requests_mock.Adapter):
    """An adapter that keeps no requests, because the cloud records them."""

    def _add_to_history(self, request: object) -> None:
        del request


class Entrance:
    """The way of requests to a cloud, which ``answer``s those for its own services, and returns None for others."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Reply | None]) -> None:
        self._answer = answer
        self._adapter = _Wire(case_sensitive=True)
        self._adapter.add_matcher(self._respond)  # type: ignore[arg-type]  # its proxy has what a request has

    def session(self, auth: Mapping[str, str]) -> Session:
        """Return a new keystoneauth session that reaches the cloud and nothing else."""
        http = requests.Session()
        http.trust_env = False  # no proxy leads here, and looking for one takes longer than answering
        for scheme in ("http://", "https://"):
            http.mount(scheme, self._adapter)
        login = v3.Password(
            auth["auth_url"],
            username=auth["username"],
            password=auth["password"],
            project_name=auth["project_name"],
            user_domain_id="default",
            project_domain_id="default",
        )
        return Session(auth=login, session=http)

    def mocker(self) -> requests_mock.Mocker:
        """Return a mocker that leads every requests session of the process here, once it is started."""
        return requests_mock.Mocker(adapter=self._adapter, real_http=True)

    def _respond(self, request: requests.PreparedRequest) -> requests.Response | None:
        try:
            reply = self._answer(request)
        except NoAnswer as none:
            raise RAISED[none.silence](request) from None
        if reply is None:
            return None
        return requests_mock.create_response(
            request, status_code=reply.status, content=reply.content, headers=dict(reply.headers)
        )


def _lost(request: requests.PreparedRequest) -> requests.exceptions.ConnectionError:
    """Return the exception that requests raises if the peer closes the connection instead of answering."""
    gone = RemoteDisconnected("Remote end closed connection without response")
    error = urllib3.exceptions.ProtocolError("Connection aborted.", gone)
    raised = requests.exceptions.ConnectionError(error, request=request)
    raised.__cause__ = error
    return raised


def _unreachable(request: requests.PreparedRequest) -> requests.exceptions.ConnectionError:
    """Return the exception that requests raises if the connection is refused."""
    parts = urlsplit(str(request.url))
    pool = urllib3.HTTPConnectionPool(parts.hostname or "", parts.port or 80)
    refused = urllib3.exceptions.NewConnectionError(
        urllib3.connection.HTTPConnection(pool.host, pool.port), "Failed to establish a new connection: refused"
    )
    error = urllib3.exceptions.MaxRetryError(pool, parts.path, refused)
    raised = requests.exceptions.ConnectionError(error, request=request)
    raised.__cause__ = error
    return raised


def _timed_out(request: requests.PreparedRequest) -> requests.exceptions.ReadTimeout:
    """Return the exception that requests raises if the answer does not arrive in time."""
    pool = urllib3.HTTPConnectionPool(urlsplit(str(request.url)).hostname or "")
    error = urllib3.exceptions.ReadTimeoutError(pool, str(request.url), "Read timed out. (read timeout=60)")
    raised = requests.exceptions.ReadTimeout(error, request=request)
    raised.__cause__ = error
    return raised


RAISED: dict[Silence, Callable[[requests.PreparedRequest], requests.exceptions.RequestException]] = {
    "refused": _unreachable,
    "reset": _lost,
    "timeout": _timed_out,
}
"""The exception of the library requests for each silence."""
