"""What the in-memory Cinder says of wrong values in requests, as the real one does with its schemas.

>>> string(longest=3)("long")
"'long' is too long"
>>> fields({"name": string(null=False)}, required=["name"])({})
"'name' is a required property"
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from hyperx_glance.testing.memory.wire import Call, Record, Refused

Check = Callable[[object], "str | Wrong | None"]
"""A check that returns what is wrong with a value, or None."""

_FLAGS: Final = (
    *(True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t"),
    *(False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f"),
)
_TRUE: Final = ("true", "1", "on", "yes", "y", "t")
_METADATA_KEY: Final = "^[a-zA-Z0-9-_:. /]{1,255}$"
SPECS_KEY: Final = "^[a-zA-Z0-9-_:.]{1,255}$"
_LONGEST: Final = 255


class Wrong(str):
    """What is wrong with a value inside the value; the whole message."""

    __slots__ = ()


def string(longest: int = _LONGEST, shortest: int = 0, *, null: bool = True) -> Check:
    """Return a check of a string."""

    def check(value: object) -> str | None:
        if value is None and null:
            return None
        if not isinstance(value, str):
            return f"{value!r} is not of type 'string'" + (", 'null'" if null else "")
        if len(value) < shortest:
            return f"{value!r} should be non-empty"
        return f"{value!r} is too long" if len(value) > longest else None

    return check


def name(value: object) -> str | Wrong | None:
    """Check the name of a type, which must not be empty."""
    wrong = string(shortest=1, null=False)(value)
    if wrong is None and not str(value).strip():
        return Wrong("An invalid 'name' value was provided. The 'name' can not be empty.")
    return wrong


def stripped_name(value: object) -> str | Wrong | None:
    """Check a name that counts without the spaces around it."""
    if not isinstance(value, str):
        return f"{value!r} is not of type 'string'"
    problem = "can not be greater than 255 characters" if len(value.strip()) > _LONGEST else ""
    problem = problem or ("can not be None" if not value else "") or ("" if value.strip() else "can not be empty")
    return Wrong(f"An invalid 'name' value was provided. The 'name' {problem}.") if problem else None


def title(key: str) -> Check:
    """Return a check of a volume's name or description."""

    def check(value: object) -> str | Wrong | None:
        if isinstance(value, str) and len(value.strip()) > _LONGEST:
            found = len(value.strip())
            return Wrong(f"Invalid input received: {key} has {found} characters, more than {_LONGEST}.")
        return string(longest=len(str(value)))(value)

    return check


def flag(value: object) -> str | None:
    """Check a flag, which may be one of many words."""
    if not isinstance(value, bool | str):
        return f"{value!r} is not of type 'boolean', 'string'"
    return None if value in _FLAGS else f"{value!r} is not one of {list(_FLAGS)!r}"


def is_true(value: object) -> bool:
    """Return the meaning of a flag."""
    return str(value).lower() in _TRUE


def identifier(value: object) -> str | None:
    """Check an id."""
    if not isinstance(value, str):
        return f"{value!r} is not of type 'string'"
    return None if _is_uuid(value) else f"{value!r} is not a 'uuid'"


def optional_identifier(value: object) -> str | None:
    """Check an id that may be null."""
    good = value is None or (isinstance(value, str) and _is_uuid(value))
    return None if good else f"{value!r} is not valid under any of the given schemas"


def size(value: object) -> str | None:
    """Check a size in GiB."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return f"{value!r} is not of type 'integer', 'string'"
    if isinstance(value, str) and not re.fullmatch("[0-9]+", value):
        return f"{value!r} does not match '^[0-9]+$'"
    return f"{value} is less than the minimum of 1" if int(value) < 1 else None


def key_size(value: object) -> str | Wrong | None:
    """Check the size of a key in bits, which may be null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return f"{value!r} is not of type 'string', 'integer', 'null'"
    if not re.fullmatch("-?[0-9]+", str(value)):
        return Wrong("Invalid input received: key_size must be an integer.")
    return f"{value} is less than the minimum of 0" if isinstance(value, int) and value < 0 else None


