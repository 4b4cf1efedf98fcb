"""The JSON schemas of Glance, as Glance 33 returns them, and its messages about values that they refuse.

>>> document("image")["name"], document("metadefs/tag")["name"], document("nothing")
('image', 'tag', None)
>>> print(mismatch("5 is not of type 'null', 'string'", "type", ["name"], 5))
Provided object does not match schema 'image': 5 is not of type 'null', 'string'
<BLANKLINE>
Failed validating 'type' in schema['properties']['name']:
    {'type': ['null', 'string'],
     'description': 'Descriptive name for the image',
     'maxLength': 255}
<BLANKLINE>
On instance['name']:
    5
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import pprint
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hyperx_glance.testing.memory.wire import Record, Refused

_KINDS: Final[Mapping[object, type]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}


@functools.cache
def _documents() -> Mapping[str, Record]:
    found: Mapping[str, Record] = json.loads(
        importlib.resources.files(__package__).joinpath("schemas.json").read_bytes()
    )
    return found


def document(name: str) -> Record | None:
    """Return the schema at ``/v2/schemas/NAME``."""
    return _documents().get(name)


def mismatch(reason: str, rule: str, place: Sequence[str | int], value: object) -> str:
    """Return what Glance says of a value that the schema of images refuses (jsonschema/exceptions.py, _Error.__str__).

    ``place`` is the place of the value, such as ``["tags", 0]``.
    """
    schemas = _documents()["image"]["properties"]
    key = place[0]
    if key in schemas:
        schema, where = schemas[key], f"['properties'][{key!r}]"
    else:
        schema, where = {"type": "string"}, "['additionalProperties']"
    if len(place) > 1:
        schema, where = schema["items"], where + "['items']"
    instance = "".join(f"[{part!r}]" for part in place)
    return (
        f"Provided object does not match schema 'image': {reason}\n\nFailed validating {rule!r} in schema{where}:\n"
        f"{_indented(schema)}\n\nOn instance{instance}:\n{_indented(value)}"
    )


def check(word: str, schema: Record, value: Record) -> None:
    """Refuse an object that a schema refuses; the error calls it by a word.

    It knows only the rules of jsonschema that Glance's documents use for an object, its keys, and lists of objects.
    """
    for wrong in _mistakes(schema, value, "", ""):
        raise Refused(400, f"Provided object does not match schema {word!r}: {wrong}")


def _mistakes(schema: Record, value: object, where: str, instance: str) -> Iterator[str]:
    for reason, rule in (*_of_itself(schema, value), *_of_its_keys(schema, value)):
        yield (
            f"{reason}\n\nFailed validating {rule!r} in schema{where}:\n{_indented(schema)}"
            f"\n\nOn instance{instance}:\n{_indented(value)}"
        )
    if isinstance(value, dict):
        for key in value.keys() & schema.get("properties", {}).keys():
            place = f"{where}['properties'][{key!r}]"
            yield from _mistakes(schema["properties"][key], value[key], place, f"{instance}[{key!r}]")
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for position, item in enumerate(value):
            yield from _mistakes(schema["items"], item, f"{where}['items']", f"{instance}[{position}]")


def _of_itself(schema: Record, value: object) -> Iterator[tuple[str, str]]:
    named = schema.get("type", [])
    words = [named] if isinstance(named, str) else named
    kinds = tuple(_KINDS[word] for word in words if word in _KINDS)
    if kinds and not isinstance(value, kinds):
        yield f"{value!r} is not of type {', '.join(map(repr, words))}", "type"
    elif value not in schema.get("enum", [value]):
        yield f"{value!r} is not one of {schema['enum']!r}", "enum"
    elif isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        yield f"{value!r} is too long", "maxLength"


def _of_its_keys(schema: Record, value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        return
    unknown = sorted(value.keys() - schema.get("properties", {}).keys())
    if unknown and schema.get("additionalProperties") is False:
        named = ", ".join(repr(key) for key in unknown)
        were = "were" if len(unknown) > 1 else "was"
        yield f"Additional properties are not allowed ({named} {were} unexpected)", "additionalProperties"
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{key!r} is a required property", "required"


def _indented(value: object) -> str:
    return textwrap.indent(pprint.pformat(value, width=72, sort_dicts=False), "    ")
