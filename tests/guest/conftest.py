"""Fixtures for tests on a cloud of real guests."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from hyperx_glance import Client, NewImage, NewIso, Pace
from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.timing import scaled
from tests.guest.console import Console
from tests.guest.images import Images, images
from tests.support import launches
from tests.support.clouds import PATIENT, ClientFactory, image_ids, remove_images, unique
from tests.support.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from hyperx_glance import Image

collect_ignore = ["cloud_init_run.py"]
"""Only a cloud-init can import it."""

FLAVOR: Final = "guest"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what Nova has logged."""
    report = yield
    cloud = getattr(item, "funcargs", {}).get("guest_cloud")
    if report.failed and cloud is not None and cloud.is_running:
        wrong = [line for line in cloud.logs("nova", 3000).splitlines() if " ERROR " in line]
        report.sections.append(("Nova's errors", "\n".join(wrong[-30:])))
    return report


@pytest.fixture(scope="session")
def guest_images() -> Images:
    """Make the images, or find those that an earlier run has left."""
    return images()


@pytest.fixture(scope="session")
def guest_cloud() -> Iterator[LocalCloud]:
    """Start a cloud whose servers are real."""
    with LocalCloud(hypervisor="qemu") as cloud:
        flavor = {"name": FLAVOR, "id": FLAVOR, "ram": 448, "disk": 1, "vcpus": 1}
        cloud.session("admin").post("/flavors", json={"flavor": flavor}, endpoint_filter=launches.COMPUTE)
        yield cloud


@pytest.fixture
def alice(guest_cloud: LocalCloud) -> Iterator[Client]:
    """Be alice; what she has launched and registered goes with the test."""
    before = image_ids(guest_cloud)
    pace = dataclasses.replace(Pace(), deadline=scaled(300))
    with ClientFactory(guest_cloud, PATIENT)("alice", pace=pace) as client:
        yield client
    launches.remove_servers(guest_cloud)
    remove_images(guest_cloud, image_ids(guest_cloud) - before)


@dataclasses.dataclass(frozen=True)
class Shelf:
    """The source of images: registers them from URLs."""

    files: Images
    server: FileServer
    client: Client

    def disk(self, **fields: object) -> Image:
        """Register Debian, password-enabled."""
        url = self.server.serve("/debian.qcow2", self.files.disk.read_bytes())
        usual = {"name": unique("debian"), "url": url, "os_distro": "debian", "password_enabled": True}
        return self.client.register(NewImage.model_validate({**usual, "admin_user": "debian", **fields}))

    def installer(self) -> Image:
        """Register the installer."""
        url = self.server.serve("/installer.iso", self.files.installer.read_bytes())
        return self.client.register(NewIso(name=unique("installer"), url=url))


@pytest.fixture
def shelf(guest_images: Images, file_server: FileServer, alice: Client) -> Shelf:
    """Return alice's images."""
    return Shelf(guest_images, file_server, alice)


class ConsoleOf(Protocol):
    """A factory of consoles of servers."""

    def __call__(self, server_id: str) -> Console: ...


@pytest.fixture
def console(guest_cloud: LocalCloud) -> ConsoleOf:
    """Sit at a server's console: ``console(server.id)``."""
    return functools.partial(Console, guest_cloud)
