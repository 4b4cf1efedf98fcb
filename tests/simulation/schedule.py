"""One thread at a time: a seed decides which caller continues, what is lost, who dies, and how far the clock moves.

Callers are threads that hold the baton in turn. They give it back at every request and at every sleep, so that a
schedule is a list of choices. The same seed makes the same choices, and a list with more zeros is a simpler schedule:
zero is always the harmless choice. The first caller who can continues, nothing is lost, and no caller dies.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3.exceptions

if TYPE_CHECKING:
    from keystoneauth1.session import Session

BEGINNING: Final = datetime(2040, 1, 1, tzinfo=UTC)
"""Far ahead of the machine's clock, so that no token looks old to keystoneauth."""
MOST_STEPS: Final = 5000
LONGEST_SECONDS: Final = 50_000.0


class Killed(BaseException):  # as KeyboardInterrupt, it is not an error
    """The end of a caller as by kill -9: its further requests have no effect."""


class HungError(AssertionError):
    """The error of callers that never end."""


@dataclass(frozen=True)
class Weather:
    """The probability of trouble at each request that may have an effect; a fifth of it at any other."""

    lost: float = 0.0
    unreachable: float = 0.0
    outage: float = 0.0
    death: float = 0.0


@dataclass
class Caller:
    """One caller: its thread, and its outcome."""

    name: str
    script: Callable[[], object]
    go_on: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    wakes_at: float = 0.0
    dead: bool = False
    ended: bool = False
    result: object = None
    error: BaseException | None = None


