"""The tests' own file server behaves as a test asks."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
import urllib3

from tests import samples
from tests.support.file_server import REDIRECTS, BigBody, FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import trustme

BODY = b"0123456789"


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=30) as manager:
        yield manager


def get(
    pool: urllib3.PoolManager, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    return pool.request(method, url, headers=headers, redirect=False)


def test_serves_a_download(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    response = get(pool, file_server.serve("/images/disk.qcow2", samples.data("disk.qcow2")) + "?signature=1")

    assert response.status == 200
    assert response.data == samples.data("disk.qcow2")
    assert response.headers["Content-Length"] == str(len(response.data))
    assert response.headers["Content-Disposition"] == 'attachment; filename="disk.qcow2"'
    (request,) = file_server.requested("/images/disk.qcow2")
    assert (request.method, request.path) == ("GET", "/images/disk.qcow2?signature=1")
    assert request.headers["host"] == f"127.0.0.1:{file_server.port}"


def test_chunked_has_no_length_and_keeps_the_connection(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    url = file_server.serve("/a", BigBody(200_000, head=b"QFI\xfb"), chunked=True)

    for _ in range(2):
        response = get(pool, url)
        assert "Content-Length" not in response.headers
        assert response.data == b"QFI\xfb" + bytes(199_996)


def test_ranges_honoured_and_not(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    honoured = get(pool, file_server.serve("/a", BODY), headers={"Range": "bytes=2-4"})
    to_the_end = get(pool, file_server.url("/a"), headers={"Range": "bytes=7-"})
    ignored = get(pool, file_server.serve("/b", BODY, ranges=False), headers={"Range": "bytes=2-4"})

    assert (honoured.status, honoured.data, honoured.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert (to_the_end.status, to_the_end.data) == (206, b"789")
    assert (ignored.status, ignored.data) == (200, BODY)


def test_presigned_style_refuses_head(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    url = file_server.serve("/a", BODY, head_status=403)

    assert get(pool, url, method="HEAD").status == 403
    assert get(pool, url).data == BODY
    assert get(pool, file_server.serve("/b", BODY), method="HEAD").headers["Content-Length"] == "10"


def test_redirect_chain_uses_each_status(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    file_server.serve("/end", BODY)
    url = file_server.redirect_chain("/start", "/end")
    statuses = []
    while (response := get(pool, url)).status != 200:
        statuses.append(response.status)
        url = file_server.url(response.headers["Location"])

    assert tuple(statuses) == REDIRECTS
    assert response.data == BODY


def test_redirect_loop_and_redirect_elsewhere(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    start = file_server.redirect_loop("/loop")
    again = file_server.url(get(pool, start).headers["Location"])

    assert file_server.url(get(pool, again).headers["Location"]) == start
    elsewhere = get(pool, file_server.redirect("/away", "http://169.254.169.254/", status=307))
    assert (elsewhere.status, elsewhere.headers["Location"]) == (307, "http://169.254.169.254/")


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_error_statuses(file_server: FileServer, pool: urllib3.PoolManager, status: int) -> None:
    assert get(pool, file_server.fail("/a", status)).status == status
    assert get(pool, file_server.url("/unknown")).status == 404


def test_empty_file_and_page(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    empty = get(pool, file_server.serve("/empty", b""))
    page = get(pool, file_server.page("/page"))

    assert (empty.status, empty.data, empty.headers["Content-Length"]) == (200, b"", "0")
    assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("chunked", [False, True])
def test_body_cut_short(file_server: FileServer, pool: urllib3.PoolManager, *, chunked: bool) -> None:
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get(pool, file_server.cut("/a", BODY, after=4, chunked=chunked))


def test_connection_ends_at_once(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get(pool, file_server.hang_up("/a"))


def test_port_that_refuses(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    url = file_server.refusing_url("/a")

    assert file_server.refusing_url("/a") == url
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        get(pool, url)


def test_held_answer_goes_on_after_release(file_server: FileServer) -> None:
    held = file_server.hold("/a", BODY, after=4)
    connection = http.client.HTTPConnection("127.0.0.1", file_server.port, timeout=30)
    connection.request("GET", "/a")
    response = connection.getresponse()

    assert response.read(4) == b"0123"
    held.wait_until_reached()
    held.release()
    assert response.read() == b"456789"
    connection.close()


def test_held_answer_drips(file_server: FileServer) -> None:
    held = file_server.hold("/a", BigBody(1000, head=b"head"), after=1, drip_seconds=0.001)
    connection = http.client.HTTPConnection("127.0.0.1", file_server.port, timeout=30)
    connection.request("GET", "/a")
    response = connection.getresponse()

    assert response.read(6) == b"head\0\0"
    assert not held.released.is_set()
    held.release()
    assert len(response.read()) == 994
    connection.close()


def test_hang_lasts_until_release(file_server: FileServer, pool: urllib3.PoolManager) -> None:
    held = file_server.hold("/a", BODY)
    answers: list[bytes] = []
    client = threading.Thread(target=lambda: answers.append(get(pool, held.url).data))
    client.start()
    held.wait_until_reached()

    assert not answers
    held.release()
    client.join()
    assert answers == [BODY]


def test_close_ends_held_and_idle_connections() -> None:
    with FileServer() as server, socket.create_connection(("127.0.0.1", server.port)) as idle:
        held = server.hold("/a", BODY)
        waiting = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        waiting.request("GET", "/a")
        held.wait_until_reached()
        server.close()
        idle.settimeout(30)
        assert idle.recv(1) == b""
        waiting.close()


def test_tls_with_an_authority_of_its_own(tls_file_server: FileServer, ca_file: Path) -> None:
    url = tls_file_server.serve("/a", BODY)

    with urllib3.PoolManager(ca_certs=str(ca_file), retries=False) as trusting:
        assert get(trusting, url).data == BODY
        assert get(trusting, tls_file_server.url("/a", host="localhost")).data == BODY
    with urllib3.PoolManager(retries=False) as distrusting, pytest.raises(urllib3.exceptions.SSLError):
        get(distrusting, url)


def test_tls_survives_who_speaks_none(tls_file_server: FileServer, ca_file: Path) -> None:
    with socket.create_connection(("127.0.0.1", tls_file_server.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        context = ssl.create_default_context(cafile=str(ca_file))
        with urllib3.PoolManager(ssl_context=context, retries=False) as trusting:
            assert get(trusting, tls_file_server.serve("/a", BODY)).data == BODY


def test_ipv6(certificate_authority: trustme.CA, ca_file: Path) -> None:
    with (
        FileServer(address="::1", authority=certificate_authority) as server,
        urllib3.PoolManager(ca_certs=str(ca_file), retries=False) as trusting,
    ):
        assert server.url("/a").startswith("https://[::1]:")
        assert get(trusting, server.serve("/a", BODY)).data == BODY


def test_a_mistake_inside_is_raised_at_the_end(pool: urllib3.PoolManager) -> None:
    server = FileServer().__enter__()
    url = server.serve("/a", BODY, content_type="text/plain\u2028")  # no HTTP header can carry it
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get(pool, url)

    with pytest.raises(ExceptionGroup) as caught:
        server.close()
    assert caught.group_contains(UnicodeEncodeError)
