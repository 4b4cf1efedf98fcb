"""Sessions of the console: the cookie, its id, and every way in which a session ends."""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from hyperx_glance.testing.console.sessions import Sessions
from tests.unit.console.visitors import ADDRESS, PAGE, URL, console, log_in, told, who

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud

NAME = "session-8000"


def sessions_of(browser: TestClient) -> Sessions:
    app: Any = browser.app
    sessions: Sessions = app.state.parts.sessions
    return sessions


def test_no_script_reads_the_cookie_and_no_other_site_sends_it(cloud: InMemoryCloud, browser: TestClient) -> None:
    header = browser.post("/api/login", json=who(cloud, "alice")).headers["Set-Cookie"]
    name, *flags = header.split("; ")

    assert {flag.lower() for flag in flags} == {"httponly", "samesite=strict", "path=/"}
    assert name.startswith(f"{NAME}=")
    assert len(name) > 40


def test_behind_tls_the_cookie_is_never_sent_without_it(cloud: InMemoryCloud, browser: TestClient) -> None:
    answer = browser.post("https://127.0.0.1:8000/api/login", json=who(cloud, "alice"))

    assert "; secure" in answer.headers["Set-Cookie"].lower()


def test_consoles_on_two_ports_of_a_host_do_not_take_each_other_s_cookie(cloud: InMemoryCloud) -> None:
    first, second = log_in(console(cloud), cloud), console(cloud)
    answer = second.post("http://127.0.0.1:8001/api/login", json=who(cloud, "bob"))

    assert {*first.cookies} == {NAME}
    assert answer.headers["Set-Cookie"].startswith("session-8001=")


def test_each_login_has_a_new_id_and_ends_the_former_one(cloud: InMemoryCloud, alice: TestClient) -> None:
    former = alice.cookies[NAME]

    log_in(alice, cloud, "bob")
    fresh = alice.cookies[NAME]
    person = alice.get("/api/me").json()["username"]
    alice.cookies.clear()

    assert fresh != former
    assert person == "bob"
    assert alice.get("/api/me", headers={"Cookie": f"{NAME}={former}"}).status_code == 401
    assert len(sessions_of(alice)) == 1


def test_an_id_that_somebody_else_has_chosen_is_never_taken(cloud: InMemoryCloud, browser: TestClient) -> None:
    header = browser.post("/api/login", json=who(cloud, "alice"), headers={"Cookie": f"{NAME}=chosen"}).headers

    assert "chosen" not in header["Set-Cookie"]
    assert browser.get("/api/me", headers={"Cookie": f"{NAME}=chosen"}).status_code == 401


@pytest.mark.parametrize("value", ["", "x", "null", "../..", "a" * 10_000, "\xe4", "%00"])
def test_a_guessed_id_is_asked_to_log_in(browser: TestClient, value: str) -> None:
    answer = browser.get("/api/images", headers={b"Cookie": f"{NAME}={value}".encode("latin-1")})

    assert (answer.status_code, answer.json()["code"]) == (401, "session-ended")


def test_a_wrong_password_is_told_as_such(cloud: InMemoryCloud, browser: TestClient) -> None:
    answer = browser.post("/api/login", json={**who(cloud, "alice"), "password": "hunter2-4711"})

    assert answer.status_code == 401
    assert answer.json()["error"]
    assert "hunter2" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_failed_login_leaves_the_session_that_runs(cloud: InMemoryCloud, alice: TestClient) -> None:
    assert alice.post("/api/login", json={**who(cloud, "bob"), "password": "wrong"}).status_code == 401
    assert alice.get("/api/me").json()["username"] == "alice"


def test_a_log_out_ends_the_session_whoever_keeps_the_id(alice: TestClient) -> None:
    kept = alice.cookies[NAME]

    answer = alice.post("/api/logout", json={})

    assert (answer.status_code, answer.content) == (204, b"")
    assert "max-age=0" in answer.headers["Set-Cookie"].lower()
    assert alice.get("/api/me", headers={"Cookie": f"{NAME}={kept}"}).status_code == 401
    assert alice.post("/api/logout", json={}).status_code == 204


