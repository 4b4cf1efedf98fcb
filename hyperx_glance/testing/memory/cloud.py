"""The in-memory cloud itself: its services, the ways into it, and what each request comes to.

>>> cloud = InMemoryCloud()
>>> [service.name for service in cloud.keystone.services]
['keystone', 'glance', 'neutron', 'nova', 'cinder', 'placement']
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import functools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, Unpack
from urllib.parse import urlsplit

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.sources.network import as_default
from hyperx_glance.testing import capabilities, known
from hyperx_glance.testing.memory import files
from hyperx_glance.testing.memory.cinder import Cinder
from hyperx_glance.testing.memory.filling import fill
from hyperx_glance.testing.memory.glance import Glance
from hyperx_glance.testing.memory.keystone import REGION, SYSTEM, Grant, Keystone
from hyperx_glance.testing.memory.neutron import Neutron
from hyperx_glance.testing.memory.nova import Nova
from hyperx_glance.testing.memory.placement import Placement
from hyperx_glance.testing.memory.plans import Fate, Plan, check_place, struck
from hyperx_glance.testing.memory.silences import NoAnswer
from hyperx_glance.testing.memory.wire import Call, Failure, Refused, Reply, Service, read_json
from hyperx_glance.testing.profiles import PROFILES, ProfileName, entries, written
from hyperx_glance.texts import Text

if TYPE_CHECKING:
    import requests
    import requests_mock
    from keystoneauth1.session import Session

    from hyperx_glance.client import Client
    from hyperx_glance.testing.clients import ClientSettings
    from hyperx_glance.testing.memory.entrance import Entrance
    from hyperx_glance.waiting.pace import Pace

ServiceName = Literal["keystone", "glance", "nova", "cinder", "neutron", "placement"]

_LONGEST_INTERVAL = 30.0


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
    service: Service
    call: Call


class InMemoryCloud:
    """A cloud with a fake of each service, which records requests and fails on demand; threads may share it.

    ``now`` is the clock of all its services, the system's by default. The cloud behaves like the OpenStack release
    ``release``, as far as ``capabilities`` knows a difference. ``profile`` "devstack" adds what DevStack makes.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        release: str = capabilities.NEWEST,
        profile: ProfileName = "default",
    ) -> None:
        known.require("profile", profile, PROFILES)
        if not re.fullmatch(r"20[0-9]{2}\.[12]", release):
            raise InvalidRequestError(Text(f"release must be a name such as {capabilities.NEWEST}, not {release!r}."))
        self.release = release
        """The OpenStack release that the cloud plays."""
        self.profile = profile
        """The name of its initial content."""
        self.keystone = Keystone()
        """Users, departments, unified limits and tokens."""
        self.glance = Glance(self.keystone)
        """Images, imports and what URLs hold."""
        self.neutron = Neutron()
        """Networks, ports, security groups and routers."""
        self.cinder = Cinder(self.keystone, self.glance)
        """Volumes and their quotas."""
        self.nova = Nova(self.keystone, self.glance, self.cinder, self.neutron)
        """Servers, flavors and their quotas."""
        self.placement = Placement(self.nova)
        """The host of Nova's servers, and what they use."""
        self.glance.lookers += [self.nova.look_at_image, self.cinder.look_at_image]
        self.glance.writers += [self.nova.writes_to_image, self.cinder.writes_to_image]
        self.keystone.services += [self.glance, self.neutron, self.nova, self.cinder, self.placement]
        for service in self.keystone.services:
            service.now = now
        self.keystone.lacks = self.glance.lacks = capabilities.lacking(release)
        self.glance.import_filter.of_redirects = "redirects-filtered" not in self.glance.lacks
        self.requests: list[Recorded] = []
        """Every request in the order in which it was answered."""
        self._plans: list[Plan] = []
        self._late: list[_Late] = []
        self._interceptor: Interceptor | None = None
        self._lock = threading.RLock()
        self._slept = 0.0
        self._mocker: requests_mock.Mocker | None = None
        self._entered = contextlib.ExitStack()
        self.network = files.network(lambda: self.glance.downloads)
        """The network with the files of ``glance.downloads``: ``Settings(network=cloud.network)``."""
        admin = self.keystone.add_user("admin", "admin", role="admin")
        self.keystone.grants.add(Grant(("user", admin), SYSTEM, self.keystone.role_id("admin")))
        fill(self, PROFILES[profile])
        for service in self.keystone.services:
            service.seal()

    @property
    def departments(self) -> Mapping[str, str]:
        """Project ids by name."""
        return self.keystone.departments

    @property
    def failures(self) -> list[Failure]:
        """Requests that this cloud answered with 500 because of its own mistake."""
        return [failure for service in self.keystone.services for failure in service.failures]

    @property
    def unused_failures(self) -> list[str]:
        """What was planned and has not happened: a test of an error that never occurred proves nothing.

        These are the calls of `fail`, `cut` and `before` of which no request was struck, and what is left in
        ``nova.faults``, ``nova.snapshot_faults``, ``cinder.faults`` and ``cinder.upload_faults``.

        >>> cloud = InMemoryCloud()
        >>> cloud.fail("glance", "GET", "/v2/images$", status=500)
        >>> cloud.unused_failures
        ["fail('glance', 'GET', '/v2/images$', status=500)"]
        """
        with self._lock:
            plans = [plan.words for plan in self._plans if not plan.fired]
        left = {
            "nova.faults": self.nova.faults,
            "nova.snapshot_faults": self.nova.snapshot_faults,
            "cinder.faults": self.cinder.faults,
            "cinder.upload_faults": self.cinder.upload_faults,
        }
        return plans + [f"{name}: {fault!r}" for name, faults in left.items() for fault in faults]

    def check(self, *, passed: bool = True) -> None:
        """Raise `AssertionError` if there are `failures` or `unused_failures`.

        The end of the ``with`` block and of the fixture call this. ``passed`` False ignores `unused_failures`, since a
        test that failed may have ended before they were due.
        """
        unused = self.unused_failures if passed else []
        problems = [*map(str, self.failures), *(f"This planned failure never happened: {plan}" for plan in unused)]
        if problems:
            raise AssertionError("\n".join(problems))

    @property
    def users(self) -> Mapping[str, str]:
        """User ids by name."""
        return self.keystone.users

    @property
    def pace(self) -> Pace:
        """A pace whose clock advances only, and at once, when a caller sleeps, so waiting takes no time.

        Its intervals grow to 30 seconds, so that even hours of waiting are few requests: an hour is some 140 looks.
        """
        from hyperx_glance.waiting.pace import Pace  # noqa: PLC0415 - a served cloud needs none

        return Pace(longest_interval=_LONGEST_INTERVAL, sleep=self._sleep, clock=lambda: self._slept)

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self._slept += max(seconds, 0.001)

    # ------------------------------------------------------------- ways in

    def auth(self, user: str) -> dict[str, str]:
        """Return the keywords with which ``connect`` logs in as this user."""
        return {
            "auth_url": f"{self.keystone.url}/v3",
            "username": user,
            "password": self.keystone.password_of(user),
            "project_name": self.keystone.department_of(user),
            "user_domain_id": "default",
            "project_domain_id": "default",
            "region_name": REGION,
        }

    def clouds_yaml(self) -> str:
        """Return a ``clouds.yaml`` with a cloud for each user, for programs that connect by name inside ``with``."""
        return written(entries(self.auth, self.users, self.profile))

    def session(self, user: str) -> Session:
        """Return a new keystoneauth session of this user that reaches this cloud and nothing else."""
        return self._entrance.session(self.auth(user))

    def client(self, user: str, **settings: Unpack[ClientSettings]) -> Client:
        """Return a new client of this user, with the cloud's `network` and `pace`.

        ``settings`` are fields of `~hyperx_glance.Settings`.

        >>> InMemoryCloud().client("bob", transfer="stream").is_administrator
        False
        """
        from hyperx_glance.testing.clients import client  # noqa: PLC0415 - a served cloud needs none

        chosen: ClientSettings = {"network": self.network, "pace": self.pace, **settings}
        return client(self.session(user), REGION, **chosen)

    @functools.cached_property
    def _entrance(self) -> Entrance:
        from hyperx_glance.testing.memory.entrance import Entrance  # noqa: PLC0415 - a served cloud needs none

        return Entrance(self._answer)

    def __enter__(self) -> Self:
        """Let every requests session of this process reach the cloud."""
        self._mocker = self._entrance.mocker()
        self._mocker.start()
        self._entered.enter_context(as_default(self.network))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Restore requests."""
        self._entered.close()
        if self._mocker is not None:
            self._mocker.stop()
            self._mocker = None
        if error is None:
            self.check()

    # ------------------------------------------------------------- failures on request

    def kill(self, service: ServiceName) -> None:
        """Stop a service at once: connections are refused until `restart`, and its unfinished work is lost.

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

        def reply(asked: Service, call: Call) -> Reply:
            match body:
                case str() if body.lstrip().startswith("<"):
                    made = Reply(status, body.encode(), {"Content-Type": "text/html; charset=UTF-8"})
                case str():
                    made = asked.problem(call, Refused(status, body))
                case bytes():
                    made = Reply(status, body, {"Content-Type": "text/html"})
                case _:
                    made = Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
            return dataclasses.replace(made, headers={**made.headers, **(headers or {})})

        words = f"fail({service!r}, {method!r}, {path!r}, status={status})"
        self._plan(Plan(words, service, method, path, "answer", times, skip, reply=reply))

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

    def _answer(self, request: requests.PreparedRequest) -> Reply | None:
        url = str(request.url)
        if self.service_at(url) is None:
            return None
        return self.answer(request.method or "GET", url, request.headers, request.body)

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
            callbacks, failure = struck(self._plans, service, call)
        for callback in callbacks:
            callback()
        with self._lock:
            self._do_late_work()
            token = call.headers.get("x-auth-token")
            path = urlsplit(service.url).path + call.path
            if self.keystone.allows(token, service.type, call.method, path):
                call.caller = self.keystone.caller(token)
            return service.handle(call) if failure is None else self._interrupted(service, call, failure)

    def _interrupted(self, service: Service, call: Call, rule: Plan) -> Reply:
        if rule.reply is not None:
            return rule.reply(service, call)
        if rule.fate == "unreachable":
            raise NoAnswer("refused")
        if rule.late:
            call.content()
            self._late.append(_Late(rule.late, service, call))
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
                work.service.handle(work.call)

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
