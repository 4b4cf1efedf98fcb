"""Keep what a run shows in ``results.json``, of which the page "Suites of other projects" is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.suites.outcomes import DIFFERS

if TYPE_CHECKING:
    from tests.suites.outcomes import Verdict

RESULTS: Final = Path(__file__).parent / "results.json"


def record(name: str, cloud: str, verdict: Verdict, path: Path = RESULTS) -> None:
    """Write the numbers of a suite on a cloud; the others stay. Nothing in it changes from run to run."""
    told: dict[str, dict[str, object]] = json.loads(path.read_text()) if path.exists() else {}
    failed: dict[str, int] = {}
    left_out: dict[str, dict[str, int]] = {}
    for (kind, sentence), number in verdict.counted.items():
        part = failed if kind == DIFFERS else left_out.setdefault(kind, {})
        part[sentence] = number
    told.setdefault(name, {})[cloud] = {"passed": verdict.passed, "failed": failed, "left_out": left_out}
    path.write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
