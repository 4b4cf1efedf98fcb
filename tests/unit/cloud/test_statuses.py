"""The statuses that Glance's schema knows: read once an hour, and never trusted blindly."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import Client, Pace, ServiceUnavailableError, Settings
from tests.support.lists import fill, lists

if TYPE_CHECKING:
    from collections.abc import Callable

    from keystoneauth1.session import Session

    from hyperx_glance.testing import InMemoryCloud

SCHEMA = "/v2/schemas/image"
ASKED = "in:queued,saving,uploading,importing,deactivated"


def schemas(cloud: InMemoryCloud) -> int:
    return sum(request.path == SCHEMA for request in cloud.requests)


def inactive(
    cloud: InMemoryCloud, session: Session | None = None, clock: Callable[[], float] = time.monotonic
) -> list[str]:
    session = session or cloud.session("alice")
    client = Client.from_session(session, settings=Settings(pace=Pace(clock=clock)))
    return [image.name for image in client.images(state="INACTIVE")]


def test_inactive_without_a_match_is_one_list_however_many_images_there_are(hyperx_cloud: InMemoryCloud) -> None:
    fill(hyperx_cloud, 300)

    assert inactive(hyperx_cloud) == []
    (asked,) = lists(hyperx_cloud)
    assert asked["status"] == ASKED


def test_a_status_of_a_later_release_is_not_lost(hyperx_cloud: InMemoryCloud) -> None:
    hyperx_cloud.glance.statuses.append("quarantined")
    hyperx_cloud.glance.add_image(owner="dept-a", name="suspect", status="quarantined")

    assert inactive(hyperx_cloud) == ["suspect"]
    assert lists(hyperx_cloud)[0]["status"] == f"{ASKED},quarantined"


def test_clients_of_one_session_read_the_schema_once_an_hour(hyperx_cloud: InMemoryCloud) -> None:
    session = hyperx_cloud.session("alice")
    for now, read in ((0.0, 1), (3600.0, 1), (3601.0, 2), (3601.0, 2), (5.0, 3)):
        inactive(hyperx_cloud, session, lambda now=now: now)  # type: ignore[misc]  # the time of this round
        assert schemas(hyperx_cloud) == read


def test_other_lists_read_no_schema(hyperx_cloud: InMemoryCloud) -> None:
    client = Client.from_session(hyperx_cloud.session("alice"))
    list(client.images(state="ACTIVE"))
    list(client.images())

    assert schemas(hyperx_cloud) == 0


@pytest.mark.parametrize("status", [400, 403, 404])
def test_without_a_schema_every_image_is_read(hyperx_cloud: InMemoryCloud, status: int) -> None:
    hyperx_cloud.fail("glance", "GET", SCHEMA, status=status, times=None)
    hyperx_cloud.glance.add_image(owner="dept-a", name="new", status="queued")

    session = hyperx_cloud.session("alice")
    assert inactive(hyperx_cloud, session) == inactive(hyperx_cloud, session) == ["new"]
    assert all("status" not in asked for asked in lists(hyperx_cloud))
    assert schemas(hyperx_cloud) == 1


def test_a_schema_that_fails_for_a_moment_is_asked_again(hyperx_cloud: InMemoryCloud) -> None:
    hyperx_cloud.fail("glance", "GET", SCHEMA, status=500)
    hyperx_cloud.glance.add_image(owner="dept-a", name="new", status="queued")

    session = hyperx_cloud.session("alice")
    assert inactive(hyperx_cloud, session) == inactive(hyperx_cloud, session) == ["new"]
    assert ["status" in asked for asked in lists(hyperx_cloud)][-1]


def test_a_glance_out_of_reach_fails_at_once(hyperx_cloud: InMemoryCloud) -> None:
    hyperx_cloud.cut("glance", "GET", ".*", times=None)

    with pytest.raises(ServiceUnavailableError):
        inactive(hyperx_cloud)
    assert lists(hyperx_cloud) == []


@pytest.mark.parametrize(
    "schema",
    [
        [],
        {},
        {"properties": []},
        {"properties": {"status": {"type": "string"}}},
        {"properties": {"status": {"enum": ["queued"]}}},
        {"properties": {"status": {"enum": ["active", "in,valid"]}}},
        {"properties": {"status": {"enum": ["active", None]}}},
        {"properties": {"status": {"enum": ["active", "x" * 31]}}},
        {"properties": {"status": {"enum": ["active", *map(str, range(50))]}}},
        {"properties": {"status": {"enum": "active"}}},
        {"properties": {"status": {"enum": ["active"]}}},
    ],
)
def test_a_schema_of_another_shape_says_nothing(hyperx_cloud: InMemoryCloud, schema: Any) -> None:  # noqa: ANN401
    hyperx_cloud.fail("glance", "GET", SCHEMA, status=200, body=schema, times=None)
    hyperx_cloud.glance.add_image(owner="dept-a", name="new", status="queued")

    assert inactive(hyperx_cloud) == ["new"]
    assert "status" not in lists(hyperx_cloud)[0]
