"""Packed files are recognized, and never become disks."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from typing import TYPE_CHECKING, Literal

import pytest

from hyperx_glance import NewImage, NewIso, UrlProblem, UrlRejectedError
from hyperx_glance.sources.contents import examine, judge
from hyperx_glance.sources.urls import report
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import HASTY, LOOPBACK, ClientFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.file_server import FileServer

DISK = samples.data("disk.qcow2")


def tar(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 100
        archive.addfile(entry, io.BytesIO(DISK[:100]))
    return packed.getvalue()


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("disk.qcow2", DISK)
    return packed.getvalue()


PACKED = {
    "gzip": gzip.compress(DISK),
    "bzip2": bz2.compress(DISK),
    "xz": lzma.compress(DISK),
    "lzma": lzma.compress(DISK, lzma.FORMAT_ALONE),
    "zstd": b"\x28\xb5\x2f\xfd" + DISK,
    "lz4": b"\x04\x22\x4d\x18" + DISK,
    "lzip": b"LZIP\x01" + DISK,
    "lzop": b"\x89LZO\x00\r\n\x1a\n" + DISK,
    "compress": b"\x1f\x9d\x90" + DISK,
    "zip": zipped(),
    "7z": b"7z\xbc\xaf\x27\x1c" + DISK,
    "rar": b"Rar!\x1a\x07\x01\x00" + DISK,
    "OVA": tar("debian.ovf"),
    "tar": tar("debian.qcow2"),
    "WIM": b"MSWIM\x00\x00\x00" + DISK,
}


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("declared", [None, "raw", "ploop", "qcow2", "iso"])
def test_a_packed_file_is_refused_as_such(kind: str, declared: str | None) -> None:
    content = examine(PACKED[kind][:4096], whole=len(PACKED[kind]) <= 4096)
    with pytest.raises(UrlRejectedError, match=f"packed: it is {kind} data") as caught:
        judge(content, url="http://files.example/a", declared=declared)

    assert caught.value.reason is UrlProblem.PACKED
    assert "raw" not in str(caught.value)
    assert "Unpack" in caught.value.hint


@pytest.mark.parametrize("name", [f"{'a' * 95}.ovf", "a.OVF", ".ovf"])
def test_an_ova_begins_with_its_description(name: str) -> None:
    assert examine(tar(name), whole=True).packed == "OVA"


def test_a_packed_file_with_what_looks_like_a_partition_table_is_packed() -> None:
    table = samples.data("partitioned.raw")
    data = PACKED["gzip"][:300] + table[300:]

    assert examine(data[: 128 * 1024], whole=False).disk_format == "raw"
    with pytest.raises(UrlRejectedError, match="gzip"):
        judge(examine(data[: 128 * 1024], whole=False), url="", declared="raw")


@pytest.mark.parametrize("name", samples.DISK_FORMATS)
def test_no_disk_is_taken_for_packed(name: str) -> None:
    assert examine(samples.data(name)[: 128 * 1024], whole=False).packed == ""


@pytest.mark.parametrize("data", [b"\x1f\x8b\x00", b"BZh1", b"PK\x01\x02", b"\x5d\x00\x00", b"LZIPPER", b"MSWIM"])
def test_bytes_that_only_look_packed_may_be_a_raw_disk(data: bytes) -> None:
    content = examine(data + b"x" * 600, whole=True)

    assert content.packed == ""
    assert judge(content, url="", declared="raw") == "raw"


@pytest.mark.parametrize("transfer", ["auto", "import", "stream"])
@pytest.mark.parametrize("disk_format", [None, "raw"])
def test_nothing_is_created(file_server: FileServer, transfer: str, disk_format: Literal["raw"] | None) -> None:

    cloud = InMemoryCloud()
    alice = ClientFactory(cloud, HASTY)("alice", transfer=transfer)
    url = file_server.serve("/disk.raw.gz", PACKED["gzip"])
    for new in (
        NewImage(name="a", url=url, disk_format=disk_format, unpack=False),
        NewIso(name="a", url=url, unpack=False),
    ):
        with pytest.raises(UrlRejectedError, match="packed"):
            alice.register(new)

    assert cloud.glance.images == {}


def test_a_report_says_it(file_server: FileServer) -> None:
    url = file_server.serve("/disk.xz", PACKED["xz"])

    found = report(url, LOOPBACK, disk_format="raw")

    assert (found.disk_format, found.packed, found.problem) == (None, "xz", UrlProblem.PACKED)
    assert found.warnings[0] == "The file is packed: it is xz data."


@pytest.mark.parametrize("kind", ["xz", "gzip", "bzip2"])
@pytest.mark.parametrize(
    ("name", "declared", "problem"),
    [
        ("disk.qcow2", None, None),
        ("disk.qcow2", "qcow2", None),
        ("disk.qcow2", "raw", UrlProblem.WRONG_FORMAT),
        ("installer.iso", "iso", None),
        ("disk.raw", None, UrlProblem.UNKNOWN_FORMAT),
        ("disk.raw", "raw", None),
    ],
)
def test_a_report_is_of_what_is_packed(  # noqa: PLR0917  # fixtures and the table's columns
    client: ClientFactory,
    file_server: FileServer,
    kind: str,
    name: str,
    declared: str | None,
    problem: UrlProblem | None,
) -> None:
    packers: dict[str, Callable[[bytes], bytes]] = {"xz": lzma.compress, "gzip": gzip.compress, "bzip2": bz2.compress}
    data = packers[kind](samples.data(name))
    found = client("alice").check_url(file_server.serve(f"/{name}.{kind}", data), disk_format=declared)

    known = None if name == "disk.raw" else samples.DISK_FORMATS[name]
    assert (found.packed, found.disk_format, found.size, found.problem) == (kind, known, len(data), problem)
    assert f"The file is packed: it is {kind} data." in found.warnings
