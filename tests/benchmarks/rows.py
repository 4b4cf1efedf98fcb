"""Rows for Glance's database: images that differ in little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.benchmarks.pages import properties

if TYPE_CHECKING:
    from datetime import datetime


def image_row(number: int, created: datetime, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of every kind
    """Return an active image with a number, for `glance_rows.insert`, but for the columns that are given."""
    return {
        "name": f"image {number}",
        "status": "active",
        "disk_format": "qcow2",
        "container_format": "bare",
        "size": number << 20,
        "protected": False,
        "os_hidden": False,
        "created_at": created,
        "updated_at": created,
        "tags": ["linux"],
        "properties": properties(number),
        **others,
    }
