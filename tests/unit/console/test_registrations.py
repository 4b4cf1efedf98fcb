"""Registrations and captures that take their time: unfinished, cancelled, continued, failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hyperx_glance import Pace
from hyperx_glance.testing.console import Console
from tests.support.lists import fill
from tests.support.waiting import until
from tests.unit.console.visitors import QCOW2, URL, Wire, console, log_in, told, who

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from hyperx_glance.testing import InMemoryCloud

HASTE = Pace(sleep=lambda seconds: time.sleep(seconds / 50), clock=lambda: time.monotonic() * 50)
"""A clock that runs fifty times as fast, and does run, so that a wait for what stands still is a real one."""
IMAGE = {"kind": "image", "name": "fresh", "url": URL}


def begin(browser: TestClient, **fields: object) -> str:
    answer = browser.post("/api/images", json={**IMAGE, **fields})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_a_registration_that_is_not_finished_is_listed_and_cancelled_by_another_console(cloud: InMemoryCloud) -> None:
    cloud.glance.imports_stall = True
    with console(cloud, HASTE) as first:
        image_id = begin(log_in(first, cloud))
        second = log_in(console(cloud), cloud)
        (row,) = second.get("/api/registrations").json()
        cancelled = second.delete(f"/api/registrations/{image_id}")

        assert (row["image"]["id"], row["image"]["phase"]) == (image_id, "downloading")
        assert (cancelled.status_code, cancelled.content) == (204, b"")
        assert second.get(f"/api/images/{image_id}").status_code == 404
        # The console that has begun it knows why it is gone, the other one only that it is.
        assert [name for name, _ in told(second.get(f"/api/events?image={image_id}"))] == ["gone", "end"]
        until(lambda: "failed" in first.get(f"/api/events?image={image_id}").text)


def test_a_console_that_ends_leaves_a_registration_that_another_one_continues(cloud: InMemoryCloud) -> None:
    cloud.glance.imports_stall = True
    with console(cloud, HASTE) as first:
        image_id = begin(log_in(first, cloud))
        first.app.state.parts.closing.set()  # type: ignore[attr-defined]  # Ctrl-C
    cloud.glance.imports_stall = False

    with console(cloud) as second:
        log_in(second, cloud)
        resumed = second.post(f"/api/registrations/{image_id}", json={})
        *_, (name, last), _ = told(second.get(f"/api/events?image={image_id}"))

    assert (resumed.status_code, resumed.json()) == (202, {"id": image_id})
    assert (name, last["phase"]) == ("image", "ready")


def test_a_registration_that_fails_stays_in_the_list_with_its_reason(cloud: InMemoryCloud, alice: TestClient) -> None:
    answers = iter([QCOW2])
    cloud.glance.downloads[URL] = lambda: next(answers, b"<!doctype html><title>Moved</title>")
    image_id = begin(alice)

    events = told(alice.get(f"/api/events?image={image_id}"))
    until(lambda: alice.get(f"/api/images/{image_id}").json()["image"]["failure"])
    row = alice.get(f"/api/images/{image_id}").json()

    assert events[-1][0] == "end"
    assert row["image"]["failure"] == "The URL leads to an HTML page, not to a file."
    in_chinese = alice.get(f"/api/images/{image_id}", headers={"Accept-Language": "zh"}).json()
    assert in_chinese["image"]["failure"] == "URL 指向的是 HTML 网页，而不是文件。"
    assert (row["image"]["phase"], row["image"]["state"]) == ("failed", "INACTIVE")
    assert "edit" in row["allowed"]
    assert row["why_not"]["launch"]
    assert alice.delete(f"/api/images/{image_id}").status_code == 200


def test_a_quota_without_room_is_told_before_anything_is_begun(cloud: InMemoryCloud, alice: TestClient) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-a", 0)

    answer = alice.post("/api/images", json=IMAGE)

    assert (answer.status_code, answer.json()["code"]) == (409, "quota-exceeded")
    assert not cloud.glance.images


def test_a_capture_is_cancelled(cloud: InMemoryCloud) -> None:
    (image_id,) = fill(cloud, 1, owner="dept-a", disk_format="qcow2", size=len(QCOW2), data=QCOW2)
    with console(cloud, HASTE) as browser:
        log_in(browser, cloud)
        browser.post(f"/api/images/{image_id}/servers", json={"name": "web", "flavor": "m1.tiny"})
        (server,) = browser.get("/api/launches").json()[0]["servers"]
        cloud.nova.snapshots_stall = True
        begun = browser.post(f"/api/servers/{server['id']}/captures", json={"name": "captured"}).json()

        answer = browser.delete(f"/api/captures/{begun['capture_id']}")

        assert (answer.status_code, answer.json()) == (202, {"capture_id": begun["capture_id"]})
        until(lambda: browser.get(f"/api/images/{begun['image_id']}").status_code == 404)
    assert len(cloud.nova.servers) == 1


def test_the_console_of_a_test_cloud_has_its_users_and_its_administrator_as_the_steward(served: InMemoryCloud) -> None:
    fill(served, 1, owner="dept-b", visibility="community", hyperx_created_by=served.users["bob"])
    with Console.of(served) as opened:
        wire = Wire(opened.url)
        people = wire.ask("GET", "/api/start")[1]["people"]
        wire.ask("POST", "/api/login", who(served, "alice"))
        (row,) = wire.ask("GET", "/api/images")[1]["rows"]

    assert [person["username"] for person in people] == list(served.users)
    assert row["owner"] == "dept-b"
    assert "edit" in row["allowed"]
