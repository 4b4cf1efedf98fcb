"""The tables of the page "Suites of other projects", made from what ``tox -e suites`` has recorded: `.. suites::`."""

from __future__ import annotations

import json
import typing
from collections import Counter
from typing import TYPE_CHECKING

from sphinx.util.docutils import SphinxDirective

from tests.suites.catalogue import SUITES
from tests.suites.outcomes import KINDS
from tests.suites.recording import RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docutils.nodes import Node
    from sphinx.application import Sphinx

CLOUDS = {"memory": "in memory", "local": "real services"}


class Told(typing.TypedDict):
    """What a run has recorded of a suite on a cloud: numbers of tests, by causes if they did not pass."""

    passed: int
    failed: dict[str, int]
    left_out: dict[str, dict[str, int]]


class Suites(SphinxDirective):
    """A table of what passed, and one for each suite of why the others did not."""

    def run(self) -> list[Node]:
        """Write the tables."""
        self.env.note_dependency(str(RESULTS))
        results: dict[str, dict[str, Told]] = json.loads(RESULTS.read_text())
        lines = table("", ("Suite", "Cloud", "Passed", "Failed", "Left out"), summary(results))
        for name in (each for each in SUITES if each in results):
            heading = ("In memory", "Real services", "Cause")
            lines += table(f"Tests that did not pass: {SUITES[name].title}", heading, causes(results[name]))
        return self.parse_text_to_nodes("\n".join(lines))


def summary(results: Mapping[str, Mapping[str, Told]]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each suite and cloud."""
    for name in (each for each in SUITES if each in results):
        for cloud, told in sorted(results[name].items(), reverse=True):
            failed = sum(told["failed"].values())
            left_out = sum(sum(group.values()) for group in told["left_out"].values())
            # Rounded down: 99.96 is not all.
            share = 1000 * told["passed"] // max(told["passed"] + failed, 1) / 10
            yield SUITES[name].title, CLOUDS[cloud], f"{told['passed']} ({share:g} %)", str(failed), str(left_out)


def causes(clouds: Mapping[str, Told]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each cause: failures first, then what each kind of causes leaves out."""
    rows: dict[str, Counter[str]] = {}
    for cloud, told in clouds.items():
        groups = {"fails": told["failed"]} | {KINDS[kind]: told["left_out"].get(kind, {}) for kind in KINDS}
        for word, group in groups.items():
            for sentence, number in group.items():
                rows.setdefault(f"{word}: {sentence}", Counter())[cloud] += number
    order = ["fails", *KINDS.values()]
    for cause, numbers in sorted(rows.items(), key=lambda row: (order.index(row[0].partition(": ")[0]), row[0])):
        yield *(str(numbers[cloud] or "") for cloud in CLOUDS), cause


def table(title: str, heading: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    """Write a table as reStructuredText."""
    cells = [f"{'  -' if number else '* -'} {cell}" for row in (heading, *rows) for number, cell in enumerate(row)]
    return [f".. list-table:: {title}", "   :header-rows: 1", "", *(f"   {cell}" for cell in cells), ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Let pages use it."""
    app.add_directive("suites", Suites)
    return {"parallel_read_safe": True}
