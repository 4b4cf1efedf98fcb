"""How tests wait for what takes a moment: never without end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds, and fail if it does not in time."""
    deadline = time.monotonic() + scaled(seconds)
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)
