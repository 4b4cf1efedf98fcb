"""Lists take little longer than a bare keystoneauth loop, glanceclient and openstacksdk: ``tox -e bench`` prints it.

All read the same 10,000 images from the same Glance as the same member, one after the other in one process. CPU is that
of this process, so another program on the machine changes the wall clock but hardly the CPU.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import glanceclient
import openstack.connection
import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from hyperx_glance import Client, Image, ImageQuery
from hyperx_glance.browsing import filters
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.testing import InMemoryCloud
from tests.benchmarks.pages import properties
from tests.benchmarks.records import table
from tests.benchmarks.rows import image_row
from tests.support import glance_rows
from tests.support.clouds import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hyperx_glance.testing import LocalCloud

pytestmark = pytest.mark.local

AMOUNT = 10_000
ROUNDS = 2
GROWING = 4
"""So many requests more a list makes whose pages begin small."""
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Measured(NamedTuple):
    """The best of some rounds: microseconds for each image listed, and the requests of one round."""

    cpu: float
    wall: float
    requests: int
    images: int


class Bench:
    """One member's session, whose requests are counted and timed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.requests = 0
        session.session.hooks["response"].append(self._count)

    def _count(self, *_: object, **__: object) -> None:
        self.requests += 1

    def measure(self, run: Callable[[], int], *, per: int = AMOUNT) -> Measured:
        """Run once; the time is per so many images."""
        self.requests = 0
        wall, cpu = time.perf_counter(), time.process_time()
        images = run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return Measured(cpu / per * 1e6, wall / per * 1e6, self.requests, images)

    def rounds(self, *runs: Callable[[], int]) -> list[list[Measured]]:
        """Run several in turn, some rounds long, so that a slow minute of the machine meets them all."""
        return [[self.measure(run) for run in runs] for _ in range(ROUNDS)]


def _best(rounds: Sequence[Sequence[Measured]]) -> list[Measured]:
    """Keep the best of each."""
    return [
        Measured(min(m.cpu for m in each), min(m.wall for m in each), each[0].requests, each[0].images)
        for each in zip(*rounds, strict=True)
    ]


@pytest.fixture(scope="module")
def bench(local_cloud: LocalCloud) -> Iterator[Bench]:
    """Fill Glance's database: images of dept-a, and public ones of dept-b, all in alice's view."""
    session = local_cloud.session("alice")
    own, other = str(session.get_project_id()), str(local_cloud.session("bob").get_project_id())
    ids = [str(uuid.uuid4()) for _ in range(AMOUNT)]
    glance_rows.insert(local_cloud, (_row(number, image_id, own, other) for number, image_id in enumerate(ids)))
    yield Bench(session)
    glance_rows.remove(local_cloud, ids)


def _row(number: int, image_id: str, own: str, other: str) -> dict[str, Any]:
    return image_row(
        number,
        START - timedelta(seconds=37 * number, microseconds=number),
        id=image_id,
        visibility=("private", "community", "public")[number % 3],
        owner=own if number % 3 == 0 else other,
        disk_format=("qcow2", "raw", "vmdk", "iso")[number % 4],
        tags=["linux" if number % 2 else "windows", f"batch-{number % 10}"],
        properties=properties(number)
        | ({"hyperx_featured": "true"} if number % 30 == 2 else {})
        | ({"hyperx_os_name": "every third"} if number % 3 == 1 else {}),
    )


def _bare(session: Session) -> int:
    """List as the shortest program would."""
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)
    amount, path = 0, "/v2/images?visibility=all&sort=created_at:desc,id:asc&limit=1000"
    while path:
        page = json.loads(adapter.get(path).content)
        amount += len(page["images"])
        path = page.get("next")
    return amount


