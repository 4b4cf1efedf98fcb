"""A cloud in memory with a file to register, and alice's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.console import Console
from hyperx_glance.testing.console.serving import settings_of
from hyperx_glance.testing.memory.serving import Server
from tests.unit.console.visitors import QCOW2, URL, Wire, console, log_in, who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient


@pytest.fixture
def cloud() -> Iterator[InMemoryCloud]:
    """Yield a cloud that every session of this process reaches."""
    with InMemoryCloud() as cloud:
        cloud.glance.downloads[URL] = QCOW2
        yield cloud


@pytest.fixture
def browser(cloud: InMemoryCloud) -> Iterator[TestClient]:
    """Yield a browser in which nobody is logged in."""
    with console(cloud) as browser:  # at its end, it waits for its registrations
        yield browser


@pytest.fixture
def alice(browser: TestClient, cloud: InMemoryCloud) -> TestClient:
    """Return the browser, with alice logged in."""
    return log_in(browser, cloud)


@pytest.fixture
def served() -> Iterator[InMemoryCloud]:
    """Yield a cloud behind HTTP: within the process, a request would wait for the end of an upload of another one."""
    with Server() as server:
        cloud = server.clouds["cloud"]
        cloud.glance.downloads[URL] = QCOW2
        yield cloud


@pytest.fixture
def wire(served: InMemoryCloud) -> Iterator[Wire]:
    """Yield a browser of a console behind HTTP, with alice logged in."""
    with Console(served.auth("alice")["auth_url"], settings_of(served)) as console:
        wire = Wire(console.url)
        assert wire.ask("POST", "/api/login", who(served, "alice"))[0] == 200
        yield wire
