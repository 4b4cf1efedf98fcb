"""Keep a process on its own machine: requests to others are refused before anything is sent, and reported.

>>> stays_here("127.0.0.1"), stays_here("::ffff:127.0.0.1"), stays_here("198.51.100.1"), stays_here("files.example")
(True, True, False, False)
>>> needs_no_server("localhost"), needs_no_server("198.51.100.1"), needs_no_server("files.example")
(True, True, False)

Names that RFC 6761 reserves for tests and examples do not exist, as any name server would say; they are not reported.

It is for tests. It sees what Python's sockets do, by their audit events (PEP 578), also in libraries; it does not see
what a library in C does by itself. It imports nothing of its package, so that it can be loaded without it.
"""

import dataclasses
import functools
import ipaddress
import socket
import sys
import traceback
from collections.abc import Callable, Collection
from typing import Any, Final

_SENDING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_RESOLVING: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_TAKING_NAMES: Final = ("connect", "connect_ex", "sendto", "sendmsg")
_NOBODYS: Final = frozenset({"example", "invalid", "test"})
_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)


class ElsewhereError(OSError):
    """An attempt to reach another machine."""


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A refused event, such as "socket.connect", its target, and the place in the program."""

    event: str
    target: str
    stack: str


def hold(report: Callable[[Attempt], None], own: Collection[str] = ()) -> None:
    """Permanently refuse everything that would leave this machine; call ``report`` with each attempt first.

    ``own`` are addresses of this machine that others can reach too.
    """

    def refuse(event: str, target: object) -> None:
        host = target[0] if isinstance(target, tuple) else target
        if _text(host).rstrip(".").rpartition(".")[2].lower() in _NOBODYS:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        report(Attempt(event, str(target), "".join(traceback.format_stack(sys._getframe(2)))))  # noqa: SLF001  # as traceback does
        raise ElsewhereError(f"{event} to {target!r} leads away from this machine.")

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _SENDING:
            sender, address = arguments
            is_connected = address is None
            if sender.family in _INTERNET and not is_connected and not stays_here(address[0], own):
                refuse(event, address)
        elif event in _RESOLVING and not needs_no_server(arguments[0]):
            refuse(event, arguments[0])
        if event == "socket.getnameinfo" and not stays_here(arguments[0][0], own):
            refuse(event, arguments[0])

    for method in _TAKING_NAMES:
        if hasattr(socket.socket, method):  # eventlet's sockets have no sendmsg
            _hold_names(method, refuse)
    sys.addaudithook(audit)


def _hold_names(method: str, refuse: Callable[[str, object], None]) -> None:
    """Look at a name in an address: it is resolved before the event comes (Modules/socketmodule.c, getsockaddrarg)."""
    usual = getattr(socket.socket, method)

    @functools.wraps(usual)
    def held(self: socket.socket, *arguments: Any) -> object:  # noqa: ANN401  # as each method's own
        address = arguments[-1] if arguments else None
        if self.family in _INTERNET and isinstance(address, tuple) and not needs_no_server(address[0]):
            refuse(f"socket.{method}", address)
        return usual(self, *arguments)

    setattr(socket.socket, method, held)


def stays_here(host: object, own: Collection[str] = ()) -> bool:
    """Check whether an address is of this machine; names are not, but "" and unspecified addresses are."""
    if host in ("", b"", None, "localhost", *own):
        return True
    try:
        address = ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def needs_no_server(host: object) -> bool:
    """Check whether a host is resolved without a name server: addresses in any notation, and this machine."""
    text = _text(host)
    if stays_here(host):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        try:
            socket.inet_aton(text)  # "127.1", "0x7f000001"
        except (OSError, UnicodeEncodeError):
            return False
        return not any(character.isspace() for character in text)  # inet_aton stops at a blank
    return True


def _text(host: object) -> str:
    return host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host)
