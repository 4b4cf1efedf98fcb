"""The check of names that a test gives: what a test cloud does not have is refused, and never ignored.

>>> require("user", "alcie", ["alice", "bob"])
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: There is no user 'alcie'. Hint: Did you mean 'alice'? Known: alice, bob.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import Text


def require(what: str, name: object, names: Iterable[str]) -> None:
    """Raise `InvalidRequestError`, with the names that exist, if this is none of them."""
    there = list(names)
    if name not in there:
        hint = Text(f"{suggestion(name, there)}Known: {listed(there)}.")
        raise InvalidRequestError(Text(f"There is no {what} {name!r}."), hint=hint)


def require_limits(service: str, limits: Mapping[str, object], names: Iterable[str]) -> None:
    """Raise `InvalidRequestError` if a service has no such limit, or if a limit is no number; -1 means none.

    >>> require_limits("Nova", {"instnces": 1}, ["instances", "cores"])
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: There is no Nova limit 'instnces'. Hint: Did you mean 'instances'? ...
    """
    for name, limit in limits.items():
        require(f"{service} limit", name, names)
        if type(limit) is not int or limit < -1:
            raise InvalidRequestError(Text(f"The limit {name} must be a whole number of at least -1, not {limit!r}."))


def suggestion(name: object, names: Iterable[str]) -> str:
    """Return the question for the name that is closest, with a space behind it; "" if none is close.

    >>> suggestion("get", ["GET", "PUT"])
    "Did you mean 'GET'? "
    """
    by_word = {each.lower(): each for each in names}
    close = difflib.get_close_matches(str(name).lower(), by_word, n=1)
    return f"Did you mean {by_word[close[0]]!r}? " if close else ""


def listed(names: Iterable[str]) -> str:
    """Return the names in one line."""
    return ", ".join(sorted(names)) or "none"
