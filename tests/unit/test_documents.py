"""The documents say what the library does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_quick_start_can_be_pasted() -> None:
    readme = (ROOT / "README.md").read_text()
    code, output = re.findall(r"```(?:python|text)\n(.*?)```", readme, re.DOTALL)[:2]

    pasted = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)

    assert (pasted.stdout, pasted.stderr) == (output, "")
