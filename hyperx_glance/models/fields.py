"""Types of the fields of requests, and the same checks for single arguments.

>>> from hyperx_glance.models.fields import is_url, well_formed_checksum
>>> is_url("http://files.example/disk.raw"), is_url("ftp://files.example/disk.raw") == ""
('', False)
>>> well_formed_checksum("MD5:" + "AB" * 16)
'md5:abababababababababababababababab'
"""

import base64
import io
import os
import re
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Annotated, BinaryIO

import pydantic
from pydantic import Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from hyperx_glance import arguments, vocabulary
from hyperx_glance.models.request import UUID_PATTERN, ImmutableValueError, refuse
from hyperx_glance.models.url_text import http_url
from hyperx_glance.vocabulary import DiskFormat, ImageFormat


def valid(check: arguments.Check) -> pydantic.AfterValidator:
    """Check a field as an argument of a verb is checked."""

    def validate(value: object) -> object:
        refuse(check(value))
        return value

    return pydantic.AfterValidator(validate)


def _without_case(word: object) -> object:
    return word.lower() if isinstance(word, str) else word


def _property_value(text: str) -> str:
    if len(text.encode(errors="replace")) > LONGEST_PROPERTY_BYTES:
        raise ValueError(f"must have at most {LONGEST_PROPERTY_BYTES} bytes")
    return text


def no_boolean(number: object) -> object:
    """Refuse a boolean, which Python takes for 0 or 1."""
    if isinstance(number, bool):
        raise ValueError("must be a number, not a boolean")  # noqa: TRY004  # pydantic takes no TypeError
    return number


def well_formed_checksum(text: str) -> str:
    """Return "algorithm:digest" in lower case; raise `ValueError` if the string is not a checksum."""
    algorithm, _, digest = text.lower().partition(":")
    length = {"md5": 32, "sha256": 64, "sha512": 128}.get(algorithm)
    if length is None or not re.fullmatch(f"[0-9a-f]{{{length}}}", digest):
        raise ValueError("must be md5:, sha256: or sha512: and the hexadecimal digest")
    return f"{algorithm}:{digest}"


def is_url(value: object) -> str:
    """Accept a URL of HTTP or HTTPS."""
    problem = arguments.text(value)
    if problem:
        return problem
    try:
        http_url(str(value))
    except ValueError as error:
        return str(error)
    return ""


def is_file(value: object) -> str:
    """Accept a path or a binary file object."""
    if isinstance(value, str | os.PathLike):
        return _path_problem(value)
    if callable(getattr(value, "read", None)) and callable(getattr(value, "seek", None)):
        return ""
    return arguments.must_be("a path or a binary file that can be rewound", value)


def _path_problem(value: "str | os.PathLike[str]") -> str:
    """Return what is wrong with a path. A path from the system may contain bytes that are not text."""
    try:
        path: object = os.fspath(value)
    except TypeError:
        return arguments.must_be("a path", value)
    if not isinstance(path, str):
        return "must be a path as a string, not as bytes"
    if not path or "\x00" in path:
        return "the path must not be empty or contain NUL"
    if isinstance(value, str):
        return arguments.text(value)
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return "the path must not contain unpaired surrogates"
    return ""


def is_target(value: object) -> str:
    """Accept a path or a binary file object that can be written to."""
    if isinstance(value, str | os.PathLike):
        return is_file(value)
    if isinstance(value, io.TextIOBase):
        return "must be a binary file, not a text file"
    return "" if callable(getattr(value, "write", None)) else arguments.must_be("a path or a binary file", value)


def _model_file(value: object) -> object:
    """Refuse a string, even if the model is not validated further.

    Models are filled from the input of other people. If a console accepted strings, they could open every file of its
    machine.
    """
    if isinstance(value, str):
        raise ValueError("must be a pathlib.Path or a binary file object; a string may come from somebody else")  # noqa: TRY004  # pydantic takes no TypeError
    refuse("" if value is None else is_file(value))
    return value


