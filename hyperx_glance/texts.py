"""Texts for people: each has a stable code and its values, two languages and three audiences.

    >>> from hyperx_glance.texts import Audience, say
    >>> text = say("no-such-department", name="ops")
    >>> text
    'There is no department ops.'
    >>> text.code, text.values, text.in_language("zh")
    ('no-such-department', {'name': 'ops'}, '没有名为 ops 的部门。')
    >>> hint = say("enable-first", image="7c1")
    >>> for audience in Audience:
    ...     print(hint.in_language("en", audience=audience))
    Enable it first: enable(image).
    Enable it first: `openstack hyperx image enable 7c1`.
    Enable it first.

The sentences are in two gettext catalogues in ``locale``, English and Chinese, with codes as ids. The contexts
"command" and "person" have the sentences that differ for these audiences. A catalogue is read when its first text is
rendered.
"""

from __future__ import annotations

import enum
import functools
import gettext
import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, get_args

from hyperx_glance import vocabulary

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo, ValidationInfo
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAIN = "hyperx_glance"
LOCALES = pathlib.Path(__file__).with_name("locale")
FIELD = "field"
"""The code of `field_name`."""
LONGEST_TEXT = 10_000
"""Longer values are cut: a service may send names and states of any length."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tabs and newlines, DEL and C1, which drive terminals
    "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # no width, or a turn of the direction
    "\u2028\u2029\ud800-\udfff\U000e0000-\U000e007f]"  # ends of lines, halves of pairs, tags
)
_JOINTS: Mapping[str, Mapping[Language, str]] = {
    "": {"en": ", ", "zh": "、"},
    "and": {"en": " and ", "zh": "，且"},
    "or": {"en": " or ", "zh": " 或 "},
    "or-else": {"en": ", or ", "zh": "，或"},
    "lines": {"en": "\n", "zh": "\n"},
    "sentences": {"en": " ", "zh": ""},
}
"""What stands between the entries of a list, for each format: ``{names}``, ``{names:or}``."""


class Audience(enum.StrEnum):
    """The reader of a text: a Python program's author, a user of the command line, or a person who knows neither."""

    PYTHON = "python"
    COMMAND = "command"
    PERSON = "person"


