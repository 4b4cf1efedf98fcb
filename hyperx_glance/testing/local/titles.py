"""The names by which `ps` and `top` show the processes of a cloud.

(No example: it renames the process it is called in.)
"""

import ctypes
from pathlib import Path
from typing import Final

_PR_SET_NAME: Final = 15  # linux/prctl.h
_ARG_START: Final = 48  # proc_pid_stat(5) counts its fields from one


def show(service: str, directory: Path) -> None:
    """Let this process be seen as a service of the cloud in a directory, in place of its command line.

    The kernel reads the command line from the memory of the program's arguments, so the title has as many bytes as they
    had.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NAME, f"local-{service}".encode())
    behind_the_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    start, end = (int(field) for field in behind_the_name[_ARG_START - 3 : _ARG_START - 1])
    title = f"local cloud: {service} in {directory}".encode()[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, title, len(title))
