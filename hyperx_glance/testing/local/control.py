"""The line between `LocalCloud` and its supervisor: a lock, a state file and a socket in the cloud's directory.

>>> from pathlib import Path
>>> read_state(Path("/nowhere"))
{}
"""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from hyperx_glance.testing.local import configuration
from hyperx_glance.testing.local.layout import LocalCloudError

_ANSWER_SECONDS: Final = 30.0
_LONGEST_ORDER: Final = 1 << 20
_LOCK_SECONDS: Final = 1.0  # a process that only checks the lock holds it for a moment


def lock(directory: Path) -> None:
    """Hold the directory's lock until this process and those that it forks have ended.

    Only the kernel closes the file: a process that has done its work and is still ending counts as alive.
    """
    file = os.open(directory / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _LOCK_SECONDS
    while not _lock(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            os.close(file)
            raise LocalCloudError(f"a local cloud is already running in {directory}")
        time.sleep(0.01)
    os.set_inheritable(file, True)  # a service may be a new interpreter in its process


@contextlib.contextmanager
def starting(directory: Path) -> Iterator[None]:
    """Create the directory, and let one process at a time start or leave its cloud; the next one waits."""
    path = directory / "starting"
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield
                return


def _is_at(path: Path, file: IO[str]) -> bool:
    """Check whether this path still leads to an open file, which the previous holder of its lock may have removed."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def is_locked(directory: Path) -> bool:
    """Check whether any process of a cloud in this directory is alive."""
    try:
        with (directory / "lock").open("r") as file:
            return not _lock(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _lock(file: IO[str] | int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_state(directory: Path) -> dict[str, Any]:
    """Return the state that the last supervisor wrote, or an empty dictionary."""
    try:
        state: dict[str, Any] = json.loads((directory / "cloud.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return state


def write_state(directory: Path, state: dict[str, Any]) -> None:
    """Write the state for the next process."""
    configuration.replace(directory / "cloud.json", json.dumps(state, indent=2) + "\n")


@contextlib.contextmanager
def _short_path(directory: Path) -> Iterator[str]:
    """Yield a name of the socket that fits into the 107 bytes of a socket's address, however long the path is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/control"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def listening(directory: Path) -> Iterator[socket.socket]:
    """Listen for orders, which only this user may send."""
    (directory / "control").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        with _short_path(directory) as address:
            listener.bind(address)
        (directory / "control").chmod(0o600)
        listener.listen()
        yield listener


def answer(connection: socket.socket, obey: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read one order and send the answer; a lost caller or an invalid order stops nothing."""
    connection.settimeout(_ANSWER_SECONDS)
    try:
        with connection.makefile("rw", encoding="utf-8") as stream:
            request = json.loads(stream.readline(_LONGEST_ORDER))
            stream.write(json.dumps(obey(request)) + "\n")
    except Exception as error:  # noqa: BLE001 - an invalid order must not end the cloud
        print(f"an order was lost: {error!r}", flush=True)  # noqa: T201 - the supervisor's log


def ask(directory: Path, verb: str, **arguments: object) -> dict[str, Any]:
    """Send an order and return the answer; raise LocalCloudError if no supervisor listens."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            with _short_path(directory) as address:
                connection.connect(address)
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.write(json.dumps({"verb": verb, **arguments}) + "\n")
                stream.flush()
                line = stream.readline()
    except OSError as error:
        raise LocalCloudError(f"no local cloud responds in {directory}: {error}") from error
    if not line:
        raise LocalCloudError(f"the local cloud in {directory} did not respond to {verb!r}")
    answered: dict[str, Any] = json.loads(line)
    if "error" in answered:
        raise LocalCloudError(str(answered["error"]))
    return answered
