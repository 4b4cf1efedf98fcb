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
from typing import NamedTuple

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog, Message

from hyperx_glance.texts import DOMAIN, LOCALES, Language

PACKAGE = LOCALES.parent
_SECTION = "---- "
"""How the comment above the first entry of a section begins."""
_CODE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9_.-]+)?")
_IMPORTED = re.compile(r"^from hyperx_glance(\.texts import| import .*\btexts\b)", re.MULTILINE)
WORDS = ("category", "field", "glance-action", "left", "phase", "quota", "resource", "service", "thing", "unit")
"""Kinds of words: their codes are put together of kind and word at run time."""


ROLES = {
    "hint": "a hint",
    "finding": "a finding",
    "remedy": "the remedy of a finding",
    "warning": "a warning",
    "progress": "a message of progress",
    "reason": "a reason: of why_not, a flavor or a departure",
    "problem": "what is wrong with an argument",
    "note": "a note on an exception",
    "line": "a line of the command",
    "question": "a question of the command",
    "word": "a word in other texts",
    "part": "a part of other texts",
}
"""What a text may be, other than the message of an error."""


@dataclass
class Use:
    """One code in the source, with the places and the names of the values."""

    places: list[str] = field(default_factory=list)
    values: list[frozenset[str] | None] = field(default_factory=list)
    """None for a call with ``**values``, and for a code that is not in the call."""
    roles: set[str] = field(default_factory=set)
    """Classes of errors that have the text as message, and keys of `ROLES`."""


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


def sections() -> dict[str, list[str]]:
    """Return the codes by the section of the catalogue, in its order."""
    found: dict[str, list[str]] = {}
    for entry in catalogue("en"):
        for title in (comment.removeprefix(_SECTION) for comment in entry.user_comments if _SECTION in comment):
            found[title] = []
        if entry.id and not entry.context:
            found[next(reversed(found))].append(str(entry.id))
    return found


def occasion(code: str) -> str:
    """Return when a text appears: the comment of its translators, or else its sentence."""
    entry = entries("en")["", code]
    return " ".join(comment for comment in entry.user_comments if _SECTION not in comment) or str(entry.string)


def roles(code: str) -> frozenset[str]:
    """Return what a text is: classes of errors, and keys of `ROLES`."""
    return frozenset({"word"} if is_word(code) else used()[code].roles if code in used() else ())


def values(code: str) -> frozenset[str]:
    """Return the names of the values of a text, in all of its sentences."""
    said = (str(entry.string) for (_, each), entry in entries("en").items() if each == code)
    return frozenset(name for sentence in said for name in placeholders(sentence))


def entries(language: Language) -> dict[tuple[str, str], Message]:
    """Return the entries of a catalogue by audience ("" for all) and code."""
    return _entries(catalogue(language))


def is_compiled(language: Language) -> bool:
    """Check whether the compiled catalogue has the sentences of the source; its header may differ."""
    try:
        content = path(language, "mo").read_bytes()
    except FileNotFoundError:
        return False
    shipped = _entries(mofile.read_mo(io.BytesIO(content)))
    return _sentences(shipped) == _sentences(entries(language))


def _entries(read: Catalog) -> dict[tuple[str, str], Message]:
    return {(entry.context or "", str(entry.id)): entry for entry in read if entry.id}


def _sentences(found: dict[tuple[str, str], Message]) -> dict[tuple[str, str], str]:
    return {key: str(entry.string) for key, entry in found.items()}


def placeholders(sentence: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


@functools.cache
def used() -> dict[str, Use]:
    """Return the codes that the source of the package uses.

    A code may also be in a table, or be chosen before the call: then only the comment of its entry says its role.
    """
    found: dict[str, Use] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        says = _IMPORTED.search(source) is not None or file.name == "texts.py"
        for use in _uses(ast.parse(source), says=says):
            known = found.setdefault(use.code, Use())
            known.places.append(f"{file.relative_to(PACKAGE.parent)}:{use.line}")
            known.values.append(use.values)
            known.roles |= {use.role} - {""}
    for (_, code), entry in entries("en").items():
        if code in found:
            found[code].roles.update(entry.auto_comments)
    return found


class _Place(NamedTuple):
    code: str
    line: int
    values: frozenset[str] | None = None
    role: str = ""


def _uses(tree: ast.AST, *, says: bool) -> Iterator[_Place]:
    known, said = {code for _, code in entries("en")}, set[int]()
    if says:
        for call, role in _calls(tree, ""):
            for constant in _constants(call.args[0]):
                said.add(id(constant))
                yield _Place(str(constant.value), constant.lineno, _keywords(call), role)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _name(node.targets[0]) == "default_hint":
            for constant in _constants(node.value):
                said.add(id(constant))
                yield _Place(str(constant.value), constant.lineno, role="hint")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in said and node.value in known:
            yield _Place(str(node.value), node.lineno)


def _calls(node: ast.AST, role: str) -> Iterator[tuple[ast.Call, str]]:
    """Iterate over the calls of `say`, with their roles."""
    if isinstance(node, ast.Call) and _name(node.func) == "say" and node.args:
        yield node, role
        role = "part"  # of this text
    elif isinstance(node, ast.Assign) and _name(node.targets[0]) in _ROLES:
        role = _ROLES[_name(node.targets[0])]
    for child in ast.iter_child_nodes(node):
        inner = _ROLES.get(child.arg or "", role) if isinstance(child, ast.keyword) else role
        if isinstance(node, ast.Call) and child in node.args and _name(node.func) != "sentences":
            inner = _role_of_argument(_name(node.func), node.args.index(child))
        yield from _calls(child, inner)


_ROLES = {"hint": "hint", "problem": "problem", "remedy": "remedy", "warnings": "warning"}
_ROLES_OF_ARGUMENTS = {"CheckResult": {1: "finding", 2: "remedy"}, "add_note": {0: "note"}, "read": {0: "line"}}


def _role_of_argument(function: str, position: int) -> str:
    if position == 0 and function in ("ValueError", "ImmutableValueError", "refuse"):
        return "problem"
    if position == 0 and function.endswith("Error"):
        return function
    return _ROLES_OF_ARGUMENTS.get(function, {}).get(position, "")


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
