"""Saving data despite trouble: the connection, the store, the disk, another download."""

from __future__ import annotations

import fcntl
import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ChecksumMismatchError,
    Client,
    ConflictError,
    LocalFileError,
    NewImage,
    ServiceUnavailableError,
)
from hyperx_glance.testing.memory import InMemoryCloud, NoAnswer, Recorded, Reply
from tests import samples
from tests.support.clouds import ClientFactory

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = samples.data("partitioned.raw").ljust(5 << 20, b"\1")


@pytest.fixture
def alice(client: ClientFactory) -> Client:
    return client("alice")


@pytest.fixture
def image(alice: Client) -> str:
    return alice.register(NewImage(name="saved", file=io.BytesIO(DATA))).id


def reads(cloud: InMemoryCloud) -> int:
    return sum(request.method == "GET" and request.path.endswith("/file") for request in cloud.requests)


class Cutting:
    """Cut each of the first answers with data after so many bytes of it, and note what they are about."""

    def __init__(self, *after: int) -> None:
        self.after = list(after)
        self.ranges: list[str] = []

    def __call__(self, request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if request.path.endswith("/file"):
            self.ranges.append(reply.headers.get("Content-Range", ""))
        if request.path.endswith("/file") and self.after:
            reply.content = reply.content[: self.after.pop(0)]
        return reply


def test_a_connection_that_breaks_is_gone_on_with(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path
) -> None:
    cutting = Cutting(2_000_000, 1_000_000)
    cloud.intercept(cutting)

    alice.download(image, tmp_path / "disk.raw")

    assert (tmp_path / "disk.raw").read_bytes() == DATA
    end = f"{len(DATA) - 1}/{len(DATA)}"
    assert cutting.ranges == ["", f"bytes 2000000-{end}", f"bytes 3000000-{end}"]


def test_a_service_that_brings_nothing_is_given_up(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path
) -> None:
    cloud.intercept(Cutting(*[10] * 100))

    with pytest.raises(ServiceUnavailableError) as caught:
        alice.download(image, tmp_path / "disk.raw")

    assert reads(cloud) == 4
    assert f"{image}.part" in str(caught.value.__notes__)


def test_a_store_that_reads_from_the_beginning_only(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path
) -> None:
    """Glance says 400 then (glance/api/v2/image_data.py, StoreRandomGetNotSupported); others may ignore the range."""
    for answer in "400", "all":
        (tmp_path / f"{image}.part").write_bytes(DATA[:3_000_000])

        def no_range(_request: Recorded, handle: Callable[[], Reply], answer: str = answer) -> Reply:
            reply = handle()
            if reply.status != 206:
                return reply
            return Reply(400) if answer == "400" else Reply(200, DATA, {"Content-Length": str(len(DATA))})

        cloud.intercept(no_range)
        alice.download(image, tmp_path / "disk.raw")

        assert (tmp_path / "disk.raw").read_bytes() == DATA


def test_data_that_is_not_what_glance_has_hashed_never_gets_its_name(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path
) -> None:
    cloud.glance.images[image].data = DATA[:-1] + b"x"
    path = tmp_path / "disk.raw"
    path.write_bytes(b"old")

    with pytest.raises(ChecksumMismatchError, match="sha512:"):
        alice.download(image, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

    with pytest.raises(ChecksumMismatchError):
        alice.download(image, io.BytesIO())


def test_what_is_left_of_something_else_is_thrown_away(alice: Client, image: str, tmp_path: Path) -> None:
    (tmp_path / f"{image}.part").write_bytes(b"something else")

    with pytest.raises(ChecksumMismatchError):
        alice.download(image, tmp_path / "disk.raw")
    alice.download(image, tmp_path / "disk.raw")

    assert (tmp_path / "disk.raw").read_bytes() == DATA


@pytest.mark.parametrize("kept", [{"hash_algorithm": None, "hash_value": None}, {"hash_algorithm": "blake9"}])
def test_another_hash_than_the_usual_one_or_none(
    cloud: InMemoryCloud, alice: Client, image: str, kept: dict[str, str | None]
) -> None:
    record = cloud.glance.images[image]
    names = {"hash_algorithm": "os_hash_algo", "hash_value": "os_hash_value"}
    for name, value in kept.items():
        setattr(record, names[name] if hasattr(record, names[name]) else name, value)

    alice.download(image, io.BytesIO())
    record.data = DATA[:-1] + b"x"
    with pytest.raises(ChecksumMismatchError, match="md5:"):
        alice.download(image, io.BytesIO())
    record.checksum = None
    alice.download(image, io.BytesIO())


def test_two_downloads_at_once_do_not_mix(alice: Client, image: str, tmp_path: Path) -> None:
    with (tmp_path / f"{image}.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="Another download"):
            alice.download(image, tmp_path / "disk.raw")


def test_nothing_is_written_through_a_link_or_into_a_pipe(alice: Client, image: str, tmp_path: Path) -> None:
    part, victim = tmp_path / f"{image}.part", tmp_path / "victim"
    victim.write_bytes(b"precious")
    part.symlink_to(victim)
    with pytest.raises(LocalFileError):
        alice.download(image, tmp_path / "disk.raw")
    part.unlink()
    os.mkfifo(part)
    with pytest.raises((ConflictError, LocalFileError)):
        alice.download(image, tmp_path / "disk.raw")

    assert victim.read_bytes() == b"precious"


class Full(io.BytesIO):
    """Be a disk that is full after a mebibyte, or takes little at once."""

    def write(self, data: object) -> int:
        if self.tell() >= 1 << 20:
            raise OSError(28, "No space left on device")
        return super().write(memoryview(data)[:1000])  # type: ignore[arg-type]  # bytes, in truth


def test_a_full_disk(alice: Client, image: str) -> None:
    with pytest.raises(LocalFileError, match="No space left"):
        alice.download(image, Full())


@pytest.mark.parametrize("blocking", [False, True])
def test_a_pipe_that_is_full_is_told(alice: Client, image: str, *, blocking: bool) -> None:
    """Where writing does not block, Python's raw files give None for nothing written."""
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    with open(reading, "rb") as read, open(writing, "wb", buffering=0) as file:  # noqa: PTH123  # numbers
        if blocking:
            drained = threading.Thread(target=read.read, daemon=True)
            drained.start()
            assert alice.download(image, file).id == image
        else:
            with pytest.raises(LocalFileError, match="takes nothing any more"):
                alice.download(image, file)
        file.close()


@pytest.mark.parametrize("told", [-1, 0, "all"])
def test_a_file_that_tells_no_number_is_refused(alice: Client, image: str, told: object) -> None:
    class Liar(io.BytesIO):
        def write(self, _: object) -> int:
            return told  # type: ignore[return-value]  # as said

    with pytest.raises(LocalFileError, match="takes nothing any more"):
        alice.download(image, Liar())


def test_what_the_callback_raises_comes_out_as_it_was(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path
) -> None:
    def complain(_: object) -> None:
        raise ServiceUnavailableError("The callback's own.")

    with pytest.raises(ServiceUnavailableError, match="callback's own"):
        alice.download(image, tmp_path / "disk.raw", on_progress=complain)

    assert reads(cloud) == 1


def test_data_that_gets_no_name_is_kept_and_told(alice: Client, image: str, tmp_path: Path) -> None:
    target = tmp_path / "disk.raw"

    def occupy(_: object) -> None:
        target.mkdir(exist_ok=True)

    with pytest.raises(LocalFileError) as caught:
        alice.download(image, target, on_progress=occupy)

    assert caught.value.__notes__ == [
        f"What has come is in {tmp_path / image}.part; the next download of this image goes on there."
    ]
    target.rmdir()
    alice.download(image, target)
    assert target.read_bytes() == DATA


def test_no_answer_at_all(cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path) -> None:
    def silent(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        if request.path.endswith("/file"):
            raise NoAnswer("reset")
        return handle()

    cloud.intercept(silent)
    with pytest.raises(ServiceUnavailableError):
        alice.download(image, tmp_path / "disk.raw")
