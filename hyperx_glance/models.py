"""The things this library takes and gives: frozen pydantic models.

    >>> from hyperx_glance.models import Image, NewImage
    >>> record = (
    ...     b'{"id": "7c1", "name": "debian", "status": "active", "disk_format": "qcow2", "visibility": "community"}'
    ... )
    >>> image = Image.model_validate_json(record)
    >>> image.name, image.state, image.category, image.phase
    ('debian', <State.ACTIVE: 'ACTIVE'>, <Category.PUBLIC: 'public'>, <Phase.READY: 'ready'>)
    >>> NewImage(name="", url="http://files.example/debian.qcow2")
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: name: a text that is not empty is needed

Reading is tolerant: an image that another tool made has defaults for what it lacks. Writing is strict: a request model
built from bad values raises `InvalidRequestError`; inside another pydantic model the same mistakes are ordinary
validation errors with their location.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Required, Self, TypedDict, Unpack

import pydantic
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, SecretStr, computed_field, model_serializer
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from hyperx_glance import arguments, vocabulary
from hyperx_glance.answers import Time
from hyperx_glance.errors import ImmutableFieldError, InvalidRequestError
from hyperx_glance.url_text import http_url
from hyperx_glance.vocabulary import (
    Category,
    CategoryWord,
    DiskFormat,
    DiskFormatWord,
    ImageFormat,
    ImageFormatWord,
    Kind,
    KindWord,
    Phase,
    State,
    StateWord,
    View,
    ViewWord,
)

__all__ = [
    "AvailabilityZone",
    "Deletion",
    "DepartmentQuota",
    "Finding",
    "FlavorChoice",
    "Image",
    "ImageChanges",
    "ImageCriteria",
    "ImageFields",
    "ImagePage",
    "ImageQuery",
    "KeyPair",
    "LaunchProgress",
    "LaunchRequest",
    "NetworkChoice",
    "NewImage",
    "NewIso",
    "Progress",
    "QuotaLimits",
    "Server",
    "ServerRef",
    "Summary",
    "UrlPolicy",
    "UrlReport",
    "Usage",
]

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them

# ----------------------------------------------------------------- reading


class _Lenient:
    """Let a value that does not parse read as ``default``; pydantic does it without a call into Python."""

    def __init__(self, default: object) -> None:
        self.default = default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self.default, on_error="default")


class _Flag(_Lenient):
    """Read "true" as True and everything else as False, as property values are text and written by many tools."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        flag = core_schema.chain_schema([core_schema.literal_schema(["true", True]), handler(source)])
        return core_schema.with_default_schema(flag, default=self.default, on_error="default")


_Text = Annotated[str, _Lenient("")]
_OptionalText = Annotated[str | None, _Lenient(None)]
_OptionalSize = Annotated[int | None, _Lenient(None)]
_Number = Annotated[int, _Lenient(0)]
_NativeFlag = Annotated[bool, _Lenient(False)]
_OwnFlag = Annotated[bool, _Flag(False)]
_OptionalTime = Annotated[Time | None, _Lenient(None)]


