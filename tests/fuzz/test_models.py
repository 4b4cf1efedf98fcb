"""What a model writes can be read back, or reading it fails: in Python, as a dictionary, as JSON, and as a pickle.

Each public model is found by itself, and its values are made from the types of its fields.
"""

from __future__ import annotations

import copy
import enum
import json
import pickle
import types
import typing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic
import pytest
from hypothesis import given, settings, strategies as st
from pydantic import SecretStr

import hyperx_glance
from hyperx_glance import Image, InvalidRequestError
from hyperx_glance.models.meanings import MEANINGS
from hyperx_glance.texts import Text, field_name, say
from hyperx_glance.vocabulary import BASE_KEYS, DISK_FORMATS, FIELDS, IMAGE_FORMATS
from tests.fuzz import fuzzed

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS: dict[str, type[pydantic.BaseModel]] = {
    name: kind
    for name in hyperx_glance.__all__
    if isinstance(kind := getattr(hyperx_glance, name), type) and issubclass(kind, pydantic.BaseModel)
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WORDS = st.text("abcdefghij0123456789", min_size=8, max_size=12)
TIMES = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001  # hypothesis adds the zones
    datetime(2199, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))]),
)
URLS = st.sampled_from(
    [
        "http://files.example/a.qcow2",
        "https://alice:secret@files.example/b.iso?Signature=x",
        "https://例子.example/磁盘",
    ]
)
DIGESTS = st.sampled_from(["md5:" + "ab" * 16, "sha256:" + "0F" * 32])
FOREIGN_KEYS = st.sampled_from(
    sorted({*MEANINGS, *(field.name for field in FIELDS), "glance_record", "hw_disk_bus", "image_type", "os_glance_x"})
) | st.text("abc:/~ 云", min_size=1, max_size=5)
PROPERTY_KEYS = st.sampled_from(["hw_disk_bus", "hw_vif_model", "os_x", "云", "kernel_id"])
MESSAGES = st.one_of(
    TEXTS.map(Text),
    st.just(say("only-administrators")),
    TEXTS.map(lambda name: say("no-such-department", name=name)),
    st.lists(TEXTS, max_size=2).map(lambda words: say("must-be-one-of", words=words)),
    st.integers().map(
        lambda most: say("wrong-field", field=field_name("size"), problem=say("must-be-at-most", most=most))
    ),
)
"""Texts without a code, without values, and with strings, lists, numbers and other texts as values."""
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "admin_password": st.none() | st.just(SecretStr("correct horse")),
    "allowed_ports": st.lists(st.integers(1, 65535), max_size=2),
    "capture_id": st.none() | WORDS,
    "checksum": st.none() | DIGESTS,
    "checksum_url": st.none() | URLS,
    "count": st.integers(1, 1000),
    "denied_networks": st.lists(st.sampled_from(["10.0.0.0/8", "fe80::/10"]), max_size=2),
    "disk_format": st.none() | st.sampled_from([*IMAGE_FORMATS, "QCOW2"]),
    "file": st.none() | st.just(Path("debian.qcow2")),
    "formats": st.none() | st.frozensets(st.sampled_from(DISK_FORMATS)),
    "id": st.none() | st.uuids().map(str),
    "launch_id": st.none() | WORDS,
    "metadata": st.dictionaries(WORDS, TEXTS, max_size=2),
    "networks": st.sampled_from(["auto", "none"]) | st.lists(WORDS, max_size=2),
    "only_hosts": st.lists(st.sampled_from(["files.example", "::1"]), max_size=2),
    "properties": st.dictionaries(PROPERTY_KEYS, TEXTS, max_size=2),
    "remove_properties": st.frozensets(st.sampled_from(["os_y", "os_z"])),
    "size": st.integers(1, 1000),
    "sort": st.lists(st.sampled_from(["name", "-created_at", "id"]), max_size=3),
    "stores": st.lists(WORDS, max_size=2, unique=True),
    "tags": st.frozensets(WORDS, max_size=2),
    "trusted_hosts": st.lists(st.sampled_from(["files.example", "10.0.0.1"]), max_size=2),
    "url": st.none() | URLS,
    "user_data": st.none() | TEXTS | st.binary(max_size=20),
    "unpack": st.sampled_from(["auto", False]),
}
"""Values of fields that accept only some values of their types."""


