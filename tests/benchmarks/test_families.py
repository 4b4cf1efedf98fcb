"""The latest release of a department's family is found by one request, with a thousand releases as with ten.

Beside a bare request for the same record, on the same Glance, as the same member.
"""

from __future__ import annotations

import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from hyperx_glance import Client
from hyperx_glance.models.releases import release_id
from tests.benchmarks.records import table
from tests.support import glance_rows
from tests.support.clouds import REGION, own_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import LocalCloud

pytestmark = pytest.mark.local

AMOUNTS = (10, 1000)
ROUNDS = 41
MOST = 1.3
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=AMOUNTS)
def releases(request: pytest.FixtureRequest, local_cloud: LocalCloud) -> Iterator[tuple[Session, str, int]]:
    """Fill Glance's database with releases of a family, of which the latest is shown."""
    session, amount = own_session(local_cloud.session("alice")), int(request.param)
    family, project = f"debian-{uuid.uuid4().hex[:8]}", str(session.get_project_id())
    rows = [_row(family, project, number, latest=number == amount - 1) for number in range(amount)]
    glance_rows.insert(local_cloud, rows)
    yield session, family, amount
    glance_rows.remove(local_cloud, [str(row["id"]) for row in rows])


def _row(family: str, project: str, number: int, *, latest: bool) -> dict[str, Any]:
    created = START + timedelta(hours=number)
    return {
        "id": release_id(project, family, f"12.{number}", 0),
        "name": "Debian 12" if latest else f"Debian 12 (12.{number})",
        "status": "active", "visibility": "community", "owner": project, "disk_format": "qcow2",
        "container_format": "bare", "size": 1 << 30, "protected": False, "os_hidden": not latest,
        "created_at": created, "updated_at": created, "tags": ["nightly"],
        "properties": {
            "hyperx_family": family, "hyperx_version": f"12.{number}", "hyperx_release_name": "Debian 12",
            "hyperx_released_at": f"{created:%Y-%m-%dT%H:%M:%SZ}", "os_distro": "debian",
        },
    }  # fmt: skip


def test_the_latest_is_one_request_and_little_more_than_a_bare_one(releases: tuple[Session, str, int]) -> None:
    session, family, amount = releases
    client, owner = Client.from_session(session, region_name=REGION), str(session.get_project_id())
    adapter = Adapter(session, service_type="image", interface="public", region_name=REGION)
    path = f"/v2/images?visibility=all&owner={owner}&hyperx_family={family}&status=active&limit=1000"
    sent: list[object] = []
    session.session.hooks["response"].append(lambda response, *_, **__: sent.append(response))

    def ours() -> str:
        return client.latest(family, owner=owner).version

    def bare() -> str:
        return str(adapter.get(path).json()["images"][0]["hyperx_version"])

    assert ours() == bare() == f"12.{amount - 1}"  # connections, endpoints and models are there
    sent.clear()
    ours()
    assert len(sent) == 1
    times = [(_seconds(ours), _seconds(bare)) for _ in range(ROUNDS)]

    mine, plain = (statistics.median(each) for each in zip(*times, strict=True))
    rows = [("releases", "ours ms", "bare ms", "x bare", "requests")]
    rows.append((str(amount), f"{mine * 1000:.1f}", f"{plain * 1000:.1f}", f"{mine / plain:.2f}", "1"))
    table("The latest release of a family, beside a bare request (median of 41)", rows)
    assert mine <= MOST * plain


def _seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin
