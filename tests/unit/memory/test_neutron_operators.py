"""Default rules, default networks and counted addresses of the in-memory Neutron (the tour compares the words)."""

from __future__ import annotations

from typing import Any

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import ask

RULES = "/default-security-group-rules"


def neutron(cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice") -> Any:  # noqa: ANN401 - JSON
    answer = ask(cloud, user, method, "network", f"/v2.0{path}", body)
    assert answer.status_code < 400, answer.text
    return answer.json() if answer.content else None


def status(cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice") -> int:
    return ask(cloud, user, method, "network", f"/v2.0{path}", body).status_code


def default_rule(cloud: InMemoryCloud, **fields: object) -> str:
    first = {"direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
    used = {"used_in_default_sg": False, "used_in_non_default_sg": True}
    body = {"default_security_group_rule": {**first, **used, **fields}}
    return str(neutron(cloud, "POST", RULES, body, "admin")["default_security_group_rule"]["id"])


def ports_of(group: dict[str, Any]) -> set[int | None]:
    return {rule["port_range_min"] for rule in group["security_group_rules"]}


def test_new_groups_get_the_default_rules_that_are_for_them(cloud: InMemoryCloud) -> None:
    default_rule(cloud)
    rule_of_default = default_rule(
        cloud, port_range_min=80, port_range_max=80, used_in_default_sg=True, used_in_non_default_sg=False
    )
    made = neutron(cloud, "POST", "/security-groups", {"security_group": {"name": "web"}})["security_group"]
    (default,) = neutron(cloud, "GET", "/security-groups?name=default")["security_groups"]

    assert ports_of(made) == {None, 22}
    assert ports_of(default) == {None, 80}
    neutron(cloud, "DELETE", f"{RULES}/{rule_of_default}", user="admin")
    (kept,) = neutron(cloud, "GET", "/security-groups?name=default")["security_groups"]
    assert ports_of(kept) == {None, 80}


def test_groups_without_default_rules_have_none(cloud: InMemoryCloud) -> None:
    for rule in neutron(cloud, "GET", RULES)["default_security_group_rules"]:
        neutron(cloud, "DELETE", f"{RULES}/{rule['id']}", user="admin")

    made = neutron(cloud, "POST", "/security-groups", {"security_group": {"name": "web"}})["security_group"]
    assert made["security_group_rules"] == []


def test_another_network_becomes_the_default_once_the_first_is_none_any_more(cloud: InMemoryCloud) -> None:
    outside = {"router:external": True, "is_default": True}
    first = neutron(cloud, "POST", "/networks", {"network": outside}, "admin")["network"]["id"]
    second = {"network": {"router:external": True}}
    other = neutron(cloud, "POST", "/networks", second, "admin")["network"]["id"]

    assert status(cloud, "PUT", f"/networks/{other}", {"network": {"is_default": True}}, "admin") == 409
    neutron(cloud, "PUT", f"/networks/{first}", {"network": {"is_default": False}}, "admin")
    neutron(cloud, "PUT", f"/networks/{other}", {"network": {"is_default": True}}, "admin")
    shown = neutron(cloud, "GET", "/networks?router:external=true", user="admin")["networks"]
    assert {each["id"]: each["is_default"] for each in shown if each["id"] in (first, other)} == {
        first: False,
        other: True,
    }


def prepare_topologies(cloud: InMemoryCloud, *pools: dict[str, object]) -> str:
    """Make what a topology needs; return the path of that of dept-a."""
    network = {"router:external": True, "is_default": True}
    outside = neutron(cloud, "POST", "/networks", {"network": network}, "admin")["network"]["id"]
    subnet = {"network_id": outside, "ip_version": 4, "cidr": "198.51.100.0/24"}
    neutron(cloud, "POST", "/subnets", {"subnet": subnet}, "admin")
    for given in pools:
        pool = {"name": "usual", "is_default": True, "shared": True, **given}
        neutron(cloud, "POST", "/subnetpools", {"subnetpool": pool}, "admin")
    return f"/auto-allocated-topology/{cloud.departments['dept-a']}"


def test_a_topology_has_a_subnet_of_each_family_and_is_made_anew_after_its_deletion(cloud: InMemoryCloud) -> None:
    four: dict[str, object] = {"prefixes": ["10.77.0.0/16"], "default_prefixlen": 26}
    six: dict[str, object] = {"prefixes": ["2001:db8::/56"], "default_prefixlen": 64}
    path = prepare_topologies(cloud, six, four)
    first = neutron(cloud, "GET", path)["auto_allocated_topology"]["id"]
    subnets = neutron(cloud, "GET", f"/subnets?network_id={first}")["subnets"]

    assert [(each["name"], each["ip_version"]) for each in subnets] == [
        ("auto_allocated_subnet_v4", 4),
        ("auto_allocated_subnet_v6", 6),
    ]
    neutron(cloud, "DELETE", path)
    assert status(cloud, "GET", f"/networks/{first}") == 404
    assert not neutron(cloud, "GET", "/routers?name=auto_allocated_router")["routers"]
    assert neutron(cloud, "GET", path)["auto_allocated_topology"]["id"] != first


def test_a_topology_that_cannot_be_made_leaves_nothing(cloud: InMemoryCloud) -> None:
    path = prepare_topologies(cloud, {"prefixes": ["10.77.0.0/16"]})  # each subnet would have a length of 8
    before = set(cloud.neutron.networks)
    answer = ask(cloud, "alice", "GET", "network", f"/v2.0{path}")

    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (409, "AutoAllocationFailure")
    assert set(cloud.neutron.networks) == before
    assert not neutron(cloud, "GET", "/routers?name=auto_allocated_router")["routers"]


def test_addresses_outside_the_pools_are_used_all_the_same(cloud: InMemoryCloud) -> None:
    network = neutron(cloud, "POST", "/networks", {"network": {"name": "small"}})["network"]["id"]
    pools = [{"start": "192.0.2.10", "end": "192.0.2.12"}]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "192.0.2.0/28", "allocation_pools": pools}
    neutron(cloud, "POST", "/subnets", {"subnet": subnet})
    for address in ("192.0.2.5", "192.0.2.11"):
        neutron(cloud, "POST", "/ports", {"port": {"network_id": network, "fixed_ips": [{"ip_address": address}]}})
    shown = neutron(cloud, "GET", f"/network-ip-availabilities/{network}", user="admin")["network_ip_availability"]

    assert (shown["total_ips"], shown["used_ips"]) == (3, 2)
    assert shown["ip_availability_details"] == {
        "total_ips_in_subnet": 14,
        "total_ips_in_allocation_pool": 3,
        "used_ips_in_subnet": 2,
        "used_ips_in_allocation_pool": 1,
    }


def test_a_group_of_addresses_is_shared_by_a_policy(cloud: InMemoryCloud) -> None:
    body = {"address_group": {"name": "offices", "addresses": ["192.0.2.0/24"]}}
    group = neutron(cloud, "POST", "/address-groups", body)["address_group"]["id"]
    assert status(cloud, "GET", f"/address-groups/{group}", user="bob") == 404

    policy = {"object_type": "address_group", "object_id": group, "target_tenant": cloud.departments["dept-b"]}
    neutron(cloud, "POST", "/rbac-policies", {"rbac_policy": {**policy, "action": "access_as_shared"}})
    assert status(cloud, "GET", f"/address-groups/{group}", user="bob") == 200
