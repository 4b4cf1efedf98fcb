"""Image families on real services: releasers are killed at their requests, and readers always find a latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.releases import Moment, number_of_requests, read_beside_releases, survive_a_killed_releaser

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

KILLS: tuple[tuple[int, Moment], ...] = (
    (1, "after"), (3, "before"), (3, "after"), (5, "after"), (7, "after"), (8, "before"), (8, "after"), (9, "after"),
    (10, "after"), (12, "before"),
)  # fmt: skip
"""A fixed sample of the requests of a release; all of them are killed in the long run."""
RELEASES = 12


@pytest.mark.parametrize(("number", "moment"), KILLS)
def test_a_killed_releaser_is_continued_by_the_same_call(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path, number: int, moment: Moment
) -> None:
    assert survive_a_killed_releaser(local_cloud, client, tmp_path, number, moment)


def test_a_release_has_as_many_requests_as_are_killed(client: ClientFactory) -> None:
    assert number_of_requests(client) >= max(number for number, _ in KILLS)


def test_a_reader_beside_releases_always_finds_a_latest(client: ClientFactory) -> None:
    reader = read_beside_releases(client, RELEASES)

    print(f"{len(reader.versions)} looks beside {RELEASES} releases, {reader.named.count(2)} with two of the name")  # noqa: T201  # a figure
