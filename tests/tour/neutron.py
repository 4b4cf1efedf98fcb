"""What the tour writes to Neutron."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.others import neutron
from tests.tour.player import Step

NOBODY: Final = "00000000-0000-0000-0000-000000000000"


def life(kind: str, first: dict[str, Any], change: dict[str, Any], path: str = "") -> tuple[Step, ...]:
    """Make every request about things of one kind, except their deletion."""
    every = f"/v2.0/{path or kind + 's'}"
    one = f"{every}/{{{kind}}}"
    return (
        neutron(f"{kind}-create-empty", "POST", every, {}),
        neutron(f"{kind}-create-list", "POST", every, []),
        neutron(f"{kind}-create-none", "POST", every, {kind: None}),
        neutron(f"{kind}-create-unknown-key", "POST", every, {kind: {**first, "colour": "red"}}),
        neutron(f"{kind}-create-reader", "POST", every, {kind: first}, user="rita"),
        neutron(f"{kind}-create", "POST", every, {kind: first}, keep={kind: f"{kind}.id"}),
        neutron(f"{kind}-show", "GET", one),
        neutron(f"{kind}-show-admin", "GET", one, user="admin"),
        neutron(f"{kind}-show-foreign", "GET", one, user="bob"),
        neutron(f"{kind}-show-fields", "GET", f"{one}?fields=id"),
        neutron(f"{kind}-update", "PUT", one, {kind: change}),
        neutron(f"{kind}-update-foreign", "PUT", one, {kind: change}, user="bob"),
        neutron(f"{kind}-update-reader", "PUT", one, {kind: change}, user="rita"),
        neutron(f"{kind}-update-unknown-key", "PUT", one, {kind: {"colour": "red"}}),
        neutron(f"{kind}-update-unknown", "PUT", f"{every}/{NOBODY}", {kind: change}),
        neutron(f"{kind}-delete-foreign", "DELETE", one, user="bob"),
        neutron(f"{kind}-delete-reader", "DELETE", one, user="rita"),
    )


def end(kind: str, path: str = "") -> tuple[Step, ...]:
    """Delete a thing twice, and look for it."""
    one = f"/v2.0/{path or kind + 's'}/{{{kind}}}"
    return (
        neutron(f"{kind}-delete", "DELETE", one),
        neutron(f"{kind}-delete-again", "DELETE", one),
        neutron(f"{kind}-show-gone", "GET", one),
    )


NETWORKS: Final = "/v2.0/networks"
SUBNETS: Final = "/v2.0/subnets"
PORTS: Final = "/v2.0/ports"
ROUTERS: Final = "/v2.0/routers"
GROUPS: Final = "/v2.0/security-groups"
RULES: Final = "/v2.0/security-group-rules"

RULE: Final = {"direction": "ingress", "security_group_id": "{security_group}"}
WRONG_RULES: Final[dict[str, dict[str, object]]] = {
    "direction": {"direction": "x"},
    "family": {"ethertype": "x"},
    "protocol": {"protocol": "x"},
    "ports-without-protocol": {"port_range_min": 1, "port_range_max": 2},
    "ports-backwards": {"protocol": "tcp", "port_range_min": 5, "port_range_max": 2},
    "prefix": {"remote_ip_prefix": "x"},
    "prefix-and-group": {"remote_ip_prefix": "192.0.2.0/24", "remote_group_id": "{security_group}"},
}

STEPS: Final = (
    *life("network", {"name": "tour", "description": "a"}, {"name": "tour-2"}),
    neutron("network-name-number", "POST", NETWORKS, {"network": {"name": 5}}),
    neutron("network-name-long", "POST", NETWORKS, {"network": {"name": "n" * 256}}),
    neutron("network-flag-text", "POST", NETWORKS, {"network": {"admin_state_up": "x"}}),
    neutron("network-shared-member", "POST", NETWORKS, {"network": {"shared": True}}),
    neutron("network-external-member", "POST", NETWORKS, {"network": {"router:external": True}}),
    neutron("network-list", "GET", f"{NETWORKS}?name=tour-2"),
    neutron("network-list-fields", "GET", f"{NETWORKS}?name=tour-2&fields=name&fields=mtu"),
    neutron("network-list-bad-limit", "GET", f"{NETWORKS}?limit=x"),
    neutron("network-list-flag", "GET", f"{NETWORKS}?shared=true&fields=name"),
    *life(
        "subnet",
        {"network_id": "{network}", "ip_version": 4, "cidr": "192.0.2.0/24", "name": "tour"},
        {"name": "tour-2", "dns_nameservers": ["192.0.2.53"]},
    ),
    neutron("subnet-no-network", "POST", SUBNETS, {"subnet": {"ip_version": 4, "cidr": "192.0.2.0/24"}}),
    neutron("subnet-no-version", "POST", SUBNETS, {"subnet": {"network_id": "{network}", "cidr": "192.0.2.0/24"}}),
    neutron("subnet-no-cidr", "POST", SUBNETS, {"subnet": {"network_id": "{network}", "ip_version": 4}}),
    neutron("subnet-bad-cidr", "POST", SUBNETS, {"subnet": {"network_id": "{network}", "ip_version": 4, "cidr": "x"}}),
    neutron(
        "subnet-version-5",
        "POST",
        SUBNETS,
        {"subnet": {"network_id": "{network}", "ip_version": 5, "cidr": "198.51.100.0/24"}},
    ),
    neutron(
        "subnet-other-version",
        "POST",
        SUBNETS,
        {"subnet": {"network_id": "{network}", "ip_version": 6, "cidr": "198.51.100.0/24"}},
    ),
    neutron(
        "subnet-unknown-network",
        "POST",
        SUBNETS,
        {"subnet": {"network_id": NOBODY, "ip_version": 4, "cidr": "198.51.100.0/24"}},
    ),
    neutron(
        "subnet-gateway-elsewhere",
        "POST",
        SUBNETS,
        {"subnet": {"network_id": "{network}", "ip_version": 4, "cidr": "198.51.100.0/24", "gateway_ip": "x"}},
    ),
    neutron("subnet-cidr-change", "PUT", f"{SUBNETS}/{{subnet}}", {"subnet": {"cidr": "198.51.100.0/24"}}),
    neutron("subnet-list", "GET", f"{SUBNETS}?name=tour-2"),
    neutron("network-show-subnet", "GET", f"{NETWORKS}/{{network}}"),
    *life(
        "port",
        {"network_id": "{network}", "name": "tour", "fixed_ips": [{"ip_address": "192.0.2.20"}]},
        {"name": "tour-2", "description": "b"},
    ),
    neutron("port-no-network", "POST", PORTS, {"port": {"name": "tour"}}),
    neutron("port-unknown-network", "POST", PORTS, {"port": {"network_id": NOBODY}}),
    neutron(
        "port-taken-address",
        "POST",
        PORTS,
        {"port": {"network_id": "{network}", "fixed_ips": [{"ip_address": "192.0.2.20"}]}},
    ),
    neutron(
        "port-address-elsewhere",
        "POST",
        PORTS,
        {"port": {"network_id": "{network}", "fixed_ips": [{"ip_address": "203.0.113.1"}]}},
    ),
    neutron("port-bad-mac", "POST", PORTS, {"port": {"network_id": "{network}", "mac_address": "x"}}),
    neutron("port-bad-group", "POST", PORTS, {"port": {"network_id": "{network}", "security_groups": [NOBODY]}}),
    neutron("port-list", "GET", f"{PORTS}?name=tour-2"),
    neutron("port-list-address", "GET", f"{PORTS}?fixed_ips=ip_address=192.0.2.20&fields=name"),
    neutron("network-in-use", "DELETE", f"{NETWORKS}/{{network}}"),
    neutron("subnet-in-use", "DELETE", f"{SUBNETS}/{{subnet}}"),
    *life("security_group", {"name": "tour", "description": "a"}, {"name": "tour-2"}, "security-groups"),
    neutron("security_group-no-name", "POST", GROUPS, {"security_group": {}}),
    neutron("security_group-default", "POST", GROUPS, {"security_group": {"name": "default"}}),
    neutron("security_group-list", "GET", f"{GROUPS}?name=tour-2"),
    *life(
        "security_group_rule",
        {
            "security_group_id": "{security_group}",
            "direction": "ingress",
            "protocol": "tcp",
            "port_range_min": 22,
            "port_range_max": 22,
        },
        {"description": "b"},
        "security-group-rules",
    ),
    neutron(
        "rule-again",
        "POST",
        RULES,
        {
            "security_group_rule": {
                "security_group_id": "{security_group}",
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": 22,
                "port_range_max": 22,
            }
        },
    ),
    neutron("rule-no-group", "POST", RULES, {"security_group_rule": {"direction": "ingress"}}),
    neutron(
        "rule-unknown-group",
        "POST",
        RULES,
        {"security_group_rule": {"direction": "ingress", "security_group_id": NOBODY}},
    ),
    *(
        neutron(f"rule-{name}", "POST", RULES, {"security_group_rule": {**RULE, **more}})
        for name, more in WRONG_RULES.items()
    ),
    neutron(
        "rule-all",
        "POST",
        RULES,
        {"security_group_rule": {"direction": "ingress", "security_group_id": "{security_group}"}},
    ),
    neutron("security_group-show-rules", "GET", f"{GROUPS}/{{security_group}}"),
    # ------------------------------------------------------------- routers and floating addresses
    neutron(
        "outside-create",
        "POST",
        NETWORKS,
        {"network": {"name": "outside", "router:external": True}},
        user="admin",
        keep={"outside": "network.id"},
    ),
    neutron(
        "outside-subnet",
        "POST",
        SUBNETS,
        {
            "subnet": {
                "network_id": "{outside}",
                "ip_version": 4,
                "cidr": "198.51.100.0/29",
                "allocation_pools": [{"start": "198.51.100.2", "end": "198.51.100.3"}],
            }
        },
        user="admin",
    ),
    neutron("outside-list", "GET", f"{NETWORKS}?router:external=true"),
    *life("router", {"name": "tour"}, {"name": "tour-2", "description": "b"}),
    neutron(
        "router-gateway-unknown",
        "PUT",
        f"{ROUTERS}/{{router}}",
        {"router": {"external_gateway_info": {"network_id": NOBODY}}},
    ),
    neutron(
        "router-gateway-inside",
        "PUT",
        f"{ROUTERS}/{{router}}",
        {"router": {"external_gateway_info": {"network_id": "{network}"}}},
    ),
    neutron(
        "router-gateway-empty", "PUT", f"{ROUTERS}/{{router}}", {"router": {"external_gateway_info": {"colour": "red"}}}
    ),
    neutron(
        "floatingip-before",
        "POST",
        "/v2.0/floatingips",
        {"floatingip": {"floating_network_id": "{outside}", "port_id": "{port}"}},
    ),
    neutron("router-interface-none", "PUT", f"{ROUTERS}/{{router}}/add_router_interface", {}),
    neutron(
        "router-interface-both",
        "PUT",
        f"{ROUTERS}/{{router}}/add_router_interface",
        {"subnet_id": "{subnet}", "port_id": "{port}"},
    ),
    neutron("router-interface-unknown", "PUT", f"{ROUTERS}/{{router}}/add_router_interface", {"subnet_id": NOBODY}),
    neutron(
        "router-interface-foreign",
        "PUT",
        f"{ROUTERS}/{{router}}/add_router_interface",
        {"subnet_id": "{subnet}"},
        user="bob",
    ),
    neutron("router-interface", "PUT", f"{ROUTERS}/{{router}}/add_router_interface", {"subnet_id": "{subnet}"}),
    neutron("router-interface-again", "PUT", f"{ROUTERS}/{{router}}/add_router_interface", {"subnet_id": "{subnet}"}),
    neutron("router-ports", "GET", f"{PORTS}?device_id={{router}}&device_owner=network:router_interface"),
    neutron(
        "router-gateway",
        "PUT",
        f"{ROUTERS}/{{router}}",
        {"router": {"external_gateway_info": {"network_id": "{outside}"}}},
    ),
    neutron("router-show-gateway", "GET", f"{ROUTERS}/{{router}}"),
    neutron("router-list", "GET", f"{ROUTERS}?name=tour-2"),
    neutron("router-in-use", "DELETE", f"{ROUTERS}/{{router}}"),
    *life(
        "floatingip",
        {"floating_network_id": "{outside}", "description": "a"},
        {"description": "b"},
    ),
    neutron("floatingip-no-network", "POST", "/v2.0/floatingips", {"floatingip": {}}),
    neutron("floatingip-inside", "POST", "/v2.0/floatingips", {"floatingip": {"floating_network_id": "{network}"}}),
    neutron("floatingip-network-unknown", "POST", "/v2.0/floatingips", {"floatingip": {"floating_network_id": NOBODY}}),
    neutron("floatingip-port-unknown", "PUT", "/v2.0/floatingips/{floatingip}", {"floatingip": {"port_id": NOBODY}}),
    neutron("floatingip-associate", "PUT", "/v2.0/floatingips/{floatingip}", {"floatingip": {"port_id": "{port}"}}),
    neutron("floatingip-exhausted", "POST", "/v2.0/floatingips", {"floatingip": {"floating_network_id": "{outside}"}}),
    neutron("floatingip-list", "GET", "/v2.0/floatingips?port_id={port}"),
    neutron("router-gateway-in-use", "PUT", f"{ROUTERS}/{{router}}", {"router": {"external_gateway_info": None}}),
    neutron(
        "router-interface-in-use", "PUT", f"{ROUTERS}/{{router}}/remove_router_interface", {"subnet_id": "{subnet}"}
    ),
    neutron("floatingip-disassociate", "PUT", "/v2.0/floatingips/{floatingip}", {"floatingip": {"port_id": None}}),
    *end("floatingip"),
    neutron("router-gateway-none", "PUT", f"{ROUTERS}/{{router}}", {"router": {"external_gateway_info": None}}),
    neutron(
        "router-interface-remove", "PUT", f"{ROUTERS}/{{router}}/remove_router_interface", {"subnet_id": "{subnet}"}
    ),
    neutron(
        "router-interface-remove-again",
        "PUT",
        f"{ROUTERS}/{{router}}/remove_router_interface",
        {"subnet_id": "{subnet}"},
    ),
    *end("router"),
    *end("security_group_rule", "security-group-rules"),
    *end("security_group", "security-groups"),
    *end("port"),
    *end("subnet"),
    *end("network"),
    neutron("networks-two", "POST", NETWORKS, {"networks": [{"name": "one"}, {"name": "two"}]}),
    neutron("networks-two-list", "GET", f"{NETWORKS}?name=one&name=two"),
    neutron("quota", "GET", "/v2.0/quotas/{department}"),
    neutron("quota-default", "GET", "/v2.0/quotas/{department}/default"),
    neutron("quota-details", "GET", "/v2.0/quotas/{department}/details", user="admin"),
    neutron("quota-foreign", "GET", "/v2.0/quotas/{department}", user="bob"),
    neutron("quota-member", "PUT", "/v2.0/quotas/{department}", {"quota": {"network": 5}}),
    neutron("quota-update", "PUT", "/v2.0/quotas/{department}", {"quota": {"network": 50}}, user="admin"),
    neutron("quota-text", "PUT", "/v2.0/quotas/{department}", {"quota": {"network": "x"}}, user="admin"),
    neutron("quota-unknown", "PUT", "/v2.0/quotas/{department}", {"quota": {"colour": 5}}, user="admin"),
    neutron("quota-delete", "DELETE", "/v2.0/quotas/{department}", user="admin"),
)
