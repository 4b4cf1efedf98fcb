"""What is written to the in-memory Neutron becomes true of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.memory.asking import active_image, ask, boot

if TYPE_CHECKING:
    import requests

    from hyperx_glance.testing import InMemoryCloud


def neutron(
    cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice"
) -> requests.Response:
    return ask(cloud, user, method, "network", f"/v2.0{path}", body)


def made(cloud: InMemoryCloud, kind: str, **fields: object) -> dict[str, Any]:
    answer = neutron(cloud, "POST", f"/{kind.replace('_', '-')}s", {kind: fields})
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()[kind]
    return record


def test_a_network_of_ones_own_from_its_record_to_its_end(cloud: InMemoryCloud) -> None:
    network = made(cloud, "network", name="own")
    subnet = made(cloud, "subnet", network_id=network["id"], ip_version=4, cidr="192.0.2.0/29")
    assert (subnet["gateway_ip"], subnet["allocation_pools"]) == (
        "192.0.2.1",
        [{"start": "192.0.2.2", "end": "192.0.2.6"}],
    )
    port = made(cloud, "port", network_id=network["id"])
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "192.0.2.2"}]
    taken = {"network_id": network["id"], "fixed_ips": [{"ip_address": "192.0.2.2"}]}
    assert neutron(cloud, "POST", "/ports", {"port": taken}).status_code == 409
    assert neutron(cloud, "GET", f"/networks/{network['id']}", user="bob").status_code == 404

    assert neutron(cloud, "DELETE", f"/networks/{network['id']}").status_code == 409
    assert neutron(cloud, "DELETE", f"/subnets/{subnet['id']}").status_code == 409
    for kind, item in (("ports", port), ("subnets", subnet), ("networks", network)):
        assert neutron(cloud, "DELETE", f"/{kind}/{item['id']}").status_code == 204
        assert neutron(cloud, "GET", f"/{kind}/{item['id']}").status_code == 404


def test_a_server_takes_a_port_that_is_there_and_leaves_it(cloud: InMemoryCloud) -> None:
    network = next(iter(cloud.neutron.networks))
    port = made(cloud, "port", network_id=network)
    answer = boot(cloud, imageRef=active_image(cloud), networks=[{"port": port["id"]}])
    assert answer.status_code == 202, answer.text
    cloud.nova.finish_builds()
    (server,) = cloud.nova.servers.values()
    assert cloud.neutron.ports[port["id"]]["device_id"] == server.id
    assert server.addresses["net1"][0]["addr"] == port["fixed_ips"][0]["ip_address"]
    assert boot(cloud, imageRef=active_image(cloud), networks=[{"port": port["id"]}]).status_code == 409


def test_rules_belong_to_their_group(cloud: InMemoryCloud) -> None:
    group = made(cloud, "security_group", name="web")
    assert len(group["security_group_rules"]) == 2
    rule = made(cloud, "security_group_rule", security_group_id=group["id"], direction="ingress", protocol="tcp")
    shown = neutron(cloud, "GET", f"/security-groups/{group['id']}").json()["security_group"]
    assert rule["id"] in [each["id"] for each in shown["security_group_rules"]]
    assert neutron(cloud, "DELETE", f"/security-groups/{group['id']}").status_code == 204
    assert neutron(cloud, "GET", f"/security-group-rules/{rule['id']}").status_code == 404
    default = cloud.neutron.default_group(cloud.departments["dept-a"])["id"]
    assert neutron(cloud, "DELETE", f"/security-groups/{default}").status_code == 409


def test_who_may_write_what(cloud: InMemoryCloud) -> None:
    assert neutron(cloud, "POST", "/networks", {"network": {"name": "x"}}, user="rita").status_code == 403
    assert neutron(cloud, "POST", "/networks", {"network": {"shared": True}}).status_code == 403
    assert neutron(cloud, "POST", "/networks", {"network": {"shared": True}}, user="admin").status_code == 201
    for body in ({}, {"network": None}, {"network": {"colour": "red"}}, {"network": {"admin_state_up": "x"}}):
        assert neutron(cloud, "POST", "/networks", body).status_code == 400, body


def test_a_quota_is_enforced(cloud: InMemoryCloud) -> None:
    place = f"/quotas/{cloud.departments['dept-a']}"
    assert neutron(cloud, "PUT", place, {"quota": {"network": 1}}).status_code == 403
    assert neutron(cloud, "PUT", place, {"quota": {"network": 1}}, user="admin").status_code == 200
    made(cloud, "network", name="one")
    assert neutron(cloud, "POST", "/networks", {"network": {"name": "two"}}).status_code == 409
    assert neutron(cloud, "GET", f"{place}/details").json()["quota"]["network"] == {
        "limit": 1,
        "used": 1,
        "reserved": 0,
    }
