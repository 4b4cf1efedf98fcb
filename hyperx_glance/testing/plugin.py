"""pytest fixtures: a cloud in memory, a client of it, and the real services on loopback.

    def test_registers(hyperx_cloud, hyperx_client):
        hyperx_cloud.glance.downloads["http://files.example.org/disk.raw"] = b"data"
        ...

They come with the extra [testing] and are loaded by pytest itself (entry point ``pytest11``).

>>> from hyperx_glance.testing import plugin
>>> [name for name in dir(plugin) if name.startswith("hyperx_")]
['hyperx_client', 'hyperx_cloud', 'hyperx_local_cloud']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.client import Client
    from hyperx_glance.testing.local import LocalCloud
    from hyperx_glance.testing.memory import InMemoryCloud

# Imported on use: pytest loads this module in every run, even in projects that use neither cloud.


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that chooses the release of the clouds."""
    group = parser.getgroup("hyperx_glance")
    group.addoption(
        "--hyperx-python",
        metavar="PYTHON",
        help="run the OpenStack services from the environment of this Python, for example of an older release",
    )
    group.addoption("--hyperx-release", metavar="RELEASE", help="play this release in memory (default: the newest)")


@pytest.fixture
def hyperx_cloud(pytestconfig: pytest.Config) -> Iterator[InMemoryCloud]:
    """Yield a fresh in-memory cloud; if the fake itself made a mistake, the test fails at its end."""
    from hyperx_glance.testing.memory import InMemoryCloud  # noqa: PLC0415

    release = pytestconfig.getoption("--hyperx-release")
    cloud = InMemoryCloud(release=release) if release else InMemoryCloud()
    yield cloud
    cloud.check()


@pytest.fixture
def hyperx_client(hyperx_cloud: InMemoryCloud) -> Iterator[Client]:
    """Yield a client of alice of dept-a in `hyperx_cloud`, with the cloud's files, and without real waiting."""
    from hyperx_glance.client import Client  # noqa: PLC0415
    from hyperx_glance.settings import Settings  # noqa: PLC0415

    settings = Settings(pace=hyperx_cloud.pace, network=hyperx_cloud.network)
    with Client.from_session(hyperx_cloud.session("alice"), settings=settings) as client:
        yield client


@pytest.fixture(scope="session")
def hyperx_local_cloud(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Yield the real services on loopback, started once for the whole run; if the start fails, the tests fail.

    The workers of pytest-xdist share one: the first that needs it starts it, and it ends with the last.
    """
    from hyperx_glance.testing.local import LocalCloud  # noqa: PLC0415

    is_worker = hasattr(pytestconfig, "workerinput")
    # Each worker has a directory of its own below the run's.
    directory = tmp_path_factory.getbasetemp().parent / "hyperx-local-cloud" if is_worker else None
    with LocalCloud(directory, python=pytestconfig.getoption("--hyperx-python")) as cloud:
        yield cloud
