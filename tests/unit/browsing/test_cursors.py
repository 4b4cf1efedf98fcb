"""A cursor is the same in every process, and a forged or changed one is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, strategies as st

from hyperx_glance import ImageQuery, InvalidRequestError
from hyperx_glance.browsing import cursors
from hyperx_glance.browsing.cursors import Place
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.testing import InMemoryCloud
from tests.support.lists import connect, fill

QUERY = ImageQuery()
ORDER = Sorting(QUERY.sort)


@given(position=st.integers(0, 200), letter=st.sampled_from("Aaz09-_"))
def test_a_changed_cursor_is_refused(position: int, letter: str) -> None:
    cursor = cursors.written(Place(beside=("2026-03-01T12:00:00+00:00", "7c1")), QUERY, ORDER)
    position %= len(cursor)
    changed = cursor[:position] + letter + cursor[position + 1 :]

    if changed != cursor:
        with pytest.raises(InvalidRequestError):
            cursors.read(changed, QUERY, ORDER)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"beside": []},
        {"beside": ["soon", "7c1"]},
        {"beside": ["2026-03-01T12:00:00+00:00"]},
        {"beside": ["2026-03-01T12:00:00+00:00", 5]},
        {"beside": ["2026-03-01T12:00:00+00:00", "7c1"], "near": ["../secrets"]},
        {"beside": ["2026-03-01T12:00:00+00:00", "7c1"], "backwards": "yes"},
        {"beside": ["2026-03-01T12:00:00", "7c1"]},
        {"beside": ["2026-03-01T12:00:00+00:00", "7c1"], "near": ["7c1"] * 7},
        {"beside": ["2026-03-01T12:00:00+00:00", "7c1"], "ended": ["0"]},
        [],
        None,
    ],
)
def test_a_forged_cursor_that_adds_up_is_refused(content: object) -> None:
    class Forged(Place):
        def model_dump_json(self, **_: object) -> str:
            return json.dumps(content)

    packed = cursors.written(Forged(beside=()), QUERY, ORDER)

    with pytest.raises(InvalidRequestError, match="cursor"):
        cursors.read(packed, QUERY, ORDER)


def test_a_cursor_is_the_same_in_every_process() -> None:
    program = (
        "from hyperx_glance import ImageQuery\n"
        "from hyperx_glance.browsing import cursors, sorting\n"
        "query = ImageQuery(tags={'a', 'b', 'c', 'd'}, formats={'raw', 'iso'}, properties={'x': '1', 'a': '2'})\n"
        "place = cursors.Place(beside=('2026-03-01T12:00:00+00:00', '7c1'))\n"
        "print(cursors.written(place, query, sorting.Sorting(query.sort)))"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(written) == 1


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z", ""])
@pytest.mark.parametrize("backwards", [True, False])
def test_a_forged_place_at_the_edge_of_the_calendar_harms_nobody(time: str, *, backwards: bool) -> None:
    cloud = InMemoryCloud()
    expected = set(fill(cloud, 3))
    forged = cursors.written(Place(beside=(time, "7c1"), backwards=backwards, ended=(-1, 10**30)), QUERY, ORDER)

    found = connect(cloud).page(cursor=forged).images

    assert {image.id for image in found} <= expected
