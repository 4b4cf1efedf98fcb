"""What the in-memory Placement keeps: resource providers and consumers; and the names that are standard."""

from __future__ import annotations

import dataclasses
from typing import Final

from hyperx_glance.testing.memory.nova.hosts import SIZE, hypervisor_id
from hyperx_glance.testing.memory.nova.records import HOST
from hyperx_glance.testing.memory.wire import Record

CLASSES: Final = (
    *("VCPU", "MEMORY_MB", "DISK_GB", "PCI_DEVICE", "SRIOV_NET_VF", "NUMA_SOCKET", "NUMA_CORE", "NUMA_THREAD"),
    *("NUMA_MEMORY_MB", "IPV4_ADDRESS", "VGPU", "VGPU_DISPLAY_HEAD", "NET_BW_EGR_KILOBIT_PER_SEC"),
    *("NET_BW_IGR_KILOBIT_PER_SEC", "PCPU", "MEM_ENCRYPTION_CONTEXT", "FPGA", "PGPU"),
    *("NET_PACKET_RATE_KILOPACKET_PER_SEC", "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC"),
    "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
)
"""The standard classes of resources (os_resource_classes)."""
TRAITS: Final = (
    *("COMPUTE_NODE", "OWNER_NOVA", "COMPUTE_ACCELERATORS", "COMPUTE_ADDRESS_SPACE_EMULATED"),
    *("COMPUTE_ADDRESS_SPACE_PASSTHROUGH", "COMPUTE_DEVICE_TAGGING", "COMPUTE_IMAGE_TYPE_RAW"),
    *("COMPUTE_MEM_BACKING_FILE", "COMPUTE_NET_ATTACH_INTERFACE", "COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG"),
    *("COMPUTE_SECURITY_STATELESS_FIRMWARE", "COMPUTE_STORAGE_VIRTIO_FS", "COMPUTE_TRUSTED_CERTS"),
    *("COMPUTE_VOLUME_ATTACH_WITH_TAG", "COMPUTE_VOLUME_EXTEND", "COMPUTE_VOLUME_MULTI_ATTACH"),
)
"""The traits of Nova's fake hypervisor."""
OTHER_TRAITS: Final = (
    *("COMPUTE_VOLUME_ATTACH", "COMPUTE_STATUS_DISABLED", "COMPUTE_SAME_HOST_COLD_MIGRATE", "COMPUTE_RESCUE_BFV"),
    *("COMPUTE_SHARE_LOCAL_FS", "COMPUTE_MANAGED_PCI_DEVICE", "COMPUTE_MIGRATE_AUTO_CONVERGE"),
    *("COMPUTE_MIGRATE_POST_COPY", "COMPUTE_IMAGE_TYPE_ISO", "COMPUTE_IMAGE_TYPE_QCOW2", "COMPUTE_IMAGE_TYPE_VMDK"),
    *("COMPUTE_FIRMWARE_BIOS", "COMPUTE_FIRMWARE_UEFI", "COMPUTE_SECURITY_UEFI_SECURE_BOOT", "COMPUTE_ARCH_X86_64"),
    *("COMPUTE_ARCH_AARCH64", "COMPUTE_NET_VIF_MODEL_VIRTIO", "COMPUTE_STORAGE_BUS_VIRTIO"),
    *("MISC_SHARES_VIA_AGGREGATE", "OWNER_CYBORG"),
)
"""Those of the other standard traits (os_traits) that other providers are given most often; there are 377 in all."""
DEFAULT_INVENTORY: Final[Record] = {
    "reserved": 0,
    "min_unit": 1,
    "max_unit": 2**31 - 1,
    "step_size": 1,
    "allocation_ratio": 1.0,
}


@dataclasses.dataclass
class Provider:
    """One resource provider; its inventories are by class."""

    id: str
    name: str
    generation: int = 0
    parent_id: str | None = None
    inventories: dict[str, Record] = dataclasses.field(default_factory=dict)
    traits: list[str] = dataclasses.field(default_factory=list)
    aggregates: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def of_host(cls) -> Provider:
        """Return the provider that Nova makes of its host."""
        sizes = (("VCPU", "vcpus", 0, 4.0), ("MEMORY_MB", "memory_mb", 512, 1.0), ("DISK_GB", "local_gb", 0, 1.0))
        inventories = {
            name: {
                **DEFAULT_INVENTORY,
                "total": SIZE[size],
                "max_unit": SIZE[size],
                "reserved": reserved,
                "allocation_ratio": ratio,
            }
            for name, size, reserved, ratio in sizes
        }
        return cls(hypervisor_id(), HOST, 1, inventories=inventories)


@dataclasses.dataclass
class Consumer:
    """Whoever uses resources: amounts by provider and class."""

    id: str
    project_id: str
    user_id: str
    allocations: dict[str, dict[str, int]]
    generation: int = 1
    type: str = "INSTANCE"
