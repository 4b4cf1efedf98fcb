"""One environment variable stretches every time-out of the tests."""

from __future__ import annotations

from hyperx_glance.testing.timing import VARIABLE, scaled


def test_one_variable_stretches_time_outs() -> None:
    assert scaled(30, {}) == 30
    assert scaled(30, {VARIABLE: "3"}) == 90
