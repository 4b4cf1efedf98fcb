"""Whatever is written as a URL, and whatever a server of files answers."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from hyperx_glance import UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.cli.output import printable
from hyperx_glance.network import Network
from hyperx_glance.url_text import ascii_parts, scrub, stored_url, url_parts, well_formed
from hyperx_glance.urls import destination, open_url
from hyperx_glance.urls.addresses import denial
from hyperx_glance.urls.contents import examine, judge
from tests.fuzz import fuzzed
from tests.networks import Names, answering, nowhere

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "5ecre7"
POLICY = UrlPolicy()
URLISH = st.text("ahtps:/@?&;=%#[].\\'\"<> \x00\n\x7f-_~+,é例1８0xX\u202e\ud800。", max_size=30)
URLS = st.one_of(URLISH, URLISH.map("http://".__add__), URLISH.map("https://a:b@files.example/".__add__))
NAMES = st.text("abcdefgikmnorstuvwxyzSIG-_.%25[]", min_size=1, max_size=8)
HARMLESS = re.compile(
    "v|ver|version|release|rel|build|revision|edition|variant|flavor|channel|branch|arch|architecture|platform|os|distro"
    "|lang|language|format|fmt|type|file|filename|name|image|date|download|dl|raw"
)
HOSTISH = st.text("0123456789abcdefxXlocalhost.:[]%/１０。", min_size=1, max_size=24)
WORDS = st.text("\x00\x07\x1b\x7f\x9b\u202e\u200f\ud800a é例\\\n", max_size=12)
LINES = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 5",
            b"Content-Length: -1",
            b"Content-Length: 99999999999999999999",
            b"Content-Type: text/html",
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip",
            b"Location: http://127.0.0.1/?s=5ecre7",
            b"Location: //",
            b"Content-Disposition: attachment; filename*=utf-8''%ff",
            b" folded",
            b"no colon",
            b"X: \x00\xff",
            b":",
            b"5;a",
            b"0",
            b"",
        ]
    )
    | st.binary(max_size=12),
    max_size=6,
)
STARTS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.0 200", b"HTTP/1.1 100 Continue", b"HTTP/", b""]
)
MARKS = st.sampled_from(
    [
        b"",
        b"QFI\xfb\x00\x00\x00\x03",
        b"KDMV",
        b"vhdxfile",
        b"conectix",
        b"# Disk DescriptorFile",
        b"\x1f\x8b\x08",
        b"<html>",
        b"<!--",
        b"WithoutFreeSpace",
        b"PK\x03\x04",
        b"<<< ",
        b"\xeb\x63\x90",
        b"LUKS\xba\xbe",
        b"MSWIM\x00\x00\x00",
    ]
)


@contextlib.contextmanager
def or_a_typed_error() -> Iterator[None]:
    try:
        yield
    except UrlRejectedError as error:
        told = f"{error} {error!r} {error.url}"
        assert UrlProblem(error.reason)  # noqa: PT017  # either is right, data or an error
        assert SECRET not in told


@fuzzed
@given(URLS)
def test_a_url_is_one_or_is_none(url: str) -> None:
    if not well_formed(url):
        assert ascii_parts(url) is None or url_parts(url) is not None or not url.isascii()
        return
    kept = stored_url(url).url
    assert stored_url(kept) == (kept, False)
    assert "@" not in url_parts(kept).netloc  # type: ignore[union-attr]  # what is kept of a URL is one
    assert well_formed(kept)


@fuzzed
@given(NAMES, URLISH, st.sampled_from(["?{}", "?v=1&{}", "?v=1;{}&", ";{}", "?{}#", "?a?{}", "/x;{}/y?z"]))
def test_no_parameter_that_nobody_knows_is_kept(name: str, value: str, form: str) -> None:
    if HARMLESS.fullmatch(name.lower()):
        return
    url = "https://files.example/a" + form.format(f"{name}={SECRET}")
    assert SECRET not in stored_url(url).url
    assert stored_url(url).stripped
    with contextlib.suppress(ValueError):
        assert SECRET not in stored_url(f"https://u:{SECRET}@files.example/{value}").url


@fuzzed
@given(WORDS, NAMES, st.sampled_from([" ", "'", '"', "<", ">", ",", ")", "", "\n"]))
def test_no_text_keeps_a_secret_of_a_url(words: str, name: str, end: str) -> None:
    url = f"https://u:{SECRET}@files.example/a?x{name}={SECRET}"
    for known in ((), (url,)):
        assert SECRET not in scrub(f"{words}{url}{end}{words}", *known)
    assert SECRET not in scrub(f"cannot read {url[:30]}", url)


@fuzzed
@given(HOSTISH | URLISH)
def test_no_host_leads_to_a_denied_place(host: str) -> None:
    network = Network(resolve=Names(("198.51.100.7",)), connect=nowhere)
    with or_a_typed_error():
        place = destination(f"http://{host}/a", POLICY, seconds=60, network=network)
        assert not any(denial(address, POLICY) for address in place.addresses)
        place.host_header.encode("ascii")
        place.target.encode("ascii")


@fuzzed
@given(STARTS, LINES, st.binary(max_size=8))
def test_whatever_a_server_answers_is_data_or_a_typed_error(start: bytes, lines: list[bytes], body: bytes) -> None:
    answer = b"\r\n".join([start, *lines, b"", body])
    url = "http://198.51.100.7/a?sig=5ecre7"
    with answering(answer) as network, or_a_typed_error(), open_url(url, POLICY, network=network) as source:
        assert len(b"".join(source.pieces())) <= len(answer)
        assert printable(source.file_name + source.content_type) == source.file_name + source.content_type
        assert source.size is None or source.size >= 0


@fuzzed
@given(st.text("attachmen;=*'\"%\\ utf-8filename0127é/\x00\t", max_size=60))
def test_the_name_of_a_download_is_a_name(disposition: str) -> None:
    header = disposition.encode("latin-1", "replace").replace(b"\n", b"")
    answer = b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename" + header + b"\r\n\r\nx"
    with answering(answer) as network, open_url("http://198.51.100.7/dir/a.raw", POLICY, network=network) as source:
        name = source.file_name
    assert printable(name) == name
    assert "/" not in name
    assert len(name) <= 255


@fuzzed
@given(MARKS, st.binary(max_size=40), st.booleans(), st.sampled_from([None, "raw", "qcow2", "iso", "vmdk", "ploop"]))
def test_bytes_are_a_format_or_a_typed_error(mark: bytes, rest: bytes, whole: bool, declared: str | None) -> None:  # noqa: FBT001
    content = examine(mark + rest, whole=whole)
    with or_a_typed_error():
        found = judge(content, url="http://files.example/a", declared=declared)
        assert found
        assert found == (declared or content.disk_format)
        assert (content.packed, content.html, content.dangers) == ("", False, "")


@fuzzed
@given(st.text(max_size=20) | WORDS)
def test_what_is_printed_drives_no_terminal(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    assert all(letter.isprintable() or letter == printable(letter) for letter in shown)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    shown.encode()
