"""Sample images, and answers that real services gave."""

from __future__ import annotations

import functools
import lzma
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

# The format of each harmless sample, as Glance is told. `files/make` says how they were made.
DISK_FORMATS: Final = {
    "data.iso": "iso",
    "disk.qcow2": "qcow2",
    "disk.raw": "raw",
    "disk.vdi": "vdi",
    "disk.vhd": "vhd",
    "disk.vhdx": "vhdx",
    "disk.vmdk": "vmdk",
    "huge.qcow2": "qcow2",
    "hybrid.iso": "iso",
    "installer.iso": "iso",
    "partitioned.raw": "raw",
    "stream.vmdk": "vmdk",
}
# These name other files of the host that opens them.
DANGEROUS: Final = {"backed.qcow2": "backing_file", "external.qcow2": "data_file"}


@functools.cache
def data(name: str) -> bytes:
    """Return the sample image of that name, such as "disk.qcow2"."""
    return lzma.decompress((FOLDER / "files" / f"{name}.xz").read_bytes())


def answer(name: str) -> bytes:
    """Return a recorded answer, such as "glance/image-active" for `tests/samples/glance/image-active.json`."""
    return (FOLDER / f"{name}.json").read_bytes()


def sparse_file(path: Path, size: int, *, head: bytes = b"") -> Path:
    """Make a file of any size that takes a few KiB of disk: ``head``, then zeros."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path
