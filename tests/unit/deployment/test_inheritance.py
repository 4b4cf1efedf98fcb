"""A department's snapshots show the doctor whether Nova's option lacks a property."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import LaunchRequest, NewCapture, deployment, vocabulary
from tests.support import foreign
from tests.support.records import make_image
from tests.unit.deployment.examining import connect, examine

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud


def snapshot(fake: InMemoryCloud, **properties: str) -> str:
    """Make a snapshot of a server that was launched from an image with these properties."""
    image = make_image(fake, "bob", visibility="community", **properties)
    request = LaunchRequest(name="web", flavor="m1.tiny")
    (server,) = connect(fake, "alice").launch(image, request).servers
    return foreign.snapshot_of(fake, server.id)


def test_a_department_without_snapshots_shows_nothing_of_novas_option(fake: InMemoryCloud) -> None:
    found = examine(fake)["inherited-properties"]
    assert (found.level, found.message[:13]) == ("ok", "Inconclusive:")
    assert "your department has no snapshots" in found.message


def test_a_snapshot_of_an_image_that_says_nothing_shows_nothing(fake: InMemoryCloud) -> None:
    snapshot(fake)
    found = examine(fake)["inherited-properties"]
    assert (found.level, "your department's newest snapshots do not" in found.message) == ("ok", True)


def test_a_snapshot_shows_that_novas_option_is_set(fake: InMemoryCloud) -> None:
    image_id = snapshot(fake, hyperx_created_by="bob's id")
    found = examine(fake)["inherited-properties"]
    assert found.level == "ok"
    assert f"must not copy onto snapshot {image_id}" in found.message


@pytest.mark.parametrize("key", sorted({field.key for field in vocabulary.FIELDS if not field.inherited}))
def test_a_snapshot_shows_that_novas_option_lacks_a_property(fake: InMemoryCloud, key: str) -> None:
    fake.glance.protections = False
    fake.nova.non_inheritable = ",".join(word for word in deployment.NOVA_OPTION.split(",") if word != key)
    image_id = snapshot(fake, **{key: "forged"})
    found = examine(fake)["inherited-properties"]
    assert found.level == "warning"
    assert f"Nova copied {key} onto snapshot {image_id}" in found.message
    assert "non_inheritable_image_properties" in found.remedy


def test_the_newest_snapshot_counts(fake: InMemoryCloud) -> None:
    """There is no further warning once the option is corrected."""
    fake.nova.non_inheritable = "cache_in_nova,bittorrent"
    old = snapshot(fake, hyperx_created_by="bob's id")
    fake.glance.images[old].created_at -= timedelta(hours=1)
    assert examine(fake)["inherited-properties"].level == "warning"
    fake.nova.non_inheritable = deployment.NOVA_OPTION
    snapshot(fake, hyperx_created_by="bob's id")
    assert examine(fake)["inherited-properties"].level == "ok"


def test_captures_and_other_departments_say_nothing_of_novas_option(fake: InMemoryCloud) -> None:
    fake.glance.add_image(owner="dept-b", image_type="snapshot", instance_uuid="81f", hyperx_url="http://a/b")
    alice = connect(fake, "alice")
    image = make_image(fake, "alice", hyperx_created_by=alice.user_id)
    (server,) = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny")).servers
    alice.start_capture(server.id, NewCapture(name="captured"))
    assert examine(fake)["inherited-properties"].level == "ok"
