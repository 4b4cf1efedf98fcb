"""The base class of all request models: strict, frozen, and with errors in words of this library.

>>> from hyperx_glance.models.request import Request
>>> class Order(Request):
...     amount: int
>>> Order(amount="many")
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: amount: must be a whole number
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import pydantic
from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr

from hyperx_glance import arguments
from hyperx_glance.errors import ImmutableFieldError, InvalidRequestError
from hyperx_glance.models.described import Described
from hyperx_glance.texts import Text, field_name, say

# ruff: noqa: ANN401  # pydantic's own signatures take Any, and these override them


class ImmutableValueError(ValueError):
    """A mistake that becomes an `ImmutableFieldError`, but stays a validation error if nested in another model."""


UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
SERVER_TAG_PATTERN = r"^[^,/]+$"
CHOSEN_ID_PATTERN = r"^[A-Za-z0-9._-]{8,40}$"
_PATTERNS = {
    UUID_PATTERN: "must-be-a-uuid",
    SERVER_TAG_PATTERN: "must-be-a-server-tag",
    CHOSEN_ID_PATTERN: "must-be-a-chosen-id",
}
_CODES = {
    "bool": "must-be-true-or-false",
    "bytes_type": "must-be-a-string-or-bytes",
    "datetime": "must-be-a-time",
    "dict_type": "must-be-a-dictionary",
    "enum": "must-be-one-of",
    "extra_forbidden": "unknown-field",
    "finite_number": "must-be-a-finite-number",
    "float": "must-be-a-number",
    "frozen_set_type": "must-be-a-set",
    "greater_than": "must-be-more-than",
    "greater_than_equal": "must-be-at-least",
    "int": "must-be-a-whole-number",
    "json_invalid": "must-be-valid-json",
    "less_than_equal": "must-be-at-most",
    "literal_error": "must-be-one-of",
    "missing": "required-field",
    "model": "must-be-keywords",
    "none_required": "must-be-none",
    "string_too_long": "must-be-shorter",
    "string_too_short": "must-not-be-empty",
    "string_type": "must-be-a-string",
    "string_unicode": "must-not-contain-surrogates",
    "too_long": "must-have-fewer-entries",
    "too_short": "must-not-be-empty",
    "tuple_type": "must-be-a-list",
}
"""The code for each kind of pydantic's errors; a key may be the first word of several similar kinds."""
_LIMITS = {"gt": "least", "ge": "least", "le": "most", "max_length": "most"}
MOST_MISTAKES = 10
LONGEST_SENTENCE = 500
LONGEST_CAUSE = 10_000
_UNIONS = ("networks", "user_data")
"""Fields for which pydantic reports each branch of a union."""


def invalid_request(mistakes: Iterable[Mapping[str, Any]], /, *, names: Iterable[str] = ()) -> InvalidRequestError:
    """Return the error for mistakes that pydantic has found, with one line for each wrong field, without its value.

    Use this if a web framework builds the request models, and so catches pydantic's errors itself. ``mistakes`` are
    dictionaries like those of ``ValidationError.errors()``: ``type``, ``loc``, ``msg`` and ``ctx``. Leave out the first
    part of FastAPI's ``loc``, such as "body". The first ten wrong fields are named. An unknown field may
    be a misspelling of one of ``names``.

    >>> from pydantic import TypeAdapter, ValidationError
    >>> try:
    ...     TypeAdapter(hyperx_glance.LaunchRequest).validate_python({"name": "web", "flavor": "m1.tiny", "count": 0})
    ... except ValidationError as error:
    ...     hyperx_glance.invalid_request(error.errors())
    InvalidRequestError('count: must be at least 1')
    """
    # This takes linear time, and little for the mistakes that are not named.
    mistakes, names = list(mistakes), list(names)
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for mistake in mistakes:
        # The place of broken JSON is a line or a character, not a field.
        place = () if mistake["type"] == "json_invalid" and len(mistake["loc"]) < 2 else _place(mistake["loc"])
        found.setdefault(place, []).append(mistake)
    # A place above another mistake is a branch of a union that does not fit the value.
    above = {place[:end] for place in found for end in range(1, len(place))}
    places = [place for place in found if place not in above]
    problems = []
    for place in places[:MOST_MISTAKES]:
        found_here = list(dict.fromkeys(_problem(mistake, names) for mistake in found[place][:MOST_MISTAKES]))
        problem = found_here[0] if len(found_here) == 1 else say("one-of-several-problems", problems=found_here)
        name = _printable(".".join(_shortened(part) for part in place))
        problems.append(say("wrong-field", field=field_name(name), problem=problem) if name else problem)
    if len(places) > MOST_MISTAKES:
        problems.append(say("more-problems", count=len(places) - MOST_MISTAKES))
    immutable = any(isinstance(mistake.get("ctx", {}).get("error"), ImmutableValueError) for mistake in mistakes)
    kind = ImmutableFieldError if immutable else InvalidRequestError
    return kind(say("wrong-request", problems=problems), hint=arguments.hint(problems))


