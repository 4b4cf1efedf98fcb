"""Run cells and print what is wrong with them, all or those that match: ``python -m tests.resilience [PATTERN]``."""

from __future__ import annotations

import logging
import re
import sys
import time

from tests.resilience.matrix import cells, judge
from tests.resilience.report import report


def main(pattern: str) -> int:
    logging.lastResort = None
    begin = time.monotonic()
    meant = [cell for cell in cells() if re.search(pattern, str(cell))]
    print(f"{len(meant)} cells", flush=True)
    found = [finding for cell in meant for finding in judge(cell)]
    print(report(found))
    flagged = len({finding.cell for finding in found})
    print(f"{flagged} of {len(meant)} cells flagged, in {time.monotonic() - begin:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
