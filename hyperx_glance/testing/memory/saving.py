"""The state of an in-memory cloud as one JSON document: what it holds, by service and attribute.

>>> from hyperx_glance.testing import InMemoryCloud
>>> document = InMemoryCloud(profile="devstack").state()
>>> read(document)["cloud"]["profile"]
'devstack'
>>> read(b'{"hello": 1}')
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: This is no state of a cloud in memory. Hint: Save one: ...

The document follows the attributes and their annotations (`shapes`): a new attribute is part of it at once.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema as core

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing.memory import shapes
from hyperx_glance.testing.memory.wire import Service
from hyperx_glance.texts import Text

if TYPE_CHECKING:
    from hyperx_glance.testing.memory.cloud import InMemoryCloud

_PACKAGE: Final = __name__.rpartition(".")[0]
_VERSION: Final = "hyperx_glance"
_HEAD: Final = SchemaValidator(
    core.typed_dict_schema({_VERSION: core.typed_dict_field(core.str_schema())}, extra_behavior="ignore")
)


def written(cloud: InMemoryCloud) -> bytes:
    """Return the document of a cloud; raise `InvalidRequestError` if something in it cannot be written."""
    values: dict[str, object] = {_VERSION: _version(), "files_url": cloud.files_url}
    for name, part in parts(cloud).items():
        values[name] = _values(part)
    try:
        return _shape().write(values)
    except ValueError as error:
        raise InvalidRequestError(Text(f"This cloud has something that no document can hold: {error}.")) from error


def read(document: bytes) -> dict[str, Any]:
    """Return the values in a document; raise `InvalidRequestError` if it is not one of this version and shape."""
    if not isinstance(document, bytes):
        raise InvalidRequestError(Text(f"A state must be bytes, not {type(document).__name__}."))
    try:
        version = _HEAD.validate_json(document)[_VERSION]
    except ValidationError:
        hint = Text("Save one: GET /NAME/control/state, or InMemoryCloud.state().")
        raise InvalidRequestError(Text("This is no state of a cloud in memory."), hint=hint) from None
    if version != _version():
        told = f"This state was saved by version {version[:99]!r} of hyperx-glance, and this is {_version()!r}."
        raise InvalidRequestError(Text(told), hint=Text("Make the cloud again with requests, and save it again."))
    try:
        values = _shape().read(document)
        _check_people(values["keystone"])
    except ValueError as error:
        raise InvalidRequestError(Text(f"This is no state of a cloud in memory: {str(error).rstrip('.')}.")) from None
    return values


def assign(cloud: InMemoryCloud, values: Mapping[str, Any]) -> None:
    """Replace everything in a cloud by these values; nothing is replaced if a part refuses one."""
    changes: list[tuple[object, str, object]] = []
    for name, part in parts(cloud).items():
        changes += _changes(part, values[name])
    for thing, name, value in changes:
        setattr(thing, name, value)
    for service in cloud.keystone.services:
        service.ids = cloud.ids
        service.forget()
    cloud.glance.move_files(values["files_url"], cloud.files_url)


def _check_people(keystone: Mapping[str, Any]) -> None:
    """Raise `ValueError` if somebody has no record: a ``clouds.yaml`` names everybody."""
    records = keystone["records"]
    for collection, names in (("users", keystone["users"]), ("projects", keystone["departments"])):
        for name, record_id in names.items():
            if record_id not in records.get(collection, {}):
                raise ValueError(f"keystone.records.{collection} has no record of {name!r:.99}")


def parts(cloud: InMemoryCloud) -> dict[str, object]:
    """Return what a document consists of: the cloud's own attributes, and its services."""
    return {"cloud": cloud, **{service.name: service for service in cloud.keystone.services}}


def saved(thing: object) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of a part that are saved, with their types."""
    unsaved = frozenset().union(*(vars(cls).get("_unsaved", ()) for cls in type(thing).__mro__))
    for name, hint in shapes.attributes(thing, unsaved).items():
        if not isinstance(getattr(thing, name), Service):
            yield name, hint


def _is_part(value: object) -> bool:
    own = type(value).__module__.startswith(_PACKAGE)
    return own and not dataclasses.is_dataclass(value) and not isinstance(value, dict | tuple)


@functools.cache
def _shape() -> shapes.Shape:
    from hyperx_glance.testing.memory.cloud import InMemoryCloud  # noqa: PLC0415 - which uses this module

    head: dict[str, CoreSchema] = {_VERSION: core.str_schema(), "files_url": core.str_schema()}
    return shapes.Shape(head | {name: _schema(part, name) for name, part in parts(InMemoryCloud()).items()})


def _schema(thing: object, path: str) -> CoreSchema:
    found = {}
    for name, hint in saved(thing):
        value, place = getattr(thing, name), f"{path}.{name}"
        found[name] = _schema(value, place) if _is_part(value) else shapes.schema(hint, place)
    return shapes.of_keys(found)


def _values(thing: object) -> dict[str, object]:
    found = {name: getattr(thing, name) for name, _ in saved(thing)}
    return {name: _values(value) if _is_part(value) else value for name, value in found.items()}


def _changes(thing: object, values: Mapping[str, Any]) -> Iterator[tuple[object, str, object]]:
    for name, value in values.items():
        current = getattr(thing, name)
        if _is_part(current):
            yield from _changes(current, value)
        elif isinstance(current, dict) and type(current) is not dict:
            checked = type(current)()
            checked.update(value)  # refuses entries of its own accord
            yield thing, name, checked
        else:
            yield thing, name, value


@functools.cache
def _version() -> str:
    return importlib.metadata.version("hyperx-glance")
