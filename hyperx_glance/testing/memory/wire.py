r"""The base of the in-memory services: requests, answers, a table of routes, and errors in the real services' forms.

>>> call = Call.of("GET", "http://glance.cloud.test/v2/images?tag=a&tag=b&limit=5")
>>> call.path, call.values("tag"), call.value("limit")
('/v2/images', ['a', 'b'], '5')
>>> webob_error(404, "No image found with ID x", accept="application/json").content
b'{"message": "No image found with ID x<br /><br />\\n\\n\\n", "code": "404 Not Found", "title": "Not Found"}'
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import html
import http
import json
import re
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic_core import SchemaError, SchemaValidator, core_schema, from_json

from hyperx_glance.testing import known

Record: TypeAlias = dict[str, Any]
"""A JSON object as a service sends it; the service decides its content."""

Problem: TypeAlias = Callable[[int, str], "Reply"]

LARGEST_JSON: Final = 16 << 20
"""The most bytes of a JSON body: in memory, it may take thirty times as much."""
_LONGEST_PATTERN: Final = 1000


@dataclasses.dataclass(frozen=True)
class Caller:
    """The user, project and roles of a token."""

    user_id: str
    user: str
    project_id: str
    project: str
    roles: frozenset[str]
    on_system: bool = False
    domain_id: str = ""
    """The domain of the token, if it has no project."""

    @property
    def is_administrator(self) -> bool:
        """Whether the token carries the role admin."""
        return "admin" in self.roles

    @property
    def may_write(self) -> bool:
        """Whether the token may change things of its own project: a reader may not."""
        return bool(self.roles & {"admin", "member"})


@dataclasses.dataclass
class Call:
    """One request as a service sees it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    source: object = None
    caller: Caller | None = None
    request_id: str = ""
    pause: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    broken: Exception | None = None
    """The exception that the client's own stream raised while it was read."""
    _content: bytes | None = None

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str] | None = None, source: object = None) -> Call:
        """Read a request from its parts; ``source`` is the body as requests has it: bytes, text, file or chunks."""
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        lowered = {key.lower(): _text(value) for key, value in (headers or {}).items()}
        return cls(method, unquote(parts.path) or "/", query, lowered, source, request_id=f"req-{uuid.uuid4()}")

    def content(self) -> bytes:
        """Read the whole body; while a stream is read other requests are handled, as in a real service."""
        if self._content is None:
            match self.source:
                case None:
                    self._content = b""
                case bytes():
                    self._content = self.source
                case str():
                    self._content = self.source.encode()
                case _:
                    with self.pause():
                        try:
                            self._content = b"".join(_chunks(self.source))
                        except Exception as error:
                            self.broken = error
                            raise
        return self._content

    def json(self) -> Any:  # noqa: ANN401 - anything that the client sent
        """Return the parsed body; refuse invalid JSON."""
        if not self.content():
            raise Refused(400, "Body expected in request.")
        if len(self.content()) > LARGEST_JSON:
            raise Refused(413, "Request is too large.")
        try:
            return read_json(self.content())
        except ValueError as error:
            raise Refused(400, str(error)) from None

    def member(self, key: str) -> Any:  # noqa: ANN401 - anything that the client sent
        """Return the value of a key of the JSON object in the body; refuse the absence of either."""
        body = self.json()
        if not isinstance(body, dict):
            raise Refused(400, f"{body!r} is not of type 'object'")
        if key not in body:
            raise Refused(400, f"{key!r} is a required property")
        return body[key]

    def value(self, name: str, default: str = "") -> str:
        """Return a query parameter; the last one if there are several."""
        return self.values(name)[-1] if self.values(name) else default

    def values(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [value for key, value in self.query if key == name]

    @property
    def who(self) -> Caller:
        """The caller, on routes that need a token."""
        if self.caller is None:
            raise Refused(401)
        return self.caller


@dataclasses.dataclass
class Reply:
    """One answer."""

    status: int
    content: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Failure:
    """A request that this fake could not answer: a mistake of the fake, not of the caller."""

    service: str
    method: str
    path: str
    traceback: str

    def __str__(self) -> str:
        """Describe the failure for people."""
        return f"The in-memory {self.service} failed on {self.method} {self.path}, and answered 500.\n{self.traceback}"


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """An error in the service's own form; ``detail`` is the text that webob appends to its own sentence."""

    def __init__(self, status: int, message: str = "", *, detail: str = "") -> None:
        super().__init__(message or detail)
        self.status = status
        self.message = message
        self.detail = detail


@dataclasses.dataclass(frozen=True)
class Route:
    """A handler of a method on a path; the groups of the pattern are the arguments of the handler."""

    method: str
    pattern: str
    handler: Callable[..., Reply]
    public: bool = False


class Service:
    """Base class of a service: routes, and errors in its own form."""

    name: ClassVar[str]
    type: ClassVar[str]
    endpoint_path: ClassVar[str] = ""
    older_types: ClassVar[Mapping[str, str]] = {}
    """Other types under which the catalogue also has it, and the names of these entries."""
    _sealed: bool = False
    answers_head: ClassVar[bool] = False
    """Whether HEAD is handled as GET."""

    def __init__(self) -> None:
        self.present = True
        """False takes the service out of the catalogue."""
        self.running = True
        """False refuses every connection, as if the process had died."""
        self.skew_seconds = 0.0
        """How far this service's clock is off, as its Date headers show."""
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        """This service's clock, which dates its records."""
        self.failures: list[Failure] = []
        """Requests that this fake could not answer."""
        self.url = f"http://{self.name}.cloud.test"
        """The root of the service. Nobody resolves this name: requests to it do not leave the process."""
        self._routes = [(route, re.compile(route.pattern)) for route in self.routes()]

    if not TYPE_CHECKING:  # or type checkers would accept any name

        def __setattr__(self, name: str, value: object) -> None:
            """Set an attribute; raise `AttributeError` if a test sets one that the service does not have."""
            if not self._sealed or hasattr(self, name):
                super().__setattr__(name, value)
                return
            settings = [each for each in vars(self) if not each.startswith("_")]
            hint = known.suggestion(name, settings) or f"Known: {known.listed(settings)}."
            raise AttributeError(f"{self.name} has no setting {name!r}. {hint}".rstrip())

    def seal(self) -> None:
        """Refuse other attributes from now on: a misspelt setting would change nothing."""
        self._sealed = True

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        raise NotImplementedError

    def die(self) -> None:
        """Lose everything that only the process knows; the database stays."""

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as this service does."""
        raise NotImplementedError

    def handle(self, call: Call) -> Reply:
        """Answer a request; a failure of this fake is an error of the service, as every failure of the real one is."""
        try:
            return self._dispatch(call)
        except Refused as refused:
            return self.problem(call, refused)
        except Exception as error:  # no such exception may reach the caller's code
            if error is call.broken:
                raise  # an exception of the client's own stream belongs to the client
            self.failures.append(Failure(self.name, call.method, call.path, traceback.format_exc()))
            return self.problem(call, Refused(500))

    def _dispatch(self, call: Call) -> Reply:
        allowed = []
        for route, pattern in self._routes:
            match = pattern.fullmatch(call.path)
            if match is None:
                continue
            if route.method == call.method:
                if call.caller is None and not route.public:
                    raise Refused(401)
                return route.handler(call, *match.groups())
            allowed.append(route.method)
        if call.caller is None:
            raise Refused(401)
        if allowed:
            raise Refused(405, f"The method {call.method} is not allowed for this resource. ")
        raise Refused(404)


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - anything that the client sent
    """Read JSON; raise `ValueError` if it is invalid, or nested too deeply for Python's own functions.

    >>> read_json(b"[" * 1000)
    Traceback (most recent call last):
    ValueError: The JSON in the request body is nested too deeply.
    """
    try:
        return from_json(text)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise ValueError("The JSON in the request body is nested too deeply.") from None
        raise ValueError("Malformed JSON in request body.") from None


@functools.lru_cache(maxsize=128)
def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that checks whether a string matches a regular expression, in linear time.

    Python's own engine can take forever. This one is Rust's (https://docs.rs/regex/latest/regex/#syntax), which knows
    neither look-around nor back references, because it never goes back in the text.

    >>> searcher("^(a+)+$")("a" * 10_000 + "b")
    False
    """
    if not isinstance(pattern, str):
        raise TypeError(f"A regular expression must be a string, not {type(pattern).__name__}.")
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"A regular expression may have {_LONGEST_PATTERN} characters at most.")
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")).isinstance_python
    except SchemaError as error:
        reason = str(error).rstrip().rpartition("\n")[2].strip()
        raise ValueError(f"This is not a regular expression: {reason.removeprefix('error: ')}") from None


