"""Nothing grows over ten thousand operations: a thousand times some fourteen verbs."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_grows_over_ten_thousand_operations() -> None:
    program = [sys.executable, "-m", "tests.operations", "1000"]

    assert subprocess.run(program, check=True, capture_output=True, text=True).stdout == "{}\n"
