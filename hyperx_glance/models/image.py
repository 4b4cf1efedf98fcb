"""One image, read from Glance as tolerantly as possible.

>>> from hyperx_glance.models.image import Image
>>> image = Image.model_validate_json(b'{"id": "7c1", "status": "active", "visibility": "community", "min_disk": null}')
>>> image.name, image.category, image.phase, image.min_disk_gib
('', <Category.PUBLIC: 'public'>, <Phase.READY: 'ready'>, 0)
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import pydantic
from pydantic import (
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    computed_field,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from hyperx_glance import arguments, vocabulary
from hyperx_glance.models.described import Described
from hyperx_glance.models.meanings import meaning, title
from hyperx_glance.models.stored import StoredText, restored
from hyperx_glance.models.times import Time
from hyperx_glance.texts import NO_TEXT, Text
from hyperx_glance.vocabulary import Category, Kind, Lifecycle, Phase, ShareStatus, State, glance_key

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them


class _Lenient:
    """A schema that reads an invalid value as ``default``, inside pydantic, without a call into Python."""

    def __init__(self, default: object) -> None:
        self.default = default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self.default, on_error="default")


class _Flag(_Lenient):
    """A schema that reads "true" as True and everything else as False: properties are strings from many tools."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        flag = core_schema.chain_schema([core_schema.literal_schema(["true", True]), handler(source)])
        return core_schema.with_default_schema(flag, default=self.default, on_error="default")


_OS_NAME, _FEATURED = map(glance_key, ("os_name", "featured_flag"))
_IMPORT_TASK, _IMPORTING_TO, _FAILED_IMPORT = map(glance_key, ("import_task", "importing_to", "failed_import"))
_HYPERVISOR, _NOVAS_WORD, _NOVAS_OTHER_WORD = vocabulary.HYPERVISOR_KEYS
_Text = Annotated[str, _Lenient("")]
_OptionalText = Annotated[str | None, _Lenient(None)]
_LARGEST_SIZE = 2**63 - 1
"""Glance's sizes are big integers; Python cannot convert much larger ones to a float."""
_OptionalSize = Annotated[int | None, pydantic.Field(le=_LARGEST_SIZE), _Lenient(None)]
_Number = Annotated[int, _Lenient(0)]
_NativeFlag = Annotated[bool, _Lenient(False)]
_OwnFlag = Annotated[bool, _Flag(False)]
_OptionalTime = Annotated[Time | None, _Lenient(None)]
_TIMES = pydantic.TypeAdapter(Time)