def is_format(value: object) -> str:
    """Accept a disk format in any case."""
    return arguments.choice(*vocabulary.DISK_FORMATS)(_without_case(value))


def is_password(value: object) -> str:
    """Accept a password that every login prompt accepts, as a string or as a `SecretStr`."""
    text: object = value.get_secret_value() if isinstance(value, SecretStr) else value
    problem = arguments.text(text) or arguments.secret(text)
    if not problem and not (1 <= len(str(text)) <= LONGEST_PASSWORD and str(text).isprintable()):
        return f"must have 1 to {LONGEST_PASSWORD} printable characters"
    return problem


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must be a network, such as 169.254.0.0/16 or fe80::/10") from None
    return text


def _host(text: str) -> str:
    """Refuse a string that is not a host, since no URL would ever match it."""
    bare = text.strip("[]")
    try:
        is_host = bool(ip_address(bare)) if ":" in bare else re.fullmatch(r"[^\s/@*?#%\\]+", bare) is not None
    except ValueError:
        is_host = False
    if not is_host:
        raise ValueError("must be a host name or address, without scheme, port and path")
    return text


def _aware(time: datetime) -> datetime:
    if time.utcoffset() is None:
        raise ValueError("must have a time zone, such as datetime.now(UTC)")
    return time


def _tag(text: str) -> str:
    """Refuse a tag that Glance refuses after it has created the record (glance/common/utils.py, no_4byte_params)."""
    if max(text) > LARGEST_CHARACTER:
        raise ValueError(FOUR_BYTES)
    return text


def _free_property(key: str) -> str:
    """Accept keys that are neither reserved by Glance nor fields of this library."""
    if key.startswith(vocabulary.RESERVED_PREFIX) or key in vocabulary.BASE_KEYS:
        raise ValueError(f"{key} is reserved by Glance")
    if key.startswith(vocabulary.OWN_PREFIX) or key in _FIELD_OF_KEY:
        raise ValueError(f"{key} is set through the field {_FIELD_OF_KEY.get(key, 'that it belongs to')}")
    return key


def made_new(properties: dict[str, str]) -> dict[str, str]:
    """Refuse the properties with which Nova marks images made from servers, since no tab shows such images."""
    if properties.get(vocabulary.SNAPSHOT_KEY) in vocabulary.MADE_OF_SERVERS or vocabulary.VOLUMES_KEY in properties:
        raise ValueError(
            f"no tab shows images that {vocabulary.SNAPSHOT_KEY} or {vocabulary.VOLUMES_KEY} mark as snapshots"
        )
    return properties


def _each_once(stores: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(stores)) < len(stores):
        raise ValueError("each store must be named only once")
    return stores


def _changeable_property(key: str) -> str:
    if key in _IMMUTABLE_KEYS:
        raise ImmutableValueError(f"{key} never changes after creation")
    if key != key.strip():
        # Glance would change the property of the name without them (glance/api/v2/images.py, _decode_json_pointer).
        raise ValueError("Glance cannot change properties whose names begin or end with white space")
    if key in vocabulary.UNCHANGEABLE_KEYS:
        raise ValueError(f"Glance reserves {key}: such a property can be set at creation, but not changed")
    return _free_property(key)


IMMUTABLE_FIELDS = ("url", "owner", "hypervisor", "disk_format", "container_format", "kind")
"""Fields that HYPERX never changes after creation: URL, domain, virtualization technology, format, kind."""
_IMMUTABLE_KEYS = {
    *IMMUTABLE_FIELDS,
    *(field.key for field in vocabulary.FIELDS if {field.name, field.part_of} & {*IMMUTABLE_FIELDS}),
    vocabulary.glance_key("checksum_verified"),
}
_FIELD_OF_KEY = {
    field.key: field.part_of or field.name
    for field in vocabulary.FIELDS
    if field.stored is not vocabulary.Stored.COLUMN and field.key not in vocabulary.HYPERVISOR_KEYS[1:]
}


