"""Which requests the servers of the test clouds answer, with any application behind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from hyperx_glance.testing.origins import LOOPBACK, guarded, host_of, is_host, is_origin, leads_to, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADERS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)


def application(_: object, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - as WSGI says
    start_response("200 OK", [])
    return [b"answered"]


def asked(**environ: str) -> tuple[str, bytes]:
    said: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "HTTP_HOST": "127.0.0.1:80", **environ}
    body = guarded(application, {*LOOPBACK, "cloud.test"})(environ, lambda status, _: said.append(status))  # type: ignore[arg-type]
    return said[0], b"".join(body)


def test_the_application_answers_requests_for_its_own_hosts() -> None:
    for host in "127.0.0.1", "cloud.test:443", "LOCALHOST", "[::1]:1":
        assert asked(HTTP_HOST=host) == ("200 OK", b"answered")
    assert (
        asked(HTTP_HOST="cloud.test", HTTP_ORIGIN="https://cloud.test", HTTP_SEC_FETCH_SITE="same-origin")[0]
        == "200 OK"
    )


def test_a_refusal_is_one_sentence_in_json_and_has_no_body_for_head() -> None:
    status, body = asked(HTTP_HOST="page.example")

    assert status == "403 Forbidden"
    assert json.loads(body)["error"] == (
        "This test cloud answers requests to 127.0.0.1, [::1], cloud.test and localhost, not to page.example."
    )
    assert asked(HTTP_HOST="page.example", REQUEST_METHOD="HEAD") == ("403 Forbidden", b"")


@given(HEADERS)
def test_no_other_host_is_its_own(host: str) -> None:
    name = host.lower()
    own = any(name == each or (name.startswith(f"{each}:") and name[len(each) + 1 :].isascii()) for each in LOOPBACK)
    reason = refusal({"HTTP_HOST": host})

    assert own or reason
    assert len(reason) < 400


@given(HEADERS)
def test_no_other_origin_is_its_own(origin: str) -> None:
    place = "127.0.0.1:8080"
    own = origin.lower() in ("", f"http://{place}", f"https://{place}")

    assert bool(refusal({"HTTP_HOST": place, "HTTP_ORIGIN": origin})) != own


@given(st.builds("{}://{}".format, st.sampled_from(["http", "HTTPS", "ftp"]), HEADERS))
def test_a_public_url_is_nothing_but_a_scheme_a_host_and_a_port(url: str) -> None:
    host = host_of(url) if is_origin(url) else ""

    assert not is_origin(url) or (is_host(host) and leads_to(url, {host}) and url.count("/") <= 3)
    assert not host or refusal({"HTTP_HOST": url.split("/")[2]}, {host}) == ""


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("http://127.0.0.1:8080/cloud", True),
        ("https://localhost", True),
        ("http://[::1]:1/", True),
        ("http://127.0.0.1@page.example/", False),
        ("http://page.example@127.0.0.1/", False),
        ("http://127.0.0.1:99999/", False),
        ("http://127.0.0.1\\@page.example/", False),
        ("http://127.0.0.1\n.page.example/", False),
        (" http://page.example/", False),
        ("http://127.0.0.1/\r\nX: y", False),
        ("http:127.0.0.1", False),
        ("http://", False),
        ("", False),
    ],
)
def test_an_address_leads_to_this_machine(url: str, *, leads: bool) -> None:
    assert leads_to(url) is leads
