"""The Debian packages of which guests and their images are made, and with which libvirt-python is compiled.

``python -m tests.guest.packages`` fails if something is missing, and says which commands install it. With
``install`` it runs them, as root.
"""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

NEEDED: Final = (
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
)
USER: Final = "libvirt-qemu"
"""libvirt looks it up where root runs it; none of these packages makes it."""


def missing() -> list[str]:
    """Name the packages that have to be installed."""
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *NEEDED]
    shown = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    headers = Path(sysconfig.get_path("include"), "Python.h").exists()
    return [name for name in NEEDED if name not in installed] + ([] if headers else ["python3-dev"])


def steps() -> list[str]:
    """Return the commands after which nothing is missing."""
    names = missing()
    install = f"apt-get install --yes -qq --no-install-recommends {' '.join(names)}"
    packages = ["apt-get update -qq", install] if names else []
    has_user = os.geteuid() != 0 or USER in {entry.pw_name for entry in pwd.getpwall()}
    return packages + ([] if has_user else [f"useradd --system --user-group {USER}"])


if __name__ == "__main__":
    if sys.argv[1:] == ["install"]:
        unasked = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in steps():
            subprocess.run(shlex.split(step), env=unasked, stdout=subprocess.DEVNULL, check=True)
    elif steps():
        sys.exit(f"Something is not installed; run: {' && '.join(steps())}")
