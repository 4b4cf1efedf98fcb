"""One image in the console: its buttons, its shares, its data; servers, their passwords and captures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.lists import fill
from tests.support.waiting import until
from tests.unit.console.visitors import QCOW2, URL, console, log_in, told

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from hyperx_glance.testing import InMemoryCloud


def register(browser: TestClient, **fields: object) -> str:
    """Register an image, and return its id when it is ready."""
    started = browser.post("/api/images", json={"kind": "image", "name": "fresh", "url": URL, **fields})
    assert started.status_code == 202, started.text
    image_id = str(started.json()["id"])
    assert told(browser.get("/api/events", params={"image": image_id}))[-2][1]["phase"] == "ready"
    return image_id


def press(browser: TestClient, image_id: str, action: str) -> Any:  # noqa: ANN401 - JSON
    answer = browser.post(f"/api/images/{image_id}/actions", json={"action": action})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_url_is_tested_before_an_image_is_made_of_it(cloud: InMemoryCloud, alice: TestClient) -> None:
    good = alice.post("/api/url-reports", json={"url": URL}).json()
    bad = alice.post("/api/url-reports", json={"url": "http://127.0.0.1/"})

    assert (good["disk_format"], good["problem"], good["size"]) == ("qcow2", None, len(QCOW2))
    assert bad.status_code == 422
    assert bad.json()["fields"].keys() == {"url"}
    assert not cloud.glance.images


def test_fields_are_edited_and_those_that_never_change_are_marked(alice: TestClient) -> None:
    image_id = register(alice)

    row = alice.patch(f"/api/images/{image_id}", json={"description": "新的说明", "tags": ["web"]}).json()
    refused = alice.patch(f"/api/images/{image_id}", json={"url": URL, "name": ""})

    assert (row["image"]["description"], row["image"]["tags"], row["image"]["name"]) == ("新的说明", ["web"], "fresh")
    assert refused.status_code == 422
    assert "url" in refused.json()["fields"]


def test_buttons_do_what_they_say(cloud: InMemoryCloud, alice: TestClient) -> None:
    image_id = register(alice)

    for action, field, value in [
        ("publish", "category", "public"), ("withdraw", "category", "private"), ("disable", "state", "INACTIVE"),
        ("enable", "state", "ACTIVE"), ("protect", "protected", True), ("unprotect", "protected", False),
        ("deprecate", "lifecycle", "deprecated"), ("reinstate", "lifecycle", "current"),
    ]:  # fmt: skip
        row = press(alice, image_id, action)
        assert row["image"][field] == value, action
    forbidden = alice.post(f"/api/images/{image_id}/actions", json={"action": "feature"})
    featured = press(log_in(console(cloud), cloud, "admin"), image_id, "feature")

    assert forbidden.status_code == 403
    assert featured["image"]["category"] == "featured"
    unknown = alice.post(f"/api/images/{image_id}/actions", json={"action": "explode"})
    assert (unknown.status_code, unknown.json()["fields"].keys()) == (422, {"action"})


def test_an_image_is_offered_accepted_and_taken_back(cloud: InMemoryCloud, alice: TestClient) -> None:
    bob = log_in(console(cloud), cloud, "bob")
    image_id, department = register(alice), cloud.departments["dept-b"]

    (share,) = alice.post(f"/api/images/{image_id}/shares", json={"departments": [department]}).json()
    offered = bob.get("/api/images?view=offered").json()["rows"]
    accepted = press(bob, image_id, "accept")
    listed = alice.get(f"/api/images/{image_id}/shares").json()
    declined = press(bob, image_id, "decline")
    left = alice.delete(f"/api/images/{image_id}/shares/{department}").json()

    assert (share["department_id"], share["status"]) == (department, "pending")
    assert [row["image"]["id"] for row in offered] == [image_id]
    assert accepted["image"]["id"] == image_id
    assert listed[0]["status"] == "accepted"
    assert (declined, left) == (None, [])
    assert alice.post(f"/api/images/{image_id}/shares", json={"departments": []}).status_code == 422


def test_an_image_is_saved_under_its_name(alice: TestClient) -> None:
    image_id = register(alice, name='镜像 "1"\r.qcow2'.replace("\r", ""))

    saved = alice.get(f"/api/images/{image_id}/file")
    missing = alice.get("/api/images/7c1/file")

    assert saved.content == QCOW2
    assert saved.headers["Content-Length"] == str(len(QCOW2))
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"].isascii()
    assert saved.headers["Content-Disposition"].endswith("filename*=UTF-8''%E9%95%9C%E5%83%8F%20%221%22.qcow2")
    assert missing.status_code == 404


def test_data_that_is_not_the_image_s_never_looks_whole(cloud: InMemoryCloud, alice: TestClient) -> None:
    image_id = register(alice)
    cloud.glance.images[image_id].data = QCOW2[:-1] + b"x"

    answer = alice.get(f"/api/images/{image_id}/file")

    assert answer.status_code == 502
    assert answer.json()["code"] == "checksum-differs"


def test_a_deletion_tells_which_servers_were_made_of_the_image(alice: TestClient) -> None:
    image_id = register(alice)
    launch = alice.post(f"/api/images/{image_id}/servers", json={"name": "web", "flavor": "m1.tiny"}).json()
    told(alice.get("/api/events", params={"launch": launch["launch_id"]}))

    asked = alice.get(f"/api/images/{image_id}/servers").json()
    deleted = alice.delete(f"/api/images/{image_id}").json()

    assert [server["name"] for server in asked["servers"]] == ["web"]
    assert [server["name"] for server in deleted["servers"]] == ["web"]
    assert alice.get(f"/api/images/{image_id}").status_code == 404


def test_a_form_is_filled_and_the_password_handed_over_once(alice: TestClient) -> None:
    image_id = register(alice, password_enabled=True)

    form = alice.get(f"/api/images/{image_id}/form").json()
    flavor = next(flavor["name"] for flavor in form["flavors"] if flavor["fits"])
    wanted = {"name": "web", "flavor": flavor, "count": 2, "networks": ["net1"], "tags": ["a"], "metadata": {"a": "b"}}
    launched = alice.post(f"/api/images/{image_id}/servers", json=wanted)
    (launch,) = alice.get("/api/launches").json()

    assert launched.status_code == 201
    assert launched.headers["Cache-Control"] == "no-store"
    password = launched.json()["admin_password"]
    assert (len(password), len(set(password)) > 5) == (20, True)
    assert launch["launch_id"] == launched.json()["launch_id"]
    assert [server["name"] for server in launch["servers"]] == ["web-1", "web-2"]
    assert password not in alice.get("/api/launches").text
    assert form.keys() == {"flavors", "networks", "key_pairs", "availability_zones"}


def test_a_launch_is_followed_and_cancelled(cloud: InMemoryCloud, alice: TestClient) -> None:
    image_id = register(alice)
    launched = alice.post(f"/api/images/{image_id}/servers", json={"name": "web", "flavor": "m1.tiny"}).json()

    *_, (name, last), (end, _) = told(alice.get("/api/events", params={"launch": launched["launch_id"]}))
    cancelled = alice.delete(f"/api/launches/{launched['launch_id']}")

    assert (name, last["ended"], last["active"], last["servers"][0]["name"]) == ("launch", True, 1, "web")
    assert end == "end"
    assert cancelled.status_code == 202
    until(lambda: not cloud.nova.servers)


def test_a_password_is_reset_and_returned_once(alice: TestClient) -> None:
    image_id = register(alice)
    alice.post(f"/api/images/{image_id}/servers", json={"name": "web", "flavor": "m1.tiny"})
    (server,) = alice.get("/api/launches").json()[0]["servers"]
    path = f"/api/servers/{server['id']}/password"

    drawn = alice.post(path, json={}).json()["admin_password"]
    chosen = alice.post(path, json={"password": "Correct-Horse-42"}).json()["admin_password"]
    poor = alice.post(path, json={"password": "\x00"})

    assert (len(drawn), chosen) == (20, "Correct-Horse-42")
    assert (poor.status_code, "password" in poor.json()["fields"]) == (422, True)


def test_a_server_of_the_list_is_captured(alice: TestClient) -> None:
    image_id = register(alice)
    alice.post(f"/api/images/{image_id}/servers", json={"name": "web", "flavor": "m1.tiny"})
    (server,) = alice.get("/api/servers").json()["servers"]

    begun = alice.post(f"/api/servers/{server['id']}/captures", json={"name": "web with nginx"})
    events = told(alice.get("/api/events", params={"image": begun.json()["image_id"]}))
    row = alice.get(f"/api/images/{begun.json()['image_id']}").json()
    found = alice.get(f"/api/captures/{begun.json()['capture_id']}").json()

    assert begun.status_code == 202
    assert events[-2][1]["phase"] == "ready"
    assert (row["image"]["name"], row["image"]["captured_from"]) == ("web with nginx", server["id"])
    assert (found["image_id"], found["server_id"]) == (row["image"]["id"], server["id"])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"flavor": "m1.tiny"}, {"name": "该字段必填"}),
        ({"name": "", "flavor": "m1.tiny", "count": 0}, {"name": "不能为空", "count": "不能小于 1"}),
        ({"name": "web", "flavor": "m1.tiny", "count": "two"}, {"count": "必须是整数"}),
        ({"name": "web", "flavour": "m1.tiny"}, {"flavor": "该字段必填", "flavour": "未知字段"}),
        ({"name": "web", "flavor": "m1.tiny", "on_failure": "x"}, {"on_failure": "必须是以下之一：keep、delete"}),
        ({"name": "web", "flavor": "m1.tiny", "networks": 7}, {"networks": "必须是"}),
    ],
)
def test_each_wrong_field_of_a_form_is_marked_in_chinese(
    alice: TestClient, body: dict[str, Any], fields: dict[str, str]
) -> None:
    alice.cookies["language"] = "zh"

    answer = alice.post("/api/images/7c1/servers", json=body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "wrong-request"
    assert answer.json()["fields"].keys() == fields.keys()
    for name, problem in fields.items():
        assert problem in answer.json()["fields"][name]
    assert not re.search(r"Input|should|Field|[a-z]{3,} [a-z]{3,}", answer.json()["error"])


def test_a_rejected_url_is_marked_at_its_own_field(alice: TestClient) -> None:
    wanted = {"kind": "image", "name": "debian", "url": URL}
    wrong = "http://169.254.169.254/SHA256SUMS"

    checksums = alice.post("/api/images", json={**wanted, "checksum_url": wrong})
    image = alice.post("/api/images", json={**wanted, "url": wrong})

    assert (checksums.status_code, checksums.json()["fields"].keys()) == (422, {"checksum_url"})
    assert (image.status_code, image.json()["fields"].keys()) == (422, {"url"})


def test_a_flavor_that_is_too_small_is_the_field_that_is_marked(cloud: InMemoryCloud, alice: TestClient) -> None:
    (image_id,) = fill(cloud, 1, owner="dept-a", disk_format="qcow2", size=1 << 20, min_ram=4096)

    answer = alice.post(f"/api/images/{image_id}/servers", json={"name": "web", "flavor": "m1.tiny"})

    assert (answer.status_code, answer.json()["fields"].keys()) == (422, {"flavor"})
