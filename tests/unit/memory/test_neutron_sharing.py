"""Subnet pools, RBAC policies and forwarded ports of the in-memory Neutron as state (the tour compares the words)."""

from __future__ import annotations

from typing import Any

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import ask


def neutron(cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice") -> Any:  # noqa: ANN401 - JSON
    answer = ask(cloud, user, method, "network", f"/v2.0{path}", body)
    assert answer.status_code < 400, answer.text
    return answer.json() if answer.content else None


def status(cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice") -> int:
    return ask(cloud, user, method, "network", f"/v2.0{path}", body).status_code


def made(cloud: InMemoryCloud, kind: str, user: str = "alice", **given: object) -> dict[str, Any]:
    body: dict[str, Any] = neutron(cloud, "POST", f"/{kind}s".replace("policys", "policies"), {kind: given}, user)
    found: dict[str, Any] = body[kind]
    return found


def share(cloud: InMemoryCloud, network_id: str, department: str, user: str = "alice") -> str:
    policy = {
        "object_type": "network",
        "object_id": network_id,
        "target_tenant": cloud.departments[department],
        "action": "access_as_shared",
    }
    return str(neutron(cloud, "POST", "/rbac-policies", {"rbac_policy": policy}, user)["rbac_policy"]["id"])


def test_subnets_of_a_pool_never_overlap_and_end_with_the_pool(cloud: InMemoryCloud) -> None:
    pool = made(cloud, "subnetpool", name="pool", prefixes=["10.11.12.0/24"], default_prefixlen=26)["id"]
    network = made(cloud, "network", name="pooled")["id"]
    wanted = {"network_id": network, "ip_version": 4, "subnetpool_id": pool}
    spans = [made(cloud, "subnet", **wanted)["cidr"] for _ in range(4)]

    assert sorted(spans) == ["10.11.12.0/26", "10.11.12.128/26", "10.11.12.192/26", "10.11.12.64/26"]
    assert status(cloud, "POST", "/subnets", {"subnet": wanted}) == 500
    assert status(cloud, "DELETE", f"/subnetpools/{pool}") == 400


def test_a_pool_gives_back_what_a_deleted_subnet_had(cloud: InMemoryCloud) -> None:
    pool = made(cloud, "subnetpool", name="pool", prefixes=["10.11.12.0/26"], default_prefixlen=26)["id"]
    wanted = {"network_id": made(cloud, "network", name="pooled")["id"], "ip_version": 4, "subnetpool_id": pool}
    neutron(cloud, "DELETE", f"/subnets/{made(cloud, 'subnet', **wanted)['id']}")

    assert made(cloud, "subnet", **wanted)["cidr"] == "10.11.12.0/26"


def test_the_quota_of_a_pool_counts_addresses_of_one_department(cloud: InMemoryCloud) -> None:
    pool = made(cloud, "subnetpool", name="pool", prefixes=["10.11.12.0/24"], default_prefixlen=28, default_quota=20)
    wanted = {"network_id": made(cloud, "network", name="x")["id"], "ip_version": 4, "subnetpool_id": pool["id"]}

    assert status(cloud, "POST", "/subnets", {"subnet": wanted}) == 201
    assert status(cloud, "POST", "/subnets", {"subnet": wanted}) == 409


def test_prefixes_are_added_and_removed_unless_subnets_have_them(cloud: InMemoryCloud) -> None:
    pool = made(cloud, "subnetpool", name="pool", prefixes=["10.11.12.0/26"], default_prefixlen=26)["id"]
    wanted = {"network_id": made(cloud, "network", name="x")["id"], "ip_version": 4, "subnetpool_id": pool}
    made(cloud, "subnet", **wanted)
    path = f"/subnetpools/{pool}"
    neutron(cloud, "PUT", f"{path}/add_prefixes", {"prefixes": ["10.20.0.0/24"]})

    assert status(cloud, "PUT", f"{path}/remove_prefixes", {"prefixes": ["10.11.12.0/26"]}) == 400
    neutron(cloud, "PUT", f"{path}/remove_prefixes", {"prefixes": ["10.20.0.0/24"]})
    assert neutron(cloud, "GET", path)["subnetpool"]["prefixes"] == ["10.11.12.0/26"]


def test_a_policy_lets_another_department_see_and_use_a_network(cloud: InMemoryCloud) -> None:
    network = made(cloud, "network", name="given")["id"]
    assert status(cloud, "GET", f"/networks/{network}", user="bob") == 404
    policy = share(cloud, network, "dept-b")

    assert neutron(cloud, "GET", f"/networks/{network}", user="bob")["network"]["shared"]
    port = made(cloud, "port", "bob", network_id=network)["id"]
    assert status(cloud, "GET", f"/networks/{network}", user="carol") == 404
    assert status(cloud, "DELETE", f"/rbac-policies/{policy}") == 409
    neutron(cloud, "DELETE", f"/ports/{port}", user="bob")
    neutron(cloud, "DELETE", f"/rbac-policies/{policy}")
    assert status(cloud, "GET", f"/networks/{network}", user="bob") == 404


def test_a_deleted_network_takes_its_policies_along(cloud: InMemoryCloud) -> None:
    network = made(cloud, "network", name="given")["id"]
    share(cloud, network, "dept-b")
    neutron(cloud, "DELETE", f"/networks/{network}")

    assert cloud.neutron.rbac_policies == {}


@pytest.mark.parametrize("user", ["bob", "rita"])
def test_only_the_owner_gives_a_network_away(cloud: InMemoryCloud, user: str) -> None:
    network = made(cloud, "network", name="own")["id"]
    policy = {"object_type": "network", "object_id": network, "target_tenant": cloud.departments["dept-c"]}

    refused = status(cloud, "POST", "/rbac-policies", {"rbac_policy": {**policy, "action": "access_as_shared"}}, user)

    assert refused in (400, 403)
    assert cloud.neutron.rbac_policies == {}


def forwarded(cloud: InMemoryCloud) -> tuple[str, dict[str, object]]:
    """Return the path of a floating address, and a forwarding to a port that a router reaches."""
    outside = cloud.neutron.add_network("outside", external=True, cidr="198.51.100.0/28")
    network = made(cloud, "network", name="inside")["id"]
    subnet = made(cloud, "subnet", network_id=network, ip_version=4, cidr="192.0.2.0/24")["id"]
    port = made(cloud, "port", network_id=network)
    router = made(cloud, "router", name="way", external_gateway_info={"network_id": outside})["id"]
    neutron(cloud, "PUT", f"/routers/{router}/add_router_interface", {"subnet_id": subnet})
    floating = made(cloud, "floatingip", floating_network_id=outside)["id"]
    forwarding = {
        "protocol": "tcp",
        "external_port": 2222,
        "internal_port": 22,
        "internal_port_id": port["id"],
        "internal_ip_address": port["fixed_ips"][0]["ip_address"],
    }
    return f"/floatingips/{floating}", forwarding


def test_a_forwarded_port_keeps_its_floating_address_until_it_is_gone(cloud: InMemoryCloud) -> None:
    floating, forwarding = forwarded(cloud)
    every = f"{floating}/port_forwardings"
    one = neutron(cloud, "POST", every, {"port_forwarding": forwarding})["port_forwarding"]["id"]

    assert status(cloud, "POST", every, {"port_forwarding": {**forwarding, "internal_port": 23}}) == 400
    assert status(cloud, "PUT", floating, {"floatingip": {"port_id": forwarding["internal_port_id"]}}) == 409
    assert status(cloud, "DELETE", floating) == 409
    neutron(cloud, "DELETE", f"{every}/{one}")
    assert neutron(cloud, "GET", floating)["floatingip"]["router_id"] is None
    assert status(cloud, "DELETE", floating) == 204


def test_a_deleted_port_takes_its_forwardings_along(cloud: InMemoryCloud) -> None:
    floating, forwarding = forwarded(cloud)
    neutron(cloud, "POST", f"{floating}/port_forwardings", {"port_forwarding": forwarding})
    neutron(cloud, "DELETE", f"/ports/{forwarding['internal_port_id']}")

    assert cloud.neutron.port_forwardings == {}


@pytest.mark.parametrize("path", ["/trunks", "/qos/policies", "/metering/metering-labels", "/segments", "/nothing"])
def test_what_is_not_there_answers_404(cloud: InMemoryCloud, path: str) -> None:
    assert status(cloud, "GET", path) == 404


def test_extensions_that_are_listed_are_shown(cloud: InMemoryCloud) -> None:
    listed = neutron(cloud, "GET", "/extensions")["extensions"]

    for extension in listed:
        assert neutron(cloud, "GET", f"/extensions/{extension['alias']}")["extension"] == extension


@pytest.mark.parametrize("kind", ["network", "subnetpool", "router", "security_group"])
def test_things_of_every_kind_are_found_by_their_tags(cloud: InMemoryCloud, kind: str) -> None:
    plural = f"{kind}s".replace("_", "-")
    given: dict[str, object] = {"name": "x", **({"prefixes": ["10.0.0.0/8"]} if kind == "subnetpool" else {})}
    one, other = (neutron(cloud, "POST", f"/{plural}", {kind: given})[kind]["id"] for _ in range(2))
    neutron(cloud, "PUT", f"/{plural}/{one}/tags", {"tags": ["red", "blue"]})
    neutron(cloud, "PUT", f"/{plural}/{other}/tags/red")

    def found(query: str) -> set[str]:
        things = neutron(cloud, "GET", f"/{plural}?name=x&{query}")[f"{kind}s"]
        return {each["id"] for each in things}

    assert found("tags=red,blue") == {one}
    assert found("tags-any=blue,green") == {one}
    assert found("not-tags=red,blue") == {other}
    assert found("not-tags-any=green") == {one, other}


def test_a_change_of_another_revision_changes_nothing(cloud: InMemoryCloud) -> None:
    network = made(cloud, "network", name="old")
    current = network["revision_number"]
    path = f"/v2.0/networks/{network['id']}"

    def rename(number: int) -> int:
        headers = {"If-Match": f"revision_number={number}"}
        body = {"network": {"name": "new"}}
        return ask(cloud, "alice", "PUT", "network", path, body, headers=headers).status_code

    assert rename(current + 1) == 412
    assert cloud.neutron.networks[network["id"]]["name"] == "old"
    assert rename(current) == 200


def test_pools_of_one_address_scope_do_not_overlap(cloud: InMemoryCloud) -> None:
    wanted = {"address_scope": {"name": "s", "ip_version": 4}}
    scope = neutron(cloud, "POST", "/address-scopes", wanted)["address_scope"]["id"]
    made(cloud, "subnetpool", name="a", prefixes=["10.9.0.0/16"], address_scope_id=scope)
    body = {"subnetpool": {"name": "b", "prefixes": ["10.9.1.0/24"], "address_scope_id": scope}}

    assert status(cloud, "POST", "/subnetpools", body) == 409
    assert status(cloud, "DELETE", f"/address-scopes/{scope}") == 409
