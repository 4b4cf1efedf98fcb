"""Connections to file servers: names, sockets, TLS, and the clock for their deadlines.

>>> from hyperx_glance.sources.network import Network
>>> Network().resolve("127.0.0.1", 80)
['127.0.0.1']

The default is that of the system. The in-memory cloud replaces it to serve its files, and tests replace the clock.
"""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

from hyperx_glance.arguments import callback, require


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in found]


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _secure(opened: socket.socket, context: ssl.SSLContext, host: str) -> socket.socket:
    return context.wrap_socket(opened, server_hostname=host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Access to file servers.

    ``resolve`` returns the addresses of a host and port. ``connect`` connects to an address and port within a number of
    seconds. ``secure`` starts TLS on a connection. ``clock`` returns seconds. The first three may raise `OSError`.
    """

    resolve: Callable[[str, int], Sequence[str]] = _resolve
    connect: Callable[[str, int, float], socket.socket] = _connect
    secure: Callable[[socket.socket, ssl.SSLContext, str], socket.socket] = _secure
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        require(((f"network.{each.name}", getattr(self, each.name)) for each in fields(self)), _CHECKS)


_CHECKS = dict.fromkeys(("network.resolve", "network.connect", "network.secure", "network.clock"), callback)

SYSTEM = Network()
_defaults = [SYSTEM]


def default() -> Network:
    """Return the network that is used if settings have none."""
    return _defaults[-1]


@contextlib.contextmanager
def as_default(network: Network) -> Iterator[None]:
    """Use this network inside the block if settings have none."""
    _defaults.append(network)
    try:
        yield
    finally:
        _defaults.remove(network)
