"""In-memory clouds behind HTTP, on a port of loopback: for programs in other processes and languages.

    with Server() as server:
        keywords = server.clouds["cloud"].auth("alice")

Each cloud has a name, and the paths of its services begin with it: ``/cloud/identity``, ``/cloud/image``,
``/cloud/compute``, ``/cloud/network``, ``/cloud/volume``, ``/cloud/placement``. Below ``/cloud/control``, a test in any
language sets what a test in Python sets in the object. Below ``/cloud/files`` are the planned downloads whose URLs are
there.
"""

from __future__ import annotations

import http
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from hyperx_glance.testing import origins
from hyperx_glance.testing.extras import needed
from hyperx_glance.testing.memory import control
from hyperx_glance.testing.memory.cloud import InMemoryCloud
from hyperx_glance.testing.memory.silences import NoAnswer
from hyperx_glance.testing.memory.wire import LARGEST_JSON, Reply, json_reply
from hyperx_glance.testing.profiles import ProfileName, entries, written

with needed("testing"):
    from cheroot import errors, wsgi

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from hyperx_glance.testing.memory.glance.downloads import Download

HOST: Final = "127.0.0.1"
PATHS: Final = {
    "keystone": "identity",
    "glance": "image",
    "nova": "compute",
    "neutron": "network",
    "cinder": "volume",
    "placement": "placement",
}
LARGEST_BODY: Final = 1 << 30
"""The most bytes of a request's body; those of an image stay in memory."""
_LARGEST_HEADERS: Final = 64 << 10
_THREADS: Final = 16


class _Gateway(wsgi.Gateway_10):
    """A gateway that reads the rest of a chunked body, which cheroot would treat as the next request."""

    def respond(self) -> None:
        """Answer, and continue where the next request begins, unless the connection ends."""
        super().respond()
        if self.req.chunked_read and not self.req.close_connection:
            for _ in _chunks(self.req.rfile, LARGEST_BODY):
                pass
            for _ in self.req.rfile.read_trailer_lines():
                pass


class _Quiet(wsgi.Server):
    """A server that logs nothing: a cloud's ``failures`` has its own mistakes."""

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's
        """Discard the server's messages."""


