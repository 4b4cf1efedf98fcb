"""Requests built from models, by the table of fields and by the rules that the table cannot express.

    >>> from hyperx_glance.models.mapping import visibility_of
    >>> from hyperx_glance.vocabulary import Category
    >>> visibility_of(Category.PUBLIC, "community")
    'community'

Pure functions: a test needs a record, not a server.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hyperx_glance import vocabulary
from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import glance_keys
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.models.url_text import stored_url
from hyperx_glance.vocabulary import FIELDS, Category, Field, Stored, Writer

_YES = ("yes", "true", "on", "1", "t", "y")  # Nova reads the property in this way (oslo_utils/strutils.py)
_FLAG_KEY = vocabulary.glance_key("password_enabled")
_ADMIN_USER_KEY = vocabulary.glance_key("admin_user")
_AGENT_BEFORE_KEY = vocabulary.glance_key("guest_agent_before")
_FEATURED_KEY = vocabulary.glance_key("featured_flag")
STEWARD_FIELDS = frozenset(
    field.name for field in FIELDS if field.writer is Writer.STEWARD and field.name in ImageChanges.model_fields
)
"""Fields that every user may change on a public image of another department."""


def visibility_of(category: Category, public_visibility: str) -> str:
    """Return Glance's visibility for a category; featured images are always visible to everybody."""
    match category:
        case Category.FEATURED:
            return "public"
        case Category.PUBLIC:
            return public_visibility
    return "private"


def password_properties(*, enabled: bool, admin_user: str, guest_agent: str = "") -> dict[str, str]:
    """Return the properties of a password-enabled image; none if the image is not.

    ``guest_agent`` is an operator's own hw_qemu_guest_agent. It stays if it means yes, and is remembered in any case.
    """
    if not enabled:
        return {}
    properties = {_FLAG_KEY: "true", vocabulary.GUEST_AGENT_KEY: "yes"}
    if guest_agent.lower() in _YES:
        properties[vocabulary.GUEST_AGENT_KEY] = guest_agent
    if guest_agent:
        properties[_AGENT_BEFORE_KEY] = guest_agent
    if admin_user:
        properties[_ADMIN_USER_KEY] = admin_user
    return properties


def new_image_body(
    new: NewImage | NewIso,
    *,
    image_id: str,
    disk_format: str,
    public_visibility: str,
    user_id: str,
    owner: str | None,
    packed: str = "",
    expected_size: int | None = None,
) -> dict[str, object]:
    """Build the body of POST /v2/images.

    ``owner`` is a project id, only if it is not the caller's own: Glance lets only administrators name one. Empty
    strings are left out, so that an image has no empty properties.
    """
    url = stored_url(new.url or "")
    # The import names the stores, and the column "checksum" is Glance's own.
    given = {name: getattr(new, name) for name in type(new).model_fields if name not in ("stores", "checksum")} | {
        "id": image_id,
        "disk_format": disk_format,
        "container_format": "bare",
        "visibility": visibility_of(new.category, public_visibility),
        "owner": owner,
        "featured_flag": new.category is Category.FEATURED or None,
        "created_by": user_id,
        "url": url.url,
        "url_stripped": url.stripped or None,
        "packed": packed,
        "expected_size": None if expected_size is None else str(expected_size),
        "checksum_wanted": new.checksum,
    }
    password: dict[str, str] = {}
    if isinstance(new, NewImage):
        password = password_properties(
            enabled=given.pop("password_enabled"),
            admin_user=given.pop("admin_user") or "",
            guest_agent=new.properties.get(vocabulary.GUEST_AGENT_KEY, ""),
        )
    written = {field.key: _written(field, given[field.name]) for field in FIELDS if field.name in given}
    return {**new.properties, **password, **{key: value for key, value in written.items() if value is not None}}


Value = str | int | list[str]


class Edit(NamedTuple):
    """The change of one Glance key because of one field of `ImageChanges`; ``value`` None removes the key."""

    field: str
    key: str
    value: Value | None


FLAG_REMOVAL = Edit("category", _FEATURED_KEY, None)


def edit_patch(image: Image, changes: ImageChanges, *, public_visibility: str) -> list[Edit]:
    """Return the fewest edits that make a record match the changes; none if it already matches."""
    given = changes.given()
    edits = [
        Edit(field.name, field.key, _written(field, given[field.name]))
        for field in FIELDS
        if field.name in given and field.name != "password_enabled" and given[field.name] != _value(image, field)
    ]
    if "category" in given:
        edits += _category_edits(image, changes, public_visibility)
    edits += [
        Edit("properties", key, text) for key, text in changes.properties.items() if image.properties.get(key) != text
    ]
    edits += [
        Edit("remove_properties", key, None) for key in sorted(changes.remove_properties & image.properties.keys())
    ]
    return edits + _password_edits(image, changes)


def without_flag_removal(image: Image, edits: list[Edit]) -> list[Edit]:
    """Return the same edits for a caller who may not remove the featured flag.

    An image that keeps the flag is featured if its visibility is "public", so it becomes "community" instead.
    """
    if FLAG_REMOVAL not in edits:
        return edits
    kept = [edit for edit in edits if edit != FLAG_REMOVAL]
    visibility = next((edit.value for edit in kept if edit.key == "visibility"), image.visibility)
    if visibility == "public":
        kept = [edit for edit in kept if edit.key != "visibility"]
        kept.append(Edit("category", "visibility", "community"))
    return kept


