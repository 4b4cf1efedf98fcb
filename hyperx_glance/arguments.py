"""Check what the caller gives, before anything is done.

    >>> from hyperx_glance.arguments import checked, flag, optional, seconds
    >>> @checked(timeout=optional(seconds), keep=flag)
    ... def wait(*, timeout: float | None = None, keep: bool = False) -> None: ...
    >>> wait(timeout=0)
    >>> wait(timeout=-1)
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: timeout: 0 to 1000000000 seconds are needed

A check says what is wrong with a value, and "" where nothing is. It never repeats the value, which may be a password.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import unquote

from hyperx_glance.errors import InvalidRequestError

Function = TypeVar("Function", bound=Callable[..., object])
Check = Callable[[object], str]

LONGEST_SECONDS = 10**9
"""Thirty years: clocks, sockets and dates take no more."""
LONGEST_ID = 255


def needed(what: str, value: object) -> str:
    """Say what is needed instead of a value of this type."""
    return f"{what} is needed, not {type(value).__name__}"


# ----------------------------------------------------------------- one check for each kind of argument


def text(value: object) -> str:
    """Take a text that every service can be sent."""
    if not isinstance(value, str):
        return needed("a text", value)
    if "\x00" in value:
        return "a text cannot hold the character NUL"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "a text cannot hold half a surrogate pair"
    return ""


def filled_text(value: object) -> str:
    """Take a text that is not empty."""
    return text(value) or ("" if value else "a text that is not empty is needed")


def reference(value: object) -> str:
    """Take an id, which becomes a segment of a path: whatever could lead to another path is none."""
    problem = filled_text(value)
    if problem:
        return problem
    segment = str(value)
    if len(segment) > LONGEST_ID:
        return f"an id has at most {LONGEST_ID} characters"
    segment = _decoded(segment)
    if "/" in segment or "\\" in segment or segment in (".", ".."):
        return "an id is needed: no slash, and neither . nor .."
    return ""


def department(value: object) -> str:
    """Take an id or a name; a name may hold a slash, and is never made a part of a path then."""
    problem = filled_text(value)
    if not problem and _decoded(str(value)[: LONGEST_ID + 1]) in (".", ".."):
        return "an id or a name is needed, neither . nor .."
    return problem


def _decoded(segment: str) -> str:
    """Undo what a service, and each proxy before it, may undo."""
    while (decoded := unquote(segment)) != segment:
        segment = decoded
    return segment


def seconds(value: object) -> str:
    """Take a length of time; 0 is one look."""
    return number(value, least=0, most=LONGEST_SECONDS, unit="seconds")


def number(value: object, *, least: float, most: float, unit: str = "", whole: bool = False) -> str:
    """Take a number within limits; a boolean is none, and neither is NaN."""
    kinds = int if whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most:
        return ""
    return f"{least} to {most} {unit} are needed" if unit else f"a number from {least} to {most} is needed"


def page_size(value: object) -> str:
    """Take as many images as Glance gives at once."""
    return number(value, least=1, most=1000, unit="images", whole=True)


def flag(value: object) -> str:
    """Take True or False, and nothing that Python would take for one of them."""
    return "" if isinstance(value, bool) else needed("True or False", value)


def callback(value: object) -> str:
    """Take what can be called."""
    return "" if callable(value) else needed("a function", value)


def instance(*classes: type) -> Check:
    """Take an instance of one of these classes, no dictionary that looks like one."""

    def check(value: object, /) -> str:
        return "" if isinstance(value, classes) else needed(" or ".join(each.__name__ for each in classes), value)

    return check


def model(*names: str) -> Check:
    """Take an instance of one of this library's models; the class is not imported before somebody has used it."""

    def check(value: object, /) -> str:
        ours = {kind.__name__ for kind in type(value).__mro__ if kind.__module__.startswith("hyperx_glance.models.")}
        return "" if ours & set(names) else needed(" or ".join(names), value)

    return check


def choice(*words: str) -> Check:
    """Take one of some words."""

    def check(value: object, /) -> str:
        return "" if isinstance(value, str) and value in words else f"one of {', '.join(words)} is needed"

    return check


def optional(check: Check) -> Check:
    """Take None, too."""

    def check_optional(value: object, /) -> str:
        return "" if value is None else check(value)

    return check_optional


# ----------------------------------------------------------------- applied


def require(values: Iterable[tuple[str, object]], checks: Mapping[str, Check]) -> None:
    """Raise `InvalidRequestError` for whatever is wrong, one line each."""
    problems = [
        f"{place}: {problem}" for place, value in values if place in checks and (problem := checks[place](value))
    ]
    if problems:
        raise InvalidRequestError("\n".join(problems))


def checked(**checks: Check) -> Callable[[Function], Function]:
    """Check the arguments of a function before it is called; each one has a check, or the function is not made.

    What ``**keywords`` collect is for the function to check.
    """

    def decorate(function: Function) -> Function:
        code = function.__code__
        places = code.co_varnames[: code.co_argcount]
        named = {*places, *code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]}
        if named - {"self", "cls"} != checks.keys():
            raise TypeError(f"{function!r}: {sorted(named)} and {sorted(checks)} differ")
        by_keyword = {place: check for place, check in checks.items() if place not in places[: code.co_posonlyargcount]}

        @functools.wraps(function)
        def checking(*arguments: object, **keywords: object) -> object:
            require(zip(places, arguments, strict=False), checks)
            require(keywords.items(), by_keyword)
            return function(*arguments, **keywords)

        return checking  # type: ignore[return-value]  # it has the signature of the function

    return decorate
