"""The page "How it is stored" says what the filters do."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.vocabulary import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLES = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "tables.py"))
CRITERIA: Mapping[str, Any] = TABLES["CRITERIA"]


def test_the_table_has_every_criterion() -> None:
    assert list(CRITERIA) == list(ImageQuery.model_fields)


@pytest.mark.parametrize("name", CRITERIA)
def test_the_table_says_who_evaluates_a_criterion(name: str) -> None:
    criterion = CRITERIA[name]

    assert criterion.glance or criterion.here
    assert set(criterion.about) <= set(BY_NAME)


@pytest.mark.parametrize(("files", "said"), [(1, "in 1 file"), (2, "in 2 files")])
def test_one_file_is_not_called_files(files: int, said: str) -> None:
    row = TABLES["Compatibility"].row("2025.1", {str(number): {"passed": 3} for number in range(files)})

    assert row[-1] == f"{3 * files} passed, 0 failed, {said}"
