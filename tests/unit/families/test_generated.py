"""Of generated families, `retire` deletes nothing that is used, protected, the latest or not released."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import LaunchRequest, Lifecycle
from hyperx_glance.models.releases import latest_of, release_id, version_order
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, ClientFactory

if TYPE_CHECKING:
    from hyperx_glance import Client, Image

FAMILIES = int(os.environ.get("GENERATED_FAMILIES", "500"))
BUNDLES = 10
FAMILY = "debian-12"
OWN, OTHERS = "alice", "admin"


def time_of(generator: random.Random) -> str:
    """Draw a time, in the past or in the future."""
    return f"{datetime.now(UTC) + timedelta(days=generator.choice([-90, -40, -2, 30])):%Y-%m-%dT%H:%M:%SZ}"


def generated(cloud: InMemoryCloud, generator: random.Random) -> None:
    """Put up to eight records of a family there: releases, unfinished ones, copies, in every state."""
    project = cloud.departments["dept-a"]
    for number in generator.sample(range(1, 20), generator.randint(0, 8)):
        version = generator.choice([f"12.{number}", f"12.{number}~rc1", f"2026.{number}"])
        record: dict[str, Any] = {
            "hyperx_family": FAMILY, "hyperx_version": version, "hyperx_release_name": "Debian 12",
            "hyperx_released_at": time_of(generator), "name": generator.choice(["Debian 12", f"Debian 12 ({version})"]),
            "os_hidden": generator.random() < 0.6, "protected": generator.random() < 0.2,
            "status": generator.choice(["active", "active", "active", "deactivated", "queued"]),
            "visibility": generator.choice(["private", "private", "community", "shared"]),
            "id": release_id(project, FAMILY, version, generator.choice([0, 0, 7, 63])),
        }  # fmt: skip
        for key in ("hyperx_deprecated_at", "hyperx_obsolete_at"):
            if generator.random() < 0.4:
                record[key] = time_of(generator)
        if generator.random() < 0.15:
            del record["hyperx_released_at"]
        if generator.random() < 0.1:
            del record["id"]  # a copy
        cloud.glance.add_image(owner="dept-a", disk_format="qcow2", container_format="bare", size=1 << 20, **record)


def used(client: Client, generator: random.Random, images: list[Image]) -> set[str]:
    """Launch servers from some of the images."""
    found = set()
    for image in images:
        if "launch" in client.allowed(image) and generator.random() < 0.3:
            client.launch(image, LaunchRequest(name="web", flavor="m1.tiny", networks="none"))
            found.add(image.id)
    return found


@pytest.mark.parametrize("bundle", range(BUNDLES))
def test_nothing_is_deleted_that_must_stay(bundle: int) -> None:
    begin = time.time_ns() if os.environ.get("SIMULATION_FIRST") == "fresh" else 0
    for seed in range(begin + bundle, begin + FAMILIES, BUNDLES):
        generator = random.Random(seed)
        with InMemoryCloud() as cloud:
            generated(cloud, generator)
            client = ClientFactory(cloud, HASTY)(OWN)
            check(client, generator, seed)


def check(client: Client, generator: random.Random, seed: int) -> None:
    """Retire the family, and compare what is there with what was there."""
    before = {image.id: image for image in client.images(family=FAMILY, hidden=None)}
    now = datetime.now(UTC)
    releases = client.releases(FAMILY)
    latest = latest_of(releases, now)
    in_use = used(client, generator, list(before.values()))
    arguments: dict[str, Any] = {
        "keep": generator.randint(1, 4), "delete": generator.random() < 0.9,
        "obsolete_after": generator.choice([None, timedelta(days=30)]),
        "delete_after": generator.choice([None, timedelta(), timedelta(days=60)]),
    }  # fmt: skip
    plan = client.retire(FAMILY, dry_run=True, **arguments)
    retired = client.retire(FAMILY, **arguments)

    after = {image.id: image for image in client.images(family=FAMILY, hidden=None)}
    gone = before.keys() - after.keys()
    told = {each.image.id: each.action for each in retired}
    assert [(each.image.id, each.action) for each in plan] == [(each.image.id, each.action) for each in retired], seed
    assert gone == {image_id for image_id, action in told.items() if action == "deleted"}, seed
    for image_id in gone:
        image = before[image_id]
        assert image_id not in in_use, seed
        assert not image.protected, seed
        assert image.visibility == "private", seed
        assert image in releases, seed
        assert image.lifecycle_at(now) is not Lifecycle.CURRENT, seed
    if latest is not None:
        assert (told[latest.id], after[latest.id].state, after[latest.id].lifecycle) == ("kept", "ACTIVE", "current"), (
            seed
        )
        current = [image for image in client.releases(FAMILY) if image.lifecycle is Lifecycle.CURRENT]
        greatest = max(
            (image for image in current if image.state == "ACTIVE"), key=lambda each: version_order(each.version)
        )
        assert client.latest(FAMILY).id == greatest.id, seed
        kept = min(arguments["keep"], sum(image.lifecycle_at(now) is Lifecycle.CURRENT for image in releases))
        assert len(current) >= kept, seed