def test_an_ended_token_of_keystone_leads_to_the_login(cloud: InMemoryCloud, alice: TestClient) -> None:
    alice.cookies["language"] = "zh"
    cloud.keystone.expire_tokens()

    answer = alice.get("/api/images")
    again = alice.get("/api/images")

    assert answer.status_code == again.status_code == 401
    assert "登录" in answer.json()["error"] + answer.json()["hint"]
    assert "max-age=0" in answer.headers["Set-Cookie"].lower()
    assert again.json()["code"] == "session-ended"
    assert log_in(alice, cloud).get("/api/images").status_code == 200


def test_the_password_is_not_kept_to_log_in_again(cloud: InMemoryCloud, alice: TestClient) -> None:
    cloud.keystone.expire_tokens()
    before = len(cloud.requests)

    alice.get("/api/images")

    assert not [request for request in cloud.requests[before:] if request.service == "keystone"]


def test_an_hour_of_silence_ends_a_session(cloud: InMemoryCloud) -> None:
    now = 0.0
    browser = log_in(console(cloud, sessions=Sessions(clock=lambda: now)), cloud)

    now = 3599.0
    assert browser.get("/api/me").status_code == 200
    now = 7000.0
    assert browser.get("/api/me").status_code == 200
    now = 11_000.0
    assert browser.get("/api/me").status_code == 401
    assert len(sessions_of(browser)) == 0


def test_there_are_only_so_many_sessions(cloud: InMemoryCloud) -> None:
    ticks = iter(range(1000))
    first = console(cloud, sessions=Sessions(most=2, clock=lambda: next(ticks)))
    ids = []
    for user in ("alice", "bob", "rita"):
        ids.append(log_in(first, cloud, user).cookies[NAME])
        first.cookies.clear()

    answers = [first.get("/api/me", headers={"Cookie": f"{NAME}={each}"}).status_code for each in ids]
    assert answers == [401, 200, 200]


def test_threads_log_in_and_out_at_once(cloud: InMemoryCloud, browser: TestClient) -> None:
    def visit(number: int) -> tuple[int, int, int]:
        own = TestClient(browser.app, base_url=ADDRESS, headers=PAGE)
        log_in(own, cloud, ("alice", "bob")[number % 2])
        inside = own.get("/api/me").status_code
        return inside, own.post("/api/logout", json={}).status_code, own.get("/api/me").status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert {*pool.map(visit, range(40))} == {(200, 204, 401)}
    assert len(sessions_of(browser)) == 0


def test_the_start_page_says_whether_somebody_is_logged_in(browser: TestClient, cloud: InMemoryCloud) -> None:
    before = browser.get("/api/start").json()
    log_in(browser, cloud, "rita")
    after = browser.get("/api/start").json()

    assert (before["logged_in"], after["logged_in"], before["page_sizes"]) == (False, True, [10, 20, 50, 100])
    assert browser.get("/api/me").json() == {
        "username": "rita",
        "department": "dept-a",
        "user_id": cloud.users["rita"],
        "project_id": cloud.departments["dept-a"],
        "is_administrator": False,
        "is_reader": True,
    }


def test_a_second_process_follows_what_the_first_has_begun_after_a_login(cloud: InMemoryCloud) -> None:
    with console(cloud) as first:  # at its end, it waits for its registrations
        started = log_in(first, cloud).post("/api/images", json={"kind": "image", "name": "fresh", "url": URL})
    second = console(cloud)
    assert second.get("/api/events", params={"image": started.json()["id"]}).status_code == 401

    (name, last), end = told(log_in(second, cloud).get("/api/events", params={"image": started.json()["id"]}))

    assert (name, last["phase"], last["ended"], end[0]) == ("image", "ready", True, "end")
