"""The newest version that a service lists is its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.versions import front_door_url, newest
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("http://glance.test/v2", "http://glance.test/"),
        ("http://cloud.test/image/v2", "http://cloud.test/image/"),
        ("http://cloud.test/volume/v3/9f", "http://cloud.test/volume/"),
    ],
)
def test_versions_are_listed_at_the_front_door(base: str, root: str) -> None:
    assert front_door_url(base) == root


@pytest.mark.parametrize(("release", "version"), [("2024.1", (2, 16)), ("2026.2", (2, 17))])
def test_the_newest_version_counts(release: str, version: tuple[int, ...]) -> None:
    assert newest(Cloud.from_session(InMemoryCloud(release=release).session("alice")), "image") == version


def test_keystone_tells_none_that_is_understood(client: ClientFactory) -> None:
    assert newest(client().cloud, "identity") == ()
