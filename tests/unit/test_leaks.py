"""A process that works all day holds no more than one that has just begun; ten thousand times in tests/soak."""

from __future__ import annotations

from hyperx_glance.testing import InMemoryCloud
from tests.operations import left, work


def test_nothing_grows_with_what_a_process_does() -> None:
    cloud = InMemoryCloud()
    work(cloud, 5)
    before = left()
    work(cloud, 15)

    assert left().more_than(before) == {}
