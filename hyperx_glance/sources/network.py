"""How servers of files are reached: names, connections, TLS, and the clock by which they are read.

>>> from hyperx_glance.sources.network import Network
>>> Network().resolve("127.0.0.1", 80)
['127.0.0.1']

The system's own, unless somebody gives another: the in-memory cloud answers for its files, and tests have their own
time.
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
    """Reach servers of files.

    ``resolve`` gives the addresses of a host and port. ``connect`` connects to an address and port within so many
    seconds. ``secure`` starts TLS on a connection. ``clock`` gives seconds. The first three may raise `OSError`.
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
    """Give the network of whoever names none."""
    return _defaults[-1]


@contextlib.contextmanager
def as_default(network: Network) -> Iterator[None]:
    """Let everybody who names no network have this one."""
    _defaults.append(network)
    try:
        yield
    finally:
        _defaults.remove(network)
