"""Tables that fit a terminal: long text is wrapped, and the columns that matter least are left out.

>>> print(wrapped("Debian 12, hardened", 10))
Debian 12,
hardened
>>> titles, rows, left_out = fitted(["Id", "Name"], [["1", "web"], ["2", "db"]], limit=12)
>>> titles, rows, left_out
(['Id'], [['1'], ['2']], ['Name'])

cliff squeezes all columns alike, down to eight characters, and then overflows (cliff/formatters/table.py). An id in
five lines cannot be copied. So a column keeps a readable width, an id is never broken, and columns that do not fit then
are left out, the least important first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import wcwidth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NARROW = 16
"""Columns up to this width are not wrapped, and wider ones are wrapped to no less."""
_EDGE, _GAP = 1, 3
"""The width of the left border, and of the padding and the border of each column."""
_FIRST = (
    "id", "name", "state", "status", "phase", "fits", "reason", "left", "servers", "launch_id", "image_id", "size",
    "disk_format", "owner", "category",
)  # fmt: skip
"""The columns that matter most, in this order; the others matter less from left to right, and empty ones least."""
_NEVER_WRAPPED = re.compile("field|(.*_)?id|captured_from|created_by|edited_by")
_WITH_IDS, _ID_WIDTH = "servers", 36
"""A column with ids between other words, and the width of such an id."""
_PIECE = re.compile(
    r"\s+"
    r"|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef][，。、；：！？）」』”’]*"  # Chinese breaks anywhere but there
    r"|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)
_SEPARATORS = "-_/.,:=@&?"


class Heading(str):
    """The title of a column, with the field that the column shows."""

    __slots__ = ("field",)

    field: str

    @classmethod
    def of(cls, field: str, title: str) -> Heading:
        """Return the title of a field."""
        heading = cls(title)
        heading.field = field
        return heading


def fitted(
    titles: Sequence[str], rows: Sequence[Sequence[object]], limit: int, *, keep: bool = False
) -> tuple[list[str], list[list[object]], list[str]]:
    """Return titles and rows of a table that is at most ``limit`` wide, and the titles of the columns left out.

    With ``keep``, no column is left out, so that the table may be wider.
    """
    fields = [getattr(title, "field", title) for title in titles]
    natural = [max([width(title), *(_widest(row[index]) for row in rows)]) for index, title in enumerate(titles)]
    least = [
        whole if _NEVER_WRAPPED.fullmatch(field) else min(whole, max(_narrow(field), width(title)))
        for field, title, whole in zip(fields, titles, natural, strict=True)
    ]
    empty = [not any(str(row[index]) for row in rows) for index in range(len(titles))]
    room = limit - _EDGE
    shown: list[int] = []
    for index in sorted(range(len(titles)), key=lambda index: (empty[index], _rank(fields[index]))):
        if keep or not shown or least[index] + _GAP <= room:
            shown.append(index)
            room -= least[index] + _GAP
    shown.sort()
    widths = _shared({index: least[index] for index in shown}, natural, room)
    return (
        [titles[index] for index in shown],
        [[_cell(row[index], widths[index]) for index in shown] for row in rows],
        [title for index, title in enumerate(titles) if index not in widths],
    )


def _narrow(field: str) -> int:
    return _ID_WIDTH if field == _WITH_IDS else NARROW


def _rank(field: str) -> int:
    return _FIRST.index(field) if field in _FIRST else len(_FIRST)


def _shared(widths: dict[int, int], wanted: Sequence[int], room: int) -> dict[int, int]:
    """Share the room among the columns that want more, so that they get equally much."""
    while room > 0 and (hungry := [index for index in widths if widths[index] < wanted[index]]):
        index = min(hungry, key=widths.__getitem__)
        widths[index] += 1
        room -= 1
    return widths


def _widest(cell: object) -> int:
    return max(map(width, str(cell).split("\n")))


def _cell(cell: object, limit: int) -> object:
    return wrapped(cell, limit) if isinstance(cell, str) and _widest(cell) > limit else cell


# ----------------------------------------------------------------- text


def width(text: str) -> int:
    """Return how many columns a terminal needs for a line: two for each Chinese character."""
    if text.isascii():
        return len(text)
    # A variation selector may make an emoji wider; one column too many does no harm.
    return sum(1 if letter == "\ufe0f" else max(0, wcwidth.wcwidth(letter)) for letter in text)


def wrapped(text: str, limit: int) -> str:
    """Wrap text, between words if possible."""
    return "\n".join(line for part in text.split("\n") for line in _lines(part, limit))


def _lines(text: str, limit: int) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(text):
        if width(line + piece.rstrip()) <= limit:
            line += piece
            continue
        rest = piece.lstrip()
        if width(rest) > limit and line and not line[-1].isspace():
            rest = line + rest  # it is cut anyway
        elif line.strip():
            yield line.rstrip()
        while width(rest) > limit:
            end = _end(rest, limit)
            yield rest[:end]
            rest = rest[end:]
        line = rest
    yield line.rstrip()


def _end(text: str, limit: int) -> int:
    """Return where to cut a word that is too long: after the last separator in the second half, or else anywhere."""
    end, used = 0, 0
    while end < len(text) and (used := used + width(text[end])) <= limit:
        end += 1
    end = max(end, 1)
    after = max(text.rfind(separator, 0, end) for separator in _SEPARATORS) + 1
    return after if after > end // 2 else end