class Image(BaseModel):
    """Show one image or ISO as the console does.

    Sizes are bytes, ``min_disk_gib`` GiB, ``min_ram_mib`` MiB, times aware. ``properties`` holds every other Glance
    property untouched. ``kind``, ``category``, ``state`` and ``phase`` are derived, and part of ``model_dump()``.
    Parse Glance's own bytes with `Image.model_validate_json`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
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
    protected: _NativeFlag = False
    hidden: _NativeFlag = False
    checksum: _OptionalText = None
    hash_algorithm: _OptionalText = None
    hash_value: _OptionalText = None

    def glance_property(self, key: str) -> str:
        """Give the text of a Glance property that is no field here; "" where the image has none."""
        value = (self.__pydantic_extra__ or {}).get(key)
        return value if isinstance(value, str) else ""

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know a decorated property
    @property
    def os_name(self) -> str:
        """The operating system as people call it, else distribution and version."""
        return self.glance_property("hyperx_os_name") or f"{self.os_distro} {self.os_version}".strip()

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def hypervisor(self) -> str:
        """The virtualization technology as people call it, else Nova's word."""
        read = self.glance_property
        return read("hyperx_hypervisor") or read("hypervisor_type") or read("img_hv_type")

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def stores(self) -> tuple[str, ...]:
        """The stores that hold the data; empty where Glance has a single store."""
        return tuple(filter(None, self.glance_property("stores").split(",")))

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def properties(self) -> dict[str, str]:
        """Every other Glance property, untouched, without those of imports that come and go."""
        return {
            key: value
            for key, value in (self.__pydantic_extra__ or {}).items()
            if isinstance(value, str)  # Glance keeps no other; kernel_id may be null
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
            return Category.FEATURED if self.glance_property("hyperx_featured") == "true" else Category.PUBLIC
        return Category.PUBLIC if self.visibility == "community" else Category.PRIVATE

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def state(self) -> State:
        """ACTIVE: servers can be launched from it."""
        return State.ACTIVE if self.glance_status == "active" else State.INACTIVE

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def phase(self) -> Phase:
        """How far the image has come, read from its record alone."""
        read = self.glance_property
        match self.glance_status:
            case "active":
                return Phase.STORING if read("os_glance_importing_to_stores") else Phase.READY
            case "queued":
                # An import leaves `queued` a moment after its lock is set, and comes back to it when it fails: the lock
                # tells these apart (glance/async_/flows/api_image_import.py, _ImageLock).
                if read("os_glance_import_task"):
                    return Phase.DOWNLOADING
                return Phase.FAILED if self.failure or read("os_glance_failed_import") else Phase.REGISTERED
            case "importing":
                return Phase.DOWNLOADING
            case "saving" | "uploading":
                return Phase.STORING
            case "deactivated":
                return Phase.DISABLED
        return Phase.UNKNOWN

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Show what says something; raw Glance properties appear once, in ``properties``."""
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


_NOT_PROPERTIES = vocabulary.BASE_KEYS | {word.key for word in vocabulary.WORDS if word.own}
_FROM_EXTRA = {"os_name", "stores", "hypervisor", "properties", "category", "phase"}


def image_id(image: Image | str) -> str:
    """Give the id of an image that is named by itself or by its id."""
    return image.id if isinstance(image, Image) else image


def is_volume_snapshot(image: Image) -> bool:
    """Tell a snapshot that has no data of its own, but names volume snapshots."""
    read = image.glance_property
    return bool(read(vocabulary.VOLUMES_KEY)) and not read(vocabulary.SNAPSHOT_KEY) and not image.size


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Tell what looks like the id of an image or a server from a name."""
    return _UUID.fullmatch(text) is not None


def is_image(value: object) -> str:
    """Take an image, or an id."""
    if isinstance(value, Image):
        return arguments.reference(value.id)
    return arguments.reference(value) if isinstance(value, str) else arguments.needed("an Image or its id", value)


class ImagePage(BaseModel):
    """Hold one page of Glance's image list, parsed straight from its bytes; ``next`` is the path of the next."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    images: tuple[Image, ...]
    next: str | None = None


class Server(BaseModel):
    """Show a server; ``addresses`` maps network names to IP addresses, ``fault`` says why it is in ERROR."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    status: str
    addresses: dict[str, tuple[str, ...]] = {}
    flavor: str = ""
    created_at: datetime | None = None
    fault: str | None = None


class ServerRef(BaseModel):
    """Point at a server that was made from an image; ``through`` says how it uses it."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    status: str
    project_id: str
    through: Literal["image", "volume", "iso"]


class Summary(BaseModel):
    """Count images: all, and by what they are; ``bytes`` is the sum of their sizes, as far as these are known.

    ``by_category``, ``by_kind`` and ``by_state`` have every word, also with 0. The others have what there is, sorted by
    how many images have it: ``by_format`` the disk format, ``by_os`` the name of the operating system, ``by_owner`` the
    id of the department, each "" for images that do not say. An image counts once in each, but in ``by_tag`` for
    each of its tags.
    """

    model_config = ConfigDict(frozen=True)

    total: int
    bytes: int
    by_category: dict[Category, int]
    by_kind: dict[Kind, int]
    by_state: dict[State, int]
    by_format: dict[str, int]
    by_os: dict[str, int]
    by_tag: dict[str, int]
    by_owner: dict[str, int]


class FlavorChoice(BaseModel):
    """Show a flavor and whether an image fits: where it does not, ``reason`` is the sentence with which a launch fails.

    The memory is MiB, the disk GiB.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    cores: int
    ram_mib: int
    disk_gib: int
    fits: bool = True
    reason: str = ""


class NetworkChoice(BaseModel):
    """Show a network that servers can be launched into; ``owner`` is the id of the department that it belongs to."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    owner: str
    shared: bool


class KeyPair(BaseModel):
    """Show one of the caller's key pairs; ``kind`` is "ssh" or "x509"."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    fingerprint: str


class AvailabilityZone(BaseModel):
    """Show an availability zone; one that is not ``available`` has no host that works at this moment."""

    model_config = ConfigDict(frozen=True)

    name: str
    available: bool


class Deletion(BaseModel):
    """Tell what was deleted: None when nothing was there, ``servers`` None when nobody asked for them."""

    model_config = ConfigDict(frozen=True)

    image: Image | None
    servers: tuple[ServerRef, ...] | None = None


class Progress(BaseModel):
    """Tell how far a registration is; bytes are None where nobody knows them."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    bytes_expected: int | None = None
    bytes_done: int | None = None
    elapsed_seconds: float = 0.0
    message: str = ""


class LaunchProgress(BaseModel):
    """Tell how many of ``count`` servers are active, still building, or failed."""

    model_config = ConfigDict(frozen=True)

    active: int
    building: int
    failed: int
    count: int
    elapsed_seconds: float = 0.0


class UrlReport(BaseModel):
    """Tell what a URL holds, as a browser would find it: ``would_download`` means a download window, no page.

    ``size`` is bytes, None where the server does not say; ``disk_format`` None where the first bytes say nothing.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    final_url: str
    address: str
    status: int
    size: int | None = None
    content_type: str = ""
    file_name: str = ""
    disk_format: str | None = None
    would_download: bool = False
    warnings: tuple[str, ...] = ()


class Usage(BaseModel):
    """Tell how much of a resource is used; ``limit`` None means unlimited."""

    model_config = ConfigDict(frozen=True)

    used: int
    limit: int | None

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def remaining(self) -> int | None:
        """What is left: negative where a limit was set under the present use, None where there is no limit."""
        return None if self.limit is None else self.limit - self.used


class DepartmentQuota(BaseModel):
    """Show what a department uses and may use; None where this cloud does not say.

    Units: ``image_size_mib`` and ``staging_mib`` MiB, ``ram_mib`` MiB, ``volume_gib`` GiB, the others counts. Source:
    Keystone's unified limits and Glance for images, Nova for servers, Cinder for volumes.
    """

    model_config = ConfigDict(frozen=True)

    department: str
    images: Usage | None = None
    image_size_mib: Usage | None = None
    staging_mib: Usage | None = None
    uploading: Usage | None = None
    instances: Usage | None = None
    cores: Usage | None = None
    ram_mib: Usage | None = None
    volumes: Usage | None = None
    volume_gib: Usage | None = None


class Finding(BaseModel):
    """Tell the result of one check of a deployment; ``level`` is "ok", "warning" or "error"."""

    model_config = ConfigDict(frozen=True)

    check: str
    level: Literal["ok", "warning", "error"]
    message: str
    remedy: str = ""


# ----------------------------------------------------------------- requests


class _ImmutableValueError(ValueError):
    """Mark a mistake that becomes `ImmutableFieldError`; nested in another model it stays a validation error."""


_UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_SERVER_TAG_PATTERN = r"^[^,/]+$"
_LAUNCH_ID_PATTERN = r"^[A-Za-z0-9._-]{8,40}$"
_PATTERNS = {
    _UUID_PATTERN: "a UUID in small letters is needed",
    _SERVER_TAG_PATTERN: "a tag of a server holds neither comma nor slash",
    _LAUNCH_ID_PATTERN: "8 to 40 ASCII letters, digits, dots, hyphens and underscores are needed",
}
_TOLD = {
    "bool": "True or False is needed",
    "bytes_type": "a text or bytes are needed",
    "datetime": "a time is needed, such as datetime.now(UTC)",
    "dict_type": "a dictionary is needed",
    "enum": "{expected} is needed",
    "extra_forbidden": "there is no such field",
    "finite_number": "a finite number is needed",
    "float": "a number is needed",
    "frozen_set_type": "a set, list or tuple is needed",
    "greater_than": "more than {gt} is needed",
    "greater_than_equal": "at least {ge} is needed",
    "int": "a whole number is needed",
    "json_invalid": "this is no JSON",
    "less_than_equal": "at most {le} is possible",
    "literal_error": "{expected} is needed",
    "missing": "this field is needed",
    "model": "keywords or a dictionary are needed",
    "string_too_long": "at most {max_length} characters are possible",
    "string_too_short": "a text that is not empty is needed",
    "string_type": "a text is needed",
    "string_unicode": "a text cannot hold half a surrogate pair",
    "too_long": "at most {max_length} are possible",
    "tuple_type": "a list or tuple is needed",
}
"""Each kind of pydantic's mistakes, or the first word of several alike, in words of this library."""
_UNIONS = ("networks", "user_data")
"""Fields of which pydantic tells each branch that it tried."""


def _explain(model: type[BaseModel], error: pydantic.ValidationError) -> InvalidRequestError:
    """Say what is wrong with each field, in one line."""
    mistakes = error.errors(include_input=False)
    told: dict[str, list[str]] = {}
    for mistake in mistakes:
        sentences = told.setdefault(_place(mistake["loc"]), [])
        sentence = _sentence(model, mistake)
        if sentence not in sentences:
            sentences.append(sentence)
    lines = [
        _printable(f"{place}: " if place else "") + _printable(", or ".join(sentences))
        for place, sentences in told.items()
        if not any(other.startswith(f"{place}.") for other in told)  # or a branch that the value was not meant for
    ]
    immutable = any(isinstance(mistake.get("ctx", {}).get("error"), _ImmutableValueError) for mistake in mistakes)
    kind = ImmutableFieldError if immutable else InvalidRequestError
    return kind("\n".join(lines))


def _sentence(model: type[BaseModel], mistake: ErrorDetails) -> str:
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]]
    template = _TOLD.get(kind) or _TOLD.get(kind.partition("_")[0])
    sentence = template.format(**context) if template else mistake["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(mistake["loc"][-1]), model.model_fields, n=1)
        sentence += f"; did you mean {near[0]}?" if near else ""
    return sentence


def _place(location: tuple[int | str, ...]) -> str:
    """Name the field, without the branch of a union that pydantic tried and without its mark for keys.

    What the whole request is told of names its fields itself.
    """
    if location and location[0] in _UNIONS:
        location = (location[0], *location[2:])
    return ".".join(str(part) for part in location if part != "[key]")


def _printable(text: str) -> str:
    """Write a line that every terminal and log takes: names of fields and keys are the caller's."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class _Request(BaseModel):
    """Be strict, frozen, and speak this library's errors when built directly."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __init__(self, /, *positional: object, **data: Any) -> None:
        kind = type(self)
        if positional:
            wanted = [f"{name}=..." for name, field in kind.model_fields.items() if field.is_required()]
            raise InvalidRequestError(f"{kind.__name__} takes keywords alone: {kind.__name__}({', '.join(wanted)})")
        try:
            super().__init__(**data)
        except pydantic.ValidationError as error:
            raise _explain(kind, error) from error

    # Without this mark pydantic calls __init__ for nested models too, and their mistakes lose their location
    # (pydantic/_internal/_model_construction.py, __pydantic_custom_init__).
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @pydantic.field_validator("*", mode="after")
    @classmethod
    def _no_text_that_cannot_be_sent(cls, value: Any) -> Any:
        _check_texts(value)
        return value

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Build from a mapping, as the constructor does."""
        try:
            return super().model_validate(obj, **options)
        except pydantic.ValidationError as error:
            raise _explain(cls, error) from error

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Build from JSON, as the constructor does."""
        try:
            return super().model_validate_json(json_data, **options)
        except pydantic.ValidationError as error:
            raise _explain(cls, error) from error


def _check_texts(value: object) -> None:
    """Refuse, at any depth, what no database keeps and no request carries."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        _refuse(arguments.text(value))
    elif isinstance(value, Mapping):
        _check_texts([*value, *value.values()])
    elif isinstance(value, list | tuple | frozenset):
        for part in value:
            _check_texts(part)


def _refuse(problem: str) -> None:
    if problem:
        raise ValueError(problem)


def _valid(check: arguments.Check) -> pydantic.AfterValidator:
    """Let a field be checked as an argument of a verb is."""

    def validate(value: object) -> object:
        _refuse(check(value))
        return value

    return pydantic.AfterValidator(validate)


def _without_case(word: object) -> object:
    return word.lower() if isinstance(word, str) else word


def _property_value(text: str) -> str:
    if len(text.encode(errors="replace")) > LONGEST_PROPERTY_BYTES:
        raise ValueError(f"a property holds at most {LONGEST_PROPERTY_BYTES} bytes")
    return text


def _no_boolean(number: object) -> object:
    if isinstance(number, bool):
        raise ValueError("a number is needed, not a boolean")  # noqa: TRY004  # pydantic takes no TypeError
    return number


def well_formed_checksum(text: str) -> str:
    """Give "algorithm:digest" in small letters; `ValueError` where it is none."""
    algorithm, _, digest = text.lower().partition(":")
    length = {"md5": 32, "sha256": 64, "sha512": 128}.get(algorithm)
    if length is None or not re.fullmatch(f"[0-9a-f]{{{length}}}", digest):
        raise ValueError("a checksum is md5:, sha256: or sha512: and that many hexadecimal digits")
    return f"{algorithm}:{digest}"


def is_url(value: object) -> str:
    """Take a URL of HTTP or HTTPS."""
    problem = arguments.text(value)
    if problem:
        return problem
    try:
        http_url(str(value))
    except ValueError:
        return "this is no URL; http:// or https://, a host, and a path without spaces are needed"
    return ""


def is_format(value: object) -> str:
    """Take a disk format, whatever its case."""
    return arguments.choice(*vocabulary.DISK_FORMATS)(_without_case(value))


def is_password(value: object) -> str:
    """Take a text, veiled or not."""
    return arguments.text(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError("a network is written as 169.254.0.0/16 or fe80::/10") from None
    return text


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("a time needs its zone, such as datetime.now(UTC)")
    return time


def _free_property(key: str) -> str:
    """Accept keys that are neither Glance's own nor fields of this library."""
    if key.startswith(vocabulary.RESERVED_PREFIX) or key in vocabulary.BASE_KEYS:
        raise ValueError(f"{key} is reserved by Glance")
    if key.startswith(vocabulary.OWN_PREFIX) or key in _FIELD_OF_KEY:
        raise ValueError(f"{key} is written through the field {_FIELD_OF_KEY.get(key, 'that it belongs to')}")
    return key


def _changeable_property(key: str) -> str:
    if key in _IMMUTABLE_KEYS:
        raise _ImmutableValueError(f"{key} never changes after creation")
    if key != key.strip():
        # Glance would change the property of the name without them (glance/api/v2/images.py, _decode_json_pointer).
        raise ValueError("Glance changes no property whose name begins or ends with blanks")
    if key in vocabulary.UNCHANGEABLE_KEYS:
        raise ValueError(f"Glance takes {key} for a word of its own: such a property can be given, but never changed")
    return _free_property(key)


IMMUTABLE_FIELDS = ("url", "owner", "hypervisor", "disk_format", "container_format", "kind")
"""What HYPERX never changes after creation: URL, domain, virtualization technology, format, kind."""
_IMMUTABLE_KEYS = {
    *IMMUTABLE_FIELDS,
    *(vocabulary.glance_key(field) for field in IMMUTABLE_FIELDS),
    *(
        vocabulary.glance_key(field)
        for field in ("url_stripped", "checksum_verified", "hypervisor_type", "image_hypervisor_type")
    ),
}
_PUBLIC_FIELDS = {
    "checksum_wanted": "checksum",
    "featured_flag": "category",
    "guest_agent_before": "password_enabled",
}
_FIELD_OF_KEY = {
    word.key: _PUBLIC_FIELDS.get(word.field, word.field)
    for word in vocabulary.WORDS
    if word.custom and word.key not in ("hypervisor_type", "img_hv_type")
}

LONGEST_PROPERTY_BYTES = 65535
"""What MySQL keeps of a property; Glance checks no length (glance/db/sqlalchemy/models.py, ImageProperty.value)."""

_STRICT = Field(strict=True)
_Str = Annotated[str, _STRICT]
_NAME = Annotated[str, Field(min_length=1, max_length=255, strict=True)]
_Tag = Annotated[str, Field(min_length=1, max_length=255, strict=True)]
_Tags = Annotated[frozenset[_Tag], Field(max_length=128)]
_PropertyKey = Annotated[
    str,
    Field(min_length=1, max_length=255, strict=True),
    _valid(arguments.text),
    pydantic.AfterValidator(_free_property),
]
_Value = Annotated[str, _STRICT, pydantic.AfterValidator(_property_value)]
_Switch = Annotated[bool, _STRICT]
_Properties = Annotated[dict[_PropertyKey, _Value], Field(max_length=128)]
_ChangeableKey = Annotated[
    str,
    Field(min_length=1, max_length=255, strict=True),
    _valid(arguments.text),
    pydantic.AfterValidator(_changeable_property),
]
_Url = Annotated[str, Field(max_length=2048, repr=False, strict=True), pydantic.AfterValidator(http_url)]
_Checksum = Annotated[str, _STRICT, pydantic.AfterValidator(well_formed_checksum)]
_Id = Annotated[str, Field(pattern=_UUID_PATTERN, strict=True)]
_Network = Annotated[str, _STRICT, pydantic.AfterValidator(_network)]
_Count = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
_Gib = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
_Size = Annotated[int, Field(ge=0), pydantic.BeforeValidator(_no_boolean)]
_Limit = Annotated[int, Field(ge=0, le=2**63 - 1), pydantic.BeforeValidator(_no_boolean)]
_Time = Annotated[datetime, pydantic.AfterValidator(_aware)]
_Reference = Annotated[str, Field(min_length=1, max_length=255, strict=True)]
_Department = Annotated[_Reference, _valid(arguments.department)]
_ImageFormat = Annotated[ImageFormat, pydantic.BeforeValidator(_without_case)]
_DiskFormat = Annotated[DiskFormat, pydantic.BeforeValidator(_without_case)]


class _New(_Request):
    name: _NAME
    url: _Url
    description: _Value = ""
    category: Category = Category.PRIVATE
    os_name: _Value = ""
    os_distro: _Value = ""
    os_version: _Value = ""
    os_type: _Value = ""
    architecture: _Value = ""
    tags: _Tags = frozenset()
    min_disk_gib: _Count = 0
    min_ram_mib: _Count = 0
    protected: _Switch = False
    checksum: _Checksum | None = None
    owner: _Department | None = None
    properties: _Properties = {}
    stores: tuple[_Reference, ...] = ()
    id: _Id | None = None


_Some = frozenset[str] | set[str] | tuple[str, ...] | list[str]
_Many = tuple[str, ...] | list[str]


class _NewFields(TypedDict, total=False):
    name: Required[str]
    url: Required[str]
    description: str
    category: Category | CategoryWord
    os_name: str
    os_distro: str
    os_version: str
    os_type: str
    architecture: str
    tags: _Some
    min_disk_gib: int
    min_ram_mib: int
    protected: bool
    checksum: str | None
    owner: str | None
    properties: Mapping[str, str]
    stores: _Many
    id: str | None


class _NewImageFields(_NewFields, total=False):
    disk_format: ImageFormatWord | None
    password_enabled: bool
    admin_user: str | None
    hypervisor: str


class _NewIsoFields(_NewFields, total=False):
    bootable: bool


class NewImage(_New):
    """Ask for a disk image from a URL.

    ``disk_format`` None takes what the first bytes say. ``checksum`` is "sha256:<hex>", "sha512:<hex>" or "md5:<hex>".
    ``owner`` is another department's id or name, for administrators. ``id`` is a UUID of the caller's own, else the
    library draws one. ``admin_user`` is the account that the password switch is about.
    """

    kind: ClassVar[Kind] = Kind.IMAGE
    disk_format: _ImageFormat | None = None
    password_enabled: _Switch = False
    admin_user: _Value | None = None
    hypervisor: _Value = ""

    if TYPE_CHECKING:  # type checkers would ask for the types of the fields, where these are taken too

        def __init__(self, /, **fields: Unpack[_NewImageFields]) -> None: ...


class NewIso(_New):
    """Ask for an installation disc from a URL; the fields are those of `NewImage` but format, password, hypervisor."""

    kind: ClassVar[Kind] = Kind.ISO
    disk_format: ClassVar[Literal["iso"]] = "iso"
    bootable: _Switch = True

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **fields: Unpack[_NewIsoFields]) -> None: ...


