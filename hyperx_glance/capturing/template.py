"""The patch that makes a template of a record that Nova or Cinder made from a server.

>>> from hyperx_glance.capturing.order import CaptureOrder
>>> from hyperx_glance.capturing.template import template_edits
>>> from hyperx_glance.models.capturing import NewCapture
>>> from hyperx_glance.models.image import NAME_OF_KEY, Image
>>> order = CaptureOrder(capture_id="8c1e5f2a", server_id="81f", user_id="u1", new=NewCapture(name="web"))
>>> made = Image(
...     id="7c1", name="web", visibility="private", image_type="snapshot", hyperx_url="http://a/b", **order.texts()
... )
>>> [edit.key for edit in template_edits(made, order, public_visibility="community")]
['hyperx_capture_order_0', 'hyperx_url', 'image_type', 'instance_uuid']

Pure: no request is made here.
"""

from hyperx_glance import vocabulary
from hyperx_glance.capturing.order import CAPTURE_KEY, SERVER_KEY, USER_KEY, CaptureOrder
from hyperx_glance.models import mapping
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.image import NAME_OF_KEY, Image
from hyperx_glance.models.mapping import FLAG_REMOVAL, Edit
from hyperx_glance.models.record import glance_keys
from hyperx_glance.vocabulary import glance_key

_GIB = 2**30
NOT_OF_A_TEMPLATE = (
    vocabulary.SNAPSHOT_KEY,
    # Nova's notes about the server and its user (nova/compute/utils.py, create_image; nova/compute/api.py,
    # _populate_instance_for_create; nova/virt/libvirt/driver.py, _create_snapshot_metadata).
    "base_image_ref",
    "boot_roles",
    "image_location",
    "image_state",
    vocabulary.OWNER_NOTE_KEY,
    vocabulary.SERVER_NOTE_KEY,
    "owner_id",
    "owner_project_name",
    "owner_user_name",
    "user_id",
    vocabulary.VOLUMES_KEY,
    vocabulary.VOLUMES_MARK,
    "mappings",
    "root_device_name",
    # About the source's data, which this image no longer has.
    "img_signature",
    "img_signature_certificate_uuid",
    "img_signature_hash_method",
    "img_signature_key_type",
    "signature_verified",
    glance_key("bootable"),
    *(
        field.key
        for field in vocabulary.FIELDS
        if not field.inherited and field.name not in ("created_by", "captured_from", "capture_id", "featured_flag")
    ),
)
_FEATURED_KEY = glance_key("featured_flag")


def template_edits(record: Image, order: CaptureOrder, *, public_visibility: str) -> list[Edit]:
    """Return the edits that make a record the image that was ordered; none if it is."""
    changes = _changes(record, order)
    wanted = mapping.edit_patch(record, changes, public_visibility=public_visibility)
    marks = {CAPTURE_KEY: order.capture_id, SERVER_KEY: order.server_id, USER_KEY: order.user_id}
    wanted += [
        Edit("properties", key, text) for key, text in marks.items() if text and glance_text(record, key) != text
    ]
    named = {edit.key for edit in wanted} | changes.properties.keys()
    present = glance_keys(record)
    unwanted = {key for key in present if key.startswith(vocabulary.CAPTURE_ORDER_PREFIX)}
    unwanted |= present & frozenset(NOT_OF_A_TEMPLATE)
    removals = [Edit("properties", key, None) for key in sorted(unwanted - named)]
    if _FEATURED_KEY in present - named and record.category is not vocabulary.Category.FEATURED:
        removals.append(FLAG_REMOVAL)
    return wanted + removals


def _changes(record: Image, order: CaptureOrder) -> ImageChanges:
    new = order.new
    given = {field: getattr(new, field) for field in ImageChanges.model_fields if field in new.model_fields_set}
    disk = max(order.disk_gib or 0, -(-(record.virtual_size or 0) // _GIB))
    if not order.on_volumes:
        disk = max(disk, record.min_disk_gib)  # the flavor's disk (nova/utils.py, get_system_metadata_from_image)
    return ImageChanges.model_validate(
        {
            **given,
            "category": new.category,
            "protected": new.protected,
            "min_disk_gib": max(disk, new.min_disk_gib),
        }
    )


def glance_text(record: Image, key: str) -> str:
    """Return one of Glance's properties as a string, whether it is a field of `Image` or not."""
    field = NAME_OF_KEY.get(key)
    return str(getattr(record, field)) if field else record.glance_property(key)


def glance_texts(record: Image) -> dict[str, str]:
    """Return all properties of a record as strings."""
    return {key: glance_text(record, key) for key in glance_keys(record)}
