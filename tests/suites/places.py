"""Where a suite is run: on a cloud in memory behind HTTP, or on real services; both with what DevStack would make."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import yaml
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.profiles import small_image
from tests.suites.outcomes import SuiteError
from tests.support.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROFILE: Final = "devstack"
DATA: Final = bytes(4096)


@dataclasses.dataclass(frozen=True)
class Place:
    """What a suite has to know of a cloud."""

    clouds_yaml: str
    administrator: Mapping[str, str]
    images: tuple[str, str]
    flavors: tuple[str, str]
    network: str
    public_network: str
    """The id of the network from which floating addresses come."""
    download: str
    """A URL from which Glance may import."""
    is_real: bool

    def session(self) -> Session:
        """Log in as the administrator."""
        auth: dict[str, Any] = {key: text for key, text in self.administrator.items() if key != "region_name"}
        return Session(v3.Password(**auth))

    def called(self, kind: str, name: str) -> list[dict[str, Any]]:
        """Return the networks, subnets or routers of this name."""
        found: list[dict[str, Any]] = _get(self.session(), "network", f"/v2.0/{kind}?name={name}")[kind]
        return found


@contextlib.contextmanager
def in_memory() -> Iterator[Place]:
    """Serve a cloud in memory, in a process of its own as other projects do."""
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", "--profile", PROFILE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            # It prints the file and keeps running: the administrator of the system is its last cloud.
            while "system_scope" not in "".join(lines[-8:]) or "region_name" not in lines[-1]:
                line = process.stdout.readline()
                if not line:
                    raise SuiteError("the cloud in memory did not start")
                lines.append(line)
            with FileServer() as files:
                yield _place("".join(lines), files, is_real=False)
        finally:
            process.terminate()


@contextlib.contextmanager
def local() -> Iterator[Place]:
    """Start real services."""
    with LocalCloud(profile=PROFILE) as cloud, FileServer() as files:
        try:
            yield _place(cloud.clouds_yaml(), files, is_real=True)
        finally:
            # Some tests let Glance ask for hosts elsewhere, on purpose; all of that was refused before it was sent.
            print(f"{len(cloud.refused_connections())} attempts of services to leave this machine were refused.")


def _place(clouds_yaml: str, files: FileServer, *, is_real: bool) -> Place:
    auth = yaml.safe_load(clouds_yaml)["clouds"]["devstack-admin"]
    options: dict[str, Any] = dict(auth["auth"])
    session = Session(v3.Password(**options))
    image = _get(session, "image", "/v2/images?visibility=public")["images"][0]
    flavors = {flavor["name"]: flavor["id"] for flavor in _get(session, "compute", "/flavors")["flavors"]}
    return Place(
        clouds_yaml=clouds_yaml,
        administrator={**options, "region_name": auth["region_name"]},
        images=(image["id"], _another_image(session)),
        flavors=(flavors["m1.tiny"], flavors["m1.small"]),
        network="shared",
        public_network=_get(session, "network", "/v2.0/networks?router:external=true")["networks"][0]["id"],
        download=files.serve("/disk.qcow2", small_image()),
        is_real=is_real,
    )


def _another_image(session: Session) -> str:
    body = {"name": "another", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    image: dict[str, Any] = session.post("/v2/images", json=body, endpoint_filter={"service_type": "image"}).json()
    session.put(
        f"/v2/images/{image['id']}/file",
        data=DATA,
        headers={"Content-Type": "application/octet-stream"},
        endpoint_filter={"service_type": "image"},
    )
    return str(image["id"])


def _get(session: Session, service: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = session.get(path, endpoint_filter={"service_type": service}).json()
    return found
