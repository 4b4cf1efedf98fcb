"""Give each test a cloud in memory on which nothing takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.clouds import HASTY, ClientFactory

if TYPE_CHECKING:
    pass


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)
