"""Saving data despite trouble: the connection, the store, the disk, another download."""

from __future__ import annotations

import fcntl
import io
import itertools
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ChecksumMismatchError,
    Client,
    ConflictError,
    ImageNotActiveError,
    LocalFileError,
    NewImage,
    ServiceUnavailableError,
)
from hyperx_glance.testing.memory import InMemoryCloud, NoAnswer, Recorded, Reply
from hyperx_glance.texts import Text
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
    """An adapter that cuts the first responses with data after so many bytes, and notes their ranges."""

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
    """Glance answers 400 (glance/api/v2/image_data.py, StoreRandomGetNotSupported); others may ignore the range."""
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


def test_a_part_file_with_other_data_is_discarded(alice: Client, image: str, tmp_path: Path) -> None:
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


def test_nothing_is_written_into_a_file_of_another_name(alice: Client, image: str, tmp_path: Path) -> None:
    part, victim = tmp_path / f"{image}.part", tmp_path / "victim"
    for precious in b"precious", b"", bytes(len(DATA) + 1):
        victim.write_bytes(precious)
        part.hardlink_to(victim)
        with pytest.raises(ConflictError, match="hard link"):
            alice.download(image, tmp_path / "disk.raw")
        assert victim.read_bytes() == precious
        part.unlink()
    alice.download(image, tmp_path / "disk.raw")
    assert (tmp_path / "disk.raw").read_bytes() == DATA


