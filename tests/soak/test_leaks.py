"""Nothing grows over ten thousand operations of each kind."""

from __future__ import annotations

from hyperx_glance.testing import InMemoryCloud
from tests.operations import left, work

TIMES = 1000
"""Each time is some fourteen verbs."""


def test_nothing_grows_over_ten_thousand_operations() -> None:
    cloud = InMemoryCloud()
    work(cloud, 10)
    before = left()
    work(cloud, TIMES)

    assert left().more_than(before) == {}
