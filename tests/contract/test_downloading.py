"""Saving the data of images, on both clouds."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ConflictError,
    ImageNotActiveError,
    InvalidRequestError,
    NewImage,
    NotFoundError,
    Progress,
    ServiceUnavailableError,
)
from tests import samples
from tests.support.clouds import ClientFactory, unique

if TYPE_CHECKING:
    from hyperx_glance import Client, Image

DISK = samples.data("disk.qcow2")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def registered(alice: Client, data: bytes = DISK, **fields: object) -> Image:
    return alice.register(NewImage.model_validate({"name": unique("saved"), "file": io.BytesIO(data), **fields}))


@pytest.mark.parametrize("by", ["path", "text", "object"])
def test_the_data_is_saved_as_it_is(client: ClientFactory, tmp_path: Path, by: str) -> None:
    alice = client("alice")
    image = registered(alice)
    seen: list[Progress] = []
    path, file = tmp_path / "disk.qcow2", io.BytesIO()
    targets: dict[str, str | Path | io.BytesIO] = {"path": path, "text": str(path), "object": file}

    saved = alice.download(image if by == "path" else image.id, targets[by], on_progress=seen.append)

    assert saved.id == image.id
    assert (file.getvalue() if by == "object" else path.read_bytes()) == DISK
    assert (seen[-1].bytes_done, seen[-1].bytes_expected) == (len(DISK), len(DISK))
    assert names(tmp_path) == ([] if by == "object" else ["disk.qcow2"])


def test_an_existing_file_is_replaced_by_the_download(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    path = tmp_path / "disk.qcow2"
    path.write_bytes(b"old")

    alice.download(registered(alice), path)

    assert path.read_bytes() == DISK


def test_a_download_resumes_from_the_part_file_of_an_earlier_one(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    image = registered(alice)
    part = tmp_path / f"{image.id}.part"
    for left in DISK[:100_000], DISK, b"", DISK + b"too much":
        part.write_bytes(left)
        seen: list[Progress] = []
        alice.download(image, tmp_path / "disk.qcow2", on_progress=seen.append)
        assert (tmp_path / "disk.qcow2").read_bytes() == DISK
        assert names(tmp_path) == ["disk.qcow2"]
        kept = len(left) if DISK.startswith(left) else 0
        assert [look.bytes_done for look in seen][-1:] == ([] if left == DISK else [len(DISK)])
        assert all(look.bytes_done is not None and look.bytes_done > kept for look in seen)


def test_a_part_that_is_another_file_too_is_not_written_into(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    image = registered(alice)
    precious, part = tmp_path / "precious", tmp_path / f"{image.id}.part"
    precious.write_bytes(b"mine")
    part.hardlink_to(precious)

    with pytest.raises(ConflictError, match="hard link"):
        alice.download(image, tmp_path / "disk.qcow2")
    assert precious.read_bytes() == b"mine"
    part.unlink()
    alice.download(image, tmp_path / "disk.qcow2")

    assert (tmp_path / "disk.qcow2").read_bytes() == DISK


def test_an_id_in_another_spelling_names_the_same_image_or_none(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    image = registered(alice)
    for spelling in image.id.upper(), f"{image.id} ", f" {image.id}", f"{{{image.id}}}", image.id.replace("-", ""):
        try:
            alice.download(spelling, tmp_path / "disk.qcow2")
        except (NotFoundError, ServiceUnavailableError):
            assert names(tmp_path) == []
        else:
            assert names(tmp_path) == ["disk.qcow2"]
            (tmp_path / "disk.qcow2").unlink()


def test_ctrl_c_leaves_what_the_next_download_goes_on_with(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    data = samples.data("partitioned.raw").ljust(3 << 20, b"\0") + os.urandom(1 << 20)
    image = registered(alice, data)

    def stop(progress: Progress) -> None:
        if (progress.bytes_done or 0) >= 2 << 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        alice.download(image, tmp_path / "disk.raw", on_progress=stop)
    assert names(tmp_path) == [f"{image.id}.part"]
    assert f"{image.id}.part" in str(caught.value.__notes__)

    seen: list[Progress] = []
    alice.download(image, tmp_path / "disk.raw", on_progress=seen.append)

    assert (tmp_path / "disk.raw").read_bytes() == data
    assert (seen[0].bytes_done or 0) > 2 << 20


def test_an_image_without_data(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    handle = alice.start_registration(NewImage(name=unique("saved"), file=io.BytesIO(DISK)))
    disabled = alice.disable(registered(alice))
    for image_id in handle.image_id, disabled.id:
        with pytest.raises(ImageNotActiveError):
            alice.download(image_id, tmp_path / "disk.qcow2")
    client("admin").download(disabled, io.BytesIO())  # Glance lets administrators
    handle.cancel()
    with pytest.raises(NotFoundError):
        alice.download(handle.image_id, tmp_path / "disk.qcow2")
    assert names(tmp_path) == []


def test_a_place_that_takes_no_file(client: ClientFactory, tmp_path: Path) -> None:
    alice = client("alice")
    image = registered(alice)
    os.mkfifo(tmp_path / "pipe")
    for path in tmp_path, tmp_path / "none" / "disk", tmp_path / "pipe", Path("/dev/null"):
        with pytest.raises(InvalidRequestError, match=r"^path_or_file: "):
            alice.download(image, path)
