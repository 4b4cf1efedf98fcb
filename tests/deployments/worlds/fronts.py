"""Fronts: nginx and HAProxy with TLS by an authority of their own and one address for all services; uWSGI."""

from __future__ import annotations

import contextlib
import getpass
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import trustme
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance.testing.local.surroundings import clean_environment
from tests.deployments import people
from tests.deployments.programs import HOST, program, reserved, running
from tests.deployments.world import World, each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hyperx_glance.testing import LocalCloud

ROOT: Final = Path(__file__).parents[3]
PATHS: Final = {
    "keystone": "identity",
    "glance": "image",
    "placement": "placement",
    "neutron": "networking",
    "nova": "compute",
    "cinder": "volume",
}
PROCESSES: Final = {"keystone": "1", "glance": "2"}
"""Under uWSGI. Keystone's cache is in the memory of a process here, where operators have a memcached."""
INTERNAL: Final = {"glance": {"oslo_limit": {"valid_interfaces": "internal"}}}
"""Glance reads its limits from Keystone at the public endpoint by default, and does not trust the front's authority."""
SLOW: Final = ("glance", "nova", "cinder")
LATE: Final = """\
local seen = {}
core.register_action("begin", {"http-req"}, function(txn)
    local kind = txn.sf:method() .. string.gsub(txn.sf:path(), "%x+%-[%x-]+", "*")
    seen[kind] = (seen[kind] or 0) + 1
    if (seen[kind] == 1 or seen[kind] == 3) and not string.find(kind, "^GET") then
        txn:set_var("txn.late", true)
    end
end)
core.register_action("finish", {"http-res"}, function(txn)
    if txn:get_var("txn.late") then core.msleep(SECONDS * 1000) end
end)
"""
"""For HAProxy: the first answer to each kind of change comes late, and the third, since the doctor's is the first."""


class Place(NamedTuple):
    """What a front is configured with."""

    folder: Path
    port: int
    services: Mapping[str, str]
    """Where the services are, by the first part of the path."""


def nginx(place: Place, *more: str) -> list[str | Path]:
    """Write nginx's configuration, and return its command."""
    places = [
        f"location /{path}/ {{ proxy_pass {url}/; proxy_set_header Host $http_host; }}"
        for path, url in place.services.items()
    ]
    temporary = [f"{kind}_temp_path {place.folder}/{kind};" for kind in ("client_body", "proxy", "uwsgi", "scgi")]
    configuration = place.folder / "nginx.conf"
    configuration.write_text(
        "\n".join(
            [
                f"daemon off; user {getpass.getuser()}; pid {place.folder}/pid; error_log stderr; events {{}}",
                f"http {{ access_log off; fastcgi_temp_path {place.folder}/fastcgi;",
                *temporary,
                "proxy_http_version 1.1;",
                *more,
                f"server {{ listen {HOST}:{place.port} ssl; server_name {HOST};",
                f"ssl_certificate {place.folder}/front.pem; ssl_certificate_key {place.folder}/front.pem;",
                *places,
                "} }",
            ]
        )
    )
    return [program("nginx"), "-e", "stderr", "-c", configuration]


def haproxy(place: Place, server: str = "60s") -> list[str | Path]:
    """Write HAProxy's configuration, and return its command."""
    choices = [f"use_backend {path} if {{ path_beg /{path} }}" for path in place.services]
    backends = [
        f"backend {path}\nhttp-request replace-path /{path}/?(.*) /\\1\nserver one {url.removeprefix('http://')}"
        for path, url in place.services.items()
    ]
    configuration = place.folder / "haproxy.cfg"
    configuration.write_text(
        "\n".join(
            [
                f"defaults\nmode http\ntimeout connect 5s\ntimeout client 60s\ntimeout server {server}",
                f"frontend front\nbind {HOST}:{place.port} ssl crt {place.folder}/front.pem",
                *choices,
                *backends,
                "",
            ]
        )
    )
    return [program("haproxy"), "-db", "-f", configuration]


