"""Networks, ports and quotas that are written to the in-memory Neutron take effect."""

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


def test_network_writes_require_a_role_and_a_valid_body(cloud: InMemoryCloud) -> None:
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


def outside(cloud: InMemoryCloud) -> str:
    return cloud.neutron.add_network("public", external=True, project_id=cloud.departments["admin"])


def test_a_port_is_reached_from_outside_by_a_router(cloud: InMemoryCloud) -> None:
    public = outside(cloud)
    network = made(cloud, "network")["id"]
    subnet = made(cloud, "subnet", network_id=network, ip_version=4, cidr="192.0.2.0/29")["id"]
    port = made(cloud, "port", network_id=network)
    wanted = {"floatingip": {"floating_network_id": public, "port_id": port["id"]}}
    assert neutron(cloud, "POST", "/floatingips", wanted).status_code == 404
    router = made(cloud, "router", external_gateway_info={"network_id": public})["id"]
    interface = {"subnet_id": subnet}
    added = neutron(cloud, "PUT", f"/routers/{router}/add_router_interface", interface)
    assert added.json()["subnet_ids"] == [subnet]
    assert neutron(cloud, "PUT", f"/routers/{router}/add_router_interface", interface).status_code == 400

    floating = made(cloud, "floatingip", **wanted["floatingip"])
    assert floating["router_id"] == router
    assert floating["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    assert floating["floating_ip_address"] not in {
        address["ip_address"]
        for address in cloud.neutron.routers[router]["external_gateway_info"]["external_fixed_ips"]
    }
    # What is in use stays.
    assert neutron(cloud, "PUT", f"/routers/{router}/remove_router_interface", interface).status_code == 409
    assert neutron(cloud, "PUT", f"/routers/{router}", {"router": {"external_gateway_info": None}}).status_code == 409
    assert neutron(cloud, "DELETE", f"/routers/{router}").status_code == 409

    assert neutron(cloud, "DELETE", f"/ports/{port['id']}").status_code == 204
    left = neutron(cloud, "GET", f"/floatingips/{floating['id']}").json()["floatingip"]
    assert (left["port_id"], left["router_id"], left["fixed_ip_address"]) == (None, None, None)
    assert neutron(cloud, "DELETE", f"/floatingips/{floating['id']}").status_code == 204
    assert neutron(cloud, "PUT", f"/routers/{router}/remove_router_interface", interface).status_code == 200
    assert neutron(cloud, "DELETE", f"/routers/{router}").status_code == 204
    assert {port["network_id"] for port in cloud.neutron.ports.values()} & {network, public} == set()


def test_the_gateway_port_of_a_router_is_deleted_only_with_the_router(cloud: InMemoryCloud) -> None:
    router = made(cloud, "router", external_gateway_info={"network_id": outside(cloud)})["id"]
    (gateway,) = cloud.neutron.ports
    assert neutron(cloud, "DELETE", f"/ports/{gateway}", user="admin").status_code == 409
    assert neutron(cloud, "DELETE", f"/routers/{router}").status_code == 204
    assert cloud.neutron.ports == {}


def test_only_an_external_network_is_outside(cloud: InMemoryCloud) -> None:
    inside = next(iter(cloud.neutron.networks))
    gateway = {"router": {"external_gateway_info": {"network_id": inside}}}
    assert neutron(cloud, "POST", "/routers", gateway).status_code == 400
    assert neutron(cloud, "POST", "/floatingips", {"floatingip": {"floating_network_id": inside}}).status_code == 400
    assert cloud.neutron.routers == {}
    assert cloud.neutron.floatingips == {}
