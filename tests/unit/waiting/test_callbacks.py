"""Callbacks are called with each event, and their exceptions reach the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.waiting.callbacks import CallbackError, teller

if TYPE_CHECKING:
    from hyperx_glance.waiting.callbacks import Tell


def test_who_gives_no_function_is_told_nothing() -> None:
    tell: Tell[str] = teller(None)
    tell("anything")


def test_what_is_told_arrives() -> None:
    told: list[str] = []
    tell = teller(told.append)
    tell("half")
    tell("all")
    assert told == ["half", "all"]


@pytest.mark.parametrize("raised", [ValueError("x"), KeyboardInterrupt(), StopIteration(), GeneratorExit()])
def test_whatever_is_raised_is_carried_past_every_handler(raised: BaseException) -> None:
    def complain(_: str) -> None:
        raise raised

    with pytest.raises(CallbackError) as caught:
        teller(complain)("half")
    assert caught.value.raised is raised
    assert not isinstance(caught.value, Exception)
