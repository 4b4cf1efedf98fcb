"""What a release is, and in which order releases are."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from hyperx_glance import Image, Lifecycle
from hyperx_glance.models.releases import (
    MOST_IDS,
    is_release,
    is_release_word,
    is_released,
    newest_first,
    release_id,
    version_order,
)

ASCENDING = [
    "0~alpha", "0", "1.0~rc1", "1.0~rc2", "1.0", "1.0-1", "1.0.1", "1.2", "1.9", "1.10", "1.10a", "2", "10",
    "20261130.124530", "a", "b",
]  # fmt: skip


def record(version: str = "1", number: int = 0, **fields: object) -> Image:
    """Return a release of the department d1."""
    rows = {
        "id": release_id("d1", "debian-12", version, number), "owner": "d1", "hyperx_family": "debian-12",
        "hyperx_version": version, "hyperx_released_at": "2026-11-30T12:00:00Z",
    }  # fmt: skip
    return Image.model_validate({**rows, **fields})


def test_digits_are_ordered_as_numbers_and_a_tilde_comes_before_everything() -> None:
    shuffled = ASCENDING.copy()
    random.Random(5).shuffle(shuffled)

    assert sorted(shuffled, key=version_order) == ASCENDING


def test_equal_versions_are_ordered_by_their_time_and_then_by_their_id() -> None:
    early, late = record("1.01"), record("1.1", hyperx_released_at="2026-12-01T00:00:00Z")
    twins = [record("1.1", number) for number in range(3)]

    assert newest_first([early, late]) == newest_first([late, early]) == [late, early]
    assert newest_first(twins) == sorted(twins, key=lambda image: image.id, reverse=True)


def test_a_record_is_a_release_by_its_id_alone() -> None:
    assert is_released(record())
    assert is_released(record(number=MOST_IDS - 1))
    assert not is_release(record(number=MOST_IDS))
    for field in ({"owner": "d2"}, {"hyperx_family": "debian-13"}, {"hyperx_version": "2"}, {"id": "7c1"}):
        assert not is_release(record(**field))  # type: ignore[arg-type]  # of one type each


@pytest.mark.parametrize("time", ["", "soon", None])
def test_a_record_without_a_time_was_not_released(time: object) -> None:
    assert is_release(record(hyperx_released_at=time))
    assert not is_released(record(hyperx_released_at=time))


@pytest.mark.parametrize("version", ["", "1 2", "9" * 65, "ä", "-1", "1\n"])
def test_a_record_of_an_impossible_version_is_no_release(version: str) -> None:
    assert is_release_word(version)
    assert not is_release(record(version))


def test_the_id_of_a_version_never_changes() -> None:
    """Programs of several releases of this library release the same versions."""
    assert release_id("d1", "debian-12", "12.9", 0) == "9cf7775c-ce27-5351-93b8-51652395c02f"


def test_a_lifecycle_comes_with_time() -> None:
    image = record(hyperx_deprecated_at="2030-01-01T00:00:00Z", hyperx_obsolete_at="2031-01-01T00:00:00Z")
    years = {2029: Lifecycle.CURRENT, 2030: Lifecycle.DEPRECATED, 2032: Lifecycle.OBSOLETE}

    assert {year: image.lifecycle_at(datetime(year, 6, 1, tzinfo=UTC)) for year in years} == years
    assert image.lifecycle is Lifecycle.CURRENT
