"""An HTTP(S) file server on loopback that behaves as well or as badly as a test asks.

    with FileServer() as server:
        url = server.serve("/disk.qcow2", samples.data("disk.qcow2"))
        held = server.hold("/slow.raw", b"x" * 1_000_000, after=4096)
        ...
        held.release()

Each registration returns the URL. A path that was not registered is answered 404. Nothing here sleeps: what waits,
waits for `Held.release()` or for the end of the server.
"""

from __future__ import annotations

import contextlib
import http.server
import re
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import trustme

PIECE: Final = 65536
REDIRECTS: Final = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Request:
    """What a client sent; ``path`` with its query, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class BigBody:
    """A body of ``size`` bytes made while it is sent: ``head``, then zeros."""

    size: int
    head: bytes = b""

    def __len__(self) -> int:
        return self.size


@dataclass
class Held:
    """An answer that stops midway until it is released."""

    url: str
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Release this response, and every later one at this URL."""
        self.released.set()

    def wait_until_reached(self, timeout_seconds: float = 30) -> None:
        """Wait until a client has been held; fail if none comes."""
        assert self.reached.wait(timeout_seconds), f"nobody asked for {self.url}"


@dataclass(frozen=True)
class Reply:
    """How one path answers."""

    body: bytes | BigBody = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False  # no Content-Length
    claimed_size: int | None = None  # a Content-Length that is not the body's
    ranges: bool = True
    head_status: int | None = None  # what HEAD gets instead
    cut_after: int | None = None  # bytes of body, then the connection ends
    hold_after: int | None = None  # bytes of body, then wait for ``held``; -1: before the status line
    drip_seconds: float | None = None  # while held, a byte each so many seconds instead of silence
    held: Held | None = None
    hang_up: bool = False  # the connection ends without an answer


