"""What the in-memory Neutron keeps of each kind of thing, and what a request may say of it."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from hyperx_glance.testing.memory.wire import Record, Refused

Check = Callable[[object], str | None]
"""Gives what is wrong with a value, or None."""


def _text(longest: int) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"'{value}' is not a valid string"
        return f"'{value}' exceeds maximum length of {longest}" if len(value) > longest else None

    return check


def _flag(value: object) -> str | None:
    good = isinstance(value, bool) or str(value).lower() in ("true", "false", "0", "1")
    return None if good else f"'{value}' cannot be converted to boolean"


def _network(value: object) -> str | None:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return f"'{value}' is neither a valid IPv4 nor IPv6 subnet"
    return None


def _one_of(*words: object) -> Check:
    return lambda value: None if value in words else f"'{value}' is not in {list(words)}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """Say how things of one kind are called, and what is true of all of them."""

    member: str
    collection: str
    title: str
    """How errors call one: "Network" makes NetworkNotFound."""
    checks: Mapping[str, Check]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    """What cannot be changed afterwards."""
    limit: str = ""


_NAMED: Final = {"name": _text(255), "description": _text(255)}

NETWORK: Final = Kind(
    "network",
    "networks",
    "Network",
    {**_NAMED, "admin_state_up": _flag, "shared": _flag, "router:external": _flag},
    defaults={
        "name": "",
        "description": "",
        "admin_state_up": True,
        "status": "ACTIVE",
        "shared": False,
        "router:external": False,
        "mtu": 1500,
        "subnets": (),
        "availability_zone_hints": (),
        "availability_zones": (),
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "port_security_enabled": True,
        "qinq": False,
        "vlan_transparent": False,
        "tags": (),
    },
    limit="network",
)
SUBNET: Final = Kind(
    "subnet",
    "subnets",
    "Subnet",
    {**_NAMED, "ip_version": _one_of(4, 6, "4", "6"), "cidr": _network, "enable_dhcp": _flag},
    required=("network_id", "ip_version"),
    defaults={
        "name": "",
        "description": "",
        "enable_dhcp": True,
        "dns_nameservers": (),
        "host_routes": (),
        "service_types": (),
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "segment_id": None,
        "subnetpool_id": None,
        "dns_publish_fixed_ip": False,
        "router:external": False,
        "tags": (),
    },
    fixed=("network_id", "ip_version", "cidr"),
    limit="subnet",
)
PORT: Final = Kind(
    "port",
    "ports",
    "Port",
    {**_NAMED, "admin_state_up": _flag, "port_security_enabled": _flag},
    required=("network_id",),
    defaults={
        "name": "",
        "description": "",
        "admin_state_up": True,
        "status": "DOWN",
        "device_id": "",
        "device_owner": "",
        "allowed_address_pairs": (),
        "binding:vnic_type": "normal",
        "extra_dhcp_opts": (),
        "hardware_offload_type": None,
        "port_security_enabled": True,
        "propagate_uplink_status": True,
        "tags": (),
    },
    fixed=("network_id", "mac_address"),
    limit="port",
)
GROUP: Final = Kind(
    "security_group",
    "security-groups",
    "SecurityGroup",
    {**_NAMED, "stateful": _flag},
    required=("name",),
    defaults={"description": "", "stateful": True, "shared": False, "tags": ()},
    limit="security_group",
)
RULE: Final = Kind(
    "security_group_rule",
    "security-group-rules",
    "SecurityGroupRule",
    {
        "description": _text(255),
        "direction": _one_of("ingress", "egress"),
        "ethertype": _one_of("IPv4", "IPv6", None),
        "remote_ip_prefix": lambda value: None if value is None else _network(value),
    },
    required=("direction", "security_group_id"),
    defaults={
        "description": "",
        "ethertype": "IPv4",
        "protocol": None,
        "port_range_min": None,
        "port_range_max": None,
        "remote_ip_prefix": None,
        "remote_group_id": None,
        "remote_address_group_id": None,
        "normalized_cidr": None,
        "belongs_to_default_sg": False,
    },
    limit="security_group_rule",
)
ROUTER: Final = Kind(
    "router",
    "routers",
    "Router",
    {**_NAMED, "admin_state_up": _flag},
    defaults={
        "name": "",
        "description": "",
        "admin_state_up": True,
        "status": "ACTIVE",
        "external_gateway_info": None,
        "availability_zone_hints": (),
        "availability_zones": (),
        "routes": (),
        "flavor_id": None,
        "tags": (),
    },
    limit="router",
)
FLOATING: Final = Kind(
    "floatingip",
    "floatingips",
    "FloatingIP",
    {"description": _text(255)},
    required=("floating_network_id",),
    defaults={
        "description": "",
        "port_id": None,
        "fixed_ip_address": None,
        "floating_ip_address": None,
        "router_id": None,
        "status": "DOWN",
        "tags": (),
    },
    fixed=("floating_network_id", "floating_ip_address"),
    limit="floatingip",
)
KINDS: Final = (NETWORK, SUBNET, PORT, GROUP, RULE, ROUTER, FLOATING)


def checked(kind: Kind, given: object, *, creating: bool) -> Record:
    """Give what a request's body says of one thing; refuse what is missing or wrong (neutron/api/v2/base.py)."""
    if not isinstance(given, dict):
        raise Refused(400, "Invalid input. 'NoneType' object is not a dict", detail="HTTPBadRequest")
    for key in kind.required if creating else ():
        if key not in given:
            raise Refused(400, f"Failed to parse request. Required attribute '{key}' not specified")
    known = {*kind.checks, *kind.required, *kind.defaults, *_MORE}
    unknown = sorted(set(given) - known)
    if unknown:
        raise Refused(400, f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    for key, check in kind.checks.items():
        wrong = check(given[key]) if key in given else None
        if wrong:
            raise Refused(400, f"Invalid input for {key}. Reason: {wrong}.")
    for key in () if creating else kind.fixed:
        if key in given:
            raise Refused(400, f"Cannot update read-only attribute {key}")
    return {key: _converted(key, kind, value) for key, value in given.items()}


def _converted(key: str, kind: Kind, value: object) -> object:
    if kind.checks.get(key) is _flag and not isinstance(value, bool):
        return str(value).lower() in ("true", "1")
    return int(str(value)) if key == "ip_version" else value


_MORE: Final = (
    "id",
    "tenant_id",
    "project_id",
    "mtu",
    "cidr",
    "gateway_ip",
    "allocation_pools",
    "fixed_ips",
    "mac_address",
    "security_groups",
    "binding:host_id",
    "binding:profile",
    "binding:vif_type",
    "binding:vif_details",
    "availability_zone_hints",
    "provider:network_type",
    "provider:physical_network",
    "provider:segmentation_id",
    "dns_name",
    "dns_domain",
    "numa_affinity_policy",
    "is_default",
)
