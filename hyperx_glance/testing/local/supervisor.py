"""The parent of the six services: it preloads what they share, forks them, and outlives none of them.

It runs in a process of its own, without threads, since it forks; `LocalCloud` starts it and talks to it through a
socket in the cloud's directory: one line of JSON there, one back. (No example: it is started by `LocalCloud` only.)

What dies with what: each service is killed by the kernel when the supervisor ends, however it ends (PR_SET_PDEATHSIG);
the supervisor ends when no process that uses its cloud is left, unless it has been told to stay.
"""

import contextlib
import ctypes
import dataclasses
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn
from wsgiref.types import WSGIApplication

from hyperx_glance.testing import loopback, origins
from hyperx_glance.testing.local import (
    cinder,
    configuration,
    control,
    glance,
    green,
    guests,
    keystone,
    neutron,
    nova,
    patches,
    placement,
    releases,
    titles,
)
from hyperx_glance.testing.local.configuration import Options
from hyperx_glance.testing.local.layout import SERVICES, Layout, LocalCloudError
from hyperx_glance.testing.local.surroundings import bound

OPTIONS: Final[dict[str, Callable[[Layout], Options]]] = {
    "keystone": keystone.options,
    "glance": glance.options,
    "placement": placement.options,
    "neutron": neutron.options,
    "nova": nova.options,
    "cinder": cinder.options,
}
APPLICATIONS: Final[dict[str, Callable[[Layout], WSGIApplication]]] = {
    "keystone": keystone.application,
    "glance": glance.application,
    "placement": placement.application,
    "neutron": neutron.application,
    "nova": nova.application,
    "cinder": cinder.application,
}

# Imported once, before the forks: it saves each service the time and the memory. What Keystone and Placement do without
# comes second, while they start on the other core.
_SHARED_BY_ALL: Final = (
    "alembic.command",
    "cheroot.wsgi",
    "cryptography.fernet",
    "cryptography.x509",
    "jsonschema",
    "keystoneauth1.loading",
    "keystonemiddleware.auth_token",
    "msgpack",
    "netaddr",
    "oslo_cache",
    "oslo_concurrency.lockutils",
    "oslo_config.cfg",
    "oslo_db.sqlalchemy.enginefacade",
    "oslo_log.log",
    "oslo_messaging",
    "oslo_middleware",
    "oslo_policy.policy",
    "osprofiler.initializer",
    "osprofiler.sqlalchemy",
    "requests",
    "routes",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "stevedore",
    "webob",
    "yaml",
)
_SHARED_BY_SOME: Final = (
    "OpenSSL",
    "castellan.key_manager",
    "cursive.signature_utils",
    "openstack.connection",
    "os_brick.initiator.connector",
    "os_traits",
    "oslo_limit.limit",
    "oslo_privsep.priv_context",
    "oslo_reports.guru_meditation_report",
    "oslo_versionedobjects.base",
    "oslo_vmware.api",
    "paste.deploy",
    "paste.urlmap",
    "pyroute2",
    "routes.middleware",
    "tenacity",
    # os_vif.internal looks at the source of each caller of the import: few, here.
    "vif_plug_ovs.linux_net",
)
_DO_WITHOUT: Final = ("keystone", "placement")
_THREADS: Final = 16
_TICK_SECONDS: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


@dataclasses.dataclass(frozen=True)
class Order:
    """The services to run: the command line of the supervisor, as JSON."""

    address: str
    databases: dict[str, str]
    directory: str
    hosts: int
    hypervisor: str
    options: dict[str, dict[str, dict[str, Any]]]
    ports: dict[str, int]
    process: int
    profile: str
    python: str
    temporary: bool
    user: str


@dataclasses.dataclass
class Service:
    """The process of one service."""

    options: dict[str, dict[str, Any]]
    policies: dict[str, str] = dataclasses.field(default_factory=dict)
    pid: int | None = None
    # As waitpid says it: negative for a signal. None while it runs, or when it was ended on purpose.
    exit_status: int | None = None


def main(order_text: str) -> None:
    """Run a cloud until it is stopped by an order, by a signal, or by the end of its last user."""
    order = Order(**json.loads(order_text))
    directory = Path(order.directory)
    try:
        releases.installed()
        titles.show("supervisor", directory)
        control.lock(directory)
        Supervisor(order).run()
    finally:
        if order.temporary:
            shutil.rmtree(directory, ignore_errors=True)


