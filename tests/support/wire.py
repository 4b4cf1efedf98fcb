"""What may happen to requests below keystoneauth, where they have bodies and headers: on both clouds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import requests
from keystoneauth1.session import Session
from requests.adapters import BaseAdapter

if TYPE_CHECKING:
    from tests.support.clouds import CloudUnderTest

Answering: TypeAlias = Callable[[requests.PreparedRequest, Callable[[], requests.Response]], requests.Response]
"""Takes a request and the function that sends it; returns the answer."""


class _Between(BaseAdapter):
    def __init__(self, inner: BaseAdapter, answering: Answering) -> None:
        super().__init__()
        self._inner = inner
        self._answering = answering

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:  # noqa: ANN401  # passes all on
        return self._answering(request, lambda: self._inner.send(request, *arguments, **options))

    def close(self) -> None:
        self._inner.close()


def stand_between(session: Session, answering: Answering) -> Session:
    """Return a session with the same login that calls ``answering`` for every request."""
    http = requests.Session()
    http.trust_env = session.session.trust_env
    for prefix, adapter in session.session.adapters.items():
        http.mount(prefix, _Between(adapter, answering))
    return Session(session.auth, http, timeout=session.timeout)


class ChangingUploads:
    """A cloud to which other data comes than its users send.

    This library examines what it streams, and what it would refuse never reaches Glance: so only data that changes on
    its way shows what Glance refuses by itself.
    """

    def __init__(self, cloud: CloudUnderTest, data: bytes) -> None:
        self._cloud = cloud
        self._data = data

    def session(self, user: str) -> Session:
        """Log a user in."""
        return stand_between(self._cloud.session(user), self._answer)

    def _answer(self, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        if request.method == "PUT" and request.path_url.endswith("/file"):
            assert isinstance(request.body, Iterable)
            for _ in request.body:
                pass
            request.body = self._data
            request.headers.pop("Transfer-Encoding", None)
            request.headers["Content-Length"] = str(len(self._data))
        return send()