@pytest.mark.filterwarnings("ignore:The _compute_attributes method")  # openstacksdk warns of its own
def test_listing_costs_little_more_than_a_bare_loop(bench: Bench) -> None:
    client = Client.from_session(bench.session, region_name=REGION)
    elder = glanceclient.Client("2", session=bench.session, region_name=REGION)
    sdk = openstack.connection.Connection(session=bench.session, region_name=REGION)
    bench.measure(lambda: sum(1 for _ in client.images(limit=1)))  # connections, endpoints and models are there

    rounds = bench.rounds(
        lambda: _bare(bench.session),
        lambda: sum(1 for _ in client.images()),
        lambda: sum(1 for _ in client.images(search="benchmark linux")),
        lambda: sum(1 for _ in elder.images.list(filters={"visibility": "all"}, page_size=1000)),
        lambda: sum(1 for _ in sdk.image.images(visibility="all")),
    )
    bare, ours, searched, glance, reference = _best(rounds)

    rows = [("", "CPU us/image", "x bare", "wall us/image", "x bare", "requests", "images")]
    for name, measured in (
        ("bare keystoneauth and json", bare),
        ("hyperx_glance images()", ours),
        ("hyperx_glance quick search", searched),
        ("glanceclient", glance),
        ("openstacksdk images()", reference),
    ):
        rows.append(
            (
                name,
                f"{measured.cpu:.1f}",
                f"{measured.cpu / bare.cpu:.2f}",
                f"{measured.wall:.0f}",
                f"{measured.wall / bare.wall:.2f}",
                str(measured.requests),
                str(measured.images),
            )
        )
    table(f"Listing {AMOUNT} images of a running Glance (best of {ROUNDS})", rows)

    assert {bare.images, ours.images, searched.images, glance.images, reference.images} == {AMOUNT}
    assert ours.requests <= math.ceil(AMOUNT / 1000) + GROWING
    assert ours.cpu <= 1.2 * bare.cpu
    assert ours.cpu <= reference.cpu / 50
    # What else the machine does shows in the wall clock: the better round counts.
    assert min(mine.wall / plain.wall for plain, mine, *_ in rounds) <= 1.1
    assert max(theirs.wall / mine.wall for _, mine, *_, theirs in rounds) >= 3
    assert searched.cpu <= 2 * ours.cpu


@pytest.mark.parametrize(
    ("criteria", "matches"),
    [
        ({"os_distro": "ubuntu"}, 2500),
        ({"tags": {"linux", "batch-3"}}, 1000),
        ({"formats": {"raw", "vmdk"}}, 5000),
        ({"os_distro": "nothing"}, 0),
        ({"view": "featured"}, 334),
    ],
)
def test_a_query_that_glance_evaluates_transfers_only_its_matches(
    bench: Bench, criteria: dict[str, Any], matches: int
) -> None:
    client = Client.from_session(bench.session, region_name=REGION)

    found = bench.measure(lambda: sum(1 for _ in client.images(**criteria)), per=max(matches, 1))
    counted = bench.measure(lambda: client.count(**criteria), per=max(matches, 1))

    print(f"\n{criteria}: {found.images} images in {found.requests} requests, counted in {counted.requests}")
    assert found.images == counted.images == matches
    assert found.requests <= math.ceil(matches / 1000) + GROWING
    assert counted.requests <= math.ceil(matches / 1000) + 1


BEGINNINGS: list[dict[str, Any]] = [
    {"view": "all"},
    {"view": "public"},
    {"view": "private"},
    {"view": "featured"},
    {"kind": "image"},
    {"kind": "image", "view": "public"},
    {"search": "benchmark linux"},
    {"search": "iso"},
    {"name_contains": "7"},
    {"description_contains": "sentence"},
    {"os_name_contains": "linux 3"},
    {"os_name_contains": "third"},
    {"no_tags": {"windows"}},
    {"any_tags": {"batch-3", "batch-4"}},
    {"bootable": True},
    {"os_distro": "ubuntu"},
]
"""Every view of a member, and criteria that are evaluated here, with many and with few matches."""


