"""What another department writes into its public image, as real Nova and Cinder copy it: it decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import NewCapture
from hyperx_glance.deployment.protections import NOT_INHERITED
from tests.support import foreign, launches
from tests.support.records import record_of

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

pytestmark = pytest.mark.usefixtures("room")
BACKINGS = ("disk", "volume")
FLAG = "hyperx_featured"
"""The protections of the local cloud keep members from writing it."""
DEFAULTS = {
    "nova": {"DEFAULT": {"non_inheritable_image_properties": None}},
    "cinder": {"DEFAULT": {"glance_core_properties": None}},
}


def properties_for(alice: Client) -> dict[str, str]:
    found = foreign.everything(user_id=alice.user_id)
    return {key: text for key, text in found.items() if key != FLAG and key not in foreign.OBEYED_BY_NOVA}


def lived(local_cloud: LocalCloud, alice: Client, backing: str, properties: dict[str, str]) -> list[str]:
    image = launches.put_image(local_cloud, "disk.raw", {"visibility": "community", **properties}, user="bob")
    return foreign.live(local_cloud, alice, image, backing, properties, capture_id=None)


@pytest.mark.parametrize("backing", BACKINGS)
def test_properties_written_by_another_department_have_no_effect(
    local_cloud: LocalCloud, client: ClientFactory, backing: str
) -> None:
    """The operator has set neither of the options."""
    alice = client("alice")
    properties = properties_for(alice)
    with local_cloud.configured("nova", DEFAULTS["nova"]), local_cloud.configured("cinder", DEFAULTS["cinder"]):
        control = lived(local_cloud, alice, backing, {})
        assert lived(local_cloud, alice, backing, properties) == control
    assert [line for line in control if line.startswith(("capture: ", "finish by another: "))]
    assert not [line for line in control if line.startswith("capture: ") and "Error" in line]


def test_nova_copies_what_its_option_does_not_name(local_cloud: LocalCloud, client: ClientFactory) -> None:
    """Without the option the copy is a lie, and the doctor sees it; with the option the doctor sees that, too."""
    alice = client("alice")
    properties = properties_for(alice)
    del properties["base_image_ref"]  # Nova keeps it (nova/compute/api.py, _populate_instance_for_create)
    image = launches.put_image(local_cloud, "disk.raw", {"visibility": "community", **properties}, user="bob")
    (server,) = alice.launch(image, launches.ask()).servers
    with local_cloud.configured("nova", DEFAULTS["nova"]):
        copied = record_of(local_cloud, foreign.snapshot_of(local_cloud, server.id))
        warned = {finding.check: finding for finding in alice.doctor()}["inherited-properties"]
    made = record_of(local_cloud, foreign.snapshot_of(local_cloud, server.id))
    found = {finding.check: finding for finding in alice.doctor()}["inherited-properties"]
    expected = {*NOT_INHERITED} - {FLAG}
    assert copied.keys() >= expected
    assert copied["hyperx_capture_order_cancelled"] == foreign.CHOSEN_ID
    assert not made.keys() & expected
    assert (warned.level, found.level) == ("warning", "ok"), found.message
    assert str(copied["id"]) in warned.message
    assert f"snapshot {made['id']}" in found.message


def test_nova_shares_no_capture_with_a_department_that_the_image_names(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    alice, properties = client("alice"), {"instance_owner": client("bob").project_id}
    image = launches.put_image(local_cloud, "disk.raw", {"visibility": "community", **properties}, user="bob")
    (server,) = alice.launch(image, launches.ask()).servers
    with local_cloud.configured("nova", DEFAULTS["nova"]):
        captured = alice.capture(server.id, NewCapture(name="captured"))
    assert (captured.category, captured.visibility) == ("private", "private")
    assert "instance_owner" not in record_of(local_cloud, captured.id)
