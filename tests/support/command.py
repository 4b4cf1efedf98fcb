"""The ``openstack`` command in this process, on a cloud in memory."""

from __future__ import annotations

import contextlib
import io
import json
import locale
import logging
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from openstackclient import shell

from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


URL = "http://files.example/disk.qcow2"


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - anything that was printed
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream of text that claims to be a terminal."""

    def isatty(self) -> bool:
        """Claim it."""
        return True


@contextlib.contextmanager
def process_as_before() -> Iterator[None]:
    """Undo what the command does to its process: its locale, and the handlers and the level of the log."""
    root = logging.getLogger()
    level, handlers, before = root.level, list(root.handlers), locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture
def fake() -> Iterator[InMemoryCloud]:
    with InMemoryCloud() as cloud:
        yield cloud


@pytest.fixture
def openstack(
    fake: InMemoryCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """Run the openstack command in this process: ``openstack("image list", user="bob")``.

    ``typed`` is what a person types at a terminal; None if there is no person.
    """

    def run(line: str, user: str = "alice", typed: str | None = None) -> Run:
        monkeypatch.setattr("sys.stdin", io.StringIO() if typed is None else Terminal(typed))
        for key, value in fake.auth(user).items():
            monkeypatch.setenv(f"OS_{key.upper()}", value)
        monkeypatch.setenv("OS_IDENTITY_API_VERSION", "3")
        capsys.readouterr()
        with process_as_before():
            status = shell.main(shlex.split(line))
        return Run(status, *capsys.readouterr())

    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return run


@pytest.fixture
def debian(fake: InMemoryCloud) -> str:
    return fake.glance.add_image(
        name="debian",
        status="active",
        disk_format="qcow2",
        container_format="bare",
        size=700 << 20,
        visibility="private",
        created_at="2026-11-24T08:00:00+00:00",
        tags=["linux", "stable"],
        description="稳定版",
        hyperx_password_enabled="true",
        my_key="my value",
    )
