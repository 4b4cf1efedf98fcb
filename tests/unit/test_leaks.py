"""A process that works all day holds no more than one that has just begun; ten thousand times in tests/soak."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_grows_with_what_a_process_does() -> None:
    program = [sys.executable, "-m", "tests.operations", "15"]

    assert subprocess.run(program, check=True, capture_output=True, text=True).stdout == "{}\n"
