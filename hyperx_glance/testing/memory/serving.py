"""In-memory clouds behind HTTP, by default on a port of loopback: for programs in other processes and languages.

    with Server() as server:
        keywords = server.clouds["cloud"].auth("alice")

Each cloud has a name, and the paths of its services begin with it: ``/cloud/identity``, ``/cloud/image``,
``/cloud/compute``, ``/cloud/network``, ``/cloud/volume``, ``/cloud/placement``. Below ``/cloud/control``, a test in any
language sets what a test in Python sets in the object. Below ``/cloud/files`` are the planned downloads whose URLs are
there.

With ``exposure``, programs on other machines reach the server, too: see `hyperx_glance.testing.exposure.Exposure`.
"""

from __future__ import annotations

import hmac
import http
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing.capabilities import NEWEST
from hyperx_glance.testing.exposure import Exposure
from hyperx_glance.testing.extras import needed
from hyperx_glance.testing.memory import control
from hyperx_glance.testing.memory.cloud import InMemoryCloud
from hyperx_glance.testing.memory.silences import NoAnswer
from hyperx_glance.testing.memory.wire import LARGEST_JSON, Reply, json_reply, seen_at
from hyperx_glance.testing.profiles import ProfileName, entries, written
from hyperx_glance.testing.web_server import LARGEST_BODY, PATHS, WebServer, chunks
from hyperx_glance.texts import Text

with needed("testing"):
    from cheroot import errors

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from hyperx_glance.testing.memory.glance.downloads import Download

KEPT_REQUESTS: Final = 1000
"""How many of the latest requests a served cloud keeps at least, so that it can run for days."""


class Server(WebServer):
    """A server of in-memory clouds over HTTP, in a ``with`` block, or with `run` until it is interrupted.

    ``port`` 0 means a free port. ``names`` are the names of the clouds at the start. All clouds have the ``profile``,
    the ``release`` and the ``seed``, or begin with the saved ``state``.
    ``exposure`` is the address, and what else is needed for clients on other machines. Raises `OSError` if the port
    cannot be bound, and `~hyperx_glance.InvalidRequestError` if a name cannot be in a path, or for what is
    no state.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        names: Sequence[str] = ("cloud",),
        profile: ProfileName = "default",
        release: str = NEWEST,
        seed: int | None = None,
        state: bytes | None = None,
        exposure: Exposure | None = None,
    ) -> None:
        for name in names:
            control.check_name(name)
        if state is not None:
            if profile != "default" or seed is not None:
                raise InvalidRequestError(Text("A state has a profile and a seed of its own: leave these out."))
            InMemoryCloud().restore(state)  # an unreadable one is refused before the port is taken
        self._profile: ProfileName = profile
        self._release = release
        self._seed = seed
        self._state = state
        self.clouds: dict[str, InMemoryCloud] = {}
        """The clouds by name; a reset replaces one with a fresh one."""
        super().__init__(self._application, port=port, exposure=exposure)
        self.control_token = secrets.token_urlsafe() if self.exposure.is_public else ""
        """What requests below ``/NAME/control`` must send as a bearer token; "" if they need none."""
        for name in names:
            self.add(name)

    def lets_control(self, authorization: str) -> bool:
        """Check whether a request with this header ``Authorization`` may use the control."""
        kind, _, token = authorization.partition(" ")
        known = hmac.compare_digest(token.strip().encode(), self.control_token.encode())
        return not self.control_token or (kind.lower() == "bearer" and known)

    def add(self, name: str, state: bytes | None = None) -> InMemoryCloud:
        """Add a new cloud with this name, in place of an old one of the same name; ``state`` is its content.

        Raise `~hyperx_glance.InvalidRequestError`, and change nothing, if this is no state.
        """
        cloud = InMemoryCloud(profile=self._profile, release=self._release, seed=self._seed)
        cloud.files_url = f"{self.told_url}/{name}/files/"
        for service in cloud.keystone.services:
            service.url = f"{self.told_url}/{name}/{PATHS[service.name]}"
        document = self._state if state is None else state
        if document is not None:
            cloud.restore(document)
        if name in self.clouds:
            self.clouds[name].end_delays()
        self.clouds[name] = cloud
        return cloud

    def clouds_yaml(self) -> str:
        """Write a ``clouds.yaml`` whose clouds are the users: "alice", and "NAME-alice" for clouds after the first."""
        found: dict[str, dict[str, object]] = {}
        for number, (name, cloud) in enumerate(self.clouds.items()):
            prefix = "" if number == 0 else f"{name}-"
            found |= {prefix + key: each for key, each in entries(cloud.auth, cloud.users, cloud.profile).items()}
        return written(self.exposure.cloud_entries(found))

    def close(self) -> None:
        """Close the port, and do not wait for running requests."""
        for cloud in self.clouds.values():
            cloud.end_delays()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and raise the clouds' own failures."""
        super().__exit__(kind, error, traceback)
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
        origin = self.exposure.origin(environ, self.port)
        with seen_at(self.told_url, origin):
            return self._answered_at(origin, environ)

    def _answered_at(self, origin: str, environ: WSGIEnvironment) -> Reply:
        method = environ["REQUEST_METHOD"]
        path = environ["REQUEST_URI"]
        if control.is_at(path) and not self.lets_control(environ.get("HTTP_AUTHORIZATION", "")):
            return control.refusal()
        url = origin + path
        headers = _headers(environ)
        source = _body(environ)
        media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        controlled = control.answer(self, method, path, media_type, source)
        if controlled is not None:
            return controlled
        for cloud in list(self.clouds.values()):
            if cloud.service_at(url) is not None:
                if len(cloud.requests) >= 2 * KEPT_REQUESTS:
                    del cloud.requests[:-KEPT_REQUESTS]
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
        return chunks(environ["wsgi.input"], LARGEST_BODY)
    largest = control.LARGEST_STATE if control.is_state(environ["PATH_INFO"]) else LARGEST_JSON
    if length > largest:
        raise errors.MaxSizeExceeded
    return b"".join(chunks(environ["wsgi.input"], largest))
