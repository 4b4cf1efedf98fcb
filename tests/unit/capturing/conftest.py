"""Users on a clock, and servers to capture: one on a disk of Nova's, one on a volume."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, LaunchRequest, Pace
from tests.support.clouds import HASTY, ClientFactory, Clock
from tests.support.records import make_image

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    """Connect users; time passes only during sleeps."""
    clock = Clock()
    pace = Pace(first_interval=1, longest_interval=5, deadline=600, sleep=clock.sleep, clock=clock)
    ClientFactory(cloud, HASTY)("admin").set_quota("dept-a", image_size_mib=10_000)
    return ClientFactory(cloud, dataclasses.replace(HASTY, pace=pace))


@pytest.fixture
def alice(client: ClientFactory) -> Client:
    return client("alice")


@pytest.fixture
def image(cloud: InMemoryCloud) -> str:
    return make_image(cloud, "alice")


@pytest.fixture
def server(alice: Client, image: str) -> str:
    return alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny")).servers[0].id


@pytest.fixture
def on_volume(alice: Client, image: str) -> str:
    return alice.launch(image, LaunchRequest(name="db", flavor="m1.tiny", boot_volume_gib=2)).servers[0].id
