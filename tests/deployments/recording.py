"""Record how the worlds went: ``pytest -p tests.deployments.recording --worlds FILE tests/deployments``.

The guide's page on deployments is made of the file, which the repository keeps. A world that did not go as expected,
or that a run left out, stays as it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file."""
    parser.addoption("--worlds", type=Path, metavar="FILE", help="write here how the worlds went")


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Write what each world that passed says of its steps and of the doctor."""
    path: Path | None = config.getoption("--worlds")
    if path is None:
        return
    told: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    for report in terminalreporter.stats.get("passed", ()):
        world = dict(report.user_properties).get("world")
        if world is not None:
            told[report.nodeid.partition("[")[2].removesuffix("]")] = world
    path.write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
