"""For each field of a request a value unlike its default, by its type or by name."""

from __future__ import annotations

import io
import typing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests import samples

if TYPE_CHECKING:
    import pydantic

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORD = "law"
VALUES: dict[str, object] = {
    "any_tags": {WORD},
    "category": "public",
    "checksum": f"md5:{'0' * 32}",
    "created_after": NOON,
    "created_before": NOON,
    "disk_format": "raw",
    "formats": {"qcow2"},
    "id": "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90",
    "kind": "iso",
    "limit": 1,
    "max_size": 5,
    "min_size": 5,
    "no_tags": {WORD},
    "owner": "dept-b",
    "properties": {"free": WORD},
    "remove_properties": {"free"},
    "sort": ("created_at",),
    "state": "ACTIVE",
    "stores": ("slow",),
    "tags": {WORD},
    "updated_after": NOON,
    "updated_before": NOON,
    "url": "http://files.example/other",
    "view": "public",
}
BESIDE: dict[str, dict[str, object]] = {"admin_user": {"password_enabled": True}}
"""What must be given for a field to count."""
INSTEAD = {"file": "url"}
"""What must not be given with a field."""


def unlike_the_default(model: type[pydantic.BaseModel], field: str) -> Any:  # noqa: ANN401  # of every type
    if field == "file":
        return io.BytesIO(samples.data("data.iso" if model.__name__ == "NewIso" else "disk.qcow2"))
    if field in VALUES:
        return VALUES[field]
    hint = typing.get_type_hints(model)[field]
    kinds = set(typing.get_args(hint) or [hint]) - {type(None)}
    if kinds == {bool}:
        return not model.model_fields[field].default
    assert kinds in ({str}, {int}), f"{model.__name__}.{field}: say a value in tests/fields.py"
    return WORD if kinds == {str} else 7
