"""The one table of limited resources, with their names in each service.

>>> from hyperx_glance.quotas.resources import field_of
>>> field_of("class:MEMORY_MB"), field_of("volumes_ssd"), field_of("ports")
('ram_mib', 'volumes', 'ports')
"""

from typing import Literal, NamedTuple


class Resource(NamedTuple):
    """One limited resource.

    ``field`` is its name in `DepartmentQuota`, and ``word`` its name in Keystone's limits or in the quota set of Nova
    or Cinder. ``used`` and ``limit`` are the keys in the response of ``/limits`` for the caller's own department.
    ``unified`` is the name among Keystone's unified limits, if a service can have its limits there, too.
    """

    field: str
    service: Literal["image", "compute", "block-storage"]
    word: str
    used: str = ""
    limit: str = ""
    unified: str = ""


# glance/quota/keystone.py; nova/quota.py and nova/limit/placement.py, whose unified limits have other names;
# cinder/quota.py.
RESOURCES = (
    Resource("images", "image", "image_count_total"),
    Resource("image_size_mib", "image", "image_size_total"),
    Resource("staging_mib", "image", "image_stage_total"),
    Resource("uploading", "image", "image_count_uploading"),
    Resource("instances", "compute", "instances", "totalInstancesUsed", "maxTotalInstances", "servers"),
    Resource("cores", "compute", "cores", "totalCoresUsed", "maxTotalCores", "class:VCPU"),
    Resource("ram_mib", "compute", "ram", "totalRAMUsed", "maxTotalRAMSize", "class:MEMORY_MB"),
    Resource("volumes", "block-storage", "volumes", "totalVolumesUsed", "maxTotalVolumes"),
    Resource("volume_gib", "block-storage", "gigabytes", "totalGigabytesUsed", "maxTotalVolumeGigabytes"),
)
"""In the order of the fields of `DepartmentQuota`."""
IMAGE_RESOURCES = tuple(resource for resource in RESOURCES if resource.service == "image")
COMPUTE_RESOURCES = tuple(resource for resource in RESOURCES if resource.service == "compute")
VOLUME_RESOURCES = tuple(resource for resource in RESOURCES if resource.service == "block-storage")
FIELDS = tuple(resource.field for resource in RESOURCES)
WORDS = frozenset(word for each in RESOURCES for word in (each.word, each.used, each.limit) if word)
"""The names that are read from a response; the services report more."""
# Nova enforces these, too, but neither shows nor counts them for callers (nova/limit/placement.py and local.py).
_ONLY_IN_REFUSALS = {
    "class:DISK_GB": "disk_gib",
    "class:PCPU": "pinned_cores",
    "metadata_items": "metadata_items",
    "server_metadata_items": "metadata_items",
}
_FIELD_OF = _ONLY_IN_REFUSALS | {word: each.field for each in RESOURCES for word in (each.word, each.unified) if word}


def known(word: str) -> bool:
    """Check whether a service's word names a resource of this table."""
    return word in _FIELD_OF


def field_of(word: str) -> str:
    """Return the field for a service's word, or the word itself if there is none.

    Besides all volumes, Cinder counts those of each type: "volumes_ssd" (cinder/quota.py, VolumeTypeResource).
    """
    return _FIELD_OF.get(word) or _FIELD_OF.get(word.partition("_")[0], word)


def position(field: str) -> int:
    """Return the position of a field in the order of `DepartmentQuota`; other words come last."""
    return FIELDS.index(field) if field in FIELDS else len(FIELDS)
