"""`LocalCloud`: a real OpenStack on loopback, for as long as a test or a person needs it.

>>> cloud = LocalCloud()
>>> cloud.is_running
False
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from keystoneauth1.session import Session

from hyperx_glance.testing.local import access, control, health, processes, qemu
from hyperx_glance.testing.local.configuration import Changes, Policies
from hyperx_glance.testing.local.keystone import ADMINISTRATOR
from hyperx_glance.testing.local.layout import ENTRIES, HOST, REGION, SERVICES, Layout, LocalCloudError, check_name
from hyperx_glance.testing.local.provision import create_people, provision
from hyperx_glance.testing.local.surroundings import (
    check_choices,
    check_directory,
    check_free,
    check_machine,
    check_place,
)
from hyperx_glance.testing.profiles import PROFILES, Person, ProfileName, entries, written
from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from hyperx_glance.client import Client
    from hyperx_glance.testing.clients import ClientSettings

_START_SECONDS: Final = scaled(180)
_POLL_SECONDS: Final = 0.05
_TAIL_LINES: Final = 40


@dataclasses.dataclass(frozen=True)
class ServiceStatus:
    """The state of a service."""

    name: str
    port: int
    pid: int | None
    problem: str | None

    @property
    def healthy(self) -> bool:
        """Check whether the service answered as it should."""
        return self.problem is None


class LocalCloud:
    """Keystone, Glance, Placement, Neutron, Nova and Cinder on loopback; Linux only.

    ``ports`` fixes the ports of the services that it names; the others get free ports. ``address`` is an IPv4 address
    of this machine. If other machines can reach this address, everybody there can use the cloud, since all passwords
    are known.

    The services reach nothing but this machine. Everything else that they try to reach is refused, and
    `refused_connections` lists it.

    Without a ``directory``, a temporary one is made, and removed at ``stop``. ``options`` change the configuration of
    services: service, section, option, value; None removes an option.

    ``python`` is the Python of another environment, whose services run instead, for example those of an older release,
    which cannot be installed beside this library. It needs the six services and cheroot, and nothing of this library.

    ``profile`` "devstack" adds what DevStack makes, under its names: users, flavors, networks, an image.

    ``hypervisor`` is Nova's fake one, or "qemu" for real guests, which are slow and have no network. ``start`` says
    what must be installed for them.

    ``databases`` are SQLAlchemy URLs of empty databases on a server, for Glance, Keystone or both. Without them, these
    have SQLite files. The services' Python needs the driver. The data there stays after the end of the cloud.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        databases: Mapping[str, str] | None = None,
        hosts: int = 1,
        hypervisor: str = "fake",
        options: Mapping[str, Changes] | None = None,
        python: str | os.PathLike[str] | None = None,
        profile: ProfileName = "default",
        ports: Mapping[str, int] | None = None,
        address: str = HOST,
    ) -> None:
        """Prepare a cloud; nothing runs, and no directory is made, before `start`."""
        check_choices(hosts, hypervisor, databases or {}, options or {}, profile)
        check_place(address, ports or {})
        self._given_directory = None if directory is None else Path(directory).resolve()
        self._databases = databases or {}
        self._hosts = hosts
        self._hypervisor = hypervisor
        self._options = options or {}
        # Not resolved: the Python of a virtual environment is a link, and knows its environment by the link's place.
        self._given_python = None if python is None else str(Path(python).absolute())
        self._given_profile: ProfileName = profile
        self._profile: ProfileName = profile
        self._ports = ports or {}
        self._address = address
        self._release = ""
        self._directory: Path | None = None
        self._layout: Layout | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: dict[str, Session] = {}
        self._sessions_lock = threading.Lock()
        self._refused_told = 0
        self._user = uuid.uuid4().hex

    def __enter__(self) -> Self:
        """Start the cloud, or join the one that runs in the directory."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the cloud. Report which services died by themselves, and which tried to reach another machine."""
        problems = "\n".join([*self._deaths(), *self.refused_connections()]) if self.is_running else ""
        self.leave()
        if problems and error is None:
            raise LocalCloudError(problems)
        if problems and error is not None:
            error.add_note(problems)

    @property
    def directory(self) -> Path:
        """Return the directory of the cloud that runs."""
        if self._directory is None:
            raise LocalCloudError("the local cloud is not running: call start() first")
        return self._directory

    @property
    def release(self) -> str:
        """Return the OpenStack release of the cloud that runs, such as "2026.2"."""
        self._known_layout()
        return self._release

    def join(self) -> bool:
        """Look at the cloud that runs in the given directory; return False if there is none.

        Looking at a cloud does not keep it running. Its services may fail or be dead: see `status`.
        """
        return self._directory is not None or self._join("status")

    def _join(self, verb: str, **arguments: object) -> bool:
        directory = self._given_directory
        if directory is None or not control.is_locked(directory):
            return False
        self._directory = directory
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._learn_layout(verb, **arguments)
            except LocalCloudError:  # its supervisor has just begun, or ends
                if not control.is_locked(directory):
                    self._directory = None
                    return False
                if time.monotonic() > deadline:
                    self._directory = None
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                self.refused_connections()  # this object does not report earlier events
                return True

    def start(self, *, detach: bool = False) -> Self:
        """Start the cloud and return when all services are healthy; join the one that already runs in the directory.

        The cloud ends with the last process that started or joined it in this way, however that process ends. With
        ``detach``, the cloud continues to run.
        """
        if self._directory is not None:
            return self
        check_machine(self._given_python, self._hypervisor)
        if self._given_directory is None:
            check_free(self._address, self._ports)
            self._start_in(Path(tempfile.mkdtemp(prefix="hyperx-local-cloud-")), detach=detach)
            return self
        check_directory(self._given_directory)
        with control.starting(self._given_directory):
            joined = self._join("use", user=self._user, process=os.getpid())
            if not joined:
                check_free(self._address, self._ports)
                self._start_in(self._given_directory, detach=detach)
        if joined:
            self._await_joined(detach=detach)
        return self

    def _await_joined(self, *, detach: bool) -> None:
        try:
            self._check_joined(**self._ask("status"))
            self._wait_until_healthy(SERVICES)
            if detach:
                self._ask("detach")
        except BaseException:
            self.leave()
            raise

    def _check_joined(self, *, python: str, services: Mapping[str, Any], **running: object) -> None:
        """Refuse a cloud that differs from the requested one; options that were not given may have any value."""
        if self._given_python not in (None, python):
            raise LocalCloudError(f"the cloud in {self.directory} runs under {python}, not under {self._given_python}")
        asked = {
            "address": (self._address, HOST),
            "hosts": (self._hosts, 1),
            "hypervisor": (self._hypervisor, "fake"),
            "profile": (self._given_profile, "default"),
        }
        for name, (value, usual) in asked.items():
            if value not in (usual, running[name]):
                raise LocalCloudError(f"the cloud in {self.directory} runs with {name} {running[name]}, not {value}")
        for service, port in self._ports.items():
            if services[service]["port"] != port:
                actual = services[service]["port"]
                raise LocalCloudError(f"the cloud in {self.directory} runs with {service} on port {actual}, not {port}")

    def _start_in(self, directory: Path, *, detach: bool) -> None:
        self._directory = directory
        try:
            self._run_supervisor(directory)
            place = (self._known_layout(), self.session(ADMINISTRATOR), self._profile)
            made: list[Future[None]] = []
            with ThreadPoolExecutor() as pool:
                for service in self._becoming_healthy(SERVICES):
                    if not made:  # the first that is healthy has accepted a token: Keystone is up
                        create_people(*place)
                    made.append(pool.submit(provision, service, *place))
            for each in made:
                each.result()
            if detach:
                self._ask("detach")
        except BaseException as error:
            self._stop_after(error)
            raise

    def _stop_after(self, error: BaseException) -> None:
        """Stop after a failed start; the start's error is the one to raise."""
        try:
            self.stop()
        except (LocalCloudError, OSError) as second:
            error.add_note(f"The cloud did not stop cleanly, either: {second}")

    def _run_supervisor(self, directory: Path) -> None:
        python = self._given_python or sys.executable
        order = {
            "address": self._address,
            "databases": dict(self._databases),
            "directory": str(directory),
            "hosts": self._hosts,
            "hypervisor": self._hypervisor,
            "options": self._options,
            "ports": dict(self._ports),
            "process": os.getpid(),
            "profile": self._profile,
            "python": python,
            "temporary": self._given_directory is None,
            "user": self._user,
        }
        (directory / "logs").mkdir(exist_ok=True)
        log = directory / "logs" / "supervisor.log"
        with log.open("ab+") as output:
            self._process = processes.start_supervisor(python, order, output)
            deadline = time.monotonic() + _START_SECONDS
            while True:
                try:
                    self._learn_layout()
                except LocalCloudError as error:
                    status = self._process.poll()
                    if status is None and time.monotonic() < deadline:
                        time.sleep(_POLL_SECONDS)
                        continue
                    output.seek(0)  # the supervisor may have removed the directory, but not the open file
                    text = output.read().decode(errors="replace")
                    raise LocalCloudError(
                        f"the local cloud's supervisor does not respond, exit status {status}. Its log ends with:\n"
                        f"{processes.last_lines(text, _TAIL_LINES)}"
                    ) from error
                else:
                    return

    def _learn_layout(self, verb: str = "status", **arguments: object) -> None:
        answer = self._ask(verb, **arguments)
        ports = {service: state["port"] for service, state in answer["services"].items()}
        self._layout = Layout(
            self.directory,
            ports,
            answer["hosts"],
            answer["databases"],
            answer["hypervisor"],
            address=answer["address"],
        )
        self._release, self._profile = answer["release"], answer["profile"]

    def _known_layout(self) -> Layout:
        if self._layout is None:
            raise LocalCloudError("the local cloud is not running: call start() first")
        return self._layout

    def stop(self) -> None:
        """End the cloud, even if others use it, and return when none of its processes is left.

        A temporary directory is removed.
        """
        if self._directory is not None:
            with contextlib.suppress(LocalCloudError):  # its supervisor has ended already
                self._ask("stop")
            self._await_end(self._directory)

    def leave(self) -> None:
        """Stop using the cloud. It ends, as with ``stop``, unless it is detached or has other users."""
        directory = self._directory
        if directory is None:
            return
        # A process that joins meanwhile waits until it is settled whether there is a cloud.
        with control.starting(directory):
            try:
                ends = self._ask("leave", user=self._user)["ends"]
            except LocalCloudError:  # its supervisor has ended already
                ends = True
            if ends:
                self._await_end(directory)
            else:
                self._forget()

    def _await_end(self, directory: Path) -> None:
        processes.await_end(directory, self._process)
        self._forget()
        if self._given_directory is None:
            shutil.rmtree(directory, ignore_errors=True)

    def _forget(self) -> None:
        """Close the files that this object holds open."""
        with self._sessions_lock:
            for session in self._sessions.values():
                session.session.close()
            self._sessions.clear()
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0  # it continues to run, and Popen would warn
        self._directory = self._layout = self._process = None
        self._refused_told = 0

    def remove(self) -> None:
        """Remove the files of stopped clouds in the given directory, and the directory if nothing else is in it."""
        directory = self._given_directory
        if directory is None or not directory.exists():
            return
        if control.is_locked(directory):
            raise LocalCloudError(f"a local cloud is running in {directory}: stop it first")
        for name in ENTRIES:
            path = directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if not any(directory.iterdir()):
            directory.rmdir()

    @property
    def is_running(self) -> bool:
        """Check whether this object has a cloud."""
        return self._directory is not None

    def status(self) -> list[ServiceStatus]:
        """Return the present state of each service."""
        states = self._ask("status")["services"]
        return [
            ServiceStatus(service, states[service]["port"], states[service]["pid"], self._problem(service, states))
            for service in SERVICES
        ]

    def _problem(self, service: str, states: Mapping[str, Any]) -> str | None:
        state = states[service]
        if state["exit_status"] is not None:
            return f"ended by itself, {processes.describe_exit(state['exit_status'])}"
        if state["pid"] is None:
            return "killed"
        return health.problem(self._known_layout(), service, self.session(ADMINISTRATOR))

    def url(self, service: str) -> str:
        """Return the base URL of a service."""
        check_name(service)
        return self._known_layout().url(service)

    def auth(self, user: str = ADMINISTRATOR) -> dict[str, str]:
        """Return the keywords with which `hyperx_glance.connect` and ``openstack.connect`` log in as ``user``."""
        return access.auth(self._known_layout(), user, self._project(user))

    @property
    def users(self) -> tuple[str, ...]:
        """Return the names of all users, the administrator first."""
        return (ADMINISTRATOR, *self._people())

    def clouds_yaml(self) -> str:
        """Return a ``clouds.yaml`` with a cloud for each user; the profile "devstack" adds DevStack's names."""
        return written(entries(self.auth, self.users, self._profile))

    def _people(self) -> Mapping[str, Person]:
        return PROFILES[self._profile].people

    def _project(self, user: str) -> str:
        if user == ADMINISTRATOR:
            return "admin"
        if user not in self.users:
            raise LocalCloudError(f"unknown user: {user}; valid users: {', '.join(self.users)}")
        return self._people()[user].department

    def environment(self, user: str = ADMINISTRATOR) -> dict[str, str]:
        """Return the variables with which the ``openstack`` command logs in as ``user``."""
        return access.environment(self.auth(user))

    def session(self, user: str = ADMINISTRATOR) -> Session:
        """Return the session of ``user``, the same at each call until the cloud stops; a request takes at most 60 s."""
        with self._sessions_lock:
            if user not in self._sessions:
                self._sessions[user] = access.session(self._known_layout(), user, self._project(user))
            return self._sessions[user]

    def client(self, user: str, **settings: Unpack[ClientSettings]) -> Client:
        """Return a new client of ``user``; ``settings`` are fields of `~hyperx_glance.Settings`.

        Unless you give a ``url_policy``, it trusts files on 127.0.0.1, the only address that the services reach.
        """
        from hyperx_glance.models.urls import UrlPolicy
        from hyperx_glance.testing.clients import client

        chosen: ClientSettings = {"url_policy": UrlPolicy(trusted_hosts=(HOST,)), **settings}
        return client(self.session(user), REGION, **chosen)

    def database(self, service: str) -> Path:
        """Return the path of a service's SQLite file, for writing much data; for Nova, the file with the servers."""
        check_name(service)
        if service in self._known_layout().databases:
            raise LocalCloudError(f"{service} does not use a SQLite file but {self.database_url(service)}")
        return self._known_layout().database(service)

    def database_url(self, service: str) -> str:
        """Return the SQLAlchemy URL of a service's database, a file or on a server; for Nova, that with the servers."""
        check_name(service)
        return self._known_layout().database_url(service)

    def serial_port(self, server_id: str) -> int:
        """Return the loopback port on which a real guest's serial console answers, to one caller at a time."""
        return qemu.serial_port(self.session(ADMINISTRATOR), self.url("nova"), server_id)

    def logs(self, service: str, lines: int = 50) -> str:
        """Return the last lines of the log of a service, or of the "supervisor"."""
        if service != "supervisor":
            check_name(service)
        directory = self._directory or self._given_directory
        if directory is None:
            raise LocalCloudError("the local cloud is not running, and its logs have been deleted")
        try:
            text = Layout(directory, {}).log(service).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return processes.last_lines(text, lines)

    def refused_connections(self) -> list[str]:
        """Return the attempts since the last call to reach other machines: service, target, and place in the code."""
        with contextlib.suppress(FileNotFoundError):
            lines = self._known_layout().refused.read_text(encoding="utf-8").splitlines()
            told, self._refused_told = self._refused_told, len(lines)
            return [json.loads(line) for line in lines[told:]]
        return []

    def kill(self, service: str) -> None:
        """Kill a service's process and return when it is dead; its port refuses until `restart`."""
        check_name(service)
        self._ask("kill", service=service)

    def restart(self, service: str) -> None:
        """Start a service again on its port, and return when it is healthy; if it runs, kill it first."""
        check_name(service)
        state = self._ask("status")["services"][service]
        self._restart_with(service, state["options"], state["policies"])

    def _restart_with(self, service: str, options: Changes, policies: Policies) -> None:
        self._ask("start", service=service, options=options, policies=policies)
        self._wait_until_healthy([service])

    @contextlib.contextmanager
    def configured(
        self, service: str, options: Changes | None = None, *, policies: Policies | None = None
    ) -> Iterator[None]:
        """Run a service with other options and policy rules inside the ``with`` block; None removes an option."""
        check_name(service)
        former = self._ask("status")["services"][service]
        merged = {section: dict(values) for section, values in former["options"].items()}
        for section, values in (options or {}).items():
            merged.setdefault(section, {}).update(values)
        try:
            self._restart_with(service, merged, former["policies"] | dict(policies or {}))
            yield
        finally:
            self._restart_with(service, former["options"], former["policies"])

    def _wait_until_healthy(self, services: Collection[str]) -> None:
        for _ in self._becoming_healthy(services):
            pass

    def _becoming_healthy(self, services: Collection[str]) -> Iterator[str]:
        """Yield each service when it is healthy, until all are; raise LocalCloudError if one ends or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        waiting = list(services)
        while True:
            states = self._ask("status")["services"]
            problems: dict[str, str] = {}
            for service in waiting:
                problem = self._problem(service, states)
                if problem is None:
                    yield service
                else:
                    problems[service] = problem
                if states[service]["pid"] is None:
                    raise LocalCloudError(self._death(service, str(problem)))
            waiting = list(problems)
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise LocalCloudError("\n".join(self._death(name, why) for name, why in problems.items()))
            time.sleep(_POLL_SECONDS)

    def _death(self, service: str, problem: str) -> str:
        return f"{service} of the local cloud: {problem}. Its log ends with:\n{self.logs(service, _TAIL_LINES)}"

    def _deaths(self) -> list[str]:
        """Return the services that ended by themselves; all of them if their supervisor did."""
        try:
            states = self._ask("status")["services"]
        except LocalCloudError as error:
            return [f"{error}. The supervisor's log ends with:\n{self.logs('supervisor', _TAIL_LINES)}"]
        return [
            self._death(service, f"ended by itself, {processes.describe_exit(state['exit_status'])}")
            for service, state in states.items()
            if state["exit_status"] is not None
        ]

    def _ask(self, verb: str, **arguments: object) -> dict[str, Any]:
        return control.ask(self.directory, verb, **arguments)
