"""Checks of the arguments of verbs, before anything is done.

    >>> from hyperx_glance.arguments import checked, flag, optional, seconds
    >>> @checked(timeout=optional(seconds), keep=flag)
    ... def wait(*, timeout: float | None = None, keep: bool = False) -> None: ...
    >>> wait(timeout=0)
    >>> wait(timeout=-1)
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: timeout: must be between 0 and 1000000000 seconds

A check returns what is wrong with a value, or `NO_TEXT` if it is valid. It never repeats the value, which may be a
password.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import unquote

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import NO_TEXT, Text, field_name, say, word

Function = TypeVar("Function", bound=Callable[..., object])
Check = Callable[[object], Text]

LONGEST_SECONDS = 10**9
"""Thirty years: clocks, sockets and dates accept no more."""
LONGEST_ID = 255
LARGEST_PAGE = 1000
"""Glance returns no more images at once (glance/common/config.py, api_limit_max)."""
USUAL_PAGE = 20
MASK = "*" * 10
"""What pydantic writes in place of a secret (pydantic/types.py, _secret_display)."""
MASKED = "must-be-the-secret-itself"


def must_be(code: str, value: object, *, way: str = "", **values: object) -> Text:
    """Return what a value must be instead of one of its type; ``way`` is for an object of openstacksdk."""
    kind = type(value)
    if kind.__module__.partition(".")[0] != "openstack":
        return say(code, given=kind.__name__, **values)
    # Classes of openstacksdk have the same names as ours, so the text names their modules.
    problem = say(code, given=say("type-of-openstacksdk", type=f"{kind.__module__}.{kind.__qualname__}"), **values)
    return say("problem-and-way", problem=problem, way=say(way)) if way else problem


# ----------------------------------------------------------------- one check for each kind of argument


def text(value: object) -> Text:
    """Accept a string that can be sent to every service."""
    if not isinstance(value, str):
        return must_be("must-be-a-string", value, way="pass-its-id")
    if "\x00" in value:
        return say("must-not-contain-nul")
    try:
        value.encode()
    except UnicodeEncodeError:
        return say("must-not-contain-surrogates")
    return NO_TEXT


def filled_text(value: object) -> Text:
    """Accept a string that is not empty."""
    return text(value) or (NO_TEXT if value else say("must-not-be-empty"))


def secret(value: object) -> Text:
    """Accept every secret except pydantic's mask, which a program took for one after it had read its own JSON."""
    return say(MASKED) if value in (MASK, MASK.encode()) else NO_TEXT


def reference(value: object) -> Text:
    """Accept an id. It becomes a segment of a path, so nothing that could lead to another path is accepted."""
    problem = filled_text(value)
    if problem:
        return problem
    segment = str(value)
    if len(segment) > LONGEST_ID:
        return say("must-be-a-shorter-id", most=LONGEST_ID)
    segment = _decoded(segment)
    if "/" in segment or "\\" in segment or segment in (".", ".."):
        return say("must-be-an-id")
    return NO_TEXT


def department(value: object) -> Text:
    """Accept an id or a name. A name may contain a slash; such a name never becomes a part of a path."""
    problem = filled_text(value)
    if not problem and _decoded(str(value)[: LONGEST_ID + 1]) in (".", ".."):
        return say("must-be-an-id-or-a-name")
    return problem


def _decoded(segment: str) -> str:
    """Decode a segment as often as proxies and the service may decode it."""
    while (decoded := unquote(segment)) != segment:
        segment = decoded
    return segment


def seconds(value: object) -> Text:
    """Accept a number of seconds; 0 means to look once."""
    return number(value, least=0, most=LONGEST_SECONDS, unit="seconds")


def number(value: object, *, least: float, most: float, unit: str = "", whole: bool = False) -> Text:
    """Accept a number within limits, but not a boolean or NaN."""
    kinds = int if whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most:
        return NO_TEXT
    if unit:
        return say("must-be-an-amount-between", least=least, most=most, unit=word("unit", unit))
    return say("must-be-between", least=least, most=most)