@contextlib.contextmanager
def late(services: Mapping[str, str], seconds: int) -> Iterator[dict[str, str]]:
    """Let answers of services come late; return where the services are then."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {name: stack.enter_context(reserved()) for name in SLOW}
        (folder / "late.lua").write_text(LATE.replace("SECONDS", str(seconds)))
        parts = [
            f"listen {name}\nbind {HOST}:{port}\nhttp-request lua.begin\nhttp-response lua.finish\n"
            f"server one {services[name].removeprefix('http://')}"
            for name, port in ports.items()
        ]
        usual = "defaults\nmode http\ntimeout connect 5s\ntimeout client 60s\ntimeout server 60s"
        configuration = folder / "late.cfg"
        configuration.write_text("\n".join([f"global\nlua-load {folder}/late.lua", usual, *parts, ""]))
        stack.enter_context(running([program("haproxy"), "-db", "-f", configuration], ports["glance"]))
        yield {**services, **{name: f"http://{HOST}:{port}" for name, port in ports.items()}}


@contextlib.contextmanager
def catalogue(cloud: LocalCloud, places: Mapping[str, str]) -> Iterator[None]:
    """Let the catalogue lead people to other addresses; the services reach each other as before."""
    session, url = cloud.session("admin"), f"{cloud.url('keystone')}/v3"

    def write(endpoint: dict[str, Any], address: str) -> None:
        session.patch(f"{url}/endpoints/{endpoint['id']}", json={"endpoint": {"url": address}})

    changed: list[dict[str, Any]] = []
    try:
        for name, place in places.items():
            (service,) = session.get(f"{url}/services?name={name}").json()["services"]
            found = session.get(f"{url}/endpoints?service_id={service['id']}&interface=public").json()["endpoints"]
            for endpoint in found:
                changed.append(endpoint)
                write(endpoint, endpoint["url"].replace(cloud.url(name), place))
        yield
    finally:
        for endpoint in changed:
            write(endpoint, endpoint["url"])


class Front:
    """A front: how it is configured, and, while it stands, how people log in through it.

    Its certificate is for the address, since Glance would ask DNS about "localhost." for the doctor's probe
    (glance/common/utils.py get_validated_address).
    """

    def __init__(self, command: Callable[[Place], list[str | Path]], *, late_by: int = 0) -> None:
        self._command = command
        self._late_by = late_by
        self._url = self._authority = ""

    @contextlib.contextmanager
    def stands(self, cloud: LocalCloud) -> Iterator[None]:
        """Put the front before the cloud."""
        with contextlib.ExitStack() as stack:
            folder, port = Path(stack.enter_context(tempfile.TemporaryDirectory())), stack.enter_context(reserved())
            authority = trustme.CA()
            authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(folder / "front.pem"))
            authority.cert_pem.write_to_path(str(folder / "authority.pem"))
            self._url, self._authority = f"https://{HOST}:{port}", str(folder / "authority.pem")
            services = {name: cloud.url(name) for name in PATHS}
            if self._late_by:
                services = stack.enter_context(late(services, self._late_by))
            place = Place(folder, port, {PATHS[name]: url for name, url in services.items()})
            stack.enter_context(running(self._command(place), port))
            stack.enter_context(catalogue(cloud, {name: f"{self._url}/{path}" for name, path in PATHS.items()}))
            yield

    def log_in(self, cloud: LocalCloud, person: str) -> Session:
        """Log a person in through the front."""
        login = people.login(cloud, person) | {"auth_url": f"{self._url}/{PATHS['keystone']}/v3"}
        return Session(v3.Password(**login), timeout=60, verify=self._authority)


def fronted(name: str, command: Callable[[Place], list[str | Path]], *, late_by: int = 0) -> World:
    """Return a world behind a front."""
    front = Front(command, late_by=late_by)
    return World(name=f"Fronts: {name}", options=INTERNAL, made=front.stands, login=front.log_in)


@contextlib.contextmanager
def under_uwsgi(cloud: LocalCloud) -> Iterator[None]:
    """Run Glance and Keystone under uWSGI, on their ports and with their configuration, as DevStack does."""
    with contextlib.ExitStack() as stack:
        for service in PROCESSES:
            stack.callback(cloud.restart, service)
            cloud.kill(service)
            port = int(cloud.url(service).rpartition(":")[2])
            command: list[str | Path] = [
                *(Path(sys.executable).with_name("uwsgi"), "--http-socket", f"{HOST}:{port}", "--http-chunked-input"),
                *("--master", "--lazy-apps", "--die-on-term", "--enable-threads", "--need-app", "--thunder-lock"),
                *("--processes", PROCESSES[service], "--threads", "8", "--buffer-size", "65535", "--disable-logging"),
                *("--chunked-input-limit", "16384000", "--add-header", "Connection: close"),
                *("--pythonpath", str(ROOT), "--module", "tests.deployments.under_uwsgi"),
            ]
            variables = {"SERVICE": service, f"OS_{service.upper()}_CONFIG_DIR": str(cloud.directory / service)}
            stack.enter_context(running(command, port, {**clean_environment(), **variables}))
        yield


BUFFERS: Final = "client_max_body_size 0; proxy_buffering on; proxy_request_buffering on;"
PASSES_ON: Final = "client_max_body_size 0; proxy_buffering off; proxy_request_buffering off;"
TOO_LARGE: Final = {"a member registers a raw disk that the client streams": "image-not-registered"}
LOST: Final = {"a member resets a password": "service-failed"}
"""The error has the password, which the server may have."""
UNCLEAR: Final = each(("data-check", "hybrid-isos", "stream-quota", "image-store"), "warning")
"""What the doctor cannot say if the answer to its upload is lost, since it uploads once."""

WORLDS: Final = (
    fronted("nginx with TLS and one address", lambda place: nginx(place, BUFFERS)).expecting(tenth=True),
    fronted("nginx that buffers nothing", lambda place: nginx(place, PASSES_ON)),
    fronted("nginx that takes 1 MB at most", lambda place: nginx(place, "client_max_body_size 1000000;")).expecting(
        refused=TOO_LARGE
    ),
    fronted("nginx that waits 3 s", lambda place: nginx(place, BUFFERS, "proxy_read_timeout 3s;"), late_by=5).expecting(
        refused=LOST, doctor=UNCLEAR
    ),
    fronted("HAProxy with TLS and one address", haproxy),
    fronted("HAProxy that waits 3 s", lambda place: haproxy(place, server="3s"), late_by=5).expecting(
        refused=LOST, doctor=UNCLEAR
    ),
    World(name="Fronts: Glance and Keystone under uWSGI", made=under_uwsgi),
)
