"""Another Glance on the database and the stores of a local cloud's own, as operators run several on several hosts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import requests

from hyperx_glance.testing.local import control, supervisor
from hyperx_glance.testing.local.layout import HOST, Layout
from hyperx_glance.testing.local.surroundings import clean_environment
from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from types import TracebackType

    from hyperx_glance.testing import LocalCloud

ROOT: Final = Path(__file__).parents[2]
SHARED: Final = ("fast", "slow")
"""The stores; where an import is staged is each host's own."""


class SecondGlance:
    """A second Glance for the time of a ``with`` block, in a directory of its own, as on another host."""

    def __init__(self, cloud: LocalCloud, directory: Path) -> None:
        self._cloud = cloud
        self.directory = directory

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


def main(text: str) -> None:
    """Run the second Glance."""
    order = json.loads(text)
    supervisor.die_with(order["parent"])
    layout = Layout(Path(order["directory"]), order["ports"])
    supervisor.hold_here(layout)
    supervisor.prepare()
    supervisor.serve("glance", layout, order["options"], {})


if __name__ == "__main__":
    main(sys.argv[1])
