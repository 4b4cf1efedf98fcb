"""What ``go test -json`` tells of gophercloud's tests is read as it is, also if the run was cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.suites.gophercloud import outcomes_of
from tests.suites.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def told(*events: tuple[str, str, str]) -> Iterator[str]:
    for action, test, output in events:
        event = {"Action": action, "Test": test, **({"Output": output} if output else {})}
        yield json.dumps({key: value for key, value in event.items() if value})


def test_ends_and_words_of_go_tests_are_read() -> None:
    lines = [
        "go: downloading nothing",
        *told(
            ("output", "TestA", "=== RUN   TestA\n"),
            ("pass", "TestA", ""),
            ("output", "TestB", "    b.go:5: \x1b[31mFailure\x1b[0m in b.go, line 5\n"),
            ("output", "TestB", "    b.go:70: Deleted image: 1\n"),
            ("output", "TestB", "--- FAIL: TestB (0.10s)\n"),
            ("fail", "TestB", ""),
            ("output", "TestC", "    c.go:9: this test requires a guest\n"),
            ("skip", "TestC", ""),
            ("fail", "", ""),
        ),
    ]
    assert list(outcomes_of("compute/v2", lines, ["TestA", "TestB", "TestC"])) == [
        Outcome("compute/v2.TestA", "passed", ""),
        Outcome("compute/v2.TestB", "failed", "b.go:5: Failure in b.go, line 5"),
        Outcome("compute/v2.TestC", "skipped", "c.go:9: this test requires a guest"),
    ]


def test_a_test_whose_end_is_not_told_has_failed() -> None:
    lines = list(told(("output", "TestA", "panic: test timed out after 30m0s\n")))
    assert list(outcomes_of("compute/v2", lines, ["TestA", "TestB"])) == [
        Outcome("compute/v2.TestA", "failed", "panic: test timed out after 30m0s"),
        Outcome("compute/v2.TestB", "failed", ""),
    ]


def test_missing_packages_are_one_clear_line_and_no_cloud_is_started() -> None:
    program = "from tests.suites.catalogue import SUITES; print(SUITES['gophercloud'].needs())"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert ended.stdout.startswith("its packages are not installed; on Debian: apt-get install golang-go ")
    assert ended.stdout.count("\n") == 1
