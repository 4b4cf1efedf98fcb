"""How the in-memory Nova cuts pages of its lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hyperx_glance.testing.memory.wire import Call, Refused


def cut_page(call: Call, found: Sequence[Any]) -> list[Any]:
    """Cut a page; markers are ids."""
    rest = list(found)
    marker = call.value("marker")
    if marker:
        ids = [item.id for item in rest]
        if marker not in ids:
            raise Refused(400, f"marker [{marker}] not found")
        rest = rest[ids.index(marker) + 1 :]
    return rest[: int(call.value("limit", "1000"))]