def visible(text: str) -> str:
    r"""Return a string without control characters and invisible characters, which any input may contain.

    >>> visible("Image \x1b[31mred\u202e is gone.")
    'Image [31mred is gone.'
    """
    return text if text.isprintable() else _INVISIBLE.sub("", text)


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a text; ``fields`` maps fields to the options and arguments of the command that runs."""

    language: Language = "en"
    audience: Audience = Audience.PYTHON
    fields: Mapping[str, str] | None = None


_PROGRAM = Reader()


class Text(str):
    """A text for people: a string, English and for Python programs, that other readers can read in their words.

    ``code`` is stable and documented; "" if the text is a string from elsewhere. ``values`` are what was filled in:
    strings, numbers, None, other texts, and tuples of them. Two texts are equal if their codes, values and strings
    are; a text equals its English string.
    """

    __slots__ = ("code", "values")
    code: str
    values: Mapping[str, object]

    def __new__(cls, text: str = "", /, *, code: str = "", values: Mapping[str, object] | None = None) -> Self:
        """Return a text; `say` returns one with a code."""
        self = super().__new__(cls, visible(text[:LONGEST_TEXT]))
        self.code = code
        self.values = values or {}
        return self

    def in_language(self, language: Language, /, *, audience: Audience | str = Audience.PYTHON) -> str:
        """Return the sentence in "en" or "zh", for one audience.

        A text without a translation stays English.

        Raises:
            InvalidRequestError: unknown language or audience.
        """
        return self.read_by(reader(language, audience))

    def read_by(self, reader: Reader) -> str:
        """Return the sentence for a reader."""
        if self.code == FIELD:
            return _field(str(self.values.get("name", self)), reader)
        return _rendered(self.code, self.values, reader) or str(self)

    def __eq__(self, other: object) -> bool:
        """Compare codes and values, too, if both are texts."""
        if isinstance(other, Text):
            return str(self) == str(other) and self.code == other.code and self.values == other.values
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return str.__str__(self)

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (str(self), self.code, dict(self.values))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema  # noqa: PLC0415  # errors need no pydantic

        return core_schema.with_info_plain_validator_function(
            _read, serialization=core_schema.plain_serializer_function_ser_schema(_written, info_arg=True)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        properties = {
            "code": {"type": "string", "description": "A stable code; see the table of codes."},
            "values": {"type": "object", "description": "What was filled in."},
            "text": {"type": "string", "description": "The sentence in English."},
        }
        return {"type": "object", "properties": properties, "required": list(properties)}


NO_TEXT = Text()
"""The text that says nothing."""


class _Shown(str):
    """A text of `Text` in another form, for showing only."""

    __slots__ = ()


def say(code: str, /, **values: object) -> Text:
    """Return the text with a code; the values fill in the placeholders of its sentences.

    A value is a string, a number, None, a text, a word of the vocabulary, or a list of these. It must not be a secret.
    """
    if not values:
        return _without_values(code)
    kept = {name: _kept(value) for name, value in values.items()}
    return Text(_rendered(code, kept, _PROGRAM) or code, code=code, values=kept)


@functools.cache
def _without_values(code: str) -> Text:
    """Return a text that is always the same; a page of images with its buttons has hundreds of them."""
    return Text(_rendered(code, {}, _PROGRAM) or code, code=code)


def word(kind: str, value: str) -> Text:
    """Return the text of a word of the product, such as "failed" of the kind "phase"; an unknown word stays."""
    code = f"{kind}.{value}"
    return Text(value) if template(code) is None else say(code)


def sentences(*texts: Text) -> Text:
    """Return several sentences as one text; empty ones are left out."""
    said = [each for each in texts if each]
    return say("sentences", sentences=said) if len(said) > 1 else said[0] if said else NO_TEXT


def first_of(text: Text) -> Text:
    """Return the first of several sentences, or the text itself."""
    parts = text.values.get("sentences") if text.code == "sentences" else None
    return first_of(parts[0]) if isinstance(parts, tuple) else text


def field_name(name: str) -> Text:
    """Return the name of a field as a text: programs read its name, commands its option, people its title."""
    return Text(name, code=FIELD, values={"name": visible(name)})


def reader(language: Language, audience: Audience | str, fields: Mapping[str, str] | None = None) -> Reader:
    """Return a reader; raise `InvalidRequestError` if the language or the audience is unknown."""
    from hyperx_glance.arguments import choice, require  # noqa: PLC0415  # errors and arguments consist of texts

    checks = {"language": choice(*LANGUAGES), "audience": choice(*Audience)}
    require((("language", language), ("audience", audience)), checks)
    return Reader(language, Audience(audience), fields)


# ----------------------------------------------------------------- rendering


@functools.cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, [language])


def template(code: str, reader: Reader | None = None) -> str | None:
    """Return the sentence of a code with its placeholders; None if the catalogues do not have the code."""
    reader = reader or _PROGRAM
    for language in dict.fromkeys((reader.language, "en")):
        catalogue = _catalogue(language)
        found = catalogue.pgettext(str(reader.audience), code)
        if found == code:
            found = catalogue.gettext(code)
        if found != code:
            return found
    return None


def _rendered(code: str, values: Mapping[str, object], reader: Reader) -> str | None:
    """Return a sentence with its values; None if it is unknown, or if its placeholders have no values."""
    found = template(code, reader) if code else None
    if found is None:
        return None
    try:
        text = found.format_map({name: _shown(value, reader) for name, value in values.items()})
    except (LookupError, TypeError, ValueError):  # values of another release
        return None
    return text[:LONGEST_TEXT]


class _List(tuple[str, ...]):  # noqa: SLOT001  # see below
    """A list in a sentence, for ``{names}`` and, with other joints, ``{names:or}``."""

    language: Language  # an attribute: tuples cannot have slots

    def __format__(self, joint: str) -> str:
        return _JOINTS[joint][self.language].join(self)


def _shown(value: object, reader: Reader) -> object:
    if isinstance(value, Text):
        return value.read_by(reader)
    if isinstance(value, tuple):
        shown = _List(str(_shown(each, reader)) for each in value)
        shown.language = reader.language
        return shown
    return value


def _kept(value: object) -> object:
    """Return a value as JSON can hold it, except that texts stay texts, and lists are tuples."""
    if isinstance(value, Text) or value is None:
        return value
    if isinstance(value, enum.Enum):
        return word(type(value).__name__.lower(), str(value.value))
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(map(_kept, value))
    return visible(str(value)[:LONGEST_TEXT])


def _field(name: str, reader: Reader) -> str:
    if reader.audience is Audience.PYTHON:
        return name
    first, dot, rest = name.removeprefix("settings.").partition(".")
    if reader.audience is Audience.COMMAND:
        known = (reader.fields or {}).get(first) or template(f"field.{first}", reader)
        return known or f"--{first.replace('_', '-')}"
    described = vocabulary.BY_NAME.get(first)
    title = template(f"field.{first}", reader)
    if title is None and described is not None:
        title = described.title_zh if reader.language == "zh" else described.title
    return f"{title or first}{dot}{rest}"


# ----------------------------------------------------------------- in models


def _read(value: object, info: ValidationInfo) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, _Shown):
        raise ValueError("a text that was written for showing cannot be read")  # noqa: TRY004  # pydantic takes no TypeError
    if isinstance(value, str) and info.mode != "json":
        return Text(value)
    if not isinstance(value, Mapping) or value.keys() != {"code", "values", "text"}:
        raise ValueError("must be a text: code, values and text")
    code, values, text = value["code"], value["values"], value["text"]
    if not isinstance(code, str) or not isinstance(values, Mapping) or not isinstance(text, str):
        raise ValueError("must be a text: code, values and text")  # noqa: TRY004  # pydantic takes no TypeError
    return Text(text, code=code, values={name: _value_read(each, info) for name, each in values.items()})


def _value_read(value: object, info: ValidationInfo) -> object:
    if isinstance(value, Mapping):
        return _read(value, info)
    return tuple(_value_read(each, info) for each in value) if isinstance(value, list | tuple) else _kept(value)


def _written(text: Text, info: SerializationInfo) -> object:
    shown = info.context or {}
    if "language" in shown or "audience" in shown:
        return _Shown(text.in_language(shown.get("language", "en"), audience=shown.get("audience", Audience.PYTHON)))
    return _as_json(text) if info.mode_is_json() else text


def _as_json(value: object) -> object:
    if isinstance(value, Text):
        values = {name: _as_json(each) for name, each in value.values.items()}
        return {"code": value.code, "values": values, "text": str(value)}
    return [_as_json(each) for each in value] if isinstance(value, tuple) else value


def _restored(text: str, code: str, values: Mapping[str, object]) -> Text:
    return Text(text, code=code, values=values)
