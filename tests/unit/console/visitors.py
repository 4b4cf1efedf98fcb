"""Browsers that visit a console of the cloud in memory: without a network, and over HTTP."""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient

from hyperx_glance import Settings, UrlPolicy
from hyperx_glance.testing.console import create_app
from tests import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import CatalogueIndex, Pace
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.console.sessions import Sessions

ADDRESS = "http://127.0.0.1:8000"
URL = "http://files.example/disk.qcow2"
PAGE = {"X-Console": "1"}
"""What the page's script sends with each request."""
QCOW2 = samples.data("disk.qcow2")


def console(
    cloud: InMemoryCloud,
    pace: Pace | None = None,
    *,
    make_index: Callable[[], CatalogueIndex] | None = None,
    sessions: Sessions | None = None,
) -> TestClient:
    """Start a console of its own, as another process would be, and return a browser that visits it."""
    settings = Settings(
        pace=pace or cloud.pace, network=cloud.network, url_policy=UrlPolicy(denied_networks=("127.0.0.0/8",))
    )
    app = create_app(cloud.auth("alice")["auth_url"], settings, make_index=make_index, sessions=sessions)
    return TestClient(app, base_url=ADDRESS, headers=PAGE)


def who(cloud: InMemoryCloud, user: str) -> dict[str, str]:
    """Return what a person types."""
    known = cloud.auth(user)
    return {name: known[name] for name in ("username", "password", "project_name")} | {
        "domain_id": known["user_domain_id"]
    }


def log_in(browser: TestClient, cloud: InMemoryCloud, user: str = "alice") -> TestClient:
    """Log a person in, and return the browser, which keeps the cookie."""
    answer = browser.post("/api/login", json=who(cloud, user))
    assert answer.status_code == 200, answer.text
    return browser


def told(answer: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - the test client's library changes its name
    """Return the events of an answer."""
    assert answer.status_code == 200, answer.text
    events = [block.split("\n") for block in answer.text.split("\n\n") if block and not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]


class Wire:
    """A browser that speaks HTTP itself, and so can send half a body."""

    def __init__(self, url: str) -> None:
        self.host = url.removeprefix("http://")
        self.cookie = ""

    @contextmanager
    def sending(self, method: str, path: str, headers: dict[str, str]) -> Iterator[http.client.HTTPConnection]:
        """Send the head of a request; the block sends its body, and reads the answer."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.putrequest(method, path)
            for name, value in {**PAGE, "Cookie": self.cookie, **headers}.items():
                connection.putheader(name, value)
            connection.endheaders()
            yield connection
        finally:
            connection.close()

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request, and return the status and the JSON of the answer."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        said = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        with self.sending(method, path, said) as connection:
            connection.send(data)
            answer = connection.getresponse()
            self.cookie = (answer.headers["Set-Cookie"] or self.cookie).partition(";")[0]
            text = answer.read()
            return answer.status, json.loads(text) if text else None