def _read_bytes(value: object) -> object:
    if not isinstance(value, dict) or value.keys() != {"base64"}:
        return value
    try:
        return base64.b64decode(value["base64"], validate=True)
    except (TypeError, ValueError):
        raise ValueError("base64: must be base64") from None


def _written_bytes(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}


LARGEST_CHARACTER = "\uffff"
FOUR_BYTES = "Glance does not accept characters of four bytes, such as emoji"
LONGEST_PASSWORD = 127
LONGEST_PROPERTY_BYTES = 65535
"""The longest value that MySQL keeps; Glance checks no length (glance/db/sqlalchemy/models.py, ImageProperty.value)."""
STRICT = Field(strict=True)
Text = Annotated[str, STRICT]
Name = Annotated[str, Field(min_length=1, max_length=255, strict=True)]
_Tag = Annotated[str, Field(min_length=1, max_length=255, strict=True), pydantic.AfterValidator(_tag)]
Tags = Annotated[frozenset[_Tag], Field(max_length=128)]
_PropertyKey = Annotated[
    str,
    Field(min_length=1, max_length=255, strict=True),
    valid(arguments.text),
    pydantic.AfterValidator(_free_property),
]
Value = Annotated[str, STRICT, pydantic.AfterValidator(_property_value)]
Bytes = Annotated[
    bytes,
    pydantic.BeforeValidator(_read_bytes),
    pydantic.PlainSerializer(_written_bytes, when_used="json"),
    pydantic.WithJsonSchema({
        "type": "object", "properties": {"base64": {"type": "string"}}, "required": ["base64"]
    }),
]  # fmt: skip
"""Bytes, which are an object in JSON: a string there is text."""
Switch = Annotated[bool, STRICT]
Properties = Annotated[dict[_PropertyKey, Value], Field(max_length=128), pydantic.AfterValidator(made_new)]
ChangeableKey = Annotated[
    str,
    Field(min_length=1, max_length=255, strict=True),
    valid(arguments.text),
    pydantic.AfterValidator(_changeable_property),
]
_Url = Annotated[str, Field(max_length=2048, strict=True), pydantic.AfterValidator(http_url)]
OptionalUrl = Annotated[_Url | None, Field(repr=False)]
DataFile = str | os.PathLike[str] | BinaryIO
ModelFile = Annotated[
    os.PathLike[str] | BinaryIO | None,
    Field(repr=False, exclude=True),  # pydantic would dump an iterator over its lines
    pydantic.PlainValidator(_model_file),
    SkipJsonSchema(),
]
Checksum = Annotated[str, STRICT, pydantic.AfterValidator(well_formed_checksum)]
Id = Annotated[str, Field(pattern=UUID_PATTERN, strict=True)]
HostText = Annotated[str, STRICT, pydantic.AfterValidator(_host)]
NetworkText = Annotated[str, STRICT, pydantic.AfterValidator(_network)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
Gib = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
Size = Annotated[int, Field(ge=0), pydantic.BeforeValidator(no_boolean)]
Limit = Annotated[int, Field(ge=0, le=2**63 - 1), pydantic.BeforeValidator(no_boolean)]
AwareTime = Annotated[datetime, pydantic.AfterValidator(_aware)]
Reference = Annotated[str, Field(min_length=1, max_length=255, strict=True)]
Stores = Annotated[tuple[Reference, ...], pydantic.AfterValidator(_each_once)]
DepartmentReference = Annotated[Reference, valid(arguments.department)]
AnyCaseImageFormat = Annotated[ImageFormat, pydantic.BeforeValidator(_without_case)]
AnyCaseDiskFormat = Annotated[DiskFormat, pydantic.BeforeValidator(_without_case)]
Some = frozenset[str] | set[str] | tuple[str, ...] | list[str]
Many = tuple[str, ...] | list[str]