def json_patch(edits: Iterable[Edit]) -> list[dict[str, Value]]:
    """Write edits as a JSON patch for Glance."""
    operations: list[dict[str, Value]] = []
    for edit in edits:
        if edit.value is None:
            operations.append({"op": "remove", "path": _pointer(edit.key)})
        else:
            # In Glance, "add" writes a property even if it exists; "replace" of a missing one is a conflict
            # (glance/api/v2/images.py, _do_add and _do_replace).
            operation = "replace" if edit.key in vocabulary.BASE_KEYS else "add"
            operations.append({"op": operation, "path": _pointer(edit.key), "value": edit.value})
    return operations


def patch_unless_featured(image: Image, edits: Iterable[Edit]) -> list[dict[str, Value]]:
    """Write edits as a patch that Glance refuses, as a conflict, if the image was featured after it was read.

    Glance has no conditional patch, but its first kind of patch does not add a property that exists
    (glance/api/v2/images.py, _do_add). To add the featured flag and remove it again changes nothing, and fails if the
    flag exists. An image with a flag that has no effect cannot be protected in this way.
    """
    operations: list[dict[str, Value]] = []
    present = glance_keys(image)
    if _FEATURED_KEY not in present:
        flag = _pointer(_FEATURED_KEY)
        operations += [{"add": flag, "value": "false"}, {"remove": flag}]
    for edit in edits:
        if edit.value is None:
            operations.append({"remove": _pointer(edit.key)})
        else:
            there = edit.key in vocabulary.BASE_KEYS or edit.key in present
            operations.append({"replace" if there else "add": _pointer(edit.key), "value": edit.value})
    return operations


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _category_edits(image: Image, changes: ImageChanges, public_visibility: str) -> list[Edit]:
    """Return the edits that move an image to another tab; a published snapshot is no longer marked as one."""
    category = changes.category
    edits = []
    of_server = image.glance_property(vocabulary.SNAPSHOT_KEY) in vocabulary.MADE_OF_SERVERS
    named = {*changes.properties, *changes.remove_properties}
    if category is not Category.PRIVATE and of_server and vocabulary.SNAPSHOT_KEY not in named:
        edits.append(Edit("category", vocabulary.SNAPSHOT_KEY, None))
    # A shared image is private, too, but its members see it. A caller who asks for "private" ends the sharing.
    if image.category is category and (category is not Category.PRIVATE or image.visibility == "private"):
        return edits
    if category is Category.FEATURED and image.glance_property(_FEATURED_KEY) != "true":
        edits.append(Edit("category", _FEATURED_KEY, "true"))
    if category is not Category.FEATURED and image.glance_property(_FEATURED_KEY):
        edits.append(FLAG_REMOVAL)
    visibility = visibility_of(category, public_visibility)
    if image.visibility != visibility:
        edits.append(Edit("category", "visibility", visibility))
    return edits


def _password_edits(image: Image, changes: ImageChanges) -> list[Edit]:
    """Return the edits of the password flag and its properties, and remember an operator's own guest agent.

    An agent property that existed before the flag, or that somebody writes while the flag is set, is not ours.
    ``hyperx_guest_agent_before`` remembers it, and it comes back when the flag is removed.
    """
    given = changes.given()
    agent = image.properties.get(vocabulary.GUEST_AGENT_KEY, "")
    current = {
        _FLAG_KEY: "true" if image.password_enabled else "",
        _ADMIN_USER_KEY: image.admin_user,
        _AGENT_BEFORE_KEY: image.glance_property(_AGENT_BEFORE_KEY),
        vocabulary.GUEST_AGENT_KEY: agent,
    }
    enabled = given.get("password_enabled", image.password_enabled)
    asked = vocabulary.GUEST_AGENT_KEY in {*changes.properties, *changes.remove_properties}
    wanted: dict[str, str] = {}
    if enabled and not image.password_enabled:
        wanted = password_properties(enabled=True, admin_user="", guest_agent=agent)
    elif enabled and "password_enabled" in given and not agent:
        wanted[vocabulary.GUEST_AGENT_KEY] = "yes"
    elif image.password_enabled and not enabled:
        wanted = {_FLAG_KEY: "", _ADMIN_USER_KEY: "", _AGENT_BEFORE_KEY: ""}
        if agent == "yes":
            wanted[vocabulary.GUEST_AGENT_KEY] = current[_AGENT_BEFORE_KEY]
    if enabled and asked:
        wanted[_AGENT_BEFORE_KEY] = changes.properties.get(vocabulary.GUEST_AGENT_KEY, "")
    # A key that the caller names is written for its own field.
    if asked:
        wanted.pop(vocabulary.GUEST_AGENT_KEY, None)
    if "admin_user" in given:
        wanted.pop(_ADMIN_USER_KEY, None)
    return [Edit("password_enabled", key, text or None) for key, text in wanted.items() if text != current[key]]


def _value(image: Image, field: Field) -> object:
    """Return the value of a field as the record has it, since `Image` may show a default or another value."""
    if field.name == "tags":
        return frozenset(image.tags)
    return getattr(image, field.name) if field.name in Image.model_fields else image.glance_property(field.key)


def _written(field: Field, value: str | int | frozenset[str] | None) -> Value | None:
    """Return a value as it is written in Glance; None for a property that would be empty."""
    if isinstance(value, frozenset):
        return sorted(value)
    if field.stored is Stored.FLAG and value is not None:
        return "true" if value else "false"
    return None if value == "" else value
