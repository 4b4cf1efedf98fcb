"""Make the environment of an older release's services: ``python -m tests.releases 2025.1 DIRECTORY``.

It is made once, and again when the list of versions has changed. The library is not installed there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.support import environments

LISTS = Path(__file__).parent
RELEASES = sorted(path.stem for path in LISTS.glob("*.txt"))


def make(release: str, directory: Path) -> None:
    """Install the release's packages into a virtual environment of their own."""
    wanted = LISTS / f"{release}.txt"
    # The list is complete; a resolver would take minutes to find that out.
    environments.make(directory, "--no-deps", "--requirement", wanted, made_from=wanted.read_text())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    parser.add_argument("release", choices=RELEASES)
    parser.add_argument("directory", type=Path)
    chosen = parser.parse_args()
    make(chosen.release, chosen.directory)
