"""Show what was measured, and keep it for the page "Performance" if BENCH_RESULTS names the file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path


def table(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table, whose first row is its head, and keep it under its title."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f"\n\n{title}")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if name := os.environ.get("BENCH_RESULTS"):
        path = Path(name)
        kept = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**kept, title: rows}, indent=2, ensure_ascii=False) + "\n")
