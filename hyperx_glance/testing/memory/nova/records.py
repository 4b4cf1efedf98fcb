"""What the in-memory Nova keeps: flavors and servers."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from hyperx_glance.testing.memory.wire import Caller, Record

GIB = 1 << 30


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


VM_STATES = {"BUILD": "building", "ACTIVE": "active", "ERROR": "error", "SHUTOFF": "stopped"}


@dataclasses.dataclass(frozen=True)
class Flavor:
    """Say how large servers are: MiB, GiB, processors."""

    id: str
    name: str
    ram: int
    disk: int
    vcpus: int
    ephemeral: int = 0


@dataclasses.dataclass
class Server:
    """Hold one server."""

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
    networks: list[Record] = dataclasses.field(default_factory=list)
    volumes: list[tuple[str, bool]] = dataclasses.field(default_factory=list)
    """Ids of volumes, and whether they go with the server."""
    image_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    """The image's properties as they were: later edits do not reach the server."""
    fault: Record | None = None
    planned_fault: str | None = None
    launched_at: datetime | None = None
    hostname: str = ""
    group_id: str | None = None
    created_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    deleting: bool = False
    snapshot_id: str | None = None
    """The image into which the disk is being copied."""
    snapshot_reads_left: int = 0
    visible_after: int = 0

    @property
    def user_data(self) -> bytes:
        """The user data as the guest reads it."""
        return base64.b64decode(self.body.get("user_data") or "")
