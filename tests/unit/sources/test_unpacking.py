"""Packed data is unpacked in bounded memory and time, and broken data is a typed error."""

from __future__ import annotations

import bz2
import contextlib
import functools
import gzip
import hashlib
import io
import lzma
import os
import sys
import threading
import time
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from hyperx_glance import LocalFileError, UrlPolicy, UrlProblem, UrlRejectedError
from hyperx_glance.sources import opening
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.opening import open_source
from hyperx_glance.sources.unpacking import Unpacked
from hyperx_glance.sources.urls import check, report
from tests import samples
from tests.support.clouds import LOOPBACK
from tests.support.networks import never_ending, ticking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.file_server import FileServer

DISK = samples.data("disk.qcow2")
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": functools.partial(lzma.compress, preset=0),
    "zstd": zstd.compress,
}
MIB = 1024 * 1024
NOISE = os.urandom(3 * MIB // 2)


def unpacked(data: bytes, *, packed: str | None = None) -> bytes:
    opened = open_source(None, LocalFile(io.BytesIO(data)), UrlPolicy(), packed=packed)
    with contextlib.closing(opened) as source:
        return b"".join(source.pieces())


@functools.cache
def packed_noise(kind: str) -> bytes:
    return PACKERS[kind](NOISE)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "unpacking"]


def problem(data: bytes) -> UrlProblem:
    with pytest.raises(LocalFileError) as caught:
        unpacked(data)
    assert not threads()
    return caught.value.reason


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("size", [0, 1, 128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 7 * MIB + 3])
def test_data_comes_out_as_it_went_in(kind: str, size: int) -> None:
    for data in bytes(size), os.urandom(size):
        assert unpacked(PACKERS[kind](data)) == data


@pytest.mark.parametrize("kind", PACKERS)
def test_head_and_format_are_of_what_is_packed(kind: str) -> None:
    packed = PACKERS[kind](DISK)
    opened = open_source(None, LocalFile(io.BytesIO(packed)), UrlPolicy(), algorithm="sha256")
    with contextlib.closing(opened) as source:
        found = check(source, None)
        assert (found.disk_format, found.size, found.packed, found.packed_size) == ("qcow2", None, kind, len(packed))
        assert b"".join(source.pieces()) == DISK
        assert isinstance(source, Unpacked)
        assert source.digest == f"sha256:{hashlib.sha256(packed).hexdigest()}"
        assert source.bytes_read == len(packed)


@pytest.mark.parametrize("kind", PACKERS)
def test_streams_follow_each_other(kind: str) -> None:
    pack = PACKERS[kind]
    assert unpacked(pack(b"a" * 5) + pack(b"") * 3 + pack(DISK) + pack(b"z")) == b"a" * 5 + DISK + b"z"


@pytest.mark.parametrize("kind", ["gzip", "xz"])
@pytest.mark.parametrize("padding", [4, 512, 100_000])
def test_zeros_may_stand_behind_a_stream(kind: str, padding: int) -> None:
    pack = PACKERS[kind]
    assert unpacked(pack(DISK) + bytes(padding)) == DISK
    assert unpacked(pack(DISK) + bytes(padding) + pack(DISK)) == DISK * 2


def test_frames_of_zstd_that_are_to_be_skipped_are() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    assert unpacked(skippable + zstd.compress(DISK) + skippable) == DISK


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("rest", [b"x", b"garbage", DISK[:512]])
def test_data_after_the_end_of_a_compressed_stream_is_an_error(kind: str, rest: bytes) -> None:
    assert problem(PACKERS[kind](DISK) + rest) in (UrlProblem.CORRUPT, UrlProblem.TRUNCATED)


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("left", [0.1, 0.5, 0.9, 0.999])
def test_a_stream_that_ends_too_early_is_truncated(kind: str, left: float) -> None:
    packed = packed_noise(kind)
    assert problem(packed[: int(len(packed) * left)]) is UrlProblem.TRUNCATED
    assert problem(packed[:-1]) is UrlProblem.TRUNCATED


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_stream_with_a_wrong_byte_is_corrupt(kind: str, place: float) -> None:
    packed = bytearray(packed_noise(kind))
    packed[int(len(packed) * place)] ^= 0xFF
    assert problem(bytes(packed)) is UrlProblem.CORRUPT


