"""The index of 100,000 images on a running Glance: a rare word, 16 threads, 4 processes, refresh, rebuild, size.

INDEX_AMOUNT=10000 is a quick run. The figures of the page "Performance" are those of the whole.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.adapter import Adapter

from hyperx_glance import CatalogueIndex, Client
from tests.benchmarks.pages import properties
from tests.benchmarks.records import table
from tests.benchmarks.rows import image_row
from tests.support import glance_rows
from tests.support.clouds import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keystoneauth1.session import Session

    from hyperx_glance.testing import LocalCloud

pytestmark = pytest.mark.local

AMOUNT = int(os.environ.get("INDEX_AMOUNT", "100000"))
OWN = 50
THREADS, PROCESSES, PAGES = 16, 4, 400
ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIB = 1 << 20


def _row(number: int, image_id: str, own: str, other: str) -> dict[str, Any]:
    mine = number < OWN
    rare = {"description": "麒麟 rare-word"} if number % (AMOUNT // 10) == 7 else {}
    return image_row(
        number,
        START - timedelta(seconds=37 * number),
        id=image_id,
        visibility=("private", "shared")[number % 2] if mine else ("community", "public")[number % 2],
        owner=own if mine else other,
        disk_format=("qcow2", "raw", "vmdk", "iso")[number % 4],
        tags=["linux", f"batch-{number % 100}"],
        properties=properties(number) | rare,
    )


@pytest.fixture(scope="module")
def session(local_cloud: LocalCloud) -> Iterator[Session]:
    """Fill Glance's database: public and community images of dept-b, and a few of dept-a's own."""
    session = local_cloud.session("alice")
    own, other = str(session.get_project_id()), str(local_cloud.session("bob").get_project_id())
    ids = [str(uuid.UUID(int=number << 64 | 7)) for number in range(AMOUNT)]
    glance_rows.insert(local_cloud, (_row(number, image_id, own, other) for number, image_id in enumerate(ids)))
    yield session
    glance_rows.remove(local_cloud, ids)


class Counted:
    """A count of the requests of a session."""

    def __init__(self, session: Session) -> None:
        self.requests = 0
        session.session.hooks["response"].append(self._count)

    def _count(self, *_: object, **__: object) -> None:
        self.requests += 1


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds of wall time and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return wall * 1000, cpu * 1000


def resident() -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@pytest.fixture(scope="module")
def index(local_cloud: LocalCloud, session: Session, tmp_path_factory: pytest.TempPathFactory) -> CatalogueIndex:
    del session  # its images are there
    path = tmp_path_factory.mktemp("index") / "images.sqlite"
    filler = Client.from_session(local_cloud.session("rita"), region_name=REGION)
    counted = Counted(filler.cloud.session)
    index = CatalogueIndex(filler, path=path)
    before = resident()
    rows: list[tuple[str, ...]] = [("", "wall ms", "CPU ms", "requests")]
    for name in ("first build", "refresh without news"):
        counted.requests = 0
        wall, cpu = timed(index.refresh)
        rows.append((name, f"{wall:.0f}", f"{cpu:.0f}", str(counted.requests)))
    assert counted.requests <= 2
    with CatalogueIndex(filler, path=path, rebuild_after=0) as again:
        counted.requests = 0
        wall, cpu = timed(again.refresh)
        rows.append(("rebuild", f"{wall:.0f}", f"{cpu:.0f}", str(counted.requests)))
    size = sum(each.stat().st_size for each in path.parent.iterdir()) / MIB
    grown = resident() - before
    rows += [("file MiB", f"{size:.0f}", "", ""), ("memory MiB", f"{grown:.0f}", "", "")]
    table(f"Filling an index of {AMOUNT} images", rows)
    assert index.state.images == AMOUNT - OWN
    assert size <= 150 * AMOUNT / 100_000 + 10
    assert grown <= 150
    return index


def test_a_rare_word_is_found_while_one_types(session: Session, index: CatalogueIndex) -> None:
    client = Client.from_session(session, region_name=REGION)
    counted = Counted(session)
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)

    def bare() -> None:
        path = "/v2/images?visibility=all&sort=created_at:desc,id:asc&limit=22"
        assert len(json.loads(adapter.get(path).content)["images"]) == 22

    asked: list[tuple[str, dict[str, Any], int]] = [
        ("a rare word", {"search": "rare-word"}, 4),
        ("no match", {"search": "nowhere"}, 4),
        ("麒麟", {"search": "麒麟"}, 4),
        ("a word of every image", {"search": "benchmark"}, 4),
        ("a rare word, view public", {"search": "rare-word", "view": "public"}, 2),
        ("a rare word, view featured", {"search": "rare-word", "view": "featured"}, 2),
        ("part of a system's name", {"os_name_contains": "linux 3"}, 4),
    ]
    client.page(search="nothing", view="private")  # names of departments are there
    bare()
    walls, cpus = zip(*(timed(bare) for _ in range(20)), strict=True)
    plain = statistics.median(cpus)
    rows = [("", "p50 ms", "p95 ms", "CPU ms", "x bare", "requests")]
    rows.append(("bare request", f"{statistics.median(walls):.0f}", f"{max(walls):.0f}", f"{plain:.1f}", "1.00", "1"))
    slow = []
    for name, criteria, most in asked:
        index.page(client, **criteria)
        counted.requests = 0
        walls, cpus = zip(*(timed(lambda c=criteria: index.page(client, **c)) for _ in range(20)), strict=True)  # type: ignore[misc]
        each, cpu, p95 = counted.requests / 20, statistics.median(cpus), sorted(walls)[18]
        figures = f"{statistics.median(walls):.0f}", f"{p95:.0f}", f"{cpu:.1f}", f"{cpu / plain:.2f}", f"{each:.1f}"
        rows.append((name, *figures))
        # The time is Glance's, which takes as long for the user's own images as for any list of this size.
        if cpu > 50 or each > most:
            slow.append(name)
    for name, run in (
        ("count()", lambda: index.count(client)),
        ("count(search)", lambda: index.count(client, search="rare-word")),
        ("summary()", lambda: index.summary(client)),
        ("tags()", lambda: index.tags(client)),
    ):
        wall, cpu = timed(run)
        rows.append((name, f"{wall:.0f}", "", f"{cpu:.0f}", f"{cpu / plain:.2f}", ""))
    table(f"Pages of an index of {AMOUNT} images", rows)
    assert not slow


def a_second(one: Callable[[int], object]) -> float:
    """Return how often 16 threads do something in a second."""
    one(0)
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(PAGES)))
    return PAGES / (time.perf_counter() - began)


PROGRAM = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from hyperx_glance import CatalogueIndex, Client
order = json.loads(sys.argv[1])
client = Client.from_session(Session(v3.Token(order["auth_url"], token=order["token"], project_id=order["project"])),
                             region_name=order["region"])
index = CatalogueIndex(client, path=order["path"])
index.page(client, search="rare-word")
began = time.perf_counter()
with ThreadPoolExecutor(4) as pool:
    found = set(pool.map(lambda _: len(index.page(client, search="rare-word").images), range(order["pages"])))
print(json.dumps([time.perf_counter() - began, sorted(found)]))
"""


