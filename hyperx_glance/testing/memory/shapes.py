"""From the annotations of the in-memory cloud to schemas that write its values as JSON, and read only such JSON.

>>> import dataclasses
>>> @dataclasses.dataclass
... class Disk:
...     size: int
...     data: bytes | None = None
>>> disks = Shape({"disks": schema(dict[str, Disk], "disks")})
>>> disks.write({"disks": {"a": Disk(4, b"data")}})
b'{"disks":{"a":{"size":4,"data":"ZGF0YQ=="}}}'
>>> disks.read(b'{"disks":{"a":{"size":4,"data":"ZGF0YQ=="}}}')
{'disks': {'a': Disk(size=4, data=b'data')}}
>>> disks.read(b'{"disks":{"a":{"size":"4","data":null}}}')
Traceback (most recent call last):
ValueError: disks.a.size: input should be a valid integer

A field that somebody adds to a class is written and read without a word here. What is no data is left out: threads,
objects of any kind, and functions. A function in a place that usually has none, such as a hook, cannot be written.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import sys
import textwrap
import threading
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic_core import (
    CoreConfig,
    CoreSchema,
    PydanticSerializationError,
    SchemaSerializer,
    SchemaValidator,
    ValidationError,
    core_schema as core,
    from_json,
)

_CONFIG: Final = CoreConfig(strict=True, ser_json_bytes="base64", val_json_bytes="base64", allow_inf_nan=False)
_PLAIN: Final[Mapping[object, CoreSchema]] = {
    Any: core.any_schema(),
    bool: core.bool_schema(),
    int: core.int_schema(),
    float: core.float_schema(),
    str: core.str_schema(),
    bytes: core.bytes_schema(),
    datetime: core.datetime_schema(),
    types.NoneType: core.none_schema(),
}
_COLLECTIONS: Final = (dict, Mapping, Sequence, list, set, frozenset, tuple)
_EXPECTED: Final = re.compile(r"Expected `(?P<type>[^`]+)`(?:[^`]*?field_name='(?P<field>[^']+)')?")
_LONGEST_PLACE: Final = 200


@dataclasses.dataclass(frozen=True)
class EntryOf:
    """The mark of a value that is an entry of a table of this path: the state has only its id."""

    table: str


@dataclasses.dataclass
class _Reading:
    """What was read so far of a document."""

    tables: dict[str, Any] = dataclasses.field(default_factory=dict)


class Shape:
    """A JSON object with these keys, and no others."""

    def __init__(self, schemas: Mapping[str, CoreSchema]) -> None:
        whole = of_keys(schemas)
        self._validator = SchemaValidator(whole, _CONFIG)
        self._serializer = SchemaSerializer(whole, _CONFIG)

    def write(self, values: Mapping[str, object]) -> bytes:
        """Return the values as JSON; raise `ValueError` for what has no such type, and for functions."""
        functions: list[str] = []
        try:
            text = self._serializer.to_json(values, warnings="error", context=functions)
        except PydanticSerializationError as error:
            wrong = _EXPECTED.search(" ".join(str(error).split()))
            told = f"{wrong['field'] or 'a value'} must be of type {wrong['type']}" if wrong else str(error)
            raise ValueError(told) from error
        if functions:
            raise ValueError(f"{functions[0]} is a function")
        return text

    def read(self, text: bytes) -> dict[str, Any]:
        """Return the values; raise `ValueError` with the first thing that is wrong."""
        try:
            if b"NaN" in text or b"Infinity" in text:
                from_json(text, allow_inf_nan=False)
            values: dict[str, Any] = self._validator.validate_json(text, context=_Reading())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])[:_LONGEST_PLACE]
            raise ValueError(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}".removeprefix(": ")) from None
        return values


def of_keys(schemas: Mapping[str, CoreSchema]) -> CoreSchema:
    """Return the schema of an object that has these keys, and no others."""
    fields = {name: core.typed_dict_field(each) for name, each in schemas.items()}
    return core.typed_dict_schema(fields, extra_behavior="forbid", config=_CONFIG)


def schema(hint: Any, path: str) -> CoreSchema:  # noqa: ANN401 - any annotation
    """Return the schema for values of an annotated type; ``path`` is where they are."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _entry(arguments[1].table)
    if origin is Literal:
        return core.literal_schema(list(arguments))
    if origin in (typing.Union, types.UnionType):
        return _union(arguments, path)
    if origin in _COLLECTIONS:
        return _collection(origin, arguments, path)
    if hint is itertools.count:
        return _made(core.int_schema(), itertools.count, lambda count: int(repr(count)[6:-1]))  # "count(7)"
    if isinstance(hint, type) and issubclass(hint, Exception):
        told = of_keys({"error": core.str_schema()})
        return _made(told, lambda value: OSError(value["error"]), lambda error: {"error": str(error)})
    if isinstance(hint, type) and issubclass(hint, tuple):
        items = [schema(each, path) for each in typing.get_type_hints(hint, include_extras=True).values()]
        return _made(core.tuple_schema(items), lambda values: hint(*values), tuple)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, path)
    raise TypeError(f"{path}: no schema for {hint!r}.")


