"""The caller, Nova, Cinder and Glance are killed at each step of a capture: no orphan, no double, no server harmed."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.local import captures
from tests.support.clouds import image_ids

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

ROUNDS = int(os.environ.get("CAPTURE_ROUNDS", "20"))
pytestmark = [pytest.mark.local, pytest.mark.usefixtures("room")]


@pytest.mark.parametrize(("backing", "step"), captures.CASES)
def test_killed_callers(local_cloud: LocalCloud, client: ClientFactory, backing: str, step: str) -> None:
    server = captures.captured_server(local_cloud, client, backing)
    before, began = image_ids(local_cloud), time.monotonic()
    outcomes = Counter(
        captures.survive_a_killed_caller(server, step, ending) for ending in captures.each_ending(ROUNDS)
    )
    assert image_ids(local_cloud) == before
    print(f"\n{backing}, caller killed {step}: {dict(outcomes)}, {time.monotonic() - began:.0f} s")


@pytest.mark.parametrize("service", captures.SERVICES)
@pytest.mark.parametrize(("backing", "step"), captures.CASES)
def test_killed_services(local_cloud: LocalCloud, client: ClientFactory, backing: str, step: str, service: str) -> None:
    server = captures.captured_server(local_cloud, client, backing)
    before, began = image_ids(local_cloud), time.monotonic()
    outcomes = Counter(
        captures.survive_a_killed_service(server, service, step, ending) for ending in captures.each_ending(ROUNDS)
    )
    assert image_ids(local_cloud) == before
    print(f"\n{backing}, {service} killed {step}: {dict(outcomes)}, {time.monotonic() - began:.0f} s")
