"""Changing a record of Glance by one patch, and seeing that Glance took it.

>>> from hyperx_glance.cloud.patching import apply
>>> from hyperx_glance.waiting.pace import Pace
>>> from hyperx_glance.models import mapping
>>> from hyperx_glance.models.editing import ImageChanges
>>> image = cloud.image(hyperx_cloud.glance.add_image(owner="dept-a", name="debian"))
>>> changes = ImageChanges(name="debian-12")
>>> def wanted(record):
...     return mapping.edit_patch(record, changes, public_visibility="community")
>>> apply(cloud, Pace(), image, wanted).name
'debian-12'

The caller says why the patch may be sent again.
"""

from collections.abc import Callable, Mapping, Sequence

from hyperx_glance.cloud.cloud import PATCH_MEDIA_TYPE, Cloud, image_of
from hyperx_glance.cloud.members import NOT_SHARED, Access, remove_members
from hyperx_glance.errors import ConflictError, NotAllowedError
from hyperx_glance.models.image import Image
from hyperx_glance.models.mapping import Edit, json_patch, without_flag_removal
from hyperx_glance.models.record import is_being_captured, is_volume_snapshot
from hyperx_glance.texts import field_name, say
from hyperx_glance.waiting.pace import Pace, attempts, pause, wait_until

MOST_RIVALS = 20
"""How often others may write an image before a change of it gives up."""


def belongs_to_another(cloud: Cloud, image: Image) -> bool:
    """Check whether only another department, and administrators, may change an image."""
    return not cloud.is_administrator and image.owner != cloud.project_id


def check_for_others(image: Image) -> None:
    """Refuse to show other departments a record that is no image of its own."""
    if is_volume_snapshot(image):
        raise ConflictError(say("snapshot-on-volumes", image=image.id), hint=say("capture-the-server"))
    if is_being_captured(image):
        raise ConflictError(
            say("still-being-captured", image=image.id), hint=say("finish-the-capture", capture=image.capture_id)
        )


def patch(
    cloud: Cloud, image: Image, operations: Sequence[Mapping[str, object]], *, media_type: str = PATCH_MEDIA_TYPE
) -> Image:
    """Send one patch, and return the record from Glance's response."""
    return image_of(cloud.patch_image(image.id, operations, media_type=media_type), image.id)


def apply(cloud: Cloud, pace: Pace, image: Image, wanted: Callable[[Image], list[Edit]]) -> Image:
    """Make the edits that an image still lacks, and return the record as it is afterwards.

    ``wanted`` returns the edits that a record still lacks. If the caller may not remove the featured flag, the patch is
    sent without that edit. Raise `ConflictError` if Glance answered 200, but did not apply an edit.

    An edit that ends the sharing of an image removes its members first: Glance hides them with any other visibility,
    and all of them have the image again as soon as it is shared with anybody.
    """
    edits = wanted(image)
    if not edits:
        return image
    with Access() as access:
        if _ends_sharing(image, edits) and not belongs_to_another(cloud, image):
            _end_sharing(cloud, pace, image, access)
        return _applied(cloud, image, edits, wanted)


def _ends_sharing(image: Image, edits: Sequence[Edit]) -> bool:
    return image.visibility == "shared" and any(edit.key == "visibility" for edit in edits)


def _end_sharing(cloud: Cloud, pace: Pace, image: Image, access: Access) -> None:
    try:
        remove_members(cloud, pace, image.id, lambda _: True, access)
    except ConflictError as error:
        if error.code != NOT_SHARED:  # somebody else has ended it
            raise
    access.all_gone()


def _applied(cloud: Cloud, image: Image, edits: list[Edit], wanted: Callable[[Image], list[Edit]]) -> Image:
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


def made(cloud: Cloud, pace: Pace, image: Image, make: Callable[[Image], Image]) -> Image:
    """Call ``make``, which sends what a record still lacks, and return the record as it is afterwards.

    If a response is lost, or somebody else writes at the same time, the image is read again, and only what is still
    missing is sent. So nothing is written twice. Each conflict means that somebody else's change succeeded; a second
    conflict on an unchanged image is final.
    """
    for attempt in attempts(pace):
        with attempt:
            now = cloud.image(image.id) if attempt.lost else image
            after = _made_among_rivals(cloud, now, make)
    return after


def _made_among_rivals(cloud: Cloud, now: Image, make: Callable[[Image], Image]) -> Image:
    before, rivals = None, 0
    while True:
        try:
            return make(now)
        except ConflictError as error:
            if error.status is None or now == before or rivals == MOST_RIVALS:
                raise
        rivals += 1
        before, now = now, cloud.image(now.id)


def made_for_good(cloud: Cloud, pace: Pace, image: Image, wanted: Callable[[Image], list[Edit]]) -> Image:
    """Make the edits that an image still lacks, and see that they last."""
    made(cloud, pace, image, lambda now: apply(cloud, pace, now, wanted))
    return lasting(cloud, pace, image, wanted)


def lasting(cloud: Cloud, pace: Pace, image: Image, wanted: Callable[[Image], list[Edit]]) -> Image:
    """Look after a moment whether an image still lacks edits, and make them again, until a look shows them all.

    Glance's PATCH writes the whole record as it was read (glance/db/__init__.py, ImageRepo.save), so another one at the
    same moment undoes the edits, and nobody learns it.
    """
    pause(pace, pace.first_interval)

    def look() -> Image | None:
        now = cloud.image(image.id)
        if not wanted(now):
            return now
        made(cloud, pace, now, lambda again: apply(cloud, pace, again, wanted))
        return None

    return wait_until(pace, look, what=f"the change of image {image.id}")