class Image(Described):  # noqa: PLW1641  # pydantic gives frozen models a hash
    """One image or ISO, as the console shows it.

    Sizes are bytes, ``min_disk_gib`` GiB, ``min_ram_mib`` MiB, times aware. ``properties`` holds every other Glance
    property unchanged. ``kind``, ``category``, ``state``, ``phase`` and ``lifecycle`` are computed, and are part of
    ``model_dump()``.

    ``Image.model_validate_json`` reads Glance's own bytes, and also a whole ``model_dump_json()``, whose key
    ``glance_record`` has what no other key shows. A dump from which something is missing is refused, and so is one
    whose computed values do not follow from the others.
    """

    model_config = ConfigDict(
        extra="allow",
        cache_strings="keys",
        alias_generator=pydantic.AliasGenerator(validation_alias=glance_key),
        protected_namespaces=(),
        hide_input_in_errors=True,
    )

    id: str
    name: _Text = ""
    visibility: _Text = ""
    glance_status: _Text = ""
    disk_format: _Text = ""
    container_format: _Text = ""
    size: _OptionalSize = None
    virtual_size: _OptionalSize = None
    min_disk_gib: _Number = 0
    min_ram_mib: _Number = 0
    created_at: _OptionalTime = None
    updated_at: _OptionalTime = None
    owner: _Text = ""
    created_by: _Text = ""
    edited_by: _Text = ""
    description: _Text = ""
    password_enabled: _OwnFlag = False
    admin_user: _Text = ""
    bootable: Annotated[bool, _Flag(False)] = True
    tags: Annotated[tuple[str, ...], _Lenient(())] = ()
    os_distro: _Text = ""
    os_version: _Text = ""
    os_type: _Text = ""
    architecture: _Text = ""
    url: _Text = ""
    failure: Annotated[Text, StoredText()] = NO_TEXT
    captured_from: _Text = ""
    capture_id: _Text = ""
    protected: _NativeFlag = False
    hidden: _NativeFlag = False
    checksum: _OptionalText = None
    hash_algorithm: _OptionalText = None
    hash_value: _OptionalText = None
    family: _Text = ""
    version: _Text = ""
    released_at: _OptionalTime = None
    deprecated_at: _OptionalTime = None
    obsolete_at: _OptionalTime = None
    replacement: _Text = ""

    def glance_property(self, key: str) -> str:
        """Return the value of a Glance property that is not a field here; "" if the image has none."""
        value = (self.__pydantic_extra__ or {}).get(key)
        return value if isinstance(value, str) else ""

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know a decorated property
    @property
    def os_name(self) -> str:
        """The name of the operating system, or its distribution and version if it has no name."""
        return self.glance_property(_OS_NAME) or f"{self.os_distro} {self.os_version}".strip()

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def hypervisor(self) -> str:
        """The name of the virtualization technology, or Nova's word if it has no name."""
        read = self.glance_property
        return read(_HYPERVISOR) or read(_NOVAS_WORD) or read(_NOVAS_OTHER_WORD)

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def stores(self) -> tuple[str, ...]:
        """The stores that hold the data; empty if Glance has a single store."""
        return tuple(filter(None, self.glance_property("stores").split(",")))

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def properties(self) -> dict[str, str]:
        """All other Glance properties, unchanged, without the temporary ones of imports."""
        return {
            key: value
            for key, value in (self.__pydantic_extra__ or {}).items()
            if isinstance(value, str)  # Glance keeps only strings; kernel_id may be null
            and key not in _NOT_PROPERTIES
            and not key.startswith(vocabulary.RESERVED_PREFIX)
        }

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def kind(self) -> Kind:
        """Image or ISO."""
        return Kind.ISO if self.disk_format == vocabulary.ISO_FORMAT else Kind.IMAGE

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def category(self) -> Category:
        """Featured, public or private; the flag counts only on an image that is visible to everybody."""
        if self.visibility == "public":
            return Category.FEATURED if self.glance_property(_FEATURED) == "true" else Category.PUBLIC
        return Category.PUBLIC if self.visibility == "community" else Category.PRIVATE

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def state(self) -> State:
        """ACTIVE if servers can be launched from the image."""
        return State.ACTIVE if self.glance_status == "active" else State.INACTIVE

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def phase(self) -> Phase:
        """The progress of the image, read from its record alone."""
        read = self.glance_property
        match self.glance_status:
            case "active":
                return Phase.STORING if read(_IMPORTING_TO) else Phase.READY
            case "queued":
                # An import leaves `queued` a moment after its lock is set, and returns to it if it fails. The lock
                # shows the difference (glance/async_/flows/api_image_import.py, _ImageLock).
                if read(_IMPORT_TASK):
                    return Phase.DOWNLOADING
                return Phase.FAILED if self.failure or read(_FAILED_IMPORT) else Phase.REGISTERED
            case "importing":
                # What was staged and cannot be imported stays so: no task of that flow sets the status back.
                failed = not read(_IMPORT_TASK) and (self.failure or read(_FAILED_IMPORT))
                return Phase.FAILED if failed else Phase.DOWNLOADING
            case "saving" | "uploading":
                return Phase.STORING
            case "deactivated":
                return Phase.DISABLED
        return Phase.UNKNOWN

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def share_status(self) -> ShareStatus | None:
        """The answer of the caller's department, if the image was read in a way that shows it; None otherwise."""
        status = self.glance_property(vocabulary.SHARE_STATUS_KEY)
        return ShareStatus(status) if status in _SHARE_STATUSES else None

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def lifecycle(self) -> Lifecycle:
        """Whether the image is recommended now, by this machine's clock."""
        return self.lifecycle_at(datetime.now(UTC))

    def lifecycle_at(self, time: datetime) -> Lifecycle:
        """Return whether the image is recommended at that time."""
        if self.obsolete_at is not None and self.obsolete_at <= time:
            return Lifecycle.OBSOLETE
        if self.deprecated_at is not None and self.deprecated_at <= time:
            return Lifecycle.DEPRECATED
        return Lifecycle.CURRENT

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Show values that are not defaults; raw Glance properties appear once, in ``properties``."""
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        for name in (*defaults, *type(self).model_computed_fields):
            value = getattr(self, name)
            if value != defaults[name] if name in defaults else value:
                yield name, value

    def __eq__(self, other: object) -> bool:
        """Compare everything but where Glance keeps record and data, which differs between its addresses."""
        if type(self) is not type(other) or not isinstance(other, Image):
            return NotImplemented
        return self.__dict__ == other.__dict__ and _described(self) == _described(other)

    # ------------------------------------------------------------- written, and read back

    @model_serializer(mode="wrap")
    def _dump(self, handler: pydantic.SerializerFunctionWrapHandler, info: pydantic.SerializationInfo):  # type: ignore[no-untyped-def]  # noqa: ANN202  # a type would become the JSON Schema
        """Show fields and derived values; the raw Glance properties appear once, in ``properties`` or in the record."""
        bare = self.model_copy()
        object.__setattr__(bare, "__pydantic_extra__", {})
        dumped: dict[str, Any] = handler(bare)
        for name in _FROM_EXTRA & dumped.keys():
            dumped[name] = getattr(self, name)
        whole = {_PROPERTIES: self.properties, _RECORD: _undumped(self)}
        only, without = info.include, info.exclude or ()
        chosen = {name for name in whole if (only is None or name in only) and name not in without}
        return dumped | {name: value for name, value in whole.items() if name in chosen}

    @model_validator(mode="after")
    def _read_back(self) -> Self:
        """Become the image that a dump shows. An image from Glance pays for one look.

        Glance's properties are strings, so Glance sends no objects of these names, whatever other tools write.
        """
        extra = self.__pydantic_extra__
        if (
            extra
            and (_RECORD in extra or _PROPERTIES in extra)
            and (isinstance(extra.get(_RECORD), dict) or isinstance(extra.get(_PROPERTIES), dict))
        ):
            read = _from_dump(self)
            for slot in ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__"):
                object.__setattr__(self, slot, getattr(read, slot))
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = super().__get_pydantic_json_schema__(core_schema, handler)
        if handler.mode == "serialization":
            handler.resolve_ref_schema(shown)["properties"][_RECORD] = {
                "type": "object", "title": title("Image", _RECORD), "description": meaning("Image", _RECORD)
            }  # fmt: skip
        return shown


def _described(image: Image) -> dict[str, Any]:
    """Return what Glance's record has beside the fields, without where Glance keeps record and data.

    Such an address may have a store's credentials in it (Glance's option show_image_direct_url).
    """
    return {key: value for key, value in (image.__pydantic_extra__ or {}).items() if key not in _ADDRESSES}


def _undumped(image: Image) -> dict[str, Any]:
    """Return the part of Glance's record that no other key of a dump shows.

    That includes the fields that the record has, but with the value that they have if it does not have them.
    """
    shown = image.properties
    unsaid = {
        glance_key(name): field.default
        for name, field in type(image).model_fields.items()
        if name in image.model_fields_set and getattr(image, name) == field.default
    }
    return unsaid | {key: value for key, value in _described(image).items() if key not in shown}


def glance_form(image: Image) -> dict[str, Any]:
    """Return a record of Glance that is read as this image, many times faster than its dump."""
    dump: dict[str, Any] = image.model_dump(mode="json")
    fields = type(image).model_fields
    said = {glance_key(name): dump[name] for name, field in fields.items() if dump[name] != field.default}
    return {**said, **dump[_PROPERTIES], **dump[_RECORD]}


def _from_dump(shown: Image) -> Image:
    """Return the image of a dump that was read as if it were Glance's record; raise `ValueError` if it is not whole."""
    kind = type(shown)
    fields, computed = kind.model_fields, kind.model_computed_fields
    dump = {name: getattr(shown, name) for name in shown.model_fields_set & fields.keys() if glance_key(name) == name}
    dump |= shown.__pydantic_extra__ or {}
    properties, record = (dump.pop(name, None) for name in (_PROPERTIES, _RECORD))
    missing, unknown = fields.keys() - dump.keys(), dump.keys() - fields.keys() - computed.keys()
    if missing or unknown or not (isinstance(properties, dict) and isinstance(record, dict)):
        raise ValueError("not a whole dump of an image: keep all fields, and no others")
    said = {glance_key(name): dump[name] for name, field in fields.items() if dump[name] != field.default}
    image = kind.model_validate({**said, **properties, **record})
    lasting = (name for name in (*fields, *computed) if name != _OF_ITS_TIME)
    changed = [name for name in lasting if name in dump and not _same(dump[name], image, name)]
    if changed:
        raise ValueError(f"{', '.join(changed)}: does not follow from the other values of this dump")
    return image


