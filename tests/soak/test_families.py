"""A releasing process is killed at each of its requests, and fifty versions are released beside a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.releases import number_of_requests, read_beside_releases, survive_a_killed_releaser

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud
    from tests.local.releases import Moment
    from tests.support.clouds import ClientFactory

RELEASES = 50
pytestmark = pytest.mark.local


@pytest.mark.parametrize("moment", ["before", "after"])
def test_each_request_of_a_release_is_killed(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path, moment: Moment
) -> None:
    for number in range(1, number_of_requests(client) + 1):
        survive_a_killed_releaser(local_cloud, client, tmp_path, number, moment)


def test_a_reader_beside_fifty_releases_always_finds_a_latest(client: ClientFactory) -> None:
    reader = read_beside_releases(client, RELEASES)

    print(f"{len(reader.versions)} looks beside {RELEASES} releases, {reader.named.count(2)} with two of the name")