def test_a_list_begins_as_soon_as_bare_requests_for_the_same_rows(bench: Bench) -> None:
    client = Client.from_session(bench.session, region_name=REGION)
    rows = [("", "wanted", "rows needed", "ours ms", "bare ms", "x bare", "requests")]
    slow = []
    for criteria in BEGINNINGS:
        for wanted in (1, 20):
            needed = _needed(bench.session, client, criteria, wanted)
            # As callers write it: the first of an endless list, or so many.
            query = ImageQuery(**criteria, limit=None if wanted == 1 else wanted)

            def ours(query: ImageQuery = query, wanted: int = wanted) -> int:
                return sum(1 for _ in itertools.islice(client.images(query), wanted))

            def bare(needed: dict[str, int] = needed) -> int:
                return sum(len(_page(bench.session, parameters, amount)) for parameters, amount in needed.items())

            measured = [(bench.measure(ours, per=1), bench.measure(bare, per=1)) for _ in range(7)]
            mine = statistics.median(mine.wall for mine, _ in measured)
            plain = statistics.median(plain.wall for _, plain in measured)
            name = f"{'next' if wanted == 1 else 'limit=20'} {criteria}"
            figures = (f"{mine / 1000:.0f}", f"{plain / 1000:.0f}", f"{mine / plain:.2f}")
            rows.append((name, str(wanted), str(sum(needed.values())), *figures, str(measured[0][0].requests)))
            if mine > 1.5 * plain:
                slow.append(name)
    table("Beginning a list, beside one bare request for each listing (median of 7)", rows)
    assert not slow


def _page(session: Session, parameters: str, amount: int) -> list[dict[str, Any]]:
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)
    images: list[dict[str, Any]] = json.loads(adapter.get(f"/v2/images?{parameters}&limit={amount}").content)["images"]
    return images


def _needed(session: Session, client: Client, criteria: dict[str, Any], wanted: int) -> dict[str, int]:
    """Return how many rows of each listing must be read for the images wanted: up to the last used, and one more."""
    query = ImageQuery(**criteria)
    order = Sorting(query.sort)
    used = list(itertools.islice(client.images(query), wanted))
    last = order.key(used[-1]) if len(used) == wanted else None
    needed = {}
    for listing in filters.listings(query, filters.Viewer(client.project_id, client.is_administrator), order):
        parameters = urlencode([*listing.parameters, ("sort", order.parameter)])
        amount, marker = 0, ""
        while True:
            page = _page(session, parameters + marker, 1000)
            before = [record for record in page if last is None or order.key(Image.model_validate(record)) <= last]
            amount += len(before)
            if len(before) < len(page) or len(page) < 1000:
                break
            marker = f"&marker={page[-1]['id']}"
        needed[parameters] = min(amount + 1, 1000)
    return needed


def test_memory_does_not_grow_with_the_number_of_images() -> None:
    program = [sys.executable, "-m", "tests.benchmarks.pages"]
    few, many = (
        float(subprocess.run([*program, str(amount)], check=True, capture_output=True, text=True).stdout)
        for amount in (1000, 100_000)
    )

    rows = [("images", "MiB"), ("1,000", f"{few:.1f}"), ("100,000", f"{many:.1f}")]
    table("Peak memory of a program that lists so many images", rows)
    assert many - few < 30


def test_import_takes_no_time() -> None:
    # pydantic imports itself when the first model is made.
    bare = "import keystoneauth1.session, pydantic\nclass Model(pydantic.BaseModel): number: int = 0"
    statements = (bare, "import hyperx_glance", "from hyperx_glance import Client")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(15):
        for statement in statements:
            program = f"import time; t = time.perf_counter()\n{statement}\nprint(time.perf_counter() - t)"
            shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
            times[statement].append(float(shown) * 1000)
    medians = {statement: statistics.median(each) for statement, each in times.items()}

    rows = [("", "ms"), *((name.partition("\n")[0], f"{median:.0f}") for name, median in medians.items())]
    table("Imports, median of 15 interpreters; the first makes a model, too", rows)
    assert medians[statements[1]] <= 60
    assert medians[statements[2]] <= medians[bare] + 60


def test_a_client_costs_nothing_until_it_asks() -> None:
    cloud = InMemoryCloud()
    session = cloud.session("alice")
    times = []
    for _ in range(1000):
        start = time.perf_counter()
        Client.from_session(session)
        times.append((time.perf_counter() - start) * 1e6)

    rows = [("median us", "slowest us"), (f"{statistics.median(times):.0f}", f"{max(times):.0f}")]
    table("Client.from_session, 1,000 times", rows)
    assert statistics.median(times) < 1000
    assert cloud.requests == []
