"""Glance's filters, sorting and paging, oddities included (glance/db/sqlalchemy/api.py, glance/common/utils.py).

>>> split_operator("in:raw,iso")
('in', 'raw,iso')
>>> split_quoted('"a,b",c')
['a,b', 'c']
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.wire import Caller, Refused

SORT_KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
_NUMBERS = ("size", "virtual_size", "min_disk", "min_ram")
_IN_KEYS = ("name", "id", "status", "container_format", "disk_format")
_COLUMNS = (*_NUMBERS, "owner", "protected", "checksum", "os_hash_value", "os_hash_algo", "visibility")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}
Test = Callable[[ImageRecord], bool]


def in_reach(caller: Caller, visibility: str, member_status: str) -> Test:
    """Make the test for the images that a caller's listing covers (_select_images_query, _image_get_all)."""

    def shared(image: ImageRecord) -> bool:
        member = image.members.get(caller.project_id)
        return image.visibility == "shared" and member is not None and member_status in ("all", member.status)

    everywhere, own_id = caller.is_administrator, caller.project_id

    def test(image: ImageRecord) -> bool:
        own = image.owner == own_id
        reach = everywhere or own or image.visibility in ("public", "community") or shared(image)
        if not reach or visibility == "all":
            return reach
        return image.visibility == visibility if visibility else own or image.visibility != "community"

    return test


def filters(query: Mapping[str, str], tags: Sequence[str], same: Callable[[object, str], bool]) -> list[Test]:
    """Make one test for each filter; ``same`` is the database's comparison of strings."""
    hidden = _flag("os_hidden", query.get("os_hidden", "false").lower())
    tests: list[Test] = [lambda image: image.os_hidden == hidden and image.status != "killed"]
    tests += [_has_tag(tag, same) for tag in tags]
    tests += [_filter(key, value, same) for key, value in query.items() if key != "os_hidden"]
    return tests


def _has_tag(tag: str, same: Callable[[object, str], bool]) -> Test:
    return lambda image: any(same(present, tag) for present in image.tags)


def _filter(key: str, value: str, same: Callable[[object, str], bool]) -> Test:
    if key.endswith(("_min", "_max")):
        return _range(key[:-4], key[-3:], value)
    if key in ("created_at", "updated_at"):
        return _time(key, value)
    if key in _IN_KEYS:
        return _word(key, value, same)
    if key == "protected":
        wanted = _flag(key, value)
        return lambda image: image.protected == wanted
    if key in _NUMBERS:
        return lambda image: str(getattr(image, key)) == value
    if key in _COLUMNS:
        return lambda image: same(getattr(image, key), value)
    if key == "deleted":
        return lambda image: not image.deleted
    return lambda image: key in image.properties and same(image.properties[key], value)


def _range(key: str, end: str, value: str) -> Test:
    if not re.fullmatch(r"-?\d+", value):
        raise Refused(400, "Unable to filter on a range with a non-numeric value.")
    if key not in _NUMBERS:
        raise Refused(500)
    compare = operator.ge if end == "min" else operator.le

    def test(image: ImageRecord) -> bool:
        number = getattr(image, key)
        return number is not None and bool(compare(number, int(value)))

    return test


def _time(key: str, value: str) -> Test:
    name, text = split_operator(value)
    try:
        wanted = _parsed(text)
    except ValueError:
        raise Refused(400, f'Bad "{key}" query filter format. Use ISO 8601 DateTime notation.') from None
    if name not in _COMPARISONS:
        raise Refused(400, "Unable to filter on a unknown operator.")
    compare = _COMPARISONS[name]
    return lambda image: compare(getattr(image, key), wanted)


def _word(key: str, value: str, same: Callable[[object, str], bool]) -> Test:
    name, text = split_operator(value)
    if name == "in":
        words = split_quoted(text)
    elif name == "eq":
        words = [text]
    else:
        raise Refused(400, f"Unable to filter by unknown operator '{name}'.")
    return lambda image: any(same(getattr(image, key), word) for word in words)


