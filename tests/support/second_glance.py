"""Another Glance on the database and the stores of a local cloud's own, as operators run several on several hosts."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import requests

from hyperx_glance.testing.local import control, supervisor
from hyperx_glance.testing.local.layout import HOST, Layout
from hyperx_glance.testing.local.surroundings import clean_environment
from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from hyperx_glance.testing import LocalCloud

ROOT: Final = Path(__file__).parents[2]
SHARED: Final = ("fast", "slow")
"""The stores; where an import is staged is each host's own."""


class SecondGlance:
    """A second Glance for the time of a ``with`` block, in a directory of its own, as on another host."""

    def __init__(self, cloud: LocalCloud, directory: Path, *, later_statuses: Sequence[str] = ()) -> None:
        self._cloud = cloud
        self.directory = directory
        self._later_statuses = list(later_statuses)

    def __enter__(self) -> Self:
        # No other process gets the port while Glance is not listening.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((HOST, 0))
        self.url = f"http://{HOST}:{self._reserved.getsockname()[1]}"
        self._log = (self.directory / "log").open("ab")
        (self.directory / "logs").mkdir()
        (self.directory / "databases").mkdir()
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def start(self) -> None:
        """Start its process, and return when it answers."""
        told = control.ask(self._cloud.directory, "status")
        ports = {name: state["port"] for name, state in told["services"].items()}
        port = self._reserved.getsockname()[1]
        stores = {name: {"filesystem_store_datadir": str(self._cloud.directory / "glance" / name)} for name in SHARED}
        order = {
            "directory": str(self.directory),
            "ports": {**ports, "glance": port},
            "options": {"database": {"connection": self._cloud.database_url("glance")}, **stores},
            "parent": os.getpid(),
            "later statuses": self._later_statuses,
        }
        self._process = subprocess.Popen(
            [told["python"], "-m", "tests.support.second_glance", json.dumps(order)],
            cwd=ROOT,
            env=clean_environment(),
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + scaled(60)
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the second Glance does not start: {(self.directory / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        headers = {"X-Auth-Token": self._cloud.session("admin").get_token() or ""}
        try:
            return requests.get(f"{self.url}/v2/images?limit=1", headers=headers, timeout=5).ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._log.close()
        self._reserved.close()


@contextmanager
def in_the_catalogue(cloud: LocalCloud, url: str) -> Iterator[None]:
    """Stand in Keystone's catalogue as Glance for a while, so that every client finds it there."""
    admin = cloud.session("admin")
    identity = {"service_type": "identity"}
    (service,) = admin.get("/services?type=image", endpoint_filter=identity).json()["services"]
    path = f"/endpoints?service_id={service['id']}&interface=public"
    (endpoint,) = admin.get(path, endpoint_filter=identity).json()["endpoints"]

    def lead_to(url: str) -> None:
        change = {"endpoint": {"url": url}}
        admin.patch(f"/endpoints/{endpoint['id']}", json=change, endpoint_filter=identity)
        for user in ("admin", "alice", "rita", "bob"):
            cloud.session(user).invalidate()  # its token has the catalogue

    lead_to(url)
    try:
        yield
    finally:
        lead_to(endpoint["url"])


def _know(statuses: Sequence[str]) -> None:
    """Know more statuses than this release, in the schema and in lists, as a later Glance may."""
    images = importlib.import_module("glance.api.v2.images")  # it is in the process of the services only
    api = importlib.import_module("glance.db.sqlalchemy.api")

    api.STATUSES.extend(statuses)
    of_this_release = images.get_base_properties

    def of_a_later_release() -> dict[str, Any]:
        properties: dict[str, Any] = of_this_release()
        properties["status"]["enum"].extend(statuses)
        return properties

    images.get_base_properties = of_a_later_release  # type: ignore[attr-defined]  # the types of modules are not known


def main(text: str) -> None:
    """Run the second Glance."""
    order = json.loads(text)
    supervisor.die_with(order["parent"])
    layout = Layout(Path(order["directory"]), order["ports"])
    supervisor.hold_here(layout)
    supervisor.prepare()
    if order["later statuses"]:
        _know(order["later statuses"])
    supervisor.serve("glance", layout, order["options"], {})


if __name__ == "__main__":
    main(sys.argv[1])
