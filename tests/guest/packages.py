"""The Debian packages of which guests and their images are made, and with which libvirt-python is compiled.

``python -m tests.guest.packages`` fails where some are missing, and says by which command they come.
"""

from __future__ import annotations

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
    "pkg-config",
    "qemu-system-x86",
    "qemu-utils",
    "syslinux",
    "syslinux-common",
)


def missing() -> list[str]:
    """Name the packages that have to be installed."""
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *NEEDED]
    shown = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    headers = Path(sysconfig.get_path("include"), "Python.h").exists()
    return [name for name in NEEDED if name not in installed] + ([] if headers else ["python3-dev"])


if __name__ == "__main__":
    names = missing()
    if names:
        sys.exit(f"Not installed; run: apt-get install --no-install-recommends {' '.join(names)}")
