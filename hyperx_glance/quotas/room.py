"""The room that a department has left, and how Glance counts its images: pure functions.

>>> from hyperx_glance.models.quotas import DepartmentQuota
>>> from hyperx_glance.quotas.room import check_images
>>> check_images(DepartmentQuota(department="dept-a", images=Usage(used=1, limit=2)), size_mib=None)
"""

from collections.abc import Iterable

from hyperx_glance.models.image import Image
from hyperx_glance.models.quotas import DepartmentQuota
from hyperx_glance.models.record import GONE
from hyperx_glance.vocabulary import glance_key

MIB = 2**20

# Glance counts these as being uploaded, and the first two as staged (glance/db/sqlalchemy/api.py,
# _image_get_staging_usage_by_owner and _image_get_uploading_count_by_owner).
_STAGED = ("uploading", "importing")
_UPLOADING = (*_STAGED, "saving")
_GONE = ("killed", *GONE)
_WITH_DATA = ("active", "deactivated")


def check_images(quota: DepartmentQuota, *, size_mib: int | None) -> None:
    """Raise if one more image of this size would not fit; ``size_mib`` is None if the size is not known."""
    quota.check_room(images=1, image_size_mib=size_mib or 0, uploading=1)


def counts(image: Image) -> bool:
    """Check whether Glance counts a record; it may list deleted records."""
    return image.glance_status not in _GONE


def image_usage(images: Iterable[Image]) -> dict[str, int]:
    """Count as Glance does: every record that is not deleted, its size once per store, MiB rounded down."""
    count = uploading = stored = staged = 0
    for image in images:
        if not counts(image):
            continue
        size = image.size or 0
        copying = bool(image.glance_property(glance_key("importing_to")))
        count += 1
        uploading += (image.glance_status in _UPLOADING) + (copying and image.glance_status not in _UPLOADING)
        staged += size if image.glance_status in _STAGED or copying else 0
        # A Glance with a single store sends no stores.
        stored += size * (len(image.stores) or (image.glance_status in _WITH_DATA))
    return {
        "images": count,
        "image_size_mib": stored // MIB,
        "staging_mib": staged // MIB,
        "uploading": uploading,
    }
