"""The records of the in-memory Glance, and their form in responses.

>>> image = ImageRecord(id="1", owner="department", name="disk")
>>> image.properties["os_distro"] = "ubuntu"
>>> shown = show(image, multi_store=True)
>>> shown["status"], shown["os_distro"], shown["visibility"]
('queued', 'ubuntu', 'shared')
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hyperx_glance.testing.memory.glance import schemas
from hyperx_glance.testing.memory.wire import Caller, Record, Refused

BASE_KEYS = (
    "name",
    "disk_format",
    "container_format",
    "visibility",
    "size",
    "virtual_size",
    "status",
    "checksum",
    "protected",
    "min_ram",
    "min_disk",
    "owner",
    "os_hidden",
    "os_hash_algo",
    "os_hash_value",
)
TIMES = ("created_at", "updated_at")
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")
CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
VISIBILITIES = ("community", "public", "private", "shared")
STATUSES = (
    "queued",
    "saving",
    "active",
    "killed",
    "deleted",
    "uploading",
    "importing",
    "pending_delete",
    "deactivated",
)

# glance/api/v2/images.py, RequestDeserializer
UNSENDABLE = ("direct_url", "self", "file", "schema", "stores")
READ_ONLY = (
    *TIMES,
    "status",
    "checksum",
    "size",
    "virtual_size",
    "direct_url",
    "self",
    "file",
    "schema",
    "id",
    "os_hash_algo",
    "os_hash_value",
)
_HIDDEN = ("os_glance_stage_host", "os_glance_hash_op_host")
LARGEST_INTEGER = 2147483647
MOST_PROPERTIES = MOST_TAGS = MOST_MEMBERS = 128


SETTABLE = (
    "name",
    "visibility",
    "protected",
    "os_hidden",
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "owner",
)
BASE = (*BASE_KEYS, "id", "tags", *TIMES, "locations")


@dataclasses.dataclass
class Member:
    """A project with which an image is shared."""

    project_id: str
    status: str = "pending"
    created_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))


@dataclasses.dataclass
class ImageRecord:
    """One image as Glance's database does; attributes are named as in the API."""

    id: str
    owner: str | None = None
    name: str | None = None
    status: str = "queued"
    visibility: str = "shared"
    protected: bool = False
    os_hidden: bool = False
    disk_format: str | None = None
    container_format: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    size: int | None = None
    virtual_size: int | None = None
    checksum: str | None = None
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    created_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    tags: set[str] = dataclasses.field(default_factory=set)
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    members: dict[str, Member] = dataclasses.field(default_factory=dict)
    former_members: dict[str, Member] = dataclasses.field(default_factory=dict)
    """Members that were deleted: Glance keeps their rows, and uses them again."""
    stores: list[str] = dataclasses.field(default_factory=list)
    data: bytes | None = None
    staged: bytes | None = None
    """Data that waits for an import by glance-direct."""
    deleted: bool = False
    spoiled: bool = False
    """True once data of a wrong format was sent: Glance never takes this record again."""
    shown_as: Record = dataclasses.field(default_factory=dict)
    """Values that replace the true ones in responses, for images that do not parse."""


_BASE_VALUES = operator.attrgetter(*BASE_KEYS)


def show(image: ImageRecord, *, multi_store: bool, is_administrator: bool = False) -> Record:
    """Return an image as the API shows it (glance/api/v2/images.py, _format_image)."""
    # Ten thousand images are listed in memory, so that each microsecond here counts.
    view: Record = {key: value for key, value in image.properties.items() if key not in _HIDDEN}
    view.update(zip(BASE_KEYS, _BASE_VALUES(image), strict=True))
    view["id"] = image.id
    for key in TIMES:
        view[key] = isotime(getattr(image, key))
    view["tags"] = sorted(image.tags)
    view["self"] = f"/v2/images/{image.id}"
    view["file"] = f"/v2/images/{image.id}/file"
    view["schema"] = "/v2/schemas/image"
    # Locations of a deactivated image are the administrator's (glance/db/sqlalchemy/api.py, _normalize_locations).
    if multi_store and image.stores and (image.status != "deactivated" or is_administrator):
        view["stores"] = ",".join(image.stores)
    return {**view, **image.shown_as} if image.shown_as else view


@functools.lru_cache(maxsize=1 << 15)  # of the ten thousand images that tests list again and again
def isotime(time: datetime) -> str:
    """Format a time as Glance does: whole seconds, Z."""
    return time.isoformat()[:19] + "Z"


def visible(caller: Caller, image: ImageRecord) -> bool:
    """Check whether a caller may see an image (glance/db/utils.py, is_image_visible)."""
    if caller.is_administrator or image.owner is None or image.visibility in ("public", "community"):
        return True
    return image.owner == caller.project_id or (image.visibility == "shared" and caller.project_id in image.members)


