r"""Columns: titles and readable values for people, field names and plain values for programs.

>>> from hyperx_glance.cli.output import Flag, Size, plain, printable
>>> Size(2362232012).human_readable(), Size(2362232012).machine_readable()
('2.2 GiB', 2362232012)
>>> Flag(True).human_readable(), Flag(True).shown_in("zh").human_readable(), plain(Flag(True))
('yes', '是', 'true')

Only the format "table" is for people; json, yaml, csv, shell and value are for programs. All formats except json and
yaml may reach a terminal, so control characters in names and strings are written as ``\x1b`` and the like:

>>> print(printable("debian\x1b[31m"))
debian\x1b[31m
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from cliff.columns import FormattableColumn

from hyperx_glance.cli import words
from hyperx_glance.cli.fitting import Heading
from hyperx_glance.texts import LANGUAGES, Language, Text, field_name

if TYPE_CHECKING:
    import argparse


def headers(parsed_args: argparse.Namespace, *fields: str) -> list[str]:
    """Return the headers for the chosen format, and let -c and --sort-column accept any name of a column."""
    people = parsed_args.formatter == "table"
    header = {
        field: Heading.of(field, words.title(field, parsed_args.language)) if people else field for field in fields
    }
    names = {
        _folded(name): header[field]
        for field in fields
        for name in (field, *(words.title(field, language) for language in LANGUAGES))
    }
    for option in "columns", "sort_columns":
        if hasattr(parsed_args, option):
            setattr(parsed_args, option, [names.get(_folded(name), name) for name in getattr(parsed_args, option)])
    return list(header.values())


def _folded(name: str) -> str:
    """Fold a name as cliff does."""
    return name.lower().strip().replace(" ", "_")


# ----------------------------------------------------------------- terminals

_DOCUMENTS = ("json", "yaml")
"""Formats that programs parse: they have escapes of their own, so programs get exactly what the service sent."""
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1, which control terminals
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction, which reorder text on the screen
    "\u2028\u2029\ud800-\udfff]"  # ends of lines, and unpaired surrogates, which no stream can encode
)


def printable(text: str) -> str:
    """Replace control characters, including ends of lines, with escapes; everything else stays as it is."""
    # Most strings have none, which isprintable() finds faster.
    return text if text.isprintable() else CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def cells(parsed_args: argparse.Namespace, row: Iterable[object]) -> tuple[object, ...]:
    """Prepare a row for the chosen format."""
    if parsed_args.formatter in _DOCUMENTS:
        return tuple(row)
    if parsed_args.formatter == "table":
        return tuple(_for_people(cell, parsed_args.language) for cell in row)
    return tuple(map(plain, row))


def _for_people(cell: object, language: Language) -> object:
    match cell:
        case Readable():
            return cell.shown_in(language)
        case None:
            return ""
        case bool():
            return Flag(cell).shown_in(language)
    return _printable_value(cell)


def plain(value: object) -> object:
    """Convert a value for programs, in formats that have only strings and numbers.

    >>> plain(True), plain(None), plain(["a", "b"]), plain({"k": "v"}), plain(7)
    ('true', '', 'a,b', 'k=v', 7)
    """
    match value:
        case Readable():
            return value.plain()
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(str(plain(part)) for part in value)
        case dict():
            return ",".join(f"{plain(key)}={plain(part)}" for key, part in value.items())
        case str():
            return printable(value)
    return value


def is_empty(cell: object) -> bool:
    """Check whether a cell is empty."""
    value = cell.machine_readable() if isinstance(cell, Readable) else cell
    return value is None or value in ("", [], {})


def _printable_value(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case list() | tuple():
            return [_printable_value(part) for part in value]
        case dict():
            return {_printable_value(key): _printable_value(part) for key, part in value.items()}
    return value


# ----------------------------------------------------------------- values

_Value = TypeVar("_Value")


class Readable(FormattableColumn[_Value]):
    """A plain value with a form for people, which subclasses define."""

    language: Language = "en"

    def shown_in(self, language: Language) -> Self:
        """Set the language, and replace control characters in the value."""
        self.language = language
        self._value = cast("_Value", _printable_value(self._value))
        return self

    def plain(self) -> object:
        """Return the value for programs, in formats that have only strings and numbers."""
        return plain(self._value)


class Flag(Readable[bool]):
    """A boolean, shown as yes or no."""

    def human_readable(self) -> str:
        """Return the console's word."""
        return words.word("yes" if self._value else "no", self.language)


class Word(Readable[str]):
    """A word of the product, such as a category."""

    def human_readable(self) -> str:
        """Return the word in the language of the table."""
        return words.word(self._value, self.language)


