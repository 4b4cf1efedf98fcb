"""Fixtures: alice, with a clock on which time passes only during sleeps, and images to launch."""

from __future__ import annotations

import pytest

from hyperx_glance import Client, Pace, Settings
from hyperx_glance.testing import InMemoryCloud
from tests.support import launches
from tests.support.clouds import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(tick=0.001)


@pytest.fixture
def alice(cloud: InMemoryCloud, clock: Clock) -> Client:
    pace = Pace(first_interval=0.001, longest_interval=5.0, deadline=600, sleep=clock.sleep, clock=clock)
    return Client.from_session(cloud.session("alice"), settings=Settings(pace=pace))


@pytest.fixture
def image(cloud: InMemoryCloud) -> str:
    return launches.put_image(cloud)


@pytest.fixture
def iso(cloud: InMemoryCloud) -> str:
    return launches.put_image(cloud, "installer.iso")
