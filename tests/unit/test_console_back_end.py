"""The back end of the guide, on an in-memory cloud, as a browser uses it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from hyperx_glance import Settings
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.lists import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance import Pace

EXAMPLE = Path(__file__).parents[2] / "docs" / "guide" / "console_back_end.py"
URL = "http://files.example/disk.qcow2"


@pytest.fixture
def cloud() -> Iterator[InMemoryCloud]:
    with InMemoryCloud() as cloud:
        cloud.glance.downloads[URL] = samples.data("disk.qcow2")
        yield cloud


def worker(cloud: InMemoryCloud, pace: Pace | None = None) -> TestClient:
    """Start a process of the back end: none knows what another one holds."""
    spec = importlib.util.spec_from_file_location("console_back_end", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = Settings(pace=pace or cloud.pace, network=cloud.network)
    return TestClient(module.create_app(cloud.auth("alice")["auth_url"], settings))


def login(browser: TestClient, cloud: InMemoryCloud, user: str = "alice") -> dict[str, str]:
    known = cloud.auth(user)
    who = {"username": known["username"], "password": known["password"], "project_name": known["project_name"]}
    answer = browser.post("/login", json={**who, "domain_id": known["user_domain_id"]}).json()
    return {"X-Auth-Token": answer["token"], "X-Project-Id": answer["project_id"]}


def test_pages_are_turned_by_any_worker(cloud: InMemoryCloud) -> None:
    expected = fill(cloud, 5, visibility="community", owner="dept-b")
    first, second = worker(cloud), worker(cloud)
    headers = login(first, cloud)

    page = first.get("/images", params={"size": 3, "view": "public"}, headers=headers).json()
    rest = second.get("/images", params={"size": 3, "view": "public", "cursor": page["next"]}, headers=headers).json()

    assert [row["id"] for row in [*page["rows"], *rest["rows"]]] == expected
    assert (page["previous"], rest["next"]) == (None, None)
    assert "launch" in page["rows"][0]["allowed"]
    assert page["rows"][0]["why_not"]["delete"]


def test_a_registration_is_followed_by_any_worker(cloud: InMemoryCloud) -> None:
    second = worker(cloud)
    with worker(cloud) as first:  # at its end, it waits for its registrations
        headers = login(first, cloud)
        started = first.post("/images", json={"name": "fresh", "url": URL}, headers=headers)

    progress = second.get(f"/images/{started.json()['id']}/progress", headers=headers).json()

    assert started.status_code == 202
    assert (progress["phase"], progress["bytes_done"]) == ("ready", len(samples.data("disk.qcow2")))


def test_a_form_is_filled_and_the_password_handed_over_once(cloud: InMemoryCloud) -> None:
    (image_id,) = fill(cloud, 1, owner="dept-a", hyperx_password_enabled="true", disk_format="qcow2", size=1 << 20)
    browser = worker(cloud)
    headers = login(browser, cloud)

    form = browser.get(f"/images/{image_id}/form", headers=headers).json()
    flavor = next(flavor["name"] for flavor in form["flavors"] if flavor["fits"])
    launched = browser.post(f"/images/{image_id}/servers", json={"name": "web", "flavor": flavor}, headers=headers)

    assert launched.status_code == 201
    assert launched.headers["Cache-Control"] == "no-store"
    assert len(set(launched.json()["admin_password"])) > 5
    assert len(launched.json()["admin_password"]) == 20
    assert [server.name for server in cloud.nova.servers.values()] == ["web"]


@pytest.mark.parametrize(
    ("path", "params", "status", "told"),
    [
        ("/images", {"cursor": "nonsense"}, 422, "another query"),
        ("/images", {"size": 5000}, 422, "1 and 1000"),
        ("/images", {"view": "everything"}, 403, "administrators"),
        ("/images/0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90/progress", {}, 404, "0d2b7a52"),
    ],
)
def test_errors_are_told_in_words(
    cloud: InMemoryCloud, path: str, params: dict[str, Any], status: int, told: str
) -> None:
    browser = worker(cloud)

    answer = browser.get(path, params=params, headers=login(browser, cloud))

    assert answer.status_code == status
    assert told in answer.json()["error"]


def test_a_wrong_password_is_told_as_such(cloud: InMemoryCloud) -> None:
    known = cloud.auth("alice")
    who = {"username": known["username"], "password": "wrong", "project_name": known["project_name"]}

    answer = worker(cloud).post("/login", json={**who, "domain_id": known["user_domain_id"]})

    assert answer.status_code == 401
    assert "wrong" not in answer.text