_SORT_COLUMNS = ("name", "disk_format", "container_format", "glance_status", "id", "created_at", "updated_at")


def _sortable(column: str) -> str:
    if column.removeprefix("-") not in _SORT_COLUMNS:
        raise ValueError(
            f"Glance cannot sort by {column}; use {', '.join(_SORT_COLUMNS)}, or sorted(client.images(...), key=...)"
        )
    return column


class ImageQuery(_Request):
    """Say which images to show, and in which order.

    Sizes are bytes and inclusive, times aware and inclusive. ``search`` is the console's quick search. ``hidden`` None
    means both. ``sort`` takes columns, with "-" for descending.
    """

    view: View = View.ALL
    kind: Kind | None = None
    state: State | None = None
    formats: frozenset[_DiskFormat] | None = None
    tags: frozenset[_Str] = frozenset()
    any_tags: frozenset[_Str] = frozenset()
    no_tags: frozenset[_Str] = frozenset()
    search: _Str = ""
    name: _Str | None = None
    os_distro: _Str | None = None
    os_version: _Str | None = None
    os_type: _Str | None = None
    hypervisor: _Str | None = None
    architecture: _Str | None = None
    owner: _Department | None = None
    created_by: _Str | None = None
    properties: dict[_Str, _Str] = {}
    name_contains: _Str = ""
    description_contains: _Str = ""
    os_name_contains: _Str = ""
    password_enabled: bool | None = None
    bootable: bool | None = None
    protected: bool | None = None
    hidden: bool | None = False
    min_size: _Size | None = None
    max_size: _Size | None = None
    created_after: _Time | None = None
    created_before: _Time | None = None
    updated_after: _Time | None = None
    updated_before: _Time | None = None
    sort: tuple[Annotated[str, _STRICT, _valid(arguments.text), pydantic.AfterValidator(_sortable)], ...] = (
        "-created_at",
        "id",
    )
    limit: _Limit | None = None

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **criteria: Unpack["ImageCriteria"]) -> None: ...

    @pydantic.model_validator(mode="after")
    def _ask_for_something(self) -> Self:
        for least, most in _RANGES:
            low, high = getattr(self, least), getattr(self, most)
            if low is not None and high is not None and low > high:
                raise ValueError(f"{least}: nothing is between it and {most}, which is less")
        return self


