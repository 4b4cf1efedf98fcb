"""The events of the console: what is sent, when it ends, and how often the cloud is asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hyperx_glance.testing.console import events
from hyperx_glance.testing.console.events import LOOKS_A_SECOND, MOST_FOLLOWED
from hyperx_glance.testing.console.sessions import MOST_STREAMS
from tests.support.lists import fill
from tests.support.waiting import until
from tests.unit.console.visitors import QCOW2, Wire, told

if TYPE_CHECKING:
    import http.client

    from fastapi.testclient import TestClient

    from hyperx_glance.testing import InMemoryCloud


def looks(cloud: InMemoryCloud, image_id: str) -> int:
    return sum(request.path.endswith(image_id) for request in cloud.requests)


def event_of(answer: http.client.HTTPResponse) -> str:
    """Read one event."""
    lines = []
    while (line := answer.readline()) not in (b"", b"\n"):
        lines.append(line)
    assert lines, "the stream has ended"
    return b"".join(lines).decode()


def test_all_that_has_ended_is_told_once_and_the_stream_ends(cloud: InMemoryCloud, alice: TestClient) -> None:
    ready, disabled, failed = (
        *fill(cloud, 1, owner="dept-a"),
        *fill(cloud, 1, owner="dept-a", status="deactivated"),
        *fill(cloud, 1, owner="dept-a", status="queued", hyperx_failure="no such host"),
    )

    answer = alice.get("/api/events", params={"image": [ready, disabled, failed, "7c1"]})
    events = told(answer)

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert [(name, data.get("phase")) for name, data in events] == [
        ("image", "ready"), ("image", "disabled"), ("image", "failed"), ("gone", None), ("end", None)
    ]  # fmt: skip
    assert events[2][1]["explanation"] == "no such host"


def test_a_stream_follows_not_too_much(alice: TestClient) -> None:
    ids = [f"id-{number}" for number in range(MOST_FOLLOWED + 1)]

    assert told(alice.get("/api/events")) == [("end", {})]
    assert alice.get("/api/events", params={"image": ids}).status_code == 422
    assert alice.get("/api/events", params={"image": ids[:-5], "launch": ids[-5:]}).status_code == 429


def test_a_stream_tells_what_changes_and_ends_with_the_image(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="importing")

    with wire.sending("GET", f"/api/events?image={image_id}", {}) as connection:
        answer = connection.getresponse()
        first = event_of(answer)
        served.glance.images[image_id].status = "active"
        rest = answer.read().decode()

    assert '"phase": "downloading"' in first
    assert '"phase": "ready"' in rest
    assert rest.endswith("event: end\ndata: {}\n\n")


def test_the_cloud_is_asked_at_most_so_often(served: InMemoryCloud, wire: Wire) -> None:
    images = fill(served, 10, owner="dept-a", status="saving")
    query = "&".join(f"image={image_id}" for image_id in images)
    with wire.sending("GET", f"/api/events?{query}", {}) as connection:
        answer = connection.getresponse()
        for _ in images:
            event_of(answer)
        before, began = len(served.requests), time.monotonic()
        time.sleep(2.2)
        asked, passed = len(served.requests) - before, time.monotonic() - began

    assert asked <= LOOKS_A_SECOND * passed + len(images)


def test_a_session_has_only_so_many_streams_and_gets_them_back(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="saving")
    path = f"/api/events?image={image_id}"
    streams = [wire.sending("GET", path, {}) for _ in range(MOST_STREAMS)]
    for stream in streams:
        event_of(stream.__enter__().getresponse())

    status, error = wire.ask("GET", path)
    for stream in streams:
        stream.__exit__(None, None, None)

    assert (status, error["code"]) == (429, "too-many")
    served.glance.images[image_id].status = "active"

    def answers() -> bool:
        with wire.sending("GET", path, {}) as connection:
            return connection.getresponse().status == 200

    until(answers)


def test_a_page_that_is_left_is_not_looked_for_any_more(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="saving")
    with wire.sending("GET", f"/api/events?image={image_id}", {}) as connection:
        event_of(connection.getresponse())

    def is_quiet() -> bool:
        before = looks(served, image_id)
        time.sleep(2 * events.LOOK_SECONDS)
        return looks(served, image_id) == before

    until(is_quiet)


def test_pages_that_are_left_at_once_take_no_stream_away(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="saving")
    path = f"/api/events?image={image_id}"
    for _ in range(3 * MOST_STREAMS):
        with wire.sending("GET", path, {}):
            pass
    served.glance.images[image_id].status = "active"

    def answers() -> bool:
        with wire.sending("GET", path, {}) as connection:
            return connection.getresponse().status == 200

    until(answers)


def test_a_log_out_ends_the_streams(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="saving")
    with wire.sending("GET", f"/api/events?image={image_id}", {}) as connection:
        answer = connection.getresponse()
        event_of(answer)
        assert wire.ask("POST", "/api/logout", {})[0] == 204
        rest = answer.read().decode()

    assert "session-ended" in rest


def test_an_ended_token_of_keystone_ends_the_streams(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="saving")
    with wire.sending("GET", f"/api/events?image={image_id}", {}) as connection:
        answer = connection.getresponse()
        event_of(answer)
        served.keystone.expire_tokens()
        rest = answer.read().decode()

    assert '"status": 401' in rest
    assert wire.ask("GET", "/api/me")[0] == 401


def test_a_service_that_fails_for_a_moment_is_told_and_the_stream_goes_on(served: InMemoryCloud, wire: Wire) -> None:
    (image_id,) = fill(served, 1, owner="dept-a", status="saving")
    with wire.sending("GET", f"/api/events?image={image_id}", {}) as connection:
        answer = connection.getresponse()
        event_of(answer)
        served.fail("glance", "GET", image_id, status=503, times=10)
        failed = event_of(answer)
        served.glance.images[image_id].status = "active"
        rest = answer.read().decode()

    assert failed.startswith("event: failed")
    assert '"status": 503' in failed
    assert '"phase": "ready"' in rest


def test_the_bytes_that_this_process_transfers_are_told(served: InMemoryCloud, wire: Wire) -> None:
    size = 6 << 20
    data = QCOW2.ljust(size, b"\0")
    _, ticket = wire.ask("POST", "/api/uploads", {"kind": "image", "name": "x", "size": size})
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}

    with wire.sending("PUT", f"/api/uploads/{ticket['id']}", headers) as sending:
        sending.send(data[: size // 2])
        until(lambda: ticket["id"] in served.glance.images)
        with wire.sending("GET", f"/api/events?image={ticket['id']}", {}) as connection:
            answer = connection.getresponse()
            seen = [event_of(answer)]
            while '"bytes_done": null' in seen[-1]:
                seen.append(event_of(answer))
            sending.send(data[size // 2 :])
            sending.getresponse().read()
            rest = answer.read().decode()

    assert f'"bytes_expected": {size}' in seen[-1]
    assert '"phase": "ready"' in rest
