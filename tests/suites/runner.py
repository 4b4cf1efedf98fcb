"""Run tests and write one line of JSON for each: ``runner.py RESULTS PATTERN MODULE...``, by the Python of the suite.

It imports nothing of this project, which is not installed there.
"""

from __future__ import annotations

import json
import pkgutil
import re
import sys
import traceback
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Recorder(unittest.TestResult):
    """The outcome of each test; that of its class, or its module, counts for all its tests."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, tuple[str, str]] = {}

    def note(self, test: unittest.TestCase, outcome: str, words: str = "") -> None:
        """Keep the worst that became of a test."""
        known = self.outcomes.get(test.id(), ("", ""))[0]
        if known in ("", "passed", "skipped"):
            self.outcomes[test.id()] = (outcome, words)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's names
        """Note it."""
        self.note(test, "passed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        """Note it."""
        self.note(test, "failed", "".join(traceback.format_exception(*err)))

    addFailure = addError  # noqa: N815

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        """Note it."""
        self.note(test, "skipped", reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Note it."""
        self.note(test, "failed", "It was expected to fail.")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ANN401, N802
        """Note it."""
        self.note(test, "passed")

    def of(self, test: unittest.TestCase) -> tuple[str, str]:
        """Return what became of a test that may never have begun."""
        if test.id() in self.outcomes:
            return self.outcomes[test.id()]
        kind = type(test)
        for name in (f"setUpClass ({kind.__module__}.{kind.__qualname__})", f"setUpModule ({kind.__module__})"):
            if name in self.outcomes:
                return self.outcomes[name]
        return "failed", "It was not run."


def cases(suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    """Yield the tests in a suite."""
    if isinstance(suite, unittest.TestCase):
        yield suite
    else:
        for each in suite:
            yield from cases(each)


def modules(names: list[str]) -> Iterator[str]:
    """Name the modules of packages."""
    for name in names:
        module = __import__(name, fromlist=["_"])
        if hasattr(module, "__path__"):
            found = pkgutil.walk_packages(module.__path__, f"{name}.")
            yield from (each.name for each in found if not each.ispkg)
        else:
            yield name


def load(module: str) -> Iterator[tuple[str, unittest.TestCase]]:
    """Yield the tests of a module with their names; one that cannot be imported is a test that fails."""
    for case in cases(unittest.defaultTestLoader.loadTestsFromName(module)):
        # The name of one that failed has only the last part of the module's; tempest adds an id and labels.
        failed = type(case).__module__ == "unittest.loader"
        yield (module if failed else re.sub(r"\[id-[^]]*\]$", "", case.id())), case


def main(results: Path, pattern: str, names: list[str]) -> None:
    """Run what matches."""
    loaded = [(name, case) for module in modules(names) for name, case in load(module)]
    wanted = [(name, case) for name, case in loaded if re.search(pattern, name)]
    recorder = Recorder()
    unittest.TestSuite(case for _, case in wanted).run(recorder)
    with results.open("w") as file:
        for name, case in wanted:
            outcome, words = recorder.of(case)
            file.write(json.dumps({"test": name, "outcome": outcome, "words": words}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
