"""The page "Codes of texts" and the catalogues have the same codes, and the codes of a release never change."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from hyperx_glance import errors
from tests import texts
from tests.texts import __main__ as check
from tests.texts.catalogues import entries, sections

TABLES = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "tables.py"))
CODES: Any = TABLES["Codes"]
ALL = [code for codes in sections().values() for code in codes]


def test_the_page_has_each_code_once() -> None:
    assert sorted(ALL) == sorted({code for _, code in entries("en")})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_catalogues_have_the_same_codes(language: str) -> None:
    assert {code for _, code in entries(language)} == set(ALL)  # type: ignore[arg-type]  # a parameter is a str


@pytest.mark.parametrize("code", ALL)
def test_a_row_says_when_a_text_appears_and_as_what(code: str) -> None:
    first, when, raised, _, status, chinese = CODES.row(code)

    assert first == f"``{code}``"
    assert when
    assert raised
    assert chinese
    assert bool(status) == ("`" in raised)


def test_a_row_names_classes_values_and_status() -> None:
    row = CODES.row("image-inactive")

    assert row[2:5] == ("`ImageNotActiveError`", "``image``, ``phase``", "409")


def test_each_class_with_a_message_of_its_own_is_on_the_page() -> None:
    raised = " ".join(CODES.row(code)[2] for code in ALL)
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert {kind for kind in kinds if f"`{kind}`" not in raised} <= {"HyperxGlanceError"}


def test_a_released_code_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    released = {"gone": frozenset[str](), "no-such-department": frozenset({"name", "region"})}
    monkeypatch.setattr(check, "RELEASED", released)

    assert list(check.mistakes()) == [
        "gone: was released, and is missing",
        "no-such-department: was released with the values ['name', 'region']; use another code for another text",
    ]


def test_a_release_writes_each_code_with_its_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "LIST", tmp_path / "released.txt")
    monkeypatch.setattr("sys.argv", ["texts", "release"])

    assert check.main() == 0
    lines = (tmp_path / "released.txt").read_text().splitlines()
    assert "no-such-department name" in lines
    assert [line.split()[0] for line in lines] == sorted(ALL)
    assert texts.LIST.name == "released.txt"