def moment(value: object) -> Text:
    """Accept a time with a zone."""
    if not isinstance(value, datetime):
        return say("must-be-a-time")
    return say("must-have-a-time-zone") if value.utcoffset() is None else NO_TEXT


def duration(value: object) -> Text:
    """Accept a duration that is not negative."""
    if not isinstance(value, timedelta):
        return say("must-be-a-duration")
    return NO_TEXT if value >= timedelta() else say("must-not-be-negative")


def page_size(value: object) -> Text:
    """Accept the number of images of a page, which Glance limits."""
    return number(value, least=1, most=LARGEST_PAGE, unit="images", whole=True)


def flag(value: object) -> Text:
    """Accept True and False, but not other values that Python treats as one of them."""
    return NO_TEXT if isinstance(value, bool) else say("must-be-true-or-false")


def callback(value: object) -> Text:
    """Accept a callable."""
    return NO_TEXT if callable(value) else must_be("must-be-callable", value)


def instance(*classes: type) -> Check:
    """Accept an instance of one of these classes, but not a dictionary with the same keys."""

    def check(value: object, /) -> Text:
        return NO_TEXT if isinstance(value, classes) else _must_be_of((each.__name__ for each in classes), value)

    return check


def model(*names: str) -> Check:
    """Accept an instance of one of this library's models, without importing models that the caller has not used."""

    def check(value: object, /) -> Text:
        ours = {kind.__name__ for kind in type(value).__mro__ if kind.__module__.startswith("hyperx_glance.models.")}
        return NO_TEXT if ours & set(names) else _must_be_of(names, value)

    return check


def _must_be_of(names: Iterable[str], value: object) -> Text:
    kinds = tuple(names)
    return must_be("must-be-an-instance", value, way="read-it-by-its-id" if kinds == ("Image",) else "", kinds=kinds)


def choice(*words: str) -> Check:
    """Accept one of these words."""

    def check(value: object, /) -> Text:
        return NO_TEXT if isinstance(value, str) and value in words else say("must-be-one-of", words=words)

    return check


def optional(check: Check) -> Check:
    """Accept None, too."""

    def check_optional(value: object, /) -> Text:
        return NO_TEXT if value is None else check(value)

    return check_optional


# ----------------------------------------------------------------- applied


def hint(problems: Iterable[Text]) -> Text:
    """Return what to do about problems; no text if they say it themselves."""
    masked = any(getattr(problem.values.get("problem"), "code", "") == MASKED for problem in problems)
    return say("pass-the-secret-apart") if masked else NO_TEXT


def require(values: Iterable[tuple[str, object]], checks: Mapping[str, Check]) -> None:
    """Raise `InvalidRequestError` if values are invalid, with one line for each."""
    problems = [
        say("wrong-field", field=field_name(place), problem=problem)
        for place, value in values
        if place in checks and (problem := checks[place](value))
    ]
    if problems:
        raise InvalidRequestError(say("wrong-request", problems=problems), hint=hint(problems))


def checked(**checks: Check) -> Callable[[Function], Function]:
    """Check the arguments of a function before it is called; every argument must have a check.

    The function itself checks the values in its ``**keywords``.
    """

    def decorate(function: Function) -> Function:
        code = function.__code__
        places = code.co_varnames[: code.co_argcount]
        named = {*places, *code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]}
        if named - {"self", "cls"} != checks.keys():
            raise TypeError(f"{function!r}: {sorted(named)} and {sorted(checks)} differ")

        @functools.wraps(function)
        def checking(*arguments: object, **keywords: object) -> object:
            require([*zip(places, arguments, strict=False), *keywords.items()], checks)
            return function(*arguments, **keywords)

        return checking  # type: ignore[return-value]  # it has the signature of the function

    return decorate