def microseconds(time: datetime) -> str:
    """Write a time as Nova and Cinder do, and Glance in its tasks: in UTC, without a zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")


def json_reply(status: int, value: object, **headers: str) -> Reply:
    """Answer with JSON; an underscore in a header's name stands for a hyphen."""
    content = json.dumps(value, ensure_ascii=False).encode()
    named = {key.replace("_", "-"): text for key, text in headers.items()}
    return Reply(status, content, {"Content-Type": "application/json", **named})


# webob's own sentences (webob/exc.py), for errors that carry none.
_SENTENCES = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    401: "This server could not verify that you are authorized to access the document you requested. Either you "
    "supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the "
    "credentials required.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    416: "The Range requested is not available.",
    409: "There was a conflict when trying to complete your request.",
    500: "The server has either erred or is incapable of performing the requested operation.",
    503: "The server is currently unavailable. Please try again at a later time.",
}


def sentence(status: int) -> str:
    """Return webob's own sentence about a status."""
    return _SENTENCES.get(status, http.HTTPStatus(status).phrase)


def webob_error(status: int, message: str = "", *, detail: str = "", accept: str = "") -> Reply:
    """Write an error as webob does: HTML, unless the client asks for JSON (webob/exc.py, generate_response)."""
    title = http.HTTPStatus(status).phrase
    title = {413: "Request Entity Too Large", 416: "Request Range Not Satisfiable"}.get(status, title)
    explanation = message or _SENTENCES.get(status, title)
    if "application/json" in accept and "text/html" not in accept:
        body = f"{explanation}<br /><br />\n{detail}" + ("" if status == 415 else "\n\n")
        return json_reply(status, {"message": body, "code": f"{status} {title}", "title": title})
    body = f"{html.escape(explanation)}<br /><br />\n{html.escape(detail)}\n\n"
    page = (
        f"<html>\n <head>\n  <title>{status} {title}</title>\n </head>\n"
        f" <body>\n  <h1>{status} {title}</h1>\n  {body}\n\n </body>\n</html>"
    )
    return Reply(status, page.encode(), {"Content-Type": "text/html; charset=UTF-8"})


_FAULTS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}


def paste_problem(refused: Refused, *, retry_after: bool = False) -> Reply:
    """Write an error as Nova and Cinder do: an object named after the kind of fault (nova/api/openstack/wsgi.py)."""
    message = refused.message or _SENTENCES.get(refused.status, "")
    fault: Record = {"code": refused.status, "message": message}
    if retry_after and refused.status in (413, 429):
        fault["retryAfter"] = "0"
    reply = json_reply(refused.status, {_FAULTS.get(refused.status, "computeFault"): fault})
    reply.headers["Content-Type"] = "application/json; charset=UTF-8"
    return reply


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _chunks(source: object) -> Iterator[bytes]:
    read = getattr(source, "read", None)
    if read is not None:
        while chunk := read(1 << 16):
            yield chunk
        return
    if not isinstance(source, Iterable):
        raise TypeError(f"no request body: {source!r}")
    yield from source
