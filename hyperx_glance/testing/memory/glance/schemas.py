"""The JSON schemas of Glance, as Glance 33 gives them, and what it says of a value that one of them refuses.

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
from collections.abc import Mapping, Sequence

from hyperx_glance.testing.memory.wire import Record


@functools.cache
def _documents() -> Mapping[str, Record]:
    found: Mapping[str, Record] = json.loads(
        importlib.resources.files(__package__).joinpath("schemas.json").read_bytes()
    )
    return found


def document(name: str) -> Record | None:
    """Give the schema at ``/v2/schemas/NAME``."""
    return _documents().get(name)


def mismatch(reason: str, rule: str, place: Sequence[str | int], value: object) -> str:
    """Say what Glance says of a value that the schema of images refuses (jsonschema/exceptions.py, _Error.__str__).

    ``place`` is where the value stands, such as ``["tags", 0]``.
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


def _indented(value: object) -> str:
    return textwrap.indent(pprint.pformat(value, width=72, sort_dicts=False), "    ")
