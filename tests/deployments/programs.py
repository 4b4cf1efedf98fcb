"""Programs that a world runs beside the cloud: each on loopback, as long as its world."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Final

from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

HOST: Final = "127.0.0.1"


def program(name: str) -> str:
    """Find a program, also where Debian keeps those of administrators."""
    found = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin")
    assert found, f"{name} is missing; python -m tests.packages.debian says how it is installed"
    return found


@contextlib.contextmanager
def reserved() -> Iterator[int]:
    """Keep a free port for a program that binds it, too."""
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind((HOST, 0))
        yield reservation.getsockname()[1]


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], port: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a program until the end of the block, or of this process; begin when it listens, if a port is given."""
    held = [program("setpriv"), "--pdeathsig", "TERM", *command]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(held, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            deadline = time.monotonic() + scaled(60)
            while port is not None and not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{command[0]} does not start: {log.read().decode(errors='replace')[-2000:]}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=scaled(10))
            except subprocess.TimeoutExpired:
                process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((HOST, port)) == 0
