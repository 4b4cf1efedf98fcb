"""Registering a file of the caller's machine."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from hyperx_glance import (
    ChecksumMismatchError,
    InvalidRequestError,
    LocalFileError,
    NewImage,
    NewIso,
    Phase,
    Progress,
    QuotaExceededError,
    RegistrationFailedError,
    UrlProblem,
    UrlRejectedError,
)
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, unique
from tests.support.interference import Interference
from tests.support.registrations import limits

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.support.file_server import FileServer

DISK = samples.data("disk.qcow2")


def stored(alice: Client, image_id: str) -> bytes:
    return alice.cloud.get("image", f"/images/{image_id}/file").content


@pytest.mark.parametrize("sample", ["disk.qcow2", "partitioned.raw", "stream.vmdk", "disk.vhdx"])
@pytest.mark.parametrize("transfer", ["auto", "import", "stream"])
def test_a_file_is_uploaded_whoever_reads_urls(
    client: ClientFactory, tmp_path: Path, sample: str, transfer: str
) -> None:
    path = tmp_path / sample
    path.write_bytes(samples.data(sample))
    alice = client("alice", transfer=transfer, url_policy=LOOPBACK.model_copy(update={"preflight": False}))

    image = alice.register(NewImage(name=unique("file"), file=path))

    assert (image.disk_format, image.state, image.phase) == (samples.DISK_FORMATS[sample], "ACTIVE", "ready")
    assert (image.size, image.url, image.created_by) == (len(samples.data(sample)), "", alice.user_id)
    assert stored(alice, image.id) == samples.data(sample)


def test_a_file_object_and_exact_progress(client: ClientFactory) -> None:
    seen: list[Progress] = []
    alice = client("alice")

    image = alice.register(
        NewIso(name=unique("file"), file=io.BytesIO(samples.data("installer.iso"))), on_progress=seen.append
    )

    assert stored(alice, image.id) == samples.data("installer.iso")
    done = [each.bytes_done or 0 for each in seen]
    assert done == sorted(done)
    assert seen[-1].bytes_done == seen[-1].bytes_expected == len(samples.data("installer.iso"))
    assert seen[0].phase is Phase.STORING


@pytest.mark.parametrize(
    ("data", "fields", "reason"),
    [
        (b"", {}, UrlProblem.EMPTY),
        (b"<!DOCTYPE html><html>", {}, UrlProblem.HTML),
        (b"nobody knows", {}, UrlProblem.UNKNOWN_FORMAT),
        (DISK, {"disk_format": "vmdk"}, UrlProblem.WRONG_FORMAT),
        (samples.data("installer.iso"), {}, UrlProblem.WRONG_FORMAT),
        (samples.data("backed.qcow2"), {}, UrlProblem.UNSAFE_IMAGE),
    ],
)
@pytest.mark.usefixtures("nothing_left")
def test_an_unusable_file_is_refused_before_a_record_is_created(
    client: ClientFactory, tmp_path: Path, data: bytes, fields: dict[str, object], reason: UrlProblem
) -> None:
    path = tmp_path / "data"
    path.write_bytes(data)

    with pytest.raises(LocalFileError) as caught:
        client("alice").register(NewImage.model_validate({"name": unique("file"), "file": path, **fields}))

    assert (caught.value.reason, caught.value.file, caught.value.image_id) == (reason, str(path), None)


@pytest.mark.usefixtures("nothing_left")
def test_no_file_no_record(client: ClientFactory, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in tmp_path / "none", tmp_path, tmp_path / "pipe", Path("/dev/zero"):
        with pytest.raises(InvalidRequestError, match=r"^file: "):
            client("alice").register(NewImage(name=unique("file"), file=path, disk_format="raw"))


def shrink(path: Path) -> None:
    os.truncate(path, 200_000)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def replace(path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.write_bytes(DISK)


@pytest.mark.parametrize("change", [shrink, grow, replace, Path.unlink])
@pytest.mark.parametrize("keep", [False, True])
def test_a_file_that_changes_between_look_and_upload_leaves_nothing(
    client: ClientFactory,
    disk: Path,
    change: Callable[[Path], None],
    keep: bool,  # noqa: FBT001
) -> None:
    alice = client("alice")
    Interference(alice).after("POST", "^/images$", lambda: change(disk))

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name=unique("file"), file=disk), keep_failed=keep)

    left = [(image.state, image.phase) for image in alice.images() if image.id == caught.value.image_id]
    assert left == ([("INACTIVE", "failed")] if keep else [])
    assert caught.value.reason == (UrlProblem.UNREADABLE if change is Path.unlink else UrlProblem.CHANGED)


@pytest.mark.parametrize("change", [shrink, grow, Path.touch])
@pytest.mark.usefixtures("nothing_left")
def test_a_file_that_changes_while_it_is_uploaded_leaves_nothing(
    client: ClientFactory, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "big.raw"
    path.write_bytes(samples.data("partitioned.raw").ljust(5 << 20, b"\0"))
    changed = False

    def once(progress: Progress) -> None:
        nonlocal changed
        if not changed and progress.bytes_done:
            change(path)
            changed = True

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").register(NewImage(name=unique("file"), file=path), on_progress=once)

    assert caught.value.reason == UrlProblem.CHANGED


def test_a_checksum_of_a_file(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    for algorithm in "md5", "sha256", "sha512":
        digest = hashlib.new(algorithm, DISK).hexdigest()
        image = alice.register(NewImage(name=unique("file"), file=disk, checksum=f"{algorithm}:{digest}"))
        assert image.state == "ACTIVE"
        assert image.id not in {each.id for each in alice.unfinished_registrations()}


@pytest.mark.usefixtures("nothing_left")
def test_a_wrong_checksum_of_a_file_leaves_nothing(client: ClientFactory, disk: Path) -> None:
    alice = client("alice")
    with pytest.raises(ChecksumMismatchError):
        alice.register(NewImage(name=unique("file"), file=disk, checksum="sha256:" + "0" * 64), keep_failed=True)


@pytest.mark.usefixtures("nothing_left")
def test_no_room_for_a_file(client: ClientFactory, tmp_path: Path) -> None:
    path = samples.sparse_file(tmp_path / "big.raw", 3 << 20, head=samples.data("partitioned.raw")[:4096])
    with limits(client, "dept-a", {"image_size_mib": 1}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(NewImage(name=unique("file"), file=path, disk_format="raw"))

    assert caught.value.resource == "image_size_mib"


class TestResuming:
    def test_needs_the_file_again_and_begins_at_its_first_byte(self, client: ClientFactory, disk: Path) -> None:
        alice = client("alice")
        image_id = alice.start_registration(NewImage(name=unique("lost"), file=disk)).image_id
        assert image_id in {image.id for image in alice.unfinished_registrations()}

        with pytest.raises(InvalidRequestError, match=r"file: .* required again"):
            alice.resume_registration(image_id)
        image = alice.resume_registration(image_id, file=disk).wait()

        assert (image.id, image.state) == (image_id, "ACTIVE")
        assert stored(alice, image_id) == DISK

    def test_from_what_was_verified_it_needs_no_file(self, client: ClientFactory, disk: Path) -> None:
        alice = client("alice")
        image = alice.register(NewImage(name=unique("lost"), file=disk))

        assert alice.resume_registration(image).wait().id == image.id

    def test_with_a_file_of_another_format(self, client: ClientFactory, disk: Path, tmp_path: Path) -> None:
        alice = client("alice")
        image_id = alice.start_registration(NewImage(name=unique("lost"), file=disk)).image_id
        (tmp_path / "other").write_bytes(samples.data("disk.vmdk"))

        with pytest.raises(LocalFileError) as caught:
            alice.resume_registration(image_id, file=tmp_path / "other")

        assert caught.value.reason == UrlProblem.WRONG_FORMAT
        assert alice.resume_registration(image_id, file=disk).wait().state == "ACTIVE", "the record is still there"

    def test_a_url_is_no_file(self, client: ClientFactory, file_server: FileServer, disk: Path) -> None:
        alice = client("alice")
        url = file_server.serve("/disk.qcow2", DISK)
        image_id = alice.start_registration(NewImage(name=unique("lost"), url=url)).image_id

        with pytest.raises(InvalidRequestError, match="registered from a URL"):
            alice.resume_registration(image_id, file=disk)
        with pytest.raises(InvalidRequestError, match="not both"):
            alice.resume_registration(image_id, url=url, file=disk)
        alice.resume_registration(image_id).cancel()


# ----------------------------------------------------------------- packed data

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("source", ["url", "file"])
def test_packed_data_is_unpacked_on_the_way(
    client: ClientFactory, file_server: FileServer, tmp_path: Path, kind: str, source: str
) -> None:
    seen: list[Progress] = []
    packed = PACKERS[kind](DISK)
    path = tmp_path / "disk.packed"
    path.write_bytes(packed)
    where = {"url": file_server.serve("/disk.packed", packed)} if source == "url" else {"file": path}
    new = {"name": unique("packed"), "checksum": f"sha256:{hashlib.sha256(packed).hexdigest()}", **where}
    alice = client("alice")

    image = alice.register(NewImage.model_validate(new), on_progress=seen.append)

    assert (image.disk_format, image.size, image.state) == ("qcow2", len(DISK), "ACTIVE")
    assert stored(alice, image.id) == DISK
    last = max(seen, key=lambda progress: progress.bytes_done or 0)
    assert (last.bytes_done, last.bytes_read, last.bytes_to_read) == (len(DISK), len(packed), len(packed))
    # Glance's own digests are of other data, and still nothing is left to do, nor is anything ever called wrong.
    assert image.id not in {each.id for each in alice.unfinished_registrations()}
    assert alice.resume_registration(image).wait().id == image.id


@pytest.mark.usefixtures("nothing_left")
def test_a_wrong_checksum_of_packed_data_leaves_nothing(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/disk.xz", lzma.compress(DISK))
    for wrong in hashlib.sha256(DISK).hexdigest(), "0" * 64:  # it is of what the URL holds, and not of what is in it
        with pytest.raises(ChecksumMismatchError):
            client("alice").register(NewImage(name=unique("packed"), url=url, checksum=f"sha256:{wrong}"))


@pytest.mark.usefixtures("nothing_left")
def test_packed_data_is_refused_where_it_shall_not_be_unpacked(
    client: ClientFactory, file_server: FileServer, tmp_path: Path
) -> None:
    url = file_server.serve("/disk.xz", lzma.compress(DISK))
    (tmp_path / "disk.xz").write_bytes(lzma.compress(DISK))
    with pytest.raises(UrlRejectedError, match="xz -d") as caught:
        client("alice").register(NewImage(name=unique("packed"), url=url, unpack=False))
    assert caught.value.reason is UrlProblem.PACKED
    with pytest.raises(LocalFileError, match="xz -d") as local:
        client("alice").register(NewImage(name=unique("packed"), file=tmp_path / "disk.xz", unpack=False))
    assert local.value.reason is UrlProblem.PACKED
    with pytest.raises(InvalidRequestError, match="does not unpack"):
        client("alice", transfer="import").register(NewImage(name=unique("packed"), url=url))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda packed: packed[:-8], UrlProblem.TRUNCATED),
        (lambda packed: packed[: len(packed) // 2], UrlProblem.TRUNCATED),
        (lambda packed: packed + b"garbage behind it", UrlProblem.CORRUPT),
        (lambda packed: packed[:-30] + b"xxxx" + packed[-26:], UrlProblem.CORRUPT),
    ],
)
@pytest.mark.usefixtures("nothing_left")
def test_spoilt_packed_data_leaves_nothing(
    client: ClientFactory, file_server: FileServer, spoil: Callable[[bytes], bytes], reason: UrlProblem
) -> None:
    data = samples.data("partitioned.raw") + os.urandom(3 << 20)
    url = file_server.serve("/disk.gz", spoil(gzip.compress(data, 1)))

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").register(NewImage(name=unique("packed"), url=url))

    assert caught.value.reason == reason


@pytest.mark.usefixtures("nothing_left")
def test_a_bomb_is_stopped_at_the_quota(client: ClientFactory, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xz"
    path.write_bytes(
        lzma.compress(samples.data("partitioned.raw").ljust(1 << 20, b"\0")) + lzma.compress(bytes(16 << 20)) * 64
    )
    seen: list[Progress] = []

    with limits(client, "dept-a", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(NewImage(name=unique("bomb"), file=path), on_progress=seen.append)

    assert caught.value.resource == "image_size_mib"
    assert max(progress.bytes_done or 0 for progress in seen) <= 6 << 20


class TestResumingPackedData:
    def test_reads_it_again(self, client: ClientFactory, file_server: FileServer) -> None:
        packed = lzma.compress(DISK)
        url = file_server.serve("/disk.xz", packed)
        alice = client("alice")
        checksum = f"md5:{hashlib.md5(packed).hexdigest()}"
        image_id = alice.start_registration(NewImage(name=unique("lost"), url=url, checksum=checksum)).image_id

        image = alice.resume_registration(image_id).wait()

        assert (image.id, image.size) == (image_id, len(DISK))

    def test_verifies_what_nobody_came_to_mark(self, client: ClientFactory, file_server: FileServer) -> None:
        """The caller dies between the upload and the mark: the contents of the URL decide whether all is well."""
        packed = lzma.compress(DISK)
        url = file_server.serve("/disk.xz", packed)
        alice = client("alice")
        checksum = f"sha256:{hashlib.sha256(packed).hexdigest()}"
        handle = alice.start_registration(NewImage(name=unique("lost"), url=url, checksum=checksum))
        data = {"data": DISK, "headers": {"Content-Type": "application/octet-stream"}}
        alice.cloud.put("image", f"/images/{handle.image_id}/file", **data)
        assert handle.image_id in {image.id for image in alice.unfinished_registrations()}

        image = alice.resume_registration(handle.image_id).wait()

        assert image.glance_property("hyperx_checksum_verified") == "true"
        assert handle.image_id not in {image.id for image in alice.unfinished_registrations()}

    def test_accuses_nobody_where_the_url_holds_other_data_now(
        self, client: ClientFactory, file_server: FileServer
    ) -> None:
        packed = lzma.compress(DISK)
        alice = client("alice")
        url = file_server.serve("/disk.xz", packed)
        checksum = f"sha256:{hashlib.sha256(packed).hexdigest()}"
        handle = alice.start_registration(NewImage(name=unique("lost"), url=url, checksum=checksum))
        data = {"data": DISK, "headers": {"Content-Type": "application/octet-stream"}}
        alice.cloud.put("image", f"/images/{handle.image_id}/file", **data)
        file_server.serve("/disk.xz", lzma.compress(samples.data("disk.vmdk")))

        with pytest.raises(RegistrationFailedError) as caught:
            alice.resume_registration(handle.image_id).wait()

        assert caught.value.reason == "unverifiable"
        assert alice.image(handle.image_id).state == "ACTIVE"
