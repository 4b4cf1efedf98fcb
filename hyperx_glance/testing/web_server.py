"""The web server behind both served clouds: cheroot, with its port, its hosts and perhaps a certificate.

>>> def application(environ, start_response):
...     start_response("200 OK", [("Content-Length", "0")])
...     return []
>>> with WebServer(application) as server:
...     server.url.startswith("http://127.0.0.1:")
True
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from hyperx_glance.testing import origins
from hyperx_glance.testing.exposure import Exposure
from hyperx_glance.testing.extras import needed

with needed("testing"):
    from cheroot import errors, server, wsgi
    from cheroot.makefile import StreamReader, StreamWriter
    from cheroot.ssl import Adapter

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

PATHS: Final = {
    "keystone": "identity",
    "glance": "image",
    "nova": "compute",
    "neutron": "network",
    "cinder": "volume",
    "placement": "placement",
}
"""The path of each service behind one port."""
LARGEST_BODY: Final = 1 << 30
"""The most bytes of a request's body."""
_LARGEST_HEADERS: Final = 64 << 10
_THREADS: Final = 16
_PLAIN: Final = b"This server answers by https only, not by http."


class _Gateway(wsgi.Gateway_10):
    """A gateway that reads the rest of a chunked body, which cheroot would treat as the next request."""

    def respond(self) -> None:
        """Answer, and continue where the next request begins, unless the connection ends."""
        try:
            super().respond()
        except OSError:  # the client has gone
            # Or the writer tries once more at its end, which Python tells on stderr (Lib/_pyio.py, IOBase.__del__).
            self.req.conn.wfile.raw.close()
            raise
        if self.req.chunked_read and not self.req.close_connection:
            for _ in chunks(self.req.rfile, LARGEST_BODY):
                pass
            for _ in self.req.rfile.read_trailer_lines():
                pass


class _Quiet(wsgi.Server):
    """A server that logs nothing: a cloud's ``failures`` has its own mistakes."""

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's
        """Discard the server's messages."""


class _Encryption(Adapter):
    """The encryption of connections; the handshake is left to the thread that reads, so no client blocks others."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the port's socket as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Return the encrypted connection, and nothing about certificates of clients."""
        return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), {}

    def get_environ(self) -> dict[str, str]:
        """Return nothing about certificates of clients."""
        return {}

    def makefile(self, sock: ssl.SSLSocket, mode: str = "r", bufsize: int = 1 << 16) -> object:
        """Return a file that reads or writes the connection."""
        return (StreamReader if "r" in mode else StreamWriter)(sock, mode, bufsize)


class _EncryptedConnection(server.HTTPConnection):
    """A connection whose first step is the handshake."""

    _is_open = False

    def communicate(self) -> bool:
        """Answer one request; return False if the connection ends."""
        if not self._is_open:
            try:
                self.socket.do_handshake()
            except OSError as error:
                if getattr(error, "reason", "") == "HTTP_REQUEST":
                    self._refuse_plain_text()
                return False
            self._is_open = True
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot has no types

    def _refuse_plain_text(self) -> None:
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {len(_PLAIN)}\r\n"
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.socket.fileno())) as plain:
            plain.sendall(head.encode() + b"Connection: close\r\n\r\n" + _PLAIN)


class WebServer:
    """A web server for one application, in a ``with`` block, or with `run` until it is interrupted.

    The port is bound at once; ``port`` 0 means a free port. Requests that `origins.refusal` refuses do not reach the
    application. Raises `OSError` if the port cannot be bound.
    """

    def __init__(self, application: WSGIApplication, *, port: int = 0, exposure: Exposure | None = None) -> None:
        self.exposure = exposure or Exposure()
        """The address, the public URL and the hosts of the server."""
        _check_free(self.exposure.host, port)
        guarded = origins.guarded(application, self.exposure.hosts)
        self._server: Any = _Quiet((self.exposure.host, port), guarded, numthreads=_THREADS, request_queue_size=128)
        self._server.gateway = _Gateway
        self._server.max_request_header_size = _LARGEST_HEADERS
        self._server.max_request_body_size = LARGEST_BODY
        self._server.expiration_interval = 0.05  # the most seconds that the shutdown waits
        self._server.prepare()
        self.port = int(self._server.bind_addr[1])
        """The port on which it listens."""
        try:
            context = self.exposure.tls_context()
        except BaseException:
            self.close()
            raise
        if context is not None:
            self._server.ssl_adapter = _Encryption(context)
            self._server.ConnectionClass = _EncryptedConnection
        self._thread = threading.Thread(target=self._server.serve, name="test cloud", daemon=True)

    @property
    def url(self) -> str:
        """The URL of the server for programs of this machine."""
        return self.exposure.local_url(self.port)

    @property
    def told_url(self) -> str:
        """The URL of the server in its ``clouds.yaml``: a public one, unless it depends on the request."""
        return self.exposure.told_url(self.port)

    def run(self) -> None:
        """Serve requests until the process is interrupted."""
        # The interrupted thread only waits. In the middle of cheroot's queue, an interrupt could lose a wake-up
        # (threading.py, Condition.notify), and `close` would then wait forever for the thread that sleeps on.
        self.start()
        while self._thread.is_alive():
            self._thread.join(1.0)  # Windows sees an interrupt only between two waits

    def close(self) -> None:
        """Close the port, and do not wait for running requests."""
        self._server.stop()

    def start(self) -> None:
        """Serve requests in a thread until `close`."""
        self._thread.start()

    def __enter__(self) -> Self:
        """Start to serve requests."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.close()
        self._thread.join()


def _check_free(host: str, port: int) -> None:
    """Raise `OSError` in one sentence if the port cannot be bound; cheroot's error has its own socket still open."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise OSError(f"Cannot listen on port {port} of {host}: {error.strerror}.") from None


def chunks(stream: Any, most: int) -> Iterator[bytes]:  # noqa: ANN401 - cheroot's readers have no types
    """Read a body; raise `MaxSizeExceeded` if it has more bytes than that."""
    while chunk := _read(stream):
        most -= len(chunk)
        if most < 0:
            raise errors.MaxSizeExceeded
        yield chunk


def _read(stream: Any) -> bytes:  # noqa: ANN401 - as above
    """Read some of a body, and a chunk to its end (cheroot/server.py, ChunkedRFile copies the rest at each reading)."""
    try:
        piece: bytes = stream.read(1 << 16)
    except OSError as error:
        if str(error) != "Request Entity Too Large":  # as ChunkedRFile says of a chunk
            raise
        raise errors.MaxSizeExceeded from error
    rest: bytes = getattr(stream, "buffer", b"")
    if rest:
        stream.buffer = b""
    return piece + rest
