"""Details of the in-memory Nova, Neutron and Cinder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1 import exceptions as keystone_exceptions

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import active_image, ask, boot, nova

if TYPE_CHECKING:
    from hyperx_glance.testing.memory.nova import PasswordChanges


def servers(cloud: InMemoryCloud, query: str = "", user: str = "alice", version: str = "2.96") -> list[dict[str, Any]]:
    answer = nova(cloud, user, "GET", f"/servers/detail?{query}", version=version)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["servers"]
    return found


def iso_layout(iso: str, *, keep: bool = False) -> list[dict[str, object]]:
    common = {"destination_type": "volume", "volume_size": 1, "delete_on_termination": not keep}
    return [
        {**common, "boot_index": 0, "source_type": "blank"},
        {**common, "boot_index": 1, "source_type": "image", "uuid": iso, "device_type": "cdrom"},
    ]


def test_several_servers_of_one_request(cloud: InMemoryCloud) -> None:
    answer = boot(cloud, imageRef=active_image(cloud), min_count=3, tags=["mark"], adminPass="Pass-1")

    assert (answer.status_code, answer.json()["server"]["adminPass"]) == (202, "Pass-1")
    assert [(server["name"], server["status"]) for server in servers(cloud, "tags=mark")] == [
        ("web-3", "BUILD"),
        ("web-2", "BUILD"),
        ("web-1", "BUILD"),
    ]
    built = servers(cloud, "tags=mark")
    assert {server["status"] for server in built} == {"ACTIVE"}
    assert len({server["addresses"]["net1"][0]["addr"] for server in built}) == 3


def test_tags_need_a_microversion(cloud: InMemoryCloud) -> None:
    boot(cloud, imageRef=active_image(cloud), tags=["mark"])
    boot(cloud, imageRef=active_image(cloud), name="other")
    body = {"server": {"name": "x", "flavorRef": next(iter(cloud.nova.flavors)), "networks": "none", "tags": ["mark"]}}

    assert len(servers(cloud, "tags=mark")) == 1
    assert len(servers(cloud, "tags=mark", version="2.25")) == 2  # ignored, so everything comes back
    assert nova(cloud, "alice", "POST", "/servers", body, version="2.51").status_code == 400
    cloud.nova.max_microversion = "2.51"
    assert nova(cloud, "alice", "POST", "/servers", body).status_code == 406


def test_quotas_of_servers(cloud: InMemoryCloud) -> None:
    cloud.nova.set_quota("dept-a", instances=2, cores=20)
    image_id = active_image(cloud)

    refused = boot(cloud, imageRef=image_id, min_count=3)

    assert refused.status_code == 403
    assert refused.json()["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 3, but already used 0 of 2 instances"
    )
    assert boot(cloud, imageRef=image_id, min_count=1, max_count=3).status_code == 202
    assert len(servers(cloud)) == 2


@pytest.mark.parametrize(
    ("image_fields", "body", "status"),
    [
        ({"status": "queued"}, {}, 400),
        ({"min_ram": 4096}, {}, 400),
        ({"min_disk": 10}, {}, 400),
        ({"size": 5 << 30}, {}, 400),
        ({"owner": "dept-b", "visibility": "private"}, {}, 400),
        ({}, {"flavorRef": "nosuch"}, 400),
        ({}, {"networks": [{"uuid": "nosuch"}]}, 400),
        ({}, {"networks": [{"uuid": "00000000-0000-0000-0000-000000000000"}]}, 400),
        ({}, {"key_name": "nosuch"}, 400),
        ({}, {"security_groups": [{"name": "nosuch"}]}, 400),
        ({}, {"availability_zone": "nosuch"}, 400),
        ({}, {"user_data": "abc"}, 400),
        ({}, {"user_data": "!!"}, 202),  # text that is not base64 is ignored (nova/api/validation/validators.py)
        ({}, {"tags": ["a,b"]}, 400),
        ({}, {"color": "red"}, 400),
        ({}, {"min_count": 3, "max_count": 2}, 400),
        ({}, {}, 202),
    ],
)
def test_nova_checks_the_image_and_the_request_before_it_creates_servers(
    cloud: InMemoryCloud, image_fields: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    assert boot(cloud, imageRef=active_image(cloud, **image_fields), **body).status_code == status


def test_several_networks_are_ambiguous(cloud: InMemoryCloud) -> None:
    cloud.neutron.add_network("net2", shared=True)

    assert boot(cloud, imageRef=active_image(cloud)).status_code == 409
    assert boot(cloud, imageRef=active_image(cloud), networks="none").status_code == 202


def test_an_iso_with_a_blank_disk(cloud: InMemoryCloud) -> None:
    iso = active_image(cloud, disk_format="iso")
    boot(cloud, block_device_mapping_v2=iso_layout(iso), min_count=2)
    servers(cloud)

    for server in servers(cloud):
        assert server["image"] == ""
        assert len(server["os-extended-volumes:volumes_attached"]) == 2
    volumes = ask(cloud, "alice", "GET", "block-storage", "/volumes/detail").json()["volumes"]
    assert sorted(volume.get("volume_image_metadata", {}).get("image_id", "") for volume in volumes) == [
        "",
        "",
        iso,
        iso,
    ]
    for server in servers(cloud):
        nova(cloud, "alice", "DELETE", f"/servers/{server['id']}")
    assert [server["OS-EXT-STS:task_state"] for server in servers(cloud)] == ["deleting", "deleting"]
    assert servers(cloud) == []
    assert cloud.cinder.volumes == {}


def test_cinder_refuses_in_the_fault_of_the_server(cloud: InMemoryCloud) -> None:
    cloud.cinder.set_quota("dept-a", volumes=3)
    iso = active_image(cloud, disk_format="iso")
    boot(cloud, block_device_mapping_v2=iso_layout(iso), min_count=2)
    servers(cloud)

    states_ = {server["status"]: server.get("fault", {}).get("message") for server in servers(cloud)}

    assert states_.keys() == {"ACTIVE", "ERROR"}
    assert (
        "VolumeLimitExceeded: Maximum number of volumes allowed (3) exceeded for quota 'volumes'." in states_["ERROR"]
    )
    assert len(cloud.cinder.volumes) == 2
    direct = ask(cloud, "alice", "POST", "block-storage", "/volumes", {"volume": {"size": 1001}})
    assert direct.status_code == 413


def test_volumes_that_are_kept(cloud: InMemoryCloud) -> None:
    iso = active_image(cloud, disk_format="iso")
    boot(cloud, block_device_mapping_v2=iso_layout(iso, keep=True))
    cloud.nova.finish_builds()
    cloud.nova.delete_polls = 0
    nova(cloud, "alice", "DELETE", f"/servers/{cloud.nova.server('web').id}")

    assert servers(cloud) == []
    assert {volume.status for volume in cloud.cinder.volumes.values()} == {"available"}


def test_faults_on_request(cloud: InMemoryCloud) -> None:
    cloud.nova.faults.append("No valid host was found.")
    boot(cloud, imageRef=active_image(cloud), min_count=2)
    servers(cloud)

    assert [(server["status"], server.get("fault", {}).get("message")) for server in servers(cloud)] == [
        ("ACTIVE", None),
        ("ERROR", "No valid host was found."),
    ]


def test_servers_may_appear_one_by_one(cloud: InMemoryCloud) -> None:
    cloud.nova.visible_per_look = 1
    boot(cloud, imageRef=active_image(cloud), min_count=3)

    assert [len(servers(cloud)) for _ in range(4)] == [1, 2, 3, 3]


def test_a_cloud_without_cinder(cloud: InMemoryCloud) -> None:
    cloud.cinder.present = False

    with pytest.raises(keystone_exceptions.EndpointNotFound):
        ask(cloud, "alice", "GET", "block-storage", "/limits")


def test_user_data_is_the_administrators_to_read(cloud: InMemoryCloud) -> None:
    boot(cloud, imageRef=active_image(cloud), user_data="aGVsbG8=")
    path = f"/servers/{cloud.nova.server('web').id}"

    assert nova(cloud, "admin", "GET", path).json()["server"]["OS-EXT-SRV-ATTR:user_data"] == "aGVsbG8="
    assert "OS-EXT-SRV-ATTR:user_data" not in nova(cloud, "alice", "GET", path).json()["server"]
    assert nova(cloud, "bob", "GET", path).status_code == 404
    assert cloud.nova.server("web").user_data == b"hello"


@pytest.mark.parametrize(
    ("mode", "properties", "status"),
    [
        ("accepted", {}, 202),
        ("by_image", {}, 409),
        ("by_image", {"hw_qemu_guest_agent": "yes"}, 202),
        ("no_agent", {"hw_qemu_guest_agent": "yes"}, 409),
        ("silent_agent", {}, 501),
    ],
)
def test_changing_a_password(
    cloud: InMemoryCloud, mode: PasswordChanges, properties: dict[str, str], status: int
) -> None:
    cloud.nova.password_changes = mode
    boot(cloud, imageRef=active_image(cloud, **properties), adminPass="old")
    cloud.nova.finish_builds()
    path = f"/servers/{cloud.nova.server('web').id}/action"

    assert nova(cloud, "alice", "POST", path, {"changePassword": {"adminPass": "new"}}).status_code == status
    assert cloud.nova.server("web").admin_pass == ("new" if status == 202 else "old")
    nova(cloud, "alice", "POST", path, {"os-stop": None})
    assert nova(cloud, "alice", "POST", path, {"changePassword": {"adminPass": "x"}}).status_code == 409


def test_quotas_of_other_departments_are_the_administrators(cloud: InMemoryCloud) -> None:
    other = cloud.departments["dept-b"]

    for service in ("compute", "block-storage"):
        path = f"/os-quota-sets/{other}"
        change = {"quota_set": {"instances" if service == "compute" else "volumes": 3}}
        assert ask(cloud, "alice", "GET", service, path).status_code == 403
        assert ask(cloud, "alice", "PUT", service, path, change).status_code == 403
        assert ask(cloud, "admin", "PUT", service, path, change).status_code == 200
    assert nova(cloud, "bob", "GET", "/limits").json()["limits"]["absolute"]["maxTotalInstances"] == 3
    assert nova(cloud, "alice", "GET", f"/limits?tenant_id={cloud.departments['dept-a']}").status_code == 403
    # Cinder stores a quota for a project that does not exist; Nova asks Keystone.
    nowhere = "/os-quota-sets/nowhere"
    assert ask(cloud, "admin", "PUT", "block-storage", nowhere, {"quota_set": {"volumes": 3}}).status_code == 200
    assert nova(cloud, "admin", "PUT", nowhere, {"quota_set": {"instances": 3}}).status_code == 400


def test_an_empty_volume_boots_beside_an_image_alone(cloud: InMemoryCloud) -> None:
    volume = ask(cloud, "alice", "POST", "block-storage", "/volumes", {"volume": {"size": 1}}).json()["volume"]
    ask(cloud, "alice", "GET", "block-storage", f"/volumes/{volume['id']}")
    disk = {"uuid": volume["id"], "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    refused = boot(cloud, block_device_mapping_v2=[disk])
    assert (refused.status_code, "is not bootable" in refused.text) == (400, True)
    assert boot(cloud, imageRef=active_image(cloud), block_device_mapping_v2=[disk]).status_code == 202


def test_a_floating_address_is_shown_with_the_server_that_it_leads_to(cloud: InMemoryCloud) -> None:
    inside = next(iter(cloud.neutron.networks))
    outside = cloud.neutron.add_network("public", external=True, project_id=cloud.departments["admin"])
    cloud.neutron.add_router("router", outside, inside, cloud.departments["admin"])
    server_id = boot(cloud, imageRef=active_image(cloud)).json()["server"]["id"]
    cloud.nova.finish_builds()
    (port,) = [port for port in cloud.neutron.ports.values() if port["device_id"] == server_id]
    wanted = {"floatingip": {"floating_network_id": outside, "port_id": port["id"]}}
    floating = ask(cloud, "alice", "POST", "network", "/v2.0/floatingips", wanted).json()["floatingip"]

    def kinds() -> list[tuple[str, str]]:
        server = nova(cloud, "alice", "GET", f"/servers/{server_id}").json()["server"]
        return [(each["OS-EXT-IPS:type"], each["addr"]) for each in server["addresses"]["net1"]]

    assert kinds()[1:] == [("floating", floating["floating_ip_address"])]
    ask(cloud, "alice", "DELETE", "network", f"/v2.0/floatingips/{floating['id']}")
    assert [kind for kind, _ in kinds()] == ["fixed"]
