"""The two catalogues of texts, as Babel reads them, and the codes that the source uses.

>>> from tests.texts.catalogues import used
>>> "log-in-again" in used()
True
"""

from __future__ import annotations

import ast
import functools
import io
import pathlib
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog, Message

from hyperx_glance.texts import DOMAIN, LOCALES, Language

PACKAGE = LOCALES.parent
_CODE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9_.-]+)?")
_IMPORTED = re.compile(r"^from hyperx_glance(\.texts import| import .*\btexts\b)", re.MULTILINE)
WORDS = ("category", "field", "left", "phase", "resource", "service", "thing", "unit")
"""Kinds of words: their codes are put together of kind and word at run time."""


@dataclass
class Use:
    """One code in the source, with the places and the names of the values."""

    places: list[str] = field(default_factory=list)
    values: list[frozenset[str] | None] = field(default_factory=list)
    """None for a call with ``**values``."""
    classes: set[str] = field(default_factory=set)


def path(language: Language, ending: str) -> pathlib.Path:
    """Return the path of a catalogue; ``ending`` is "po" or "mo"."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


@functools.cache
def catalogue(language: Language) -> Catalog:
    """Return the catalogue of a language."""
    with path(language, "po").open("rb") as file:
        return pofile.read_po(file, locale=language, domain=DOMAIN, abort_invalid=True)


def compiled(language: Language) -> bytes:
    """Return the compiled catalogue of a language."""
    target = io.BytesIO()
    mofile.write_mo(target, catalogue(language))
    return target.getvalue()


def entries(language: Language) -> dict[tuple[str, str], Message]:
    """Return the entries of a catalogue by audience ("" for all) and code."""
    return {(entry.context or "", str(entry.id)): entry for entry in catalogue(language) if entry.id}


def placeholders(sentence: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


def used() -> dict[str, Use]:
    """Return the codes that the source of the package uses."""
    found: dict[str, Use] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        says = _IMPORTED.search(source) is not None or file.name == "texts.py"
        for code, place, values, kind in _codes(ast.parse(source), says=says):
            use = found.setdefault(code, Use())
            use.places.append(f"{file.relative_to(PACKAGE.parent)}:{place}")
            use.values.append(values)
            if kind:
                use.classes.add(kind)
    return found


def _codes(tree: ast.AST, *, says: bool) -> Iterator[tuple[str, int, frozenset[str] | None, str]]:
    """Iterate over the codes of `say` and of each string constant that is one, with the error that has it as message.

    A code may also be in a table, or be chosen before the call.
    """
    known = {code for _, code in entries("en")}
    said: set[int] = set()
    for node in ast.walk(tree):
        if not says or not isinstance(node, ast.Call):
            continue
        kind = _name(node.func)
        if kind.endswith("Error") and node.args and (call := node.args[0]) and _is_say(call):
            for constant in _constants(call.args[0]):  # type: ignore[attr-defined]  # a call
                said.add(id(constant))
                yield str(constant.value), constant.lineno, _keywords(call), kind
        elif _is_say(node):
            for constant in _constants(node.args[0]):
                if id(constant) not in said:
                    said.add(id(constant))
                    yield str(constant.value), constant.lineno, _keywords(node), ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in said and node.value in known:
            yield str(node.value), node.lineno, None, ""


def _is_say(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) == "say" and bool(node.args)


def _constants(node: ast.AST) -> list[ast.Constant]:
    """Return the codes of one argument: a constant, or both branches of a choice."""
    if isinstance(node, ast.IfExp):
        return [*_constants(node.body), *_constants(node.orelse)]
    return [node] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _keywords(node: ast.AST) -> frozenset[str] | None:
    assert isinstance(node, ast.Call)
    names = [keyword.arg for keyword in node.keywords]
    return None if None in names else frozenset(name for name in names if name is not None)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_word(code: str) -> bool:
    """Check whether a code is the word of a kind, such as "phase.failed"."""
    return code.partition(".")[0] in WORDS and "." in code


def is_code(code: str) -> bool:
    """Check whether a string has the form of a code."""
    return _CODE.fullmatch(code) is not None
