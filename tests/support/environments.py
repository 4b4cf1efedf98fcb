"""Python environments that tests need besides their own: made once, and again when their contents have changed."""

from __future__ import annotations

import shutil
import subprocess
import venv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make(directory: Path, *installing: str | Path, made_from: str) -> Path:
    """Make a virtual environment with what pip installs by these arguments; return its Python."""
    python, made = directory / "bin" / "python", directory / "made-from.txt"
    if not made.exists() or made.read_text() != made_from:
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, with_pip=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *installing], check=True)
        made.write_text(made_from)
    return python
