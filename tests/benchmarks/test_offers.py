"""What a list of offers costs beside bare requests, also for a department with many shared images of its own.

Glance cannot leave a department's own images out of a list by the answer of a member, and "shared" is what it makes of
an image that names no visibility. So a department with 5,000 of these reads them, too.
"""

from __future__ import annotations

import json
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.adapter import Adapter

from hyperx_glance import Client
from tests.benchmarks.records import table
from tests.benchmarks.rows import image_row
from tests.support import glance_rows
from tests.support.clouds import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keystoneauth1.session import Session

    from hyperx_glance.testing import LocalCloud

pytestmark = pytest.mark.local

OFFERS, OWN, ROUNDS = 20, 5_000, 7
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OFFERED = "/v2/images?visibility=shared&member_status=pending&sort=created_at:desc,id:asc"


@pytest.fixture(scope="module")
def offered(local_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """Offer images of dept-b to dept-a, which has many shared ones, and to dept-c, which has none."""
    alice, bob, carol = (str(local_cloud.session(user).get_project_id()) for user in ("alice", "bob", "carol"))
    waiting = {alice: "pending", carol: "pending"}
    rows = [_row(number, bob, waiting) for number in range(OFFERS)]
    rows += [_row(number, alice, {}) for number in range(OWN)]
    glance_rows.insert(local_cloud, rows)
    yield local_cloud
    glance_rows.remove(local_cloud, [str(row["id"]) for row in rows])


def _row(number: int, owner: str, members: dict[str, str]) -> dict[str, Any]:
    created = START - timedelta(seconds=37 * number, microseconds=number)
    return image_row(number, created, id=str(uuid.uuid4()), visibility="shared", owner=owner, members=members)


def _bare(session: Session, limit: int) -> int:
    """List as the shortest program would."""
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)
    own, amount = session.get_project_id(), 0
    path: str | None = f"{OFFERED}&limit={limit}"
    while path:
        page = json.loads(adapter.get(path).content)
        amount += sum(1 for image in page["images"] if image["owner"] != own)
        path = page.get("next") if limit == 1000 else None
    return amount


def _seconds(run: Callable[[], int]) -> float:
    begin = time.perf_counter()
    assert run() == OFFERS
    return time.perf_counter() - begin


def test_a_list_of_offers_costs_little_more_than_bare_requests(offered: LocalCloud) -> None:
    rows: list[tuple[str, ...]] = [("list of 20 offers", "ms", "bare ms", "times")]
    ratios = []
    for title, user, limit in (
        ("one page, of a department without shared images", "carol", OFFERS),
        ("whole, of a department with 5,000 shared images of its own", "alice", 1000),
    ):
        session = offered.session(user)
        client = Client.from_session(session, region_name=REGION)

        def ours(client: Client = client, limit: int = limit) -> int:
            if limit == OFFERS:
                return len(client.page(view="offered", size=OFFERS).images)
            return sum(1 for _ in client.images(view="offered"))

        def bare(session: Session = session, limit: int = limit) -> int:
            return _bare(session, limit)

        ours(), bare()  # connections, endpoints and models are there
        measured = [(_seconds(ours), _seconds(bare)) for _ in range(ROUNDS)]
        mine, plain = (statistics.median(each) for each in zip(*measured, strict=True))
        rows.append((title, f"{mine * 1e3:.0f}", f"{plain * 1e3:.0f}", f"{mine / plain:.2f}"))
        ratios.append(min(first / second for first, second in measured))
    table("A list of offers, beside bare requests (median of 7)", rows)

    assert max(ratios) <= 1.3
