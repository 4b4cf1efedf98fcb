"""pytest fixtures: a cloud in memory, a client of it, and the real services on loopback.

    def test_registers(hyperx_cloud, hyperx_client):
        hyperx_cloud.glance.downloads["http://files.example.org/disk.raw"] = b"data"
        ...

They come with the extra [testing] and are loaded by pytest itself (entry point ``pytest11``).

>>> hyperx_cloud.__name__
'hyperx_cloud'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance.client import Client
    from hyperx_glance.testing.local import LocalCloud
    from hyperx_glance.testing.memory import InMemoryCloud

# Imported inside: pytest loads this module in every run, of projects that use neither cloud too.


@pytest.fixture
def hyperx_cloud() -> InMemoryCloud:
    """Give a fresh cloud in memory."""
    from hyperx_glance.testing.memory import InMemoryCloud

    return InMemoryCloud()


@pytest.fixture
def hyperx_client(hyperx_cloud: InMemoryCloud) -> Iterator[Client]:
    """Give a client that is alice of dept-a in `hyperx_cloud`, and that never sleeps."""
    from hyperx_glance.client import Client
    from hyperx_glance.settings import Settings

    with Client.from_session(hyperx_cloud.session("alice"), settings=Settings()) as client:
        yield client


@pytest.fixture(scope="session")
def hyperx_local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give the real services on loopback, started once for the whole run; a start that fails fails the tests."""
    from hyperx_glance.testing.local import LocalCloud

    directory: Path = tmp_path_factory.mktemp("hyperx-local-cloud")
    with LocalCloud(directory) as cloud:
        yield cloud
