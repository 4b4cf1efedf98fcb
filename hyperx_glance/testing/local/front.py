"""One port for all services of a local cloud, which clients reach by any URL: a reverse proxy.

    with Front(cloud) as front:
        Path("clouds.yaml").write_text(front.clouds_yaml())

The paths are ``/identity``, ``/image``, ``/compute``, ``/network``, ``/volume`` and ``/placement``. The services answer
as on loopback. Their own URLs in the answers, in the catalogue, in links and in headers such as ``Location``, are
replaced by those at which the client reaches them. Data is not changed.

>>> place = "http://127.0.0.1:25000"
>>> Places({place: "identity"}).shown(b'{"href": "http://127.0.0.1:25000/v3"}', "https://cloud:8443")
b'{"href": "https://cloud:8443/identity/v3"}'
"""

import contextlib
import http.client
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import yaml

from hyperx_glance.testing.exposure import Exposure
from hyperx_glance.testing.extras import needed
from hyperx_glance.testing.local.layout import SERVICES
from hyperx_glance.testing.local.local_cloud import LocalCloud
from hyperx_glance.testing.profiles import written
from hyperx_glance.testing.web_server import LARGEST_BODY, PATHS, WebServer, chunks

with needed("localcloud"):
    from cheroot import errors

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_SERVICES: Final = {path: service for service, path in PATHS.items()}
_PIECE: Final = 1 << 16
# Those of one connection (RFC 9110, section 7.6.1), and what this proxy says itself or has checked already.
_NOT_SENT_ON: Final = re.compile(
    "connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade"
    "|host|content-length|expect|accept-encoding|origin|sec-fetch-.*|forwarded|x-forwarded-.*|x-real-ip"
)
_NOT_SENT_BACK: Final = ("connection", "keep-alive", "transfer-encoding", "server", "date", "content-length")


class Places:
    """The URLs of the services and their paths at the front."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = {url.encode(): path.encode() for url, path in paths.items()}
        self._urls = re.compile(b"(?:" + b"|".join(map(re.escape, self._paths)) + b")(?![0-9])")

    def shown(self, text: bytes, origin: str) -> bytes:
        """Return a text with the URLs at which a client of this origin reaches the services."""
        return self._urls.sub(lambda match: b"%s/%s" % (origin.encode(), self._paths[match[0]]), text)


class Front(WebServer):
    """A reverse proxy for a local cloud, in a ``with`` block, or with `run` until it is interrupted.

    The port is bound at once, also before the cloud runs; ``port`` 0 means a free port. ``exposure`` is the address,
    and what else is needed for clients on other machines. Raises `OSError` if the port cannot be bound.
    """

    def __init__(self, cloud: LocalCloud, *, port: int = 0, exposure: Exposure | None = None) -> None:
        self._cloud = cloud
        super().__init__(self._application, port=port, exposure=exposure)

    def clouds_yaml(self) -> str:
        """Return the cloud's ``clouds.yaml``, whose clients reach it through the front."""
        text = self._places().shown(self._cloud.clouds_yaml().encode(), self.told_url)
        return written(self.exposure.cloud_entries(yaml.safe_load(text)["clouds"]))

    def _places(self) -> Places:
        return Places({self._cloud.url(service): PATHS[service] for service in SERVICES})

    def _application(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        target = environ["REQUEST_URI"].removeprefix("/")
        path = re.split("[/?]", target, maxsplit=1)[0]
        rest = target.removeprefix(path)
        if path not in _SERVICES:
            known = ", ".join(f"/{each}" for each in _SERVICES)
            return _told(environ, start_response, "404 Not Found", f"Nothing is here. The services are: {known}.")
        service = _SERVICES[path]
        connection = http.client.HTTPConnection(urlsplit(self._cloud.url(service)).netloc)
        try:
            response = _asked(connection, environ, rest if rest.startswith("/") else f"/{rest}")
        except errors.MaxSizeExceeded:
            connection.close()
            return _told(environ, start_response, "413 Content Too Large", "The body of the request is too large.")
        except OSError as error:
            connection.close()
            return _told(environ, start_response, "502 Bad Gateway", f"{service} does not answer: {error}.")
        except BaseException:
            connection.close()
            raise
        return self._passed_on(connection, response, environ, start_response)

    def _passed_on(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        origin, places = self.exposure.origin(environ, self.port), self._places()
        headers = [
            (name, places.shown(value.encode("latin-1"), origin).decode("latin-1"))
            for name, value in response.getheaders()
            if name.lower() not in _NOT_SENT_BACK
        ]
        length = response.getheader("Content-Length")
        media_type = response.getheader("Content-Type", "")
        body: Iterable[bytes]
        if "json" in media_type or "html" in media_type:
            with contextlib.closing(connection):
                text = places.shown(response.read(), origin)
            is_whole = environ["REQUEST_METHOD"] != "HEAD"
            length, body = (str(len(text)), [text]) if is_whole else (None, [])
        else:
            body = _pieces(connection, response)
        if length is not None and response.status != http.HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", length))
        start_response(f"{response.status} {response.reason}", headers)
        return body


def _told(environ: "WSGIEnvironment", start_response: "StartResponse", status: str, sentence: str) -> Iterable[bytes]:
    content = json.dumps({"error": sentence}).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def _asked(connection: http.client.HTTPConnection, environ: "WSGIEnvironment", target: str) -> http.client.HTTPResponse:
    """Send a request on, and return the head of the answer."""
    connection.putrequest(environ["REQUEST_METHOD"], target, skip_accept_encoding=True)
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-").lower()
        if (key == "CONTENT_TYPE" and value) or (key.startswith("HTTP_") and not _NOT_SENT_ON.fullmatch(name)):
            connection.putheader(name, value)
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    body: Iterator[bytes] | None = None
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
        body = chunks(environ["wsgi.input"], LARGEST_BODY)
    elif environ.get("CONTENT_LENGTH"):
        connection.putheader("Content-Length", environ["CONTENT_LENGTH"])
        body = chunks(environ["wsgi.input"], LARGEST_BODY)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a service may refuse a body that it has not read
        connection.endheaders(body, encode_chunked=chunked)
    return connection.getresponse()


def _pieces(connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> Iterator[bytes]:
    with contextlib.closing(connection):
        while piece := response.read(_PIECE):
            yield piece