def split_operator(expression: str) -> tuple[str, str]:
    """Split at the first colon, unless the whole string is a time."""
    left, colon, right = expression.partition(":")
    if not colon:
        return "eq", left
    try:
        _parsed(expression)
    except ValueError:
        return left, right
    return "eq", expression


def split_quoted(text: str) -> list[str]:
    """Split at commas outside double quotes."""
    if len(re.findall(r'(?<!\\)"', text)) % 2:
        raise Refused(400, f"Invalid filter value {text}. The quote is not closed.")
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|([^,]+)', text)
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted else plain for quoted, plain in found]


def _parsed(text: str) -> datetime:
    if not re.match(r"\d{4}-?\d\d-?\d\d", text):
        raise ValueError(text)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _flag(key: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise Refused(400, f"Invalid value '{value}' for '{key}' filter. Valid values are 'true' or 'false'.")
    return value == "true"


# ----------------------------------------------------------------- order and pages


def sorting(parameters: Sequence[tuple[str, str]]) -> list[tuple[str, bool]]:
    """Return the columns to sort by, and whether each is descending (_get_sorting_params; both notations)."""
    new = [value for key, value in parameters if key == "sort"]
    keys = [value.strip() for key, value in parameters if key == "sort_key"]
    directions = [value.strip() for key, value in parameters if key == "sort_dir"]
    if new and (keys or directions):
        raise Refused(400, "Old and new sorting syntax cannot be combined")
    if new:
        pairs = [part.partition(":") for part in new[-1].strip().split(",")]
        keys = [key.strip() for key, _, _ in pairs]
        directions = [(direction or "desc").strip() for _, _, direction in pairs]
    elif len(directions) > 1 and len(directions) != len(keys):
        raise Refused(400, "Number of sort dirs does not match the number of sort keys")
    keys, directions = keys or ["created_at"], directions or ["desc"]
    _check_sorting(keys, directions)
    default = directions[0] if len(directions) == 1 else "desc"
    if len(directions) == 1:
        directions = directions * len(keys)
    for key in ("created_at", "id"):
        if key not in keys:
            keys, directions = [*keys, key], [*directions, default]
    return [(key, direction == "desc") for key, direction in zip(keys, directions, strict=True)]


def _check_sorting(keys: Sequence[str], directions: Sequence[str]) -> None:
    for key in keys:
        if key not in SORT_KEYS:
            raise Refused(400, f"Invalid sort key: {key}. It must be one of the following: {', '.join(SORT_KEYS)}.")
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise Refused(400, f"Invalid sort direction: {direction}")


_NEVER_NULL = {"id", "status", "created_at", "updated_at"}


def in_order(images: Sequence[ImageRecord], columns: Sequence[tuple[str, bool]]) -> list[ImageRecord]:
    """Sort as SQLite does: nothing comes before everything."""
    ordered = list(images)
    if {key for key, _ in columns} <= _NEVER_NULL and len({descending for _, descending in columns}) == 1:
        ordered.sort(key=operator.attrgetter(*(key for key, _ in columns)), reverse=columns[0][1])
        return ordered
    for key, descending in reversed(columns):
        ordered.sort(key=lambda image: _sortable(getattr(image, key)), reverse=descending)
    return ordered


def behind(marker: ImageRecord, columns: Sequence[tuple[str, bool]]) -> Test:
    """Make the test for images after a marker.

    If a column is null, the test disagrees with the order, as in Glance: there a null counts as 0 or the empty text in
    the rows, but as the empty text in the marker (_paginate_query), so that sorting by size over nulls goes wrong.
    """
    marks = [_mark(getattr(marker, key)) for key, _ in columns]

    def test(image: ImageRecord) -> bool:
        for (key, descending), mark in zip(columns, marks, strict=True):
            value = getattr(image, key)
            if value is None:
                value = 0 if key in _NUMBERS else ""
            here = _mark(value)
            if here != mark:
                return here < mark if descending else here > mark
        return False

    return test


def _sortable(value: object) -> tuple[bool, Any]:
    return (value is not None, "" if value is None else value)


def _mark(value: object) -> tuple[bool, Any]:
    """Order numbers before strings, as SQLite does."""
    if value is None:
        value = ""
    return (isinstance(value, str), value)
