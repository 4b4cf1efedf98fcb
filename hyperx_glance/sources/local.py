"""Files of this machine: opened safely, read once or repeatedly, and checked for changes.

>>> import io
>>> from hyperx_glance.sources.local import LocalFile
>>> with LocalFile(io.BytesIO(b"QFI")).open() as opened:
...     opened.size, list(opened.pieces())
(3, [b'QFI'])

The check is of the opened file, not of its name: a device or a pipe is refused, and opening one never blocks.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from hyperx_glance.errors import InvalidRequestError, LocalFileError
from hyperx_glance.models.fields import DataFile
from hyperx_glance.sources.contents import HEAD_BYTES, file_rejected
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import UrlProblem

PIECE_BYTES = 1024 * 1024
_OPENING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Without O_NONBLOCK, opening a FIFO waits for a writer."""
_UNPACKERS = (bz2.BZ2File, gzip.GzipFile, lzma.LZMAFile)
_NO_FILE = "must-be-a-regular-file"


class _Stamp(NamedTuple):
    """Identity and state of a file."""

    size: int
    device: int = 0
    inode: int = 0
    modified: int = 0


class LocalFile:
    """File that can be opened repeatedly, always from its first byte, and that must not change in between."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._stamp: _Stamp | None = None

    @property
    def path(self) -> str:
        """The path as it was given, or the name of a file object; "" if it has none."""
        name = os.fspath(self._file) if isinstance(self._file, str | os.PathLike) else getattr(self._file, "name", "")
        return name if isinstance(name, str) else ""

    @property
    def shown(self) -> str:
        """The path for messages, with printable characters only."""
        return "".join(letter if letter.isprintable() else "?" for letter in self.path) or "the file"

    def open(self, *, deadline: float | None = None, clock: Callable[[], float] = time.monotonic) -> "OpenedFile":
        """Open the file; ``deadline`` is for its first bytes. Raise `LocalFileError` if it has changed since."""
        try:
            file, stamp = self._open()
        except (OSError, InvalidRequestError) as error:
            if self._stamp is not None:  # the file could be opened before, so the request is valid
                raise self.unreadable(error) from error
            if isinstance(error, InvalidRequestError):
                raise
            raise _invalid("cannot-be-opened", explanation=str(error.strerror or ""), file=self.shown) from error
        opened = OpenedFile(self, file, stamp, deadline=deadline, clock=clock)
        if self._stamp is None:
            self._stamp = stamp
        if self._stamp != stamp:
            opened.close()
            raise self.changed()
        return opened

    def changed(self) -> LocalFileError:
        """Return the error of a file that has changed."""
        return file_rejected(UrlProblem.CHANGED, say("file-changed"), self.shown)

    def unreadable(self, error: Exception) -> LocalFileError:
        """Return the error of a file that cannot be read."""
        if isinstance(error, InvalidRequestError):
            message = say("file-no-longer-valid", problem=error.message.values["problem"])
            return file_rejected(UrlProblem.UNREADABLE, message, self.shown)
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return file_rejected(UrlProblem.UNREADABLE, say("file-unreadable"), self.shown, explanation=why)

    def _open(self) -> tuple[BinaryIO, _Stamp]:
        if not isinstance(self._file, str | os.PathLike):
            return _rewound(self._file)
        descriptor = os.open(self._file, _OPENING)
        if not _is_regular(descriptor):
            os.close(descriptor)
            raise _invalid(_NO_FILE)
        return open(descriptor, "rb", buffering=0), _stamp(descriptor)  # noqa: PTH123  # a number


def _invalid(code: str, *, explanation: str = "", **values: object) -> InvalidRequestError:
    message = say("wrong-field", field=field_name("file"), problem=say(code, **values))
    return InvalidRequestError(message, explanation=explanation)


def _rewound(file: BinaryIO) -> tuple[BinaryIO, _Stamp]:
    if isinstance(file, _UNPACKERS):
        raise _invalid("must-be-the-packed-file")
    if isinstance(file, io.TextIOBase):
        raise _invalid("must-be-a-binary-file")
    try:
        descriptor = _descriptor(file)
        size = file.seek(0, io.SEEK_END) if descriptor is None or _is_regular(descriptor) else None
        file.seek(0)
    except (AttributeError, OSError, TypeError, ValueError) as error:
        raise _invalid("must-be-a-seekable-file") from error
    if not isinstance(size, int):
        raise _invalid(_NO_FILE)
    return file, _Stamp(size) if descriptor is None else _stamp(descriptor)._replace(size=size)


def _descriptor(file: BinaryIO) -> int | None:
    try:
        return file.fileno()
    except (AttributeError, OSError):  # a file in memory has none
        return None


def _is_regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _stamp(descriptor: int) -> _Stamp:
    state = os.fstat(descriptor)
    return _Stamp(state.st_size, state.st_dev, state.st_ino, state.st_mtime_ns)


class OpenedFile:
    """Opened file: its first bytes, and then all of them, once.

    The last piece is returned only if the file has not changed meanwhile, so nobody gets all bytes of a mixture.
    """

    url = ""
    packed = ""
    packed_size = None
    content_type = ""

    def __init__(
        self, of: LocalFile, file: BinaryIO, stamp: _Stamp, *, deadline: float | None, clock: Callable[[], float]
    ) -> None:
        self.file = of.shown
        self.size = stamp.size
        self._of = of
        self._file = file
        self._stamp = stamp
        self.deadline = deadline
        self._clock = clock
        self._head = b""
        self._count = 0
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def interrupt(self) -> None:
        """Do nothing: reads from a disk end."""

    def close(self) -> None:
        """Close the file if it was opened here; a file object belongs to the caller."""
        if isinstance(self._of._file, str | os.PathLike):  # noqa: SLF001  # they are one
            with contextlib.suppress(OSError):
                self._file.close()

    @property
    def whole(self) -> bool:
        """Whether `head` is the whole file."""
        return self._ended

    def head(self) -> bytes:
        """Return the first bytes, fewer than `HEAD_BYTES` only if there are no more."""
        while len(self._head) < HEAD_BYTES and not self._ended:
            self._head += self._read(HEAD_BYTES - len(self._head))
        return self._head

    def pieces(self, *, deadline: float | None = None) -> Iterator[bytes]:
        """Iterate over all bytes until ``deadline``."""
        self.deadline = deadline
        held = self._head
        while not self._ended:
            piece = self._read(PIECE_BYTES)
            if piece and held:
                yield held
            held = piece or held
        if held:
            yield held

    def _read(self, size: int) -> bytes:
        if self.deadline is not None and self._clock() >= self.deadline:
            raise file_rejected(UrlProblem.TIMEOUT, say("file-reading-timed-out"), self._of.shown)
        try:
            piece = self._file.read(size)
        except (OSError, ValueError) as error:
            raise self._of.unreadable(error) from error
        if not isinstance(piece, bytes):
            raise _invalid("must-return-bytes")
        self._count += len(piece)
        self._ended = not piece
        if self._count > self.size or (self._ended and not self._is_as_at_first()):
            raise self._of.changed()
        return piece

    def _is_as_at_first(self) -> bool:
        descriptor = _descriptor(self._file)
        now = self._stamp if descriptor is None else _stamp(descriptor)._replace(size=self.size)
        return self._count == self.size and now == self._stamp
