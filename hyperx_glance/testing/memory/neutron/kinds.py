"""The kinds of objects of the in-memory Neutron, and the fields that a request may set."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from hyperx_glance.testing.memory.neutron import checks
from hyperx_glance.testing.memory.wire import Record, Refused


@dataclasses.dataclass(frozen=True)
class Kind:
    """The names and rules of one kind of objects."""

    member: str
    collection: str
    title: str
    """The name of one in errors: "Network" makes NetworkNotFound."""
    checks: Mapping[str, checks.Check]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    """Fields that cannot be changed afterwards."""
    limit: str = ""
    first_revision: int = 0
    """The number of a new thing's first revision: higher if Neutron writes twice to create it."""
    administered: bool = False
    """Whether it belongs to no project, and only administrators write it."""
    hidden: bool = False
    """Whether only administrators see it."""
    own: bool = False
    """Whether the plug-in itself has it, and no extension: bodies are then checked with other messages."""

    @property
    def called(self) -> str:
        """The message for a missing one."""
        return _CALLED.get(self.title, self.title)

    @property
    def dotted(self) -> bool:
        """Whether that message ends with a full stop."""
        return self.own or self.title in _DOTTED


_CALLED: Final = {
    "SecurityGroup": "Security group",
    "SecurityGroupRule": "Security group rule",
    "FloatingIP": "Floating IP",
    "SubnetPool": "Subnet pool",
    "AddressScope": "Address scope",
    "AddressGroup": "Address group",
    "ServiceProfile": "Service Profile",
    "DefaultSecurityGroupRule": "Default Security Group rule",
}
_DOTTED: Final = ("SubnetPool", "AddressScope", "AddressGroup", "Flavor", "ServiceProfile")
_NAMED: Final = {"name": checks.text(255), "description": checks.text(255)}

NETWORK: Final = Kind(
    "network",
    "networks",
    "Network",
    {
        **_NAMED,
        "admin_state_up": checks.flag,
        "shared": checks.flag,
        "router:external": checks.flag,
        "is_default": checks.flag,
    },
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
    {
        **_NAMED,
        "ip_version": checks.one_of(4, 6, "4", "6"),
        "cidr": checks.network,
        "gateway_ip": checks.address,
        "enable_dhcp": checks.flag,
    },
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
    {**_NAMED, "admin_state_up": checks.flag, "port_security_enabled": checks.flag, "mac_address": checks.mac},
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
    {**_NAMED, "stateful": checks.flag},
    defaults={"name": "", "description": "", "stateful": True, "shared": False, "tags": ()},
    limit="security_group",
    first_revision=1,
)
RULE: Final = Kind(
    "security_group_rule",
    "security-group-rules",
    "SecurityGroupRule",
    {
        "description": checks.text(255),
        "direction": checks.one_of("ingress", "egress"),
        "ethertype": checks.family,
        "protocol": checks.protocol,
        "remote_ip_prefix": checks.prefix,
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
    {
        **_NAMED,
        "admin_state_up": checks.flag,
        "external_gateway_info": checks.gateway,
        "distributed": checks.flag,
    },
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
    {"description": checks.text(255)},
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
POOL: Final = Kind(
    "subnetpool",
    "subnetpools",
    "SubnetPool",
    {
        "name": checks.name,
        "description": checks.text(255),
        "prefixes": checks.prefixes,
        "default_quota": checks.length,
        "default_prefixlen": checks.length,
        "min_prefixlen": checks.length,
        "max_prefixlen": checks.length,
        "is_default": checks.flag,
        "shared": checks.flag,
    },
    required=("name", "prefixes"),
    defaults={
        "description": "",
        "default_quota": None,
        "is_default": False,
        "shared": False,
        "address_scope_id": None,
        "tags": (),
    },
    fixed=("shared",),
    limit="subnetpool",
)
SCOPE: Final = Kind(
    "address_scope",
    "address-scopes",
    "AddressScope",
    {"name": checks.text(255), "shared": checks.flag, "ip_version": checks.one_of(4, 6, "4", "6")},
    required=("ip_version",),
    defaults={"name": "", "shared": False},
    fixed=("ip_version",),
)
POLICY: Final = Kind(
    "rbac_policy",
    "rbac-policies",
    "RbacPolicy",
    {"object_type": checks.sharable, "target_tenant": checks.target, "action": checks.action},
    required=("object_id", "target_tenant", "action"),
    defaults={},
    fixed=("object_type", "object_id", "action"),
    limit="rbac_policy",
)
ADDRESSES: Final = Kind(
    "address_group",
    "address-groups",
    "AddressGroup",
    {**_NAMED, "addresses": checks.spans},
    defaults={"name": "", "description": "", "addresses": ()},
    fixed=("addresses",),
)
FLAVOR: Final = Kind(
    "flavor",
    "flavors",
    "Flavor",
    {**_NAMED, "service_type": checks.service, "enabled": checks.flag, "service_profiles": checks.identifiers},
    required=("service_type",),
    defaults={"name": "", "description": "", "enabled": True, "service_profiles": ()},
    fixed=("service_type",),
    administered=True,
)
PROFILE: Final = Kind(
    "service_profile",
    "service_profiles",
    "ServiceProfile",
    {"description": checks.text(255), "driver": checks.text(255), "enabled": checks.flag},
    defaults={"description": "", "driver": "", "enabled": True, "metainfo": ""},
    administered=True,
    hidden=True,
)
DEFAULT_RULE: Final = Kind(
    "default_security_group_rule",
    "default-security-group-rules",
    "DefaultSecurityGroupRule",
    {
        **{key: RULE.checks[key] for key in ("description", "direction", "ethertype", "protocol", "remote_ip_prefix")},
        "used_in_default_sg": checks.flag,
        "used_in_non_default_sg": checks.flag,
    },
    required=("direction", "used_in_default_sg", "used_in_non_default_sg"),
    defaults={
        key: RULE.defaults[key] for key in RULE.defaults if key not in ("normalized_cidr", "belongs_to_default_sg")
    },
    fixed=(*RULE.defaults, "direction", "used_in_default_sg", "used_in_non_default_sg"),
    administered=True,
)
KINDS: Final = (
    *(NETWORK, SUBNET, PORT, GROUP, RULE, ROUTER, FLOATING, POOL, SCOPE, POLICY, ADDRESSES, FLAVOR, PROFILE),
    DEFAULT_RULE,
)


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
    if kind.checks.get(key) is checks.flag and not isinstance(value, bool):
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
    "subnet_id",
    "subnetpool_id",
    "prefixlen",
    "use_default_subnetpool",
    "object_id",
)
