"""Let tests of registering fail if they leave something behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clouds import CloudUnderTest, image_ids


@pytest.fixture
def nothing_left(cloud: CloudUnderTest) -> Iterator[None]:
    """Fail if a test leaves a record behind."""
    before = image_ids(cloud)
    yield
    assert image_ids(cloud) == before
