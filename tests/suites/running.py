"""How a suite is run on a cloud, held against the lists, and recorded."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hyperx_glance.testing.local.layout import LocalCloudError
from tests.suites import outcomes, places
from tests.suites.catalogue import SUITES
from tests.suites.outcomes import SuiteError
from tests.suites.recording import record

if TYPE_CHECKING:
    from tests.suites.outcomes import Outcome, Verdict

CLOUDS: Final = {"memory": places.in_memory, "local": places.local}
GOALS: Final = {"memory": 90, "local": 95}
"""The percentage of the tests that count which must pass."""


def run(name: str, cloud: str, *, pattern: str = "", words: bool = False) -> bool:
    """Run a suite on a cloud, and return whether it went as the lists say; record it if all of it ran."""
    began = time.monotonic()
    try:
        known = outcomes.read(name, cloud)
        ended = _outcomes(name, cloud, pattern)
    except (SuiteError, LocalCloudError, OSError, ValueError) as error:
        print(f"{name}, {cloud}: could not be run: {error}")
        return False
    verdict = outcomes.judge(ended, known, whole=not pattern)
    for problem, said in sorted(verdict.problems.items()):
        print(problem, *([f"    {said if words else _short(said)}"] if said else []), sep="\n")
    print(f"{name}, {cloud}: {_told(verdict)}, in {(time.monotonic() - began) / 60:.1f} minutes")
    if verdict.problems:
        return False
    if pattern:
        return True
    if verdict.share < GOALS[cloud]:
        print(f"{name}, {cloud}: the goal is {GOALS[cloud]} %")
        return False
    record(name, cloud, verdict)
    return True


def _outcomes(name: str, cloud: str, pattern: str) -> list[Outcome]:
    suite = SUITES[name]
    if missing := suite.needs():
        raise SuiteError(missing)
    suite.prepare()
    with CLOUDS[cloud]() as place, tempfile.TemporaryDirectory(prefix="hyperx-suites-") as folder:
        return suite.run(place, Path(folder), pattern)


def _told(verdict: Verdict) -> str:
    left_out = verdict.counted.total() - verdict.failed
    numbers = f"{verdict.passed} passed, {verdict.failed} known to fail, {left_out} left out"
    return f"{numbers}, {len(verdict.problems)} not as listed; {verdict.share:.1f} % of those that count"


def _short(said: str) -> str:
    last = said.strip().splitlines()[-1:] or [""]
    return last[0][:200]
