"""The microversions of requests to the in-memory Nova."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from hyperx_glance.testing.memory.wire import Call, Record, Refused

NEWEST = (2, 104)


def parsed_version(version: str) -> tuple[int, int]:
    """Read "2.96" as (2, 96)."""
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)


def microversion(call: Call) -> tuple[int, int]:
    """Return the microversion that a request asks for."""
    asked = call.headers.get("x-openstack-nova-api-version", "")
    match = re.search(r"compute\s+(\S+)", call.headers.get("openstack-api-version", ""))
    asked = match.group(1) if match else asked
    if asked == "latest":
        return NEWEST
    if asked and not re.fullmatch(r"[1-9]\d*\.(0|[1-9]\d*)", asked):
        words = f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        raise Refused(400, words)
    return parsed_version(asked or "2.1")


Versions: TypeAlias = Mapping[str, tuple[tuple[int, int], tuple[int, int]]]
"""The first and the last microversion that shows a key."""


def _since(minor: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (2, minor), NEWEST


def _until(minor: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (2, 1), (2, minor)


# nova/api/openstack/rest_api_version_history.rst
SERVER: Versions = {
    "locked": _since(9),
    "description": _since(19),
    "tags": _since(26),
    "trusted_image_certificates": _since(63),
    "server_groups": _since(71),
    "locked_reason": _since(73),
    "pinned_availability_zone": _since(96),
    "scheduler_hints": _since(100),
    "OS-EXT-SRV-ATTR:kernel_id": _since(3),
    "OS-EXT-SRV-ATTR:launch_index": _since(3),
    "OS-EXT-SRV-ATTR:ramdisk_id": _since(3),
    "OS-EXT-SRV-ATTR:reservation_id": _since(3),
    "OS-EXT-SRV-ATTR:root_device_name": _since(3),
    "OS-EXT-SRV-ATTR:user_data": _since(3),
    "host_status": _since(16),
}
FLAVOR: Versions = {
    "description": _since(55),
    "extra_specs": _since(61),
    "OS-FLV-DISABLED:disabled": _until(74),
    "rxtx_factor": _until(74),
}
ATTACHMENT: Versions = {
    "id": _until(88),
    "tag": _since(70),
    "delete_on_termination": _since(79),
    "attachment_id": _since(89),
    "bdm_uuid": _since(89),
}
KEYPAIR: Versions = {"type": _since(2)}
HYPERVISOR: Versions = {
    "vcpus": _until(87),
    "memory_mb": _until(87),
    "local_gb": _until(87),
    "vcpus_used": _until(87),
    "memory_mb_used": _until(87),
    "local_gb_used": _until(87),
    "free_ram_mb": _until(87),
    "free_disk_gb": _until(87),
    "current_workload": _until(87),
    "running_vms": _until(87),
    "disk_available_least": _until(87),
    "cpu_info": _until(87),
    "uptime": _since(88),
}
SERVICE: Versions = {"forced_down": _since(11)}
AGGREGATE: Versions = {"uuid": _since(41)}
DEED: Versions = {"updated_at": _since(58)}
MIGRATION: Versions = {
    "migration_type": _since(23),
    "uuid": _since(59),
    "user_id": _since(80),
    "project_id": _since(80),
}
LIMITS: Versions = {
    "maxImageMeta": _until(38),
    "maxPersonality": _until(56),
    "maxPersonalitySize": _until(56),
    "maxSecurityGroupRules": _until(35),
    "maxSecurityGroups": _until(35),
    "maxTotalFloatingIps": _until(35),
    "totalFloatingIpsUsed": _until(35),
    "totalSecurityGroupsUsed": _until(35),
}
QUOTA: Versions = {
    "fixed_ips": _until(35),
    "floating_ips": _until(35),
    "injected_file_content_bytes": _until(56),
    "injected_file_path_bytes": _until(56),
    "injected_files": _until(56),
    "security_group_rules": _until(35),
    "security_groups": _until(35),
}
GROUP: Versions = {
    "metadata": _until(63),
    "policies": _until(63),
    "policy": _since(64),
    "rules": _since(64),
    "project_id": _since(13),
    "user_id": _since(13),
}


def shown(view: Mapping[str, object], versions: Versions, version: tuple[int, int]) -> Record:
    """Leave out the keys that this microversion does not show."""
    return {
        key: value
        for key, value in view.items()
        if key not in versions or versions[key][0] <= version <= versions[key][1]
    }
