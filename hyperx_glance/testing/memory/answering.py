"""How the in-memory cloud answers requests, and lets those fail for which a test has planned it.

>>> from hyperx_glance.testing import InMemoryCloud
>>> cloud = InMemoryCloud()
>>> cloud.fail("glance", "GET", "/v2/images$", status=503)
>>> [cloud.answer("GET", f"{cloud.glance.url}/v2/images", {}, None).status for _ in range(2)]
[503, 401]
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import ClassVar, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from hyperx_glance.testing import known
from hyperx_glance.testing.memory.ids import Ids
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.plans import Answer, Fate, Plan, check_place, struck
from hyperx_glance.testing.memory.silences import NoAnswer
from hyperx_glance.testing.memory.wire import Call, Reply, Service, read_json

ServiceName = Literal["keystone", "glance", "nova", "cinder", "neutron", "placement"]


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One request.

    ``path`` is without host and query, ``body`` is the parsed JSON, and ``status`` is None if no answer came.
    """

    method: str
    service: str
    path: str
    query: Mapping[str, list[str]]
    user: str
    project: str
    body: object
    status: int | None


Interceptor: TypeAlias = Callable[[Recorded, Callable[[], Reply]], Reply]
"""A function between clients and services: it takes a request and its handler, answers or raises `memory.NoAnswer`."""


@dataclasses.dataclass
class _Late:
    """A request whose connection was cut before the service handled it."""

    requests_left: int
    service: ServiceName
    call: Call


