"""Unpack packages of Debian into a folder: nothing is installed, and root is not needed.

    python -m tests.packages.unpacked FOLDER PACKAGE ...

With each package comes what it depends on and is not installed here. The folder's "lib" has links to all libraries, for
LD_LIBRARY_PATH, and "python" to the modules in C, for PYTHONPATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def needed(packages: tuple[str, ...]) -> list[str]:
    """Name the packages that apt would install."""
    command = ["apt-get", "install", "--simulate", "--no-install-recommends", *packages]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split()[1] for line in told.splitlines() if line.startswith("Inst ")]


def unpack(folder: Path, packages: tuple[str, ...]) -> None:
    """Download the packages, and unpack them; a folder that is complete stays as it is."""
    complete = folder / "packages"
    if complete.exists() and complete.read_text() == " ".join(packages):
        return
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("downloaded", "lib", "python", "root"):
        (folder / name).mkdir(parents=True)
    subprocess.run(["apt-get", "download", "-qq", *needed(packages)], cwd=folder / "downloaded", check=True)
    for package in (folder / "downloaded").iterdir():
        subprocess.run(["dpkg-deb", "--extract", package, folder / "root"], check=True)
        package.unlink()
    for library in (folder / "root").glob("**/*.so*"):
        kind = "python" if "dist-packages" in library.parts else "lib"
        (folder / kind / library.name).unlink(missing_ok=True)
        (folder / kind / library.name).symlink_to(library)
    complete.write_text(" ".join(packages))


if __name__ == "__main__":
    unpack(Path(sys.argv[1]).absolute(), tuple(sys.argv[2:]))
