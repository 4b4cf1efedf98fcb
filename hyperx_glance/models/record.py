"""What a Glance record says about itself: pure functions of an `Image`.

>>> from hyperx_glance.models.image import Image
>>> from hyperx_glance.models.record import failed_stores
>>> failed_stores(Image(id="7c1", os_glance_failed_import="fast,slow", stores="fast"))
frozenset({'slow'})
"""

import hashlib
import re

from hyperx_glance import vocabulary
from hyperx_glance.models.image import Image
from hyperx_glance.vocabulary import Phase, glance_key

GONE = ("deleted", "pending_delete")
"""Lists can show records in these states, which are no longer images."""
ACTIVE = "active"
NEVER_LISTED = (*GONE, "killed")
"""Records in these states are no images, and no list of images has them."""
LOCK = glance_key("import_task")
_SIZE = re.compile("[0-9]{1,18}")


def glance_keys(image: Image) -> frozenset[str]:
    """Return the keys of a record, even of empty properties.

    Another tool's property may have the name of a field of `Image`. Then the model does not show whether Glance sent
    the field, too, and the field counts only if its value is not the default.
    """
    extra = image.__pydantic_extra__ or {}
    fields = Image.model_fields
    named = (name for name in image.model_fields_set & fields.keys() if name not in extra or _differs(image, name))
    return frozenset((*extra, *map(glance_key, named)))


def _differs(image: Image, name: str) -> bool:
    return bool(getattr(image, name) != Image.model_fields[name].default)


def failed_stores(image: Image) -> frozenset[str]:
    """Return the stores that Glance noted as failed and that are still empty; nobody may remove that note."""
    noted = image.glance_property(glance_key("failed_import")).split(",")
    return frozenset(filter(None, noted)) - frozenset(image.stores)


def has_become_ready(image: Image) -> bool:
    """Check whether an image has ever been ready, so that it may have been used."""
    return image.phase in (Phase.READY, Phase.DISABLED)


def begun(image: Image) -> bool:
    """Check whether an import or an upload of this record has begun, or ended."""
    return image.phase is not Phase.REGISTERED or bool(image.glance_property(LOCK))


def is_being_uploaded(image: Image) -> bool:
    """Check whether Glance is receiving data for a record; it may be about to notice that no more comes.

    Glance notes the size of staged data when it has all of it (glance/api/v2/image_data.py, stage).
    """
    return image.glance_status == "saving" or (image.glance_status == "uploading" and image.size is None)


def is_staged(image: Image) -> bool:
    """Check whether a record has data in the staging area that nobody has begun to import."""
    return image.glance_status == "uploading" and image.size is not None and not image.glance_property(LOCK)


def is_unfinished_registration(image: Image) -> bool:
    """Check whether a registration of this record is not finished; one that has failed for a known reason is.

    A failure without a reason in the record means that Glance gave up, and that no client has followed it since.
    """
    if made_of_a_server(image):
        return False
    if image.phase is Phase.FAILED:
        return not image.failure
    if image.phase is Phase.READY:
        wanted = image.glance_property(glance_key("checksum_wanted")).lower()
        return bool(wanted) and not verified(image, wanted)
    return is_without_data(image) and not image.failure


def is_without_data(image: Image) -> bool:
    """Check whether the data of this record is still to come, or being written."""
    return image.phase in (Phase.REGISTERED, Phase.DOWNLOADING, Phase.STORING)


def kept_digest(image: Image) -> tuple[str, str]:
    """Return the algorithm and the digest that Glance keeps and that can be computed here; ("", "") if there is none.

    Operators choose the algorithm. Images that Nova or Cinder wrote to the store themselves have no digest.
    """
    kept = ((image.hash_algorithm, image.hash_value), ("md5", image.checksum))
    known = ((name, value) for name, value in kept if name in hashlib.algorithms_available and value)
    return next(((name, value) for name, value in known if name and not name.startswith("shake")), ("", ""))


def is_volume_snapshot(image: Image) -> bool:
    """Check whether this is a snapshot that has no data of its own, but names volume snapshots.

    ``image_type`` says nothing about it: Nova writes none here, and copies one that the server's image has.
    """
    return bool(image.glance_property(vocabulary.VOLUMES_KEY)) and not image.size


def is_being_captured(image: Image) -> bool:
    """Check whether this is the record of an unfinished capture."""
    ordered = bool(image.glance_property(vocabulary.CAPTURE_ORDER_KEY))
    return (ordered and _is_of_its_server(image)) or is_cancelled_capture(image)


def is_cancelled_capture(image: Image) -> bool:
    """Check whether this is a record that is about to be deleted.

    Nova and Cinder copy the properties of the image that a server was made of, so another department may have written
    the mark: it counts only in place of the order, and with the id of this capture.
    """
    read = image.glance_property
    marked = bool(image.capture_id) and read(vocabulary.CAPTURE_CANCELLED_KEY) == image.capture_id
    return marked and not read(vocabulary.CAPTURE_ORDER_KEY) and _is_of_its_server(image)


def _is_of_its_server(image: Image) -> bool:
    """Check whether a record is made of the server in its order: nobody knew that id before the server existed."""
    made_of = image.glance_property(vocabulary.SERVER_NOTE_KEY)
    return bool(made_of) and made_of == image.captured_from


def made_of_a_server(image: Image) -> bool:
    """Check whether this is a capture, a snapshot or a backup: Nova copies the source image's properties to these.

    A snapshot that was published is no longer called one, but keeps Nova's notes. See `deployment.protections` for how
    an operator prevents it.
    """
    read = image.glance_property
    of_disk = read(vocabulary.SNAPSHOT_KEY) in vocabulary.MADE_OF_SERVERS
    return of_disk or bool(image.capture_id) or any(map(read, vocabulary.NOTES_OF_SERVERS))


def expected_size(image: Image) -> int | None:
    """Return the bytes of the data, or those that its registration expects; None if unknown.

    Nova and Cinder may have copied the expectation to what they made of a server, where it says nothing.
    """
    written = image.glance_property(glance_key("expected_size"))
    if image.size is not None or made_of_a_server(image) or not _SIZE.fullmatch(written):
        return image.size
    return int(written)


def recorded_checksum(image: Image, algorithm: str) -> str | None:
    """Return the checksum of the data, or None if Glance's record has none of this algorithm."""
    if image.hash_algorithm == algorithm and image.hash_value:
        return f"{algorithm}:{image.hash_value}"
    if algorithm == "md5" and image.checksum:
        return f"md5:{image.checksum}"
    return None


def verified(image: Image, wanted: str) -> bool:
    """Check whether a record shows that its data has the expected checksum."""
    marked = image.glance_property(glance_key("checksum_verified")) == "true"
    return marked or recorded_checksum(image, wanted.partition(":")[0]) == wanted
