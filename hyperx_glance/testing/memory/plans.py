r"""What a test plans to go wrong: checked when it is planned, counted when it happens, told if it never does.

    >>> from hyperx_glance.testing import InMemoryCloud
    >>> cloud = InMemoryCloud()
    >>> check_place(cloud.glance, "GET", "/images$")
    >>> check_place(cloud.glance, "GET", "/imagse$")
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: No GET request of glance has a path that matches '/imagse$'. Hint: ...

A path is a regular expression, which is tried on the paths of the service's own table of routes. Their variable parts
are filled with ids and with the words of the expression itself.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import known
from hyperx_glance.testing.memory.wire import Call, Refused, Reply, Service, searcher
from hyperx_glance.texts import Text

Fate = Literal["answer", "lost", "unreachable", "delayed"]
LONGEST_DELAY: Final = 600.0
"""The most seconds by which an answer is delayed."""

_SLOT: Final = "\0"
_VARIABLE: Final = re.compile(r"\(\[\^/\]\+\??\)|\(\.\+\)|\[0-9a-f\]\{32\}")
_OPTIONAL: Final = re.compile(r"\(\?:(?P<group>[^()]*)\)\?|(?P<slash>/)\?")
_BUT_SLASH: Final = re.compile(r"\[\^/\][*+]?")
_UNESCAPED: Final = re.compile(r"\\(?=\W)")
_WILDCARD: Final = re.compile(r"(?:\\?\.|\\[wdS]|\[[^\]]*\])[*+]?")
_WORD: Final = re.compile(r"[^/()|?*+\[\]{}^$\\]+")
_ID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_IDS: Final = ("9f1c2d3e4b5a69788796a5b4c3d2e1f0", "9f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0", "1", "name")
_MOST_WORDS: Final = 8


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer of a planned failure: ``text`` in the service's own form of errors, or else ``content`` as it is."""

    status: int
    text: str | None
    content: bytes = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def reply(self, service: Service, call: Call) -> Reply:
        """Return the answer to a request."""
        if self.text is None:
            return Reply(self.status, self.content, dict(self.headers))
        made = service.problem(call, Refused(self.status, self.text))
        return dataclasses.replace(made, headers={**made.headers, **self.headers})