def test_threads_and_processes_share_a_file(local_cloud: LocalCloud, session: Session, index: CatalogueIndex) -> None:
    client = Client.from_session(session, region_name=REGION)
    counted = Counted(session)
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)
    ids = [image.id for image in index.page(client, search="rare-word").images]
    assert len(ids) == 10

    def bare(_: int) -> None:
        """Ask once for the ten records of a page."""
        assert len(json.loads(adapter.get(f"/v2/images?id=in:{','.join(ids)}&visibility=all").content)["images"]) == 10

    rows: list[tuple[str, ...]] = [("16 threads", "pages a second", "CPU ms a page", "requests a second")]
    bare_rate = a_second(bare)
    rows.append(("bare requests for ten records", "", "", f"{bare_rate:.0f}"))
    shares = {}
    for view in ("public", "all"):
        counted.requests, cpu = 0, time.process_time()
        rate = a_second(lambda _, view=view: index.page(client, search="rare-word", view=view))  # type: ignore[misc]
        cpu = (time.process_time() - cpu) * 1000 / PAGES
        asked = rate * counted.requests / (PAGES + 1)
        rows.append((f"a rare word, view {view}", f"{rate:.0f}", f"{cpu:.1f}", f"{asked:.0f}"))
        shares[view] = asked / bare_rate
        assert cpu <= 1000 / 50
    path = index._opened().path  # noqa: SLF001  # the benchmark's own
    order = {
        "auth_url": local_cloud.auth("alice")["auth_url"],
        "token": session.get_token(),
        "project": session.get_project_id(),
        "region": REGION,
        "path": str(path),
        "pages": PAGES // PROCESSES,
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(order)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(PROCESSES)]
    said = [json.loads(worker.communicate(timeout=300)[0]) for worker in workers]
    assert all(found == [10] for _, found in said)
    several = PAGES / max(seconds for seconds, _ in said)
    rows.append((f"{PROCESSES} processes of 4 threads, view all", f"{several:.0f}", "", ""))
    table("Pages of a rare word from one file of the index", rows)
    # Glance is one process here, and sets the rate; the user's own images take it longer than those of a page.
    assert shares["public"] >= 0.8


def test_inactive_and_few_tags_are_filtered_by_glance(session: Session) -> None:
    client = Client.from_session(session, region_name=REGION)
    counted = Counted(session)
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)
    status = "in:queued,saving,uploading,importing,deactivated"

    def bare() -> None:
        path = f"/v2/images?visibility=all&status={status}&sort=created_at:desc,id:asc&limit=1000"
        assert json.loads(adapter.get(path).content)["images"] == []

    def ours() -> None:
        assert list(client.images(state="INACTIVE")) == []

    bare()
    ours()
    counted.requests = 0
    ours()
    requests = counted.requests
    plain = statistics.median(timed(bare)[0] for _ in range(10))
    mine = statistics.median(timed(ours)[0] for _ in range(10))
    counted.requests = 0
    assert list(client.images(any_tags=["none-1", "none-2"])) == []
    tagged = counted.requests
    rows = [
        ("", "requests", "wall ms", "x bare"),
        ("bare status=in:", "1", f"{plain:.0f}", "1.00"),
        ("state INACTIVE", str(requests), f"{mine:.0f}", f"{mine / plain:.2f}"),
        ("any_tags of two", str(tagged), "", ""),
    ]
    table(f"Criteria without a match, which Glance filters, on {AMOUNT} images", rows)
    assert requests == 1
    assert tagged <= 4
    assert mine <= 1.3 * plain