def test_a_stream_of_zstd_with_a_wrong_byte_is_corrupt() -> None:
    checked = {int(zstd.CompressionParameter.checksum_flag): 1}
    packed = bytearray(zstd.compress(NOISE, options=checked))
    packed[len(packed) // 2] ^= 0xFF
    assert problem(bytes(packed)) is UrlProblem.CORRUPT


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", [*PACKERS, "zip"])
def test_data_packed_twice_is_refused(outer: str, inner: str) -> None:
    data = PACKERS[outer](b"PK\x03\x04" + DISK if inner == "zip" else PACKERS[inner](DISK))
    opened = open_source(None, LocalFile(io.BytesIO(data)), UrlPolicy())
    with contextlib.closing(opened) as source, pytest.raises(LocalFileError, match="packed twice") as caught:
        check(source, "raw")
    assert caught.value.reason is UrlProblem.PACKED


@pytest.mark.parametrize("kind", PACKERS)
def test_an_empty_stream_is_an_empty_file(kind: str) -> None:
    opened = open_source(None, LocalFile(io.BytesIO(PACKERS[kind](b""))), UrlPolicy())
    with contextlib.closing(opened) as source, pytest.raises(LocalFileError) as caught:
        check(source, "raw")
    assert caught.value.reason is UrlProblem.EMPTY


# ----------------------------------------------------------------- bombs


def bomb(kind: str, size: int) -> bytes:
    """Pack zeros, as small as can be."""
    if kind == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()
    return PACKERS[kind](bytes(16 * MIB)) * (size // (16 * MIB))


@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_takes_as_much_memory_as_anything_else(kind: str) -> None:
    data = bomb(kind, 64 * MIB)
    tracemalloc.start()
    try:
        opened = open_source(None, LocalFile(io.BytesIO(data)), UrlPolicy())
        with contextlib.closing(opened) as source:
            source.head()
            count = sum(len(piece) for piece in source.pieces())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 64 * MIB
    assert most < 16 * MIB


@pytest.mark.parametrize("kind", PACKERS)
def test_closing_a_decompression_bomb_stops_its_threads(kind: str) -> None:
    opened = open_source(None, LocalFile(io.BytesIO(bomb(kind, 64 * MIB))), UrlPolicy())
    with contextlib.closing(opened) as source:
        assert len(next(source.pieces())) <= MIB
        assert isinstance(source, Unpacked)
    assert not threads()
    assert source.bytes_read < 64 * MIB


def test_a_window_of_gigabytes_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 * MIB}]
    for data in (
        lzma.compress(b"x" * 1000, filters=filters),
        b"\x28\xb5\x2f\xfd\x00\xa0" + bytes(1000),  # a frame whose window is 2 GiB
    ):
        with pytest.raises(LocalFileError, match="memory") as caught:
            unpacked(data)
        assert caught.value.reason is UrlProblem.PACKED


def test_endless_nothing_ends_with_its_time() -> None:
    now = iter(range(10_000))
    data = gzip.compress(b"") * 1_000_000
    source = Unpacked(LocalFile(io.BytesIO(data)).open(), "gzip", deadline=5_000, clock=lambda: next(now))
    with source, pytest.raises(LocalFileError) as caught:
        source.head()
    assert caught.value.reason is UrlProblem.TIMEOUT


