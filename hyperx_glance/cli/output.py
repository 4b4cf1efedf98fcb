r"""Columns: Chinese titles and readable values for people, field names and plain values for programs.

>>> from datetime import UTC, datetime
>>> from hyperx_glance.cli.output import Flag, Size, printable
>>> Size(2362232012).human_readable(), Size(2362232012).machine_readable()
('2.2 GiB', 2362232012)
>>> Flag(True).human_readable(), Flag(True).machine_readable()
('是', True)

Only the format "table" is for people; json, yaml, csv, shell and value are for programs. Whatever is not json or yaml
may reach a terminal, so control characters of names and texts are written as ``\x1b`` and the like:

>>> print(printable("debian\x1b[31m"))
debian\x1b[31m
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar, cast

from cliff.columns import FormattableColumn

from hyperx_glance import vocabulary

if TYPE_CHECKING:
    import argparse

_TITLES = {
    "kind": "类型",
    "category": "类别",
    "state": "状态",
    "phase": "阶段",
    "properties": "其他属性",
    "tag": "标签",
    "images": "镜像数",
    "servers": "虚拟机",
    "cores": "处理器",
    "ram_mib": "内存 (MiB)",
    "disk_gib": "磁盘 (GiB)",
    "fits": "适用",
    "reason": "原因",
    "allowed": "可用操作",
    "id": "编号",
    "status": "状态",
    "project_id": "部门",
    "through": "使用方式",
    "server": "虚拟机",
    "password": "密码",
    "launch_id": "启动编号",
    "image_id": "镜像编号",
    "admin_password": "管理员密码",
    "resource": "资源",
    "used": "已用",
    "limit": "上限",
    "remaining": "剩余",
    "check": "检查",
    "level": "级别",
    "message": "结果",
    "remedy": "处理",
}
"""Titles of what is no field of the table."""


class Column(NamedTuple):
    """Name a column twice."""

    field: str
    title: str


def columns(*fields: str) -> tuple[Column, ...]:
    """Give fields with the titles that the console uses."""
    return tuple(Column(field, _title(field)) for field in fields)


def _title(field: str) -> str:
    if field in _TITLES:
        return _TITLES[field]
    return vocabulary.BY_NAME[field].title_zh


def headers(parsed_args: argparse.Namespace, shown: Sequence[Column]) -> list[str]:
    """Give the headers for the format that was asked for, and let -c and --sort-column take either name."""
    people = parsed_args.formatter == "table"
    header = {
        name: column.title if people else column.field for column in shown for name in (column.field, column.title)
    }
    parsed_args.columns = [header.get(name, name) for name in parsed_args.columns]
    if hasattr(parsed_args, "sort_columns"):
        parsed_args.sort_columns = [header.get(name, name) for name in parsed_args.sort_columns]
    return [header[column.field] for column in shown]


# ----------------------------------------------------------------- what reaches a terminal

_DOCUMENTS = ("json", "yaml")
"""Formats that programs parse: they have an escape of their own, and what is parsed is what the service said."""
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1, which drive terminals
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction, which show a text in another order
    "\u2028\u2029\ud800-\udfff]"  # ends of lines, and halves of pairs, which no stream can encode
)


def printable(text: str) -> str:
    """Write control characters as escapes, ends of lines among them; everything else stays as it is."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def printable_cells(parsed_args: argparse.Namespace, cells: Iterable[object]) -> tuple[object, ...]:
    """Make a row ready for the format that was asked for."""
    return tuple(cells) if parsed_args.formatter in _DOCUMENTS else tuple(map(_printable_value, cells))


def _printable_value(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case list() | tuple():
            return [_printable_value(part) for part in value]
        case dict():
            return {_printable_value(key): _printable_value(part) for key, part in value.items()}
        case Readable():
            return value.printable()
    return value


# ----------------------------------------------------------------- values

_Value = TypeVar("_Value")


class Readable(FormattableColumn[_Value]):
    """Show a plain value as people write it; subclasses say how."""

    def printable(self) -> Self:
        """Give the same column with no control characters in its value."""
        shown = copy.copy(self)
        shown._value = cast("_Value", _printable_value(self._value))  # noqa: SLF001  # its own
        return shown

    def human_readable(self) -> str:
        """Give the text of a table's cell."""
        return "" if self._value is None else str(self._value)


class Flag(Readable[bool]):
    """Show yes or no."""

    def human_readable(self) -> str:
        """Give the console's word."""
        return "是" if self._value else "否"


class Size(Readable[int | None]):
    """Show bytes."""

    def human_readable(self) -> str:
        """Give at most four digits and a binary unit."""
        if self._value is None:
            return "-"
        size, units = float(self._value), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while size >= 1024 and len(units) > 1:
            size /= 1024
            units.pop(0)
        return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


class Time(Readable[str | None]):
    """Show a time of this machine's zone; programs get ISO 8601 in UTC."""

    def __init__(self, time: datetime | None) -> None:
        super().__init__(None if time is None else time.isoformat().replace("+00:00", "Z"))

    def human_readable(self) -> str:
        """Give date and minutes."""
        return "-" if self._value is None else f"{datetime.fromisoformat(self._value).astimezone():%Y-%m-%d %H:%M}"


class Format(Readable[str]):
    """Show a disk format as the console does: in capitals."""

    def human_readable(self) -> str:
        """Give the console's spelling."""
        return self._value.upper() or "-"


class Listed(Readable[list[str]]):
    """Show several texts, one a line."""

    def human_readable(self) -> str:
        """Give lines."""
        return "\n".join(self._value)


class Pairs(Readable[dict[str, str]]):
    """Show keys with values, one a line."""

    def human_readable(self) -> str:
        """Give lines."""
        return "\n".join(f"{key}={value}" for key, value in sorted(self._value.items()))


class Owner(Readable[str]):
    """Show a department by name; programs get its id, which never changes and costs no request."""

    def __init__(self, department_id: str, name: Callable[[], str]) -> None:
        super().__init__(department_id)
        self._name = name

    def human_readable(self) -> str:
        """Ask for the name, only now."""
        return printable(self._name())


class Rendered(Readable[_Value]):
    """Show a value by lines that were made beforehand."""

    def __init__(self, value: _Value, *lines: str) -> None:
        super().__init__(value)
        self._lines = lines

    def human_readable(self) -> str:
        """Give the lines."""
        return "\n".join(map(printable, self._lines))


def row(fields: Iterable[str], values: Mapping[str, object]) -> tuple[object, ...]:
    """Pick values in the order of the columns."""
    return tuple(values[field] for field in fields)
