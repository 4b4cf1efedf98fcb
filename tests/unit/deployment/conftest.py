"""A cloud whose Glance can try the URLs of the doctor."""

from __future__ import annotations

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.deployment.examining import ODD_URL, PLAIN_URL


@pytest.fixture
def fake() -> InMemoryCloud:
    cloud = InMemoryCloud()
    cloud.glance.downloads.update({ODD_URL: 404, PLAIN_URL: 404})
    return cloud
