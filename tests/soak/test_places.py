"""Cancellations by the hundred on a machine that is busy: each gives its place in the quota back."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.local import captures, places

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory
    from tests.support.file_server import FileServer

CANCELLATIONS = int(os.environ.get("CANCELLATIONS", "500"))
pytestmark = [pytest.mark.local, pytest.mark.usefixtures("room")]


@pytest.mark.parametrize("backing", captures.BACKINGS)
def test_cancelled_captures(local_cloud: LocalCloud, client: ClientFactory, backing: str) -> None:
    rounds = CANCELLATIONS if backing == "disk" else max(1, CANCELLATIONS // 10)
    began = time.monotonic()
    with places.busy_machine():
        longest = places.cancel_captures(local_cloud, client, backing, rounds=rounds)
    spent = time.monotonic() - began
    print(f"\n{backing}: {rounds} cancelled, no place lost, the longest took {longest:.1f} s, {spent:.0f} s")


def test_cancelled_registrations(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    began = time.monotonic()
    with places.busy_machine():
        longest, outcomes = places.cancel_registrations(local_cloud, client, file_server, rounds=CANCELLATIONS)
    spent = time.monotonic() - began
    print(
        f"\n{CANCELLATIONS} registrations cancelled, no place lost, the longest took {longest:.1f} s, {spent:.0f} s:"
        f" {dict(outcomes)}"
    )