def of_type(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  # types of any form
    """Return values of a type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of_type(each) for each in arguments])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    if origin is frozenset:
        return st.frozensets(of_type(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(of_type(arguments[0]), of_type(arguments[1]), max_size=3)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    if issubclass(kind, pydantic.BaseModel):
        return of_model(kind)
    simple: dict[type, st.SearchStrategy[Any]] = {
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(-1, 2**40),
        float: st.floats(allow_nan=False, allow_infinity=False),
        datetime: TIMES,
        Text: MESSAGES,
        type(None): st.none(),
    }
    return simple[kind]


def of_model(model: type[pydantic.BaseModel]) -> st.SearchStrategy[Any]:
    """Return values of a model: images as Glance sends them, other models from their fields."""
    if model is Image:
        return records().map(lambda record: Image.model_validate_json(json.dumps(record)))
    result = model.__module__.endswith(("results", "quotas"))
    hints = typing.get_type_hints(model)
    fields: dict[str, st.SearchStrategy[Any]] = {
        name: SPECIAL[name] if name in SPECIAL and not result else of_type(hints[name]) for name in model.model_fields
    }
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    made = st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: fields[name] for name in fields if name not in required},
    )
    return made.map(lambda values: _built(model, values)).filter(lambda value: value is not None)


def _built(model: type[pydantic.BaseModel], values: dict[str, Any]) -> pydantic.BaseModel | None:
    """Build it, without the values that are refused: other tests are about these."""
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    if values.get("url") is None and "url" in model.model_fields and values.get("file") is None:
        values = {**values, "url": "http://files.example/a.qcow2"} if "file" in model.model_fields else values
    for _ in range(len(values) + 1):
        try:
            return model(**values)
        except InvalidRequestError as error:
            wrong = {line.partition(":")[0].partition(".")[0] for line in str(error).splitlines()}
            wrong = {name for each in wrong for name in each.replace(" and ", ", ").split(", ")}
            values = {name: value for name, value in values.items() if name not in wrong}
            if wrong & required:
                return None
    return None


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Return a record of Glance: with its columns, properties of ours and of other tools, and values of all types."""
    odd = st.none() | st.booleans() | st.integers(-5, 2**70) | TEXTS | st.lists(TEXTS, max_size=2)
    record: dict[str, Any] = {
        "status": draw(st.sampled_from(["active", "queued", "importing", "saving", "deactivated", "new"])),
        "visibility": draw(st.sampled_from(["public", "community", "shared", "private"])),
        "self": "/v2/images/7c1",
        "direct_url": "swift+https://user:key@store.example/7c1",
        "tags": draw(st.lists(TEXTS, max_size=3)),
        "size": draw(st.none() | st.integers(0, 2**62)),
        "created_at": draw(st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01T12:00:00", None, "yesterday"])),
    }
    record |= draw(st.dictionaries(st.sampled_from([field.key for field in FIELDS]), odd, max_size=6))
    record |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                field.key: st.sampled_from(["true", "false", "", "qemu", "fast,slow"])
                for field in FIELDS
                if field.key not in BASE_KEYS
            },
        )
    )
    record |= draw(
        st.dictionaries(FOREIGN_KEYS.filter(lambda key: key not in BASE_KEYS), TEXTS | st.none(), max_size=5)
    )
    return record | {"id": "7c1"}


def _inside(value: pydantic.BaseModel) -> pydantic.BaseModel:
    """Write and read it inside another model."""
    pair = pydantic.create_model("Pair", one=(type(value), ...), other=(str, ""))
    read: pydantic.BaseModel = pair.model_validate_json(pair(one=value).model_dump_json()).one  # type: ignore[attr-defined]  # made here
    return read


WAYS: dict[str, Callable[[Any], Any]] = {
    "JSON": lambda value: type(value).model_validate_json(value.model_dump_json()),
    "a dictionary": lambda value: type(value).model_validate(value.model_dump()),
    "a dictionary of JSON": lambda value: type(value).model_validate(value.model_dump(mode="json")),
    "keywords": lambda value: type(value)(**value.model_dump()),
    "a dump for reading back": lambda value: type(value).model_validate_json(value.model_dump_json(round_trip=True)),
    "another model": _inside,
    "a pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "a copy": copy.deepcopy,
}


def is_refused(value: pydantic.BaseModel, way: str) -> bool:
    """Whether reading must fail: JSON has no secret, and no dump has a file."""
    fields = {name: getattr(value, name) for name in type(value).model_fields}
    if fields.get("file") is not None:
        return way not in ("a pickle", "a copy")
    in_json = way not in ("a pickle", "a copy", "a dictionary", "keywords")
    return in_json and fields.get("admin_password") is not None


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_can_be_read_or_reading_fails(name: str) -> None:
    @settings(fuzzed, max_examples=fuzzed.max_examples // 10)
    @given(of_model(MODELS[name]))
    def check(value: pydantic.BaseModel) -> None:
        for way, write_and_read in WAYS.items():
            if is_refused(value, way):
                with pytest.raises(ValueError):  # noqa: PT011  # ours or pydantic's: both are ValueErrors
                    write_and_read(value)
                continue
            read = write_and_read(value)
            assert read == value, way
            assert value == read, way
            assert read.model_dump() == value.model_dump(), way
            if isinstance(value, Image):
                assert_same_image(read, value)

    check()


def assert_same_image(read: Image, value: Image) -> None:
    """Compare what the equality of models does not compare."""
    assert read.model_fields_set - _ADDRESSES == value.model_fields_set - _ADDRESSES
    for field in FIELDS:
        assert read.glance_property(field.key) == value.glance_property(field.key)


_ADDRESSES = BASE_KEYS - {field.key for field in FIELDS}
