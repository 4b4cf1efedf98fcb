"""Kill a releasing process at each of its requests, and read the latest beside releases; nothing is ever missing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from hyperx_glance.models.releases import version_order
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support.clouds import login
from tests.support.interference import Interference
from tests.support.releases import family, names, nightly, released, settled

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

ROOT = Path(__file__).parents[2]
HERTZ = 20
Moment = Literal["before", "after"]


def number_of_requests(client: ClientFactory) -> int:
    """Count the requests of a release beside an older one."""
    of, alice = family(), client()
    released(alice, of, "1")
    between = Interference(alice)
    released(alice, of, "2", category="public")
    return len(between.seen)


def survive_a_killed_releaser(
    local_cloud: LocalCloud, client: ClientFactory, folder: Path, number: int, moment: Moment
) -> bool:
    """Kill a releaser at a request; return whether it came so far."""
    of, alice = family(), client()
    path = folder / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))
    first = alice.release(nightly(of, category="public"), family=of, version="1")
    auth = login(local_cloud, "alice")
    order = {"auth": auth, "family": of, "version": "2", "file": str(path), "die": [number, moment]}

    process = subprocess.run(
        [sys.executable, "-m", "tests.local.releaser", json.dumps(order)],
        cwd=ROOT, capture_output=True, text=True, timeout=scaled(120), check=False,
    )  # fmt: skip
    assert process.returncode in (0, -signal.SIGKILL), process.stderr
    seen = client("bob").latest(of, owner=alice.project_id)
    assert (seen.version, seen.state) in (("1", "ACTIVE"), ("2", "ACTIVE"))
    assert alice.image(of).id == seen.id

    again = alice.release(nightly(of, category="public"), family=of, version="2")

    assert client("bob").latest(of, owner=alice.project_id).id == again.id
    assert names(alice, of) == settled(of, "2", "1")
    records = [image.version for image in alice.images(family=of, hidden=None)]
    assert sorted(records) == ["1", "2"]
    for image in (first, again):
        alice.delete(image)
    return process.returncode != 0


@dataclass
class Reader:
    """A reader that looks for the latest twenty times a second, by its family and by its name."""

    client: Client
    of: str
    owner: str
    versions: list[str] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    """How many images had the plain name at each look."""
    errors: list[Exception] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.versions.append(self.client.latest(self.of, owner=self.owner).version)
                params = {"name": self.of, "owner": self.owner, "visibility": "all"}
                answer: dict[str, Any] = self.client.cloud.get("image", "/images", params=params).json()
                self.named.append(len(answer["images"]))
            except Exception as error:  # noqa: BLE001  # the test judges it
                self.errors.append(error)
            self._stop.wait(max(0.0, 1 / HERTZ - (time.monotonic() - began)))


def read_beside_releases(client: ClientFactory, amount: int) -> Reader:
    """Release so many versions beside a reader, and see that every look found a latest that was never older."""
    of, alice = family(), client()
    released(alice, of, "0", category="public")
    with Reader(client("bob"), of, alice.project_id) as reader:
        for number in range(1, amount + 1):
            alice.release(nightly(of, category="public"), family=of, version=str(number), keep=3)
    assert reader.errors == []
    assert len(reader.versions) > amount
    assert reader.versions == sorted(reader.versions, key=version_order)
    assert 0 not in reader.named
    assert max(reader.named) <= 2
    assert alice.latest(of).version == str(amount)
    return reader
