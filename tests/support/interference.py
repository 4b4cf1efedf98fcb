"""What may happen around a request: answers lost, callers killed, others interfering; the service itself is untouched.

    between = Interference(client)
    between.lose("POST", "/images$")
    between.before("POST", "/import$", interfere)
    between.seen  # [("POST", "/images"), ...]

It stands between the library's border and the service, so that it works on the real services as well.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hyperx_glance import ServiceUnavailableError

if TYPE_CHECKING:
    import requests

    from hyperx_glance import Client


def unreachable() -> None:
    """Be what happens before a request that never gets through."""
    raise ServiceUnavailableError("refused", connected=False)


def interrupt() -> None:
    """Be Ctrl-C."""
    raise KeyboardInterrupt


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
    """Stand between one client and its cloud."""

    def __init__(self, client: Client) -> None:
        self.seen: list[tuple[str, str]] = []
        self.answered: list[tuple[str, str, int]] = []
        """What was accepted, with its status; a refusal is an error by then."""
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._real = client.cloud.request
        client.cloud.request = self._request  # type: ignore[method-assign]  # what this class is for

    def before(self, method: str, path: str, action: Callable[[], object], *, times: int = 1) -> None:
        """Do something just before such requests; what it raises comes instead of the request."""
        self._rules.append(_Rule(method, re.compile(path), "before", action, times))

    def after(self, method: str, path: str, action: Callable[[], object], *, times: int = 1) -> None:
        """Do something when such a request has been answered; what it raises comes instead of the answer."""
        self._rules.append(_Rule(method, re.compile(path), "after", action, times))

    def lose(self, method: str, path: str, *, times: int = 1) -> None:
        """Let the service do its work, and lose the answer."""

        def lost() -> None:
            raise ServiceUnavailableError("The image service gave no answer: cut on request.", connected=True)

        self.after(method, path, lost, times=times)

    def count(self, method: str, path: str) -> int:
        """Count the requests so far."""
        return sum(seen_method == method and re.search(path, seen) is not None for seen_method, seen in self.seen)

    def _request(self, service: Any, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401  # as it comes
        self._strike(method, path, "before")
        with self._lock:
            self.seen.append((method, path))
        try:
            answer = self._real(service, method, path, **options)
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
