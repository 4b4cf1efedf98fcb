"""Details of the in-memory Keystone."""

from __future__ import annotations

import pytest

from hyperx_glance import InvalidRequestError
from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import RAW, ask, image


def test_members_can_read_only_their_own_project_and_limits(cloud: InMemoryCloud) -> None:
    own, other = cloud.departments["dept-a"], cloud.departments["dept-b"]

    def status(path: str, user: str = "alice") -> int:
        return ask(cloud, user, "GET", "identity", path).status_code

    assert status("/projects") == status(f"/projects/{other}") == status("/users?name=bob") == 403
    assert status(f"/projects/{own}") == status("/registered_limits") == 200
    assert status(f"/projects/{other}", "admin") == 200
    assert status("/projects/nosuch", "admin") == 404
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 3)
    foreign = ask(cloud, "alice", "GET", "identity", f"/limits?project_id={other}")
    assert (foreign.status_code, foreign.json()["limits"]) == (200, [])
    assert len(ask(cloud, "bob", "GET", "identity", "/limits").json()["limits"]) == 1


def test_a_limit_needs_a_registered_one_of_the_same_region(cloud: InMemoryCloud) -> None:
    services = ask(cloud, "admin", "GET", "identity", "/services?type=image").json()["services"]
    wanted = {
        "service_id": services[0]["id"],
        "region_id": "RegionOne",
        "project_id": cloud.departments["dept-a"],
        "resource_name": "image_count_total",
        "resource_limit": 0,
    }

    def create(**change: object) -> int:
        return ask(cloud, "admin", "POST", "identity", "/limits", {"limits": [{**wanted, **change}]}).status_code

    assert create(region_id=None) == 403
    assert create(resource_limit=-2) == 400
    assert create() == 201
    assert create() == 409
    assert image(cloud, "alice", "POST", "/images", RAW).status_code == 413


def test_limits_of_another_region_are_as_none(cloud: InMemoryCloud) -> None:
    for record in cloud.keystone.registered_limits.values():
        record["region_id"] = None

    refused = image(cloud, "alice", "POST", "/images", RAW)

    assert refused.status_code == 413
    assert "Resource image_count_total is over limit of 0 due to current usage 0 and delta 1" in refused.text


def test_a_limit_of_something_else_than_a_service_is_refused(cloud: InMemoryCloud) -> None:
    with pytest.raises(InvalidRequestError, match="for example cloud\\.glance, not 'glance'"):
        cloud.keystone.set_limit("glance", "image_count_total", "dept-a", 0)  # type: ignore[arg-type]  # what it is about
