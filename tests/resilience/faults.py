"""What may become of one request: every error, silence and answer of a wrong shape, each with a name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hyperx_glance.testing.memory import Call, InMemoryCloud, NoAnswer, Recorded, Refused, Reply, Silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.resilience.verbs import Stage

Handle: TypeAlias = Callable[[], Reply]
Strike: TypeAlias = "Callable[[Stage, Recorded, Handle], Reply]"

PAGE: Final = b"<html><head><title>Portal</title></head><body><h1>Welcome</h1>Please log in to the hotel.</body></html>"
DEPTH: Final = 100_000
JSON: Final = {"Content-Type": "application/json"}


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault that strikes one request, or with ``always`` it and every later one of its kind.

    A ``truthful`` fault does not change what the services say of the world, so that a verb which still succeeds
    must tell the truth.
    """

    name: str
    strike: Strike
    always: bool = False
    truthful: bool = True
    follow: Fault | None = None
    """What strikes a later request: the one that comes ``distance`` later, or with 0 the next login."""
    distance: int = 0

    @property
    def family(self) -> str:
        """The name of faults of one kind, for a fair sample."""
        return self.name.partition(":")[0]


# ----------------------------------------------------------------- errors and silence

STATUSES: Final = (400, 401, 403, 404, 409, 413, 429, 500, 502, 503)


def refusal(cloud: InMemoryCloud, request: Recorded, status: int, message: str = "Failure on request.") -> Reply:
    """Write an error in the service's own form; a gateway writes a page."""
    if status == 502:
        return Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", {"Content-Type": "text/html"})
    call = Call.of(request.method, f"http://service.test{request.path}", {"Accept": "application/json"})
    reply: Reply = getattr(cloud, request.service).problem(call, Refused(status, message))
    return dataclasses.replace(reply, headers=reply.headers | ({"Retry-After": "3600"} if status == 503 else {}))


def _status(status: int, *, handled: bool = False) -> Strike:
    def strike(stage: Stage, request: Recorded, handle: Handle) -> Reply:
        if handled:
            handle()
        return refusal(stage.cloud, request, status)

    return strike


def _silence(silence: Silence, *, handled: bool = False) -> Strike:
    def strike(_stage: Stage, _request: Recorded, handle: Handle) -> Reply:
        if handled:
            handle()
        raise NoAnswer(silence)

    return strike


def _errors() -> list[Fault]:
    found = [Fault(f"status:{status}", _status(status)) for status in STATUSES]
    found += [Fault(f"status:{status} always", _status(status), always=True) for status in STATUSES]
    found += [Fault(f"status:{status} after the effect", _status(status, handled=True)) for status in (500, 502, 503)]
    for silence in ("refused", "reset", "timeout"):
        found.append(Fault(f"silence:{silence}", _silence(silence)))
        found.append(Fault(f"silence:{silence} always", _silence(silence), always=True))
        if silence != "refused":
            found.append(Fault(f"silence:{silence} after the effect", _silence(silence, handled=True)))
    return found


# ----------------------------------------------------------------- answers that are none


def _instead(change: Callable[[Reply], Reply]) -> Strike:
    def strike(_stage: Stage, _request: Recorded, handle: Handle) -> Reply:
        return change(handle())

    return strike


def _with(body: Callable[[bytes], bytes], **headers: str) -> Callable[[Reply], Reply]:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda reply: dataclasses.replace(reply, content=body(reply.content), headers=reply.headers | named)


def _truncated(reply: Reply) -> Reply:
    length = str(len(reply.content) + 100)
    return dataclasses.replace(reply, headers=reply.headers | {"Content-Length": length})


def _page(reply: Reply) -> Reply:
    del reply  # and its headers, in which a token may stand
    return Reply(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})


def _loop(_stage: Stage, request: Recorded, _handle: Handle) -> Reply:
    return Reply(302, b"", {"Location": f"http://{request.service}.cloud.test{request.path}"})


