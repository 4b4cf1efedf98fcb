"""What a page costs: page 100 beside page 1 on 100,000 images, and a back end's pages beside bare requests.

All is measured on the same Glance as the same member. CPU is that of this process.
"""

from __future__ import annotations

import json
import statistics
import time
import tracemalloc
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.adapter import Adapter

from hyperx_glance import Client, ImageQuery
from tests.benchmarks.records import table
from tests.benchmarks.rows import image_row
from tests.support import glance_rows
from tests.support.clouds import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keystoneauth1.session import Session

    from hyperx_glance.testing import LocalCloud

pytestmark = pytest.mark.local

AMOUNT = 100_000
SIZE = 20
ROUNDS = 5
SESSIONS, THREADS, PAGES = 200, 16, 400
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LISTS: list[dict[str, Any]] = [
    {"view": "all"},
    {"view": "public"},
    {"view": "private"},
    {"view": "featured"},
    {"view": "all", "os_distro": "ubuntu"},
    {"view": "all", "sort": ("updated_at",)},
    {"view": "all", "sort": ("name",)},
    {"view": "public", "sort": ("-name",)},
]


@pytest.fixture(scope="module")
def session(local_cloud: LocalCloud) -> Iterator[Session]:
    """Fill Glance's database with images of different seconds."""
    session = local_cloud.session("alice")
    own, other = str(session.get_project_id()), str(local_cloud.session("bob").get_project_id())
    ids = [str(uuid.UUID(int=number << 64)) for number in range(AMOUNT)]
    glance_rows.insert(local_cloud, (_row(number, image_id, own, other) for number, image_id in enumerate(ids)))
    yield session
    glance_rows.remove(local_cloud, ids)


def _row(number: int, image_id: str, own: str, other: str) -> dict[str, Any]:
    return image_row(
        number,
        START - timedelta(seconds=7 * number),
        id=image_id,
        name=f"image {number:06}",
        visibility=("private", "community", "public", "shared")[number % 4],
        owner=own if number % 2 else other,
        updated_at=START + timedelta(seconds=7 * number),
        tags=[],
        properties={"os_distro": ("ubuntu", "debian")[number // 4 % 2]}
        | ({"hyperx_featured": "true"} if number % 20 == 2 else {}),
    )


class Cost:
    """The cost of calls."""

    def __init__(self, session: Session) -> None:
        self.requests = 0
        self.all: dict[str, list[tuple[int, float, float]]] = {}
        session.session.hooks["response"].append(self._count)

    def _count(self, *_: object, **__: object) -> None:
        self.requests += 1

    def measure(self, name: str, run: Callable[[], object]) -> None:
        self.requests = 0
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.all.setdefault(name, []).append((self.requests, cpu, wall))

    def of(self, name: str) -> tuple[int, float, float]:
        """Return requests, and the medians of CPU and wall time in milliseconds."""
        requests, cpu, wall = zip(*self.all[name], strict=True)
        return max(requests), statistics.median(cpu) * 1000, statistics.median(wall) * 1000


def test_page_100_costs_what_page_1_costs(session: Session) -> None:
    client = Client.from_session(session, region_name=REGION)
    dear = []
    rows: list[tuple[str, ...]] = [
        ("list", "page", "requests", "CPU ms", "wall ms", "x page 1, the dearest of the three")
    ]
    for criteria in LISTS:
        query = ImageQuery(**criteria)
        cursor = client.page(query, size=990).next
        cursor = client.page(query, size=990, cursor=cursor).next
        back = client.page(query, size=SIZE, cursor=cursor).previous
        assert cursor is not None
        assert back is not None
        cost = Cost(session)

        for _ in range(ROUNDS):
            cost.measure("first", lambda query=query: client.page(query, size=SIZE))  # type: ignore[misc]
            cost.measure("later", lambda query=query, at=cursor: client.page(query, size=SIZE, cursor=at))  # type: ignore[misc]
            cost.measure("back", lambda query=query, at=back: client.page(query, size=SIZE, cursor=at))  # type: ignore[misc]

        first = cost.of("first")
        for name in ("later", "back"):
            ratios = [mine / plain for mine, plain in zip(cost.of(name), first, strict=True)]
            shown = (f"{value:.1f}" for value in cost.of(name))
            rows.append((str(criteria), name, *shown, f"{max(ratios):.2f}"))
            if max(ratios) > 1.2:
                dear.append((criteria, name, ratios))
    table(f"Page 100 and the way back beside page 1, on {AMOUNT} images (medians of {ROUNDS})", rows)
    assert not dear


def test_a_back_end_serves_pages_for_little_more_than_bare_requests(local_cloud: LocalCloud, session: Session) -> None:
    """Each web request makes a client of its user's session, as a back end does."""
    sessions = [session, *(local_cloud.session("alice") for _ in range(SESSIONS - 1))]
    for each in sessions:
        each.get_token()
    parameters = f"visibility=all&sort=created_at:desc,id:asc&limit={SIZE + 2}"

    def ours(number: int) -> int:
        client = Client.from_session(sessions[number % SESSIONS], region_name=REGION)
        return len(client.page(size=SIZE).images)

    def bare(number: int) -> int:
        adapter = Adapter(sessions[number % SESSIONS], service_type="image", interface="public", region_name=REGION)
        return len(json.loads(adapter.get(f"/v2/images?{parameters}").content)["images"][:SIZE])

    def served(serve: Callable[[int], int]) -> float:
        cpu = time.process_time()
        with ThreadPoolExecutor(THREADS) as pool:
            assert set(pool.map(serve, range(PAGES))) == {SIZE}
        return (time.process_time() - cpu) / (PAGES) * 1000

    served(bare)
    served(ours)  # connections and models are there
    rounds = [(served(bare), served(ours)) for _ in range(4)]
    tracemalloc.start()
    served(ours)
    before = tracemalloc.get_traced_memory()[0]
    served(ours)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    plain, mine = (min(each) for each in zip(*rounds, strict=True))
    rows = [
        ("CPU ms", "bare", "x bare", f"KiB held by {PAGES} more"),
        (f"{mine:.2f}", f"{plain:.2f}", f"{mine / plain:.2f}", f"{grown / 1024:.0f}"),
    ]
    table(f"A page of {SIZE} for {SESSIONS} sessions in {THREADS} threads", rows)
    assert grown < 1 << 20
    assert mine <= 1.3 * plain
