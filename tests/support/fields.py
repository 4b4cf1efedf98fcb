"""For each field of a request a value unlike its default, by its type or by name."""

from __future__ import annotations

import io
import lzma
import typing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hyperx_glance import NewImage, NewIso
from tests import samples

if TYPE_CHECKING:
    import pydantic

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORD = "law"
VALUES: dict[str, object] = {
    "any_tags": {WORD},
    "capture_id": "8c1e5f2b",
    "category": "public",
    "checksum": f"md5:{'0' * 32}",
    "created_after": NOON,
    "created_before": NOON,
    "disk_format": "raw",
    "formats": {"qcow2"},
    "id": "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90",
    "kind": "iso",
    "lifecycle": "deprecated",
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
    "unpack": False,
    "updated_after": NOON,
    "updated_before": NOON,
    "url": "http://files.example/other",
    "view": "public",
}
_FILES = {NewImage: "disk.qcow2", NewIso: "data.iso"}


def beside(model: type[pydantic.BaseModel], field: str) -> dict[str, object]:
    """Return the other fields that a field needs to have an effect."""
    if field == "unpack":
        return {"url": None, "file": io.BytesIO(lzma.compress(samples.data(_FILES[model])))}
    return {"password_enabled": True} if field == "admin_user" else {}


INSTEAD = {"file": "url"}
"""What must not be given with a field."""


def unlike_the_default(model: type[pydantic.BaseModel], field: str) -> Any:  # noqa: ANN401  # of every type
    if field == "file":
        return io.BytesIO(samples.data(_FILES[model]))
    if field in VALUES:
        return VALUES[field]
    hint = typing.get_type_hints(model)[field]
    kinds = set(typing.get_args(hint) or [hint]) - {type(None)}
    if kinds == {bool}:
        return not model.model_fields[field].default
    assert kinds in ({str}, {int}), f"{model.__name__}.{field}: say a value in tests/support/fields.py"
    return WORD if kinds == {str} else 7
