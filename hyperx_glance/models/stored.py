"""Texts in a property of an image: the English sentence for every tool, and behind it what other languages need.

>>> from hyperx_glance.texts import say
>>> value = stored(say("no-such-department", name="ops"))
>>> print(value)
There is no department ops.
{"code":"no-such-department","values":{"name":"ops"}}
>>> restored(value).in_language("zh")
'没有名为 ops 的部门。'
>>> restored("404 Not Found").in_language("zh")
'404 Not Found'

Anybody who may write the image may write the property, so whatever cannot be read is a plain text.
"""

import json
import math
from collections.abc import Mapping

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema, from_json

from hyperx_glance.texts import NO_TEXT, Audience, Text, say

_LONGEST_SENTENCE = 1000
_LONGEST = 4000
"""The most characters of what other languages need; if there are more, the text stays English."""


def stored(text: Text) -> str:
    """Return the value of a property for a text."""
    sentence = str(text)
    if not text.code:
        return sentence
    end = json.dumps(_as_json(text), ensure_ascii=False, separators=(",", ":"))
    return f"{sentence}\n{end}" if len(end) <= _LONGEST else sentence


def shortened(text: Text) -> Text:
    """Return a text that a property can hold: a long one is cut, and stays English."""
    return text if len(text) <= _LONGEST_SENTENCE else Text(text[:_LONGEST_SENTENCE])


def restored(value: object) -> Text:
    """Return the text of a property; a plain one if the value is no text of this release."""
    if isinstance(value, Text):
        return value
    if not isinstance(value, str):
        return NO_TEXT
    sentence, _, end = value.rpartition("\n")
    if sentence and end.startswith("{") and len(end) <= _LONGEST:
        try:
            found = _from_json(from_json(end, allow_inf_nan=False))
        except ValueError:
            return Text(value)
        if isinstance(found, Text):
            return Text(sentence, code=found.code, values=found.values)
    return Text(value)


def _as_json(value: object) -> object:
    if isinstance(value, Text) and value.code:
        return {"code": value.code, "values": {name: _as_json(each) for name, each in value.values.items()}}
    return list(map(_as_json, value)) if isinstance(value, tuple) else value


def _from_json(value: object) -> object:
    """Return a value of a text; raise `ValueError` if it is none, or cannot be shown in every language."""
    if isinstance(value, list):
        return tuple(map(_from_json, value))
    if isinstance(value, Mapping):
        code, values = value.get("code"), value.get("values")
        if value.keys() != {"code", "values"} or not isinstance(code, str) or not isinstance(values, Mapping):
            raise ValueError("no text")
        text = say(code, **{name: _from_json(each) for name, each in values.items()})
        if text == code:  # an unknown code, or other values than its sentence has
            raise ValueError("a text of another release")
        return text
    if isinstance(value, float) and not math.isfinite(value):  # 1e999
        raise ValueError("no number of JSON")
    return value


class StoredText:
    """The schema of a text in a property.

    A dump has the value of the property; with a language in its context, the sentence in this language.
    """

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            restored, serialization=core_schema.plain_serializer_function_ser_schema(_written, info_arg=True)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string"}


def _written(text: Text, info: SerializationInfo) -> str:
    shown = info.context or {}
    if "language" in shown or "audience" in shown:
        return text.in_language(shown.get("language", "en"), audience=shown.get("audience", Audience.PYTHON))
    return stored(text) if info.mode_is_json() else text
