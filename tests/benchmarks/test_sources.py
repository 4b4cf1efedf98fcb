"""Large files and packed data on the real Glance: byte-identical, in flat memory, as fast as xz and curl in a pipe."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import samples
from tests.benchmarks.records import table
from tests.support.clouds import image_ids, login, remove_images, unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

ROOT = Path(__file__).parents[2]
GIB = 1 << 30
MOST_MEMORY_MIB = 30
SIZE = int(os.environ.get("SOURCE_GIB", "4")) * GIB
pytestmark = pytest.mark.local


@pytest.fixture(autouse=True)
def _room(local_cloud: LocalCloud, client: ClientFactory) -> Iterator[None]:
    before = image_ids(local_cloud)
    client("admin").set_quota("dept-a", image_size_mib=20_000)
    yield
    remove_images(local_cloud, image_ids(local_cloud) - before)
    client("admin").set_quota("dept-a", image_size_mib=None)


def sparse_disk(path: Path, size: int) -> Path:
    """Make a disk of which a few MiB here and there are data, and the rest is nothing."""
    head = samples.data("partitioned.raw")[:4096]
    samples.sparse_file(path, size, head=head)
    with path.open("r+b") as file:
        for number in range(1, 32):
            file.seek(number * size // 32)
            file.write(os.urandom(64 * 1024))
    return path


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run(local_cloud: LocalCloud, folder: Path, request: dict[str, object]) -> dict[str, Any]:
    small = folder / "small.qcow2"
    small.write_bytes(samples.data("disk.qcow2"))
    order = json.dumps({"auth": login(local_cloud, "alice"), "small": str(small), "request": request})
    command = [sys.executable, "-m", "tests.benchmarks.registrant", order]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def piped(client: ClientFactory, pipe: Callable[[str], str]) -> float:
    """Upload by other programs, and return how long they took."""
    alice = client("alice")
    body = {"name": unique("curl"), "disk_format": "raw", "container_format": "bare"}
    image_id = alice.cloud.post("image", "/images", json=body).json()["id"]
    token = alice.cloud.session.get_token()
    url = f"{alice.cloud.base('image')}/images/{image_id}/file"
    curl = f"curl -sSf -X PUT -H 'X-Auth-Token: {token}' -H 'Content-Type: application/octet-stream'"
    began = time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", pipe(f"{curl} {url}")], check=True)
    took = time.monotonic() - began
    assert alice.image(image_id).state == "ACTIVE"
    alice.delete(image_id)
    return took


def show(name: str, result: dict[str, Any], other: float) -> None:
    rows = [
        ("", "seconds", "CPU seconds", "MiB above the start"),
        ("registered", f"{result['seconds']:.1f}", f"{result['cpu']:.1f}", f"{result['more']:.1f}"),
        ("saved again", f"{result['download seconds']:.1f}", "", f"{result['download more']:.1f}"),
        ("in a pipe to curl", f"{other:.1f}", "", ""),
    ]
    table(name, rows)


def test_a_sparse_disk_out_of_a_small_xz(local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path) -> None:
    disk = sparse_disk(tmp_path / "disk.raw", SIZE)
    wanted = digest(disk)
    subprocess.run(["xz", "-T2", disk], check=True)
    packed = disk.with_suffix(".raw.xz")

    result = run(local_cloud, tmp_path, {"file": str(packed), "checksum": f"sha256:{digest(packed)}"})
    other = piped(client, lambda curl: f"xz -dc {packed} | {curl} -T -")

    show(f"A sparse disk of {SIZE >> 30} GiB out of its xz", result, other)
    assert (result["size"], result["sha256"]) == (SIZE, wanted)
    assert result["more"] < MOST_MEMORY_MIB
    assert result["download more"] < MOST_MEMORY_MIB
    assert result["seconds"] < 1.5 * other + 2


def test_a_file_of_gigabytes(local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path) -> None:
    disk = sparse_disk(tmp_path / "disk.raw", SIZE // 2)
    wanted = digest(disk)

    result = run(local_cloud, tmp_path, {"file": str(disk), "checksum": f"sha256:{wanted}"})
    other = piped(client, lambda curl: f"{curl} -T {disk}")

    show(f"A file of {SIZE >> 31} GiB", result, other)
    assert (result["size"], result["sha256"]) == (SIZE // 2, wanted)
    assert result["more"] < MOST_MEMORY_MIB
    assert result["seconds"] < 1.5 * other + 2
