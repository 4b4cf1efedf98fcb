"""The console under attack: by careless pages, by other sites, and by users who want others' images."""

from __future__ import annotations

import itertools
import json
import logging
import re
import threading
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from hyperx_glance import Pace, PageQuery
from hyperx_glance.testing.timing import scaled
from tests.support.lists import fill
from tests.support.waiting import until
from tests.unit.console.visitors import QCOW2, URL, console, log_in, who

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from hyperx_glance.testing import InMemoryCloud


SECRET = "hunter2-4711"
SIGNED = f"http://user:{SECRET}@files.example/disk.qcow2?signature={SECRET}"
NOBODY = "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90"
LAUNCH = {"name": "web", "flavor": "m1.tiny"}
CHANGES = (
    ("POST", "/api/login"),
    ("POST", "/api/logout"),
    ("POST", "/api/images"),
    ("POST", "/api/url-reports"),
    ("POST", "/api/uploads"),
    ("PATCH", f"/api/images/{NOBODY}"),
    ("POST", f"/api/images/{NOBODY}/actions"),
    ("POST", f"/api/images/{NOBODY}/servers"),
    ("POST", f"/api/servers/{NOBODY}/password"),
)
LARGEST = 112 * 1024


@pytest.fixture(autouse=True)
def files(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[SIGNED] = QCOW2


def refused(answer: Any, *statuses: int) -> str:  # noqa: ANN401 - the test client's library changes its name
    """Check that an answer refuses in words, without a secret; return the words."""
    assert answer.status_code in statuses, answer.text
    assert SECRET not in answer.text
    assert len(answer.text) < 5000
    assert answer.json().keys() >= {"code", "error", "hint", "fields", "explanation", "status"}
    return str(answer.json()["error"])


# ----------------------------------------------------------------- other sites


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Console": ""},
        {"X-Console": "2"},
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://localhost:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_no_other_page_changes_anything(
    alice: TestClient, cloud: InMemoryCloud, method: str, path: str, headers: dict[str, str]
) -> None:
    """Not even one of another port of this machine, to which a browser does send the cookie."""
    before = len(cloud.requests)

    refused(alice.request(method, path, json={"name": "fresh", "url": SIGNED}, headers=headers), 403)

    assert len(cloud.requests) == before
    assert alice.get("/api/me").status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "HTTP://127.0.0.1:8000", None])
