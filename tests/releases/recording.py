"""Record the test results on a release: ``pytest -p tests.releases.recording --hyperx-python PYTHON --record FILE``.

The page on compatibility is made of the file, which the repository keeps; what a run did not reach stays as it was.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing.local import releases

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "xfailed": "lacking"}
"""As pytest calls them, and as the file does: what fails for a capability that the release lacks is no failure."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file."""
    parser.addoption("--record", type=Path, metavar="FILE", help="write here how the tests went on this release")


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Count the tests of each file."""
    path: Path | None = config.getoption("--record")
    if path is None:
        return
    told: dict[str, dict[str, dict[str, int]]] = json.loads(path.read_text()) if path.exists() else {}
    counted: dict[str, Counter[str]] = {}
    for outcome, word in OUTCOMES.items():
        for report in terminalreporter.stats.get(outcome, ()):
            counted.setdefault(report.nodeid.partition("::")[0], Counter())[word] += 1
    release = release_of(config.getoption("--hyperx-python"))
    told.setdefault(release, {}).update({file: dict(counts) for file, counts in counted.items()})
    path.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


def release_of(python: str | None) -> str:
    """Return the release whose services a Python has, None this one."""
    if python is None:
        return releases.installed()
    (nova,) = Path(python).parents[1].glob("lib/python*/site-packages/nova-*.dist-info")
    return releases.name(nova.name.removeprefix("nova-"))
