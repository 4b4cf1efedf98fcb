"""How a suite is installed, run, counted, and held against what its cloud is known to leave out."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.suites import places
from tests.suites.catalogue import PACKAGES, SUITES
from tests.support import environments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE: Final = Path(__file__).parent
LEFT_OUT: Final = HERE / "left_out"


def environment() -> Path:
    """Return the Python that has the suites; they are installed once for each list into the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return environments.make(cache / "hyperx-glance" / "suites", *PACKAGES, made_from="\n".join(PACKAGES))


def left_out(name: str, *, real: bool) -> dict[str, str]:
    """Read which tests are known to fail on a cloud, and why: a reason in a line of its own, then its tests."""
    reasons: dict[str, str] = {}
    reason = ""
    path = LEFT_OUT / f"{name}-{'local' if real else 'memory'}.txt"
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("# "):
            reason = line.removeprefix("# ")
        elif line:
            reasons[line] = reason
    return reasons


def results(name: str, place: places.Place, pattern: str) -> list[dict[str, Any]]:
    """Run the tests of a suite on this machine only, and return how each ended."""
    python = environment()
    with tempfile.TemporaryDirectory(prefix="hyperx-suites-") as folder:
        home = Path(folder)
        refused, found = home / "refused", home / "results"
        variables = {
            **{key: value for key, value in os.environ.items() if not key.startswith("OS_")},
            **SUITES[name].configure(place, home),
            # Holds the process on this machine, see tests/guard.py.
            "PYTHONPATH": str(HERE.parent / "children"),
            "HYPERX_TESTS_REFUSED": str(refused),
            "HOME": folder,
        }
        command: list[str | Path] = [python, "-P", HERE / "runner.py", found, pattern, *SUITES[name].modules]
        subprocess.run(command, env=variables, cwd=folder, check=True)
        if refused.exists():
            raise RuntimeError(f"Something tried to leave this machine.\n{refused.read_text()}")
        return [json.loads(line) for line in found.read_text().splitlines()]


def run(name: str, *, real: bool, pattern: str = "", words: bool = False) -> int:
    """Run a suite, print its results, and return the exit status: 1 if they differ from the list."""
    with places.local() if real else places.in_memory() as place:
        outcomes = results(name, place, pattern)
    counted = Counter(outcome["outcome"] for outcome in outcomes)
    known = left_out(name, real=real)
    failed = {outcome["test"]: outcome["words"] for outcome in outcomes if outcome["outcome"] == "failed"}
    passed = {outcome["test"] for outcome in outcomes if outcome["outcome"] == "passed"}
    _tell("Failed, and is not listed", {test: failed[test] for test in failed.keys() - known.keys()}, words=words)
    _tell("Listed, and passed", {test: known[test] for test in known.keys() & passed}, words=words)
    told = ", ".join(f"{counted[word]} {word}" for word in ("passed", "failed", "skipped"))
    print(f"{name}, {'real services' if real else 'in memory'}: {told}")
    return int(bool(failed.keys() - known.keys() or known.keys() & passed))


def _tell(title: str, tests: Mapping[str, str], *, words: bool) -> None:
    for test in sorted(tests):
        last = tests[test].strip().splitlines()[-1:] or [""]
        print(f"{title}: {test}\n    {tests[test] if words else _short(last)}")


def _short(lines: Sequence[str]) -> str:
    return lines[0][:200]