def _answers() -> list[Fault]:
    return [
        Fault("answer:malformed", _instead(_with(lambda body: body[:-1] + b'"'))),
        Fault("answer:half", _instead(_with(lambda body: body[: len(body) // 2]))),
        Fault("answer:truncated", _instead(_truncated)),
        Fault("answer:truncated always", _instead(_truncated), always=True),
        Fault("answer:empty", _instead(_with(lambda _: b""))),
        Fault("answer:bytes", _instead(_with(lambda _: b"\xff\xfe\x00\x80"))),
        Fault("answer:page", _instead(_page)),
        Fault("answer:page always", _instead(_page), always=True),
        Fault("answer:redirect loop", _loop, always=True),
        Fault("answer:wild date", _instead(_with(lambda body: body, Date="Tue, 99 Foo 99999 99:99:99 GMT"))),
        Fault("answer:no date", _instead(_with(lambda body: body, Date=""))),
    ]


# ----------------------------------------------------------------- JSON of a wrong shape

Change: TypeAlias = Callable[[Any], Any]


def _deep(change: Change) -> Change:
    """Change every value that is neither object nor list, wherever it stands."""

    def changed(value: Any) -> Any:  # noqa: ANN401  # JSON
        if isinstance(value, dict):
            return {key: changed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [changed(each) for each in value]
        return change(value)

    return changed


def _first(change: Change) -> Change:
    """Change the value of the first key, the list or object that an answer is about."""
    return lambda value: _first_changed(value, change)


def _first_changed(value: Any, change: Change) -> Any:  # noqa: ANN401  # JSON
    if not isinstance(value, dict) or not value:
        return value
    key = next(iter(value))
    return {**value, key: change(value[key])}


def _items(change: Change) -> Change:
    """Change each object that stands in a list or below the first key."""

    def changed(value: Any) -> Any:  # noqa: ANN401  # JSON
        return [change(each) for each in value] if isinstance(value, list) else change(value)

    return lambda value: changed(value) if isinstance(value, list) else _first_changed(value, changed)


def _without(position: int) -> Change:
    def change(value: Any) -> Any:  # noqa: ANN401  # JSON
        if not isinstance(value, dict) or not value:
            return value
        dropped = list(value)[position % len(value)]
        return {key: each for key, each in value.items() if key != dropped}

    return change


def _extra(value: Any) -> Any:  # noqa: ANN401  # JSON
    return {**value, "novelty": {"of": ["the", "next", "release"]}} if isinstance(value, dict) else value


def _nothing(value: Any) -> Any:  # noqa: ANN401  # JSON
    return dict.fromkeys(value) if isinstance(value, dict) else None


def _swapped(value: Any) -> Any:  # noqa: ANN401  # JSON
    """Make lists of objects, and objects of lists."""
    if isinstance(value, dict):
        return [_swapped(each) for each in value.values()]
    if isinstance(value, list):
        return {str(number): _swapped(each) for number, each in enumerate(value)}
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


SHAPES: Final[Mapping[str, Change]] = {
    "null": lambda _: None,
    "a list": lambda _: [],
    "a number": lambda _: 5,
    "a text": lambda _: "unexpected",
    "true": lambda _: True,
    "an empty object": lambda _: {},
    "a list of it": lambda value: [value],
    "first null": _first(lambda _: None),
    "first a list": _first(lambda _: []),
    "first an object": _first(lambda _: {}),
    "first a number": _first(lambda _: 5),
    "first a text": _first(lambda _: "unexpected"),
    "first a list of nulls": _first(lambda _: [None]),
    "first a list of numbers": _first(lambda _: [5]),
    "first a list of lists": _first(lambda _: [[]]),
    "without its first key": _without(0),
    "without its last key": _without(-1),
    "items without their first key": _items(_without(0)),
    "items without their third key": _items(_without(2)),
    "items without their last key": _items(_without(-1)),
    "items all null": _items(_nothing),
    "texts are numbers": _deep(lambda value: 5 if isinstance(value, str) else value),
    "texts are null": _deep(lambda value: None if isinstance(value, str) else value),
    "texts are lists": _deep(lambda value: [value] if isinstance(value, str) else value),
    "texts are half surrogates": _deep(lambda value: "\ud800" if isinstance(value, str) else value),
    "numbers are texts": _deep(lambda value: "many" if _is_number(value) else value),
    "numbers are huge": _deep(lambda value: 10**30 if _is_number(value) else value),
    "numbers are negative": _deep(lambda value: -7 if _is_number(value) else value),
    "truths are objects": _deep(lambda value: {} if isinstance(value, bool) else value),
    "nulls are objects": _deep(lambda value: {} if value is None else value),
    "objects are lists": _swapped,
}


def _shaped(change: Change) -> Strike:
    def reshape(reply: Reply) -> Reply:
        try:
            value = json.loads(reply.content)
        except ValueError:
            value = {}  # an answer without a body gets one
        return dataclasses.replace(reply, content=json.dumps(change(value)).encode(), headers=reply.headers | JSON)

    return _instead(reshape)


def _shapes() -> list[Fault]:
    deep = b"[" * DEPTH + b"]" * DEPTH
    below = b'{"a":' * DEPTH + b"1" + b"}" * DEPTH
    found = [Fault(f"shape:{name}", _shaped(change), truthful=False) for name, change in SHAPES.items()]
    found.append(Fault("shape:an extra key", _shaped(_extra)))
    found.append(Fault("shape:extra keys in items", _shaped(_items(_extra))))
    found.append(Fault("shape:100,000 lists deep", _instead(_with(lambda _: deep, Content_Type="application/json"))))
    found.append(Fault("shape:100,000 objects deep", _instead(_with(lambda _: below, Content_Type="application/json"))))
    return found


FAULTS: Final[Mapping[str, Fault]] = {fault.name: fault for fault in [*_errors(), *_answers(), *_shapes()]}
"""Those of services and networks that mean no harm; `tests.resilience.hostile` has all."""
