"""What may happen around a request: answers lost, callers killed, others interfering; the service itself is untouched.

    between = Interference(client)
    between.lose("POST", "/images$")
    between.before("POST", "/import$", interfere)
    between.seen  # [("POST", "/images"), ...]

It stands where requests leave the library, in place of ``request`` of the client's keystoneauth session, so that it
works on the real services as well. Logins pass it unseen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from keystoneauth1.exceptions import ConnectFailure
from urllib3.exceptions import NewConnectionError, ProtocolError

if TYPE_CHECKING:
    import requests

    from hyperx_glance import Client


def unreachable() -> None:
    """Fail as a request does whose service refuses connections."""
    raise ConnectFailure("Unable to establish connection") from NewConnectionError(None, "refused")  # type: ignore[arg-type]  # no connection


def interrupt() -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


_BASE = re.compile(r"^https?://.*?/v\d+(\.\d+)?(?=/)")
"""What comes before the path of a request: the address of the service, and its version."""


@dataclass
class _Rule:
    method: str
    pattern: re.Pattern[str]
    moment: Literal["before", "after"]
    action: Callable[[], object]
    times: int

    def strikes(self, method: str, path: str, moment: str) -> bool:
        if self.times == 0 or (self.method, self.moment) != (method, moment) or not self.pattern.search(path):
            return False
        self.times -= 1
        return True


class Interference:
    """A filter between one client and its cloud."""

    def __init__(self, client: Client) -> None:
        self.seen: list[tuple[str, str]] = []
        self.answered: list[tuple[str, str, int]] = []
        """Each answer, with its status."""
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        session = client.cloud.session
        self._real = session.request
        session.request = self._request  # type: ignore[method-assign, assignment]  # what this class is for

    def before(self, method: str, path: str, action: Callable[[], object], *, times: int = 1) -> None:
        """Call ``action`` just before matching requests; what it raises replaces the request."""
        self._rules.append(_Rule(method, re.compile(path), "before", action, times))

    def after(self, method: str, path: str, action: Callable[[], object], *, times: int = 1) -> None:
        """Call ``action`` after matching requests; what it raises replaces the answer."""
        self._rules.append(_Rule(method, re.compile(path), "after", action, times))

    def lose(self, method: str, path: str, *, times: int = 1) -> None:
        """Lose the response of such requests after the service has done its work."""

        def lost() -> None:
            raise ConnectFailure("cut on request") from ProtocolError("Connection aborted.")

        self.after(method, path, lost, times=times)

    def count(self, method: str, path: str) -> int:
        """Count the requests so far."""
        return sum(seen_method == method and re.search(path, seen) is not None for seen_method, seen in self.seen)

    def _request(self, url: str, method: str, **options: Any) -> requests.Response:  # noqa: ANN401  # as it comes
        if url.endswith("/auth/tokens"):
            return self._real(url, method, **options)
        path = _BASE.sub("", url)
        self._strike(method, path, "before")
        with self._lock:
            self.seen.append((method, path))
        try:
            answer = self._real(url, method, **options)
            with self._lock:
                self.answered.append((method, path, answer.status_code))
            return answer
        finally:
            self._strike(method, path, "after")

    def _strike(self, method: str, path: str, moment: str) -> None:
        with self._lock:
            struck = [rule for rule in self._rules if rule.strikes(method, path, moment)]
        for rule in struck:
            rule.action()
