"""Many threads at once and many operations in turn get right answers, and nothing grows."""

from __future__ import annotations

import collections
import gc
import json
import os
import sys
import threading
import tracemalloc
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from pydantic_core import from_json

from hyperx_glance import Client, LaunchRequest, NewImage, ServiceUnavailableError, Settings
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory.glance.records import isotime

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS: Final = int(os.environ.get("RESILIENCE_OPERATIONS", "600"))
THREADS: Final = 8
URL: Final = "http://files.example/disk.raw"
DATA: Final = bytes(4096)


@pytest.fixture
def _restless() -> Iterator[None]:
    """Let threads take turns at every opportunity."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def connect(cloud: InMemoryCloud) -> Client:
    cloud.glance.downloads[URL] = DATA
    return Client.from_session(cloud.session("alice"), settings=Settings(pace=cloud.pace, network=cloud.network))


@pytest.mark.usefixtures("_restless")
def test_threads_that_share_a_client_get_what_they_asked_for() -> None:
    client = connect(InMemoryCloud())
    begin = threading.Barrier(THREADS, timeout=60)

    def work(number: int) -> list[str]:
        """Do everything under a name of its own; return what came of another's."""
        begin.wait()
        wrong = []
        for turn in range(3):
            name = f"image-{number}-{turn}"
            image = client.register(NewImage(name=name, url=URL, disk_format="raw", tags=(f"t{number}",)))
            changed = client.update(image, os_distro=name)
            listed = [each.name for each in client.images(tags={f"t{number}"})]
            launch = client.launch(image, LaunchRequest(name=name, flavor="m1.tiny", count=2))
            found = {
                "registered": image.name == name,
                "updated": (changed.name, changed.os_distro) == (name, name),
                "read": client.image(image.id).os_distro == name,
                "listed": sorted(listed) == [f"image-{number}-{each}" for each in range(turn + 1)],
                "launched": {server.name for server in launch.servers} == {f"{name}-1", f"{name}-2"},
                "used": len(client.servers_using(image).servers) == 2,
            }
            launch.cancel()
            found["cancelled"] = not launch.servers
            wrong += [f"{name}: {what}" for what, right in found.items() if not right]
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        assert [wrong for each in pool.map(work, range(THREADS)) for wrong in each] == []
    assert client.count() == 3 * THREADS


def operate(client: Client, cloud: InMemoryCloud) -> None:
    """Do ten things, of which one fails."""
    image = client.register(NewImage(name="disk", url=URL, disk_format="raw"))
    client.update(image, description="again")
    list(client.images(search="disk"))
    client.tags()
    client.quota()
    launch = client.launch(image, LaunchRequest(name="web", flavor="m1.tiny"))
    client.find_launch(launch.launch_id)
    launch.cancel()
    cloud.fail("glance", "GET", "/images$", status=500)
    with pytest.raises(ServiceUnavailableError):
        client.count()
    client.delete(image)


def held() -> dict[str, int]:
    """Count what this process holds, without the last 32,768 times that the cloud in memory has shown."""
    isotime.cache_clear()
    gc.collect()
    return {
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
        "bytes": tracemalloc.get_traced_memory()[0],
    }


def fill_the_cache_of_texts() -> None:
    """Let pydantic have its fill: it keeps up to 16,384 short texts of JSON for the whole process (jiter, StringCache).

    Each new id takes an empty place in it, 400 kB in 10,000 operations, until it is full and old ones go: measured by
    ``cache_strings="none"`` for all models, with which 65 kB are left.
    """
    from_json(json.dumps([str(uuid.UUID(int=number)) for number in range(200_000)]))


def test_nothing_grows() -> None:
    """Each batch has a cloud and a client of its own, since a cloud rightly remembers."""

    def batch() -> None:
        cloud = InMemoryCloud()
        with connect(cloud) as client:
            for _ in range(10):
                operate(client, cloud)

    tracemalloc.start()
    try:
        batch()
        batch()
        fill_the_cache_of_texts()
        before = held()
        for _ in range(max(1, OPERATIONS // 100)):
            batch()
        after = held()
    finally:
        tracemalloc.stop()

    print(f"\n{OPERATIONS} operations: {before} became {after}")
    grown = {what: after[what] - before[what] for what in before}
    assert grown["open files"] <= 0, grown
    assert grown["threads"] <= 0, grown
    assert grown["objects"] < 300, collections.Counter(type(each).__name__ for each in gc.get_objects()).most_common(10)
    assert grown["bytes"] < 200_000, grown
