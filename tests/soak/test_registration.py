"""Ten rounds of crashes and races of registrations: no orphan, no double, no record too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.crashes import (
    CALLER_STEPS,
    ENDINGS,
    GLANCE_STEPS,
    race,
    survive_a_killed_caller,
    survive_a_killed_glance,
)
from tests.support.clouds import ClientFactory, image_ids

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer

ROUNDS = 10
pytestmark = pytest.mark.local


@pytest.mark.parametrize("step", CALLER_STEPS)
def test_killed_callers(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str) -> None:
    before = image_ids(local_cloud)
    for number in range(ROUNDS):
        survive_a_killed_caller(local_cloud, client, file_server, step, ENDINGS[number % 2])
    assert image_ids(local_cloud) == before


@pytest.mark.parametrize("step", GLANCE_STEPS)
def test_killed_glances(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str) -> None:
    before = image_ids(local_cloud)
    for number in range(ROUNDS):
        survive_a_killed_glance(local_cloud, client, file_server, step, ENDINGS[number % 2])
    assert image_ids(local_cloud) == before


def test_races(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    before = image_ids(local_cloud)
    for _ in range(ROUNDS):
        race(local_cloud, client, file_server, processes=20, room=5)
    assert image_ids(local_cloud) == before
