"""pytest fixtures: a cloud in memory, a client of it, one for other processes, and the real services on loopback.

    def test_registers(hyperx_cloud, hyperx_client):
        hyperx_cloud.glance.downloads["http://files.example.org/disk.raw"] = b"data"
        ...

They come with the extra [testing] and are loaded by pytest itself (entry point ``pytest11``).

>>> from hyperx_glance.testing import plugin
>>> [name for name in dir(plugin) if name.startswith("hyperx_")]
['hyperx_client', 'hyperx_cloud', 'hyperx_local_client', 'hyperx_local_cloud', 'hyperx_served_cloud']
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.client import Client
    from hyperx_glance.testing.local import LocalCloud
    from hyperx_glance.testing.memory import InMemoryCloud
    from hyperx_glance.testing.memory.served import ServedCloud

_PASSED: Final = pytest.StashKey[bool]()

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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note whether a test passed: a failed one says nothing about failures that it planned for later."""
    outcome: Any = yield
    if call.when == "call":
        item.stash[_PASSED] = outcome.get_result().passed


@pytest.fixture
def hyperx_cloud(request: pytest.FixtureRequest) -> Iterator[InMemoryCloud]:
    """Yield a fresh in-memory cloud.

    At its end, the test fails if the fake itself made a mistake, or if a failure that the test planned never happened.
    """
    from hyperx_glance.testing.memory import InMemoryCloud  # noqa: PLC0415

    release = request.config.getoption("--hyperx-release")
    cloud = InMemoryCloud(release=release) if release else InMemoryCloud()
    yield cloud
    cloud.check(passed=request.node.stash.get(_PASSED, False))


@pytest.fixture
def hyperx_client(hyperx_cloud: InMemoryCloud) -> Iterator[Client]:
    """Yield a client of alice of dept-a in `hyperx_cloud`, with the cloud's files, and without real waiting."""
    with hyperx_cloud.client("alice") as client:
        yield client


@pytest.fixture
def hyperx_served_cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedCloud]:
    """Yield a fresh in-memory cloud behind HTTP, with the environment in which programs in other processes find it.

    At its end, the test fails as one with `hyperx_cloud` does.
    """
    from hyperx_glance.testing.capabilities import NEWEST  # noqa: PLC0415
    from hyperx_glance.testing.memory.served import ServedCloud, environment_for  # noqa: PLC0415
    from hyperx_glance.testing.memory.serving import Server  # noqa: PLC0415

    server = Server(release=request.config.getoption("--hyperx-release") or NEWEST)
    clouds_yaml = tmp_path_factory.mktemp("hyperx-served-cloud") / "clouds.yaml"
    clouds_yaml.write_text(server.clouds_yaml())
    server.start()
    try:
        yield ServedCloud(server, clouds_yaml, environment_for(clouds_yaml, os.environ))
    finally:
        server.close()
    for cloud in server.clouds.values():
        cloud.check(passed=request.node.stash.get(_PASSED, False))


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


@pytest.fixture
def hyperx_local_client(hyperx_local_cloud: LocalCloud) -> Iterator[Client]:
    """Yield a client of alice of dept-a in `hyperx_local_cloud`, which trusts files that tests serve on 127.0.0.1."""
    with hyperx_local_cloud.client("alice") as client:
        yield client
