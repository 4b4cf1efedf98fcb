"""Data that is packed with xz, gzip, bzip2 or zstd, unpacked while it is read.

>>> import gzip, io
>>> from hyperx_glance.sources.local import LocalFile
>>> from hyperx_glance.sources.unpacking import Unpacked
>>> with Unpacked(LocalFile(io.BytesIO(gzip.compress(b"QFI"))).open(), "gzip") as source:
...     source.head()
b'QFI'

A stream may be followed by another of its kind, as with the tools themselves; any other trailing data is an error.
Memory is bounded for every file: by the size of pieces, and by the largest accepted window. Time is bounded by the
deadline, and by the amount of data that may unpack to nothing: padding, empty streams, skippable frames, long headers.
"""

import bz2
import hashlib
import importlib
import lzma
import queue
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

from hyperx_glance.sources.contents import HEAD_BYTES, Opened, packed_into, refusal
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import UrlProblem

PIECE_BYTES = 256 * 1024
PIECES_AHEAD = 8
LARGEST_WINDOW_BYTES = 128 * 1024 * 1024
"""The most that `xz -9` and `zstd --ultra --long` require; a file could require 4 GiB."""
LARGEST_SILENCE_BYTES = 64 * 1024 * 1024
"""Consecutive packed bytes that unpack to nothing. Tapes and xz pad by some KiB; zstd's seek table has some MiB."""
_FED_BYTES = 256 * 1024


class _Decoder(Protocol):
    """Decoder of one stream, with the interface of `bz2.BZ2Decompressor`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """Decoder of one gzip stream, with the interface of the other decoders."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self.needs_input = len(piece) < max_length and not self._decoder.unconsumed_tail
        return piece


def _zstd() -> _Decoder:
    # In the standard library since Python 3.14; the same module for older versions is backports.zstd.
    zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    window = {zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW_BYTES.bit_length() - 1}
    decoder: _Decoder = zstd.ZstdDecompressor(options=window)
    return decoder


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": _Gzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LARGEST_WINDOW_BYTES),
    "zstd": _zstd,
}
_PADDED = ("gzip", "xz")
"""Formats that zeros may follow: tapes, and the xz format itself, round sizes up."""


def unpackable(head: bytes) -> str:
    """Return the compression of a file by its first bytes if it can be unpacked here; otherwise ""."""
    kind = packed_into(head)
    return kind if kind in _DECODERS else ""