def reserved_ports(order: Order) -> Iterator[tuple[str, socket.socket]]:
    """Yield a socket for each service, bound to its port and not listening.

    As long as the socket is open, nobody else is given its port, and the service can bind the port too, since both set
    SO_REUSEADDR and only one listens. While the service is down, callers are refused. A service whose port is not
    ordered has that of the last start in the directory, or any that is free when another has that.
    """
    last = control.read_state(Path(order.directory)).get("ports", {})
    left = {service: port for service, port in last.items() if port not in order.ports.values()}
    for service in sorted(SERVICES, key=lambda service: service not in order.ports):
        try:
            reserved = bound(service, order.address, order.ports.get(service, left.get(service, 0)))
        except LocalCloudError:
            if service in order.ports:
                raise
            reserved = bound(service, order.address, 0)
        yield service, reserved


class Supervisor:
    """The owner of the service processes of one cloud."""

    def __init__(self, order: Order) -> None:
        """Reserve the ports; nothing runs yet."""
        self._order = order
        self._detached = False
        self._stopping = False
        # By the descriptors of their processes, because process ids are reused.
        self._users: dict[str, int] = {}
        self._use(order.user, order.process)
        directory = Path(order.directory)
        self._reserved = dict(reserved_ports(order))
        ports = {service: reserved.getsockname()[1] for service, reserved in self._reserved.items()}
        short = f"/proc/{os.getpid()}/fd/{os.open(directory, os.O_RDONLY | os.O_DIRECTORY)}"
        self._layout = Layout(directory, ports, order.hosts, order.databases, order.hypervisor, short, order.address)
        self._services = {service: Service(order.options.get(service, {})) for service in SERVICES}

    def run(self) -> None:
        """Start all services, answer orders, and end all services."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        for name in ("databases", "logs", "temporary"):
            (self._layout.directory / name).mkdir(exist_ok=True)
        os.environ["TMPDIR"] = str(self._layout.directory / "temporary")
        control.write_state(self._layout.directory, {"ports": dict(self._layout.ports), "pid": os.getpid()})
        self._layout.refused.unlink(missing_ok=True)
        hold_here(self._layout)
        guests.adopt()
        prepare()
        with control.listening(self._layout.directory) as self._listener:
            try:
                self._start_all(_DO_WITHOUT)
                if not releases.before("2026.2"):  # those that share most are separate interpreters
                    preload(_SHARED_BY_SOME)
                self._start_all(service for service in SERVICES if service not in _DO_WITHOUT)
                gc.enable()
                while not self._stopping:
                    self._tick()
            finally:
                for service in SERVICES:
                    self._kill(service)
                guests.end()

    def _start_all(self, services: Iterable[str]) -> None:
        for service in services:
            if not self._stopping:
                self._start(service)

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _tick(self) -> None:
        self._bury()
        self._count_users()
        if self._stopping:
            return
        with contextlib.suppress(TimeoutError):
            self._listener.settimeout(_TICK_SECONDS)
            connection, _ = self._listener.accept()
            with connection:
                control.answer(connection, self._obey)

    def _use(self, user: str, process: int) -> None:
        """Keep the cloud running as long as this process lives and has not left."""
        with contextlib.suppress(ProcessLookupError):
            self._users[user] = os.pidfd_open(process)

    def _leave(self, user: str) -> None:
        if user in self._users:
            os.close(self._users.pop(user))

    def _count_users(self) -> None:
        """End the cloud when it has no users left, unless it is detached."""
        for user, process in list(self._users.items()):
            if select.select([process], [], [], 0)[0]:  # readable when the process has ended
                self._leave(user)
        self._stopping = self._stopping or not (self._users or self._detached)

    def _bury(self) -> None:
        """Note which services have ended by themselves, and reap guests that have ended."""
        services = {service.pid: service for service in self._services.values()}
        for pid, status in guests.ended():
            if pid in services:
                services[pid].pid = None
                services[pid].exit_status = os.waitstatus_to_exitcode(status)

    def _obey(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"verb": "status"}:
                self._bury()
            case {"verb": "start", "service": str(service), "options": dict(options), "policies": dict(policies)}:
                self._kill(service)
                self._services[service].options = options
                self._services[service].policies = policies
                self._start(service)
            case {"verb": "kill", "service": str(service)}:
                self._kill(service)
            case {"verb": "use", "user": str(user), "process": int(process)}:
                self._use(user, process)
            case {"verb": "leave", "user": str(user)}:
                self._leave(user)
                self._count_users()
            case {"verb": "detach"}:
                self._detached = True
            case {"verb": "stop"}:
                self._stopping = True
            case _:
                return {"error": f"not understood: {request}"}
        return {
            "services": {
                name: dataclasses.asdict(service) | {"port": self._layout.ports[name]}
                for name, service in self._services.items()
            },
            "address": self._layout.address,
            "databases": dict(self._layout.databases),
            "ends": self._stopping,
            "hosts": self._layout.hosts,
            "hypervisor": self._layout.hypervisor,
            "release": releases.installed(),
            "profile": self._order.profile,
            "python": self._order.python,
        }

    def _start(self, service: str) -> None:
        """Fork the process of a service."""
        state = self._services[service]
        state.exit_status = None
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(service, supervisor)
        _lead_group(pid)
        state.pid = pid

    def _become(self, service: str, supervisor: int) -> NoReturn:
        """Run the service until the end of the process."""
        try:
            gc.disable()  # until it listens
            die_with(supervisor)
            _lead_group(0)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            log = os.open(self._layout.log(service), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            self._listener.close()
            for reserved in self._reserved.values():
                reserved.close()
            state = self._services[service]
            if releases.needs_eventlet(service):
                green.become(service, self._layout, state.options, state.policies)
            titles.show(service, self._layout.directory)
            serve(service, self._layout, state.options, state.policies)
        except BaseException:  # noqa: BLE001 - the process ends here, and its log says why
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)

    def _kill(self, service: str) -> None:
        """End the process of a service and its children; nothing is lost, because SQLite has saved everything."""
        state = self._services[service]
        if state.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(state.pid, signal.SIGKILL)
            os.waitpid(state.pid, 0)
        state.pid = state.exit_status = None


def serve(service: str, layout: Layout, options: dict[str, dict[str, Any]], policies: dict[str, str]) -> None:
    """Configure a service and answer its requests, forever."""
    begin = time.monotonic()
    application = _application(service, layout, options, policies)
    from cheroot.wsgi import Server

    answering = patches.answer_mistakes(application)
    server = Server((layout.address, layout.ports[service]), answering, numthreads=_THREADS, request_queue_size=128)
    server.prepare()
    gc.collect()
    gc.freeze()
    gc.enable()
    _tell_start(service, begin)
    server.serve()


def serve_on_eventlet(order_text: str) -> None:
    """Run a service on eventlet until the end of the process."""
    begin = time.monotonic()
    service, layout, options, policies = green.order(order_text)
    titles.show(service, layout.directory)
    try:
        hold_here(layout)
        patches.begin_writers_immediately(green.begin)
        patches.wake_queue_readers()
        application = _application(service, layout, options, policies)
        _tell_start(service, begin)
        green.listen(layout, service, application)
    except BaseException:  # noqa: BLE001 - the process ends here, and its log says why
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _application(
    service: str, layout: Layout, options: dict[str, dict[str, Any]], policies: dict[str, str]
) -> WSGIApplication:
    """Write a service's configuration, and start its parts."""
    sys.argv = [service]
    configuration.write(layout, service, configuration.changed(OPTIONS[service](layout), options), policies)
    return origins.guarded(APPLICATIONS[service](layout), {*origins.LOOPBACK, layout.address})


