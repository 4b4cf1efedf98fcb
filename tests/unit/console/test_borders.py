"""The console stands on the public interface alone, and its files are in the package."""

from __future__ import annotations

import ast
import pkgutil
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

import hyperx_glance
from hyperx_glance import testing
from hyperx_glance.testing import console

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "hyperx_glance" / "testing" / "console"
CONTRACT = "The console uses the public interface"


def children(package: str, places: list[str]) -> set[str]:
    return {f"{package}.{module.name}" for module in pkgutil.iter_modules(places)}


def test_the_contract_forbids_every_module_that_is_not_public() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each["name"].startswith(CONTRACT)]

    inside = children("hyperx_glance", list(hyperx_glance.__path__)) - {"hyperx_glance.testing"}
    assert inside <= {*contract["forbidden_modules"]}
    beside = children("hyperx_glance.testing", list(testing.__path__)) - {*contract["forbidden_modules"]}
    assert beside == {f"hyperx_glance.testing.{name}" for name in (
        "capabilities", "clients", "console", "extras", "known", "loopback", "origins", "plugin", "timing"
    )}  # fmt: skip


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_console_names_only_what_is_public(path: Path) -> None:
    """The names of the top module are checked here, since the contract sees only modules."""
    tree = ast.parse(path.read_text())
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "hyperx_glance"
        for alias in node.names
    }

    assert names <= {*hyperx_glance.__all__}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "_context"]
    assert len(path.read_text().splitlines()) < 300


def test_the_files_of_the_page_are_in_the_wheel() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["hyperx_glance"].split()
    files = [path for path in (FOLDER / "page").rglob("*") if path.is_file()]

    assert files
    for path in files:
        inside = path.relative_to(ROOT / "hyperx_glance")
        assert any(inside.match(pattern) for pattern in patterns), f"{inside} is in no package"


def test_the_console_s_names_are_documented() -> None:
    assert console.__all__ == ["Console", "create_app"]
    with pytest.raises(AttributeError, match="no attribute 'Consol'"):
        console.Consol  # noqa: B018
