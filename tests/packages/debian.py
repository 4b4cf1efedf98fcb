"""The Debian packages that some tests need: in one list, by the tests that need them, with one installer.

``python -m tests.packages.debian [TESTS ...]`` fails if something is missing, and says which commands install it. With
``install`` as the first word it runs them, as root. Without names of tests it is about all of them. Debian starts
nginx and HAProxy once they are installed; no test needs that, since each starts its own.
"""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NEEDED: Final = {
    # Of these guests and their images are made, and libvirt-python is compiled.
    "guest": (
        "busybox-static",
        "cpio",
        "dosfstools",
        "e2fsprogs",
        "fakeroot",
        "gcc",
        "genisoimage",
        "isolinux",
        "libvirt-daemon",
        "libvirt-dev",
        "mmdebstrap",
        "mtools",
        "ovmf",
        "pkg-config",
        "qemu-system-x86",
        "qemu-utils",
        "syslinux",
        "syslinux-common",
    ),
    # The fronts.
    "deployments": ("haproxy", "nginx"),
    # The browser, and a font with Chinese characters: without it they are boxes.
    "browser": ("chromium", "fonts-noto-cjk"),
}
USER: Final = "libvirt-qemu"
"""libvirt looks it up where root runs it; none of these packages makes it."""


def missing(tests: Collection[str]) -> list[str]:
    """Name the packages that have to be installed for these tests."""
    needed = [name for each in tests for name in NEEDED[each]]
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *needed]
    shown = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    has_headers = "guest" not in tests or Path(sysconfig.get_path("include"), "Python.h").exists()
    return [name for name in needed if name not in installed] + ([] if has_headers else ["python3-dev"])


def steps(tests: Collection[str]) -> list[str]:
    """Return the commands after which nothing is missing."""
    names = missing(tests)
    install = f"apt-get install --yes -qq --no-install-recommends {' '.join(names)}"
    packages = ["apt-get update -qq", install] if names else []
    has_user = "guest" not in tests or os.geteuid() != 0 or USER in {entry.pw_name for entry in pwd.getpwall()}
    return packages + ([] if has_user else [f"useradd --system --user-group {USER}"])


def main(words: Sequence[str]) -> None:
    """Install what is missing, or end with the commands that do."""
    installs = words[:1] == ["install"]
    needed = steps(words[installs:] or list(NEEDED))
    if not installs and needed:
        sys.exit(f"Something is not installed; run: {' && '.join(needed)}")
    unasked = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in needed:
        subprocess.run(shlex.split(step), env=unasked, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