def _tell_start(service: str, begin: float) -> None:
    took = f"{time.monotonic() - begin:.2f} s, {time.process_time():.2f} s of them on the CPU"
    print(f"{service} listens after {took}", flush=True)  # noqa: T201 - standard output is the service's log


def hold_here(layout: Layout) -> None:
    """Let this process and all services reach nothing but this machine; attempts are written to a log and a file."""

    def report(attempt: loopback.Attempt) -> None:
        # It asks which address this machine would send from, which sends nothing, and can do without the answer.
        if "oslo_utils/netutils.py" in attempt.stack:
            return
        text = f"{sys.argv[0]} of the local cloud: {attempt.event} to {attempt.target} was refused\n{attempt.stack}"
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - standard error is the service's log
        with layout.refused.open("a", encoding="utf-8") as file:
            file.write(json.dumps(text) + "\n")

    loopback.hold(report, own=(layout.address,))


def prepare() -> None:
    """Make this process the one that services are forked from."""
    gc.disable()  # it would look at all imported modules again and again
    releases.choose_native_threads()
    preload(_SHARED_BY_ALL)
    patches.begin_writers_immediately()
    patches.keep_database_connections()
    patches.wake_queue_readers()
    patches.keep_connections_after_uploads()
    patches.share_checks_of_policies()
    from stevedore import ExtensionManager

    ExtensionManager("none")  # reads the entry points of all packages


def preload(modules: Iterable[str]) -> None:
    """Import the modules that several services share."""
    for module in modules:
        importlib.import_module(module)
    # What is there now stays shared: the collector of a child would copy its pages by touching them.
    gc.freeze()


def _lead_group(pid: int) -> None:
    """Make a service the leader of its group, so that its own children can be killed with it.

    Both parent and child do so, whichever comes first; the child may have ended already.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(pid, pid)


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends; end now if it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