class Server:
    """A server of in-memory clouds over HTTP, in a ``with`` block, or with `run` until it is interrupted.

    ``port`` 0 means a free port. ``names`` are the names of the clouds at the start. All clouds have the ``profile``.
    """

    def __init__(self, *, port: int = 0, names: Sequence[str] = ("cloud",), profile: ProfileName = "default") -> None:
        self._profile = profile
        self.clouds: dict[str, InMemoryCloud] = {}
        """The clouds by name; a reset replaces one with a fresh one."""
        self.hosts = origins.LOOPBACK
        """The hosts by which the server is known; requests to others are refused."""
        application = origins.guarded(self._application, self.hosts)
        self._server: Any = _Quiet((HOST, port), application, numthreads=_THREADS, request_queue_size=128)
        self._server.gateway = _Gateway
        self._server.max_request_header_size = _LARGEST_HEADERS
        self._server.max_request_body_size = LARGEST_BODY
        self._server.expiration_interval = 0.05  # the most seconds that the shutdown waits
        self._server.prepare()
        self.port = int(self._server.bind_addr[1])
        """The port on which it listens."""
        self._thread = threading.Thread(target=self._server.serve, name="in-memory cloud", daemon=True)
        for name in names:
            self.add(name)

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://{HOST}:{self.port}"

    def add(self, name: str) -> InMemoryCloud:
        """Add a new cloud with this name, in place of an old one of the same name."""
        cloud = InMemoryCloud(profile=self._profile)
        for service in cloud.keystone.services:
            service.url = f"{self.url}/{name}/{PATHS[service.name]}"
        self.clouds[name] = cloud
        return cloud

    def clouds_yaml(self) -> str:
        """Write a ``clouds.yaml`` whose clouds are the users: "alice", and "NAME-alice" for clouds after the first."""
        found: dict[str, object] = {}
        for number, (name, cloud) in enumerate(self.clouds.items()):
            prefix = "" if number == 0 else f"{name}-"
            found |= {prefix + key: each for key, each in entries(cloud.auth, cloud.users, cloud.profile).items()}
        return written(found)

    def run(self) -> None:
        """Serve requests until the process is interrupted."""
        self._server.serve()

    def close(self) -> None:
        """Close the port, and do not wait for running requests."""
        self._server.stop()

    def __enter__(self) -> Self:
        """Start to serve requests."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and raise the clouds' own failures."""
        self.close()
        self._thread.join()
        if error is None:
            for cloud in self.clouds.values():
                cloud.check()

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            reply = self._answered(environ)
        except NoAnswer as none:
            # The one exception that closes the connection without a word (cheroot/server.py, communicate).
            raise errors.FatalSSLAlert from none
        except errors.MaxSizeExceeded:
            reply = json_reply(413, {"error": "The body of the request is too large."})  # cheroot ends the connection
        reason = http.HTTPStatus(reply.status).phrase if reply.status in set(http.HTTPStatus) else "Unknown"
        headers = {name.title(): value for name, value in reply.headers.items()}
        if reply.status != http.HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(reply.content))
        start_response(f"{reply.status} {reason}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.content]

    def _answered(self, environ: WSGIEnvironment) -> Reply:
        method = environ["REQUEST_METHOD"]
        url = self.url + _local(environ["REQUEST_URI"])
        headers = _headers(environ)
        source = _body(environ)
        media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        controlled = control.answer(self, method, url.removeprefix(self.url), media_type, source)
        if controlled is not None:
            return controlled
        for cloud in list(self.clouds.values()):
            if cloud.service_at(url) is not None:
                return cloud.answer(method, url, headers, source)
            if method in ("GET", "HEAD") and url in cloud.glance.downloads:
                return _file(cloud.glance.downloads[url])
        return json_reply(404, {"error": f"Nothing is here. The clouds are: {', '.join(self.clouds)}."})


def _file(planned: Download) -> Reply:
    """Answer as a file server does, so that clients in other processes find what the cloud's Glance finds."""
    if isinstance(planned, Exception):
        raise NoAnswer("reset")
    if isinstance(planned, int):
        return Reply(planned)
    return Reply(
        200, planned if isinstance(planned, bytes) else planned(), {"Content-Type": "application/octet-stream"}
    )


def _local(target: str) -> str:
    """Take the path out of a request's target, which is a whole URL in a request to a proxy."""
    if target.startswith("http://"):
        _, _, rest = target.removeprefix("http://").partition("/")
        return f"/{rest}"
    return target


def _headers(environ: WSGIEnvironment) -> Mapping[str, str]:
    found = {
        key.removeprefix("HTTP_").replace("_", "-"): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    plain = {key.replace("_", "-"): str(environ[key]) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)}
    return found | plain


def _body(environ: WSGIEnvironment) -> bytes | Iterator[bytes] | None:
    """Return a JSON body as bytes, which are recorded, and any other body unread."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    if not chunked and not length:
        return None
    if "json" not in environ.get("CONTENT_TYPE", ""):
        return _chunks(environ["wsgi.input"], LARGEST_BODY)
    if length > LARGEST_JSON:
        raise errors.MaxSizeExceeded
    return b"".join(_chunks(environ["wsgi.input"], LARGEST_JSON))


def _chunks(stream: Any, most: int) -> Iterator[bytes]:  # noqa: ANN401 - cheroot's readers have no types
    """Read a body; raise `MaxSizeExceeded` if it has more bytes than that."""
    while chunk := _read(stream):
        most -= len(chunk)
        if most < 0:
            raise errors.MaxSizeExceeded
        yield chunk


def _read(stream: Any) -> bytes:  # noqa: ANN401 - as above
    """Read some of a body, and a chunk to its end (cheroot/server.py, ChunkedRFile copies the rest at each reading)."""
    try:
        piece: bytes = stream.read(1 << 16)
    except OSError as error:
        if str(error) != "Request Entity Too Large":  # as ChunkedRFile says of a chunk
            raise
        raise errors.MaxSizeExceeded from error
    rest: bytes = getattr(stream, "buffer", b"")
    if rest:
        stream.buffer = b""
    return piece + rest