def check_values(body: Record) -> None:
    """Refuse values that the schema of an image does not allow (glance/schema.py)."""
    for key, value in body.items():
        _check_value(key, value)


def check_formats(body: Record, **taken: Sequence[str]) -> None:
    """Refuse formats that the options do not name: the schema has these."""
    for key, words in taken.items():
        if key in body:
            _one_of(key, body[key], (None, *words))


_ENUMS: Mapping[str, tuple[object, ...]] = {"visibility": VISIBILITIES}


def _check_value(key: str, value: Any) -> None:  # noqa: ANN401 - anything that the client sent
    match key:
        case "name" | "owner":
            _of_type(key, value, (str, type(None)), "'null', 'string'")
            _short(key, value)
        case "disk_format" | "container_format":
            pass  # `check_formats` knows the options
        case _ if key in _ENUMS:
            _one_of(key, value, _ENUMS[key])
        case "protected" | "os_hidden":
            _of_type(key, value, (bool,), "'boolean'")
        case "min_disk" | "min_ram":
            _of_type(key, value, (int,), "'integer'")
        case "tags" | "locations":
            _of_type(key, value, (list,), "'array'")
            for position, tag in enumerate(value if key == "tags" else ()):
                _check_tag(position, tag)
        case "id":
            _of_type(key, value, (str,), "'string'")
            _like_uuid(value)
        case _ if key not in READ_ONLY:
            _of_type(key, value, (str,), "'string'")


def _check_tag(position: int, tag: object) -> None:
    if not isinstance(tag, str):
        raise Refused(400, schemas.mismatch(f"{tag!r} is not of type 'string'", "type", ["tags", position], tag))
    if len(tag) > 255:
        raise Refused(400, schemas.mismatch(f"{tag!r} is too long", "maxLength", ["tags", position], tag))


def _like_uuid(value: str) -> None:
    pattern = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
    if not re.match(pattern, value):
        _mismatch(f"{value!r} does not match {pattern!r}", "pattern", "id", value)


def check_record(image: ImageRecord, before: ImageRecord | None = None, *, properties: int, tags: int) -> None:
    """Refuse values that the database, or its quotas for one image, cannot hold."""
    check_numbers(image)
    check_amounts(image, before, most_properties=properties, most_tags=tags)
    check_text(image)


def check_numbers(image: ImageRecord) -> None:
    """Refuse numbers that the database cannot hold."""
    for key in ("min_disk", "min_ram"):
        value = getattr(image, key)
        if value < 0:
            raise Refused(400, f"Invalid value '{value}' for parameter '{key}': Cannot be a negative value")
        if value > LARGEST_INTEGER:
            raise Refused(400, f"'{key}' value out of range, must not exceed {LARGEST_INTEGER}.")


def check_text(image: ImageRecord) -> None:
    """Refuse characters beyond the basic plane, such as emoji (glance/common/utils.py, no_4byte_params)."""
    for key, value in image.properties.items():
        if _has_four_bytes(key):
            raise Refused(400, "Property names can't contain 4 byte unicode.")
        if _has_four_bytes(value):
            raise Refused(400, f"{key.title()} can't contain 4 byte unicode characters.")
    for key in ("name", "owner"):
        if _has_four_bytes(getattr(image, key)):
            raise Refused(400, f"{key.title()} can't contain 4 byte unicode characters.")
    for tag in image.tags:
        if _has_four_bytes(tag):
            raise Refused(400, "Param values can't contain 4 byte unicode.")


def check_amounts(image: ImageRecord, before: ImageRecord | None, *, most_properties: int, most_tags: int) -> None:
    """Refuse more properties or tags than one image may have (glance/quota/__init__.py)."""
    amounts = (
        ("properties", len(image.properties), len(before.properties) if before else 0, most_properties),
        ("tags", len(image.tags), len(before.tags) if before else 0, most_tags),
    )
    for word, attempted, present, most in amounts:
        if attempted > max(most, present):
            raise Refused(
                413,
                f"The limit has been exceeded on the number of allowed image {word}. "
                f"Attempted: {attempted}, Maximum: {most}",
            )


def _has_four_bytes(text: object) -> bool:
    return isinstance(text, str) and any(ord(character) > 0xFFFF for character in text)


def _of_type(key: str, value: object, types: tuple[type, ...], words: str) -> None:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        _mismatch(f"{value!r} is not of type {words}", "type", key, value)


def _short(key: str, value: object) -> None:
    if isinstance(value, str) and len(value) > 255:
        _mismatch(f"{value!r} is too long", "maxLength", key, value)


def _one_of(key: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        _mismatch(f"{value!r} is not one of {list(allowed)!r}", "enum", key, value)


def _mismatch(reason: str, rule: str, key: str, value: object) -> None:
    raise Refused(400, schemas.mismatch(reason, rule, [key], value))
