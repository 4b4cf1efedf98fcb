"""What all requests are: strict, frozen, and wrong in words of this library.

>>> from hyperx_glance.models.request import Request
>>> class Order(Request):
...     amount: int
>>> Order(amount="many")
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: amount: a whole number is needed
"""

import difflib
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import pydantic
from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic_core import ErrorDetails

from hyperx_glance import arguments
from hyperx_glance.errors import ImmutableFieldError, InvalidRequestError

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them


class ImmutableValueError(ValueError):
    """Mark a mistake that becomes `ImmutableFieldError`; nested in another model it stays a validation error."""


UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
SERVER_TAG_PATTERN = r"^[^,/]+$"
LAUNCH_ID_PATTERN = r"^[A-Za-z0-9._-]{8,40}$"
_PATTERNS = {
    UUID_PATTERN: "a UUID in small letters is needed",
    SERVER_TAG_PATTERN: "a tag of a server holds neither comma nor slash",
    LAUNCH_ID_PATTERN: "8 to 40 ASCII letters, digits, dots, hyphens and underscores are needed",
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
    "too_short": "a text that is not empty is needed",
    "tuple_type": "a list or tuple is needed",
}
"""Each kind of pydantic's mistakes, or the first word of several alike, in words of this library."""
MOST_MISTAKES = 10
LONGEST_SENTENCE = 500
LONGEST_CAUSE = 10_000
_UNIONS = ("networks", "user_data")
"""Fields of which pydantic tells each branch that it tried."""


def _explain(model: type[BaseModel], error: pydantic.ValidationError) -> InvalidRequestError:
    """Say what is wrong with each field, in one line; with the first ones, if there are many.

    This takes time in proportion to the number of mistakes, and little for those that are not named.
    """
    mistakes = error.errors(include_url=False, include_input=False)
    found: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for mistake in mistakes:
        found.setdefault(_place(mistake["loc"]), []).append(mistake)
    # A place above another mistake is a branch that the value was not meant for.
    above = {place[:end] for place in found for end in range(1, len(place))}
    places = [place for place in found if place not in above]
    lines = []
    for place in places[:MOST_MISTAKES]:
        sentences = dict.fromkeys(_sentence(model, mistake) for mistake in found[place][:MOST_MISTAKES])
        name = ".".join(_shortened(part) for part in place)
        lines.append(_printable(f"{name}: " if name else "") + _printable(", or ".join(sentences)))
    if len(places) > MOST_MISTAKES:
        lines.append(f"and {len(places) - MOST_MISTAKES} more")
    immutable = any(isinstance(mistake.get("ctx", {}).get("error"), ImmutableValueError) for mistake in mistakes)
    kind = ImmutableFieldError if immutable else InvalidRequestError
    return kind("\n".join(lines))


def _cause(error: pydantic.ValidationError) -> pydantic.ValidationError | None:
    """Return an error that a traceback may show: pydantic's own text names every mistake, and keys at any length."""
    short = error.error_count() <= MOST_MISTAKES and len(str(error)) <= LONGEST_CAUSE
    return error if short else None


def _sentence(model: type[BaseModel], mistake: ErrorDetails) -> str:
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]]
    template = _TOLD.get(kind) or _TOLD.get(kind.partition("_")[0])
    sentence = template.format(**context) if template else mistake["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(_shortened(str(mistake["loc"][-1])), model.model_fields, n=1)
        sentence += f"; did you mean {near[0]}?" if near else ""
    return _shortened(sentence, LONGEST_SENTENCE)


def _place(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Name the field, without the branch of a union that pydantic tried and without its mark for keys.

    What the whole request is told of names its fields itself.
    """
    if location and location[0] in _UNIONS:
        location = (location[0], *location[2:])
    return tuple(str(part) for part in location if part != "[key]")


def _shortened(text: str, most: int = 100) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _printable(text: str) -> str:
    """Write a line that every terminal and log takes: names of fields and keys are the caller's."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class Request(BaseModel):
    """Be strict, frozen, and speak this library's errors when built directly."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    usual: ClassVar[tuple[str, ...]] = ()
    """Fields that are not needed always, but nearly so."""

    def __init__(self, /, *positional: object, **data: Any) -> None:
        kind = type(self)
        if positional:
            needed = [name for name, field in kind.model_fields.items() if field.is_required() or name in kind.usual]
            wanted = [f"{name}=..." for name in needed]
            raise InvalidRequestError(f"{kind.__name__} takes keywords alone: {kind.__name__}({', '.join(wanted)})")
        try:
            super().__init__(**data)
        except pydantic.ValidationError as error:
            raise _explain(kind, error) from _cause(error)

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
            raise _explain(cls, error) from _cause(error)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Build from JSON, as the constructor does."""
        try:
            return super().model_validate_json(json_data, **options)
        except pydantic.ValidationError as error:
            raise _explain(cls, error) from _cause(error)


def _check_texts(value: object) -> None:
    """Refuse, at any depth, what no database keeps and no request carries."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str):
        refuse(arguments.text(value))
    elif isinstance(value, Mapping):
        _check_texts([*value, *value.values()])
    elif isinstance(value, list | tuple | frozenset):
        for part in value:
            _check_texts(part)


def refuse(problem: str) -> None:
    """Raise `ValueError` for a problem that a check has found."""
    if problem:
        raise ValueError(problem)
