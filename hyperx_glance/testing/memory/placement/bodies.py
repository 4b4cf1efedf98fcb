"""What the in-memory Placement says of wrong bodies: the sentence of its schema, and not the schema.

>>> wrong({"total": 0}, {"total": number(1)}, ["total"])
'0 is less than the minimum of 1'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.wire import Call, Refused

Check = Callable[[object], "str | None"]
CLASS = "^[A-Z0-9_]+$"
CUSTOM = "^CUSTOM_[A-Z0-9_]+$"


def text(longest: int = 255, pattern: str = "") -> Check:
    """Return a check of a string."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"{value!r} is not of type 'string'"
        if pattern and not re.search(pattern, value):
            return f"{value!r} does not match {pattern!r}"
        return f"{value!r} is too long" if len(value) > longest else None

    return check


def number(least: int | None = None) -> Check:
    """Return a check of a whole number."""

    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"{value!r} is not of type 'integer'"
        return f"{value} is less than the minimum of {least}" if least is not None and value < least else None

    return check


def ratio(value: object) -> str | None:
    """Check a number."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return None if good else f"{value!r} is not of type 'number'"


def identifier(value: object) -> str | None:
    """Check a UUID."""
    if not isinstance(value, str):
        return f"{value!r} is not of type 'string'"
    return None if is_uuid(value) else f"{value!r} is not a 'uuid'"


def optional(check: Check) -> Check:
    """Return a check of a value that may be null."""

    def check_or_null(value: object) -> str | None:
        wrong = None if value is None else check(value)
        return f"{wrong}, 'null'" if wrong and "is not of type" in wrong else wrong

    return check_or_null


def each(check: Check) -> Check:
    """Return a check of a list."""

    def check_all(value: object) -> str | None:
        if not isinstance(value, list):
            return f"{value!r} is not of type 'array'"
        return next((found for found in map(check, value) if found), None)

    return check_all


def mapping(pattern: str, check: Check, *, closed: bool = True, least: int = 0) -> Check:
    """Return a check of an object with keys of one form, at least ``least`` of them."""

    def check_all(value: object) -> str | None:
        if not isinstance(value, dict):
            return f"{value!r} is not of type 'object'"
        for key, item in value.items():
            found = check(item) if re.search(pattern, key) else None
            if found:
                return found
        strange = [key for key in value if closed and not re.search(pattern, key)]
        if strange:
            return f"{', '.join(map(repr, strange))} does not match any of the regexes: {pattern!r}"
        return f"{value!r} should be non-empty" if len(value) < least else None

    return check_all


def wrong(body: object, checks: Mapping[str, Check], required: Sequence[str]) -> str | None:
    """Return what is wrong with an object that has these keys and no others, or None."""
    if not isinstance(body, dict):
        return f"{body!r} is not of type 'object'"
    strange = [key for key in body if key not in checks]
    if strange:
        were = "were" if len(strange) > 1 else "was"
        return f"Additional properties are not allowed ({', '.join(map(repr, strange))} {were} unexpected)"
    for key in required:
        if key not in body:
            return f"{key!r} is a required property"
    return next((found for key, value in body.items() if (found := checks[key](value))), None)


def fields(checks: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """Return a check of an object inside another."""
    return lambda value: wrong(value, checks, required)


def checked(call: Call, check: Check) -> Any:  # noqa: ANN401 - what the client sent
    """Return the body of a request; refuse one that is wrong."""
    if not call.content():
        raise Refused(400, "Malformed JSON: Expecting value: line 1 column 1 (char 0)")
    body = call.json()
    found = check(body)
    if found:
        raise Refused(400, f"JSON does not validate: {found}")
    return body
