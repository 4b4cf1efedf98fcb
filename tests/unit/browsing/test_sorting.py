"""The order of images: the requests to Glance, and what its answers do not show."""

from __future__ import annotations

import pytest

from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.models.image import Image


def image(**record: object) -> Image:
    return Image.model_validate({"id": "7c1f0000-0000-4000-8000-00000000beef", "status": "active", **record})


@pytest.mark.parametrize(
    ("sort", "parameter"),
    [
        (("-created_at", "id"), "created_at:desc,id:asc"),
        (("name",), "name:asc,id:asc"),
        (("-glance_status", "name"), "status:desc,name:asc,id:asc"),
        (("-id", "name"), "id:desc"),
        (("name", "-name"), "name:asc,id:asc"),
        ((), "id:asc"),
    ],
)
def test_the_id_ends_every_order(sort: tuple[str, ...], parameter: str) -> None:
    assert Sorting(sort).parameter == parameter


def test_keys_order_texts_and_times_both_ways() -> None:
    images = [
        image(id="b", name="x", created_at="2026-03-01T12:00:00Z"),
        image(id="a", name="x", created_at="2026-03-01T12:00:00Z"),
        image(id="c", name="y", created_at="2026-03-01T12:00:01"),
        image(id="d", name=None, created_at="never"),
    ]

    def ids(*sort: str) -> str:
        return "".join(found.id for found in sorted(images, key=Sorting(sort).key))

    assert ids("-created_at", "id") == "cabd"
    assert ids("created_at", "-id") == "dbac"
    assert ids("name", "id") == "dabc"
    assert ids("-name", "-id") == "cbad"


@pytest.mark.parametrize(
    ("sort", "time", "other", "neighbours"),
    [
        ("-created_at", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z", True),
        ("-created_at", "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z", False),
        ("-created_at", "2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z", False),
        ("-created_at", "2026-03-01T12:00:00Z", "2026-03-01T20:00:00+08:00", True),
        ("-created_at", "2026-03-01T12:00:00Z", "never", False),
        ("-created_at", "never", "", True),
        ("created_at", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z", True),
    ],
)
def test_neighbours_share_a_second(sort: str, time: str, other: str, *, neighbours: bool) -> None:
    test = Sorting((sort, "id")).neighbours

    assert test is not None
    assert test(image(id="a", name="x", created_at=time), image(id="b", name="y", created_at=other)) is neighbours


def test_neighbours_share_what_stands_before_the_time() -> None:
    noon = "2026-03-01T12:00:00Z"
    test = Sorting(("name", "created_at")).neighbours

    assert test is not None
    assert test(image(name="x", created_at=noon), image(name="x", created_at=noon))
    assert not test(image(name="x", created_at=noon), image(name="y", created_at=noon))
    assert Sorting(("name",)).neighbours is None