def _same(dumped: object, image: Image, name: str) -> bool:
    value = getattr(image, name)
    if isinstance(value, datetime) and isinstance(dumped, str):
        return _read_time(dumped) == value
    if isinstance(value, Text):
        return restored(dumped) == value
    return dumped == value or (isinstance(value, tuple) and dumped == list(value))


def _read_time(text: str) -> datetime | None:
    try:
        return _TIMES.validate_python(text)
    except pydantic.ValidationError:
        return None


NAME_OF_KEY = {glance_key(name): name for name in Image.model_fields}
"""The fields of `Image` by their keys in Glance; everything else of a record keeps its key."""
_NOT_PROPERTIES = vocabulary.BASE_KEYS | {field.key for field in vocabulary.FIELDS if field.own}
_ADDRESSES = vocabulary.BASE_KEYS - {field.key for field in vocabulary.FIELDS}
_PROPERTIES, _RECORD = "properties", "glance_record"
_FROM_EXTRA = {"os_name", "stores", "hypervisor", "category", "phase", "share_status"}
_OF_ITS_TIME = "lifecycle"
"""What may have changed since a dump was written, although nobody has changed the image."""
_SHARE_STATUSES = frozenset(ShareStatus)


def with_share_status(image: Image, status: ShareStatus) -> Image:
    """Return an image as its record shows it, with the answer of the caller's department."""
    return image.model_copy(update={vocabulary.SHARE_STATUS_KEY: status.value})


def image_id(image: Image | str) -> str:
    """Return the id of an image, which is given as an `Image` or as its id."""
    return image.id if isinstance(image, Image) else image


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Check whether a string looks like the id of an image or a server, and not like a name."""
    return _UUID.fullmatch(text) is not None


def is_image(value: object) -> Text:
    """Accept an image or an id."""
    if isinstance(value, Image):
        return arguments.reference(value.id)
    return (
        arguments.reference(value)
        if isinstance(value, str)
        else arguments.must_be("must-be-an-image", value, way="pass-its-id")
    )
