"""Suites in Python: they are installed once, and run there as they are, by ``runner.py``."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.suites.outcomes import Outcome, SuiteError
from tests.support import environments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.suites.places import Place

    Configure = Callable[[Place, Path], Mapping[str, str]]

HERE: Final = Path(__file__).parent
SECONDS: Final = 2 * 60 * 60
PACKAGES: Final = (
    "openstacksdk==4.22.0",
    "tempest==47.0.0",
    # What openstacksdk's tests import besides.
    "ddt>=1.7",
    "oslotest>=5.0",
    "requests-mock>=1.12",
    "statsd>=4.0",
)


def environment() -> Path:
    """Return the Python that has the suites; they are installed once for each list into the user's cache."""
    try:
        return environments.make(environments.cache("suites"), *PACKAGES, made_from="\n".join(PACKAGES))
    except (OSError, subprocess.CalledProcessError) as error:
        raise SuiteError(f"its packages could not be installed: {error}") from error


def run(modules: tuple[str, ...], configure: Configure, place: Place, home: Path, pattern: str) -> list[Outcome]:
    """Run the tests of modules, and packages of them, on this machine only, and return how each ended."""
    python = environment()
    refused, found, said = home / "refused", home / "results", home / "output"
    variables = {
        **{key: value for key, value in os.environ.items() if not key.startswith("OS_")},
        **configure(place, home),
        # Holds the process on this machine, see tests/guard.py.
        "PYTHONPATH": str(HERE.parent / "children"),
        "HYPERX_TESTS_REFUSED": str(refused),
        "HOME": str(home),
    }
    command: list[str | Path] = [python, "-P", HERE / "runner.py", found, pattern, *modules]
    with said.open("wb") as output:
        try:
            subprocess.run(
                command, env=variables, cwd=home, check=True, timeout=SECONDS, stdout=output, stderr=subprocess.STDOUT
            )
        except subprocess.TimeoutExpired:
            raise SuiteError(f"it did not end in {SECONDS // 60} minutes") from None
        except subprocess.CalledProcessError as error:
            last = said.read_text(errors="replace").strip().splitlines()[-1:] or [""]
            raise SuiteError(f"its runner ended with status {error.returncode}: {last[0]}") from error
    if refused.exists():
        raise SuiteError(f"something tried to leave this machine: {refused.read_text()}")
    return [Outcome(**json.loads(line)) for line in found.read_text().splitlines()]
