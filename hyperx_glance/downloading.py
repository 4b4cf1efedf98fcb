"""Saving the data of an image: verified, resumed after interruptions, and never half a file under its name.

>>> target = folder / "copy.qcow2"
>>> client.download(disk_image, target).name
'debian-12.qcow2'
>>> target.read_bytes() == (folder / "debian-12.qcow2").read_bytes()
True

The data is first written to ``<id>.part`` beside the file. The next call for the same image continues there.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from hyperx_glance.cloud.cloud import REQUEST_TIMEOUT_SECONDS, image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import (
    ChecksumMismatchError,
    ConflictError,
    ImageNotActiveError,
    InvalidRequestError,
    LocalFileError,
    ServiceUnavailableError,
)
from hyperx_glance.models.fields import DataFile
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.record import kept_digest
from hyperx_glance.models.results import Progress
from hyperx_glance.texts import Text, field_name, say
from hyperx_glance.vocabulary import Phase, UrlProblem
from hyperx_glance.waiting.pace import REPETITIONS, log_failure, pause

PIECE_BYTES = 1024 * 1024
_OPENING = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def download(
    context: Context, image: Image | str, target: DataFile, *, on_progress: Callable[[Progress], object] | None
) -> Image:
    """Write the data of an image to a path or into a binary file object."""
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    if path is not None:
        _check_place(path)
    record = context.cloud.image(image_id(image))
    disabled = record.glance_status == "deactivated"
    if record.glance_status != "active" and not (disabled and context.cloud.is_administrator):
        raise ImageNotActiveError(
            say("data-not-readable", image=record.id, phase=record.phase),
            image_id=record.id,
            phase=record.phase,
            failure=record.failure,
            hint=say("enable-first", image=record.id) if disabled else say("wait-for-data"),
        )
    saving = _Saving(context, record, on_progress)
    if path is not None:
        _save(saving, path)
    else:
        assert not isinstance(target, str | os.PathLike)  # it would be a path
        saving.into(target, str(getattr(target, "name", "") or "the file"))
        saving.verify()
    return record


class _Saving:
    """The data of one image so far: its length and digest."""

    def __init__(self, context: Context, image: Image, on_progress: Callable[[Progress], object] | None) -> None:
        self.image = image
        self.count = 0
        self._context = context
        self._on_progress = on_progress
        self._started = context.settings.pace.clock()
        self._algorithm, self._wanted = kept_digest(image)
        self._hash: _Hash | None = hashlib.new(self._algorithm, usedforsecurity=False) if self._algorithm else None

    def note(self, piece: bytes) -> None:
        """Count and hash a piece that is in the file."""
        self.count += len(piece)
        if self._hash:
            self._hash.update(piece)

    def into(self, file: BinaryIO, name: str) -> None:
        """Write the rest of the data."""
        for piece in _data(self._context, self.image, self.count):
            if self.image.size is not None and self.count + len(piece) > self.image.size:
                raise _wrong_length(say("too-many-bytes", image=self.image.id, size=self.image.size))
            _write(file, piece, name)
            self.note(piece)
            if self._on_progress is not None:
                clock = self._context.settings.pace.clock
                self._on_progress(
                    Progress(
                        phase=Phase.DOWNLOADING,
                        bytes_expected=self.image.size,
                        bytes_done=self.count,
                        elapsed_seconds=clock() - self._started,
                    )
                )

    def verify(self) -> None:
        """Raise if the digest is not the one that Glance computed when it got the data."""
        actual = self._hash.hexdigest() if self._hash else ""
        if actual != self._wanted:
            raise ChecksumMismatchError(
                image_id=self.image.id,
                expected=f"{self._algorithm}:{self._wanted}",
                actual=f"{self._algorithm}:{actual}",
            )


def _data(context: Context, image: Image, start: int) -> Iterator[bytes]:
    """Iterate over the data from byte ``start`` on; continue if the connection breaks, since reading is safe to repeat.

    It gives up after as many attempts in a row as other requests have, if none of them brought a whole piece.
    """
    pace = context.settings.pace
    path = image_path(image.id, "file")
    here, failures = start, 0
    while image.size is None or here < image.size:
        before = here
        try:
            for piece in context.cloud.chunks("image", path, start=here, timeout=REQUEST_TIMEOUT_SECONDS):
                here += len(piece)
                yield piece
            _check_end(image, here)
        except ServiceUnavailableError as error:
            failures = 1 if here - before >= PIECE_BYTES else failures + 1
            if failures > REPETITIONS:
                raise
            log_failure(f"the download of image {image.id}", error)
        else:
            return
        pause(pace, pace.first_interval * 4**failures)
    _check_end(image, here)


def _check_end(image: Image, here: int) -> None:
    if image.size not in (None, here):
        raise _wrong_length(say("wrong-number-of-bytes", image=image.id, received=here, size=image.size))


def _wrong_length(message: Text) -> ServiceUnavailableError:
    return ServiceUnavailableError(message, service="image", hint=say("try-later-or-check-the-store"))


def _write(file: BinaryIO, piece: bytes, name: str) -> None:
    """Write the whole piece: a file without a buffer may write less at once."""
    rest = memoryview(piece)
    while rest:
        try:
            written: object = file.write(rest)
        except (OSError, TypeError, ValueError) as error:
            raise _not_written(name, error) from error
        if written is None and not isinstance(file, io.RawIOBase):
            return  # not every object returns the length; for a raw one, None means that nothing was written
        if not isinstance(written, int) or written <= 0:
            raise LocalFileError(say("file-takes-nothing-more"), file=name, reason=UrlProblem.UNWRITABLE)
        rest = rest[written:]


def _not_written(name: str, error: Exception) -> LocalFileError:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return LocalFileError(say("file-not-written"), file=name, reason=UrlProblem.UNWRITABLE, explanation=why)


# ----------------------------------------------------------------- a file under its name


def _check_place(path: Path) -> None:
    """Refuse a path to which nothing could be written in the end, before any data is read."""
    try:
        if path.exists() and not path.is_file():
            raise _wrong_path("must-be-a-new-file")
        if not os.access(path.parent, os.W_OK | os.X_OK) or not path.parent.is_dir():
            raise _wrong_path("must-be-in-a-folder")
    except OSError as error:
        raise _wrong_path("path-unusable", explanation=str(error.strerror or "")) from error


def _wrong_path(code: str, *, explanation: str = "") -> InvalidRequestError:
    message = say("wrong-field", field=field_name("path_or_file"), problem=say(code))
    return InvalidRequestError(message, explanation=explanation)


def _save(saving: _Saving, path: Path) -> None:
    part = path.with_name(f"{saving.image.id}.part")
    with contextlib.closing(_opened(part)) as file:
        try:
            _take_up(saving, file)
            saving.into(file, str(part))
            _give_name(saving, file, part, path)
        except BaseException as error:
            if part.exists():
                error.add_note(say("download-continues-there", file=part))
            raise


def _give_name(saving: _Saving, file: BinaryIO, part: Path, path: Path) -> None:
    """Rename the part to its final name if its digest is right, or delete it."""
    try:
        saving.verify()
    except ChecksumMismatchError:
        part.unlink(missing_ok=True)
        raise
    try:
        os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _not_written(str(path), error) from error


def _opened(part: Path) -> BinaryIO:
    """Open the part and lock it. Otherwise, a second download could write to a file that the first has verified."""
    try:
        descriptor = os.open(part, _OPENING, 0o666)
    except OSError as error:
        raise _not_written(str(part), error) from error
    file: BinaryIO = open(descriptor, "r+b", buffering=0)  # noqa: PTH123, SIM115  # a number, and the caller closes it
    try:
        _lock(descriptor, part)
    except BaseException:
        file.close()
        raise
    return file


def _lock(descriptor: int, part: Path) -> None:
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid():
        raise ConflictError(say("file-of-another-user", file=part), hint=say("delete-it-or-choose-a-folder"))
    if state.st_nlink > 1:
        raise ConflictError(say("file-is-a-hard-link", file=part), hint=say("delete-the-link"))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        now = part.lstat()
    except OSError as error:
        message, hint = say("another-download-is-writing", file=part), say("wait-for-the-download")
        raise ConflictError(message, hint=hint) from error
    if not os.path.samestat(state, now):  # another download renamed it before this one got the lock
        raise ConflictError(say("another-download-has-finished", file=part), hint=say("try-again"))


def _take_up(saving: _Saving, file: BinaryIO) -> None:
    """Count and hash the data that an earlier download left; if it is longer than the image, start again."""
    size = os.fstat(file.fileno()).st_size
    if saving.image.size is None or size > saving.image.size:
        file.truncate(0)
    while piece := file.read(PIECE_BYTES):
        saving.note(piece)
