"""Let everything that a verb does happen in its caller's own thread, and let ids be drawn from a seed."""

from __future__ import annotations

import random
import sys
import uuid
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self

import pytest

import hyperx_glance.deployment
import hyperx_glance.launching
import hyperx_glance.registration  # noqa: F401  # imported now, so that every pool is found below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class InTurn:
    """A pool that runs each call at once, in the thread of the caller."""

    def __init__(self, *_: object, **__: object) -> None:
        """Take what a pool takes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Have nothing to wait for."""

    def submit(self, call: Callable[..., Any], *arguments: object, **options: object) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(call(*arguments, **options))
        except Exception as error:  # noqa: BLE001  # raised when the result is read, as in a pool
            done.set_exception(error)
        return done

    def map(self, call: Callable[..., Any], *arguments: Iterable[object]) -> Iterator[Any]:
        return map(call, *arguments)


@pytest.fixture(autouse=True)
def _one_thread_a_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("hyperx_glance.") and hasattr(module, "ThreadPoolExecutor"):
            monkeypatch.setattr(module, "ThreadPoolExecutor", InTurn)


@pytest.fixture
def seeded_ids(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Draw every id from a seed, so that a schedule is the same each time."""

    def seed(number: int) -> None:
        drawn = random.Random(number)
        monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=drawn.getrandbits(128), version=4))

    return seed
