"""The default network is that of the system; its functions and default time-out can be replaced."""

from __future__ import annotations

import socket

import pytest

from hyperx_glance import InvalidRequestError, Settings
from hyperx_glance.sources.network import SYSTEM, Network, as_default, default


def test_the_systems_own_network_reaches_loopback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with SYSTEM.connect("127.0.0.1", port, 5) as opened:
            assert opened.gettimeout() == 5
    assert SYSTEM.resolve("127.0.0.1", port) == ["127.0.0.1"]
    with pytest.raises(OSError, match="refused"):
        SYSTEM.connect("127.0.0.1", port, 5)


@pytest.mark.parametrize("field", ["resolve", "connect", "secure", "clock"])
def test_a_way_that_is_no_function_is_refused(field: str) -> None:
    with pytest.raises(InvalidRequestError, match=rf"network\.{field}: must be callable"):
        Network(**{field: 5})  # type: ignore[arg-type]  # as said


def test_settings_take_the_default_of_their_time() -> None:
    one, two = Network(clock=lambda: 1.0), Network(clock=lambda: 2.0)
    with as_default(one):
        assert Settings().network is one
        with as_default(two):
            made = Settings()
        assert default() is one

    assert made.network is two
    assert Settings().network is SYSTEM
