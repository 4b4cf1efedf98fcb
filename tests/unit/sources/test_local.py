"""Files of this machine are opened without blocking and read exactly, never as a mixture of two states."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from hyperx_glance import InvalidRequestError, LocalFileError, UrlPolicy, UrlProblem
from hyperx_glance.models.fields import DataFile
from hyperx_glance.sources.contents import HEAD_BYTES
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.opening import open_source
from hyperx_glance.sources.urls import check
from tests import samples

if TYPE_CHECKING:
    from collections.abc import Callable

DISK = samples.data("disk.qcow2")
BIG = os.urandom(3 * 1024 * 1024 + 17)


def read(file: DataFile) -> bytes:
    with contextlib.closing(open_source(None, LocalFile(file), UrlPolicy())) as opened:
        return b"".join(opened.pieces())


@pytest.mark.parametrize("data", [b"", b"x", DISK, BIG, BIG[:HEAD_BYTES], BIG[: HEAD_BYTES + 1], BIG[: 1 << 20]])
def test_a_file_is_read_whole_as_path_and_as_object(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "data"
    path.write_bytes(data)

    assert read(path) == read(str(path)) == read(io.BytesIO(data)) == data
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw:
        buffered.read(1)  # wherever it stands, it is read from its beginning
        assert read(buffered) == read(raw) == data
        assert not buffered.closed


def test_the_head_is_read_once(disk: Path) -> None:
    for file in LocalFile(disk), LocalFile(io.BytesIO(DISK)):
        with file.open() as opened:
            assert opened.head() == DISK[:HEAD_BYTES]
            assert opened.head() == DISK[:HEAD_BYTES]
            assert not opened.whole
            assert opened.size == len(DISK)
            assert check(opened, None).disk_format == "qcow2"
            assert b"".join(opened.pieces()) == DISK


def test_a_small_file_is_whole_with_its_head() -> None:
    with LocalFile(io.BytesIO(b"abc")).open() as opened:
        assert (opened.head(), opened.whole) == (b"abc", True)
        assert list(opened.pieces()) == [b"abc"]


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path, disk: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(disk)

    assert read(link) == DISK


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def link_to_fifo(folder: Path) -> Path:
    (folder / "link").symlink_to(fifo(folder))
    return folder / "link"


def unix_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(folder / "socket"))
    return folder / "socket"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: folder, id="a folder"),
        pytest.param(fifo, id="a pipe"),
        pytest.param(link_to_fifo, id="a link to a pipe"),
        pytest.param(unix_socket, id="a socket"),
        pytest.param(lambda _: Path("/dev/zero"), id="a device"),
        pytest.param(lambda _: Path("/dev/tty"), id="a terminal"),
        pytest.param(lambda folder: folder / "none", id="nothing"),
        pytest.param(lambda folder: folder / ("x" * 300), id="a name too long"),
    ],
)
def test_anything_but_a_regular_file_is_refused_without_blocking(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(InvalidRequestError, match=r"^file: "):
        read(make(tmp_path))


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(InvalidRequestError, match=r"^file: "):
        read(tmp_path / "a")


def test_a_pipe_is_refused_as_an_object_too() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb"), pytest.raises(InvalidRequestError, match=r"^file: "):  # noqa: PTH123  # a number
        read(pipe)


def text_file(path: Path) -> BinaryIO:
    return path.open()  # type: ignore[return-value]  # that is what the test is about


def closed_file(path: Path) -> BinaryIO:
    file = path.open("rb")
    file.close()
    return file


class Stream(io.BytesIO):
    """A stream that can be read only once, such as the body of a request."""

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize(
    "make",
    [
        text_file,
        closed_file,
        lambda _: io.StringIO("text"),
        lambda _: Stream(b"x"),
        gzip.GzipFile,
        bz2.BZ2File,
        lzma.LZMAFile,
    ],
)
def test_an_object_that_cannot_be_read_again_as_it_is_is_refused(disk: Path, make: Callable[[Path], BinaryIO]) -> None:
    with contextlib.closing(make(disk)) as file, pytest.raises(InvalidRequestError, match=r"^file: "):
        read(file)


def test_temporary_files_are_files() -> None:
    with tempfile.TemporaryFile() as file, tempfile.SpooledTemporaryFile() as spooled:
        file.write(DISK)
        spooled.write(DISK)
        assert read(file) == DISK
        assert read(spooled) == DISK  # type: ignore[arg-type]  # typeshed does not take it for a BinaryIO


# ----------------------------------------------------------------- files that change


def shrink(path: Path) -> None:
    os.truncate(path, 2 << 20)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, io.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(1, 1))  # times have a grain


@pytest.mark.parametrize("change", [shrink, grow, rewrite])
@pytest.mark.parametrize("as_object", [False, True])
def test_a_file_that_changes_while_it_is_read_is_an_error(
    tmp_path: Path,
    change: Callable[[Path], None],
    as_object: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / "data"
    path.write_bytes(BIG)
    given: DataFile = path.open("rb", buffering=0) if as_object else path

    with contextlib.ExitStack() as stack:
        if not isinstance(given, Path):
            stack.enter_context(given)  # type: ignore[arg-type]  # as above
        opened = stack.enter_context(LocalFile(given).open())
        pieces = opened.pieces()
        received = next(pieces)
        change(path)
        with pytest.raises(LocalFileError) as caught:
            received += b"".join(pieces)

    assert caught.value.reason is UrlProblem.CHANGED
    assert caught.value.file == str(path)


@pytest.mark.parametrize("change", [shrink, grow, rewrite, lambda path: path.rename(path.parent / "other")])
def test_a_file_that_is_another_one_when_it_is_opened_again_is_an_error(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = tmp_path / "data"
    path.write_bytes(BIG)
    file = LocalFile(path)
    file.open().close()
    change(path)
    if not path.exists():
        path.write_bytes(BIG)

    with pytest.raises(LocalFileError) as caught:
        file.open()

    assert caught.value.reason is UrlProblem.CHANGED


def test_a_file_that_is_gone_when_it_is_opened_again(disk: Path) -> None:
    file = LocalFile(disk)
    file.open().close()
    disk.unlink()

    with pytest.raises(LocalFileError, match="No such file") as caught:
        file.open()

    assert caught.value.reason is UrlProblem.UNREADABLE


def test_a_file_object_that_is_closed_when_it_is_opened_again(disk: Path) -> None:
    with disk.open("rb") as given:
        file = LocalFile(given)
        file.open().close()

    with pytest.raises(LocalFileError, match="open and seekable") as caught:
        file.open()

    assert caught.value.reason is UrlProblem.UNREADABLE


def test_a_file_that_has_become_a_pipe(disk: Path) -> None:
    file = LocalFile(disk)
    file.open().close()
    disk.unlink()
    os.mkfifo(disk)

    with pytest.raises(LocalFileError, match="regular file"):
        file.open()


class Failing(io.BytesIO):
    """A file that fails in the middle, as on a broken disk."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= 1 << 20:
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_file_that_cannot_be_read_to_its_end() -> None:
    with pytest.raises(LocalFileError, match="Input/output error") as caught:
        read(Failing(BIG))

    assert caught.value.reason is UrlProblem.UNREADABLE


def test_reading_a_file_ends_with_its_time() -> None:
    now = 0.0
    with LocalFile(io.BytesIO(BIG)).open(deadline=5, clock=lambda: now) as opened:
        pieces = opened.pieces(deadline=10)
        next(pieces)
        now = 10.0
        with pytest.raises(LocalFileError) as caught:
            list(pieces)

    assert caught.value.reason is UrlProblem.TIMEOUT


def test_a_name_drives_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\n.raw"
    path.write_bytes(b"")

    with LocalFile(path).open() as opened, pytest.raises(LocalFileError, match="empty") as caught:
        check(opened, "raw")

    assert caught.value.file.isprintable()
