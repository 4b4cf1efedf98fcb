"""No checksum file and no packed data breaks a parser."""

from __future__ import annotations

import bz2
import contextlib
import functools
import gzip
import io
import lzma
import re
import threading
from typing import TYPE_CHECKING, BinaryIO, cast

from backports import zstd
from hypothesis import given, strategies as st

from hyperx_glance import LocalFileError, UrlPolicy
from hyperx_glance.sources.checksums import Digests
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.network import Network
from hyperx_glance.sources.opening import open_source
from tests import samples
from tests.fuzz import blobs, choices, fuzzed, several

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKSUM = re.compile("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
WORDS = several(
    [
        b"0123456789abcdefABCDEF0123456789",
        b"00000000000000000000000000000000",
        b"disk.qcow2",
        b"  ",
        b" *",
        b"\n",
        b"\r\n",
        b"\\",
        b"SHA256 (",
        b"MD5 (",
        b") = ",
        b"./",
        b"/",
        b"images/",
        b"#",
        b"\x00\xff",
        b"(((((((((",
        b"= = = = =",
    ],
    40,
)


def read(text: bytes, step: int) -> str | None:
    digests = Digests("/images/disk.qcow2")
    for start in range(0, len(text), step):
        digests.feed(text[start : start + step])
    try:
        return digests.checksum()
    except ValueError as error:
        return str(error)


@fuzzed
@given(WORDS, st.integers(1, 50))
def test_a_checksum_file_gives_a_checksum_that_stands_in_it_or_none(batch: list[list[bytes]], step: int) -> None:
    for words in batch:
        text = b"".join(words)
        found = read(text, len(text) + 1)
        assert read(text, step) == found
        if found is not None and "different" not in found:
            assert CHECKSUM.fullmatch(found)
            assert found.partition(":")[2].encode() in text.lower()


@fuzzed
@given(blobs(200))
def test_any_bytes_give_a_checksum_or_none(batch: list[bytes]) -> None:
    for text in batch:
        found = read(text, 7)
        assert found is None or CHECKSUM.fullmatch(found) or "different" in found


DATA = samples.data("disk.qcow2")[:3000] + bytes(300_000) + samples.data("disk.vmdk")[:3000]
PACKED = {
    "gzip": gzip.compress(DATA),
    "bzip2": bz2.compress(DATA),
    "xz": lzma.compress(DATA),
    "zstd": zstd.compress(DATA),
}
REFERENCE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "bzip2": bz2.decompress,
    "xz": lambda data: lzma.decompress(data.rstrip(b"\0")),  # it does not know the padding that the format has
    "zstd": zstd.decompress,
}


def spoilt(packed: bytes, place: int, change: bytes, how: str) -> bytes:
    place %= len(packed)
    match how:
        case "cut":
            return packed[:place]
        case "insert":
            return packed[:place] + change + packed[place:]
        case "replace":
            return packed[:place] + change + packed[place + len(change) :]
        case "append":
            return packed + change
    return packed + packed[:place]


@fuzzed
@given(
    choices(list(PACKED)),
    st.lists(st.integers(0, 1 << 16), min_size=10, max_size=10),
    blobs(6),
    choices(["cut", "insert", "replace", "append", "again"]),
)
def test_packed_data_is_unpacked_as_others_do_or_is_a_typed_error(
    kinds: list[str], places: list[int], changes: list[bytes], hows: list[str]
) -> None:
    for kind, place, change, how in zip(kinds, places, changes, hows, strict=True):
        data = spoilt(PACKED[kind], place, change, how)
        opened = open_source(None, LocalFile(io.BytesIO(data)), UrlPolicy())
        with contextlib.closing(opened) as source:
            try:
                found = b"".join(source.pieces())
            except LocalFileError as error:
                assert error.reason in ("truncated", "corrupt", "packed")  # noqa: PT017  # either is right
                continue
        if source.packed:
            assert found == REFERENCE[kind](data)
        else:
            assert found == data
    assert not [thread for thread in threading.enumerate() if thread.name == "unpacking"]


SMALL = {
    "gzip": gzip.compress(b"QFI" * 99),
    "bzip2": bz2.compress(b"QFI" * 99),
    "xz": lzma.compress(b"QFI" * 99, preset=0),
    "zstd": zstd.compress(b"QFI" * 99),
}
EMPTY = {
    "gzip": gzip.compress(b""),
    "bzip2": bz2.compress(b""),
    "xz": lzma.compress(b"", preset=0),
    "zstd": zstd.compress(b""),
}
PIECE = 32 * 1024
SKIPPED = b"\x50\x2a\x4d\x18" + (1 << 16).to_bytes(4, "little") + bytes(1 << 16)
NEVER_SKIPPED = b"\x50\x2a\x4d\x18\xff\xff\xff\xff"
NAMED = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03"
"""The header of a gzip stream, up to a file name that goes on."""
PARTS = {
    kind: [SMALL[kind], EMPTY[kind], bytes(4), bytes(5000), SKIPPED, b"garbage", SMALL[kind][:-9], PACKED[kind]]
    for kind in PACKED
}
TAILS = {
    kind: [bytes(PIECE), b"x" * PIECE, SMALL[kind] * 50, EMPTY[kind] * 50, SKIPPED, EMPTY[kind] + bytes(4096), b""]
    for kind in PACKED
}
LAST = [b"", b"", NEVER_SKIPPED, NAMED]


class Endless(io.RawIOBase):
    """A file of 1 TiB: some parts, and then one part again and again. Each read takes half a second of its own time."""

    def __init__(self, start: bytes, tail: bytes) -> None:
        super().__init__()
        self.now = 0.0
        self._start = start
        self._tail = tail
        self._place = 0
        self._size = 1 << 40 if tail else len(start)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        self._place = self._size if whence == io.SEEK_END else place
        return self._place

    def read(self, size: int = -1) -> bytes:
        left = self._start[self._place :]
        if not left and self._tail:
            left = self._tail[(self._place - len(self._start)) % len(self._tail) :]
        piece = left[: min(size, PIECE)]
        self._place += len(piece)
        self.now += 0.5
        return piece


@fuzzed
@given(
    choices(list(PACKED)),
    several(range(8), 5),
    st.binary(min_size=10, max_size=10),
    st.binary(min_size=10, max_size=10),
)
def test_packed_data_without_an_end_is_read_until_the_deadline(
    kinds: list[str], orders: list[list[int]], tails: bytes, lasts: bytes
) -> None:
    for kind, order, tail, last in zip(kinds, orders, tails, lasts, strict=True):
        start = b"".join([SMALL[kind], *(PARTS[kind][part] for part in order), LAST[last % len(LAST)]])
        file = Endless(start, TAILS[kind][tail % len(TAILS[kind])])
        network = Network(clock=functools.partial(getattr, file, "now"))
        try:
            opened = open_source(None, LocalFile(cast("BinaryIO", file)), UrlPolicy(timeout_seconds=5), network=network)
            with contextlib.closing(opened) as source:
                source.head()
                assert file.now <= 5.5
                for _ in source.pieces(deadline=file.now + 5):
                    pass
        except LocalFileError as error:
            assert error.reason in ("truncated", "corrupt", "packed", "timeout")  # noqa: PT017  # either is right
        assert file.now <= 11
    assert not [thread for thread in threading.enumerate() if thread.name == "unpacking"]
