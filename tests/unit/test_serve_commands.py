"""Bad arguments of both `serve` commands: one clear line, exit status 2, and nothing has begun."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING, TypeAlias

import pytest

from hyperx_glance import InvalidRequestError
from hyperx_glance.testing.exposure import Exposure
from hyperx_glance.testing.local.__main__ import main as local
from hyperx_glance.testing.memory.__main__ import main as memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Command: TypeAlias = Callable[[Sequence[str]], int]

COMMANDS = pytest.mark.parametrize("command", [memory, local], ids=["memory", "local"])


@pytest.fixture(autouse=True)
def _same_signals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
    assert [path.name for path in tmp_path.iterdir()] == []


def refused(command: Command, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must end with the status 2, and return its only line."""
    try:
        status = command(["serve", *arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    output, told = capsys.readouterr()
    assert (status, output, told.count("\n")) == (2, "", 1)
    return told


@COMMANDS
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "x"], "profile"),
        (["--port", "65536"], "must be a port, not '65536'"),
        (["--port", "http"], "must be a port, not 'http'"),
        (["--host", "0.0.0.0"], "The address 0.0.0.0 needs a public URL"),
        (["--host", "127.0.0.2"], "The address 127.0.0.2 needs a public URL"),
        (["--host", "cloud.example", "--public-url", "auto"], "IP address of this machine, not 'cloud.example'"),
        (["--host", "192.0.2.1", "--public-url", "auto"], "192.0.2.1"),
        (["--public-url", "cloud:80"], "not 'cloud:80'"),
        (["--public-url", "ftp://cloud"], "not 'ftp://cloud'"),
        (["--public-url", "http://cloud/path"], "without a path"),
        (["--public-url", "http://cloud?x"], "without a path"),
        (["--public-url", "http://somebody:secret@cloud"], "not 'http://somebody"),
        (["--public-url", "http://cloud:65536"], "not 'http://cloud:65536'"),
        (["--public-url", "http://cloud\r\nX: y"], "The public URL"),
        (["--allow-host", "cloud"], "Allowed hosts need a public URL"),
        (["--public-url", "auto", "--allow-host", "cloud:80"], "without a port, not 'cloud:80'"),
        (["--public-url", "auto", "--allow-host", "*"], "not '*'"),
        (["--public-url", "auto", "--allow-host", ""], "not ''"),
        (["--trust-forwarded-proto"], "X-Forwarded-Proto"),
        (["--public-url", "http://cloud", "--trust-forwarded-proto"], "X-Forwarded-Proto"),
        (["--public-url", "http://cloud", "--tls", "ca.pem"], "must begin with https:"),
        (["--tls", "nowhere/ca.pem"], "cannot be written to nowhere/ca.pem: No such file or directory"),
        (["--tls", "."], "cannot be written to .: Is a directory"),
        (["--public-url", "auto", "--allow-host", "my_cloud", "--tls", "ca.pem"], "No certificate can be made"),
    ],
)
def test_bad_arguments_are_one_line(
    command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert told in refused(command, capsys, *arguments)


@COMMANDS
def test_a_port_that_is_taken_is_one_line(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused(command, capsys, "--port", port, "--tls", "ca.pem")


@pytest.mark.parametrize("name", ["", "a/b", "a b", "ä", "a?"])
def test_a_cloud_has_a_name_that_a_path_can_have(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert repr(name) in refused(memory, capsys, "--cloud", "cloud", "--cloud", name)


def test_an_exposure_that_does_not_fit_together_is_refused_in_python() -> None:
    with pytest.raises(InvalidRequestError, match="needs a public URL"):
        Exposure(host="0.0.0.0")
