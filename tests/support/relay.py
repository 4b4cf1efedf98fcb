"""A TCP relay on another loopback address and port, as a container's mapped port is: it knows nothing of HTTP.

with Relay(server.port) as relay:
    requests.get(f"http://{relay.place}/")
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

HOST: Final = "127.0.0.2"


class Relay(socketserver.ThreadingTCPServer):
    """Passes on what arrives at a port of 127.0.0.2 to a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        super().__init__((HOST, 0), socketserver.BaseRequestHandler)
        self._target = ("127.0.0.1", port)
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def place(self) -> str:
        """Return the host and port as they stand in a URL."""
        return f"{HOST}:{self.server_address[1]}"

    def finish_request(self, request: object, client_address: object) -> None:
        """Pass on one connection until both sides have ended it."""
        assert isinstance(request, socket.socket)
        with socket.create_connection(self._target) as server:
            self._open |= {request, server}
            back = threading.Thread(target=_copy, args=(server, request))
            back.start()
            _copy(request, server)
            back.join()
            self._open -= {request, server}

    def __enter__(self) -> Self:
        """Relay until the end of the block."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End all connections."""
        self.shutdown()
        self._thread.join()
        for each in list(self._open):
            _end(each)
        self.server_close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
