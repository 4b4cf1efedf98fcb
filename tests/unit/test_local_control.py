"""The line to the supervisor of a local cloud, under attack: no other user reaches it, and no order ends the cloud."""

from __future__ import annotations

import json
import os
import socket
import stat
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.testing.local import control

if TYPE_CHECKING:
    from pathlib import Path


def told(order: bytes) -> bytes:
    """Send one order to a supervisor that knows one service, and return the reply."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(order)
        ours.shutdown(socket.SHUT_WR)
        control.answer(theirs, lambda request: {"port": {"nova": 1}[request["service"]]})
        theirs.shutdown(socket.SHUT_WR)
        return ours.recv(4096)


@pytest.mark.parametrize(
    "order",
    [b"", b"\n", b"{", b"[]\n", b"1\n", b"\xff\n", b"[" * 50_000, b'{"a":' * 20_000 + b"\n", b'{"service": "heat"}\n',
     b'{"service": []}\n', b'{"service": "nova"' + b" " * 60_000],
    ids=lambda order: repr(order[:20]),
)  # fmt: skip
def test_an_order_that_cannot_be_obeyed_has_no_answer_and_ends_nothing(
    order: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert told(order) == b""
    assert "an order was lost" in capfd.readouterr().out
    assert json.loads(told(b'{"service": "nova"}\n')) == {"port": 1}


def test_only_its_user_reaches_the_socket(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with control.listening(tmp_path) as listener:
            mode: Any = (tmp_path / "control").stat().st_mode
            assert stat.S_IMODE(mode) == 0o600
            assert listener.family is socket.AF_UNIX
    finally:
        os.umask(before)
