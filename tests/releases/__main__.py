"""Make the environment of an older release's services: ``python -m tests.releases 2025.1 DIRECTORY``.

It is made once, and anew where the list of versions has changed. The library is not installed there.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import venv
from pathlib import Path

LISTS = Path(__file__).parent
RELEASES = sorted(path.stem for path in LISTS.glob("*.txt"))


def make(release: str, directory: Path) -> None:
    """Install the release's packages into a virtual environment of their own."""
    wanted, made = LISTS / f"{release}.txt", directory / "made-from.txt"
    if made.exists() and made.read_text() == wanted.read_text():
        return
    shutil.rmtree(directory, ignore_errors=True)
    venv.create(directory, with_pip=True)
    pip: list[str | Path] = [
        directory / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    # The list is complete; a resolver would take minutes to find that out.
    subprocess.run([*pip, "--no-deps", "--requirement", wanted], check=True)
    shutil.copy(wanted, made)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    parser.add_argument("release", choices=RELEASES)
    parser.add_argument("directory", type=Path)
    chosen = parser.parse_args()
    make(chosen.release, chosen.directory)
