"""Changing a record of Glance by one patch, and seeing that Glance took it.

>>> from hyperx_glance.cloud.patching import apply
>>> from hyperx_glance.models import mapping
>>> from hyperx_glance.models.editing import ImageChanges
>>> image = cloud.image(hyperx_cloud.glance.add_image(owner="dept-a", name="debian"))
>>> changes = ImageChanges(name="debian-12")
>>> apply(cloud, image, lambda record: mapping.edit_patch(record, changes, public_visibility="community")).name
'debian-12'

The caller says why the patch may be sent again.
"""

from collections.abc import Callable, Mapping, Sequence

from hyperx_glance.cloud.cloud import PATCH_MEDIA_TYPE, Cloud, image_of
from hyperx_glance.errors import ConflictError, NotAllowedError
from hyperx_glance.models.image import Image
from hyperx_glance.models.mapping import Edit, json_patch, without_flag_removal
from hyperx_glance.texts import field_name, say


def belongs_to_another(cloud: Cloud, image: Image) -> bool:
    """Check whether only another department, and administrators, may change an image."""
    return not cloud.is_administrator and image.owner != cloud.project_id


def patch(
    cloud: Cloud, image: Image, operations: Sequence[Mapping[str, object]], *, media_type: str = PATCH_MEDIA_TYPE
) -> Image:
    """Send one patch, and return the record from Glance's response."""
    return image_of(cloud.patch_image(image.id, operations, media_type=media_type), image.id)


def apply(cloud: Cloud, image: Image, wanted: Callable[[Image], list[Edit]]) -> Image:
    """Make the edits that an image still lacks, and return the record as it is afterwards.

    ``wanted`` returns the edits that a record still lacks. If the caller may not remove the featured flag, the patch is
    sent without that edit. Raise `ConflictError` if Glance answered 200, but did not apply an edit.
    """
    edits = wanted(image)
    if not edits:
        return image
    try:
        after = patch(cloud, image, json_patch(edits))
    except NotAllowedError:
        without = without_flag_removal(image, edits)
        if without == edits or belongs_to_another(cloud, image):
            raise
        after = patch(cloud, image, json_patch(without))
    ignored = without_flag_removal(after, wanted(after))
    if ignored:
        raise ConflictError(
            say(
                "fields-not-taken",
                image=after.id,
                fields=list(map(field_name, sorted({edit.field for edit in ignored}))),
            ),
            hint=say("check-the-protections"),
        )
    return after
