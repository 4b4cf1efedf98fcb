"""A hostile server is left in bounded time, with an answer or a typed error."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import socket
import zlib

import pytest

from hyperx_glance import UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.sources.urls import open_url, preflight, report
from tests.support.networks import answering, never_ending, ticking

URL = "http://198.51.100.7/dir/disk.raw?sig=5ecre7"
DATA = b"\x01disk" * 200
BOMB = gzip.compress(bytes(1 << 20))
REFUSED, TRUNCATED, STATUS = UrlProblem.REFUSED, UrlProblem.TRUNCATED, UrlProblem.HTTP_STATUS
BAD_URL, SCHEME, HTML = UrlProblem.BAD_URL, UrlProblem.DENIED_SCHEME, UrlProblem.HTML


def ok(*headers: bytes, body: bytes = DATA) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"", body])


def chunked(*chunks: bytes) -> bytes:
    return ok(b"Transfer-Encoding: chunked", body=b"".join(chunks))


def redirect(location: bytes, status: int = 302) -> bytes:
    return b"HTTP/1.1 %d Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location)


SIZE = b"%d" % len(DATA)
CHUNK = b"%x\r\n%s\r\n" % (len(DATA), DATA)
ANSWERS: dict[str, tuple[bytes, UrlProblem | int | None]] = {
    # An expectation that is a number is the size, None for an unknown size.
    "nothing": (b"", REFUSED),
    "half a status line": (b"HTTP/1.1", REFUSED),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", REFUSED),
    "HTTP/0.9": (DATA, REFUSED),
    "zeros": (bytes(100_000), REFUSED),
    "TLS": (b"\x15\x03\x03\x00\x02\x02\x28", REFUSED),
    "a version that nobody has": (b"HTTP/9.9 200 OK\r\n\r\n", REFUSED),
    "a status that is no number": (b"HTTP/1.1 ok\r\n\r\n", REFUSED),
    "a status of two digits": (b"HTTP/1.1 99 x\r\n\r\n", REFUSED),
    "a status of four digits": (b"HTTP/1.1 2000 x\r\n\r\n", REFUSED),
    "a status alone": (b"HTTP/1.1 200\r\n\r\n" + DATA, None),
    "a reason with escapes": (b"HTTP/1.1 404 \x1b[31m5ecre7\r\n\r\n", STATUS),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", STATUS),
    "a part": (b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/2\r\n\r\nab", STATUS),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n", STATUS),
    "another protocol is agreed on": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", STATUS),
    "a thousand times continue": (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, REFUSED),
    "continue and then the file": (b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + ok(), None),
    "101 headers": (ok(*[b"X-%d: a" % number for number in range(101)]), REFUSED),
    "a header of 70,000 bytes": (ok(b"X: " + b"a" * 70_000), REFUSED),
    "a header without a colon": (ok(b"what is this", b"Content-Length: " + SIZE), None),
    "a header with zeros": (ok(b"X: \x00\x00", b"Content-Length: " + SIZE), len(DATA)),
    "a header that goes on": (ok(b"X: a", b" Content-Length: 5", b"Content-Length: " + SIZE), len(DATA)),
    "headers that end nowhere": (b"HTTP/1.1 200 OK\r\nX: a\r\n", UrlProblem.EMPTY),
    "no length": (ok(), None),
    "a negative length": (ok(b"Content-Length: -1"), None),
    "a length in words": (ok(b"Content-Length: all"), None),
    "a length in hexadecimal": (ok(b"Content-Length: 0x10"), None),
    "a length with a sign": (ok(b"Content-Length: +5"), None),
    "a length in Arabic digits": (ok("Content-Length: ٥".encode()), None),
    "a length of 400 digits": (ok(b"Content-Length: 1" + b"0" * 400), TRUNCATED),
    "a length of 20 digits": (ok(b"Content-Length: 1" + b"0" * 20), TRUNCATED),
    "a length of 18 digits": (ok(b"Content-Length: " + b"9" * 18), TRUNCATED),
    "one byte too few": (ok(b"Content-Length: %d" % (len(DATA) + 1)), TRUNCATED),
    "one byte too many": (ok(b"Content-Length: %d" % (len(DATA) - 1)), len(DATA) - 1),
    "two lengths": (ok(b"Content-Length: 5", b"Content-Length: 6"), REFUSED),
    "nothing at all": (ok(b"Content-Length: 0", body=b""), UrlProblem.EMPTY),
    "a chunk": (chunked(CHUNK, b"0\r\n\r\n"), None),
    "a chunk and a length": (ok(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNK + b"0\r\n\r\n"), None),
    "a chunk without an end": (chunked(CHUNK), TRUNCATED),
    "a chunk cut short": (chunked(CHUNK[:100]), TRUNCATED),
    "a chunk size in words": (chunked(b"all\r\n", DATA), TRUNCATED),
    "a negative chunk size": (chunked(b"-5\r\n", DATA), TRUNCATED),
    "a chunk size of 20 digits": (chunked(b"f" * 20 + b"\r\n", DATA), TRUNCATED),
    "a chunk size of 70,000 digits": (chunked(b"f" * 70_000 + b"\r\n", DATA), TRUNCATED),
    "an extension of 60,000 bytes": (chunked(b"5;" + b"a" * 60_000 + b"\r\n12345\r\n", b"0\r\n\r\n"), None),
    "an extension of 70,000 bytes": (chunked(b"5;" + b"a" * 70_000 + b"\r\n12345\r\n", b"0\r\n\r\n"), TRUNCATED),
    "a thousand trailers": (chunked(CHUNK, b"0\r\n", b"X: a\r\n" * 1000, b"\r\n"), None),
    "a gzip bomb": (ok(b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB), body=BOMB), len(BOMB)),
    "a transfer in gzip": (ok(b"Transfer-Encoding: gzip", body=BOMB), None),
    "a deflate bomb": (ok(b"Content-Encoding: deflate", body=zlib.compress(bytes(1 << 20))), None),
    "an encoding that nobody knows": (ok(b"Content-Encoding: \xff\xfe"), None),
    "a page": (ok(b"Content-Type: text/html"), HTML),
    "a page of a strange type": (ok(b"Content-Type: \xff\xfe;" + b";" * 1000, body=b"<html>"), HTML),
    "a type that is none": (ok(b"Content-Type: " + b"/" * 60_000), None),
    "a redirect to nothing": (redirect(b""), STATUS),
    "a redirect to spaces": (redirect(b"   "), STATUS),
    "a redirect to a scheme": (redirect(b"javascript:alert(1)"), SCHEME),
    "a redirect to a file": (redirect(b"file:///etc/passwd"), SCHEME),
    "a redirect to gopher": (redirect(b"gopher://198.51.100.7:25/_HELO"), SCHEME),
    "a redirect to no server": (redirect(b"http://"), UrlProblem.REDIRECT_LOOP),
    "a redirect to a user": (redirect(b"http://a:5ecre7@/"), BAD_URL),
    "a redirect to port 0": (redirect(b"http://198.51.100.7:0/"), BAD_URL),
    "a redirect to a port too high": (redirect(b"http://198.51.100.7:65536/"), BAD_URL),
    "a redirect to brackets": (redirect(b"http://[::1/"), BAD_URL),
    "a redirect to two hosts": (redirect(b"http://198.51.100.7\\@127.0.0.1/"), UrlProblem.DENIED_ADDRESS),
    "a redirect to itself": (redirect(URL.encode()), UrlProblem.REDIRECT_LOOP),
    "a redirect with a body": (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n" + DATA, SCHEME),
    "a negative and a huge length": (ok(b"Content-Length: -1", b"Content-Length: 1" + b"0" * 20), REFUSED),
    "a redirect without a place": (b"HTTP/1.1 302 Found\r\n\r\n", STATUS),
    "a status of redirects that is none": (redirect(b"http://127.0.0.1/", 300), STATUS),
    "a redirect of 60,000 bytes": (redirect(b"ftp://" + b"a" * 60_000), SCHEME),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_taken_or_refused_for_a_reason(name: str) -> None:
    answer, expected = ANSWERS[name]
    with answering(answer) as network:
        if isinstance(expected, UrlProblem):
            with pytest.raises(UrlRejectedError) as caught:
                preflight(URL, UrlPolicy(), declared="raw", network=network)
            assert caught.value.reason is expected
            assert "5ecre7" not in f"{caught.value} {caught.value!r} {caught.value.url}"
            assert "\x1b" not in str(caught.value)
        else:
            with open_url(URL, UrlPolicy(), network=network) as source:
                assert source.size == expected
                assert len(b"".join(source.pieces())) <= len(answer)
    with answering(answer) as network, contextlib.suppress(UrlRejectedError):
        assert "5ecre7" not in repr(report(URL, UrlPolicy(), disk_format="raw", network=network))


@pytest.mark.parametrize("name", [name for name, (_, expected) in ANSWERS.items() if isinstance(expected, UrlProblem)])
def test_a_server_that_is_left_is_hung_up_on(name: str) -> None:
    with answering(ANSWERS[name][0]) as network:
        opened: list[socket.socket] = []

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            opened.append(network.connect(address, port, seconds))
            return opened[-1]

        with pytest.raises(UrlRejectedError):
            preflight(URL, UrlPolicy(), declared="raw", network=dataclasses.replace(network, connect=connect))

        # Not only marked as closed, while a discarded answer keeps it open.
        assert [left.fileno() for left in opened] == [-1]


@pytest.mark.parametrize("cut", range(0, 200, 3))
def test_an_answer_may_end_anywhere(cut: int) -> None:
    whole = ok(b"Content-Length: " + SIZE, b"Content-Type: application/octet-stream", b"Transfer-Encoding: chunked")
    with answering((whole[: -len(DATA)] + CHUNK)[:cut]) as network, pytest.raises(UrlRejectedError) as caught:
        preflight(URL, UrlPolicy(), declared="raw", network=network)

    assert caught.value.reason in (REFUSED, TRUNCATED, UrlProblem.EMPTY)


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
        (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n", b" a\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nQ\r\n0\r\n", b"X-T: a\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b"\x01"),
    ],
    ids=["status", "reason", "header", "headers", "continued header", "continue", "extension", "chunk size",
         "trailer", "body"],
)  # fmt: skip
@pytest.mark.parametrize("pause", [0.001, 0], ids=["drips", "floods"])
def test_a_server_that_never_comes_to_an_end_is_left_by_the_clock(start: bytes, again: bytes, pause: float) -> None:
    """The clock advances with each look at it, so a read that does not look at it never ends."""
    policy = UrlPolicy(timeout_seconds=1)
    with (
        never_ending(start, again, pause=pause, clock=ticking(0.05)) as network,
        pytest.raises(UrlRejectedError) as caught,
        open_url(URL, policy, network=network) as source,
    ):
        for _ in source.pieces(deadline=5):
            pass

    # A flood may end at http.client's limits before.
    assert caught.value.reason in ((UrlProblem.TIMEOUT,) if pause else (UrlProblem.TIMEOUT, REFUSED, TRUNCATED))
