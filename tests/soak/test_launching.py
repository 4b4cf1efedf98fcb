"""Twenty rounds of lost responses and killed callers: no server twice, and none that cannot be found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import QuotaExceededError
from tests.local.test_launching import DEPARTMENT, kill_a_caller, launch_at_once, lose_an_answer, race
from tests.support import launches
from tests.support.clouds import PATIENT, ClientFactory
from tests.support.lossy_proxy import Fate, LossyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud

ROUNDS = 20
RACES = 5
pytestmark = pytest.mark.local


@pytest.fixture
def proxy(local_cloud: LocalCloud) -> Iterator[LossyProxy]:
    with LossyProxy(local_cloud.url("nova")) as proxy:
        yield proxy
    launches.remove_servers(local_cloud)


@pytest.mark.parametrize("fate", ["cut_early", "cut_late", "bad_gateway", "gateway_timeout"])
def test_lost_answers(local_cloud: LocalCloud, proxy: LossyProxy, fate: Fate) -> None:
    image_id = launches.put_password_image(local_cloud)
    began = time.monotonic()
    for _ in range(ROUNDS):
        lose_an_answer(local_cloud, proxy, image_id, fate)
    print(f"\n{fate}: {ROUNDS} launches of 3, no server twice, none unfound, {time.monotonic() - began:.0f} s")


def test_fifty_servers_by_five_launches_at_once(local_cloud: LocalCloud) -> None:
    try:
        launch_at_once(local_cloud, ClientFactory(local_cloud, PATIENT)("alice"), callers=5, count=10)
    finally:
        launches.remove_servers(local_cloud)


@pytest.mark.parametrize("moment", ["received", "answered"])
def test_killed_callers(local_cloud: LocalCloud, proxy: LossyProxy, moment: str) -> None:
    image_id = launches.put_image(local_cloud)
    began = time.monotonic()
    for _ in range(ROUNDS):
        kill_a_caller(local_cloud, proxy, image_id, moment)
    print(f"\nkilled when {moment}: {ROUNDS} launches of 3 found again, {time.monotonic() - began:.0f} s")


def test_races_for_the_last_room(local_cloud: LocalCloud) -> None:
    client = ClientFactory(local_cloud, PATIENT)
    image_id = launches.put_image(local_cloud)
    client("admin").set_quota(DEPARTMENT, instances=5)
    try:
        for number in range(RACES):
            done, refused = race(client("alice"), image_id, 20)
            existing = launches.servers(local_cloud)
            print(f"\nrace {number + 1}: {len(done)} of 20 launched against room for 5, {len(refused)} refused")
            assert len(done) <= 5
            assert {type(error) for error in refused} == {QuotaExceededError}
            assert {server["id"] for server in existing} == {each.id for launch in done for each in launch.servers}
            for launch in done:
                launch.cancel()
    finally:
        client("admin").set_quota(DEPARTMENT, instances=60)
        launches.remove_servers(local_cloud)