class Resource(Readable[str]):
    """A resource of a quota."""

    def human_readable(self) -> str:
        """Return its title in the language of the table."""
        return field_name(self._value).in_language(self.language, audience="person")


class Said(Readable[str]):
    """A sentence; programs read it in English."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self._text = text

    def human_readable(self) -> str:
        """Return the sentence in the language of the table."""
        return printable(self._text.in_language(self.language, audience="command"))


class Limit(Readable[int | None]):
    """A limit; None is shown as unlimited."""

    def human_readable(self) -> str:
        """Return the number, or the word."""
        return words.word("unlimited", self.language) if self._value is None else str(self._value)


class Size(Readable[int | None]):
    """A number of bytes."""

    def human_readable(self) -> str:
        """Return at most four digits and a binary unit."""
        return "-" if self._value is None else amount(None, self._value, "")


def amount(done: int | None, of: int | None, between: str = " of ") -> str:
    """Format how many bytes are done, of how many, in the unit that suits the total; either may be unknown.

    >>> amount(1 << 19, 3 << 30), amount(None, 3 << 30), amount(7, None), amount(None, None)
    ('0.0 of 3.0 GiB', '3.0 GiB', '7 B', '')
    """
    known = [number for number in (done, of) if number is not None]
    if not known:
        return ""
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    power = next((power for power in range(len(units) - 1) if known[-1] < 1024 ** (power + 1)), len(units) - 1)
    texts = (f"{number / 1024**power:.{1 if power else 0}f}" for number in known)
    return f"{between.join(texts)} {units[power]}"


class Time(Readable[datetime | None]):
    """A time, shown in this machine's zone; programs get ISO 8601 in UTC."""

    def machine_readable(self) -> str | None:  # type: ignore[override]  # programs read a string
        """Return ISO 8601."""
        return None if self._value is None else self._value.isoformat().replace("+00:00", "Z")

    def plain(self) -> object:
        """Return ISO 8601, or an empty string."""
        return self.machine_readable() or ""

    def human_readable(self) -> str:
        """Return the date and the time to the minute."""
        if self._value is None:
            return "-"
        try:
            here = self._value.astimezone()
        except OverflowError:  # at the edge of the calendar, which has no zones
            here = self._value
        return f"{here:%Y-%m-%d %H:%M}"


class Format(Readable[str | None]):
    """A disk format, shown in capitals as in the console."""

    def human_readable(self) -> str:
        """Return the console's spelling."""
        return (self._value or "-").upper()


class Listed(Readable[list[str]]):
    """Several strings, shown one per line."""

    def human_readable(self) -> str:
        """Return the lines."""
        return "\n".join(self._value)


class Words(Listed):
    """Several words of the product, shown one per line."""

    def human_readable(self) -> str:
        """Return the lines in the language of the table."""
        return "\n".join(words.word(word, self.language) for word in self._value)


class Pairs(Readable[dict[str, str]]):
    """Keys with values, shown one per line."""

    def human_readable(self) -> str:
        """Return the lines."""
        return "\n".join(f"{key}={value}" for key, value in sorted(self._value.items()))


class Owner(Readable[str]):
    """A department, shown by name; programs get its id, which never changes and costs no request."""

    def __init__(self, department_id: str, name: Callable[[], str]) -> None:
        super().__init__(department_id)
        self._name = name

    def human_readable(self) -> str:
        """Look up the name, only when it is shown."""
        return printable(self._name())


class Servers(Readable[list[dict[str, Any]]]):
    """Servers, shown one per line; programs get ids in formats that have only strings and numbers."""

    def human_readable(self) -> str:
        """Return the lines with name, id, status, addresses and fault."""
        return "\n".join(map(_server_line, self._value))

    def plain(self) -> object:
        """Return the ids."""
        return plain([server["id"] for server in self._value])


def _server_line(server: dict[str, Any]) -> str:
    addresses = ", ".join(address for found in server["addresses"].values() for address in found)
    return " ".join(filter(None, [server["name"], server["id"], server["status"], addresses, server["fault"]]))


class Rendered(Readable[_Value]):
    """A value, shown as a string that was prepared beforehand."""

    def __init__(self, value: _Value, text: str) -> None:
        super().__init__(value)
        self._text = text

    def human_readable(self) -> str:
        """Return the string."""
        return printable(self._text)


def row(fields: Iterable[str], values: Mapping[str, object]) -> tuple[object, ...]:
    """Return the values in the order of the columns."""
    return tuple(values[field] for field in fields)
