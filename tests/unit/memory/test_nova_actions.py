"""The actions on servers of the in-memory Nova, and what administrators manage there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.memory.asking import active_image, boot, image, nova

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud


@pytest.fixture
def server(cloud: InMemoryCloud) -> str:
    server_id = str(boot(cloud, imageRef=active_image(cloud, disk_format="raw")).json()["server"]["id"])
    cloud.nova.finish_builds()
    return server_id


def act(cloud: InMemoryCloud, server: str, action: str, asked: object = None, user: str = "alice") -> int:
    return nova(cloud, user, "POST", f"/servers/{server}/action", {action: asked}).status_code


def view(cloud: InMemoryCloud, server: str) -> dict[str, Any]:
    shown: dict[str, Any] = nova(cloud, "alice", "GET", f"/servers/{server}").json()["server"]
    return shown


@pytest.mark.parametrize(
    ("there", "status", "back"),
    [
        ("pause", "PAUSED", "unpause"),
        ("suspend", "SUSPENDED", "resume"),
        ("os-stop", "SHUTOFF", "os-start"),
        ("rescue", "RESCUE", "unrescue"),
        ("shelve", "SHELVED_OFFLOADED", "unshelve"),
    ],
)
def test_server_actions_change_the_status_and_can_be_reversed(
    cloud: InMemoryCloud, server: str, there: str, status: str, back: str
) -> None:
    assert act(cloud, server, back) == 409
    assert act(cloud, server, there) in (200, 202)
    assert view(cloud, server)["status"] == status
    assert act(cloud, server, there) == 409
    assert act(cloud, server, back) == 202
    assert view(cloud, server)["status"] == "ACTIVE"
    done = nova(cloud, "alice", "GET", f"/servers/{server}/os-instance-actions").json()["instanceActions"]
    assert len(done) == 3
    assert done[-1]["action"] == "create"


def test_a_shelved_server_waits_in_an_image(cloud: InMemoryCloud, server: str) -> None:
    act(cloud, server, "shelve")
    names = [record["name"] for record in image(cloud, "alice", "GET", "/images").json()["images"]]
    assert "web-shelved" in names
    act(cloud, server, "unshelve")
    assert "web-shelved" not in [each["name"] for each in image(cloud, "alice", "GET", "/images").json()["images"]]


def test_a_locked_server_is_its_administrators(cloud: InMemoryCloud, server: str) -> None:
    assert act(cloud, server, "lock", {"locked_reason": "mine"}) == 202
    assert (view(cloud, server)["locked"], view(cloud, server)["locked_reason"]) == (True, "mine")
    assert act(cloud, server, "pause") == 409
    assert act(cloud, server, "pause", user="admin") == 202
    assert act(cloud, server, "unlock") == 202


def test_a_rebuild_takes_another_image_and_time(cloud: InMemoryCloud, server: str) -> None:
    other = active_image(cloud, disk_format="raw", name="other")
    answer = nova(cloud, "alice", "POST", f"/servers/{server}/action", {"rebuild": {"imageRef": other, "name": "new"}})
    assert (answer.status_code, answer.json()["server"]["status"]) == (202, "REBUILD")
    assert [view(cloud, server)["status"] for _ in range(3)][-1] == "ACTIVE"
    assert (view(cloud, server)["name"], view(cloud, server)["image"]["id"]) == ("new", other)
    assert act(cloud, server, "rebuild", {"imageRef": "nothing"}) == 400


def test_a_resize_is_confirmed_or_taken_back(cloud: InMemoryCloud, server: str) -> None:
    small = next(flavor.id for flavor in cloud.nova.flavors.values() if flavor.name == "m1.small")
    for end, name in (("revertResize", "m1.tiny"), ("confirmResize", "m1.small")):
        assert act(cloud, server, "resize", {"flavorRef": small}) == 202
        assert view(cloud, server)["status"] == "VERIFY_RESIZE"
        assert act(cloud, server, end) == (204 if end == "confirmResize" else 202)
        assert view(cloud, server)["flavor"]["original_name"] == name
    cloud.nova.resizes = False
    assert act(cloud, server, "migrate", user="admin") == 400


def test_a_server_has_ports_that_go_with_it(cloud: InMemoryCloud, server: str) -> None:
    interfaces = nova(cloud, "alice", "GET", f"/servers/{server}/os-interface").json()["interfaceAttachments"]
    (port,) = cloud.neutron.ports.values()
    assert interfaces[0]["port_id"] == port["id"]
    assert view(cloud, server)["addresses"]["net1"][0]["addr"] == port["fixed_ips"][0]["ip_address"]

    assert (
        nova(cloud, "alice", "POST", f"/servers/{server}/os-interface", {"interfaceAttachment": {}}).status_code == 200
    )
    assert len(view(cloud, server)["addresses"]["net1"]) == 2
    gone = nova(cloud, "alice", "DELETE", f"/servers/{server}/os-interface/{port['id']}")
    assert (gone.status_code, len(cloud.neutron.ports)) == (202, 1)

    nova(cloud, "alice", "DELETE", f"/servers/{server}")
    while server in cloud.nova.servers:
        nova(cloud, "alice", "GET", f"/servers/{server}")
    assert cloud.neutron.ports == {}


def test_a_volume_is_attached_and_freed(cloud: InMemoryCloud, server: str) -> None:
    caller = cloud.nova.servers[server].caller
    volume = cloud.cinder.make(caller, 1, name="data")
    place = f"/servers/{server}/os-volume_attachments"
    assert nova(cloud, "alice", "POST", place, {"volumeAttachment": {"volumeId": volume.id}}).status_code == 200
    assert (volume.status, volume.server_id) == ("in-use", server)
    assert nova(cloud, "alice", "POST", place, {"volumeAttachment": {"volumeId": volume.id}}).status_code == 400
    assert nova(cloud, "alice", "DELETE", f"{place}/{volume.id}").status_code == 202
    assert (volume.status, volume.server_id) == ("available", None)


def test_a_private_flavor_is_for_those_who_were_let_in(cloud: InMemoryCloud) -> None:
    asked = {"name": "secret", "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
    flavor = nova(cloud, "admin", "POST", "/flavors", {"flavor": asked}).json()["flavor"]["id"]
    assert nova(cloud, "alice", "POST", "/flavors", {"flavor": {**asked, "name": "x"}}).status_code == 403
    assert nova(cloud, "alice", "GET", f"/flavors/{flavor}").status_code == 404
    access = {"addTenantAccess": {"tenant": cloud.departments["dept-a"]}}
    assert nova(cloud, "admin", "POST", f"/flavors/{flavor}/action", access).status_code == 200
    assert "secret" in [each["name"] for each in nova(cloud, "alice", "GET", "/flavors").json()["flavors"]]
    assert "secret" not in [each["name"] for each in nova(cloud, "bob", "GET", "/flavors").json()["flavors"]]


def test_images_pass_through_until_235(cloud: InMemoryCloud) -> None:
    one = active_image(cloud, name="disk", disk_format="raw")
    assert nova(cloud, "alice", "GET", f"/images/{one}", version="2.36").status_code == 404
    shown = nova(cloud, "alice", "GET", f"/images/{one}", version="2.35").json()["image"]
    assert (shown["name"], shown["status"], shown["progress"]) == ("disk", "ACTIVE", 100)
    body = {"metadata": {"colour": "red"}}
    assert nova(cloud, "alice", "POST", f"/images/{one}/metadata", body, version="2.1").status_code == 200
    assert cloud.glance.images[one].properties["colour"] == "red"


def test_only_administrators_see_hosts(cloud: InMemoryCloud, server: str) -> None:
    del server
    for path in ("/os-hypervisors", "/os-hypervisors/detail", "/os-services", "/os-aggregates"):
        assert nova(cloud, "alice", "GET", path).status_code == 403, path
        assert nova(cloud, "admin", "GET", path).status_code == 200, path
    own = nova(cloud, "alice", "GET", f"/os-simple-tenant-usage/{cloud.departments['dept-a']}").json()["tenant_usage"]
    assert [usage["name"] for usage in own["server_usages"]] == ["web"]
