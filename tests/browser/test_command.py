"""The command: from its start to a page with images, and nothing is left after Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from hyperx_glance.testing.timing import scaled
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

SECONDS: Final = 20


@pytest.fixture(params=["memory", pytest.param("local", marks=pytest.mark.local)])
def command(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Start the command; a test ends it."""
    choice = ["--memory"] if request.param == "memory" else []
    program = [sys.executable, "-m", "hyperx_glance.testing.console", "--no-browser", *choice]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        yield process
        process.kill()


def test_the_command_shows_a_page_with_images(command: subprocess.Popen[str], chromium: Browser) -> None:
    start = time.monotonic()
    assert command.stdout is not None
    printed = []
    for line in command.stdout:
        printed.append(line)
        if "The console is at" in line:
            break
    address = re.search(r"http://127\.0\.0\.1:\d+", printed[-1])
    assert address, printed
    context = chromium.new_context(locale="zh-CN")
    alice = Visitor(context, address[0], "zh")
    alice.log_in("alice")
    alice.page.wait_for_timeout(0)
    while not alice.names():
        assert time.monotonic() - start < scaled(SECONDS), printed
        alice.page.locator("#refresh").click()
    took = time.monotonic() - start
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("镜像管理")
    context.close()

    print(f"From the command to a page with images: {took:.1f} s")  # noqa: T201  # a figure of the documentation
    assert took < scaled(SECONDS)
    command.send_signal(signal.SIGINT)
    assert command.wait(scaled(30)) == 0
    assert "has ended" in command.stdout.read()
