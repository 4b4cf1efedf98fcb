"""Fixtures: a library of images."""

from __future__ import annotations

import pytest

from hyperx_glance.testing import InMemoryCloud


@pytest.fixture
def library(cloud: InMemoryCloud) -> InMemoryCloud:
    """Put one image of each visibility into each department."""
    for department in ("dept-a", "dept-b"):
        for visibility in ("private", "shared", "community", "public"):
            name = f"{department[-1]}-{visibility}"
            shared = cloud.glance.add_image(owner=department, name=name, visibility=visibility, status="active")
            if name == "b-shared":
                cloud.glance.share(shared, "dept-a", status="pending")
    return cloud
