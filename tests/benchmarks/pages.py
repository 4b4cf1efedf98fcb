"""A Glance that makes its pages when they are requested, so that only the reader's memory is measured.

    python -m tests.benchmarks.pages 100000

prints the peak memory of a process that iterates over that many images, in MiB.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
import requests.adapters
import urllib3

from hyperx_glance import Client
from hyperx_glance.testing import InMemoryCloud

START = datetime(2026, 1, 1, tzinfo=UTC)


def record(number: int) -> dict[str, object]:
    """Write an image of 12 properties and 2 tags as the API does."""
    time = (START - timedelta(seconds=37 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    image_id = f"{number:08x}-0000-4000-8000-000000000000"
    return {
        "id": image_id,
        "name": f"image {number}",
        "status": "active",
        "visibility": "community",
        "owner": "0123456789abcdef0123456789abcdef",
        "disk_format": ("qcow2", "raw", "vmdk", "iso")[number % 4],
        "container_format": "bare",
        "size": number << 20,
        "virtual_size": None,
        "min_disk": 0,
        "min_ram": 0,
        "protected": False,
        "os_hidden": False,
        "checksum": "0123456789abcdef0123456789abcdef",
        "os_hash_algo": "sha512",
        "os_hash_value": "0123456789abcdef" * 8,
        "created_at": time,
        "updated_at": time,
        "tags": ["linux", f"batch-{number % 100}"],
        "self": f"/v2/images/{image_id}",
        "file": f"/v2/images/{image_id}/file",
        "schema": "/v2/schemas/image",
        "stores": "fast",
        **properties(number),
    }


def properties(number: int) -> dict[str, str]:
    """Return the twelve properties."""
    return {
        "description": f"Image {number} of the benchmark, with a sentence that says what it is good for",
        "os_distro": ("ubuntu", "debian", "centos", "kylin")[number % 4],
        "os_version": "22.04",
        "os_type": "linux",
        "architecture": "x86_64",
        "hyperx_os_name": f"Linux {number % 10}",
        "hyperx_url": f"http://files.example/images/{number}.qcow2",
        "hyperx_created_by": "fedcba9876543210fedcba9876543210",
        "hyperx_password_enabled": "true",
        "hw_qemu_guest_agent": "yes",
        "hw_disk_bus": "virtio",
        "hw_vif_model": "virtio",
    }


class PagesAdapter(requests.adapters.BaseAdapter):
    """An adapter that answers GET /v2/images with pages of so many images."""

    def __init__(self, amount: int) -> None:
        super().__init__()
        self.amount = amount

    def send(  # noqa: PLR0917  # as requests calls it
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002  # as above
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002  # as above
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Make the page."""
        query = parse_qs(urlsplit(request.url or "").query)
        first = int(query["marker"][0][:8], 16) + 1 if "marker" in query else 0
        end = min(first + int(query["limit"][0]), self.amount)
        page: dict[str, object] = {"images": [record(number) for number in range(first, end)]}
        if end - first == int(query["limit"][0]):
            page["next"] = f"/v2/images?marker={record(end - 1)['id']}"
        response = requests.Response()
        response.status_code = 200
        response.url = request.url or ""
        response.request = request
        response.headers["Content-Type"] = "application/json"
        response.raw = urllib3.HTTPResponse(io.BytesIO(json.dumps(page).encode()), preload_content=False)
        return response

    def close(self) -> None:
        """Hold nothing."""


def client(amount: int) -> Client:
    """Return a client of a Glance with so many images."""
    cloud = InMemoryCloud()
    session = cloud.session("alice")
    session.session.mount(cloud.glance.url, PagesAdapter(amount))
    return Client.from_session(session)


def _peak_mib() -> float:
    """Read this program's own high-water mark: ru_maxrss begins with that of the process which started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    assert sum(1 for _ in client(wanted).images()) == wanted
    print(_peak_mib())
