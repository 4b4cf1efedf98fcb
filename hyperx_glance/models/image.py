"""One image, read from Glance as tolerantly as possible.

>>> from hyperx_glance.models.image import Image
>>> image = Image.model_validate_json(b'{"id": "7c1", "status": "active", "visibility": "community", "min_disk": null}')
>>> image.name, image.category, image.phase, image.min_disk_gib
('', <Category.PUBLIC: 'public'>, <Phase.READY: 'ready'>, 0)
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, computed_field, model_serializer
from pydantic_core import CoreSchema, core_schema

from hyperx_glance import arguments, vocabulary
from hyperx_glance.models.times import Time
from hyperx_glance.texts import Text
from hyperx_glance.vocabulary import Category, Kind, Phase, State

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


_OS_NAME, _FEATURED = map(vocabulary.glance_key, ("os_name", "featured_flag"))
_IMPORT_TASK, _IMPORTING_TO, _FAILED_IMPORT = map(
    vocabulary.glance_key, ("import_task", "importing_to", "failed_import")
)
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


class Image(BaseModel):
    """One image or ISO, as the console shows it.

    Sizes are bytes, ``min_disk_gib`` GiB, ``min_ram_mib`` MiB, times aware. ``properties`` holds every other Glance
    property unchanged. ``kind``, ``category``, ``state`` and ``phase`` are computed, and are part of ``model_dump()``.
    To read Glance's own bytes, use ``Image.model_validate_json``.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        cache_strings="keys",
        alias_generator=pydantic.AliasGenerator(validation_alias=vocabulary.glance_key),
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
    failure: _Text = ""
    captured_from: _Text = ""
    capture_id: _Text = ""
    protected: _NativeFlag = False
    hidden: _NativeFlag = False
    checksum: _OptionalText = None
    hash_algorithm: _OptionalText = None
    hash_value: _OptionalText = None

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
                return Phase.DOWNLOADING
            case "saving" | "uploading":
                return Phase.STORING
            case "deactivated":
                return Phase.DISABLED
        return Phase.UNKNOWN

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Show values that are not defaults; raw Glance properties appear once, in ``properties``."""
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        for name in (*defaults, *type(self).model_computed_fields):
            value = getattr(self, name)
            if value != defaults[name] if name in defaults else value:
                yield name, value

    @model_serializer(mode="wrap")
    def _dump(self, handler: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Show fields and derived values; the raw Glance properties appear once, in ``properties``."""
        bare = self.model_copy()
        object.__setattr__(bare, "__pydantic_extra__", {})
        dumped: dict[str, Any] = handler(bare)
        for name in _FROM_EXTRA & dumped.keys():
            dumped[name] = getattr(self, name)
        return dumped


NAME_OF_KEY = {vocabulary.glance_key(name): name for name in Image.model_fields}
"""The fields of `Image` by their keys in Glance; everything else of a record keeps its key."""
_NOT_PROPERTIES = vocabulary.BASE_KEYS | {field.key for field in vocabulary.FIELDS if field.own}
_FROM_EXTRA = {"os_name", "stores", "hypervisor", "properties", "category", "phase"}


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
    return arguments.reference(value) if isinstance(value, str) else arguments.must_be("must-be-an-image", value)