def is_data(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    """Check whether values of a type can be saved at all."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return all(is_data(each) for each in arguments if typing.get_origin(each) is not Callable)
    if origin in _COLLECTIONS:
        return all(is_data(each) for each in arguments if each is not ...)
    if isinstance(hint, type) and issubclass(hint, threading.Thread | types.FunctionType | types.MethodType):
        return False
    return hint is not object and origin is not Callable


def fields(cls: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """Return the types of the fields of a dataclass that are saved."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {each.name: hints[each.name] for each in dataclasses.fields(cls) if is_data(hints[each.name])}


def attributes(thing: object, unsaved: frozenset[str]) -> dict[str, Any]:
    """Return the types of an object's attributes: as annotated in ``__init__``, or else those of their present values.

    Python itself does not keep these annotations, which type checkers demand wherever a value does not tell its type.
    """
    hints = _annotations(type(thing), unsaved)  # type: ignore[arg-type]  # mypy doubts that classes are hashable
    found = {name: hints.get(name, type(value)) for name, value in vars(thing).items() if name not in unsaved}
    return {name: hint for name, hint in found.items() if is_data(hint)}


@functools.cache
def _annotations(cls: type, unsaved: frozenset[str]) -> Mapping[str, Any]:
    hints: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        if inspect.isfunction(vars(each).get("__init__")):
            written = ast.parse(textwrap.dedent(inspect.getsource(vars(each)["__init__"])))
            kept = {
                node.target.attr: ast.unparse(node.annotation)
                for node in ast.walk(written)
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute)
                if node.target.attr not in unsaved
            }
            holder = type("Holder", (), {"__annotations__": kept})
            hints |= typing.get_type_hints(holder, vars(sys.modules[each.__module__]), include_extras=True)
    return hints


def _union(members: Sequence[Any], path: str) -> CoreSchema:
    data: list[CoreSchema | tuple[CoreSchema, str]] = [
        schema(each, path) for each in members if is_data(each) and each is not types.NoneType
    ]
    known = core.union_schema(data) if data else core.none_schema()
    whole = core.nullable_schema(known) if types.NoneType in members else known
    if all(is_data(each) for each in members):
        return whole

    def without_functions(
        value: object, write: Callable[[object], object], info: core.SerializationInfo[Any]
    ) -> object:
        if callable(value):
            info.context.append(path)
            return None
        return write(value)

    serialization = core.wrap_serializer_function_ser_schema(without_functions, info_arg=True, schema=whole)
    return core.no_info_after_validator_function(lambda value: value, whole, serialization=serialization)


def _collection(origin: object, arguments: Sequence[Any], path: str) -> CoreSchema:
    if origin in (dict, Mapping):
        table = core.dict_schema(schema(arguments[0], path), schema(arguments[1], path))

        def remember(value: dict[Any, Any], info: core.ValidationInfo[_Reading]) -> dict[Any, Any]:
            info.context.tables[path] = value
            return value

        return core.with_info_after_validator_function(remember, table)
    if origin is tuple and arguments[-1] is not ...:
        return core.tuple_schema([schema(each, path) for each in arguments])
    item = schema(arguments[0], path)
    if origin in (set, frozenset):
        in_order = core.plain_serializer_function_ser_schema(
            lambda members: sorted(members, key=repr), return_schema=core.list_schema(item)
        )
        made = core.set_schema if origin is set else core.frozenset_schema
        return made(item, serialization=in_order)
    if origin is tuple:
        return core.tuple_schema([item], variadic_item_index=0)
    return _made(core.list_schema(item), list, list)  # a sequence may be a tuple


def _entry(table: str) -> CoreSchema:
    def found(key: str, info: core.ValidationInfo[_Reading]) -> object:
        if key not in info.context.tables.get(table, {}):
            raise ValueError(f"there is no such entry of {table}")
        return info.context.tables[table][key]

    serialization = core.plain_serializer_function_ser_schema(_id)
    return core.with_info_after_validator_function(found, core.str_schema(), serialization=serialization)


def _id(entry: Any) -> str:  # noqa: ANN401 - any entry of a table
    return str(entry["id"] if isinstance(entry, dict) else entry.id)


def _dataclass(cls: Any, path: str) -> CoreSchema:  # noqa: ANN401 - any dataclass
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {each.name: hints[each.name] for each in dataclasses.fields(cls) if is_data(hints[each.name])}
    made = [core.dataclass_field(name, schema(hint, f"{path}.{name}"), kw_only=True) for name, hint in fields.items()]
    return core.dataclass_schema(
        cls,
        core.dataclass_args_schema(cls.__name__, made),
        list(fields),
        post_init=hasattr(cls, "__post_init__"),
        config=_CONFIG,
    )


def _made(data: CoreSchema, read: Callable[[Any], object], write: Callable[[Any], object]) -> CoreSchema:
    """Return the schema of values that are made of data, and written as such."""
    serialization = core.plain_serializer_function_ser_schema(write, return_schema=data)
    return core.no_info_after_validator_function(read, data, serialization=serialization)