class Answering:
    """The part of a cloud that hands requests to its services, records them, and has what is planned for them."""

    _unsaved: ClassVar[frozenset[str]] = frozenset({"requests", "_interceptor", "_lock", "_ended"})

    def __init__(self, keystone: Keystone, ids: Ids) -> None:
        self.keystone = keystone
        """Users, departments, unified limits and tokens."""
        self.ids = ids
        """The source of all ids, passwords and tokens."""
        self.requests: list[Recorded] = []
        """Every request in the order in which it was answered."""
        self._plans: list[Plan] = []
        self._late: list[_Late] = []
        self._interceptor: Interceptor | None = None
        self._lock = threading.RLock()
        self._ended = threading.Event()

    def kill(self, service: ServiceName) -> None:
        """Stop a service at once: connections are refused until `restart`, and its unfinished work is lost.

        >>> from hyperx_glance.testing import InMemoryCloud
        >>> cloud = InMemoryCloud()
        >>> cloud.kill("glance")
        >>> cloud.restart("glance")
        """
        with self._lock:
            chosen = self._service(service)
            chosen.running = False
            chosen.die()

    def restart(self, service: ServiceName) -> None:
        """Start a service again; it has the data of its database."""
        with self._lock:
            self._service(service).running = True

    def _service(self, name: str) -> Service:
        services = {service.name: service for service in self.keystone.services}
        known.require("service", name, services)
        return services[name]

    def fail(
        self,
        service: ServiceName,
        method: str,
        path: str,
        *,
        status: int,
        body: str | bytes | Mapping[str, object] = "Failure on request.",
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
        skip: int = 0,
    ) -> None:
        """Answer with an error, and do not handle the request: the next ``times`` requests (None: all) after ``skip``.

        ``path`` is a regular expression without look-around or back references, searched in the path. A text body is
        written in the service's own form of errors, unless it is a document already; bytes and JSON objects are sent as
        they are.
        """
        more = dict(headers or {})
        page, document = {"Content-Type": "text/html; charset=UTF-8"}, {"Content-Type": "application/json"}
        match body:
            case str() if body.lstrip().startswith("<"):
                answer = Answer(status, None, body.encode(), page | more)
            case str():
                answer = Answer(status, body, headers=more)
            case bytes():
                answer = Answer(status, None, body, {"Content-Type": "text/html"} | more)
            case _:
                answer = Answer(status, None, json.dumps(body).encode(), document | more)
        words = f"fail({service!r}, {method!r}, {path!r}, status={status})"
        self._plan(Plan(words, service, method, path, "answer", times, skip, answer=answer))

    def cut(
        self,
        service: ServiceName,
        method: str,
        path: str,
        *,
        times: int | None = 1,
        skip: int = 0,
        handled: bool = True,
        late: int = 0,
    ) -> None:
        """Send no answer: with ``handled``, after the service did the work, else without a connection.

        With ``late``, the service does the work only after that many more requests from anyone.
        """
        words = f"cut({service!r}, {method!r}, {path!r})"
        fate: Fate = "lost" if handled else "unreachable"
        self._plan(Plan(words, service, method, path, fate, times, skip, late=late))

    def delay(
        self, service: ServiceName, method: str, path: str, *, seconds: float, times: int | None = 1, skip: int = 0
    ) -> None:
        """Delay answers by up to 600 seconds of real time; the service does the work at once.

        Several delays of one request add up. A failure that is planned for it is late, too.

        >>> from hyperx_glance.testing import InMemoryCloud
        >>> cloud = InMemoryCloud()
        >>> cloud.delay("glance", "GET", "/v2/images$", seconds=0.001)
        >>> list(cloud.client("alice").images())
        []
        """
        words = f"delay({service!r}, {method!r}, {path!r}, seconds={seconds!r})"
        self._plan(Plan(words, service, method, path, "delayed", times, skip, seconds=seconds))

    def end_delays(self) -> None:
        """Send every answer at once from now on: the server ends, or has a new cloud of this name."""
        self._ended.set()

    def before(
        self,
        service: ServiceName,
        method: str,
        path: str,
        callback: Callable[[], object],
        *,
        times: int | None = None,
        skip: int = 0,
    ) -> None:
        """Call a function just before such requests are handled (None: before each request)."""
        words = f"before({service!r}, {method!r}, {path!r})"
        self._plan(Plan(words, service, method, path, "answer", times, skip, callback=callback))

    def intercept(self, interceptor: Interceptor | None) -> None:
        """Let ``interceptor`` decide on every request from now on; None ends it.

        ``interceptor`` gets the request, with status None, and a function that lets the service work and returns its
        answer. It may call that function or not, return another answer, or raise `memory.NoAnswer`. Nothing is locked
        during the call, so it may wait.

        >>> from hyperx_glance.testing.memory import InMemoryCloud, NoAnswer, Reply
        >>> cloud = InMemoryCloud()
        >>> def lossy(request, handle):
        ...     answer = handle()
        ...     if request.method == "POST" and request.service == "glance":
        ...         raise NoAnswer("reset")
        ...     return answer
        >>> cloud.intercept(lossy)
        """
        self._interceptor = interceptor

    def _plan(self, plan: Plan) -> None:
        check_place(self._service(plan.service), plan.method, plan.path)
        with self._lock:
            self._plans.append(plan)

    # ------------------------------------------------------------- handling

    def service_at(self, url: str) -> Service | None:
        """Return the service with whose address a URL begins."""
        for service in self.keystone.services:
            if url == service.url or url.startswith((f"{service.url}/", f"{service.url}?")):
                return service
        return None

    def answer(self, method: str, url: str, headers: Mapping[str, str], source: object) -> Reply:
        """Answer a request for one of the services; ``source`` is the body: bytes, text, file or chunks.

        Raise `memory.NoAnswer` if the request gets no answer.
        """
        service = self.service_at(url)
        if service is None:
            raise ValueError(f"No service of this cloud is at {url}.")
        call = Call.of(method, url.removeprefix(service.url), headers, source)
        call.request_id = f"req-{self.ids.uuid4()}"
        call.pause = self._unlocked
        status: int | None = None
        try:
            if self._interceptor is None:
                reply = self._handled(service, call)
            else:
                reply = self._interceptor(self._told(service, call, None), lambda: self._handled(service, call))
            status = reply.status
        finally:
            with self._lock:
                self.requests.append(self._told(service, call, status))
        told = service.now() + timedelta(seconds=service.skew_seconds)
        stamps = {
            "Date": email.utils.format_datetime(told, usegmt=True),
            "x-openstack-request-id": call.request_id,
        }
        return dataclasses.replace(reply, headers=stamps | reply.headers)

    def _handled(self, service: Service, call: Call) -> Reply:
        """Let the service handle the request, unless the service is dead, or a failure was requested."""
        if not service.running:
            raise NoAnswer("refused")
        with self._lock:
            planned = struck(self._plans, service, call)
        for callback in planned.callbacks:
            callback()
        try:
            with self._lock:
                self._do_late_work()
                token = call.headers.get("x-auth-token")
                path = urlsplit(service.url).path + call.path
                if self.keystone.allows(token, service.type, call.method, path):
                    call.caller = self.keystone.caller(token)
                if planned.failure is None:
                    return service.handle(call)
                return self._interrupted(service, call, planned.failure)
        finally:
            if planned.seconds:
                self._ended.wait(planned.seconds)

    def _interrupted(self, service: Service, call: Call, rule: Plan) -> Reply:
        if rule.answer is not None:
            return rule.answer.reply(service, call)
        if rule.fate == "unreachable":
            raise NoAnswer("refused")
        if rule.late:
            call.content()
            self._late.append(_Late(rule.late, cast("ServiceName", service.name), call))
        else:
            service.handle(call)
        raise NoAnswer("reset")

    def _do_late_work(self) -> None:
        waiting, self._late = self._late, []
        for work in waiting:
            if work.requests_left:
                work.requests_left -= 1
                self._late.append(work)
            else:
                self._service(work.service).handle(work.call)

    def _told(self, service: Service, call: Call, status: int | None) -> Recorded:
        query: dict[str, list[str]] = {}
        for key, value in call.query:
            query.setdefault(key, []).append(value)
        caller = call.caller or self.keystone.caller(call.headers.get("x-auth-token"))
        user, project = (caller.user, caller.project) if caller else ("", "")
        return Recorded(call.method, service.name, call.path, query, user, project, _parsed(call), status)

    @contextlib.contextmanager
    def _unlocked(self) -> Iterator[None]:
        """Let other requests run while a body is streamed."""
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()


def _parsed(call: Call) -> object:
    if "json" not in call.headers.get("content-type", "") or not isinstance(call.source, bytes | str):
        return None
    try:
        return read_json(call.source)
    except ValueError:
        return None
