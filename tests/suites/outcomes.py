"""How the tests of a suite ended on a cloud, held against the lists of what is known: no I/O but reading the lists.

``left_out`` has the causes, each in a line of its own, and below it what it explains: tests that fail, and patterns of
what a suite says about tests that it skips. ``NAME.txt`` is about both clouds, ``NAME-memory.txt`` and
``NAME-local.txt`` about one. A cause begins with its kind:

``guest``, ``host``, ``service`` and ``suite``
    The tests need something that no configuration gives them (`KINDS`). They do not count.
``differs``
    The cloud should pass them, and does not. They count as failed.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEFT_OUT: Final = Path(__file__).parent / "left_out"
KINDS: Final = {
    "guest": "needs a hypervisor",
    "host": "needs another host",
    "service": "needs a service, an extension or an option that is absent",
    "suite": "turned off by the suite, or incomplete in its package",
}
DIFFERS: Final = "differs"
_SKIPPED: Final = "skipped: "


class SuiteError(Exception):
    """A suite that could not be run."""


class Outcome(NamedTuple):
    """How a test ended: "passed", "failed" or "skipped", and what it said."""

    test: str
    outcome: str
    words: str


class Cause(NamedTuple):
    """Why tests do not pass: a kind, and a sentence."""

    kind: str
    sentence: str


class Lists(NamedTuple):
    """What is known of a suite on a cloud: tests that fail, and what is said by those that are skipped."""

    tests: dict[str, Cause]
    patterns: dict[str, Cause]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came out of a run."""

    passed: int
    counted: Counter[Cause]
    """The numbers of tests that did not pass, as it was known."""
    problems: dict[str, str]
    """What the lists do not say, or no longer rightly: a title with the test, and words."""

    @property
    def failed(self) -> int:
        """The number of known failures that count."""
        return sum(number for cause, number in self.counted.items() if cause.kind == DIFFERS)

    @property
    def share(self) -> float:
        """The share of what passed, of the tests that count, in percent."""
        return 100 * self.passed / max(self.passed + self.failed, 1)


def read(name: str, cloud: str, folder: Path = LEFT_OUT) -> Lists:
    """Read the lists of a suite for a cloud."""
    found = Lists({}, {})
    for path in (folder / f"{name}.txt", folder / f"{name}-{cloud}.txt"):
        cause: Cause | None = None
        for number, line in enumerate(path.read_text().splitlines() if path.exists() else (), start=1):
            if line.startswith("# "):
                kind, _, sentence = line.removeprefix("# ").partition(": ")
                if kind not in (*KINDS, DIFFERS) or not sentence:
                    raise ValueError(f"{path.name}, line {number}: no such kind of cause: {kind}")
                cause = Cause(kind, sentence)
            elif line:
                if cause is None:
                    raise ValueError(f"{path.name}, line {number}: no cause stands above")
                if line.startswith(_SKIPPED):
                    found.patterns[line.removeprefix(_SKIPPED)] = cause
                else:
                    found.tests[line] = cause
    return found


def judge(outcomes: Sequence[Outcome], known: Lists, *, whole: bool = True) -> Verdict:
    """Compare how a run went with the lists; only a ``whole`` run shows that an entry explains nothing any more."""
    counted: Counter[Cause] = Counter()
    problems: dict[str, str] = {}
    used = set()
    for test, outcome, words in outcomes:
        if outcome == "failed":
            if test in known.tests:
                used.add(test)
                counted[known.tests[test]] += 1
            else:
                problems[f"Failed, and is not listed: {test}"] = words
        elif test in known.tests:
            used.add(test)
            problems[f"Listed as failing, and {outcome}: {test}"] = known.tests[test].sentence
        elif outcome == "skipped":
            pattern = next((each for each in known.patterns if re.search(each, words)), None)
            if pattern is None:
                problems[f"Skipped, and its reason is not listed: {test}"] = words
            else:
                used.add(pattern)
                counted[known.patterns[pattern]] += 1
    if not outcomes:
        problems["No test was run"] = "No name matches."
    for entry in _unused([*known.tests, *known.patterns], used) if whole else ():
        problems[f"Listed, and explains nothing: {entry}"] = ""
    return Verdict(sum(each.outcome == "passed" for each in outcomes), counted, problems)


def _unused(entries: Iterable[str], used: set[str]) -> list[str]:
    return [entry for entry in entries if entry not in used]
