"""The processes of a cloud as `LocalCloud` sees them: how the supervisor starts and ends, and how an end is reported.

>>> describe_exit(-9), describe_exit(3)
('by signal SIGKILL', 'with exit status 3')
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Any, Final

from hyperx_glance.testing.local import control
from hyperx_glance.testing.local.layout import LocalCloudError
from hyperx_glance.testing.local.surroundings import clean_environment
from hyperx_glance.testing.timing import scaled

_STOP_SECONDS: Final = scaled(15)

# The supervisor runs this very package, even if another one is installed. -P keeps the current directory off the module
# path, where a file may be named like a service.
_SUPERVISOR: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); import hyperx_glance; del sys.path[0]; "
    "from hyperx_glance.testing.local import supervisor; supervisor.main(sys.argv[2])"
)
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[3]


def start_supervisor(python: str, order: dict[str, Any], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the supervisor under a Python; its output goes to `output`."""
    return subprocess.Popen(  # noqa: S603 - the chosen Python with code of ours
        [python, "-P", "-c", _SUPERVISOR, str(_PACKAGE_ROOT), json.dumps(order)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # Without this, glibc keeps memory for each thread.
        env=clean_environment() | {"MALLOC_ARENA_MAX": "1"},
        start_new_session=True,
    )


def await_end(directory: Path, process: subprocess.Popen[bytes] | None) -> None:
    """Wait until no process of the directory's cloud is left; kill the supervisor if that takes too long."""
    deadline = time.monotonic() + _STOP_SECONDS
    killed = False
    while (process is not None and process.poll() is None) or control.is_locked(directory):
        if time.monotonic() > deadline:
            if killed:
                raise LocalCloudError(f"processes of the local cloud in {directory} did not exit")
            # The kernel kills the services with it.
            os.kill(process.pid if process else control.read_state(directory)["pid"], signal.SIGKILL)
            killed = True
            deadline = time.monotonic() + _STOP_SECONDS
        time.sleep(0.01)


def describe_exit(status: int) -> str:
    """Return how a process ended, from its status in subprocess's form."""
    return f"by signal {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"


def last_lines(text: str, lines: int) -> str:
    """Return the end of a log."""
    return "\n".join(text.splitlines()[-lines:])
