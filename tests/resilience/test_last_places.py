"""Nine callers register at once with room for four, in orders that a seed draws."""

from __future__ import annotations

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import NewImage, QuotaExceededError
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, ClientFactory
from tests.support.interference import Interference
from tests.support.registrations import BLIND, disk

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


class Turns:
    """A scheduler that runs one thread at a time; when it waits or ends, the next is drawn."""

    def __init__(self, draw: random.Random, threads: int) -> None:
        self._draw = draw
        self._running = threads
        self._waiting: set[int] = set()
        self._next: int | None = None
        self._changed = threading.Condition()

    def wait(self, number: int) -> None:
        with self._changed:
            self._waiting.add(number)
            self._stop()
            assert self._changed.wait_for(lambda: self._next == number, timeout=30)
            self._waiting.remove(number)
            self._next = None
            self._running = 1

    def end(self) -> None:
        with self._changed:
            self._stop()

    def _stop(self) -> None:
        self._running -= 1
        if not self._running and self._waiting:
            self._next = self._draw.choice(sorted(self._waiting))
            self._changed.notify_all()


@pytest.mark.parametrize("seed", range(30))
def test_in_whatever_order_things_happen_the_places_are_filled_exactly(file_server: FileServer, seed: int) -> None:
    """Requests are served one after another in an order that is drawn; a create counts first and inserts later."""
    racers, room = 9, 4
    cloud = InMemoryCloud()
    client = ClientFactory(cloud, HASTY)
    client("admin").set_quota("dept-a", images=room)
    url = disk(file_server)
    turns = Turns(random.Random(seed), racers)

    def attempt(number: int) -> str:
        alice = client("alice", url_policy=BLIND)
        between = Interference(alice)

        def count() -> None:
            if cloud.glance.used("image_count_total", "dept-a") < room:
                turns.wait(number)
                cloud.glance.use_keystone_limits = False

        def insert() -> None:
            cloud.glance.use_keystone_limits = True

        for method in ("GET", "POST", "DELETE"):
            between.before(method, "", lambda: turns.wait(number), times=sys.maxsize)
        between.before("POST", "^/images$", count)
        between.after("POST", "^/images$", insert)
        try:
            turns.wait(number)
            return alice.register(NewImage(name=str(number), url=url, disk_format="qcow2")).id
        except QuotaExceededError:
            return ""
        finally:
            turns.end()

    with ThreadPoolExecutor(racers) as pool:
        ready = sorted(filter(None, pool.map(attempt, range(racers))))

    assert len(ready) == room
    assert sorted(image.id for image in cloud.glance.images.values() if not image.deleted) == ready
    cloud.check()
