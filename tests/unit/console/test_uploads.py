"""Files that a browser sends through the console: bounded before they are read, streamed, and never half an image."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.testing.console import Console
from hyperx_glance.testing.console.serving import settings_of
from hyperx_glance.testing.console.sessions import MOST_TICKETS, TICKET_SECONDS, Sessions
from hyperx_glance.testing.console.uploads import KEPT_BYTES
from tests.support.waiting import until
from tests.unit.console.visitors import QCOW2, Wire, console, log_in, who

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from hyperx_glance.testing import InMemoryCloud

OCTETS = {"Content-Type": "application/octet-stream"}
IMAGE = {"kind": "image", "name": "fresh"}


def ticket(browser: TestClient, size: int = len(QCOW2), **fields: object) -> str:
    answer = browser.post("/api/uploads", json={**IMAGE, "size": size, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send(browser: TestClient, image_id: str, data: bytes = QCOW2) -> Any:  # noqa: ANN401 - the client's answer
    return browser.put(f"/api/uploads/{image_id}", content=data, headers=OCTETS)


def test_a_file_becomes_an_image_with_the_id_of_its_ticket(cloud: InMemoryCloud, alice: TestClient) -> None:
    image_id = ticket(alice, name="镜像", tags=["base"], password_enabled=True)

    answer = send(alice, image_id)

    assert answer.status_code == 201
    image = answer.json()["image"]
    assert (image["id"], image["name"], image["tags"], image["state"]) == (image_id, "镜像", ["base"], "ACTIVE")
    assert cloud.glance.images[image_id].data == QCOW2
    assert alice.get(f"/api/uploads/{image_id}").status_code == 404


def test_an_iso_has_no_fields_of_an_image(alice: TestClient) -> None:
    answer = alice.post("/api/uploads", json={**IMAGE, "kind": "iso", "size": 5, "password_enabled": True})

    assert (answer.status_code, answer.json()["fields"].keys()) == (422, {"password_enabled"})


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"size": 0}, "size"),
        ({"size": "5"}, "size"),
        ({"size": None}, "size"),
        ({"size": 2**70}, "size"),
        ({"kind": "disk"}, "kind"),
        ({"url": "http://files.example/disk.qcow2"}, "url"),
        ({"file": "/etc/passwd"}, None),
        ({"tags": ["a" * 300]}, "tags"),
    ],
)
def test_a_wrong_form_is_marked_before_the_file_is_sent(
    alice: TestClient, cloud: InMemoryCloud, fields: dict[str, object], wrong: str | None
) -> None:
    answer = alice.post("/api/uploads", json={**IMAGE, "size": 5, **fields})

    if wrong is None:  # the file is always the one that the browser sends
        assert send(alice, answer.json()["id"], b"12345").status_code == 422
    else:
        assert answer.status_code == 422
        assert any(name.startswith(wrong) for name in answer.json()["fields"])
    assert not cloud.glance.images


def test_a_file_for_which_the_department_has_no_room_is_not_sent(alice: TestClient, cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_size_total", "dept-a", 1)
    alice.cookies["language"] = "zh"

    answer = alice.post("/api/uploads", json={**IMAGE, "size": (1 << 20) + 1})

    assert answer.status_code == 409
    assert answer.json()["code"] == "quota-exceeded"
    assert "dept-a" in answer.json()["error"]
    assert ticket(alice, 1 << 20)


def test_a_file_for_which_the_room_is_gone_meanwhile_is_refused_before_it_is_read(
    served: InMemoryCloud, wire: Wire
) -> None:
    """The browser sends the first bytes only: the answer comes without the others."""
    size = 100 << 20
    _, answer = wire.ask("POST", "/api/uploads", {**IMAGE, "size": size})
    served.keystone.set_limit(served.glance, "image_size_total", "dept-a", 5)
    headers = {**OCTETS, "Content-Length": str(size)}

    with wire.sending("PUT", f"/api/uploads/{answer['id']}", headers) as connection:
        connection.send(QCOW2.ljust(256 << 10, b"\0"))
        refused = connection.getresponse()

    assert refused.status == 409
    assert not served.glance.images
    status, outcome = wire.ask("GET", f"/api/uploads/{answer['id']}")
    assert (status, outcome["error"]["code"]) == (200, "quota-exceeded")


def test_a_file_is_streamed_and_only_its_first_bytes_are_kept(served: InMemoryCloud, wire: Wire) -> None:
    size, sent = 24 << 20, 8 << 20
    data = QCOW2.ljust(size, b"\0")
    _, answer = wire.ask("POST", "/api/uploads", {**IMAGE, "size": size})
    headers = {**OCTETS, "Content-Length": str(size)}

    with wire.sending("PUT", f"/api/uploads/{answer['id']}", headers) as connection:
        connection.send(data[:sent])
        until(lambda: answer["id"] in served.glance.images)  # it is begun before the file is whole
        connection.send(data[sent:])
        stored = connection.getresponse()

    assert stored.status == 201
    assert served.glance.images[answer["id"]].data == data
    assert size > KEPT_BYTES * 10


def test_a_browser_that_leaves_in_the_middle_leaves_no_image(served: InMemoryCloud, wire: Wire) -> None:
    size = 8 << 20
    _, answer = wire.ask("POST", "/api/uploads", {**IMAGE, "size": size})

    with wire.sending("PUT", f"/api/uploads/{answer['id']}", {**OCTETS, "Content-Length": str(size)}) as connection:
        connection.send(QCOW2.ljust(2 << 20, b"\0"))
        until(lambda: answer["id"] in served.glance.images)

    until(lambda: not any(image.status != "deleted" for image in served.glance.images.values()))
    until(lambda: wire.ask("GET", f"/api/uploads/{answer['id']}")[1]["error"])


@pytest.mark.parametrize("length", [0, len(QCOW2) - 1, len(QCOW2) + 1])
def test_a_file_of_another_length_is_refused(alice: TestClient, cloud: InMemoryCloud, length: int) -> None:
    answer = send(alice, ticket(alice), QCOW2.ljust(length, b"\0")[:length])

    assert (answer.status_code, answer.json()["code"]) == (400, "wrong-length")
    assert not cloud.glance.images


def test_a_file_of_unknown_length_or_another_type_is_refused(alice: TestClient, cloud: InMemoryCloud) -> None:
    path = f"/api/uploads/{ticket(alice)}"

    assert alice.put(path, content=iter([QCOW2]), headers=OCTETS).status_code == 411
    assert alice.put(path, content=QCOW2, headers={"Content-Type": "application/json"}).status_code == 415
    assert alice.put(path, content=QCOW2, headers={**OCTETS, "X-Console": ""}).status_code == 403
    assert not cloud.glance.images


def test_a_file_that_is_no_image_is_the_field_that_is_marked(alice: TestClient, cloud: InMemoryCloud) -> None:
    page = b"<!doctype html><title>Downloads</title>"

    answer = send(alice, ticket(alice, len(page)), page)

    assert (answer.status_code, answer.json()["fields"].keys()) == (422, {"file"})
    assert not cloud.glance.images


def test_nobody_uses_the_ticket_of_somebody_else(cloud: InMemoryCloud, alice: TestClient) -> None:
    app: Any = alice.app
    image_id, kept = ticket(alice), dict(alice.cookies)
    alice.cookies.clear()
    log_in(alice, cloud, "bob")

    assert send(alice, image_id).json()["code"] == "no-upload"
    assert alice.get(f"/api/uploads/{image_id}").status_code == 404
    assert len(app.state.parts.sessions) == 2
    alice.cookies.clear()
    alice.cookies.update(kept)
    assert send(alice, image_id).status_code == 201


def test_a_ticket_is_good_for_one_file(alice: TestClient) -> None:
    image_id = ticket(alice)

    assert send(alice, image_id).status_code == 201
    assert send(alice, image_id).status_code == 404


def test_a_ticket_runs_out(cloud: InMemoryCloud) -> None:
    now = 0.0
    browser = log_in(console(cloud, sessions=Sessions(clock=lambda: now)), cloud)
    image_id = ticket(browser)

    now = TICKET_SECONDS + 1
    assert send(browser, image_id).json()["code"] == "no-upload"


def test_a_session_has_only_so_many_tickets(alice: TestClient) -> None:
    for _ in range(MOST_TICKETS):
        ticket(alice)

    answer = alice.post("/api/uploads", json={**IMAGE, "size": 5})

    assert (answer.status_code, answer.json()["code"]) == (429, "too-many")


def test_a_reader_uploads_nothing(cloud: InMemoryCloud, browser: TestClient) -> None:
    log_in(browser, cloud, "rita")

    assert send(browser, ticket(browser)).status_code == 403
    assert not cloud.glance.images


def test_a_console_that_ends_does_not_wait_for_a_browser(served: InMemoryCloud) -> None:
    with Console(served.auth("alice")["auth_url"], settings_of(served)) as console:
        wire = Wire(console.url)
        wire.ask("POST", "/api/login", who(served, "alice"))
        _, answer = wire.ask("POST", "/api/uploads", {**IMAGE, "size": 8 << 20})
        headers = {**OCTETS, "Content-Length": str(8 << 20)}
        sending = wire.sending("PUT", f"/api/uploads/{answer['id']}", headers)
        sending.__enter__().send(QCOW2.ljust(2 << 20, b"\0"))
        until(lambda: answer["id"] in served.glance.images)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("console")]
    sending.__exit__(None, None, None)
