"""Nothing leaves this machine: each way out is refused before anything is sent, reported, and fails the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing.loopback import ElsewhereError, needs_no_server, stays_here
from tests import guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ELSEWHERE = "198.51.100.1"  # TEST-NET-2, RFC 5737: nobody's
NAME = "files.example.org"


def udp(send: Callable[[socket.socket], object]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        send(sender)


WAYS_OUT: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.create_connection((ELSEWHERE, 80), timeout=0.01),
    "connect to a name": lambda: udp(lambda sender: sender.connect((NAME, 53))),
    "connect_ex": lambda: udp(lambda sender: sender.connect_ex((ELSEWHERE, 53))),
    "connect_ex to a name": lambda: udp(lambda sender: sender.connect_ex((NAME, 53))),
    "sendto": lambda: udp(lambda sender: sender.sendto(b"x", (ELSEWHERE, 53))),
    "sendto with flags": lambda: udp(lambda sender: sender.sendto(b"x", 0, (ELSEWHERE, 53))),
    "sendto to a name": lambda: udp(lambda sender: sender.sendto(b"x", (NAME, 53))),
    "sendmsg": lambda: udp(lambda sender: sender.sendmsg([b"x"], [], 0, (ELSEWHERE, 53))),
    "sendmsg to a name": lambda: udp(lambda sender: sender.sendmsg([b"x"], [], 0, (NAME, 53))),
    "broadcast": lambda: udp(lambda sender: sender.sendto(b"x", ("<broadcast>", 53))),
    "getaddrinfo": lambda: socket.getaddrinfo(NAME, 80),
    "getaddrinfo of bytes": lambda: socket.getaddrinfo(NAME.encode(), 80),
    "gethostbyname": lambda: socket.gethostbyname(NAME),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(NAME),
    "gethostbyaddr": lambda: socket.gethostbyaddr(NAME),
    "getnameinfo": lambda: socket.getnameinfo((ELSEWHERE, 80), 0),
    "metadata": lambda: socket.create_connection(("169.254.169.254", 80), timeout=0.01),
    "IPv6": lambda: socket.create_connection(("2001:db8::1", 80), timeout=0.01),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_every_way_out_is_refused_and_told(way: str) -> None:
    with guard.expected() as told, pytest.raises(ElsewhereError):
        WAYS_OUT[way]()

    assert len(told) == 1
    assert "test_guard.py" in told[0]


def test_a_swallowed_refusal_of_a_thread_is_told_too() -> None:
    def careless() -> None:
        with pytest.raises(OSError, match="leads away"):
            socket.create_connection((ELSEWHERE, 80), timeout=0.01)

    thread = threading.Thread(target=careless)
    with guard.expected() as told:
        thread.start()
        thread.join()

    assert "careless" in told[0]


def test_this_machine_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, guard.expected() as told:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, port), timeout=5).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", port))
        assert socket.getaddrinfo(ELSEWHERE, 80)  # an address needs no name server
        left, right = socket.socketpair()
        left.sendmsg([b"x"])
        left.close()
        right.close()

    assert told == []


@pytest.mark.parametrize("name", ["files.invalid", "Files.Test.", "host.example"])
def test_a_name_for_tests_does_not_exist_and_nobody_is_asked(name: str) -> None:
    with guard.expected() as told:
        for look in (socket.gethostbyname, lambda name: udp(lambda sender: sender.connect((name, 53)))):
            with pytest.raises(socket.gaierror):
                look(name)

    assert told == []


def test_a_program_that_a_test_starts_is_held_and_told() -> None:
    program = f"import socket\ntry: socket.create_connection(('{ELSEWHERE}', 80), 0.01)\nexcept OSError as e: print(e)"
    with guard.expected() as told:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "leads away from this machine" in done.stdout
    assert f"socket.connect to ('{ELSEWHERE}', 80)" in told[0]


@pytest.mark.parametrize("place", ["fixture", "test", "fixture at the end", "import"])
def test_a_test_that_tries_to_leave_the_machine_fails(tmp_path: Path, place: str) -> None:
    trying = "try: socket.create_connection(('198.51.100.1', 80), 0.01)\n{}except OSError: pass"
    calls = dict.fromkeys(("fixture", "test", "fixture at the end", "import"), "pass")
    calls[place] = trying.format("" if place == "import" else "    ")
    (tmp_path / "test_it.py").write_text(
        f"import pytest, socket\n{calls['import']}\n@pytest.fixture\ndef it():\n    {calls['fixture']}\n    yield\n"
        f"    {calls['fixture at the end']}\ndef test_it(it):\n    {calls['test']}\n"
    )
    # It is a separate run, which reports nothing to this one.
    environment = {name: value for name, value in os.environ.items() if name != guard.REPORT}
    command = [sys.executable, "-m", "pytest", "-p", "tests.guard", "-p", "no:cacheprovider", "-q", "-c", os.devnull]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False, env=environment)

    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "nothing may leave this machine" in output
    assert ("while tests were collected" if place == "import" else "test_it.py::test_it") in output


@pytest.mark.parametrize(
    ("host", "here", "without_a_server"),
    [
        (None, True, True),
        ("", True, True),
        ("localhost", True, True),
        ("127.8.9.1", True, True),
        ("0.0.0.0", True, True),
        ("::1", True, True),
        ("::", True, True),
        ("::ffff:127.0.0.1", True, True),
        ("::ffff:198.51.100.1", False, True),
        ("fe80::1%eth0", False, True),
        ("127.1", False, True),
        ("0x7f000001", False, True),
        ("127.0.0.1 files.example.org", False, False),
        ("localhost.", False, False),
        (b"files.example.org", False, False),
        ("\udc80", False, False),
    ],
)
def test_only_loopback_addresses_count_as_this_machine(host: object, here: bool, without_a_server: bool) -> None:  # noqa: FBT001  # a table
    assert stays_here(host) is here
    assert needs_no_server(host) is without_a_server
