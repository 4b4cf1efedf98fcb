"""Every kind of thing that a back end does all day, again and again, and what it leaves in its process.

    python -m tests.operations 15

prints what has grown meanwhile, in a process in which nothing else has happened.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import threading
from collections import Counter
from typing import Final, NamedTuple

from hyperx_glance import Client, HyperxGlanceError, LaunchRequest, NewImage
from hyperx_glance.testing import InMemoryCloud
from tests.clouds import HASTY, ClientFactory

_URL: Final = "http://files.example/disk.raw"


class Left(NamedTuple):
    """Count what a process holds: this library's objects by type, open files, threads."""

    objects: Counter[str]
    files: int
    threads: int

    def more_than(self, before: Left) -> dict[str, int]:
        """Say what has grown."""
        grown = dict(self.objects - before.objects)
        return grown | {
            name: number
            for name, number in (("files", self.files - before.files), ("threads", self.threads - before.threads))
            if number > 0
        }


def left() -> Left:
    """Look after the garbage is gone."""
    gc.collect()
    kinds = (type(held) for held in gc.get_objects())
    ours = Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if str(kind.__module__).startswith("hyperx_glance.") and ".testing." not in kind.__module__
    )
    return Left(ours, len(os.listdir("/proc/self/fd")), threading.active_count())  # noqa: PTH208  # the link to itself, too


def work(cloud: InMemoryCloud, times: int) -> None:
    """Let several users do everything so many times; half of the sessions are new each time, as in a web back end."""
    cloud.glance.downloads[_URL] = bytes(2048)
    connect = ClientFactory(cloud, HASTY)
    alice, bob = connect("alice", network=cloud.network), connect("bob", network=cloud.network)
    for number in range(times):
        client = alice if number % 2 else connect("alice", network=cloud.network)
        _once(client, bob)
        # The cloud itself remembers everything.
        cloud.requests.clear()
        for gone in [key for key, image in cloud.glance.images.items() if image.deleted]:
            del cloud.glance.images[gone]


def _once(client: Client, other: Client) -> None:
    image = client.register(NewImage(name="disk", url=_URL, disk_format="raw"))
    image = client.update(image, description="text", category="public")
    next(other.images(view="public"))
    list(itertools.islice(client.images(search="disk"), 1))
    client.tags()
    client.quota()
    launch = client.launch(image, LaunchRequest(name="web", flavor="m1.tiny", count=2))
    client.find_launch(launch.launch_id)
    launch.cancel()
    for verb in (other.disable, other.delete):
        try:
            verb(image)
        except HyperxGlanceError:
            continue
        raise AssertionError(f"{verb} was allowed")
    client.delete(image)


if __name__ == "__main__":
    memory = InMemoryCloud()
    work(memory, 5)
    before = left()
    work(memory, int(sys.argv[1]))
    print(left().more_than(before))
