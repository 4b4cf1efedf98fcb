"""Networks without a network: names that resolve as a test says, connections to servers of a few bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import socket
import threading
from typing import TYPE_CHECKING

from hyperx_glance.sources.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclasses.dataclass
class Names:
    """A resolver: a name gets ``addresses``, from the second time on ``then``; an address gets itself."""

    addresses: tuple[str, ...]
    then: tuple[str, ...] | None = None
    asked: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        del port
        self.asked.append(host)
        return self.addresses if len(self.asked) == 1 or self.then is None else self.then


def resolving(*addresses: str) -> Network:
    """Return the real network, in which every name has these addresses."""
    return Network(resolve=Names(addresses))


def nobody(host: str, port: int) -> tuple[str, ...]:
    """Fail the test: no name may be looked up."""
    raise AssertionError(f"{host} port {port} was looked up")


def nowhere(address: str, port: int, seconds: float) -> socket.socket:
    """Fail the test: nothing may be connected to."""
    raise AssertionError(f"{address} port {port} was connected to within {seconds}")


CLOSED = Network(resolve=nobody, connect=nowhere)
"""A network on which nothing may happen."""


@contextlib.contextmanager
def answering(
    answer: bytes, *, resolve: Callable[[str, int], tuple[str, ...]] = nobody, clock: Callable[[], float] | None = None
) -> Iterator[Network]:
    """Return a network whose first connection leads to a server that sends ``answer``; there is no second one."""
    with contextlib.ExitStack() as stack:
        connections = itertools.count()

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            if next(connections):
                nowhere(address, port, seconds)
            ours, theirs = socket.socketpair()
            stack.enter_context(theirs)
            theirs.sendall(answer)
            theirs.shutdown(socket.SHUT_WR)
            ours.settimeout(seconds)
            return ours

        network = Network(resolve=resolve, connect=connect)
        yield network if clock is None else dataclasses.replace(network, clock=clock)


@contextlib.contextmanager
def never_ending(start: bytes, again: bytes, *, pause: float, clock: Callable[[], float]) -> Iterator[Network]:
    """Return a network whose servers send ``start``, then ``again`` without end, with a pause or as a flood."""
    with contextlib.ExitStack() as stack:

        def answer(theirs: socket.socket) -> None:
            with contextlib.suppress(OSError):
                theirs.sendall(start)
                while not over.wait(pause):
                    theirs.sendall(again if pause else again * 1000)

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            del address, port
            ours, theirs = socket.socketpair()
            ours.settimeout(seconds)
            thread = threading.Thread(target=answer, args=(theirs,))
            stack.enter_context(theirs)
            stack.callback(thread.join)
            stack.callback(theirs.shutdown, socket.SHUT_RDWR)
            thread.start()
            return ours

        over = threading.Event()
        yield Network(resolve=nobody, connect=connect, clock=clock)
        over.set()


def ticking(step: float) -> Callable[[], float]:
    """Return a clock that advances by ``step`` seconds each time it is read."""
    ticks = itertools.count()
    return lambda: next(ticks) * step
