r"""Formats that replace cliff's: readable Chinese in JSON and YAML, and a table in one language.

>>> import argparse, sys
>>> from hyperx_glance.cli.formats import Json
>>> Json().emit_one(["name"], ["稳定版\x9b31m"], sys.stdout, argparse.Namespace(noindent=True))
{"name": "稳定版\u009b31m"}

cliff's own formatters escape every non-ASCII letter. These escape only control characters, as both formats allow; if a
stream cannot encode the rest, they escape every non-ASCII letter, too.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from typing import TYPE_CHECKING, Any, TextIO

from cliff.columns import FormattableColumn
from cliff.formatters.json_format import JSONFormatter
from cliff.formatters.table import TableFormatter
from cliff.formatters.yaml_format import YAMLFormatter

from hyperx_glance.cli import fitting, words
from hyperx_glance.cli.fitting import Heading
from hyperx_glance.cli.output import CONTROL
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HIDDEN = re.compile(f"(?=[^\x00-\x1f]){CONTROL.pattern}")
"""Ends of lines and indents are layout: both formats escape them inside strings."""


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
    """Base class that converts cells to plain values; subclasses write them."""

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
    """The format JSON."""

    def _write(self, value: object, stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        indent = None if parsed_args.noindent else 2
        text = _escaped(json.dumps(value, indent=indent, ensure_ascii=False))
        if not _can_encode(stdout, text):
            text = json.dumps(value, indent=indent)
        stdout.write(f"{text}\n")


class Yaml(_Values, YAMLFormatter):
    """The format YAML."""

    def _write(self, value: object, stdout: TextIO, _parsed_args: argparse.Namespace) -> None:
        import yaml  # slow, as cliff says

        class Dumper(yaml.SafeDumper):
            """A dumper that quotes strings that must be escaped: YAML has escapes only between double quotes."""

        def text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
            return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _HIDDEN.search(text) else None)

        Dumper.add_representer(str, text_node)
        text = _escaped(yaml.dump(value, Dumper=Dumper, allow_unicode=True, sort_keys=False))
        if not _can_encode(stdout, text):
            text = yaml.dump(value, Dumper=yaml.SafeDumper, sort_keys=False)
        stdout.write(text)


class People(TableFormatter):
    """The table format for people: in their language, and as wide as their terminal."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Draw a row for each record, and say which columns are left out."""
        limit = _limit(stdout, parsed_args)
        rows = [[_text(cell) for cell in row] for row in data] if limit else data
        if limit and rows:
            column_names, rows, left_out = fitting.fitted(
                column_names, list(rows), limit, keep=bool(parsed_args.columns)
            )
            if left_out:
                text = say("columns-left-out", columns=left_out)
                self._stderr.write(f"{text.in_language(parsed_args.language)}\n")
            parsed_args = argparse.Namespace(**{**vars(parsed_args), "max_width": _NO_LIMIT})
        super().emit_list(column_names, rows, stdout, parsed_args)

    def emit_one(
        self, column_names: Sequence[str], data: Sequence[Any], stdout: TextIO, parsed_args: argparse.Namespace
    ) -> None:
        """Draw a row for each field."""
        titles = [Heading.of(field, words.title(field, parsed_args.language)) for field in ("field", "value")]
        rows = list(zip(column_names, data, strict=True))
        self.emit_list(titles, rows, stdout, parsed_args)


_NO_LIMIT = 1 << 30


def _limit(stdout: TextIO, parsed_args: argparse.Namespace) -> int:
    """Return the width to fit, by the same options as cliff; 0 means any width."""
    if parsed_args.max_width > 0:
        return int(parsed_args.max_width)
    fit = parsed_args.fit_width or stdout.isatty()
    return shutil.get_terminal_size(fallback=(0, 0)).columns if fit else 0


def _text(cell: object) -> object:
    return cell.human_readable() if isinstance(cell, FormattableColumn) else cell


def writer(name: str, stderr: TextIO) -> Json | Yaml | People | None:
    """Return our replacement for one of cliff's formatters, or None if cliff's own is used."""
    match name:
        case "json":
            return Json()
        case "yaml":
            return Yaml()
        case "table":
            return People(stderr)
    return None
