"""The records of the in-memory Nova: flavors and servers."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Self

from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.wire import Caller, Record

HOST = "host1"
"""The one host."""
GIB = 1 << 30
_LONGEST_PROPERTY = 255
_NOT_KEPT = ("mappings", "block_device_mapping", "img_mappings", "img_block_device_mapping")
"""Properties that Nova does not keep for a server (nova/utils.py, SM_SKIP_KEYS)."""


PasswordChanges = Literal["accepted", "by_image", "no_agent", "silent_agent"]


DEFAULT_QUOTA: Mapping[str, int] = {
    "cores": 20,
    "instances": 10,
    "key_pairs": 100,
    "metadata_items": 128,
    "ram": 51200,
    "server_group_members": 10,
    "server_groups": 10,
    "fixed_ips": -1,
    "floating_ips": -1,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "injected_files": 5,
    "security_group_rules": -1,
    "security_groups": -1,
}


UNIFIED_LIMITS: Mapping[str, str] = {"instances": "servers", "cores": "class:VCPU", "ram": "class:MEMORY_MB"}
"""The unified limits for the resources of a quota set (nova/limit/placement.py); there is also class:DISK_GB."""

VM_STATES = {
    "BUILD": "building",
    "ACTIVE": "active",
    "ERROR": "error",
    "SHUTOFF": "stopped",
    "PAUSED": "paused",
    "SUSPENDED": "suspended",
    "REBUILD": "active",
    "RESCUE": "rescued",
    "SHELVED": "shelved",
    "SHELVED_OFFLOADED": "shelved_offloaded",
    "SOFT_DELETED": "soft-delete",
    "VERIFY_RESIZE": "resized",
}
# nova/compute/power_state.py; the fake hypervisor's state for each (nova/virt/fake.py).
POWER_STATES = {"ACTIVE": 1, "REBUILD": 1, "RESCUE": 1, "VERIFY_RESIZE": 1, "PAUSED": 3, "SUSPENDED": 7, "SHUTOFF": 4}
POWER_STATES |= {"SHELVED": 4, "SHELVED_OFFLOADED": 4}


@dataclasses.dataclass
class Flavor:
    """The size of servers: MiB, GiB, processors."""

    id: str
    name: str
    ram: int
    disk: int
    vcpus: int
    ephemeral: int = 0
    swap: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    description: str | None = None
    extra_specs: dict[str, str] = dataclasses.field(default_factory=dict)
    projects: set[str] = dataclasses.field(default_factory=set)
    """The projects that may use a flavor that is not public."""

    def copied(self) -> Self:
        """Return the flavor as a server keeps it: later edits do not reach the server (nova/objects/instance.py)."""
        return dataclasses.replace(self, extra_specs=dict(self.extra_specs), projects=set(self.projects))


class Nic(NamedTuple):
    """A network of a new server: by an existing port, or by a new one."""

    network: Record
    port_id: str | None = None
    address: str | None = None


@dataclasses.dataclass
class ComputeService:
    """What administrators have set for a service of Nova."""

    status: str = "enabled"
    disabled_reason: str | None = None
    forced_down: bool = False


@dataclasses.dataclass
class Server:
    """One server."""

    id: str
    name: str
    caller: Caller
    flavor: Flavor
    image_id: str | None
    body: Record
    reservation_id: str
    number: int
    reads_left: int
    status: str = "BUILD"
    admin_pass: str = ""
    tags: list[str] = dataclasses.field(default_factory=list)
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    addresses: dict[str, list[Record]] = dataclasses.field(default_factory=dict)
    networks: list[Nic] = dataclasses.field(default_factory=list)
    own_ports: list[str] = dataclasses.field(default_factory=list)
    """Ports that Nova has made for the server, and deletes with it."""
    volumes: list[tuple[str, bool]] = dataclasses.field(default_factory=list)
    """Ids of volumes, and whether they are deleted with the server."""
    image_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    """The image's properties as they were: later edits do not reach the server."""
    fault: Record | None = None
    planned_fault: str | None = None
    launched_at: datetime | None = None
    hostname: str = ""
    group_id: str | None = None
    created_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    deleting: bool = False
    deleting_softly: bool = False
    """Whether it becomes SOFT_DELETED, from which it can be restored."""
    snapshot_id: str | None = None
    """The image into which the disk is being copied."""
    snapshot_reads_left: int = 0
    visible_after: int = 0
    locked: str = ""
    """The role of the user who has locked it: "owner", "admin" or "" for unlocked."""
    locked_reason: str | None = None
    becomes: str = ""
    """The status after a rebuild."""
    former_flavor: Flavor | None = None
    shelved_id: str | None = None
    """The image in which its disk waits."""
    pinned_zone: str | None = None
    deeds: list[Record] = dataclasses.field(default_factory=list)
    """The actions on the server (os-instance-actions)."""

    @property
    def user_data(self) -> bytes:
        """The user data as the guest reads it."""
        return base64.b64decode(self.body.get("user_data") or "")


def kept_properties(image: ImageRecord | None) -> dict[str, str]:
    """Return the image's properties that Nova keeps for a server (nova/utils.py, get_system_metadata_from_image)."""
    found = image.properties if image is not None else {}
    return {
        key: str(value).encode()[:_LONGEST_PROPERTY].decode(errors="ignore")
        for key, value in found.items()
        if key not in _NOT_KEPT
    }
