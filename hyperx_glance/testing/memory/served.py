"""What programs in other processes need to find a served cloud: a clouds.yaml, and an environment that names it.

>>> environment = environment_for(Path("/tmp/clouds.yaml"), {"PATH": "/bin", "OS_USERNAME": "me", "no_proxy": "intra"})
>>> environment["OS_CLIENT_CONFIG_FILE"], environment["OS_CLOUD"], environment["no_proxy"]
('/tmp/clouds.yaml', 'alice', 'intra,127.0.0.1,localhost')
>>> "OS_USERNAME" in environment
False
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hyperx_glance.testing.memory.cloud import InMemoryCloud
    from hyperx_glance.testing.memory.serving import Server

_USER: Final = "alice"
_DIRECT: Final = "127.0.0.1,localhost"


@dataclasses.dataclass(frozen=True)
class ServedCloud:
    """A cloud in memory behind HTTP, for one test of a program in another process."""

    server: Server
    """The server, whose only cloud this is at first."""
    clouds_yaml: Path
    """A file in which each user is a cloud."""
    environment: dict[str, str] = dataclasses.field(repr=False)
    """The environment of this process, in which OpenStack's clients find the cloud as alice, or as ``OS_CLOUD``."""

    @property
    def cloud(self) -> InMemoryCloud:
        """The cloud itself: what a test sets here is there for every program at once."""
        return self.server.clouds["cloud"]

    @property
    def url(self) -> str:
        """The URL of the cloud: its services and its control are below this."""
        return f"{self.server.url}/cloud"


def environment_for(clouds_yaml: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without other clouds and without a proxy on the way to this machine."""
    kept = {name: value for name, value in environment.items() if not name.startswith("OS_")}
    direct = {name: ",".join(filter(None, [environment.get(name), _DIRECT])) for name in ("no_proxy", "NO_PROXY")}
    return {**kept, **direct, "OS_CLIENT_CONFIG_FILE": str(clouds_yaml), "OS_CLOUD": _USER}
