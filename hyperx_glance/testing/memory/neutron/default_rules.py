"""The rules that new security groups get in the in-memory Neutron, as its database has them from the beginning.

>>> [(rule["direction"], rule["ethertype"]) for rule in legacy_rules() if rule["used_in_non_default_sg"]]
[('egress', 'IPv4'), ('egress', 'IPv6')]
"""

from __future__ import annotations

import uuid
from typing import Final

from hyperx_glance.testing.memory.wire import Record

PARENT: Final = "PARENT"
"""What a rule says instead of the id of the group that has it."""
COPIED: Final = (
    *("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix"),
    *("remote_group_id", "remote_address_group_id"),
)
"""What a group's rule takes over."""


def legacy_rules() -> list[Record]:
    """Return the rules of a new Neutron: everything may leave, and members of "default" reach each other."""
    made = [
        (direction, family, PARENT if direction == "ingress" else None)
        for family in ("IPv4", "IPv6")
        for direction in ("egress", "ingress")
    ]
    return [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{direction} {family}")),
            "project_id": "",
            "tenant_id": "",
            "ethertype": family,
            "direction": direction,
            "protocol": None,
            "port_range_min": None,
            "port_range_max": None,
            "remote_ip_prefix": None,
            "remote_address_group_id": None,
            "remote_group_id": group,
            "description": f"Legacy default SG rule for {direction} traffic",
            "used_in_default_sg": True,
            "used_in_non_default_sg": group is None,
            "revision_number": 0,
        }
        for direction, family, group in made
    ]