def test_pages_of_the_console_are_answered(alice: TestClient, origin: str | None) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"} | ({"Origin": origin} if origin else {})

    assert alice.get("/api/me", headers=headers).status_code == 200
    assert alice.post("/api/url-reports", json={"url": URL}, headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_pages_read_and_load_nothing_but_link_to_the_page(alice: TestClient, site: str) -> None:
    headers = {"Sec-Fetch-Site": site}

    refused(alice.get("/api/images", headers=headers), 403)
    refused(alice.get(f"/api/images/{NOBODY}/file", headers=headers), 403)
    assert alice.get("/", headers=headers).headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "host",
    ["rebound.example", "rebound.example:8000", "127.0.0.1.rebound.example:8000", "", "127.0.0.1:x", "user@127.0.0.1",
     "[::1]:8000", "10.0.0.1:8000", "127.0.0.1:8000/x", "localhost.:8000"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/static/index.html", "/api/start", "/api/images", "/nowhere"])
def test_a_host_that_is_not_loopback_is_not_answered(
    alice: TestClient, cloud: InMemoryCloud, host: str, path: str
) -> None:
    before = len(cloud.requests)

    refused(alice.get(path, headers={"Host": host}), 421)

    assert len(cloud.requests) == before


@pytest.mark.parametrize(
    "path", ["/", "/static/index.html", "/api/start", "/api/images", "/nowhere", "/static/nowhere"]
)
def test_every_answer_says_what_a_browser_may_do_with_it(alice: TestClient, path: str) -> None:
    for answer in alice.get(path), alice.get(path, headers={"Host": "x"}), alice.post(path, json={}), alice.post(path):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = dict(each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert not answer.headers.keys() & {"access-control-allow-origin", "server"}


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/static/../application.py", "/static/%2e%2e/guard.py"]
)
def test_nothing_but_the_page_and_its_routes_is_served(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 404


# ----------------------------------------------------------------- bodies that hold a worker


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json",
                   "application/vnd.api+json", "text/plain; application/json", "application/octet-stream"]
)  # fmt: skip
def test_media_types_that_the_page_does_not_send_are_refused(
    alice: TestClient, cloud: InMemoryCloud, method: str, path: str, media_type: str
) -> None:
    before = len(cloud.requests)
    body = json.dumps({"name": "fresh", "url": SIGNED})

    said = refused(alice.request(method, path, content=body, headers={"Content-Type": media_type}), 415)

    assert "application/json" in said
    assert len(cloud.requests) == before


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"a":' * 20_000, "{", "", "\x00", "\ufeff{}", "NaN", '"\\ud800"', '{"name": "\\ud800"}',
     '{"name": NaN}', '{"name": 1e999999}', '{"name": ' + "9" * 100_000 + "}", '{"name": "a", "name": 1}'],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_a_body_that_is_no_good_json_is_refused(alice: TestClient, method: str, path: str, body: str) -> None:
    answer = alice.request(method, path, content=body.encode(), headers={"Content-Type": "application/json"})

    if path != "/api/logout":  # whatever it is told
        refused(answer, 400, 404, 422)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_body_that_is_too_long_or_of_unknown_length_is_refused(alice: TestClient, method: str, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    for length in str(LARGEST + 1), "9" * 5000:
        refused(alice.request(method, path, content=b"{}", headers={**headers, "Content-Length": length}), 413)
    for odd in "-1", "x", "1_0", "+5":
        refused(alice.request(method, path, content=b"{}", headers={**headers, "Content-Length": odd}), 411)
    refused(alice.request(method, path, content=iter([b"{}"]), headers=headers), 411)
    refused(alice.request(method, path, content=b" " * (LARGEST + 1), headers=headers), 413)


def test_thousands_of_mistakes_are_told_shortly(alice: TestClient) -> None:
    bodies: list[dict[str, object]] = [
        {**LAUNCH, "tags": [1] * 20_000},
        {**LAUNCH, "metadata": {f"k{number}": 1 for number in range(8000)}},
        {**LAUNCH, **{f"k{number}": 1 for number in range(8000)}},
        {**LAUNCH, "x" * 100_000: 1},
    ]
    for body in bodies:
        refused(alice.post(f"/api/images/{NOBODY}/servers", json=body), 422)


# ----------------------------------------------------------------- secrets


def test_no_address_of_the_console_has_room_for_a_secret(browser: TestClient) -> None:
    app: Any = browser.app
    assert isinstance(app, FastAPI)
    queried = {
        (path, parameter["name"])
        for path, methods in app.openapi()["paths"].items()
        for method in methods.values()
        for parameter in method.get("parameters", [])
        if parameter["in"] == "query"
    }
    lists = {(path, name) for path in ("/api/images", "/api/summary") for name in PageQuery.model_fields}
    servers = {("/api/servers", "name"), ("/api/servers", "after")}
    assert queried == lists | servers | {("/api/events", "image"), ("/api/events", "launch")}


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize("key", ["url", "password", "x", ""])
def test_a_secret_in_the_address_of_a_request_that_changes_something_is_refused(
    alice: TestClient, cloud: InMemoryCloud, method: str, path: str, key: str
) -> None:
    body = {"name": "fresh", "url": SIGNED}
    before = len(cloud.requests)

    said = refused(alice.request(method, path, params={"name": "fresh", key: SIGNED}, json=body), 400)

    assert "in the body" in said
    assert len(cloud.requests) == before


def test_an_unknown_word_in_the_address_of_a_list_is_refused(alice: TestClient) -> None:
    assert refused(alice.get("/api/images", params={"url": SIGNED}), 422)


def test_errors_about_a_request_body_do_not_repeat_its_values(alice: TestClient) -> None:
    image = {"kind": "image", "name": "fresh", "url": SIGNED}
    wrong: list[tuple[str, object]] = [
        ("/api/images", {**image, "name": 1}),
        ("/api/images", {**image, "url": [SIGNED]}),
        ("/api/images", {**image, "kind": SECRET}),
        ("/api/images", {**image, "colour": SECRET}),
        ("/api/images", {"kind": "image", "url": SIGNED}),
        ("/api/images", {"kind": "image", "name": "fresh", "file": f"/etc/{SECRET}"}),
        ("/api/images", [SIGNED]),
        ("/api/images", SIGNED),
        ("/api/uploads", {**image, "size": 5}),
        ("/api/uploads", {"kind": "image", "name": "fresh", "size": SECRET}),
        ("/api/url-reports", {"url": [SIGNED]}),
        ("/api/login", {"username": "alice", "password": {"a": SECRET}, "project_name": "dept-a"}),
        ("/api/login", {"username": "alice", "password": SECRET}),
        (f"/api/images/{NOBODY}/servers", {**LAUNCH, "admin_password": [SECRET]}),
        (f"/api/images/{NOBODY}/servers", {**LAUNCH, "user_data": {"a": SECRET}}),
        (f"/api/images/{NOBODY}/servers", {**LAUNCH, "count": SECRET}),
        (f"/api/images/{NOBODY}/servers", {**LAUNCH, "unknown": SECRET}),
        (f"/api/servers/{NOBODY}/password", {"password": [SECRET]}),
    ]
    for path, body in wrong:
        refused(alice.post(path, json=body), 422)


def test_the_secrets_of_a_url_are_neither_told_nor_logged_nor_shown(
    alice: TestClient, cloud: InMemoryCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # the browser's own
    bad = SIGNED.replace("disk.qcow2", "none.qcow2")
    cloud.glance.downloads[bad] = 404

    started = alice.post("/api/images", json={"kind": "image", "name": "fresh", "url": SIGNED})
    failed = alice.post("/api/images", json={"kind": "image", "name": "fresh", "url": bad})
    report = alice.post("/api/url-reports", json={"url": bad})

    assert started.status_code == 202
    refused(failed, 422)
    path = f"/api/images/{started.json()['id']}"
    until(lambda: alice.get(path).json()["image"]["phase"] == "ready")
    for page in (
        alice.get("/api/images"),
        alice.get(path),
        alice.get(f"/api/events?image={started.json()['id']}"),
        report,
    ):
        assert SECRET not in page.text
    assert SECRET not in caplog.text


def test_a_registration_that_fails_later_tells_no_secret(
    cloud: InMemoryCloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.fail("glance", "PUT", "/file$", status=500, body=f"cannot read {SIGNED}", times=None)
    with console(cloud) as browser:
        log_in(browser, cloud)
        started = browser.post("/api/images", json={"kind": "image", "name": "fresh", "url": SIGNED})
        image_id = started.json()["id"]
        until(lambda: "failed" in browser.get(f"/api/events?image={image_id}").text)
        events = browser.get(f"/api/events?image={image_id}")
    row = log_in(console(cloud), cloud).get(f"/api/images/{image_id}")

    assert (started.status_code, row.status_code) == (202, 200)
    for text in started.text, events.text, row.text, caplog.text:
        assert SECRET not in text


def test_no_token_leaves_the_process(
    cloud: InMemoryCloud, browser: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")
    answers = [browser.post("/api/login", json=who(cloud, "alice"))]
    answers += [browser.get(path) for path in ("/api/me", "/api/start", "/api/images", "/api/quota", "/api/launches")]
    answers.append(browser.post("/api/images", json={"kind": "image", "name": "fresh", "url": URL}))
    answers.append(browser.get(f"/api/events?image={answers[-1].json()['id']}"))
    cloud.fail("glance", "GET", "/v2/images$", status=500)
    answers.append(browser.get("/api/images"))

    assert answers[-1].status_code == 503
    assert cloud.keystone.tokens
    for token in cloud.keystone.tokens:
        assert not any(token in answer.text or token in str(answer.headers) for answer in answers)
        assert token not in caplog.text
    assert who(cloud, "alice")["password"] not in caplog.text


# ----------------------------------------------------------------- other users


def test_another_department_s_images_are_not_found(alice: TestClient, cloud: InMemoryCloud) -> None:
    (private,) = fill(cloud, 1, owner="dept-b", visibility="private")

    for path in "", "/form", "/file":
        refused(alice.get(f"/api/images/{private}{path}"), 404)
    refused(alice.post(f"/api/images/{private}/servers", json=LAUNCH), 404)
    refused(alice.delete(f"/api/images/{private}"), 404)
    refused(alice.patch(f"/api/images/{private}", json={"name": "mine"}), 404)
    assert "gone" in alice.get("/api/events", params={"image": private}).text
    assert private not in alice.get("/api/images").text


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(alice: TestClient, cloud: InMemoryCloud) -> None:
    theirs = fill(cloud, 5, owner="dept-b", visibility="private")
    bob = log_in(console(cloud), cloud, "bob")
    cursor = bob.get("/api/images", params={"size": 2}).json()["next"]

    answer = alice.get("/api/images", params={"size": 2, "cursor": cursor})

    assert answer.status_code in (200, 422)
    assert not any(image in answer.text for image in theirs)


@pytest.mark.parametrize(
    "image_id",
    ["%00", "%0d%0aX-Injected:%201", "..%2f..", "%2e%2e", "%252e%252e%252f", "a" * 3000, "%1b[31m", "%ff", "%ed%a0%80",
     "%e2%80%ae", "'", '"<script>', "null", "*", "%20"],
    ids=lambda image_id: repr(image_id[:20]),
)  # fmt: skip
def test_an_id_that_is_none_is_refused_in_words(alice: TestClient, cloud: InMemoryCloud, image_id: str) -> None:
    before = {request.path for request in cloud.requests}
    for path in f"/api/images/{image_id}/servers", f"/api/images/{image_id}/form", f"/api/images/{image_id}/file":
        answer = alice.get(path)
        refused(answer, 404, 422)
        assert answer.headers["Content-Type"] == "application/json"
        assert not any(unicodedata.category(character) == "Cc" for character in answer.text)
    refused(alice.post(f"/api/images/{image_id}/servers", json=LAUNCH), 404, 405, 422)
    asked = {request.path for request in cloud.requests} - before
    assert not any(".." in path for path in asked)


@pytest.mark.parametrize(
    "params",
    [{"search": "\x00"}, {"search": "\r\nX: y"}, {"search": "a" * 50_000}, {"cursor": "\x00"}, {"cursor": "a" * 50_000},
     {"size": -1}, {"size": 10**30}, {"size": "NaN"}, {"view": "\u202e"}, {"cursor": "\U0001f600"}, {"search": "%"}],
    ids=lambda params: repr(params)[:40],
)  # fmt: skip
def test_wild_queries_are_answered_or_refused_in_words(alice: TestClient, params: dict[str, Any]) -> None:
    answer = alice.get("/api/images", params=params)

    assert answer.status_code in (200, 422)
    assert not any(unicodedata.category(character) == "Cc" for character in answer.text)


@pytest.mark.parametrize("name", ["", "\x00", "a" * 300, "\n", "\x1b[31m", "\u202e"], ids=lambda name: repr(name[:9]))
@pytest.mark.parametrize(
    "url", ["", "\x00", "file:///etc/passwd", "http://127.0.0.1/", "http://169.254.169.254/", "x" * 9000]
)
def test_urls_that_lead_inside_are_refused_whatever_the_name(
    alice: TestClient, cloud: InMemoryCloud, name: str, url: str
) -> None:
    refused(alice.post("/api/images", json={"kind": "image", "name": name, "url": url}), 422)
    assert not cloud.glance.images


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=alert(1)>", "\u202ereversed", "a" * 255, '"; filename=x.exe; "', "../../x", "; x", "名"],
)
def test_a_hostile_name_ends_no_header(alice: TestClient, cloud: InMemoryCloud, name: str) -> None:
    (image_id,) = fill(cloud, 1, owner="dept-a", name=name, data=QCOW2, disk_format="qcow2")

    header = alice.get(f"/api/images/{image_id}/file").headers["Content-Disposition"]

    assert re.fullmatch(r"attachment; filename=\"[A-Za-z0-9._+-]+\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+", header)


def test_a_mistake_of_the_console_is_told_without_its_details(
    alice: TestClient, cloud: InMemoryCloud, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object) -> Any:  # noqa: ANN401 - it returns nothing
        raise RuntimeError(SECRET)

    cloud.intercept(explode)
    answer = alice.get("/api/images")
    cloud.intercept(None)

    assert (answer.status_code, answer.json()["code"]) == (500, "mistake")
    assert SECRET not in answer.text
    assert "a request was not answered" in caplog.text


def test_slow_registrations_do_not_keep_others_from_answers(cloud: InMemoryCloud) -> None:
    """There are more of them than FastAPI has threads, and none gets on until all have begun."""
    cloud.glance.imports_stall = True
    gate = threading.Event()

    def sleep(_: float) -> None:
        gate.wait(scaled(60))

    days = itertools.count(1e6, 1e5)  # one a look, so that a wait that begins after the gate opened ends, too
    pace = Pace(sleep=sleep, clock=lambda: next(days) if gate.is_set() else 0.0)
    with console(cloud, pace) as browser:
        try:
            log_in(browser, cloud)
            body = {"kind": "image", "name": "fresh", "url": URL}
            started = [browser.post("/api/images", json=body) for _ in range(45)]
            page = browser.get("/api/images", params={"size": 100})
        finally:
            gate.set()

    assert {answer.status_code for answer in started} == {202}
    assert len(page.json()["rows"]) == 45
