"""Registering with the checksum that a publisher lists."""

from __future__ import annotations

import hashlib
import io
import lzma
import pickle
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ChecksumMismatchError,
    InvalidRequestError,
    NewImage,
    NewIso,
    UrlProblem,
    UrlRejectedError,
)
from tests import samples
from tests.support.clouds import ClientFactory, unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.file_server import FileServer

DISK = samples.data("disk.qcow2")


def sums(server: FileServer, **files: bytes) -> str:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name.replace('_', '.')}\n" for name, data in files.items()]
    return server.serve("/SHA256SUMS", "".join(lines).encode())


@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_the_published_checksum_is_verified(client: ClientFactory, file_server: FileServer, transfer: str) -> None:
    url = file_server.serve("/12/disk.qcow2", DISK)
    published = sums(file_server, other_qcow2=b"x", disk_qcow2=DISK)

    image = client("alice", transfer=transfer).register(
        NewImage(name=unique("published"), url=url, checksum_url=published)
    )

    assert image.state == "ACTIVE"
    assert image.glance_property("hyperx_checksum") == f"sha256:{hashlib.sha256(DISK).hexdigest()}"
    assert image.glance_property("hyperx_checksum_verified") == "true"


def test_of_a_packed_file_it_is_that_of_the_packed_data(
    client: ClientFactory, file_server: FileServer, tmp_path: Path
) -> None:
    packed = lzma.compress(samples.data("installer.iso"))
    path = tmp_path / "installer.iso.xz"
    path.write_bytes(packed)
    published = sums(file_server, installer_iso_xz=packed, installer_iso=samples.data("installer.iso"))
    alice = client("alice")

    for where in {"url": file_server.serve("/installer.iso.xz", packed)}, {"file": path}:
        new = NewIso.model_validate({"name": unique("published"), "checksum_url": published, **where})
        assert alice.register(new).disk_format == "iso"


@pytest.mark.usefixtures("nothing_left")
def test_a_file_that_differs_from_its_published_checksum_leaves_no_image(
    client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.serve("/disk.qcow2", DISK)
    published = sums(file_server, disk_qcow2=b"something else")
    for transfer in "import", "stream":
        with pytest.raises(ChecksumMismatchError):
            client("alice", transfer=transfer).register(
                NewImage(name=unique("published"), url=url, checksum_url=published)
            )


@pytest.mark.usefixtures("nothing_left")
def test_without_a_line_nothing_begins(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/disk.qcow2", DISK)
    none = sums(file_server, other_qcow2=DISK)
    digests = [hashlib.sha256(data).hexdigest() for data in (DISK, b"x")]
    two = file_server.serve("/two", "".join(f"{digest}  disk.qcow2\n" for digest in digests).encode())
    for published, reason in (none, UrlProblem.NO_CHECKSUM), (two, UrlProblem.AMBIGUOUS_CHECKSUM):
        with pytest.raises(UrlRejectedError) as caught:
            client("alice").register(NewImage(name=unique("published"), url=url, checksum_url=published))
        assert (caught.value.reason, caught.value.url, caught.value.image_id) == (reason, published, None)
        assert caught.value.field == "checksum_url"
        assert pickle.loads(pickle.dumps(caught.value)).field == "checksum_url"
    with pytest.raises(UrlRejectedError) as caught:
        client("alice").register(NewImage(name=unique("published"), url=none))
    assert caught.value.field == "url"


@pytest.mark.usefixtures("nothing_left")
def test_a_file_object_without_a_name_has_no_line(client: ClientFactory, file_server: FileServer) -> None:
    published = sums(file_server, disk_qcow2=DISK)
    with pytest.raises(InvalidRequestError, match="no file name"):
        client("alice").register(NewImage(name=unique("published"), file=io.BytesIO(DISK), checksum_url=published))
    with pytest.raises(InvalidRequestError, match="not both"):
        NewImage(name="a", file=io.BytesIO(DISK), checksum_url=published, checksum="md5:" + "0" * 32)
