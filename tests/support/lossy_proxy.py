"""A proxy in front of a service, or of several of one kind, that loses answers as load balancers and networks do."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from keystoneauth1.adapter import Adapter

from hyperx_glance import Client
from hyperx_glance.cloud.cloud import VERSIONS, Cloud, Service
from tests.support.clouds import REGION, own_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from keystoneauth1.session import Session

    from hyperx_glance import Settings

Fate = Literal["cut_early", "cut_late", "bad_gateway", "gateway_timeout", "drop", "hold", "elsewhere"]
"""What becomes of the answer to the next creation.

cut_early: the connection is cut when the service has the request. cut_late: when it has answered. bad_gateway: 502 when
it has the request. gateway_timeout: 504 after half a second. drop: 502, and it never gets it. hold: no answer.
elsewhere: 307 to another server, and it never gets it.
"""
FATES: tuple[Fate, ...] = ("cut_early", "cut_late", "bad_gateway", "gateway_timeout", "drop")
"""Those that are over soon."""


@dataclass
class LossyProxy:
    """A proxy of a service that loses the answers to creations as `fates` say, one each."""

    upstream: str | Sequence[str]
    """Where the service is; of several, each has the next request, and the next one those that one refuses."""
    fates: list[Fate] = field(default_factory=list)
    service: Service = "compute"
    creation: str = "/servers$"
    """Which POSTs count as creations: a pattern of their paths."""
    method: str = "POST"
    """What counts instead of a POST, for other changes whose answers are lost."""
    elsewhere: str = ""
    """Where that other server is."""
    creations: int = 0
    """How many have come."""
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released whenever the service has answered a creation."""
    received: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released whenever the service has been sent a creation whose answer nobody waits for."""

    asked: Counter[str] = field(default_factory=Counter)
    """How many requests each has had."""

    def __enter__(self) -> Self:
        self._turns = itertools.cycle([self.upstream] if isinstance(self.upstream, str) else self.upstream)
        handler = type("Handler", (_Handler,), {"lossy": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The URL of the proxy for clients: the service's endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}/{VERSIONS[self.service]}"

    def connection(self) -> http.client.HTTPConnection:
        """Connect to the next upstream that takes connections."""
        for upstream in itertools.islice(self._turns, 10):
            connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=120)
            with contextlib.suppress(ConnectionRefusedError):
                connection.connect()
                self.asked[upstream] += 1
                return connection
        raise ConnectionRefusedError(f"nobody listens at {self.upstream}")

    def client(self, session: Session, settings: Settings) -> Client:
        """Connect a client for whom the service is behind this proxy."""
        return client_behind(self.url, session, settings, service=self.service)


def client_behind(url: str, session: Session, settings: Settings, *, service: Service = "compute") -> Client:
    """Connect a client that finds the service at this URL."""

    def adapter(wanted: Service) -> Adapter:
        override = url if wanted == service else None
        return Adapter(own, service_type=wanted, region_name=REGION, endpoint_override=override)

    own = own_session(session)
    return Client(Cloud(own, adapter, region_name=REGION), settings=settings)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lossy: LossyProxy

    def _pass(self) -> None:
        body = self._body()
        if self.command != self.lossy.method or not re.search(self.lossy.creation, self.path):
            self._reply(*self._ask(body))
            return
        self.lossy.creations += 1
        fate = self.lossy.fates.pop(0) if self.lossy.fates else None
        match fate:
            case None:
                self._reply(*self._create(body))
            case "drop":
                self._gateway(502)
            case "elsewhere":
                location = f"{self.lossy.elsewhere}{self.path}"
                self._reply(307, [("Location", location), ("Content-Type", "text/html")], b"")
            case "cut_late":
                self._create(body)
                self.close_connection = True
            case "cut_early":
                self._create_aside(body)
                self.close_connection = True
            case "bad_gateway":
                self._create_aside(body)
                self._gateway(502)
            case "gateway_timeout":
                self._create_aside(body)
                time.sleep(0.5)
                self._gateway(504)
            case "hold":
                self._create_aside(body)
                time.sleep(20)
                self.close_connection = True

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _pass  # noqa: N815  # the base class's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _create_aside(self, body: bytes) -> None:
        """Send the request to the service, and return without its response."""
        sent = threading.Event()
        threading.Thread(target=self._create, args=(body, sent), daemon=True).start()
        assert sent.wait(10)

    def _create(self, body: bytes, sent: threading.Event | None = None) -> tuple[int, list[tuple[str, str]], bytes]:
        try:
            return self._ask(body, sent)
        finally:
            self.lossy.answered.release()

    def _ask(self, body: bytes, sent: threading.Event | None = None) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = self.lossy.connection()
        # The host stays the requested one: services make links of it.
        own = ("connection", "transfer-encoding")
        headers = {key: value for key, value in self.headers.items() if key.lower() not in own}
        connection.request(self.command, self.path, body=body, headers=headers)
        if sent is not None:
            sent.set()
            self.lossy.received.release()
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, response.getheaders(), content

    def _reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for key, value in headers:
            if key.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(key, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _gateway(self, status: int) -> None:
        reason = {502: "Bad Gateway", 504: "Gateway Timeout"}[status]
        html = f"<html><body><h1>{status} {reason}</h1>The server is busy.</body></html>"
        self._reply(status, [("Content-Type", "text/html")], html.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Be silent."""
