"""Progress is a bar on a terminal, and a line for each change elsewhere."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import LaunchProgress, Phase, Progress
from hyperx_glance.cli.output import amount
from hyperx_glance.cli.progress import launch_progress, registration_progress
from tests.support.command import Terminal

if TYPE_CHECKING:
    from hyperx_glance.texts import Language

# ----------------------------------------------------------------- progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    return Terminal()


def drawn(terminal: Terminal) -> str:
    """Return the drawn text, without the control sequences of colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())


def test_a_terminal_gets_a_labelled_bar(terminal: Terminal) -> None:
    with registration_progress(terminal, "debian", "en") as show:
        show(Progress(phase=Phase.DOWNLOADING, bytes_expected=3 << 20))
    assert "debian checking" in drawn(terminal), "before anything is known"
    assert re.search(r"debian downloading \S+ 3.0 MiB +0:00:00", drawn(terminal)), "the size is known from the start"

    with registration_progress(terminal, "debian", "zh") as show:
        show(Progress(phase=Phase.STORING, bytes_expected=3 << 20, bytes_done=1 << 19))
    assert re.search(r"debian 存储中 \S+ 0.5 / 3.0 MiB", drawn(terminal))
    assert "\x1b[" in terminal.getvalue()


@pytest.mark.parametrize(
    ("language", "text"), [("en", "web 1 of 3 active, 1 failed"), ("zh", "web 共 3 台，1 台运行中，1 台失败")]
)
def test_a_launch_gets_a_bar(terminal: Terminal, language: Language, text: str) -> None:
    with launch_progress(terminal, "web", language) as show:
        show(LaunchProgress(active=1, building=1, failed=1, count=3))

    assert text in drawn(terminal)


def test_no_name_drives_the_terminal_beside_its_bar(terminal: Terminal) -> None:
    with registration_progress(terminal, "a\x1b]0\x07\u202e[red]{task}" + "b" * 100, "en") as show:
        show(Progress(phase=Phase.READY))

    assert r"a\x1b]0\x07\u202e[red]{task}bb… " in drawn(terminal)
    assert "bbb" not in drawn(terminal)
    assert not re.search("[\x07\u202e]|\x1b\\]", terminal.getvalue())


def test_elsewhere_lines_tell_what_changes() -> None:
    lines = io.StringIO()

    with registration_progress(lines, "de\x1bbian", "en") as show:
        for done in None, *range(1001):
            show(Progress(phase=Phase.DOWNLOADING, bytes_expected=1000, bytes_done=done))
        for _ in range(3):
            show(Progress(phase=Phase.STORING))
        show(Progress(phase=Phase.STORING, bytes_to_read=10, bytes_read=5))
    with launch_progress(lines, "web", "en") as show_launch:
        for active in 0, 0, 1, 2:
            show_launch(LaunchProgress(active=active, building=2 - active, failed=0, count=2))

    told = lines.getvalue().splitlines()
    label = r"de\x1bbian: "
    assert told[:3] == [
        f"{label}downloading 1000 B",
        f"{label}downloading 0 of 1000 B",
        f"{label}downloading 100 of 1000 B",
    ]
    assert told[-5:-3] == [f"{label}storing", f"{label}storing 5 of 10 B"]
    assert told[-3:] == ["web: 0 of 2 active", "web: 1 of 2 active", "web: 2 of 2 active"]
    assert len(told) == 1 + 11 + 2 + 3
    assert "\x1b" not in lines.getvalue()


@pytest.mark.parametrize(
    ("done", "of", "text"),
    [
        (0, 0, "0 of 0 B"),
        (1023, 1023, "1023 of 1023 B"),
        (1 << 20, 2362232012, "0.0 of 2.2 GiB"),
        (1 << 30, 1 << 20, "1024.0 of 1.0 MiB"),
        (None, 1 << 60, "1024.0 PiB"),
    ],
)
def test_amounts_have_one_unit(done: int | None, of: int | None, text: str) -> None:
    assert amount(done, of) == text
