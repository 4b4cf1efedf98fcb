"""Pages of lists in the in-memory Nova."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hyperx_glance.testing.memory.wire import Call, Refused

Item = TypeVar("Item")


def page_size(call: Call, largest: int) -> int:
    """Return the largest number of items of a page."""
    return min(int(call.value("limit") or largest), largest)


def cut_page(call: Call, found: Sequence[Item], *, key: Callable[[Item], str], largest: int) -> list[Item]:
    """Cut a page; ``key`` returns the marker of an item."""
    rest = list(found)
    marker = call.value("marker")
    if marker:
        keys = [key(item) for item in rest]
        if marker not in keys:
            raise Refused(400, f"marker [{marker}] not found")
        rest = rest[keys.index(marker) + 1 :]
    return rest[: page_size(call, largest)]
