"""What the page "How it is stored" says about filters, held against the filters."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.vocabulary import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

CRITERIA: Mapping[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "tables.py"))["CRITERIA"]


def test_the_table_tells_of_every_criterion() -> None:
    assert list(CRITERIA) == list(ImageQuery.model_fields)


@pytest.mark.parametrize("name", CRITERIA)
def test_the_table_tells_the_side(name: str) -> None:
    criterion = CRITERIA[name]

    assert criterion.glance or criterion.here
    assert set(criterion.about) <= set(BY_NAME)
