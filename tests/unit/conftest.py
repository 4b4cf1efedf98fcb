"""Give the unit tests a cloud in memory, and connect its users."""

from __future__ import annotations

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.clouds import HASTY, ClientFactory


@pytest.fixture
def cloud(hyperx_cloud: InMemoryCloud) -> InMemoryCloud:
    return hyperx_cloud


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)
