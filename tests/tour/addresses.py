"""What the tour asks of Neutron about groups of addresses, and how many addresses of networks are free."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.neutron import NETWORKS, NOBODY, end, life
from tests.tour.others import neutron
from tests.tour.player import Step

GROUPS: Final = "/v2.0/address-groups"
GROUP: Final = f"{GROUPS}/{{address_group}}"
FREE: Final = "/v2.0/network-ip-availabilities"


def group(name: str, /, **given: Any) -> Step:  # noqa: ANN401 - as given
    """Create a group from these values, which are wrong."""
    return neutron(f"address-group-{name}", "POST", GROUPS, {"address_group": given})


def addresses(name: str, action: str, given: object, **more: Any) -> Step:  # noqa: ANN401 - as given
    return neutron(f"address-group-{name}", "PUT", f"{GROUP}/{action}_addresses", given, **more)


def free(name: str, query: str = "", **more: Any) -> Step:  # noqa: ANN401 - as given
    return neutron(f"availability-{name}", "GET", f"{FREE}{query}", **{"user": "admin", **more})


ADDRESS_GROUPS: Final = (
    *life(
        "address_group",
        {"name": "tour", "addresses": ["192.0.2.0/24"]},
        {"name": "tour-2", "description": "b"},
        "address-groups",
    ),
    group("bare"),
    group("not-list", addresses="192.0.2.0/24"),
    group("bad-address", addresses=["x"]),
    group("twice", addresses=["192.0.2.1/32", "192.0.2.1/32"]),
    group("name-number", name=5),
    neutron("address-group-update-addresses", "PUT", GROUP, {"address_group": {"addresses": []}}),
    addresses("add", "add", {"addresses": ["2001:db8::1/128"]}),
    addresses("add-again", "add", {"addresses": ["192.0.2.0/24"]}),
    addresses("add-bad", "add", {"addresses": ["x"]}),
    addresses("add-empty", "add", {}),
    addresses("add-reader", "add", {"addresses": ["192.0.3.0/24"]}, user="rita"),
    addresses("add-foreign", "add", {"addresses": ["192.0.3.0/24"]}, user="bob"),
    neutron("address-group-added", "GET", GROUP),
    addresses("remove", "remove", {"addresses": ["2001:db8::1/128"]}),
    addresses("remove-again", "remove", {"addresses": ["2001:db8::1/128"]}),
    neutron("address-group-list", "GET", f"{GROUPS}?name=tour-2"),
    neutron(
        "address-group-security-group",
        "POST",
        "/v2.0/security-groups",
        {"security_group": {"name": "addressed"}},
        keep={"addressed": "security_group.id"},
    ),
    neutron(
        "address-group-rule",
        "POST",
        "/v2.0/security-group-rules",
        {
            "security_group_rule": {
                "security_group_id": "{addressed}",
                "direction": "ingress",
                "remote_address_group_id": "{address_group}",
            }
        },
    ),
    neutron(
        "address-group-rule-unknown",
        "POST",
        "/v2.0/security-group-rules",
        {
            "security_group_rule": {
                "security_group_id": "{addressed}",
                "direction": "ingress",
                "remote_address_group_id": NOBODY,
            }
        },
    ),
    neutron("address-group-in-use", "DELETE", GROUP),
    neutron("address-group-security-group-delete", "DELETE", "/v2.0/security-groups/{addressed}"),
    *end("address_group", "address-groups"),
)
AVAILABILITY: Final = (
    neutron("availability-network", "POST", NETWORKS, {"network": {"name": "free"}}, keep={"free": "network.id"}),
    free("no-subnet", "/{free}"),
    neutron(
        "availability-subnet",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{free}", "ip_version": 4, "cidr": "192.0.2.0/28", "name": "inside"}},
    ),
    neutron(
        "availability-port",
        "POST",
        "/v2.0/ports",
        {"port": {"network_id": "{free}", "fixed_ips": [{"ip_address": "192.0.2.5"}]}},
        keep={"used": "port.id"},
    ),
    free("show", "/{free}"),
    free("member", "/{free}", user="alice"),
    free("unknown", f"/{NOBODY}"),
    free("list", "?network_name=free"),
    free("list-version", "?network_name=free&ip_version=6"),
    free("list-member", user="alice"),
    neutron("availability-port-delete", "DELETE", "/v2.0/ports/{used}"),
    neutron("availability-network-delete", "DELETE", f"{NETWORKS}/{{free}}"),
)
STEPS: Final = (*ADDRESS_GROUPS, *AVAILABILITY)
