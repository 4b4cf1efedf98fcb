"""What the schemas of the in-memory Nova refuse (nova/api/validation/parameter_types.py)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from hyperx_glance.testing.memory.wire import Refused


def invalid(key: str, value: object, reason: str) -> Refused:
    """Make the refusal of a value that a schema does not allow."""
    return Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")


def check_name(name: str) -> None:
    """Refuse a name that is empty or too long."""
    if not str(name).strip():
        raise invalid("name", name, f"{name!r} should be non-empty")
    if len(name) > 255:
        raise invalid("name", name, f"{name!r} is too long")


def check_count(key: str, count: object) -> None:
    """Refuse what is no positive number."""
    if not re.fullmatch("[0-9]+", str(count)):
        raise invalid(key, count, f"{count!r} does not match '^[0-9]*$'")
    if str(count) == "0":
        raise invalid(key, count, f"{count} is less than the minimum of 1")


def check_metadata(metadata: Mapping[str, object]) -> None:
    """Refuse metadata that are not short texts."""
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise invalid(key, value, f"{value!r} is not of type 'string'")
        if len(value) > 255:
            raise invalid(key, value, f"{value!r} is too long")
        if not re.fullmatch(r"[a-zA-Z0-9\-_:. ]{1,255}", key):
            raise invalid("metadata", metadata, f"{key!r} does not match any of the regexes")


def check_tags(tags: Sequence[str]) -> None:
    """Refuse tags that are too many, too long, or hold a comma or slash."""
    if len(tags) > 50:
        raise invalid("tags", tags, f"{tags} is too long")
    for position, tag in enumerate(tags):
        if len(tag) > 60:
            raise invalid(str(position), tag, f"{tag!r} is too long")
        if not tag or "," in tag or "/" in tag:
            raise invalid(str(position), tag, f"{tag!r} does not match '^[^,/]*$'")


def check_user_data(user_data: str | None) -> None:
    """Refuse user data that are too long or not base64."""
    if not user_data:
        return
    if len(user_data) > 65535:
        raise invalid("user_data", user_data, f"{user_data!r} is too long")
    try:
        base64.b64decode(user_data, validate=True)
    except binascii.Error:
        raise invalid("user_data", user_data, f"{user_data!r} is not a 'base64'") from None
