"""The conventions of the contributing guide for tests that no linter knows; ruff's SLF001 keeps private names out."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
FILES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py") if path.stat().st_size)

REPLACED = {
    "support/interference.py": "request of a keystoneauth session",
    "local/test_launching.py": "request of a keystoneauth session",
    "unit/cloud/test_redirects.py": "close of a session of requests",
    "unit/cloud/test_tokens.py": "get_endpoint of a login of keystoneauth",
}
"""The files that replace a method, which mypy makes them say, and what that method belongs to: it is never ours."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_tests_says_what_it_is_about(name: str) -> None:
    docstring = ast.get_docstring(ast.parse((TESTS / name).read_text()))

    assert docstring
    assert docstring.partition("\n")[0].endswith((".", ":", "``", "?"))


def replaced(tree: ast.Module) -> Iterator[str]:
    """Iterate over what is given to ``setattr`` if it is a part of this library, or its name."""
    ours = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).partition(".")[0] == "hyperx_glance"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "setattr":
            target = ast.unparse(node.args[0]).strip("'\"")
            if target.partition(".")[0] in {*ours, "hyperx_glance"}:
                yield target


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_this_library_is_replaced(name: str) -> None:
    """Tests replace HTTP, the clock, the terminal or the file system."""
    source = (TESTS / name).read_text()

    assert list(replaced(ast.parse(source))) == []
    if name != "unit/test_conventions.py":
        assert "unittest.mock" not in source
        assert ("ignore[method-assign" in source) == (name in REPLACED)
