"""No URL and no answer of a file server breaks a parser."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from hypothesis import given, strategies as st

from hyperx_glance import UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.cli.output import printable
from hyperx_glance.models.url_text import ascii_parts, scrub, stored_url, well_formed
from hyperx_glance.sources.addresses import denial
from hyperx_glance.sources.contents import examine, judge
from hyperx_glance.sources.network import Network
from hyperx_glance.sources.urls import destination, open_url
from tests.fuzz import blobs, choices, fuzzed, several, texts
from tests.support.networks import Names, answering, nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "5ecre7"
POLICY = UrlPolicy()
URLISH = texts("ahtps:/@?&;=%#[].\\'\"<> \x00\n\x7f-_~+,é例1８0xX\u202e\ud800。", 30)
STARTS = choices(["", "http://", "https://a:b@files.example/", "HTTP://", "http://files.example:80"])
NAMES = texts("abcdefgikmnorstuvwxyzSIG-_.%25[]", 8)
HARMLESS = re.compile(
    "v|ver|version|release|rel|build|revision|edition|variant|flavor|channel|branch|arch|architecture|platform|os|distro"
    "|lang|language|format|fmt|type|file|filename|name|image|date|download|dl|raw|"
)
PLACES = choices([
    "http://files.example/debian/12/disk.qcow2?v=12&arch=amd64#part", "HTTPS://files.example:8443/a", "http://[::1]:80/",
    "https://bob:pw@files.example/a;v=1/b", "http://http://files.example/a", "https://files.example/p/http://b/x@2?y@",
    "http:\\\\files.example\\a", "ftp://files.example//a", "//files.example/a", "http%3A%2F%2Ffiles.example%2Fa",
])  # fmt: skip
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "twice": lambda text: quote(quote(text, safe=""), safe=""),
    "each": lambda text: "".join(f"%{byte:02x}" if byte < 128 else chr(byte) for byte in text.encode("latin-1")),
    "wide": lambda text: "".join(chr(ord(letter) + 0xFEE0) if letter in ":@/" else letter for letter in text),
    "wide, percent": lambda text: quote("".join(chr(ord(letter) + 0xFEE0) for letter in text)),
}
JUNK = texts(":/\\@?#;&=.%[]-~+0a1", 4)
FORMS = choices([
    "{secret}@", "{secret}:@", "{secret}:{junk}@", "u:{secret}@", "u:{junk}{secret}@", "u:{secret}{junk}@",
    "u:1{junk}{secret}@", "u{secret}:1{junk}@", "http://u:{secret}@", "//u:{secret}@", "\\\\u:{secret}@", "://{secret}@",
    "http:{secret}:x@", "@u:{secret}@", "//{secret}@", "http://http://{secret}:{junk}@",
])  # fmt: skip
HOSTISH = texts("0123456789abcdefxXlocalhost.:[]%/１０。", 24)
WORDS = texts("\x00\x07\x1b\x7f\x9b\u202e\u200f\ud800a é例\\\n", 12)
STATUS = choices([b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.0 200", b"HTTP/1.1 100 Continue", b"HTTP/", b""])
LINES = several(
    [
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
        b"Content-Type: text/html",
        b"Content-Disposition: attachment; filename*=utf-8''%ff",
        b"Content-Encoding: gzip",
        b"Transfer-Encoding: chunked",
        b"Location: http://127.0.0.1/?s=5ecre7",
        b"Location: //",
        b" folded",
        b"no colon",
        b"X: \x00\xff",
        b"\xff\xfe: a",
        b":",
        b"5;a",
        b"0",
        b"",
        b"12345",
        b"ffffffffffffffffffffffff",
    ],
    8,
)
MARKS = choices(
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
@given(STARTS, URLISH)
def test_a_url_is_one_or_is_none(starts: list[str], rests: list[str]) -> None:
    for url in map("".join, zip(starts, rests, strict=True)):
        if not well_formed(url):
            continue
        kept = stored_url(url).url
        assert stored_url(kept) == (kept, False)
        assert well_formed(kept)
        parts = ascii_parts(kept)
        assert parts is not None
        assert "@" not in parts.netloc
        assert parts.geturl().isascii()


@fuzzed
@given(NAMES, URLISH, choices(["?{}", "?v=1&{}", "?v=1;{}&", ";{}", "?{}#", "?a?{}", "/x;{}/y?z"]))
def test_no_parameter_that_nobody_knows_is_kept(names: list[str], rests: list[str], forms: list[str]) -> None:
    for name, rest, form in zip(names, rests, forms, strict=True):
        if not HARMLESS.fullmatch(name.lower()):
            url = "https://files.example/a" + form.format(f"{name}={SECRET}")
            assert SECRET not in stored_url(url).url
            assert stored_url(url).stripped
        with contextlib.suppress(ValueError):
            assert SECRET not in stored_url(f"https://u:{SECRET}@files.example/{rest}").url


@fuzzed
@given(WORDS, NAMES, choices([" ", "'", '"', "<", ">", ",", ")", "", "\n"]))
def test_no_text_keeps_a_secret_of_a_url(words: list[str], names: list[str], ends: list[str]) -> None:
    for word, name, end in zip(words, names, ends, strict=True):
        url = f"https://u:{SECRET}@files.example/a?x{name}={SECRET}"
        for known in ((), (url,)):
            assert SECRET not in scrub(f"{word}{url}{end}{word}", *known)
        for length in (12, 20, len(url) - 3):
            assert SECRET not in scrub(f"cannot read {url[:length]}", url)


@fuzzed
@given(PLACES, FORMS, JUNK, choices(list(ENCODINGS)), st.binary(min_size=10, max_size=10))
def test_user_and_password_at_any_place_of_a_url_are_never_kept(
    urls: list[str], forms: list[str], junk: list[str], encodings: list[str], where: bytes
) -> None:
    for url, form, some, encoding, place in zip(urls, forms, junk, encodings, where, strict=True):
        user = ENCODINGS[encoding](form.format(secret=SECRET, junk=some))
        begin, end = url[: place % len(url)], url[place % len(url) :]
        written = begin + user + end
        for secret in SECRET, ENCODINGS[encoding](SECRET):
            assert secret not in stored_url(written).url
            for text in f"cannot read {written}: 404", f"'{written}'", f'{{"url":"{written}","v":1}}':
                assert secret not in scrub(text)
                assert secret not in scrub(text, written)


@fuzzed
@given(HOSTISH | URLISH)
def test_no_host_leads_to_a_denied_place(hosts: list[str]) -> None:
    network = Network(resolve=Names(("198.51.100.7",)), connect=nowhere)
    for host in hosts:
        with or_a_typed_error():
            place = destination(f"http://{host}/a", POLICY, seconds=60, network=network)
            assert not any(denial(address, POLICY) for address in place.addresses)
            place.host_header.encode("ascii")
            place.target.encode("ascii")


@fuzzed
@given(STATUS, LINES, blobs(8))
def test_any_response_of_a_server_is_data_or_a_typed_error(
    starts: list[bytes], heads: list[list[bytes]], bodies: list[bytes]
) -> None:
    url = "http://198.51.100.7/a?sig=5ecre7"
    for start, lines, body in zip(starts, heads, bodies, strict=True):
        answer = b"\r\n".join([start, *lines, b"", body])
        with answering(answer) as network, or_a_typed_error(), open_url(url, POLICY, network=network) as source:
            assert len(b"".join(source.pieces())) <= len(answer)
            assert printable(source.file_name + source.content_type) == source.file_name + source.content_type
            assert source.size is None or source.size >= 0


@fuzzed
@given(texts("attachmen;=*'\"%\\ utf-8filename0127é/\x00\t", 40))
def test_the_name_of_a_download_is_a_name(dispositions: list[str]) -> None:
    for disposition in dispositions:
        header = b"Content-Disposition: attachment; filename" + disposition.encode("latin-1", "replace")
        answer = b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\nx"
        with answering(answer) as network, open_url("http://198.51.100.7/a.raw", POLICY, network=network) as source:
            name = source.file_name
        assert printable(name) == name
        assert "/" not in name
        assert len(name) <= 255


@fuzzed
@given(MARKS, blobs(40), st.booleans(), choices([None, "raw", "qcow2", "iso", "vmdk", "ploop"]))
def test_bytes_are_a_format_or_a_typed_error(
    marks: list[bytes],
    rests: list[bytes],
    whole: bool,  # noqa: FBT001
    formats: list[str | None],
) -> None:
    for mark, rest, declared in zip(marks, rests, formats, strict=True):
        content = examine(mark + rest, whole=whole)
        with or_a_typed_error():
            found = judge(content, url="http://files.example/a", declared=declared)
            assert found
            assert found == (declared or content.disk_format)
            assert (content.packed, content.html, content.dangers) == ("", False, ())


@fuzzed
@given(texts(None, 20) | WORDS)
def test_printable_text_contains_no_terminal_control_characters(batch: list[str]) -> None:
    for text in batch:
        shown = printable(text)
        assert printable(shown) == shown
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
        shown.encode()
