"""The kinds of objects of the in-memory Neutron, and the fields that a request may set."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from hyperx_glance.testing.memory.wire import Record, Refused

Check = Callable[[object], str | Refused | None]
"""A check that returns the problem of a value, as a reason or as a refusal, or None."""


_PROTOCOL_NUMBERS: Final = 256
_PROTOCOLS: Final = (
    None,
    "any",
    "ah",
    "dccp",
    "egp",
    "esp",
    "gre",
    "hopopt",
    "icmp",
    "igmp",
    "ip",
    "ipip",
    "ipv6-encap",
    "ipv6-frag",
    "ipv6-icmp",
    "icmpv6",
    "ipv6-nonxt",
    "ipv6-opts",
    "ipv6-route",
    "ospf",
    "pgm",
    "rsvp",
    "sctp",
    "tcp",
    "udp",
    "udplite",
    "vrrp",
)


def _text(longest: int) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"'{value}' is not a valid string"
        return f"'{value}' exceeds maximum length of {longest}" if len(value) > longest else None

    return check


def _flag(value: object) -> Refused | None:
    good = isinstance(value, bool) or str(value).lower() in ("true", "false", "0", "1")
    return None if good else invalid(f"'{value}' cannot be converted to boolean.")


def invalid(words: str) -> Refused:
    """Return the refusal of a value that no schema checks (neutron_lib/exceptions, InvalidInput)."""
    return Refused(400, f"Invalid input for operation: {words}", detail="InvalidInput")


def _is_network(value: object) -> bool:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return True


def _network(value: object) -> Refused | None:
    return None if _is_network(value) else invalid(f"{value} is not in a CIDR format.")


def _prefix(value: object) -> Refused | None:
    if value is None or _is_network(value):
        return None
    return Refused(400, f"Invalid CIDR {value} given as IP prefix.", detail="InvalidCIDR")


def _address(value: object) -> str | None:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return None if value is None else f"'{value}' is not a valid IP address"
    return None


def _mac(value: object) -> str | None:
    good = re.fullmatch("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", str(value))
    return None if good else f"'{value}' is not a valid MAC address"


def _family(value: object) -> Refused | None:
    if value in ("IPv4", "IPv6", None):
        return None
    words = f"Security group rule for ethertype '{value}' not supported. Allowed values are ['IPv4', 'IPv6']."
    return Refused(400, words, detail="SecurityGroupRuleInvalidEtherType")


def _protocol(value: object) -> Refused | None:
    if value in _PROTOCOLS or (str(value).isdigit() and int(str(value)) < _PROTOCOL_NUMBERS):
        return None
    words = f"Security group rule protocol {value} not supported. Only protocol values {_PROTOCOLS}"
    words += " and integer representations [0 to 255] are supported."
    return Refused(400, words, detail="SecurityGroupRuleInvalidProtocol")


def _gateway(value: object) -> str | None:
    if value is None or (isinstance(value, dict) and "network_id" in value):
        return None
    keys = "{'network_id'}"
    given = "{" + ", ".join(repr(key) for key in value) + "}" if isinstance(value, dict) else "{}"
    return f"Validation of dictionary's keys failed. Expected keys: {keys} Provided keys: {given}"


def _one_of(*words: object) -> Check:
    return lambda value: None if value in words else f"{value} is not in valid_values"


@dataclasses.dataclass(frozen=True)
class Kind:
    """The names and rules of one kind of objects."""

    member: str
    collection: str
    title: str
    """The name of one in errors: "Network" makes NetworkNotFound."""
    checks: Mapping[str, Check]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    """Fields that cannot be changed afterwards."""
    limit: str = ""
    first_revision: int = 0
    """The number of a new thing's first revision: higher if Neutron writes twice to create it."""
    own: bool = False
    """Whether the plug-in itself has it, and no extension: bodies are then checked with other messages."""

    @property
    def called(self) -> str:
        """The message for a missing one."""
        names = {"SecurityGroup": "Security group", "SecurityGroupRule": "Security group rule"}
        return {**names, "FloatingIP": "Floating IP"}.get(self.title, self.title)


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
    first_revision=1,
    own=True,
)
SUBNET: Final = Kind(
    "subnet",
    "subnets",
    "Subnet",
    {**_NAMED, "ip_version": _one_of(4, 6, "4", "6"), "cidr": _network, "gateway_ip": _address, "enable_dhcp": _flag},
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
        "subnetpool_id": None,
        "router:external": False,
        "tags": (),
    },
    fixed=("network_id", "ip_version", "cidr"),
    limit="subnet",
    own=True,
)
PORT: Final = Kind(
    "port",
    "ports",
    "Port",
    {**_NAMED, "admin_state_up": _flag, "port_security_enabled": _flag, "mac_address": _mac},
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
        "port_security_enabled": True,
        "tags": (),
    },
    fixed=("network_id", "mac_address"),
    limit="port",
    first_revision=1,
    own=True,
)
GROUP: Final = Kind(
    "security_group",
    "security-groups",
    "SecurityGroup",
    {**_NAMED, "stateful": _flag},
    defaults={"name": "", "description": "", "stateful": True, "shared": False, "tags": ()},
    limit="security_group",
    first_revision=1,
)
RULE: Final = Kind(
    "security_group_rule",
    "security-group-rules",
    "SecurityGroupRule",
    {
        "description": _text(255),
        "direction": _one_of("ingress", "egress"),
        "ethertype": _family,
        "protocol": _protocol,
        "remote_ip_prefix": _prefix,
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
    {**_NAMED, "admin_state_up": _flag, "external_gateway_info": _gateway},
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
    first_revision=1,
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
    """Return one thing's description in a request's body; refuse missing or wrong values (neutron/api/v2/base.py)."""
    if not isinstance(given, dict):
        raise Refused(400, f"Unable to find '{kind.member}' in request body")
    for key in kind.required if creating else ():
        if key not in given:
            raise Refused(400, f"Failed to parse request. Required attribute '{key}' not specified")
    known = {*kind.checks, *kind.required, *kind.defaults, *_MORE}
    unknown = sorted(set(given) - known)
    if unknown:
        raise Refused(400, f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    for key, check in kind.checks.items():
        wrong = check(given[key]) if key in given else None
        if isinstance(wrong, Refused):
            raise wrong
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
