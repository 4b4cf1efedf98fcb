from __future__ import annotations

import io

import pytest

from hyperx_glance import LaunchProgress, Phase, Progress
from hyperx_glance.cli.progress import launch_progress, registration_progress
from tests.command import Terminal

# ----------------------------------------------------------------- progress


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()

    with registration_progress(terminal) as show:
        show(Progress(phase=Phase.DOWNLOADING, bytes_expected=100, bytes_done=50))
    with launch_progress(terminal) as show_launch:
        show_launch(LaunchProgress(active=1, building=1, failed=1, count=3))

    assert "downloading" in terminal.getvalue()
    assert "1 of 3 active, 1 failed" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()


def test_elsewhere_lines_tell_what_changes() -> None:
    lines = io.StringIO()

    with registration_progress(lines) as show:
        for done in None, *range(1001):
            show(Progress(phase=Phase.DOWNLOADING, bytes_expected=1000, bytes_done=done))
        for _ in range(3):
            show(Progress(phase=Phase.STORING))
    with launch_progress(lines) as show_launch:
        for active in 0, 0, 1, 2:
            show_launch(LaunchProgress(active=active, building=2 - active, failed=0, count=2))

    told = lines.getvalue().splitlines()
    assert told[:3] == ["downloading", "downloading 0 B of 1000 B", "downloading 100 B of 1000 B"]
    assert told[-4:] == ["storing", "0 of 2 active", "1 of 2 active", "2 of 2 active"]
    assert len(told) == 1 + 11 + 1 + 3
    assert "\x1b" not in lines.getvalue()
