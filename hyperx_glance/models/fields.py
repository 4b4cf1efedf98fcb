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
from hyperx_glance.models.request import UUID_PATTERN, ImmutableValueError, problem_of, refuse
from hyperx_glance.models.url_text import http_url
from hyperx_glance.texts import NO_TEXT, Text, field_name, say
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
        raise ValueError(say("must-have-fewer-bytes", most=LONGEST_PROPERTY_BYTES))
    return text


def no_boolean(number: object) -> object:
    """Refuse a boolean, which Python takes for 0 or 1."""
    if isinstance(number, bool):
        raise ValueError(say("must-not-be-a-boolean"))  # noqa: TRY004  # pydantic takes no TypeError
    return number


def well_formed_checksum(text: str) -> str:
    """Return "algorithm:digest" in lower case; raise `ValueError` if the string is not a checksum."""
    algorithm, _, digest = text.lower().partition(":")
    length = {"md5": 32, "sha256": 64, "sha512": 128}.get(algorithm)
    if length is None or not re.fullmatch(f"[0-9a-f]{{{length}}}", digest):
        raise ValueError(say("must-be-a-checksum"))
    return f"{algorithm}:{digest}"


def is_url(value: object) -> Text:
    """Accept a URL of HTTP or HTTPS."""
    problem = arguments.text(value)
    if problem:
        return problem
    try:
        http_url(str(value))
    except ValueError as error:
        return problem_of(error)
    return NO_TEXT


def is_file(value: object) -> Text:
    """Accept a path or a binary file object."""
    if isinstance(value, str | os.PathLike):
        return _path_problem(value)
    if callable(getattr(value, "read", None)) and callable(getattr(value, "seek", None)):
        return NO_TEXT
    return arguments.must_be("must-be-a-file", value)


def _path_problem(value: "str | os.PathLike[str]") -> Text:
    """Return what is wrong with a path. A path from the system may contain bytes that are not text."""
    try:
        path: object = os.fspath(value)
    except TypeError:
        return arguments.must_be("must-be-a-path", value)
    if not isinstance(path, str):
        return say("must-be-a-text-path")
    if not path or "\x00" in path:
        return say("must-be-a-filled-path")
    if isinstance(value, str):
        return arguments.text(value)
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return say("must-be-an-encodable-path")
    return NO_TEXT


def is_target(value: object) -> Text:
    """Accept a path or a binary file object that can be written to."""
    if isinstance(value, str | os.PathLike):
        return is_file(value)
    if isinstance(value, io.TextIOBase):
        return say("must-be-a-binary-file")
    return NO_TEXT if callable(getattr(value, "write", None)) else arguments.must_be("must-be-a-target", value)


def _model_file(value: object) -> object:
    """Refuse a string, even if the model is not validated further.

    Models are filled from the input of other people. If a console accepted strings, they could open every file of its
    machine.
    """
    if isinstance(value, str):
        raise ValueError(say("must-be-an-opened-file"))  # noqa: TRY004  # pydantic takes no TypeError
    refuse(NO_TEXT if value is None else is_file(value))
    return value


def is_format(value: object) -> Text:
    """Accept a disk format in any case."""
    return arguments.choice(*vocabulary.DISK_FORMATS)(_without_case(value))


def is_password(value: object) -> Text:
    """Accept a password that every login prompt accepts, as a string or as a `SecretStr`."""
    text: object = value.get_secret_value() if isinstance(value, SecretStr) else value
    problem = arguments.text(text) or arguments.secret(text)
    if not problem and not (1 <= len(str(text)) <= LONGEST_PASSWORD and str(text).isprintable()):
        return say("must-be-a-password", most=LONGEST_PASSWORD)
    return problem


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(say("must-be-a-network")) from None
    return text


def _host(text: str) -> str:
    """Refuse a string that is not a host, since no URL would ever match it."""
    bare = text.strip("[]")
    try:
        is_host = bool(ip_address(bare)) if ":" in bare else re.fullmatch(r"[^\s/@*?#%\\]+", bare) is not None
    except ValueError:
        is_host = False
    if not is_host:
        raise ValueError(say("must-be-a-host"))
    return text


def _aware(time: datetime) -> datetime:
    if time.utcoffset() is None:
        raise ValueError(say("must-have-a-time-zone"))
    return time


def _tag(text: str) -> str:
    """Refuse a tag that Glance refuses after it has created the record (glance/common/utils.py, no_4byte_params)."""
    if max(text) > LARGEST_CHARACTER:
        raise ValueError(say(FOUR_BYTES))
    return text


def _free_property(key: str) -> str:
    """Accept keys that are neither reserved by Glance nor fields of this library."""
    if key.startswith(vocabulary.RESERVED_PREFIX) or key in vocabulary.BASE_KEYS:
        raise ValueError(say("reserved-property", key=key))
    if key.startswith(vocabulary.OWN_PREFIX) or key in _FIELD_OF_KEY:
        if key in _FIELD_OF_KEY:
            raise ValueError(say("property-of-a-field", key=key, field=field_name(_FIELD_OF_KEY[key])))
        raise ValueError(say("property-of-some-field", key=key))
    return key


def made_new(properties: dict[str, str]) -> dict[str, str]:
    """Refuse the properties with which Nova marks images made from servers, since no tab shows such images."""
    if properties.get(vocabulary.SNAPSHOT_KEY) in vocabulary.MADE_OF_SERVERS or vocabulary.VOLUMES_KEY in properties:
        raise ValueError(say("marks-a-snapshot", property=vocabulary.SNAPSHOT_KEY, volumes=vocabulary.VOLUMES_KEY))
    return properties


def _each_once(stores: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(stores)) < len(stores):
        raise ValueError(say("store-named-twice"))
    return stores


def _changeable_property(key: str) -> str:
    if key in _IMMUTABLE_KEYS:
        raise ImmutableValueError(say("never-changes", name=key))
    if key != key.strip():
        # Glance would change the property of the name without them (glance/api/v2/images.py, _decode_json_pointer).
        raise ValueError(say("property-with-white-space"))
    if key in vocabulary.UNCHANGEABLE_KEYS:
        raise ValueError(say("property-of-glance", key=key))
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
FOUR_BYTES = "must-not-have-four-bytes"
LONGEST_PASSWORD = 127
LONGEST_PROPERTY_BYTES = 65535
"""The longest value that MySQL keeps; Glance checks no length (glance/db/sqlalchemy/models.py, ImageProperty.value)."""
STRICT = Field(strict=True)
String = Annotated[str, STRICT]
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
