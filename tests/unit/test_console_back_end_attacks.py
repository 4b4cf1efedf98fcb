"""The back end of the guide under attack: by careless pages, by other sites, and by users who want others' images."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from hyperx_glance import Pace, PageQuery
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support.lists import fill
from tests.support.waiting import until
from tests.unit.test_console_back_end import login, worker

if TYPE_CHECKING:
    from collections.abc import Iterator


SECRET = "hunter2-4711"
SIGNED = f"http://user:{SECRET}@files.example/disk.qcow2?signature={SECRET}"
NOBODY = "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90"
LAUNCH = {"name": "web", "flavor": "m1.tiny"}
POSTS = ("/login", "/images", f"/images/{NOBODY}/servers")
LARGEST = 112 * 1024


@pytest.fixture
def cloud() -> Iterator[InMemoryCloud]:
    with InMemoryCloud() as cloud:
        for url in SIGNED, "http://files.example/disk.qcow2":
            cloud.glance.downloads[url] = samples.data("disk.qcow2")
        yield cloud


@pytest.fixture
def browser(cloud: InMemoryCloud) -> Iterator[TestClient]:
    with worker(cloud) as browser:  # at its end, it waits for its registrations
        yield browser


@pytest.fixture
def alice(browser: TestClient, cloud: InMemoryCloud) -> dict[str, str]:
    return login(browser, cloud)


def refused(answer: Any, *statuses: int) -> str:  # noqa: ANN401 - the test client's library changes its name
    """Check that an answer refuses in words, without a secret; return the words."""
    assert answer.status_code in statuses, answer.text
    assert SECRET not in answer.text
    assert len(answer.text) < 5000
    told = answer.json()
    return str(told.get("error") or told["detail"])


# ----------------------------------------------------------------- secrets


def test_no_address_of_the_back_end_has_room_for_a_secret(browser: TestClient) -> None:
    paths = browser.get("/openapi.json").json()["paths"]
    queried = {
        (path, parameter["name"])
        for path, methods in paths.items()
        for method in methods.values()
        for parameter in method.get("parameters", [])
        if parameter["in"] == "query"
    }
    assert queried == {("/images", name) for name in PageQuery.model_fields}
    assert not {name for _, name in queried} & {"url", "password", "admin_password", "token"}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("key", ["url", "password", "x", ""])
def test_a_secret_in_the_address_of_a_request_that_changes_something_is_refused(
    browser: TestClient, cloud: InMemoryCloud, alice: dict[str, str], path: str, key: str
) -> None:
    body = {"name": "fresh", "url": SIGNED}
    before = len(cloud.requests)

    told = refused(browser.post(path, params={"name": "fresh", key: SIGNED}, json=body, headers=alice), 400)

    assert "in the body" in told
    assert len(cloud.requests) == before


def test_an_unknown_word_in_the_address_of_a_list_is_refused(browser: TestClient, alice: dict[str, str]) -> None:
    assert refused(browser.get("/images", params={"url": SIGNED}, headers=alice), 422)


def test_errors_about_a_request_body_do_not_repeat_its_values(browser: TestClient, alice: dict[str, str]) -> None:
    wrong: list[tuple[str, object]] = [
        ("/images", {"name": 1, "url": SIGNED}),
        ("/images", {"name": "fresh", "url": [SIGNED]}),
        ("/images", {"url": SIGNED}),
        ("/images", {"name": "fresh", "url": SIGNED, "owner": SECRET}),
        ("/images", {"name": "fresh", "file": f"/etc/{SECRET}"}),
        ("/images", [SIGNED]),
        ("/images", SIGNED),
        ("/login", {"username": "alice", "password": {"a": SECRET}, "project_name": "dept-a"}),
        ("/login", {"username": "alice", "password": SECRET}),
        (f"/images/{NOBODY}/servers", {**LAUNCH, "admin_password": [SECRET]}),
        (f"/images/{NOBODY}/servers", {**LAUNCH, "user_data": {"a": SECRET}}),
        (f"/images/{NOBODY}/servers", {**LAUNCH, "count": SECRET}),
        (f"/images/{NOBODY}/servers", {**LAUNCH, "unknown": SECRET}),
    ]
    for path, body in wrong:
        refused(browser.post(path, json=body, headers=alice), 422)


def test_the_secrets_of_a_url_are_neither_told_nor_logged_nor_shown(
    browser: TestClient, cloud: InMemoryCloud, alice: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # the browser's own
    bad = SIGNED.replace("disk.qcow2", "none.qcow2")
    cloud.glance.downloads[bad] = 404

    started = browser.post("/images", json={"name": "fresh", "url": SIGNED}, headers=alice)
    failed = browser.post("/images", json={"name": "fresh", "url": bad}, headers=alice)

    assert started.status_code == 202
    refused(failed, 422)
    path = f"/images/{started.json()['id']}/progress"
    until(lambda: browser.get(path, headers=alice).json()["phase"] == "ready")
    for page in browser.get("/images", headers=alice), browser.get(path, headers=alice):
        assert SECRET not in page.text
    assert SECRET not in caplog.text


def test_a_registration_that_fails_later_tells_no_secret(
    cloud: InMemoryCloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.fail("glance", "PUT", "/file$", status=500, body=f"cannot read {SIGNED}", times=None)
    with worker(cloud) as browser:
        alice = login(browser, cloud)
        started = browser.post("/images", json={"name": "fresh", "url": SIGNED}, headers=alice)
    progress = worker(cloud).get(f"/images/{started.json()['id']}/progress", headers=alice)

    assert (started.status_code, progress.status_code) == (202, 200)
    assert "registration of" in caplog.text
    for text in started.text, progress.text, caplog.text:
        assert SECRET not in text


@pytest.mark.parametrize("path", ["/login", "/images", "/nowhere", f"/images/{NOBODY}/progress", "/openapi.json"])
def test_no_browser_or_proxy_keeps_an_answer(browser: TestClient, alice: dict[str, str], path: str) -> None:
    for answer in browser.get(path, headers=alice), browser.post(path, json={}, headers=alice), browser.post(path):
        assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_runs_scripts_of_another_site(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 404


# ----------------------------------------------------------------- other sites, and bodies that hold a worker


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json",
                   "application/vnd.api+json", "text/plain; application/json"]
)  # fmt: skip
def test_media_types_that_forms_of_other_sites_can_send_are_refused(
    browser: TestClient, cloud: InMemoryCloud, alice: dict[str, str], path: str, media_type: str
) -> None:
    before = len(cloud.requests)
    body = json.dumps({"name": "fresh", "url": SIGNED})

    told = refused(browser.post(path, content=body, headers={**alice, "Content-Type": media_type}), 415)

    assert "application/json" in told
    assert len(cloud.requests) == before


def test_no_cookie_logs_anybody_in(browser: TestClient, alice: dict[str, str]) -> None:
    browser.cookies.update(alice)

    refused(browser.get("/images"), 422)
    assert not browser.get("/images", headers=alice).headers.get("Set-Cookie")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"a":' * 20_000, "{", "", "\x00", "\ufeff{}", "NaN", '"\\ud800"', '{"name": "\\ud800"}',
     '{"name": NaN}', '{"name": 1e999999}', '{"name": ' + "9" * 100_000 + "}", '{"name": "a", "name": 1}'],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_a_body_that_is_no_good_json_is_refused(
    browser: TestClient, alice: dict[str, str], path: str, body: str
) -> None:
    answer = browser.post(path, content=body.encode(), headers={**alice, "Content-Type": "application/json"})

    refused(answer, 400, 422)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_too_long_or_of_unknown_length_is_refused(
    browser: TestClient, alice: dict[str, str], path: str
) -> None:
    headers = {**alice, "Content-Type": "application/json"}
    for length in str(LARGEST + 1), "9" * 5000:
        refused(browser.post(path, content=b"{}", headers={**headers, "Content-Length": length}), 413)
    for odd in "-1", "x", "1_0", "+5":
        refused(browser.post(path, content=b"{}", headers={**headers, "Content-Length": odd}), 411)
    refused(browser.post(path, content=iter([b"{}"]), headers=headers), 411)
    refused(browser.post(path, content=b" " * (LARGEST + 1), headers=headers), 413)


def test_thousands_of_mistakes_are_told_shortly(browser: TestClient, alice: dict[str, str]) -> None:
    bodies: list[dict[str, object]] = [
        {**LAUNCH, "tags": [1] * 20_000},
        {**LAUNCH, "metadata": {f"k{number}": 1 for number in range(8000)}},
        {**LAUNCH, **{f"k{number}": 1 for number in range(8000)}},
        {**LAUNCH, "x" * 100_000: 1},
    ]
    for body in bodies:
        refused(browser.post(POSTS[2], json=body, headers=alice), 422)


# ----------------------------------------------------------------- other users


def test_another_department_s_images_are_not_found(
    browser: TestClient, cloud: InMemoryCloud, alice: dict[str, str]
) -> None:
    (private,) = fill(cloud, 1, owner="dept-b", visibility="private")

    for path in f"/images/{private}/progress", f"/images/{private}/form":
        refused(browser.get(path, headers=alice), 404)
    refused(browser.post(f"/images/{private}/servers", json=LAUNCH, headers=alice), 404)
    assert private not in browser.get("/images", headers=alice).text


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(browser: TestClient, cloud: InMemoryCloud) -> None:
    theirs = fill(cloud, 5, owner="dept-b", visibility="private")
    bob, alice = login(browser, cloud, "bob"), login(browser, cloud)
    cursor = browser.get("/images", params={"size": 2}, headers=bob).json()["next"]

    answer = browser.get("/images", params={"size": 2, "cursor": cursor}, headers=alice)

    assert answer.status_code in (200, 422)
    assert not any(image in answer.text for image in theirs)


def test_a_token_with_another_department_s_id_reaches_nothing(browser: TestClient, cloud: InMemoryCloud) -> None:
    (private,) = fill(cloud, 1, owner="dept-b", visibility="private")
    bob, alice = login(browser, cloud, "bob"), login(browser, cloud)

    for headers in {**alice, "X-Project-Id": bob["X-Project-Id"]}, {**bob, "X-Project-Id": alice["X-Project-Id"]}:
        refused(browser.get("/images", headers=headers), 401)
        refused(browser.get(f"/images/{private}/progress", headers=headers), 401)


@pytest.mark.parametrize("name", ["X-Auth-Token", "X-Project-Id"])
@pytest.mark.parametrize(
    "value", ["", "x", "../..", "\xe4", "\t", "%00", "a" * 10_000, "a b", "null", '{"a": 1}'], ids=repr
)
def test_wild_headers_log_nobody_in(browser: TestClient, alice: dict[str, str], name: str, value: str) -> None:
    headers = {key.encode(): text.encode("latin-1") for key, text in {**alice, name: value}.items()}

    refused(browser.get("/images", headers=headers), 401, 403, 404, 422)


@pytest.mark.parametrize(
    "image_id",
    ["%00", "%0d%0aX-Injected:%201", "..%2f..", "%2e%2e", "%252e%252e%252f", "a" * 3000, "%1b[31m", "%ff", "%ed%a0%80",
     "%e2%80%ae", "'", '"<script>', "null", "*", "%20"],
    ids=lambda image_id: repr(image_id[:20]),
)  # fmt: skip
def test_an_id_that_is_none_is_refused_in_words(
    browser: TestClient, cloud: InMemoryCloud, alice: dict[str, str], image_id: str
) -> None:
    before = {request.path for request in cloud.requests}
    for path in f"/images/{image_id}/progress", f"/images/{image_id}/form":
        answer = browser.get(path, headers=alice)
        refused(answer, 404, 422)
        assert answer.headers["Content-Type"] == "application/json"
        assert not any(unicodedata.category(character) == "Cc" for character in answer.text)
    refused(browser.post(f"/images/{image_id}/servers", json=LAUNCH, headers=alice), 404, 405, 422)
    asked = {request.path for request in cloud.requests} - before
    assert not any(".." in path for path in asked)


@pytest.mark.parametrize(
    "params",
    [{"search": "\x00"}, {"search": "\r\nX: y"}, {"search": "a" * 50_000}, {"cursor": "\x00"}, {"cursor": "a" * 50_000},
     {"size": -1}, {"size": 10**30}, {"size": "NaN"}, {"view": "\u202e"}, {"cursor": "\U0001f600"}, {"search": "%"}],
    ids=lambda params: repr(params)[:40],
)  # fmt: skip
def test_wild_queries_are_answered_or_refused_in_words(
    browser: TestClient, alice: dict[str, str], params: dict[str, Any]
) -> None:
    answer = browser.get("/images", params=params, headers=alice)

    assert answer.status_code in (200, 422)
    assert not any(unicodedata.category(character) == "Cc" for character in answer.text)


@pytest.mark.parametrize("name", ["", "\x00", "a" * 300, "\n", "\x1b[31m", "\u202e"], ids=lambda name: repr(name[:9]))
@pytest.mark.parametrize(
    "url", ["", "\x00", "file:///etc/passwd", "http://127.0.0.1/", "http://169.254.169.254/", "x" * 9000]
)
def test_urls_that_lead_inside_are_refused_whatever_the_name(
    browser: TestClient, cloud: InMemoryCloud, alice: dict[str, str], name: str, url: str
) -> None:
    refused(browser.post("/images", json={"name": name, "url": url}, headers=alice), 422)
    assert not cloud.glance.images


def test_slow_registrations_do_not_keep_others_from_answers(cloud: InMemoryCloud) -> None:
    """There are more of them than FastAPI has threads, and none gets on until all have begun."""
    cloud.glance.imports_stall = True
    gate = threading.Event()

    def sleep(_: float) -> None:
        gate.wait(scaled(60))

    days = itertools.count(1e6, 1e5)  # one a look, so that a wait that begins after the gate opened ends, too
    pace = Pace(sleep=sleep, clock=lambda: next(days) if gate.is_set() else 0.0)
    with worker(cloud, pace) as browser:
        try:
            alice = login(browser, cloud)
            body = {"name": "fresh", "url": "http://files.example/disk.qcow2"}
            started = [browser.post("/images", json=body, headers=alice) for _ in range(45)]
            page = browser.get("/images", params={"size": 100}, headers=alice)
        finally:
            gate.set()

    assert {answer.status_code for answer in started} == {202}
    assert len(page.json()["rows"]) == 45
