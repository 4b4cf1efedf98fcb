"""The file servers of the in-memory cloud: what a test planned in ``cloud.glance.downloads``, without a network.

    >>> from hyperx_glance import UrlPolicy
    >>> from hyperx_glance.testing.memory.files import network
    >>> from hyperx_glance.sources.urls import preflight
    >>> planned = {"https://files.example/disk.raw": bytes(4096)}
    >>> preflight("https://files.example/disk.raw", UrlPolicy(), declared="raw", network=network(lambda: planned)).size
    4096

Loopback stays real, since tests have servers there; nothing else is looked up or connected to.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from hyperx_glance.models.url_text import ascii_url
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.testing.memory.glance.downloads import Download, is_loopback

ADDRESS = "198.51.100.1"
"""The address of every planned name: an unused address for documentation."""


def network(downloads: Callable[[], Mapping[str, Download]]) -> Network:
    """Return a network on which the URLs are served that are planned at the moment."""

    def resolve(host: str, port: int) -> list[str]:
        if is_loopback(host):
            return list(SYSTEM.resolve(host, port))
        if host.rstrip(".") not in {urlsplit(ascii_url(url)).hostname for url in downloads()}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ADDRESS]

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        planned = {urlsplit(url).hostname for url in downloads()}
        if address != ADDRESS and address not in planned:
            if is_loopback(address):
                return SYSTEM.connect(address, port, seconds)
            raise ConnectionRefusedError(f"nothing but loopback is reached from memory, not {address}")
        ours, theirs = socket.socketpair()
        ours.settimeout(seconds)
        threading.Thread(target=_serve, args=(theirs, downloads()), daemon=True, name="in-memory file server").start()
        return ours

    def secure(opened: socket.socket, context: object, host: str) -> socket.socket:
        if opened.family is socket.AF_UNIX:
            return opened
        return SYSTEM.secure(opened, context, host)  # type: ignore[arg-type]  # as it was given

    return Network(resolve=resolve, connect=connect, secure=secure)


def _serve(connection: socket.socket, downloads: Mapping[str, Download]) -> None:
    with connection, contextlib.suppress(OSError):  # the client may close the connection at any time
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
        for part in _answer(_find(request.decode("latin-1"), downloads)):
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def _find(request: str, downloads: Mapping[str, Download]) -> Download:
    lines = request.split("\r\n")
    target = lines[0].split(" ")[1]
    host = next(line.partition(": ")[2] for line in lines if line.lower().startswith("host:"))
    for url, planned in downloads.items():
        parts = urlsplit(ascii_url(url))
        place = parts.netloc.rpartition("@")[2].removesuffix(":80" if parts.scheme == "http" else ":443")
        if (place, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")) == (host, target):
            return planned
    return 404


def _answer(planned: Download) -> Iterator[bytes]:
    if isinstance(planned, Exception):
        return  # the connection ends
    if isinstance(planned, int):
        status, data = planned, b""
    else:
        status, data = 200, planned if isinstance(planned, bytes) else planned()
    reason = http.client.responses.get(status, "")
    yield f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/octet-stream\r\n".encode()
    yield f"Content-Length: {len(data)}\r\n\r\n".encode()
    yield data
