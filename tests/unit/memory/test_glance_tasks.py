"""The task service of the in-memory Glance: what administrators create and list (the tour compares the words)."""

from __future__ import annotations

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import RAW, URL, image, new_image, start_import

DATA = b"x" * 1024


def create(cloud: InMemoryCloud, **given: object) -> dict[str, object]:
    cloud.glance.downloads.setdefault(URL, DATA)  # a host that nobody resolves
    body = {"type": "import", "input": {"import_from": URL, "import_from_format": "raw", **given}}
    answer = image(cloud, "admin", "POST", "/tasks", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def finished(cloud: InMemoryCloud, task_id: object) -> dict[str, object]:
    for _ in range(5):
        task: dict[str, object] = image(cloud, "admin", "GET", f"/tasks/{task_id}").json()
        if task["status"] in ("success", "failure"):
            return task
    raise AssertionError(task)


def test_a_task_makes_an_image_from_a_url(cloud: InMemoryCloud) -> None:
    task = finished(cloud, create(cloud, image_properties=RAW)["id"])

    assert (task["status"], task["type"]) == ("success", "import")
    made = image(cloud, "admin", "GET", f"/images/{task['result']['image_id']}").json()  # type: ignore[index]
    assert (made["name"], made["status"], made["size"]) == ("disk", "active", len(DATA))


def test_the_times_of_a_task_have_a_zone_and_no_fractions(cloud: InMemoryCloud) -> None:
    task = create(cloud, image_properties=RAW)

    for key in ("created_at", "updated_at"):
        assert str(task[key]).endswith("Z")
        assert "." not in str(task[key])


@pytest.mark.parametrize(
    "given", [{"image_properties": {"disk_format": "floppy"}}, {}, {"image_properties": RAW, "import_from": f"{URL}x"}]
)
def test_a_task_that_cannot_succeed_fails_and_leaves_the_cloud_whole(
    cloud: InMemoryCloud, given: dict[str, object]
) -> None:
    cloud.glance.downloads[f"{URL}x"] = 404

    task = finished(cloud, create(cloud, **given)["id"])

    assert task["status"] == "failure"
    assert task["message"]


def test_a_stalled_task_stays_as_it_is(cloud: InMemoryCloud) -> None:
    cloud.glance.imports_stall = True
    task = create(cloud, image_properties=RAW)

    for _ in range(3):
        assert image(cloud, "admin", "GET", f"/tasks/{task['id']}").json()["status"] == "pending"


def test_pages_of_tasks_lead_through_all_of_them_once(cloud: InMemoryCloud) -> None:
    made = {create(cloud, image_properties=RAW)["id"] for _ in range(5)}
    page = image(cloud, "admin", "GET", "/tasks?limit=2").json()
    found = [task["id"] for task in page["tasks"]]
    while "next" in page:
        page = image(cloud, "admin", "GET", page["next"].removeprefix("/v2")).json()
        found += [task["id"] for task in page["tasks"]]

    assert len(found) == 5
    assert set(found) == made


def test_tasks_of_imports_are_in_the_list_beside_created_ones(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[URL] = DATA
    start_import(cloud, new_image(cloud))
    create(cloud, image_properties=RAW)

    tasks = image(cloud, "admin", "GET", "/tasks").json()["tasks"]

    assert {task["type"] for task in tasks} == {"api_image_import", "import"}
    chosen = image(cloud, "admin", "GET", "/tasks?type=import").json()["tasks"]
    assert [task["type"] for task in chosen] == ["import"]


@pytest.mark.parametrize(
    "body", [{}, {"type": "import"}, {"type": "x", "input": {}}, [], {"type": "import", "input": 5}]
)
def test_a_wrong_task_is_refused_and_not_kept(cloud: InMemoryCloud, body: object) -> None:
    assert image(cloud, "admin", "POST", "/tasks", body).status_code == 400
    assert cloud.glance.tasks == {}


def test_members_have_no_task_service(cloud: InMemoryCloud) -> None:
    body = {"type": "import", "input": {"import_from": URL, "import_from_format": "raw", "image_properties": RAW}}

    assert image(cloud, "alice", "POST", "/tasks", body).status_code == 403
    assert image(cloud, "alice", "GET", "/tasks").status_code == 403
