"""No fault of any request loses, doubles or leaks anything, hangs, or brings an error that is not this library's.

``RESILIENCE_CELLS`` is how many cells are struck, "all" for all of them. To run a cell again, and others like it:
``python -m tests.resilience "launch one .* 502"``, a regular expression.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.resilience.hostile import FAULTS
from tests.resilience.matrix import Cell, cells, judge, requests_of, sample
from tests.resilience.report import report
from tests.resilience.verbs import VERBS

SEED: Final = 11
CELLS: Final = os.environ.get("RESILIENCE_CELLS", "3000")
GUIDE: Final = Path(__file__).parents[2] / "docs" / "contributing.rst"


@functools.cache
def _chosen() -> dict[str, list[Cell]]:
    everything = list(cells())
    chosen = everything if CELLS == "all" else sample(int(CELLS), SEED)
    print(f"\n{len(chosen)} of {len(everything)} cells: {len(VERBS)} verbs, {len(FAULTS)} faults a request")
    by_verb: dict[str, list[Cell]] = {name: [] for name in VERBS}
    for cell in chosen:
        by_verb[cell.verb].append(cell)
    return by_verb


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("verb", VERBS)
def test_every_fate_of_a_request_keeps_the_promises_of_the_verb(verb: str) -> None:
    found = [finding for cell in _chosen()[verb] for finding in judge(cell)]

    assert not found, "\n" + report(found)


def test_the_sample_is_fair() -> None:
    chosen = sample(3000, SEED)
    rows = [(cell.verb, cell.request) for cell in chosen]
    faults = [cell.fault for cell in chosen]

    assert len(set(chosen)) == 3000
    assert max(map(rows.count, set(rows))) - min(map(rows.count, set(rows))) <= 1
    assert set(faults) == set(FAULTS)
    assert max(map(faults.count, FAULTS)) <= 2 * min(map(faults.count, FAULTS))
    assert {cell.verb for cell in chosen} == set(VERBS)


def test_the_guide_names_how_many_cells_there_are() -> None:
    told = re.search(r"some ([\d,]+) cells", GUIDE.read_text(encoding="utf-8"))

    assert told is not None
    assert int(told[1].replace(",", "")) == pytest.approx(len(list(cells())), rel=0.05)


def test_a_verb_asks_for_what_the_matrix_strikes() -> None:
    assert all(requests_of(verb) for verb in VERBS)
