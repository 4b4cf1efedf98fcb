"""The resources that are limited, and what each service calls them: the one table of these words.

>>> from hyperx_glance.quotas.resources import field_of
>>> field_of("class:MEMORY_MB"), field_of("volumes_ssd"), field_of("ports")
('ram_mib', 'volumes', 'ports')
"""

from typing import Literal, NamedTuple


class Resource(NamedTuple):
    """Name one limited resource.

    ``field`` is its name in `DepartmentQuota`; ``word`` the service's own, in Keystone's limit or in the quota set of
    Nova or Cinder; ``used`` and ``limit`` are the keys in what ``/limits`` answers for the caller's own department;
    ``aliases`` are further words for it in refusals.
    """

    field: str
    service: Literal["image", "compute", "block-storage"]
    word: str
    used: str = ""
    limit: str = ""
    aliases: tuple[str, ...] = ()


# glance/quota/keystone.py; nova/quota.py and nova/limit/placement.py, whose unified limits have words of their own;
# cinder/quota.py.
RESOURCES = (
    Resource("images", "image", "image_count_total"),
    Resource("image_size_mib", "image", "image_size_total"),
    Resource("staging_mib", "image", "image_stage_total"),
    Resource("uploading", "image", "image_count_uploading"),
    Resource("instances", "compute", "instances", "totalInstancesUsed", "maxTotalInstances", aliases=("servers",)),
    Resource("cores", "compute", "cores", "totalCoresUsed", "maxTotalCores", aliases=("class:VCPU",)),
    Resource("ram_mib", "compute", "ram", "totalRAMUsed", "maxTotalRAMSize", aliases=("class:MEMORY_MB",)),
    Resource("volumes", "block-storage", "volumes", "totalVolumesUsed", "maxTotalVolumes"),
    Resource("volume_gib", "block-storage", "gigabytes", "totalGigabytesUsed", "maxTotalVolumeGigabytes"),
)
"""In the order of the fields of `DepartmentQuota`."""
IMAGE_RESOURCES = tuple(resource for resource in RESOURCES if resource.service == "image")
COMPUTE_RESOURCES = tuple(resource for resource in RESOURCES if resource.service == "compute")
VOLUME_RESOURCES = tuple(resource for resource in RESOURCES if resource.service == "block-storage")
FIELDS = tuple(resource.field for resource in RESOURCES)
WORDS = frozenset(word for each in RESOURCES for word in (each.word, each.used, each.limit) if word)
"""What is read of an answer; the services tell of more."""
_FIELD_OF = {word: each.field for each in RESOURCES for word in (each.word, *each.aliases)}


def known(word: str) -> bool:
    """Tell whether a service's word is one of a resource here."""
    return word in _FIELD_OF


def field_of(word: str) -> str:
    """Give the field that a service's word means; the word itself where it means none.

    Cinder counts each volume type beside the whole: "volumes_ssd" (cinder/quota.py, VolumeTypeResource).
    """
    return _FIELD_OF.get(word) or _FIELD_OF.get(word.partition("_")[0], word)


def word_of(field: str) -> str:
    """Give the service's word for a field."""
    return RESOURCES[FIELDS.index(field)].word


def position(field: str) -> int:
    """Give the position of a field in the order of `DepartmentQuota`; what is no field of it comes last."""
    return FIELDS.index(field) if field in FIELDS else len(FIELDS)
