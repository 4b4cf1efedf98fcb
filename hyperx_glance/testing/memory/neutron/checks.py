"""What the in-memory Neutron says of wrong values in requests."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from hyperx_glance.testing.memory.wire import Refused

Check = Callable[[object], str | Refused | None]
"""A check that returns the problem of a value, as a reason or as a refusal, or None."""


UUID: Final = "[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
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


def text(longest: int) -> Check:
    """Return a check of a string."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"'{value}' is not a valid string"
        return f"'{value}' exceeds maximum length of {longest}" if len(value) > longest else None

    return check


def flag(value: object) -> Refused | None:
    """Check a flag."""
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


def network(value: object) -> Refused | None:
    """Check the addresses of a network."""
    return None if _is_network(value) else invalid(f"{value} is not in a CIDR format.")


def prefix(value: object) -> Refused | None:
    """Check the addresses of a rule."""
    if value is None or _is_network(value):
        return None
    return Refused(400, f"Invalid CIDR {value} given as IP prefix.", detail="InvalidCIDR")


def address(value: object) -> str | None:
    """Check an address."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return None if value is None else f"'{value}' is not a valid IP address"
    return None


def mac(value: object) -> str | None:
    """Check a hardware address."""
    good = re.fullmatch("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", str(value))
    return None if good else f"'{value}' is not a valid MAC address"


def family(value: object) -> Refused | None:
    """Check the family of a rule."""
    if value in ("IPv4", "IPv6", None):
        return None
    words = f"Security group rule for ethertype '{value}' not supported. Allowed values are ['IPv4', 'IPv6']."
    return Refused(400, words, detail="SecurityGroupRuleInvalidEtherType")


def protocol(value: object) -> Refused | None:
    """Check the protocol of a rule."""
    if value in _PROTOCOLS or (str(value).isdigit() and int(str(value)) < _PROTOCOL_NUMBERS):
        return None
    words = f"Security group rule protocol {value} not supported. Only protocol values {_PROTOCOLS}"
    words += " and integer representations [0 to 255] are supported."
    return Refused(400, words, detail="SecurityGroupRuleInvalidProtocol")


def gateway(value: object) -> str | None:
    """Check the way from a router to the outside."""
    if not value or (isinstance(value, dict) and "network_id" in value):
        return None
    keys = "{'network_id'}"
    given = "{" + ", ".join(repr(key) for key in value) + "}" if isinstance(value, dict) else "{}"
    return f"Validation of dictionary's keys failed. Expected keys: {keys} Provided keys: {given}"


def name(value: object) -> str | Refused | None:
    """Check a name that must not be blank."""
    if isinstance(value, str) and not value.strip():
        return f"'{value}' Blank strings are not permitted"
    return _wrong_text(value)


_wrong_text: Final = text(255)


def prefixes(value: object) -> str | Refused | None:
    """Check the prefixes of a pool."""
    if not isinstance(value, list):
        return f"'{value}' is not a list"
    for each in value:
        if not _is_network(each):
            return f"'{each}' is not a valid IP subnet"
    return None


def spans(value: object) -> str | Refused | None:
    """Check the addresses of a group."""
    wrong = prefixes(value)
    if wrong or not isinstance(value, list):
        return wrong
    twice = sorted({each for each in value if value.count(each) > 1})
    return f"Duplicate items in the list: '{', '.join(twice)}'" if twice else None


def identifiers(value: object) -> str | None:
    """Check a list of ids."""
    if not isinstance(value, list):
        return f"'{value}' is not a list"
    return next((f"'{each}' is not a valid UUID" for each in value if not re.fullmatch(UUID, str(each))), None)


def service(value: object) -> Refused | None:
    """Check the service that a flavor is of: a plug-in's type."""
    known = ("CORE", "L3_ROUTER_NAT", "FLAVORS", "PORTFORWARDING")
    return None if value in known else Refused(400, f"Invalid service type: {value}.", detail="InvalidServiceType")


def length(value: object) -> str | Refused | None:
    """Check the length of a prefix, or a number of addresses."""
    if not str(value).lstrip("-").isdecimal():
        return invalid(f"'{value}' is not an integer.")
    return f"'{value}' should be non-negative" if int(str(value)) < 0 else None


def sharable(value: object) -> Refused | None:
    """Check the kind of what a policy is about."""
    known = ("network", "security_group", "subnetpool", "address_scope", "address_group", "qos_policy")
    return None if value in known else invalid(f"'{value}' is not a valid RBAC object type.")


def target(value: object) -> Refused | None:
    """Check for whom a policy is."""
    good = value == "*" or re.fullmatch("[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(value))
    return None if good else invalid(f"'{value}' is not a valid target project ID; expected a UUID or '*'.")


def action(value: object) -> Refused | None:
    """Check what a policy allows."""
    if value in ("access_as_shared", "access_as_external"):
        return None
    words = f"Invalid action '{value}' for object type 'network'."
    return Refused(
        400, f"{words} Valid actions: ('access_as_shared', 'access_as_external')", detail="InvalidActionForType"
    )


def one_of(*words: object) -> Check:
    """Return a check of one of several words."""
    return lambda value: None if value in words else f"{value} is not in valid_values"
