"""What the tour asks of Neutron about subnet pools, shared rights and the forwarding of ports."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.neutron import NOBODY, end, life
from tests.tour.others import neutron
from tests.tour.player import Step

POOLS: Final = "/v2.0/subnetpools"
POLICIES: Final = "/v2.0/rbac-policies"
FORWARDING: Final = "/v2.0/floatingips/{floating}/port_forwardings"
PREFIXES: Final = ["10.11.12.0/24"]


def pool(name: str, /, **given: Any) -> Step:  # noqa: ANN401 - as given
    """Create a pool from these values, which are wrong."""
    return neutron(f"pool-{name}", "POST", POOLS, {"subnetpool": {"name": "x", "prefixes": PREFIXES, **given}})


SUBNET_POOLS: Final = (
    *life(
        "subnetpool",
        {"name": "tour", "prefixes": PREFIXES, "min_prefixlen": 26, "default_prefixlen": 28},
        {"name": "tour-2", "description": "b"},
    ),
    neutron("pool-no-prefixes", "POST", POOLS, {"subnetpool": {"name": "x"}}),
    neutron("pool-no-name", "POST", POOLS, {"subnetpool": {"prefixes": PREFIXES}}),
    pool("blank-name", name=""),
    pool("bad-prefixes", prefixes=["x"]),
    pool("empty-prefixes", prefixes=[]),
    pool("prefixes-text", prefixes="10.11.12.0/24"),
    pool("two-families", prefixes=["10.11.12.0/24", "2001:db8::/64"]),
    pool("length-text", default_prefixlen="x"),
    pool("length-negative", min_prefixlen=-1),
    pool("min-above-max", min_prefixlen=28, max_prefixlen=26),
    pool("default-below-min", min_prefixlen=28, default_prefixlen=26),
    pool("default-above-max", max_prefixlen=26, default_prefixlen=28),
    pool("min-too-long", min_prefixlen=33),
    pool("shared-member", shared=True),
    pool("default-member", is_default=True),
    neutron("pool-list", "GET", f"{POOLS}?name=tour-2"),
    neutron("pool-list-shared", "GET", f"{POOLS}?shared=true"),
    neutron(
        "pool-six",
        "POST",
        POOLS,
        {"subnetpool": {"name": "six", "prefixes": ["2001:db8::/56"], "default_quota": 5}},
        keep={"six": "subnetpool.id"},
    ),
    neutron("pool-add-prefix", "PUT", f"{POOLS}/{{subnetpool}}", {"subnetpool": {"prefixes": ["10.11.13.0/24"]}}),
    neutron("pool-other-family", "PUT", f"{POOLS}/{{subnetpool}}", {"subnetpool": {"prefixes": ["2001:db8::/64"]}}),
    neutron("pool-shared-update", "PUT", f"{POOLS}/{{subnetpool}}", {"subnetpool": {"shared": True}}, user="admin"),
    neutron("pool-network", "POST", "/v2.0/networks", {"network": {"name": "pooled"}}, keep={"pooled": "network.id"}),
    neutron(
        "pool-subnet",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{pooled}", "ip_version": 4, "subnetpool_id": "{subnetpool}"}},
        keep={"taken": "subnet.id"},
    ),
    neutron(
        "pool-subnet-length",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{pooled}", "ip_version": 4, "subnetpool_id": "{subnetpool}", "prefixlen": 26}},
    ),
    neutron(
        "pool-subnet-too-large",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{pooled}", "ip_version": 4, "subnetpool_id": "{subnetpool}", "prefixlen": 24}},
    ),
    neutron(
        "pool-subnet-unknown",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{pooled}", "ip_version": 4, "subnetpool_id": NOBODY}},
    ),
    neutron(
        "pool-subnet-version",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{pooled}", "ip_version": 6, "subnetpool_id": "{subnetpool}"}},
    ),
    neutron(
        "pool-subnet-outside",
        "POST",
        "/v2.0/subnets",
        {
            "subnet": {
                "network_id": "{pooled}",
                "ip_version": 4,
                "subnetpool_id": "{subnetpool}",
                "cidr": "192.0.2.0/28",
            }
        },
    ),
    neutron("pool-in-use", "DELETE", f"{POOLS}/{{subnetpool}}"),
    neutron("pool-network-delete", "DELETE", "/v2.0/networks/{pooled}"),
    neutron("pool-six-delete", "DELETE", f"{POOLS}/{{six}}"),
    *end("subnetpool"),
)


def policy(name: str, /, user: str = "alice", **given: Any) -> Step:  # noqa: ANN401 - as given
    """Create a policy from these values, which are wrong."""
    first = {"object_type": "network", "object_id": "{given}", "target_tenant": "{other}", "action": "access_as_shared"}
    wanted = {key: value for key, value in {**first, **given}.items() if value is not ...}
    return neutron(f"rbac-{name}", "POST", POLICIES, {"rbac_policy": wanted}, user=user)


RIGHTS: Final = (
    neutron("rbac-network", "POST", "/v2.0/networks", {"network": {"name": "given"}}, keep={"given": "network.id"}),
    neutron("rbac-network-hidden", "GET", "/v2.0/networks/{given}", user="bob"),
    *life(
        "rbac_policy",
        {
            "object_type": "network",
            "object_id": "{given}",
            "target_tenant": "{other}",
            "action": "access_as_shared",
        },
        {"target_tenant": "{department}"},
        "rbac-policies",
    ),
    policy("no-type", object_type=...),
    policy("no-object", object_id=...),
    policy("no-target", target_tenant=...),
    policy("no-action", action=...),
    policy("bad-type", object_type="x"),
    policy("bad-action", action="x"),
    policy("unknown-object", object_id=NOBODY),
    policy("foreign-object", user="bob"),
    policy("everybody", target_tenant="*"),
    neutron(
        "rbac-again",
        "POST",
        POLICIES,
        {
            "rbac_policy": {
                "object_type": "network",
                "object_id": "{given}",
                "target_tenant": "{department}",
                "action": "access_as_shared",
            }
        },
    ),
    neutron("rbac-back", "PUT", f"{POLICIES}/{{rbac_policy}}", {"rbac_policy": {"target_tenant": "{other}"}}),
    neutron("rbac-list", "GET", f"{POLICIES}?object_id={{given}}"),
    neutron("rbac-network-shown", "GET", "/v2.0/networks/{given}", user="bob"),
    neutron("rbac-network-listed", "GET", "/v2.0/networks?name=given&fields=name&fields=shared", user="bob"),
    neutron("rbac-network-own", "GET", "/v2.0/networks?name=given&fields=name&fields=shared"),
    neutron(
        "rbac-port", "POST", "/v2.0/ports", {"port": {"network_id": "{given}"}}, user="bob", keep={"guest": "port.id"}
    ),
    neutron("rbac-in-use", "DELETE", f"{POLICIES}/{{rbac_policy}}"),
    neutron("rbac-port-delete", "DELETE", "/v2.0/ports/{guest}", user="bob"),
    *end("rbac_policy", "rbac-policies"),
    neutron("rbac-network-hidden-again", "GET", "/v2.0/networks/{given}", user="bob"),
    neutron("rbac-network-delete", "DELETE", "/v2.0/networks/{given}"),
)


def forwarding(name: str, /, **given: Any) -> Step:  # noqa: ANN401 - as given
    """Create a forwarding from these values, which are wrong."""
    wanted = {key: value for key, value in {**FORWARDED, **given}.items() if value is not ...}
    return neutron(f"forwarding-{name}", "POST", FORWARDING, {"port_forwarding": wanted})


FORWARDED: Final = {
    "protocol": "tcp",
    "internal_ip_address": "192.0.2.20",
    "internal_port": 22,
    "internal_port_id": "{target}",
    "external_port": 2222,
}
FORWARDINGS: Final = (
    neutron(
        "forwarding-outside",
        "POST",
        "/v2.0/networks",
        {"network": {"name": "forwarding-outside", "router:external": True}},
        user="admin",
        keep={"far": "network.id"},
    ),
    neutron(
        "forwarding-outside-subnet",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{far}", "ip_version": 4, "cidr": "198.51.100.0/28"}},
        user="admin",
    ),
    neutron(
        "forwarding-inside", "POST", "/v2.0/networks", {"network": {"name": "inside"}}, keep={"near": "network.id"}
    ),
    neutron(
        "forwarding-inside-subnet",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{near}", "ip_version": 4, "cidr": "192.0.2.0/24"}},
        keep={"near_subnet": "subnet.id"},
    ),
    neutron(
        "forwarding-port",
        "POST",
        "/v2.0/ports",
        {"port": {"network_id": "{near}", "fixed_ips": [{"ip_address": "192.0.2.20"}]}},
        keep={"target": "port.id"},
    ),
    neutron(
        "forwarding-floating",
        "POST",
        "/v2.0/floatingips",
        {"floatingip": {"floating_network_id": "{far}"}},
        keep={"floating": "floatingip.id"},
    ),
    forwarding("unreachable"),
    neutron(
        "forwarding-router",
        "POST",
        "/v2.0/routers",
        {"router": {"name": "forwarding", "external_gateway_info": {"network_id": "{far}"}}},
        keep={"way": "router.id"},
    ),
    neutron("forwarding-join", "PUT", "/v2.0/routers/{way}/add_router_interface", {"subnet_id": "{near_subnet}"}),
    neutron(
        "forwarding-create", "POST", FORWARDING, {"port_forwarding": FORWARDED}, keep={"forward": "port_forwarding.id"}
    ),
    neutron("forwarding-create-empty", "POST", FORWARDING, {}),
    neutron("forwarding-create-reader", "POST", FORWARDING, {"port_forwarding": FORWARDED}, user="rita"),
    neutron("forwarding-create-foreign", "POST", FORWARDING, {"port_forwarding": FORWARDED}, user="bob"),
    forwarding("no-protocol", protocol=...),
    forwarding("bad-protocol", protocol="x", external_port=2223),
    forwarding("bad-port", external_port=70000),
    forwarding("text-port", external_port="x"),
    forwarding("bad-address", internal_ip_address="x", external_port=2223),
    forwarding("unknown-port", internal_port_id=NOBODY, external_port=2223),
    forwarding("unknown-key", colour="red"),
    forwarding("again"),
    forwarding("same-outside", internal_port=23),
    forwarding("same-inside", external_port=2223),
    neutron("forwarding-list", "GET", FORWARDING),
    neutron("forwarding-list-protocol", "GET", f"{FORWARDING}?protocol=udp"),
    neutron("forwarding-show", "GET", f"{FORWARDING}/{{forward}}"),
    neutron("forwarding-show-unknown", "GET", f"{FORWARDING}/{NOBODY}"),
    neutron("forwarding-show-foreign", "GET", f"{FORWARDING}/{{forward}}", user="bob"),
    neutron("forwarding-nowhere", "GET", f"/v2.0/floatingips/{NOBODY}/port_forwardings"),
    neutron("forwarding-update", "PUT", f"{FORWARDING}/{{forward}}", {"port_forwarding": {"external_port": 2224}}),
    neutron(
        "forwarding-update-reader",
        "PUT",
        f"{FORWARDING}/{{forward}}",
        {"port_forwarding": {"external_port": 2224}},
        user="rita",
    ),
    neutron("forwarding-floating-show", "GET", "/v2.0/floatingips/{floating}"),
    neutron("forwarding-associate", "PUT", "/v2.0/floatingips/{floating}", {"floatingip": {"port_id": "{target}"}}),
    neutron("forwarding-floating-delete", "DELETE", "/v2.0/floatingips/{floating}"),
    neutron("forwarding-delete-reader", "DELETE", f"{FORWARDING}/{{forward}}", user="rita"),
    neutron("forwarding-delete", "DELETE", f"{FORWARDING}/{{forward}}"),
    neutron("forwarding-delete-again", "DELETE", f"{FORWARDING}/{{forward}}"),
    neutron("forwarding-floating-delete-2", "DELETE", "/v2.0/floatingips/{floating}"),
    neutron("forwarding-leave", "PUT", "/v2.0/routers/{way}/remove_router_interface", {"subnet_id": "{near_subnet}"}),
    neutron("forwarding-router-delete", "DELETE", "/v2.0/routers/{way}"),
    neutron("forwarding-port-delete", "DELETE", "/v2.0/ports/{target}"),
    neutron("forwarding-inside-delete", "DELETE", "/v2.0/networks/{near}"),
    neutron("forwarding-outside-delete", "DELETE", "/v2.0/networks/{far}", user="admin"),
)

MORE: Final = (
    neutron("zones", "GET", "/v2.0/availability_zones"),
    neutron("agents-member", "GET", "/v2.0/agents"),
    neutron("trunks", "GET", "/v2.0/trunks"),
    neutron("qos", "GET", "/v2.0/qos/policies"),
    neutron("extension", "GET", "/v2.0/extensions/router"),
    neutron("extension-unknown", "GET", "/v2.0/extensions/nothing"),
)

SINGLE: Final = (
    neutron("single-network", "POST", "/v2.0/networks", {"network": {"name": "single"}}, keep={"single": "network.id"}),
    neutron(
        "single-no-gateway",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{single}", "ip_version": 4, "cidr": "192.0.2.0/24", "gateway_ip": None}},
        keep={"single_subnet": "subnet.id"},
    ),
    neutron("single-no-gateway-show", "GET", "/v2.0/subnets/{single_subnet}"),
    neutron("single-gateway-update", "PUT", "/v2.0/subnets/{single_subnet}", {"subnet": {"gateway_ip": "192.0.2.9"}}),
    neutron("single-gateway-remove", "PUT", "/v2.0/subnets/{single_subnet}", {"subnet": {"gateway_ip": None}}),
    neutron(
        "single-outside",
        "POST",
        "/v2.0/networks",
        {"network": {"name": "single-outside", "router:external": True}},
        user="admin",
        keep={"away": "network.id"},
    ),
    neutron(
        "single-outside-subnet",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{away}", "ip_version": 4, "cidr": "198.51.100.0/28"}},
        user="admin",
        keep={"away_subnet": "subnet.id"},
    ),
    neutron(
        "single-floating-subnet",
        "POST",
        "/v2.0/floatingips",
        {"floatingip": {"floating_network_id": "{away}", "subnet_id": "{away_subnet}"}},
        keep={"away_floating": "floatingip.id"},
    ),
    neutron(
        "single-floating-other-subnet",
        "POST",
        "/v2.0/floatingips",
        {"floatingip": {"floating_network_id": "{away}", "subnet_id": "{single_subnet}"}},
    ),
    neutron("single-floating-delete", "DELETE", "/v2.0/floatingips/{away_floating}"),
    neutron(
        "single-router",
        "POST",
        "/v2.0/routers",
        {"router": {"name": "single", "external_gateway_info": {"network_id": "{away}"}}},
        keep={"single_router": "router.id"},
    ),
    neutron("single-gateway-empty", "PUT", "/v2.0/routers/{single_router}", {"router": {"external_gateway_info": {}}}),
    neutron("single-router-delete", "DELETE", "/v2.0/routers/{single_router}"),
    neutron("single-subnet-delete", "DELETE", "/v2.0/subnets/{single_subnet}"),
    neutron("single-network-delete", "DELETE", "/v2.0/networks/{single}"),
    neutron("single-outside-delete", "DELETE", "/v2.0/networks/{away}", user="admin"),
)

STEPS: Final = (*SINGLE, *SUBNET_POOLS, *RIGHTS, *FORWARDINGS, *MORE)
