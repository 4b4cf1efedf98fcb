"""Hold every Python that a test starts on this machine: `tests.guard` puts this folder onto their path."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

_PATH = Path(__file__).parents[2] / "hyperx_glance" / "testing" / "loopback.py"


def _hold() -> None:
    # By its path: to import the package would change what such programs are started to show.
    spec = importlib.util.spec_from_file_location("_loopback", _PATH)
    assert spec is not None
    assert spec.loader is not None
    loopback = importlib.util.module_from_spec(spec)
    sys.modules["_loopback"] = loopback  # dataclasses look there
    spec.loader.exec_module(loopback)
    report = os.environ["HYPERX_TESTS_REFUSED"]

    def write(attempt: Any) -> None:  # noqa: ANN401  # its class is loaded by path
        with Path(report).open("a", encoding="utf-8") as file:
            file.write(f"A program, {sys.argv}: {attempt.event} to {attempt.target}\n{attempt.stack}")

    loopback.hold(write)


# A local cloud's supervisor holds itself and all services, and tells its cloud; so does a service on eventlet. A worker
# of pytest-xdist, which execnet starts, loads `tests.guard` itself.
_HOLD_THEMSELVES = ("from hyperx_glance.testing.local import supervisor;", "exec(eval(sys.stdin.readline()))")

if "HYPERX_TESTS_REFUSED" in os.environ and not any(
    words in argument for words in _HOLD_THEMSELVES for argument in sys.orig_argv
):
    _hold()