def test_a_part_that_another_download_renames_meanwhile_is_left_alone(
    alice: Client, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, finished = tmp_path / f"{image}.part", tmp_path / "finished"
    part.write_bytes(DATA)
    usual = fcntl.flock

    def finish_first(descriptor: int, operation: int) -> None:
        usual(descriptor, operation)
        if part.exists():
            part.rename(finished)

    monkeypatch.setattr(fcntl, "flock", finish_first)  # the system's, at the one moment that matters
    with pytest.raises(ConflictError, match="Another download"):
        alice.download(image, tmp_path / "disk.raw")

    assert finished.read_bytes() == DATA
    assert sorted(path.name for path in tmp_path.iterdir()) == ["finished"]


def answering(cloud: InMemoryCloud, change: Callable[[Recorded, Reply], None]) -> None:
    """Let Glance answer with wrong records of images."""

    def changed(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if request.service == "glance" and request.method == "GET":
            change(request, reply)
        return reply

    cloud.intercept(changed)


def shown_with(field: str, value: object) -> Callable[[Recorded, Reply], None]:
    def change(request: Recorded, reply: Reply) -> None:
        if not request.path.endswith("/file"):
            reply.content = json.dumps(json.loads(reply.content) | {field: value}).encode()

    return change


@pytest.mark.parametrize(
    "wrong",
    ["../escaped", "/etc/escaped", "a/b", "a\0b", "\0", ".", "..", "", "a" * 5000, "\n", "%2e%2e%2f", "other",
     "\u202e", "CON"],
    ids=lambda wrong: repr(wrong[:20]),
)  # fmt: skip
def test_a_record_with_another_id_than_was_asked_for_is_refused_before_anything_is_made(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path, wrong: str
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    answering(cloud, shown_with("id", wrong))

    for target in inner / "disk.raw", io.BytesIO():
        with pytest.raises(ServiceUnavailableError):
            alice.download(image, target)

    assert list(tmp_path.rglob("*")) == [inner]
    assert reads(cloud) == 0


@pytest.mark.parametrize(
    ("start", "more"), list(itertools.product([0, 1, 3_000_000, len(DATA) - 1], [1, 100, 1 << 20, 100 << 20]))
)
def test_no_more_than_the_size_of_the_record_is_written(  # noqa: PLR0917 - two clouds' things, and two numbers
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path, start: int, more: int
) -> None:
    def lengthen(request: Recorded, reply: Reply) -> None:
        if request.path.endswith("/file"):
            reply.content += bytes(more)
            reply.headers.pop("Content-Length", None)

    part, path = tmp_path / f"{image}.part", tmp_path / "disk.raw"
    part.write_bytes(DATA[:start])
    answering(cloud, lengthen)

    with pytest.raises(ServiceUnavailableError, match=f"more than {len(DATA)} bytes"):
        alice.download(image, path)
    assert part.stat().st_size <= len(DATA)
    assert not path.exists()
    file = io.BytesIO()
    with pytest.raises(ServiceUnavailableError, match=f"more than {len(DATA)} bytes"):
        alice.download(image, file)
    assert len(file.getvalue()) <= len(DATA)
    assert reads(cloud) == 2


@pytest.mark.parametrize("size", [0, 1, len(DATA) - 1, len(DATA) + 1, 10**15])
def test_a_record_of_another_size_is_told_and_bounds_what_is_written(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path, size: int
) -> None:
    answering(cloud, shown_with("size", size))

    with pytest.raises((ServiceUnavailableError, ChecksumMismatchError)):
        alice.download(image, tmp_path / "disk.raw")

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= min(size, len(DATA))
    assert not (tmp_path / "disk.raw").exists()


@pytest.mark.parametrize("size", [None, -1, "5", 1.5, True, 10**30, [], {}])
def test_a_record_without_a_size_is_verified_by_its_hash(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path, size: object
) -> None:
    answering(cloud, shown_with("size", size))

    try:
        alice.download(image, tmp_path / "disk.raw")
    except (ServiceUnavailableError, ChecksumMismatchError):
        assert not (tmp_path / "disk.raw").exists()
    else:
        assert (tmp_path / "disk.raw").read_bytes() == DATA


class Full(io.BytesIO):
    """A file on a disk that is full after a mebibyte, or that writes little at once."""

    def write(self, data: object) -> int:
        if self.tell() >= 1 << 20:
            raise OSError(28, "No space left on device")
        return super().write(memoryview(data)[:1000])  # type: ignore[arg-type]  # bytes, in truth


def test_a_full_disk(alice: Client, image: str) -> None:
    with pytest.raises(LocalFileError, match="No space left") as caught:
        alice.download(image, Full())

    assert caught.value.explanation == "No space left on device"
    assert caught.value.in_language("zh", audience="person") == "无法写入文件。"


def test_a_disabled_image_is_enabled_by_each_reader_in_their_own_way(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.glance.images[image].status = "deactivated"
    with pytest.raises(ImageNotActiveError) as caught:
        alice.download(image, io.BytesIO())

    assert caught.value.in_language("en").endswith("Hint: Enable it first: enable(image).")
    assert f"`openstack hyperx image enable {image}`" in caught.value.in_language("en", audience="command")
    assert caught.value.in_language("zh", audience="person").endswith("当前阶段：已停用。请先启用该镜像。")


@pytest.mark.parametrize("blocking", [False, True])
def test_a_pipe_that_is_full_is_told(alice: Client, image: str, *, blocking: bool) -> None:
    """If writing does not block, Python's raw files return None when nothing was written."""
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    with open(reading, "rb") as read, open(writing, "wb", buffering=0) as file:  # noqa: PTH123  # numbers
        if blocking:
            drained = threading.Thread(target=read.read, daemon=True)
            drained.start()
            assert alice.download(image, file).id == image
        else:
            with pytest.raises(LocalFileError, match="nothing more can be written"):
                alice.download(image, file)
        file.close()


@pytest.mark.parametrize("told", [-1, 0, "all"])
def test_a_file_that_tells_no_number_is_refused(alice: Client, image: str, told: object) -> None:
    class Liar(io.BytesIO):
        def write(self, _: object) -> int:
            return told  # type: ignore[return-value]  # as said

    with pytest.raises(LocalFileError, match="nothing more can be written"):
        alice.download(image, Liar())


def test_an_exception_in_the_callback_is_raised_unchanged(
    cloud: InMemoryCloud, alice: Client, image: str, tmp_path: Path
) -> None:
    def complain(_: object) -> None:
        raise ServiceUnavailableError(Text("The callback's own."))

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
        f"The data so far is in {tmp_path / image}.part; the next download of this image continues there."
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
