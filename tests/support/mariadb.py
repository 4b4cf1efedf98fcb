"""A MariaDB server of a run's own: a plain process of this user, on a socket in a directory.

It needs ``mariadbd``, ``mariadb-install-db`` and ``mariadb``, which Debian has in mariadb-server. No service of the
machine is used, and none has to run.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final, Self

from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PROGRAMS: Final = ("mariadbd", "mariadb-install-db", "mariadb")
INSTALL: Final = "install it: apt-get install mariadb-server; no server has to be started"


class MariaDB:
    """A server in an empty directory for the time of a ``with`` block."""

    def __init__(self, directory: Path) -> None:
        # Debian installs the server in a folder of the administrator's path.
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])
        found = {name: shutil.which(name, path=path) for name in PROGRAMS}
        missing = [name for name in PROGRAMS if not found[name]]
        if missing:
            raise RuntimeError(f"MariaDB is missing here ({', '.join(missing)}); {INSTALL}")
        self._programs = {name: str(place) for name, place in found.items()}
        self._directory = directory
        self._socket = directory / "socket"
        self._options = ["--no-defaults", f"--datadir={directory / 'data'}", f"--user={getpass.getuser()}"]

    def __enter__(self) -> Self:
        install = [self._programs["mariadb-install-db"], *self._options, "--auth-root-authentication-method=normal"]
        subprocess.run([*install, "--skip-test-db"], check=True, stdout=subprocess.DEVNULL, timeout=scaled(120))
        self._log = (self._directory / "log").open("wb")
        self._server = subprocess.Popen(
            [
                self._programs["mariadbd"],
                *self._options,
                f"--socket={self._socket}",
                "--skip-networking",
                # As OpenStack's installation guide has them.
                "--character-set-server=utf8",
                "--collation-server=utf8_general_ci",
                "--max-connections=1000",
                # Nobody needs the data after a power cut.
                "--innodb-flush-log-at-trx-commit=0",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + scaled(60)
        while not self._socket.exists():
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError(f"MariaDB does not start: {(self._directory / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.kill()
        self._server.wait()
        self._log.close()

    def create(self, name: str) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        client = [self._programs["mariadb"], "--no-defaults", f"--socket={self._socket}", "--user=root"]
        subprocess.run([*client, f"--execute=CREATE DATABASE {name}"], check=True, timeout=scaled(60))
        return f"mysql+pymysql://root@localhost/{name}?unix_socket={self._socket}"