class FileServer:
    """A server of registered replies on a free loopback port, with TLS if an authority is given."""

    def __init__(self, *, address: str = "127.0.0.1", authority: trustme.CA | None = None) -> None:
        self.address = address
        self.requests: list[Request] = []
        self._replies: dict[str, Reply] = {}
        self._server = _Server(self, address)
        self._scheme = "http"
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
            self._server.tls = context
            self._scheme = "https"
        self._refusing = socket.socket(self._server.address_family)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name="file-server", daemon=True
        )

    def __enter__(self) -> Self:
        """Start to answer."""
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop, end every connection, and raise what went wrong inside."""
        self.close()

    def close(self) -> None:
        """Stop, end every connection, and raise what went wrong inside."""
        for reply in self._replies.values():
            if reply.held is not None:
                reply.held.release()
        self._server.shutdown()
        self._server.end_connections()
        self._thread.join()
        self._server.server_close()
        self._refusing.close()
        if self._server.errors:
            raise ExceptionGroup("the file server failed", self._server.errors)

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self._server.server_address[1])

    def url(self, path: str, *, host: str | None = None) -> str:
        """Return the URL of a path, under another name of this host if one is given."""
        literal = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self._scheme}://{host or literal}:{self.port}{path}"

    def requested(self, path: str) -> list[Request]:
        """Return the requests for a path, with any query."""
        return [request for request in self.requests if urlsplit(request.path).path == path]

    def reply(self, path: str, reply: Reply) -> str:
        """Answer a path as ``reply`` says, from now on."""
        self._replies[path] = reply
        return self.url(path)

    def reply_for(self, path: str) -> Reply:
        """Return the reply to a path with any query."""
        return self._replies.get(urlsplit(path).path, Reply(b"not found", 404, {"Content-Type": "text/plain"}))

    def serve(
        self,
        path: str,
        body: bytes | BigBody,
        *,
        content_type: str = "application/octet-stream",
        file_name: str | None = None,
        chunked: bool = False,
        ranges: bool = True,
        head_status: int | None = None,
    ) -> str:
        """Serve a file as a download; ``head_status=403`` refuses HEAD as presigned URLs do."""
        headers = {"Content-Type": content_type, "Content-Disposition": _attachment(file_name or path)}
        return self.reply(path, Reply(body, 200, headers, chunked=chunked, ranges=ranges, head_status=head_status))

    def page(self, path: str, text: str = "<!DOCTYPE html><html><title>Please log in</title></html>") -> str:
        """Serve an HTML page."""
        return self.reply(path, Reply(text.encode(), 200, {"Content-Type": "text/html; charset=utf-8"}))

    def fail(self, path: str, status: int, *, message: str = "no") -> str:
        """Answer an error status."""
        return self.reply(path, Reply(message.encode(), status, {"Content-Type": "text/plain"}))

    def redirect(self, path: str, target: str, *, status: int = 302) -> str:
        """Redirect to a path of this server or to any URL."""
        return self.reply(path, Reply(b"", status, {"Location": target}))

    def redirect_chain(self, path: str, target: str, *, statuses: Sequence[int] = REDIRECTS) -> str:
        """Redirect step by step, once with each status, and end at ``target``."""
        steps = [path, *(f"{path}.{step}" for step in range(1, len(statuses))), target]
        for here, there, status in zip(steps, steps[1:], statuses, strict=False):
            self.redirect(here, there, status=status)
        return self.url(path)

    def redirect_loop(self, path: str) -> str:
        """Redirect to another path that redirects back."""
        self.redirect(f"{path}.again", path)
        return self.redirect(path, f"{path}.again")

    def cut(self, path: str, body: bytes | BigBody, *, after: int, chunked: bool = False) -> str:
        """Promise the whole body, send ``after`` bytes of it and end the connection."""
        return self.reply(path, Reply(body, chunked=chunked, cut_after=after))

    def hang_up(self, path: str) -> str:
        """End the connection without an answer."""
        return self.reply(path, Reply(hang_up=True))

    def refusing_url(self, path: str) -> str:
        """Return a URL whose port refuses connections: bound until the end of the server, without a listener."""
        if self._refusing.getsockname()[1] == 0:
            self._refusing.bind((self.address, 0))
        return self.url(path).replace(f":{self.port}/", f":{self._refusing.getsockname()[1]}/")

    def hold(
        self,
        path: str,
        body: bytes | BigBody = b"",
        *,
        after: int = -1,
        drip_seconds: float | None = None,
        chunked: bool = False,
    ) -> Held:
        """Send ``after`` bytes (-1: not even the status), then wait for the release; GET alone is held.

        With ``drip_seconds`` a held answer continues byte by byte instead of falling silent.
        """
        held = Held(self.url(path))
        self.reply(path, Reply(body, chunked=chunked, hold_after=after, drip_seconds=drip_seconds, held=held))
        return held


def _attachment(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    ascii_name = name.encode("ascii", "replace").decode().replace('"', "?")
    return f'attachment; filename="{ascii_name}"'


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() waits for every answer
    request_queue_size = 128

    def __init__(self, owner: FileServer, address: str) -> None:
        self.owner = owner
        self.tls: ssl.SSLContext | None = None
        self.errors: list[Exception] = []
        self._connections: set[socket.socket] = set()
        self._ending = False
        self._lock = threading.Lock()
        if ":" in address:
            self.address_family = socket.AF_INET6
        super().__init__((address, 0), _Handler)

    def finish_request(self, request: object, client_address: object) -> None:
        """Speak TLS in the connection's own thread, so that a client that does not cannot block others."""
        assert isinstance(request, socket.socket)
        connection = request
        if self.tls is not None:
            connection = self.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            if self._ending:
                return
            self._connections.add(connection)
        try:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            _Handler(connection, client_address, self)
        except (ConnectionError, ssl.SSLError):
            pass  # clients that leave, or that distrust the certificate, are what tests are about
        finally:
            with self._lock:
                self._connections.remove(connection)
            connection.close()

    def end_connections(self) -> None:
        """Wake every thread that waits for its client."""
        with self._lock:
            self._ending = True
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    # not SSLSocket.shutdown, which takes the TLS state away from the thread that reads
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep the error for `FileServer.close`."""
        error = sys.exception()
        assert isinstance(error, Exception)
        self.errors.append(error)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name for it
        """Log nothing; `FileServer.requests` has the requests."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.owner.requests.append(Request(self.command, self.path, headers))
        reply = self.server.owner.reply_for(self.path)
        if self.command == "GET" and reply.hold_after == -1:
            self._hold(reply)
        if reply.hang_up:
            self.close_connection = True
            return
        if self.command == "HEAD" and reply.head_status is not None:
            self.send_response(reply.head_status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = self._range(reply)
        self._send_headers(reply, first, last)
        if self.command == "GET":
            self._send_body(reply, first, last)

    def _range(self, reply: Reply) -> tuple[int, int]:
        """Return the first byte to send and the one after the last."""
        size = len(reply.body)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not (reply.ranges and wanted and reply.status == 200 and int(wanted[1]) < size):
            return 0, size
        return int(wanted[1]), min(size, int(wanted[2]) + 1) if wanted[2] else size

    def _send_headers(self, reply: Reply, first: int, last: int) -> None:
        size = len(reply.body)
        partial = (first, last) != (0, size)
        self.send_response(206 if partial else reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if partial:
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{size}")
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            claimed = last - first if reply.claimed_size is None else reply.claimed_size
            self.send_header("Content-Length", str(claimed))
        self.end_headers()

    def _send_body(self, reply: Reply, first: int, last: int) -> None:
        end = last if reply.cut_after is None else min(last, first + reply.cut_after)
        pause = end if reply.hold_after in (None, -1) else min(end, first + reply.hold_after)
        self._send(reply, first, pause)
        if pause < end:
            dripped = self._hold(reply, pause, end)
            self._send(reply, pause + dripped, end)
        if end < last:
            self.close_connection = True
        elif reply.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _hold(self, reply: Reply, first: int = 0, last: int = 0) -> int:
        """Wait for the release; return how many bytes dripped meanwhile."""
        assert reply.held is not None
        self.wfile.flush()
        reply.held.reached.set()
        dripped = 0
        while not reply.held.released.wait(reply.drip_seconds):
            if first + dripped < last:
                self._send(reply, first + dripped, first + dripped + 1)
                dripped += 1
        return dripped

    def _send(self, reply: Reply, first: int, last: int) -> None:
        for piece in _pieces(reply.body, first, last):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if reply.chunked else piece)


def _pieces(body: bytes | BigBody, first: int, last: int) -> Iterator[bytes]:
    for start in range(first, last, PIECE):
        end = min(last, start + PIECE)
        if isinstance(body, BigBody):
            yield body.head[start:end].ljust(end - start, b"\0")
        else:
            yield body[start:end]
