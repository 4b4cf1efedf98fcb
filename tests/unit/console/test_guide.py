"""The page of the guide that explains the console."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from hyperx_glance.testing import InMemoryCloud

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guide" / "console.rst").read_text()
CONSOLE = ROOT / "hyperx_glance" / "testing" / "console"


def test_the_test_in_the_guide_passes() -> None:
    (code,) = re.findall(r"   from fastapi\.testclient .*?(?=^\S)", GUIDE, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}

    exec(textwrap.dedent(code), names)

    names["test_alice_sees_the_images_of_her_department"](InMemoryCloud())


def test_the_other_examples_of_the_guide_can_be_compiled() -> None:
    for code in re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", GUIDE):
        compile(textwrap.dedent(code), "console.rst", "exec")


@pytest.mark.parametrize("module", sorted(path.stem for path in CONSOLE.glob("[a-z]*.py")))
def test_the_guide_names_each_module(module: str) -> None:
    if module not in ("bridge", "content", "serving"):  # how it runs
        assert f"``{module}``" in GUIDE


@pytest.mark.parametrize(
    ("path", "name"), re.findall(r"literalinclude:: \.\./\.\./(\S+)\n.*\n   :pyobject: (\S+)", GUIDE)
)
def test_the_guide_shows_parts_that_exist(path: str, name: str) -> None:
    for part in name.split("."):
        assert re.search(rf"^ *(?:async )?(?:def|class) {part}\b", (ROOT / path).read_text(), re.MULTILINE)
