"""The line of a file is found in a publisher's checksum file, and other lines do no harm."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import UrlProblem, UrlRejectedError
from hyperx_glance.sources.checksums import Digests
from hyperx_glance.sources.published import published_checksum
from tests.support.clouds import LOOPBACK
from tests.support.file_server import BigBody

if TYPE_CHECKING:
    from tests.support.file_server import FileServer

MD5, SHA256, SHA512 = "0a" * 16, "1b" * 32, "2c" * 64
OTHER = "ff" * 32
PATH = "/images/12/disk.qcow2"


def read(text: str | bytes, path: str = PATH, *, step: int = 1 << 20) -> str | None:
    data = text if isinstance(text, bytes) else text.encode(errors="surrogateescape")
    digests = Digests(path)
    for start in range(0, len(data), step):
        digests.feed(data[start : start + step])
    return digests.checksum()


@pytest.mark.parametrize(
    "text",
    [
        f"{SHA256}  disk.qcow2\n",
        f"{SHA256} *disk.qcow2\n",
        f"{SHA256}\tdisk.qcow2",
        f"{SHA256.upper()}  disk.qcow2\r\n",
        f"{SHA256}  ./disk.qcow2\n",
        f"{SHA256}  12/disk.qcow2\n",
        f"{SHA256}  ./12/disk.qcow2\n",
        f"{OTHER}  other.qcow2\n{SHA256}  disk.qcow2\n{OTHER}  disk.qcow2.sig\n",
        f"{OTHER}  an-older-disk.qcow2\n{SHA256}  disk.qcow2\n{OTHER}  11/disk.qcow2\n",
        f"SHA256 (disk.qcow2) = {SHA256}\n",
        f"sha256 (disk.qcow2) = {SHA256}\n",
        f"SHA2-256(disk.qcow2)= {SHA256}\n",
        f"SHA256({PATH[1:]})= {SHA256}\n",
        f"# disk.qcow2: 123 bytes\nSHA256 (disk.qcow2) = {SHA256}\n",
        f"-----BEGIN PGP SIGNED MESSAGE-----\n\n{SHA256}  disk.qcow2\n-----BEGIN PGP SIGNATURE-----\nabc=\n",
        f"{SHA256}\n",
        f"  {SHA256}  ",
        f"{SHA256}  disk.qcow2\n{SHA256} *disk.qcow2\n",
        f"{MD5}  disk.qcow2\n{SHA256}  disk.qcow2\n",
        f"{'3d' * 20}  disk.qcow2\n{SHA256}  disk.qcow2\n",
    ],
)
def test_the_digest_of_a_file_is_found(text: str) -> None:
    for step in 1, 7, 1 << 20:
        assert read(text, step=step) == f"sha256:{SHA256}"


def test_the_algorithm_is_told_by_the_length_and_the_strongest_counts() -> None:
    assert read(f"{MD5}  disk.qcow2") == f"md5:{MD5}"
    assert read(f"{SHA512}  disk.qcow2") == f"sha512:{SHA512}"
    assert read(f"MD5 (disk.qcow2) = {MD5}\nSHA512 (disk.qcow2) = {SHA512}\n") == f"sha512:{SHA512}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no digest at all",
        f"{SHA256}  other.qcow2\n",
        f"{SHA256}  other.qcow2\n{OTHER}\n",
        f"{SHA256}  my-disk.qcow2\n",
        f"{SHA256}  DISK.QCOW2\n",
        f"{SHA256}disk.qcow2\n",
        f"{SHA256} disk.qcow2\n",
        f"{SHA256[:-1]}  disk.qcow2\n",
        f"{SHA256}0  disk.qcow2\n",
        f"{'3d' * 20}  disk.qcow2\n",
        f"{'3d' * 20}\n",
        f"SHA256 (other.qcow2) = {SHA256}\n",
        f"x{SHA256}  disk.qcow2\n",
    ],
)
def test_a_text_without_a_digest_of_the_file_returns_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        f"{SHA256}  disk.qcow2\n{OTHER}  disk.qcow2\n",
        f"{SHA256}  disk.qcow2\n{OTHER}  12/disk.qcow2\n",
        f"SHA256 (disk.qcow2) = {SHA256}\n{OTHER} *disk.qcow2\n",
        f"{SHA256}\n{OTHER}\n",
    ],
)
def test_two_that_differ_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="2 different sha256 digests"):
        read(text)


def test_names_that_are_escaped_and_names_that_are_no_text() -> None:
    assert read(f"\\{SHA256}  a\\\\b\\nc\n", "/a\\b\nc") == f"sha256:{SHA256}"
    assert read(SHA256.encode() + b"  \xff.raw\n", "/\udcff.raw") == f"sha256:{SHA256}"
    assert read(f"{SHA256}  镜像 盘.raw\n", "/镜像 盘.raw") == f"sha256:{SHA256}"


def test_a_line_without_end_takes_no_memory_and_is_no_line() -> None:
    digests = Digests(PATH)
    tracemalloc.start()
    for _ in range(64):
        digests.feed(b"a" * (1 << 20))
    digests.feed(f"  disk.qcow2\n{SHA256}  disk.qcow2\n".encode())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert digests.checksum() == f"sha256:{SHA256}"
    assert most < 8 << 20


# ----------------------------------------------------------------- over HTTP


def reason(url: str, path: str = PATH) -> UrlProblem:
    with pytest.raises(UrlRejectedError) as caught:
        published_checksum(url, path, LOOPBACK)
    return caught.value.reason


def test_a_checksum_file_is_read_over_redirects(file_server: FileServer) -> None:
    file_server.serve("/real/SHA256SUMS", f"{SHA256}  disk.qcow2\n".encode())
    url = file_server.redirect("/SHA256SUMS", "/real/SHA256SUMS")

    assert published_checksum(url, PATH, LOOPBACK) == f"sha256:{SHA256}"


def test_an_unusable_checksum_file_raises_with_a_reason(file_server: FileServer) -> None:
    serve = file_server.serve
    assert reason(serve("/a", f"{SHA256}  other\n".encode())) is UrlProblem.NO_CHECKSUM
    assert reason(serve("/b", b"")) is UrlProblem.NO_CHECKSUM
    assert reason(serve("/c", f"{SHA256}\n{OTHER}\n".encode())) is UrlProblem.AMBIGUOUS_CHECKSUM
    assert reason(file_server.page("/d")) is UrlProblem.HTML
    assert reason(file_server.fail("/e", 404)) is UrlProblem.HTTP_STATUS
    assert reason(file_server.cut("/f", SHA256.encode(), after=10)) is UrlProblem.TRUNCATED
    assert reason("http://169.254.169.254/SHA256SUMS") is UrlProblem.DENIED_ADDRESS
    assert reason(file_server.redirect("/g", "http://169.254.169.254/SHA256SUMS")) is UrlProblem.DENIED_ADDRESS


@pytest.mark.parametrize("chunked", [False, True])
def test_a_checksum_file_of_a_gigabyte_is_given_up(file_server: FileServer, chunked: bool) -> None:  # noqa: FBT001
    url = file_server.serve("/SHA256SUMS", BigBody(1 << 30), chunked=chunked)
    tracemalloc.start()

    assert reason(url) is UrlProblem.TOO_LARGE

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 16 << 20


def test_a_checksum_file_that_drips_is_given_up(file_server: FileServer) -> None:
    held = file_server.hold("/SHA256SUMS", f"{SHA256}  disk.qcow2\n".encode(), after=10, drip_seconds=0.1)

    assert reason(held.url) is UrlProblem.TIMEOUT