@pytest.mark.parametrize("kind", ["gzip", "xz"])
@pytest.mark.parametrize("whole", [True, False], ids=["read whole", "read for its head"])
def test_a_sparse_file_behind_packed_data_is_read_as_far_as_padding_goes(
    tmp_path: Path,
    kind: str,
    whole: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "disk.packed"
    path.write_bytes(PACKERS[kind](DISK if whole else DISK[:1000]))
    os.truncate(path, 2**40)
    with contextlib.closing(open_source(None, LocalFile(path), UrlPolicy(timeout_seconds=3600))) as source:
        assert isinstance(source, Unpacked)
        with pytest.raises(LocalFileError, match=f"More than 64 MiB of the {kind} data unpack to nothing") as caught:
            list(source.pieces()) if whole else source.head()
    assert caught.value.reason is UrlProblem.CORRUPT
    assert source.bytes_read < 80 * MIB
    assert not threads()


SKIPPABLE = b"\x50\x2a\x4d\x18\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (gzip.compress(b"QFI"), bytes(1000)),
        (lzma.compress(b"QFI"), bytes(1000)),
        (gzip.compress(b"QFI"), gzip.compress(b"") * 50),
        (bz2.compress(b"QFI"), bz2.compress(b"") * 50),
        (zstd.compress(b"QFI") + SKIPPABLE, bytes(1000)),
        (b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03", b"name"),
    ],
    ids=["gzip and padding", "xz and padding", "empty gzips", "empty bzip2s", "a frame to skip", "a long name"],
)
def test_a_server_that_sends_nothing_for_ever_is_left_at_the_deadline(start: bytes, again: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + start
    with never_ending(answer, again, pause=0, clock=ticking(0.05)) as network:
        with (
            pytest.raises(UrlRejectedError) as caught,
            contextlib.closing(
                open_source("http://198.51.100.7/a", None, UrlPolicy(timeout_seconds=20), network=network)
            ) as source,
        ):
            source.head()
        assert caught.value.reason is UrlProblem.TIMEOUT
        told = report(
            "http://198.51.100.7/a",
            UrlPolicy(timeout_seconds=20),
            disk_format=None,
            unpack=lambda source: opening.unpacked(source, deadline=network.clock() + 20, network=network),
            network=network,
        )
    assert told.problem is UrlProblem.TIMEOUT
    assert not threads()


def test_the_deadline_holds_for_a_silent_server_whatever_the_policy_says(file_server: FileServer) -> None:
    policy = LOOPBACK.model_copy(update={"timeout_seconds": 3600.0})
    held = file_server.hold("/slow.gz", gzip.compress(os.urandom(5 * MIB)), after=3 * MIB)
    with contextlib.closing(open_source(held.url, None, policy)) as source, pytest.raises(UrlRejectedError) as caught:
        list(source.pieces(deadline=time.monotonic() + 1))
    assert caught.value.reason is UrlProblem.TIMEOUT
    assert not threads()


def test_unpacking_goes_on_while_the_data_is_used() -> None:
    """What is taken comes out of a queue, which is filled again meanwhile, and never by more than it holds."""
    data = PACKERS["gzip"](os.urandom(8 * MIB))
    opened = open_source(None, LocalFile(io.BytesIO(data)), UrlPolicy())
    with contextlib.closing(opened) as source:
        assert isinstance(source, Unpacked)
        pieces = source.pieces()
        next(pieces)
        next(pieces)
        pause = threading.Event()
        assert any(source.bytes_read >= 2 * MIB or pause.wait(0.02) for _ in range(1500))
        assert source.bytes_read < 5 * MIB
        assert b"".join(pieces)


def test_without_the_library_for_zstd_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    opened = open_source(None, LocalFile(io.BytesIO(PACKERS["zstd"](DISK))), UrlPolicy())
    with contextlib.closing(opened) as source, pytest.raises(LocalFileError, match=r"hyperx-glance\[zstd\]") as caught:
        source.head()
    assert caught.value.reason is UrlProblem.PACKED


# ----------------------------------------------------------------- URLs


def test_a_url_is_unpacked_too(file_server: FileServer) -> None:
    packed = lzma.compress(DISK)
    url = file_server.serve("/disk.qcow2.xz", packed)
    with contextlib.closing(open_source(url, None, LOOPBACK)) as source:
        assert b"".join(source.pieces()) == DISK


def test_a_url_that_is_cut_short_is_truncated(file_server: FileServer) -> None:
    packed = gzip.compress(os.urandom(5 * MIB))
    for chunked in False, True:
        url = file_server.cut("/cut.gz", packed, after=3 * MIB, chunked=chunked)
        with contextlib.closing(open_source(url, None, LOOPBACK)) as source, pytest.raises(UrlRejectedError) as caught:
            list(source.pieces())
        assert caught.value.reason is UrlProblem.TRUNCATED


def test_closing_a_source_does_not_wait_for_a_silent_server(file_server: FileServer) -> None:
    """Closing wakes the thread that reads: it would wait as long as the policy says, which is for ever here."""
    policy = LOOPBACK.model_copy(update={"timeout_seconds": 3600.0})
    held = file_server.hold("/slow.gz", gzip.compress(os.urandom(5 * MIB)), after=3 * MIB)
    with contextlib.closing(open_source(held.url, None, policy)) as source:
        pieces = source.pieces()
        next(pieces)
        held.wait_until_reached()
    assert not threads()


def test_unpacked_data_is_refused_if_it_must_be_packed(file_server: FileServer) -> None:
    url = file_server.serve("/disk.qcow2", DISK)
    with pytest.raises(UrlRejectedError, match="no longer contains xz data"):
        open_source(url, None, LOOPBACK, packed="xz")
    with contextlib.closing(open_source(url, None, LOOPBACK, packed="")) as source:
        assert not isinstance(source, Unpacked)


def test_packed_data_may_be_taken_as_it_is() -> None:
    packed = gzip.compress(DISK)
    assert unpacked(packed, packed="") == packed
