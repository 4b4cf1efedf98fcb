"""What tests keep for the next run: Python environments besides their own, and folders in the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path


def cache(name: str) -> Path:
    """Return a folder of this project in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyperx-glance" / name


def make(directory: Path, *installing: str | Path, made_from: str) -> Path:
    """Make a virtual environment with what pip installs by these arguments; return its Python.

    It is made once, and again if ``made_from`` has changed.
    """
    python, made = directory / "bin" / "python", directory / "made-from.txt"
    if not made.exists() or made.read_text() != made_from:
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, with_pip=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *installing], check=True)
        made.write_text(made_from)
    return python
