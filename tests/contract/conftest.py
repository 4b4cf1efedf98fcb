"""Fixtures that run each scenario on both clouds: in memory and on real services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.support import launches
from tests.support.clouds import HASTY, PATIENT, ClientFactory, CloudUnderTest, image_ids, remove_images
from tests.support.crowd import Crowd
from tests.support.needs import declare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud


@pytest.fixture(params=["memory", pytest.param("local", marks=pytest.mark.local)])
def cloud(request: pytest.FixtureRequest) -> Iterator[CloudUnderTest]:
    """Return a cloud; what a test leaves in the real one is removed."""
    if request.param == "memory":
        memory = request.getfixturevalue("hyperx_cloud")
        declare(request, memory)
        yield memory
        return
    local = request.getfixturevalue("local_cloud")
    declare(request, local)
    before = image_ids(local)
    yield local
    remove_images(local, image_ids(local) - before)


@pytest.fixture
def client(cloud: CloudUnderTest) -> ClientFactory:
    """Connect users to the cloud: ``client("alice")``."""
    return ClientFactory(cloud, HASTY if isinstance(cloud, InMemoryCloud) else PATIENT)


@pytest.fixture
def _servers_removed(cloud: CloudUnderTest) -> Iterator[None]:
    """Remove the servers and volumes that a test leaves in dept-a."""
    yield
    launches.remove_servers(cloud)


@pytest.fixture(scope="module")
def crowd_in_memory() -> Crowd:
    """Return a cloud in memory that is filled past its API."""
    return Crowd(InMemoryCloud())


@pytest.fixture(scope="module")
def crowd_of_services(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Yield the real services with a second Glance, whose database is filled past their API."""
    assert not image_ids(local_cloud), "another test left images"
    with Crowd.of_services(local_cloud, tmp_path_factory.mktemp("later")) as crowd:
        yield crowd
        crowd.clear(image_ids(local_cloud))
