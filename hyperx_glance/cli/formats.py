r"""What cliff's own formats lack: Chinese that can be read in JSON and YAML, and a table in one language.

>>> import argparse, sys
>>> from hyperx_glance.cli.formats import Json
>>> Json().emit_one(["name"], ["稳定版\x9b31m"], sys.stdout, argparse.Namespace(noindent=True))
{"name": "稳定版\u009b31m"}

cliff's own formatters write every letter beyond ASCII as an escape. Here only control characters are escaped, as both
formats allow; a stream that cannot encode the rest gets escapes for all.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any, TextIO

from cliff.columns import FormattableColumn
from cliff.formatters.json_format import JSONFormatter
from cliff.formatters.table import TableFormatter
from cliff.formatters.yaml_format import YAMLFormatter
from wcwidth import wcswidth

from hyperx_glance.cli import words
from hyperx_glance.cli.output import CONTROL

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

_HIDDEN = re.compile(f"(?=[^\x00-\x1f]){CONTROL.pattern}")
"""Ends of lines and indents are the layout's: both formats escape them where they belong to a text."""


def _row(names: Sequence[str], cells: Iterable[object]) -> dict[str, object]:
    plain = (cell.machine_readable() if isinstance(cell, FormattableColumn) else cell for cell in cells)
    return dict(zip(names, plain, strict=True))


def _escaped(text: str) -> str:
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _can_encode(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Values:
    """Make plain values of the cells, and leave how they are written to the format."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write a list of records."""
        self._write([_row(column_names, cells) for cells in data], stdout, parsed_args)

    def emit_one(
        self, column_names: Sequence[str], data: Sequence[Any], stdout: TextIO, parsed_args: argparse.Namespace
    ) -> None:
        """Write one record."""
        self._write(_row(column_names, data), stdout, parsed_args)

    def _write(self, value: object, stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        raise NotImplementedError


class Json(_Values, JSONFormatter):
    """Write JSON."""

    def _write(self, value: object, stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        indent = None if parsed_args.noindent else 2
        text = _escaped(json.dumps(value, indent=indent, ensure_ascii=False))
        if not _can_encode(stdout, text):
            text = json.dumps(value, indent=indent)
        stdout.write(f"{text}\n")


class Yaml(_Values, YAMLFormatter):
    """Write YAML."""

    def _write(self, value: object, stdout: TextIO, _parsed_args: argparse.Namespace) -> None:
        import yaml  # slow, as cliff says

        class Dumper(yaml.SafeDumper):
            """Quote what has to be escaped: only between double quotes are there escapes."""

        def text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
            return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _HIDDEN.search(text) else None)

        Dumper.add_representer(str, text_node)
        text = _escaped(yaml.dump(value, Dumper=Dumper, allow_unicode=True, sort_keys=False))
        if not _can_encode(stdout, text):
            text = yaml.dump(value, Dumper=yaml.SafeDumper, sort_keys=False)
        stdout.write(text)


class People(TableFormatter):
    """Draw the table of one thing with titles in its language; cliff's are English."""

    def emit_one(
        self, column_names: Sequence[str], data: Sequence[Any], stdout: TextIO, parsed_args: argparse.Namespace
    ) -> None:
        """Draw a row for each field."""
        titles = [words.title(title, parsed_args.language) for title in ("field", "value")]
        rows = list(zip(column_names, data, strict=True))
        self.emit_list(titles, rows, stdout, parsed_args)

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Draw rows; where no width is to be kept, as cliff does and in a third of the time of PrettyTable."""
        rows = list(data)
        if not rows or parsed_args.fit_width or int(parsed_args.max_width) > 0:
            super().emit_list(column_names, rows, stdout, parsed_args)
            return
        lines = [line for row in rows for line in _lines([_text(cell) for cell in row])]
        widths = [max(map(_width, column)) for column in zip(column_names, *lines, strict=True)]
        columns = [(width, type(cell) in _NUMBERS) for width, cell in zip(widths, rows[0], strict=True)]
        rule = "+".join(["", *("-" * (width + 2) for width in widths), ""])
        stdout.write(f"{rule}\n{_line(column_names, columns)}{rule}\n")
        stdout.writelines(_line(line, columns) for line in lines)
        stdout.write(f"{rule}\n")


_NUMBERS = (int, float)


def _text(cell: object) -> str:
    return str(cell.human_readable() if isinstance(cell, FormattableColumn) else cell)


def _lines(row: list[str]) -> Iterable[Sequence[str]]:
    """Give the lines of a row, of which most have one."""
    if "\n" not in "".join(row):
        return (row,)
    return list(itertools.zip_longest(*(text.split("\n") for text in row), fillvalue=""))


def _width(text: str) -> int:
    return len(text) if text.isascii() else int(wcswidth(text))


def _line(texts: Sequence[str], columns: Iterable[tuple[int, bool]]) -> str:
    """Draw one line; of a column its width is told, and whether it holds numbers, which end on the right."""
    padded = []
    for text, (width, right) in zip(texts, columns, strict=True):
        space = " " * (width - _width(text))
        padded.append(space + text if right else text + space)
    return f"| {' | '.join(padded)} |\n"


def writer(name: str) -> Json | Yaml | People | None:
    """Give what writes a format in place of cliff's own; None where that one is good."""
    kinds: dict[str, type[Json | Yaml | People]] = {"json": Json, "yaml": Yaml, "table": People}
    return kinds[name]() if name in kinds else None
