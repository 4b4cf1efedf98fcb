"""The command that starts a console: what it says, what it refuses, and what it leaves."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing.console import __main__ as command
from hyperx_glance.testing.console.content import CONTENT
from hyperx_glance.testing.timing import scaled
from tests.support.waiting import until
from tests.unit.console.visitors import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
MODULE = "hyperx_glance.testing.console"
ALICE = {"username": "alice", "password": "secret", "project_name": "dept-a"}
WITHOUT_PROXY = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Start the command, and yield its process, the URL of its page, and what it says until then."""
    started = subprocess.Popen(
        [sys.executable, "-m", MODULE, "--no-browser", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env={**os.environ, **WITHOUT_PROXY},
    )  # fmt: skip
    assert started.stdout is not None
    said = ""
    try:
        while " for this machine only" not in said:
            line = started.stdout.readline()
            assert line, said
            said += line
        yield started, re.findall(r"The console is at (\S+),", said)[0], said
    finally:
        started.kill()
        started.communicate()


def names(wire: Wire, least: int, who: dict[str, str]) -> set[str]:
    """Return the names of all images that somebody sees, when there are so many."""
    assert wire.ask("POST", "/api/login", who)[0] == 200
    found: set[str] = set()

    def has_all() -> bool:
        rows = wire.ask("GET", "/api/images?size=100&hidden=")[1]["rows"]
        found.update(row["image"]["name"] for row in rows)
        return len(found) >= least

    until(has_all)
    return found


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_shows_images_until_it_is_interrupted_and_leaves_nothing(ending: signal.Signals) -> None:
    with running("--memory") as (started, url, said):
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/html")
        seen = names(Wire(url), 10, ALICE)
        started.send_signal(ending)
        rest, _ = started.communicate(timeout=scaled(60))

    assert started.returncode == 0
    assert rest.endswith("The console has ended.\n")
    assert "Traceback" not in rest
    assert "could not be registered" not in said + rest
    assert seen >= {entry.fields["name"] for entry in CONTENT if entry.user in ("admin", "alice")}
    with socket.socket() as ours:
        assert ours.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0


def test_a_second_console_of_the_same_cloud_knows_no_users_but_lets_them_in() -> None:
    with running("--memory") as (_, first, said):
        wire = Wire(first)
        assert len(wire.ask("GET", "/api/start")[1]["people"]) == 6
        auth_url = re.findall(r"--auth-url (\S+)", said)[0]
        with running("--auth-url", auth_url) as (_, second, told):
            other = Wire(second)
            assert other.ask("GET", "/api/start")[1]["people"] == []
            assert names(other, 5, ALICE | {"username": "bob", "project_name": "dept-b"})
            assert "Password" not in told
    assert first != second


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--address", "0.0.0.0"], "The console listens on 127.0.0.1 or localhost only, not on 0.0.0.0."),
        (["--address", "::1", "--memory"], "The console listens on 127.0.0.1 or localhost only, not on ::1."),
        (["--port", "70000"], "There is no port 70000."),
        (["--port", "-1"], "There is no port -1."),
        (["--auth-url", "keystone"], "This is not the URL of a Keystone: keystone"),
        (["--auth-url", "http://[::1"], "This is not the URL of a Keystone: http://[::1"),
        (["--auth-url", "file:///etc/passwd"], "This is not the URL of a Keystone: file:///etc/passwd"),
    ],
)
def test_a_wrong_choice_is_one_line_before_anything_starts(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 2
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize("arguments", [["--memory", "--auth-url", "http://127.0.0.1"], ["--port", "x"], ["--colour"]])
def test_an_option_that_does_not_exist_has_the_usual_status(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", MODULE, "--memory", "--no-browser", "--port", str(port)],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=scaled(60),
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == f"Port {port} of 127.0.0.1 cannot be used: Address already in use\n"


def test_without_its_extra_the_command_names_it() -> None:
    blocked = "import sys\nsys.modules |= dict.fromkeys(['uvicorn', 'fastapi'])\n"
    code = f"{blocked}from {MODULE}.__main__ import main\nsys.exit(main(['--memory', '--no-browser']))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=scaled(60)
    )

    assert done.returncode == 1
    assert "pip install 'hyperx-glance[console]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
