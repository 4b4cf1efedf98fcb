"""Fixtures for the tests of the real services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import launches
from tests.support.clouds import PATIENT, ClientFactory, image_ids, remove_images
from tests.support.needs import declare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, so that ``-m "not local"`` leaves them out."""
    for item in items:
        if "tests/local/" in item.nodeid:
            item.add_marker(pytest.mark.local)


@pytest.fixture(autouse=True)
def _no_image_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove what a test leaves in the cloud that all share, whichever of its fixtures has made it."""
    if "local_cloud" not in request.fixturenames:
        yield
        return
    local_cloud = request.getfixturevalue("local_cloud")
    before = image_ids(local_cloud)
    yield
    remove_images(local_cloud, image_ids(local_cloud) - before)


@pytest.fixture(autouse=True)
def _declared(request: pytest.FixtureRequest) -> None:
    if "local_cloud" in request.fixturenames:
        declare(request, request.getfixturevalue("local_cloud"))


@pytest.fixture
def client(local_cloud: LocalCloud) -> ClientFactory:
    """Connect users to the real cloud: ``client("alice")``."""
    return ClientFactory(local_cloud, PATIENT)


@pytest.fixture
def _servers_removed(local_cloud: LocalCloud) -> Iterator[None]:
    """Remove the servers and volumes that a test leaves in dept-a."""
    yield
    launches.remove_servers(local_cloud)


@pytest.fixture
def room(local_cloud: LocalCloud, client: ClientFactory) -> Iterator[None]:
    """Allow department dept-a 10,000 MiB of images, for captures; afterwards, remove its servers and the limit."""
    client("admin").set_quota("dept-a", image_size_mib=10_000)
    yield
    launches.remove_servers(local_cloud)
    client("admin").set_quota("dept-a", image_size_mib=None)