class Unpacked:
    """Unpacked data of an opened source: its first bytes, and then all of them, once.

    ``deadline`` is for the first bytes, on ``clock``. The rest is read and unpacked in a separate thread, so that
    reading and unpacking run concurrently with the caller.
    """

    size = None

    def __init__(
        self,
        source: Opened,
        kind: str,
        *,
        algorithm: str | None = None,
        deadline: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = source.url
        self.file = source.file
        self.content_type = source.content_type
        self.packed = kind
        self.packed_size = source.size
        self.bytes_read = 0
        """The number of packed bytes that were read."""
        self._source = source
        self._silence = 0
        self._clock = clock
        self.deadline = deadline
        self._algorithm = algorithm
        # usedforsecurity: the publisher chose the algorithm, and builds for FIPS refuse md5 otherwise.
        self._hash = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
        self._unpacking = self._unpack()
        self._head = b""
        self._ended = False
        self._ahead: _Ahead | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def digest(self) -> str | None:
        """The checksum of the packed data, as "algorithm:hex"; None if none is wanted. Final after the last piece."""
        return f"{self._algorithm}:{self._hash.hexdigest()}" if self._hash else None

    @property
    def whole(self) -> bool:
        """Whether `head` is the whole file."""
        return self._ended

    def head(self) -> bytes:
        """Return the first unpacked bytes, fewer than `HEAD_BYTES` only if there are no more."""
        while len(self._head) < HEAD_BYTES and not self._ended:
            piece = next(self._unpacking, b"")
            self._ended = not piece
            self._head += piece
        return self._head

    def pieces(self, *, deadline: float | None = None) -> Iterator[bytes]:
        """Iterate over all unpacked bytes until ``deadline``."""
        if self._head:
            yield self._head
        if self._ended:
            return
        self.deadline = self._source.deadline = deadline
        self._ahead = _Ahead(self._unpacking)
        yield from self._ahead.pieces()
        self._ended = True

    def interrupt(self) -> None:
        """Wake a thread that waits for data."""
        self._source.interrupt()

    def close(self) -> None:
        """Stop reading and unpacking."""
        if self._ahead is not None:
            self._ahead.stop(self._source.interrupt)
        self._source.close()

    # ------------------------------------------------------------- one piece after another

    def _unpack(self) -> Iterator[bytes]:
        decoder: _Decoder | None = None
        begun = False
        for fed in self._fed():
            data = fed
            while True:
                if decoder is None:
                    data = data.lstrip(b"\0") if begun and self.packed in _PADDED else data
                    if not data:
                        break
                    decoder, begun = self._decoder(), True
                piece = self._decompress(decoder, data)
                if piece:
                    self._silence = 0
                    yield piece
                data = b""
                if decoder.eof:
                    data, decoder = decoder.unused_data, None
                elif decoder.needs_input:
                    break
        if decoder is not None:
            raise refusal(self, UrlProblem.TRUNCATED, say("packed-data-ends-early", packed=self.packed))

    def _fed(self) -> Iterator[bytes]:
        for piece in self._source.pieces(deadline=self.deadline):
            if self._hash:
                self._hash.update(piece)
            for start in range(0, len(piece), _FED_BYTES):
                fed = piece[start : start + _FED_BYTES]
                self.bytes_read += len(fed)
                self._silence += len(fed)
                self._check_bounds()
                yield fed

    def _check_bounds(self) -> None:
        if self.deadline is not None and self._clock() >= self.deadline:
            raise refusal(self, UrlProblem.TIMEOUT, say("unpacking-timed-out"))
        if self._silence > LARGEST_SILENCE_BYTES:
            message = say("packed-data-is-padding", most=LARGEST_SILENCE_BYTES >> 20, packed=self.packed)
            raise refusal(self, UrlProblem.CORRUPT, message)

    def _decoder(self) -> _Decoder:
        try:
            return _DECODERS[self.packed]()
        except ImportError as error:
            hint = say("install-zstd")
            raise refusal(self, UrlProblem.PACKED, say("zstd-not-installed"), hint=hint) from error

    def _decompress(self, decoder: _Decoder, data: bytes) -> bytes:
        self._check_bounds()
        try:
            return decoder.decompress(data, PIECE_BYTES)
        except Exception as error:  # each decoder has its own errors, and the class of zstd may not be installed
            if "memory" in str(error).lower():
                message = say("unpacking-needs-memory", packed=self.packed, most=LARGEST_WINDOW_BYTES >> 20)
                raise refusal(self, UrlProblem.PACKED, message) from error
            raise refusal(self, UrlProblem.CORRUPT, say("packed-data-damaged", packed=self.packed)) from error


class _Ahead:
    """Iterator that runs in a thread, some pieces ahead of its consumer."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(PIECES_AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="unpacking")
        self._thread.start()

    def _run(self) -> None:
        try:
            for piece in self._pieces:
                self._queue.put(piece)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # raised again in `pieces`
            self._queue.put(error)
        else:
            self._queue.put(None)

    def pieces(self) -> Iterator[bytes]:
        """Iterate over the pieces, and raise the thread's exception."""
        while (piece := self._queue.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def stop(self, interrupt: Callable[[], None]) -> None:
        """End the thread, which may be waiting for space in the queue, or for its source."""
        self._stopped.set()
        interrupt()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue
        self._thread.join()
