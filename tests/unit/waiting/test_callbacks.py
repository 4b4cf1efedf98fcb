"""Callbacks are called with each event, and their exceptions reach the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.errors import AuthenticationError, ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.texts import Text
from hyperx_glance.waiting.callbacks import CallbackError, reported, teller

if TYPE_CHECKING:
    from hyperx_glance.waiting.callbacks import Tell


def test_a_missing_callback_is_ignored() -> None:
    tell: Tell[str] = teller(None)
    tell("anything")


def test_the_callback_gets_every_report() -> None:
    told: list[str] = []
    tell = teller(told.append)
    tell("half")
    tell("all")
    assert told == ["half", "all"]


@pytest.mark.parametrize("raised", [ValueError("x"), KeyboardInterrupt(), StopIteration(), GeneratorExit()])
def test_any_exception_in_the_callback_passes_handlers_of_exception(raised: BaseException) -> None:
    def complain(_: str) -> None:
        raise raised

    with pytest.raises(CallbackError) as caught:
        teller(complain)("half")
    assert caught.value.raised is raised
    assert not isinstance(caught.value, Exception)


@pytest.mark.parametrize(
    "raised", [ValueError("x"), KeyboardInterrupt(), WaitTimeoutError(Text("its own"), hint=Text("its own"))]
)
def test_the_caller_gets_what_the_callback_raised_and_nothing_of_ours(raised: BaseException) -> None:
    withdrawn: list[BaseException] = []

    def complain(_: str) -> None:
        raise raised

    def withdraw(error: BaseException) -> bool:
        withdrawn.append(error)
        return True

    with pytest.raises(type(raised)) as caught:
        reported(lambda tell: tell("half"), complain, withdraw=withdraw, more_time=Text("Wait longer."))
    assert caught.value is raised
    assert withdrawn == [raised]
    assert raised.__context__ is None
    assert getattr(raised, "hint", "its own") == "its own"


@pytest.mark.parametrize("gone", [True, False])
def test_a_timeout_says_how_to_get_more_time_if_nothing_is_left(*, gone: bool) -> None:
    def finish(_: Tell[str]) -> None:
        raise WaitTimeoutError(Text("Late."), hint=Text("It goes on."))

    with pytest.raises(WaitTimeoutError) as caught:
        reported(finish, None, withdraw=lambda _: gone, more_time=Text("Wait longer."))
    assert caught.value.hint == ("Wait longer." if gone else "It goes on.")


@pytest.mark.parametrize("error", [ServiceUnavailableError(Text("down")), AuthenticationError(Text("over"))])
def test_nothing_is_withdrawn_if_a_service_is_out_of_reach(error: Exception) -> None:
    withdrawn: list[BaseException] = []

    def finish(_: Tell[str]) -> None:
        raise error

    def withdraw(error: BaseException) -> bool:
        withdrawn.append(error)
        return True

    with pytest.raises(type(error)):
        reported(finish, None, withdraw=withdraw)
    assert not withdrawn


def test_the_result_is_returned() -> None:
    told: list[str] = []

    def finish(tell: Tell[str]) -> str:
        tell("half")
        return "image"

    assert reported(finish, told.append) == "image"
    assert told == ["half"]
