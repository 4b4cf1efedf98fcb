"""The layout of a local cloud: its directory, its ports, its addresses.

>>> from pathlib import Path
>>> layout = Layout(Path("/srv/openstack"), {"glance": 29292}, hosts=1)
>>> layout.url("glance")
'http://127.0.0.1:29292'
>>> layout.database_url("glance")
'sqlite:////srv/openstack/databases/glance.sqlite?timeout=60'
"""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
REGION: Final = "RegionOne"
PASSWORD: Final = "secret"

HYPERVISORS: Final = ("fake", "qemu")

# In the order in which they are forked: those that take longest to start come first.
SERVICES: Final = ("nova", "keystone", "neutron", "cinder", "glance", "placement")

# The path below the service's root that is in Keystone's catalogue.
ENDPOINT_PATHS: Final[Mapping[str, str]] = {"keystone": "/v3", "nova": "/v2.1", "cinder": "/v3"}

CATALOGUE_TYPES: Final[Mapping[str, str]] = {
    "keystone": "identity",
    "glance": "image",
    "placement": "placement",
    "neutron": "network",
    "nova": "compute",
    "cinder": "block-storage",
}
# Other types under which clients look for a service, as DevStack's catalogue has them: service and name of the entry.
OLDER_TYPES: Final[Mapping[str, tuple[str, str]]] = {"volumev3": ("cinder", "cinderv3")}

DATABASES: Final[Mapping[str, tuple[str, ...]]] = {
    "keystone": ("keystone",),
    "glance": ("glance",),
    "placement": ("placement",),
    "neutron": ("neutron",),
    "nova": ("nova", "nova_api", "nova_cell0"),
    "cinder": ("cinder",),
}

# The services whose databases may be on a server instead of in SQLite files.
MOVABLE_DATABASES: Final = ("glance", "keystone")

# Everything that a cloud writes is below one of these, so that nothing else is removed with it.
ENTRIES: Final = (
    "cloud.json",
    "clouds.yaml",
    "control",
    "databases",
    "lock",
    "logs",
    "refused",
    "starting",
    "temporary",
    *SERVICES,
)


class LocalCloudError(RuntimeError):
    """A failure of the local cloud, with the end of the log that explains it."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files, ports and addresses of one cloud."""

    directory: Path
    ports: Mapping[str, int]
    hosts: int = 1
    # The SQLAlchemy URLs of the databases that are on a server, by name.
    databases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    hypervisor: str = "fake"
    short: str = ""
    """A short name of the directory, valid while the supervisor lives: paths below it fit into a socket's address."""
    address: str = HOST
    """The address on which the services listen; the catalogue has it, and they reach each other there."""

    def url(self, service: str, path: str = "") -> str:
        """Return the service's base URL, with `path` appended."""
        return f"http://{self.address}:{self.ports[service]}{path}"

    def endpoint(self, service: str) -> str:
        """Return the URL in Keystone's catalogue."""
        return self.url(service, ENDPOINT_PATHS.get(service, ""))

    def home(self, service: str) -> Path:
        """Return the directory of the service's configuration and data."""
        return self.directory / service

    def configuration_file(self, service: str) -> Path:
        """Return the file that the service reads its options from."""
        return self.home(service) / ("glance-api.conf" if service == "glance" else f"{service}.conf")

    def policy_file(self, service: str) -> Path:
        """Return the file of the rules that replace the service's default policy."""
        return self.home(service) / "policy.json"

    def database(self, name: str) -> Path:
        """Return the path of a SQLite file; Nova has three, all others one of their own name."""
        return self.directory / "databases" / f"{name}.sqlite"

    def database_url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database; a writer of a file waits up to 60 s for its turn."""
        return self.databases.get(name, f"sqlite:///{self.database(name)}?timeout=60")

    def log(self, service: str) -> Path:
        """Return the file that the service writes its log, output and errors to."""
        return self.directory / "logs" / f"{service}.log"

    @property
    def refused(self) -> Path:
        """Return the file in which services note what they tried to reach outside this machine."""
        return self.directory / "refused"


def packaged_file(path: str) -> Path:
    """Return a file that an OpenStack package installs below the virtual environment's etc directory."""
    return Path(sys.prefix, "etc", path)


def check_name(service: str) -> None:
    """Raise if this is not the name of a service."""
    if service not in SERVICES:
        raise LocalCloudError(f"unknown service: {service}; valid services: {', '.join(sorted(SERVICES))}")