def _cause(error: pydantic.ValidationError) -> pydantic.ValidationError | None:
    """Return pydantic's error for the traceback, unless it is long: its text names all mistakes, with whole keys."""
    short = error.error_count() <= MOST_MISTAKES and len(str(error)) <= LONGEST_CAUSE
    return error if short else None


def _explain(model: type[BaseModel], error: pydantic.ValidationError) -> InvalidRequestError:
    return invalid_request(error.errors(include_url=False, include_input=False), names=model.model_fields)


def _problem(mistake: Mapping[str, Any], names: Iterable[str]) -> Text:
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind == "string_pattern_mismatch" and context.get("pattern") in _PATTERNS:
        return say(_PATTERNS[context["pattern"]])
    if isinstance(context.get("error"), ValueError) and (ours := problem_of(context["error"])).code:
        return ours
    code = _CODES.get(kind) or _CODES.get(kind.partition("_")[0])
    if code is None:
        return Text(_printable(_shortened(mistake["msg"].removeprefix("Value error, "), LONGEST_SENTENCE)))
    if code == "unknown-field":
        near = difflib.get_close_matches(_shortened(str(mistake["loc"][-1])), names, n=1)
        return say("unknown-field-near", near=field_name(near[0])) if near else say(code)
    if code == "must-be-one-of":
        return say(code, words=re.findall("'([^']*)'", context["expected"]))
    if code == "must-be-a-string":
        return say("must-be-some-string")
    return say(code, **{ours: context[theirs] for theirs, ours in _LIMITS.items() if theirs in context})


def _place(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return the path of the field, without the branch of a union and without pydantic's mark for keys.

    The text of a mistake of the whole request names its fields itself.
    """
    if location and location[0] in _UNIONS:
        location = (location[0], *location[2:])
    return tuple(str(part) for part in location if part != "[key]")


def _shortened(text: str, most: int = 100) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _printable(text: str) -> str:
    """Return a line that is safe for terminals and logs: names of fields and keys come from the caller."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class Request(Described):
    """The base class of request models: strict, frozen, and with this library's errors if built directly."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    usual: ClassVar[tuple[str, ...]] = ()
    """Fields that are not required, but usually given."""

    def __init__(self, /, *positional: object, **data: Any) -> None:
        kind = type(self)
        if positional:
            needed = [name for name, field in kind.model_fields.items() if field.is_required() or name in kind.usual]
            wanted = [f"{name}=..." for name in needed]
            raise InvalidRequestError(say("keywords-only", model=kind.__name__, keywords=wanted))
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
    """Refuse strings, at any depth, that no database stores and no request can contain, and masks of secrets."""
    if isinstance(value, SecretStr | SecretBytes):
        value = value.get_secret_value()
        refuse(arguments.secret(value))
    if isinstance(value, str):
        refuse(arguments.text(value))
    elif isinstance(value, Mapping):
        _check_texts([*value, *value.values()])
    elif isinstance(value, list | tuple | frozenset):
        for part in value:
            _check_texts(part)


def problem_of(error: ValueError) -> Text:
    """Return the text with which a `ValueError` was raised."""
    problem = error.args[0] if error.args else ""
    return problem if isinstance(problem, Text) else Text(str(problem))


def refuse(problem: Text) -> None:
    """Raise `ValueError` with the problem that a check has found, if any."""
    if problem:
        raise ValueError(problem)
