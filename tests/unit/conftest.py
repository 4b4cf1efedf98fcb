"""Fixtures of the unit tests: a cloud in memory, and clients of its users."""

from __future__ import annotations

import openstack.config.loader
import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, ClientFactory


@pytest.fixture(autouse=True)
def _own_configuration_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test read the clouds.yaml of another: openstacksdk before 4.18 notes its name for the whole process."""
    files = list(openstack.config.loader.CONFIG_FILES)
    monkeypatch.setattr(openstack.config.loader, "CONFIG_FILES", files)


@pytest.fixture
def cloud(hyperx_cloud: InMemoryCloud) -> InMemoryCloud:
    return hyperx_cloud


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)
