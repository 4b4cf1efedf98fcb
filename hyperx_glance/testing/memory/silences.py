"""How a request comes to nothing, and what the library requests raises then.

>>> request = requests.Request("GET", "http://glance.cloud.test/v2/images").prepare()
>>> type(NoAnswer("timeout").raised_by(request)).__name__, type(NoAnswer("reset").raised_by(request)).__name__
('ReadTimeout', 'ConnectionError')
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import RemoteDisconnected
from typing import Literal
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

Silence = Literal["refused", "reset", "timeout"]


class NoAnswer(Exception):  # noqa: N818 - what a request may come to, as an answer is
    """Let a request come to nothing: the connection is refused, reset, or no answer comes in time."""

    def __init__(self, silence: Silence) -> None:
        super().__init__(silence)
        self.silence = silence

    def raised_by(self, request: requests.PreparedRequest) -> requests.exceptions.RequestException:
        """Make what the library requests raises then."""
        return _RAISED[self.silence](request)


def _lost(request: requests.PreparedRequest) -> requests.exceptions.ConnectionError:
    """Make what requests raises when the peer closes the connection instead of answering."""
    gone = RemoteDisconnected("Remote end closed connection without response")
    error = urllib3.exceptions.ProtocolError("Connection aborted.", gone)
    raised = requests.exceptions.ConnectionError(error, request=request)
    raised.__cause__ = error
    return raised


def _unreachable(request: requests.PreparedRequest) -> requests.exceptions.ConnectionError:
    """Make what requests raises when nobody listens."""
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
    """Make what requests raises when the answer does not come in time."""
    pool = urllib3.HTTPConnectionPool(urlsplit(str(request.url)).hostname or "")
    error = urllib3.exceptions.ReadTimeoutError(pool, str(request.url), "Read timed out. (read timeout=60)")
    raised = requests.exceptions.ReadTimeout(error, request=request)
    raised.__cause__ = error
    return raised


_RAISED: dict[Silence, Callable[[requests.PreparedRequest], requests.exceptions.RequestException]] = {
    "refused": _unreachable,
    "reset": _lost,
    "timeout": _timed_out,
}
