"""Processes that services leave behind: real guests outlive Nova, and end with the cloud.

libvirt makes each QEMU a daemon, so that it survives a Nova that dies, as on a real host. Its parent is then the
supervisor, which adopts what has lost its own. (No example: it changes the process it is called in.)
"""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h


def adopt() -> None:
    """Become the parent of each process below this one whose own parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def ended() -> Iterator[tuple[int, int]]:
    """Yield id and status of each child that has ended; until its status is read, libvirt treats a guest as alive."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, status


def end() -> None:
    """Kill all children, and theirs, and return when they are gone; none has anything to save."""
    while True:
        with contextlib.suppress(ChildProcessError):
            for child in _children():
                os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)
            continue
        return


def _children() -> Iterator[int]:
    own = str(os.getpid())
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # What precedes is the name in brackets, which may hold blanks and brackets; the parent comes second.
            if (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1] == own:
                yield int(process.name)