@dataclasses.dataclass
class Plan:
    """Something that shall happen to requests: the next ``times`` (None: all) after ``skip``."""

    words: str
    """The call that planned it, for people."""
    service: str
    method: str
    path: str
    fate: Fate
    times: int | None
    skip: int
    late: int = 0
    seconds: float = 0.0
    """How long the answer is delayed."""
    answer: Answer | None = None
    callback: Callable[[], object] | None = None
    fired: bool = False

    def __post_init__(self) -> None:
        once = 0 if self.fired else 1  # a plan that was used up may be loaded
        for name, least, value in (("times", once, self.times), ("skip", 0, self.skip), ("late", 0, self.late)):
            if value is not None and (type(value) is not int or value < least):
                raise InvalidRequestError(Text(f"{name} must be a whole number of at least {least}, not {value!r}."))
        if self.late and self.fate == "unreachable":
            raise InvalidRequestError(Text("late needs handled=True: without a connection, the service does no work."))
        if not (type(self.seconds) in (int, float) and 0 <= self.seconds <= LONGEST_DELAY):
            raise InvalidRequestError(
                Text(f"seconds must be a number from 0 to {LONGEST_DELAY:.0f}, not {self.seconds!r}.")
            )
        self.found_in = searcher(self.path)

    def matches(self, service: Service, call: Call) -> bool:
        """Check whether this plan is for such a request, and after as many as it skips."""
        if self.times == 0 or (self.service, self.method) != (service.name, call.method):
            return False
        if not self.found_in(call.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        return True

    def strike(self) -> None:
        """Count a request."""
        self.fired = True
        if self.times is not None:
            self.times -= 1


@dataclasses.dataclass
class Struck:
    """What is planned for one request."""

    callbacks: list[Callable[[], object]] = dataclasses.field(default_factory=list)
    """The functions to call before it is handled."""
    seconds: float = 0.0
    """How long its answer is delayed."""
    failure: Plan | None = None


def struck(plans: Iterable[Plan], service: Service, call: Call) -> Struck:
    """Return what is planned for a request; it has one failure, and the next failure waits for the next request."""
    found = Struck()
    for plan in plans:
        if not plan.matches(service, call):
            continue
        if plan.callback is not None:
            found.callbacks.append(plan.callback)
        elif plan.fate == "delayed":
            found.seconds += plan.seconds
        elif found.failure is None:
            found.failure = plan
        else:
            continue
        plan.strike()
    return found


def next_data_fault(setting: str, faults: list[str]) -> str:
    """Take the next planned failure of a snapshot or an upload; return "" if there is none.

    A word that means nothing becomes a failure of the cloud, which ends the test with an error.
    """
    fault = faults.pop(0) if faults else ""
    if fault:
        known.require(f"failure for {setting}", fault, ("deleted", "lost"))
    return fault


def check_place(service: Service, method: str, path: str) -> None:
    """Raise `InvalidRequestError` if no request with such a method and path ever reaches this service."""
    found_in = searcher(path)
    by_method: dict[str, list[str]] = {}
    for route in service.routes():
        for handled in (route.method, *(["HEAD"] if route.method == "GET" and service.answers_head else [])):
            by_method.setdefault(handled, []).append(route.pattern)
    known.require(f"method of {service.name}", method, by_method)
    words = _words(path)

    def matches(patterns: Iterable[str]) -> bool:
        return any(found_in(made) for pattern in patterns for made in paths(pattern, words))

    if matches(by_method[method]):
        return
    others = [name for name, patterns in by_method.items() if matches(patterns)]
    shown = sorted({_shown(pattern) for pattern in by_method[method]})
    known_ones = (
        f"These methods have such a path: {known.listed(others)}." if others else f"Known: {known.listed(shown)}."
    )
    raise InvalidRequestError(
        Text(f"No {method} request of {service.name} has a path that matches {path!r}."),
        hint=Text(known.suggestion(path.strip("^$"), shown) + known_ones),
    )


def paths(pattern: str, words: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Iterator[str]:
    """Yield paths that a route's pattern matches, with ids and with these words in its variable parts.

    ``words`` are those that may stand behind a fixed part of a path; those behind "" may stand everywhere.

    >>> list(paths("/v2/images/([^/]+)/file", {"images": ["disk"], "servers": ["web"]}))[-1]
    '/v2/images/disk/file'
    """
    for variant in _variants(_VARIABLE.sub(_SLOT, pattern)):
        first, *rest = variant.split(_SLOT)
        fillers = [_fillers(before, words) for before in (first, *rest[:-1])][: len(rest)]
        for chosen in itertools.product(*fillers):
            yield first + "".join(filler + part for filler, part in zip(chosen, rest, strict=True))


def _fillers(before: str, words: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return what may stand in a variable part behind this text."""
    fixed = before.strip("/").rpartition("/")[2]
    behind = words.get(fixed, ()) if fixed else itertools.chain.from_iterable(words.values())
    return (*_IDS, *words.get("", ()), *behind)


def _variants(template: str) -> list[str]:
    """Return a template with and without each of its optional parts."""
    match = _OPTIONAL.search(template)
    if match is None:
        return [template]
    before, after = template[: match.start()], template[match.end() :]
    inner = match["group"] or match["slash"] or ""
    return [*_variants(before + after), *_variants(before + inner + after)]


def _shown(pattern: str) -> str:
    return _variants(_VARIABLE.sub("ID", pattern))[0]


def _words(path: str) -> Mapping[str, Sequence[str]]:
    r"""Return what an expression may mean by the variable parts of a path, by what stands before it.

    >>> dict(_words(r"/images/disk\.raw$"))
    {'images': ['disk.raw', 'disk1raw']}

    A misspelt fixed part is no such word, as it stands behind nothing. Ids may: nobody takes them for anything else.
    """
    plain = _BUT_SLASH.sub("1", path)
    found: dict[str, list[str]] = {}
    before: Sequence[str] = ()
    for literal, loose in zip(_UNESCAPED.sub("", plain).split("/"), _WILDCARD.sub("1", plain).split("/"), strict=True):
        here = list(dict.fromkeys(_WORD.findall(literal) + _WORD.findall(loose)))[:_MOST_WORDS]
        for fixed in before:
            found[fixed] = [*found.get(fixed, ()), *here][:_MOST_WORDS]
        before = here
    ids = _ID.findall(_UNESCAPED.sub("", plain))[:_MOST_WORDS]
    return found | ({"": ids} if ids else {})