_RANGES = (("min_size", "max_size"), ("created_after", "created_before"), ("updated_after", "updated_before"))


class ImageChanges(_Request):
    """Say what to change; a field that is not given stays as it is, "" or an empty set clears it.

    ``properties`` are set beside those that exist, ``remove_properties`` go; ``tags`` replaces the whole set.
    """

    name: _NAME = ""
    description: _Value = ""
    category: Category = Category.PRIVATE
    password_enabled: _Switch = False
    admin_user: _Value = ""
    bootable: _Switch = True
    os_name: _Value = ""
    os_distro: _Value = ""
    os_version: _Value = ""
    os_type: _Value = ""
    architecture: _Value = ""
    tags: _Tags = frozenset()
    min_disk_gib: _Count = 0
    min_ram_mib: _Count = 0
    protected: _Switch = False
    hidden: _Switch = False
    properties: Annotated[dict[_ChangeableKey, _Value], Field(max_length=128)] = {}
    remove_properties: frozenset[_ChangeableKey] = frozenset()

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **fields: Unpack["ImageFields"]) -> None: ...

    @pydantic.model_validator(mode="before")
    @classmethod
    def _keep_what_never_changes(cls, fields: Any) -> Any:
        named = [field for field in IMMUTABLE_FIELDS if isinstance(fields, Mapping) and field in fields]
        if named:
            raise _ImmutableValueError(f"{', '.join(named)}: never changed after creation")
        return fields

    @pydantic.model_validator(mode="after")
    def _decide_on_each_property(self) -> Self:
        twice = sorted(self.remove_properties & self.properties.keys())
        if twice:
            raise ValueError(f"properties and remove_properties both name {', '.join(twice)}")
        snapshot = self.properties.get(vocabulary.SNAPSHOT_KEY) == vocabulary.SNAPSHOT_VALUE
        if snapshot and "category" in self.model_fields_set and self.category is not Category.PRIVATE:
            raise ValueError(f"category: no tab shows what properties call a {vocabulary.SNAPSHOT_VALUE}")
        return self

    def given(self) -> dict[str, Any]:
        """Give the fields that the caller named, with their values."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class _LaunchFields(TypedDict, total=False):
    name: Required[str]
    flavor: Required[str]
    count: int
    networks: Literal["auto", "none"] | _Many
    install_disk_gib: int | None
    layout: Literal["install", "live"]
    boot_volume_gib: int | None
    volume_type: str | None
    keep_volumes: bool
    admin_password: str | SecretStr | None
    key_name: str | None
    security_groups: _Many
    user_data: str | bytes | None
    config_drive: bool | None
    availability_zone: str | None
    metadata: Mapping[str, str]
    tags: _Some
    server_group: str | None
    on_failure: Literal["keep", "delete"]
    launch_id: str | None


class LaunchRequest(_Request):
    """Ask for one or many servers from an image or an ISO.

    ``flavor`` and ``networks`` are names or ids; ``networks`` "auto" lets Neutron choose, "none" means no network.
    Disks are GiB. ``layout`` is for ISOs: "install" adds a blank disk, "live" boots the ISO itself. ``launch_id`` of
    the caller's own lets `Client.find_launch` find the servers after the caller died.
    """

    name: _NAME
    flavor: _Reference
    count: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    networks: Literal["auto", "none"] | tuple[_Reference, ...] = "auto"
    install_disk_gib: _Gib | None = None
    layout: Literal["install", "live"] = "install"
    boot_volume_gib: _Gib | None = None
    volume_type: _Reference | None = None
    keep_volumes: _Switch = False
    admin_password: Annotated[SecretStr, Field(min_length=1)] | None = None
    key_name: _Reference | None = None
    security_groups: tuple[_Reference, ...] = ()
    user_data: Annotated[_Str | bytes | None, Field(repr=False)] = None
    config_drive: _Switch | None = None
    availability_zone: _Reference | None = None
    metadata: dict[
        Annotated[str, Field(min_length=1, max_length=255, strict=True)],
        Annotated[str, Field(max_length=255, strict=True)],
    ] = {}
    tags: frozenset[Annotated[str, Field(min_length=1, max_length=60, pattern=_SERVER_TAG_PATTERN, strict=True)]] = (
        frozenset()
    )
    server_group: _Reference | None = None
    on_failure: Literal["keep", "delete"] = "keep"
    launch_id: Annotated[str, Field(pattern=_LAUNCH_ID_PATTERN, strict=True)] | None = None

    if TYPE_CHECKING:  # as above

        def __init__(self, /, **fields: Unpack[_LaunchFields]) -> None: ...


class UrlPolicy(_Request):
    """Say which URLs may be read, and how.

    ``trusted_hosts`` are exempt from ``denied_networks``; ``only_hosts`` is a whitelist when not empty;
    ``allowed_ports`` () means any. Proxies of the environment are not used.
    """

    preflight: _Switch = True
    trusted_hosts: tuple[_Str, ...] = ()
    only_hosts: tuple[_Str, ...] = ()
    denied_networks: tuple[_Network, ...] = (
        "0.0.0.0/8",  # this host
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is Oracle's metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "100.100.100.200/32",  # Alibaba's metadata
        "168.63.129.16/32",  # Azure's host
        "::/128",
        "::1/128",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # Amazon's metadata and credentials
        "fd20:ce::254/128",  # Google's metadata
        "fd00:42::42/128",  # Scaleway's
        "fd00:c1::a9fe:a9fe/128",  # Oracle's
    )
    allowed_ports: tuple[Annotated[int, Field(ge=1, le=65535, strict=True)], ...] = ()
    ca_file: _Str | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=86400, strict=True)] = 10.0
    max_redirects: Annotated[int, Field(ge=0, strict=True)] = 5


class ImageCriteria(TypedDict, total=False):
    """Name the keywords of `Client.images` and `Client.count`: the fields of `ImageQuery`."""

    view: View | ViewWord
    kind: Kind | KindWord | None
    state: State | StateWord | None
    formats: frozenset[DiskFormatWord] | set[DiskFormatWord] | tuple[DiskFormatWord, ...] | list[DiskFormatWord] | None
    tags: _Some
    any_tags: _Some
    no_tags: _Some
    search: str
    name: str | None
    os_distro: str | None
    os_version: str | None
    os_type: str | None
    hypervisor: str | None
    architecture: str | None
    owner: str | None
    created_by: str | None
    properties: Mapping[str, str]
    name_contains: str
    description_contains: str
    os_name_contains: str
    password_enabled: bool | None
    bootable: bool | None
    protected: bool | None
    hidden: bool | None
    min_size: int | None
    max_size: int | None
    created_after: datetime | None
    created_before: datetime | None
    updated_after: datetime | None
    updated_before: datetime | None
    sort: _Many
    limit: int | None


class ImageFields(TypedDict, total=False):
    """Name the keywords of `Client.update`: the fields of `ImageChanges`."""

    name: str
    description: str
    category: Category | CategoryWord
    password_enabled: bool
    admin_user: str
    bootable: bool
    os_name: str
    os_distro: str
    os_version: str
    os_type: str
    architecture: str
    tags: _Some
    min_disk_gib: int
    min_ram_mib: int
    protected: bool
    hidden: bool
    properties: Mapping[str, str]
    remove_properties: _Some


class QuotaLimits(TypedDict, total=False):
    """Name the keywords of `Client.set_quota`: -1 is unlimited, None the default again."""

    images: int | None
    image_size_mib: int | None
    staging_mib: int | None
    uploading: int | None
    instances: int | None
    cores: int | None
    ram_mib: int | None
    volumes: int | None
    volume_gib: int | None
