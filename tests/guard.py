"""Hold the whole run on this machine: no test, no program that a test starts, no service of a local cloud leaves it.

Every attempt is refused before anything is sent, and the test during which it tried fails and shows from where: also
if the code under test takes the refusal for a failure of the network and continues.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from hyperx_glance.testing import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

CHILDREN: Final = Path(__file__).parent / "children"
REPORT: Final = "HYPERX_TESTS_REFUSED"
"""Names to the programs that tests start the file in which they tell what they tried; they are held only with it."""


class Refused:
    """The attempts, until they are reported."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hyperx-tests-")
        self.file = Path(self._folder.name) / "refused"
        self._attempts: list[loopback.Attempt] = []

    def add(self, attempt: loopback.Attempt) -> None:
        """Note an attempt of this process, from any thread."""
        self._attempts.append(attempt)

    def take(self, item: pytest.Item | None = None) -> list[str]:
        """Return what is new: of this process, of programs, and of the local cloud that a test uses."""
        attempts, self._attempts = self._attempts, []
        told = [f"This process: {attempt.event} to {attempt.target}\n{attempt.stack}" for attempt in attempts]
        with contextlib.suppress(FileNotFoundError):
            told.append(self.file.read_text(encoding="utf-8"))
            self.file.unlink()
        # LocalCloud is not imported for this: most runs have none.
        for cloud in getattr(item, "funcargs", {}).values():
            if hasattr(cloud, "refused_connections") and cloud.is_running:
                told += cloud.refused_connections()
        return told


refused: Final = Refused()


@contextlib.contextmanager
def expected() -> Iterator[list[str]]:
    """Take what is refused within the block for what a test is about; the list is filled at the end."""
    told: list[str] = []
    yield told
    told += refused.take()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Hold this process before any test is imported, and what it will start."""
    loopback.hold(refused.add)
    os.environ[REPORT] = str(refused.file)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHILDREN), os.environ.get("PYTHONPATH")]))


def pytest_collection_finish() -> None:
    """Fail modules that made an attempt while they were imported."""
    told = refused.take()
    if told:
        raise pytest.UsageError(_message("while tests were collected", told))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Fail tests that made an attempt while they were set up."""
    return (yield from _watched(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail tests that made an attempt."""
    return (yield from _watched(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail tests that made an attempt while they were taken down."""
    return (yield from _watched(item))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for attempts not reported yet: those of a thread that outlived its test."""
    told = refused.take()
    if told:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(_message("after the last test", told))  # noqa: T201  # the terminal's summary has its own hook, after this


def _watched(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        told = refused.take(item)
        if told:
            pytest.fail(_message(item.nodeid, told), pytrace=False)


def _message(where: str, told: list[str]) -> str:
    return "\n".join([f"Refused {where}: nothing may leave this machine.", *told])
