"""Cancel captures and registrations at any moment, and see that each gives its place in the quota back."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from hyperx_glance import HyperxGlanceError, NewCapture, NewImage
from tests.local import captures
from tests.local.crashes import slow
from tests.support import glance_rows, launches
from tests.support.clouds import unique
from tests.support.registrations import disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance import Registration
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory
    from tests.support.file_server import FileServer

PAUSES: Final = (0, 0, 0.02, 0.1, 0.3)
"""How long a capture or a registration goes on before it is cancelled, in seconds."""


def _burn() -> None:
    for _ in itertools.count():
        pass


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Keep every processor busy with other work, which makes each window larger."""
    context = multiprocessing.get_context("spawn")
    burners = [context.Process(target=_burn, daemon=True) for _ in range(os.cpu_count() or 1)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.join()


class Places:
    """A comparison of the quota's count with the lists and with the database."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._session = cloud.session("alice")
        self._before = self._unlisted()
        self._rows = glance_rows.lost(cloud)

    def assert_none_is_lost(self) -> None:
        """Fail if the department's quota counts more than before of what no list shows."""
        assert self._unlisted() - self._before == 0
        assert glance_rows.lost(self._cloud) - self._rows == set()

    def _unlisted(self) -> int:
        owner, listed = self._session.get_project_id(), 0
        for hidden in ("false", "true"):
            path = f"/v2/images?limit=1000&owner={owner}&visibility=all&os_hidden={hidden}"
            listed += len(self._session.get(path, endpoint_filter=launches.IMAGES).json()["images"])
        usage = self._session.get("/v2/info/usage", endpoint_filter=launches.IMAGES).json()["usage"]
        counted: int = usage["image_count_total"]["usage"]
        return counted - listed


def cancel_captures(cloud: LocalCloud, client: ClientFactory, backing: str, *, rounds: int) -> float:
    """Cancel captures of one server; return how long the longest cancellation took."""
    server, places = captures.captured_server(cloud, client, backing), Places(cloud)
    alice, dice, longest = client("alice"), random.Random(rounds), 0.0
    for _ in range(rounds):
        capture = alice.start_capture(server.id, NewCapture(name=unique("cancelled")))
        time.sleep(dice.choice(PAUSES))
        began = time.monotonic()
        capture.cancel()
        longest = max(longest, time.monotonic() - began)
        assert captures.records(cloud, capture.capture_id) == []
        places.assert_none_is_lost()
        assert captures.is_unharmed(server)
    assert captures.leftovers(cloud) == {"volumes": [], "snapshots": []}
    return longest


def cancel_registrations(
    cloud: LocalCloud, client: ClientFactory, server: FileServer, *, rounds: int
) -> tuple[float, Counter[str]]:
    """Cancel registrations of every kind; return the time of the longest one, and the errors of the waiting callers."""
    places, dice, longest = Places(cloud), random.Random(rounds), 0.0
    outcomes: Counter[str] = Counter()
    kinds = [(transfer, held) for transfer in ("import", "stream") for held in (False, True)]
    for number in range(rounds):
        transfer, is_held = kinds[number % len(kinds)]
        held = slow(server) if is_held else None
        new = NewImage(name=unique("cancelled"), url=held.url if held else disk(server), disk_format="qcow2")
        registration = client("alice", transfer=transfer).start_registration(new)
        # About as long as the registration runs before it is cancelled.
        release = threading.Timer(dice.choice(PAUSES) + dice.random() / 20, held.release if held else lambda: None)
        release.start()
        waiting = threading.Thread(target=_wait, args=(registration, outcomes))
        waiting.start()
        time.sleep(dice.choice(PAUSES))
        began = time.monotonic()
        registration.cancel()
        longest = max(longest, time.monotonic() - began)
        waiting.join(timeout=60)
        release.join()
        assert not waiting.is_alive()
        places.assert_none_is_lost()
    return longest, outcomes


def _wait(registration: Registration, outcomes: Counter[str]) -> None:
    try:
        registration.wait()
        outcomes["ready before it was cancelled"] += 1
    except HyperxGlanceError as error:
        outcomes[type(error).__name__] += 1