def optional_size(value: object) -> str | None:
    """Check a size in GiB that may be null."""
    wrong = None if value is None else size(value)
    return f"{wrong}, 'null'" if wrong and "is not of type" in wrong else wrong


def metadata(*, null: bool = False, null_values: bool = False, keys: str = _METADATA_KEY) -> Check:
    """Return a check of a mapping of strings."""

    def check(value: object) -> str | Wrong | None:
        if value is None and null:
            return None
        if not isinstance(value, dict):
            return f"{value!r} is not of type 'object'" + (", 'null'" if null else "")
        for key, each in value.items():
            wrong = string(null=null_values)(each) if re.search(keys, key) else None
            if wrong:
                return _message(key, each, wrong)
        strange = sorted(key for key in value if not re.search(keys, key))
        if strange:
            do = "do not" if len(strange) > 1 else "does not"
            return f"{', '.join(map(repr, strange))} {do} match any of the regexes: {keys!r}"
        return None

    return check


def one_of(*words: str) -> Check:
    """Return a check of one of several words."""
    return lambda value: None if value in words else f"{value!r} is not one of {list(words)!r}"


def mapping(*, null: bool = False, shortest: int = 0) -> Check:
    """Return a check of an object whose keys are not looked at."""

    def check(value: object) -> str | None:
        if value is None and null:
            return None
        if not isinstance(value, dict):
            return f"{value!r} is not of type 'object'" + (", 'null'" if null else "")
        return f"{value!r} should be non-empty" if len(value) < shortest else None

    return check


def array(value: object) -> str | None:
    """Check a list of strings that has some."""
    if not isinstance(value, list):
        return f"{value!r} is not of type 'array'"
    wrong = next((each for each in value if not isinstance(each, str)), None)
    if wrong is not None:
        return f"{wrong!r} is not of type 'string'"
    return None if value else f"{value!r} should be non-empty"


def single(check: Check) -> Check:
    """Return a check of a mapping with exactly one key."""

    def of_one(value: object) -> str | Wrong | None:
        wrong = check(value)
        if wrong or not isinstance(value, dict) or len(value) == 1:
            return wrong
        return f"{value!r} has too many properties" if value else f"{value!r} should be non-empty"

    return of_one


def anything(value: object) -> None:
    """Take any value."""
    del value


def fields(
    checks: Mapping[str, Check], *, required: Iterable[str] = (), one_of: Iterable[str] = (), closed: bool = True
) -> Check:
    """Return a check of an object: its keys, those that it must have, and those of which it must have one."""

    def check(value: object) -> str | Wrong | None:
        if not isinstance(value, dict):
            return f"{value!r} is not of type 'object'"
        for key, of_value in checks.items():
            wrong = of_value(value[key]) if key in value else None
            if wrong:
                return _message(key, value[key], wrong)
        missing = next((key for key in required if key not in value), None)
        if missing:
            return f"{missing!r} is a required property"
        unknown = sorted(value.keys() - checks.keys()) if closed else []
        if unknown:
            were = "were" if len(unknown) > 1 else "was"
            return f"Additional properties are not allowed ({', '.join(map(repr, unknown))} {were} unexpected)"
        wanted = tuple(one_of)
        if wanted and not value.keys() & set(wanted):
            return f"{value!r} is not valid under any of the given schemas"
        return None

    return check


def checked(call: Call, member: str, check: Check, **more: Check) -> Record:
    """Return the value of the main key of a request's body, which may have ``more``; refuse a body that is wrong."""
    body: Any = call.json() if call.content() else None
    wrong = fields({member: check, **more}, required=[member])(body)
    if wrong:
        raise Refused(400, wrong)
    found: Record = body[member]
    return found


def _message(key: str, value: object, wrong: str) -> Wrong:
    if isinstance(wrong, Wrong):
        return wrong
    return Wrong(f"Invalid input for field/attribute {key}. Value: {value}. {wrong}")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)).replace("-", "") == text.lower().replace("-", "").strip("{}")
    except ValueError:
        return False
