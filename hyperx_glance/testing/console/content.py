"""What the command puts into its cloud: images of three departments, so that every tab of the page shows some.

>>> len(CONTENT), sorted({entry.user for entry in CONTENT})
(13, ['admin', 'alice', 'bob', 'carol'])
>>> CONTENT[0].new(url="http://127.0.0.1/disk.qcow2").name
'Ubuntu 24.04 LTS'
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hyperx_glance import Client, HyperxGlanceError, Image, LaunchRequest, NewImage, NewIso, Settings

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud, LocalCloud

LOG = logging.getLogger(__name__)
AT_ONCE: Final = 4
Step = Callable[[Client, Image], object]


@dataclass(frozen=True)
class Entry:
    """One image: who registers it, with what, and what happens to it afterwards."""

    user: str
    fields: dict[str, Any]
    iso: bool = False
    then: tuple[Step, ...] = ()
    offered: bool = False
    """Whether it is then shared with alice's department."""
    accepted: bool = False

    def new(self, url: str) -> NewImage | NewIso:
        """Return the request."""
        return (NewIso if self.iso else NewImage)(url=url, **self.fields)


def _linux(name: str, distro: str, version: str, **more: object) -> dict[str, Any]:
    system = {"os_type": "linux", "os_distro": distro, "os_version": version, "architecture": "x86_64"}
    return {"name": name, **system, **more}


def _launch(client: Client, image: Image) -> object:
    return client.launch(image, LaunchRequest(name="web", flavor="m1.tiny"), wait=False)


CONTENT: Final = (
    Entry(
        "admin",
        _linux("Ubuntu 24.04 LTS", "ubuntu", "24.04", category="featured", tags=["base", "lts"], password_enabled=True),
    ),
    Entry(
        "admin",
        _linux(
            "Debian 12", "debian", "12", category="featured", tags=["base"], description="推荐：带 cloud-init 的镜像"
        ),
    ),
    Entry("bob", _linux("openEuler 24.03", "openeuler", "24.03", category="public", tags=["base"])),
    Entry("bob", _linux("Rocky Linux 9", "rocky", "9.5", category="public", tags=["base"], description="公共镜像")),
    Entry("bob", {"name": "Debian 12 netinst", "category": "public", "os_name": "Debian 12"}, iso=True),
    Entry(
        "alice",
        _linux("web with nginx", "debian", "12", tags=["web"], password_enabled=True, description="预装 nginx、zabbix"),
        then=(_launch,),
    ),
    Entry("alice", _linux("database", "debian", "12", tags=["db"], protected=True, description="PostgreSQL 16")),
    Entry("alice", _linux("last year's web", "debian", "11", tags=["web"]), then=(Client.disable,)),
    Entry("alice", {"name": "rescue disc", "tags": ["tools"], "description": "救援光盘"}, iso=True),
    Entry("bob", _linux("build machine", "ubuntu", "24.04", tags=["ci"])),
    Entry("bob", _linux("for our friends", "debian", "12"), offered=True, accepted=True),
    Entry("bob", _linux("an offer", "rocky", "9"), offered=True),
    Entry(
        "carol",
        {"name": "Windows Server 2022", "os_type": "windows", "password_enabled": True, "admin_user": "Administrator"},
    ),
)


def fill(cloud: InMemoryCloud | LocalCloud, settings: Settings, files: str, stop: threading.Event) -> int:
    """Register all images from the files at this URL, and return how many there are; stop early if that is set."""

    def client_of(user: str) -> Client:
        return Client.from_session(cloud.session(user), settings=settings)

    def register(entry: Entry) -> bool:
        if stop.is_set():
            return False
        try:
            client = client_of(entry.user)
            image = client.register(entry.new(f"{files}/{'installer.iso' if entry.iso else 'disk.qcow2'}"))
            for step in entry.then:
                step(client, image)
            if entry.offered:
                client.share(image, client_of("alice").project_id)
            if entry.accepted:
                client_of("alice").accept(image)
        except HyperxGlanceError as error:
            if not stop.is_set():
                LOG.warning("%s could not be registered: %s", entry.fields["name"], error)
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(register, CONTENT))