class Schedule:
    """A schedule: the baton, the clock and the dice."""

    def __init__(self, seed: int, *, choices: Sequence[int] | None = None) -> None:
        self.seed = seed
        self.choices: list[int] = []
        self.weather = Weather()
        self.now = 0.0
        self.story: list[str] = []
        self._random = random.Random(seed)
        self._given = choices
        self._baton = threading.Semaphore(0)
        self._callers: list[Caller] = []
        self._current: Caller | None = None
        self._down_until: dict[str, float] = {}

    # ------------------------------------------------------------- dice

    def pick(self, amount: int) -> int:
        """Choose one of so many; 0 is harmless."""
        return self._chosen(lambda: self._random.randrange(amount)) % amount

    def happens(self, chance: float) -> bool:
        """Choose whether something goes wrong."""
        return bool(chance) and self._chosen(lambda: int(self._random.random() < chance)) == 1

    def _chosen(self, draw: Callable[[], int]) -> int:
        number = len(self.choices)
        drawn = draw() if self._given is None else (*self._given, *[0] * (number + 1))[number]
        self.choices.append(drawn)
        return drawn

    # ------------------------------------------------------------- clock

    def clock(self) -> float:
        """Return the seconds since the beginning."""
        return self.now

    def utc(self) -> datetime:
        """Return the time that the services' clocks show."""
        return BEGINNING + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        """Let other callers run for so long."""
        if self._current is None:
            self.now += seconds
        else:
            self._hand_over(self.now + seconds)

    # ------------------------------------------------------------- callers

    def run(self, scripts: Mapping[str, Callable[[], object]]) -> dict[str, Caller]:
        """Let callers run to their ends, one at a time, and return the outcome of each."""
        self._callers = [Caller(name, script) for name, script in scripts.items()]
        threads = [threading.Thread(target=self._live, args=(caller,), daemon=True) for caller in self._callers]
        for thread in threads:
            thread.start()
        steps = 0
        while alive := [caller for caller in self._callers if not caller.ended]:
            ready = [caller for caller in alive if caller.wakes_at <= self.now]
            if not ready:
                self.now = min(caller.wakes_at for caller in alive)
                continue
            steps += 1
            if steps > MOST_STEPS or self.now > LONGEST_SECONDS:
                raise HungError(f"{[caller.name for caller in alive]} go on after {steps} steps and {self.now:.0f} s")
            self._current = ready[self.pick(len(ready))]
            self._current.go_on.release()
            self._baton.acquire()
        self._current = None
        for thread in threads:
            thread.join()
        return {caller.name: caller for caller in self._callers}

    def _live(self, caller: Caller) -> None:
        caller.go_on.acquire()
        try:
            caller.result = caller.script()
        except BaseException as error:  # noqa: BLE001  # anything that ends a caller is judged afterwards
            caller.error = error
        finally:
            caller.ended = True
            self._baton.release()

    def _hand_over(self, wakes_at: float) -> None:
        caller = self._current
        assert caller is not None
        caller.wakes_at = wakes_at
        self._baton.release()
        caller.go_on.acquire()
        if caller.dead:
            raise Killed

    # ------------------------------------------------------------- requests

    def through(self, session: Session) -> Session:
        """Let every request of a session pass through this schedule."""
        inner = session.session.get_adapter("http://keystone.cloud.test")
        session.session.mount("http://", _Wire(self, inner))
        return session

    @contextlib.contextmanager
    def around(self, request: requests.PreparedRequest) -> Iterator[None]:
        """Let others run before a request and after its effect; the answer may be lost, and its caller may die."""
        caller = self._current
        if caller is None:
            yield
            return
        place = urlsplit(str(request.url))
        host = str(place.hostname)
        line = f"{self.now:8.1f} {caller.name}: {request.method} {host.partition('.')[0]}{place.path}"
        if caller.dead:
            raise Killed
        share = 0.2 if request.method == "GET" or place.path.endswith("/auth/tokens") else 1.0
        self._hand_over(self.now)
        if self.happens(self.weather.outage * share):
            self._down_until[host] = self.now + (1 + self.pick(40))
            self.story.append(f"{line}: {host} is out of order until {self._down_until[host]:.0f}")
        if self.happens(self.weather.death * share):
            self._die(caller, f"{line}: dies before it")
        if self._down_until.get(host, 0.0) > self.now or self.happens(self.weather.unreachable * share):
            self.story.append(f"{line}: not reached")
            raise _unreachable(request)
        yield
        self._hand_over(self.now)
        if self.happens(self.weather.death * share):
            self._die(caller, f"{line}: dies after it")
        if self.happens(self.weather.lost * share):
            self.story.append(f"{line}: answer lost")
            raise requests.exceptions.ConnectionError(
                urllib3.exceptions.ProtocolError("Connection aborted."), request=request
            )
        self.story.append(line)

    def _die(self, caller: Caller, line: str) -> None:
        self.story.append(line)
        caller.dead = True
        raise Killed


class _Wire(requests.adapters.BaseAdapter):
    """An adapter that passes requests on to the in-memory cloud."""

    def __init__(self, schedule: Schedule, inner: requests.adapters.BaseAdapter) -> None:
        super().__init__()
        self._schedule = schedule
        self._inner = inner

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:  # type: ignore[override]  # as requests calls it
        with self._schedule.around(request):
            return self._inner.send(request, **options)  # type: ignore[arg-type]  # as they came

    def close(self) -> None:
        """Hold nothing."""


def _unreachable(request: requests.PreparedRequest) -> requests.exceptions.ConnectionError:
    host = str(urlsplit(str(request.url)).hostname)
    refused = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection(host), "refused")
    pool = urllib3.HTTPConnectionPool(host)
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", refused), request=request)


def shrunk(fails: Callable[[Sequence[int]], bool], choices: Sequence[int], *, attempts: int = 300) -> list[int]:
    """Make the choices of a failing schedule as harmless as they can be while it fails."""
    best = list(choices)
    width = max(1, len(best) // 2)
    while width and attempts > 0:
        for begin in range(0, len(best), width):
            candidate = [*best[:begin], *([0] * len(best[begin : begin + width])), *best[begin + width :]]
            if candidate == best or attempts <= 0:
                continue
            attempts -= 1
            if fails(candidate):
                best = candidate
        width //= 2
    while best and best[-1] == 0:
        best.pop()
    return best
