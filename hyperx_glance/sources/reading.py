"""Opening and reading a URL that is not trusted: each address is checked, each redirect, and the time.

    >>> from hyperx_glance import UrlPolicy
    >>> from hyperx_glance.sources.reading import open_url
    >>> open_url("http://2130706433/disk.qcow2", UrlPolicy())
    Traceback (most recent call last):
    hyperx_glance.errors.UrlRejectedError: Address 127.0.0.1 (2130706433) is in 127.0.0.0/8, which is denied. ...

Every failure is a `UrlRejectedError` with a `UrlProblem`. Proxy settings of the environment are ignored.
"""

import base64
import contextlib
import functools
import http.client
import io
import re
import socket
import ssl
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, unquote, urljoin, urlsplit

import urllib3.exceptions
from urllib3.connection import HTTPConnection
from urllib3.response import BaseHTTPResponse

from hyperx_glance.errors import InvalidRequestError, UrlRejectedError
from hyperx_glance.models.url_text import stored_url
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources.addresses import Destination, destination, rejected
from hyperx_glance.sources.contents import HEAD_BYTES
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import UrlProblem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES = 1024 * 1024
_LONGEST_DISPOSITION = 4096
_LONGEST_TEXT = 255
_REDIRECTS = (301, 302, 303, 307, 308)


class _Timed(io.RawIOBase):
    """Socket with a deadline: for one header or chunk, http.client reads as often as a slow server sends a byte."""

    def __init__(self, raw: io.RawIOBase, opened: socket.socket, deadline: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._raw = raw
        self._socket = opened
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self.deadline - self._clock()
        if left <= 0:
            raise TimeoutError
        if self._socket.fileno() >= 0:  # otherwise all is read, and the response has closed it
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def interrupt(self) -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not that of TLS, which sends to the server

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Connection(HTTPConnection):
    """Connection with a deadline. Its target is hidden from urllib3, which logs it with invalid headers."""

    target = "/"
    deadline = 0.0
    clock: Callable[[], float]
    timed: _Timed | None = None
    answer: http.client.HTTPResponse | None = None

    def response_class(self, sock: socket.socket, *rest: Any, **options: Any) -> http.client.HTTPResponse:  # type: ignore[override]  # noqa: ANN401  # called as http.client calls its class
        self.answer = response = http.client.HTTPResponse(sock, *rest, **options)
        self.timed = _Timed(response.fp.detach(), sock, self.deadline, self.clock)
        response.fp = io.BufferedReader(self.timed)
        return response

    def end(self) -> None:
        """Close the socket, even if it belongs to a response that was never returned."""
        if self.answer is not None:
            self.answer.close()  # otherwise Python 3.13 warns when it collects a response whose socket is closed
        self.close()

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:  # noqa: FBT001, FBT002  # as urllib3 has it
        del url
        super().putrequest(method, self.target, skip_host, skip_accept_encoding)


@dataclass(frozen=True, slots=True)
class _Answer:
    connection: _Connection
    response: BaseHTTPResponse
    address: str


def open_url(
    url: str,
    policy: UrlPolicy,
    *,
    seconds: float | None = None,
    any_status: bool = False,
    network: Network = SYSTEM,
) -> "Source":
    """Send a GET, follow redirects with a check of each, and return the response with status 200.

    All requests until the header of the last response take at most ``seconds``, by default the policy's timeout.
    ``any_status`` returns a response of another status, too.
    """
    deadline = network.clock() + (seconds or policy.timeout_seconds)
    seen: list[str] = []
    here, credentials = url, None
    while True:
        place = destination(here, policy, seconds=_left(here, deadline, network), network=network)
        if credentials is None:
            credentials = (place.origin, place.credentials)
        allowed = credentials[1] if credentials[0] == place.origin else ""
        answer = _ask(place, policy, deadline, network, credentials=allowed)
        response = answer.response
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or not location:
            break
        answer.connection.end()
        seen.append(here)
        here = _behind(here, location)
        if here in seen or len(seen) > policy.max_redirects:
            raise rejected(UrlProblem.REDIRECT_LOOP, say("too-many-redirects", count=len(seen)), url)
    source = Source(
        url=url,
        place=place,
        answer=answer,
        policy=policy,
        deadline=deadline,
        network=network,
        redirects=tuple(seen),
    )
    if response.status != 200 and not any_status:
        source.close()
        reason = http.client.responses.get(response.status, "")  # not the server's own text, which may contain anything
        message = say("server-answers", answer=f"{response.status} {reason}".rstrip())
        raise rejected(UrlProblem.HTTP_STATUS, message, url, status=response.status)
    return source


def _behind(url: str, location: str) -> str:
    """Follow a redirect as browsers do: they accept spaces and raw UTF-8, which http.client reads as Latin-1."""
    with contextlib.suppress(ValueError):
        return urljoin(url, quote(location, safe=string.punctuation, encoding="latin-1"))
    # Outside, so that the error has no context, which may quote a password.
    raise rejected(UrlProblem.BAD_URL, say("redirects-to-a-bad-url"), url)


def _left(url: str, deadline: float, network: Network) -> float:
    left = deadline - network.clock()
    if left <= 0:
        raise rejected(UrlProblem.TIMEOUT, say("server-too-slow"), url)
    return left


def _ask(place: Destination, policy: UrlPolicy, deadline: float, network: Network, *, credentials: str) -> _Answer:
    """Send the request to the first address that accepts a connection."""
    problem: UrlRejectedError | None = None
    for address in place.addresses:
        try:
            return _ask_address(place, address, policy, deadline, network, credentials=credentials)
        except UrlRejectedError as error:
            if error.reason not in (UrlProblem.REFUSED, UrlProblem.TIMEOUT):
                raise
            problem = problem or error
    assert problem is not None  # a name without addresses does not resolve
    raise problem


def _ask_address(
    place: Destination, address: str, policy: UrlPolicy, deadline: float, network: Network, *, credentials: str
) -> _Answer:
    # A single connection instead of a pool: pools write every URL, including secrets, to urllib3's debug log.
    seconds = min(_left(place.url, deadline, network), policy.timeout_seconds)
    connection = _Connection(address, place.port, timeout=seconds)
    connection.target = place.target
    headers = {
        "Host": place.host_header,
        "User-Agent": "hyperx-glance",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if credentials:
        headers["Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
    context = tls_context(policy) if place.scheme == "https" else None
    with _translated(place.url, place.host, place.port), _closing_on_failure(connection):
        with _translated_connection(place):
            connection.sock = network.connect(address, place.port, seconds)
        if context is not None:
            connection.sock.settimeout(_left(place.url, deadline, network))  # for the whole handshake
            connection.sock = network.secure(connection.sock, context, place.host)
        connection.clock = network.clock
        connection.deadline = deadline
        connection.request("GET", "/", headers=headers, preload_content=False, decode_content=False)
        return _Answer(connection, connection.getresponse(), address)


def tls_context(policy: UrlPolicy) -> ssl.SSLContext:
    """Return a context that trusts the policy's authorities; raise `InvalidRequestError` if they cannot be read."""
    try:
        return ssl.create_default_context(cafile=policy.ca_file)
    except OSError as error:
        message = say("ca-file-unusable", file=policy.ca_file)
        raise InvalidRequestError(message, explanation=str(error.strerror or "")) from error


@contextlib.contextmanager
def _closing_on_failure(connection: _Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.end()
        raise


@contextlib.contextmanager
def _translated_connection(place: Destination) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        message = say("connection-refused", host=place.host, port=place.port)
        raise rejected(UrlProblem.REFUSED, message, place.url) from error


@contextlib.contextmanager
def _translated(url: str, host: str, port: int, *, within_body: bool = False) -> Iterator[None]:
    """Translate the exceptions of sockets, TLS and HTTP."""
    try:
        yield
    except (urllib3.exceptions.TimeoutError, TimeoutError) as error:
        raise rejected(UrlProblem.TIMEOUT, say("server-silent", host=host, port=port), url) from error
    except (urllib3.exceptions.SSLError, ssl.SSLError, ssl.CertificateError) as error:
        message, why = say("tls-failed", host=host, port=port), _first_sentence(error)
        raise rejected(UrlProblem.TLS, message, url, explanation=why) from error
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        if within_body:
            raise rejected(UrlProblem.TRUNCATED, say("file-cut-short", host=host, port=port), url) from error
        message = say("no-http-response", host=host, port=port)
        raise rejected(UrlProblem.REFUSED, message, url) from error


def _printable(text: str) -> str:
    """Replace control characters, and unpaired surrogates, which a report must not contain."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:_LONGEST_TEXT]


def _first_sentence(error: BaseException) -> str:
    text = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
    return str(text).rstrip(".")


class Source:
    """Opened URL: its header, its first bytes, and then all of them, once."""

    file = None
    packed = ""
    packed_size = None

    def __init__(
        self,
        *,
        url: str,
        place: Destination,
        answer: _Answer,
        policy: UrlPolicy,
        deadline: float,
        network: Network,
        redirects: tuple[str, ...],
    ) -> None:
        self.url = url
        self.redirects = redirects
        self.address = answer.address
        self.port = place.port
        self.status = answer.response.status
        self.final_url = stored_url(place.url).url
        self._connection = answer.connection
        self._response = answer.response
        self._host = place.host
        self._timeout = policy.timeout_seconds
        self.deadline: float | None = deadline
        self._network = network
        self._head = b""
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def interrupt(self) -> None:
        """Wake a thread that waits for the server; if its socket were closed instead, it would wait on."""
        assert self._connection.timed is not None  # it has answered
        self._connection.timed.interrupt()

    def close(self) -> None:
        """Close the connection, even if there is more to read."""
        self._response.close()
        self._connection.end()

    @property
    def size(self) -> int | None:
        """The announced number of bytes; None if there is none, or if HTTP says to ignore it."""
        if "Transfer-Encoding" in self._response.headers:
            return None
        length = self._response.headers.get("Content-Length", "")
        return int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return _printable(self._response.headers.get("Content-Type", "").partition(";")[0].strip().lower())

    @property
    def attachment(self) -> bool:
        """Whether the server asks browsers to save the file."""
        return self._response.headers.get("Content-Disposition", "").strip().lower().startswith("attachment")

    @functools.cached_property
    def file_name(self) -> str:
        """The name under which a browser would save the file."""
        message = Message()
        # Cut, because the time for parsing grows with the square of the length.
        message["Content-Disposition"] = self._response.headers.get("Content-Disposition", "")[:_LONGEST_DISPOSITION]
        try:
            name = message.get_filename()
        except (ValueError, LookupError, TypeError):  # an unknown encoding, or invalid numbers
            name = None
        name = name or unquote(urlsplit(self.final_url).path)
        return _printable(name.replace("\\", "/").rsplit("/", 1)[-1])

    def head(self) -> bytes:
        """Return the first bytes, fewer than `HEAD_BYTES` only if there are no more."""
        while len(self._head) < HEAD_BYTES and not self._ended:
            self._head += self._read(HEAD_BYTES - len(self._head))
        return self._head

    @property
    def whole(self) -> bool:
        """Whether `head` is the whole file."""
        return self._ended

    def pieces(self, *, deadline: float | None = None) -> Iterator[bytes]:
        """Iterate over all bytes until ``deadline`` of the network's clock; each wait has the policy's timeout."""
        self.deadline = deadline
        if self._head:
            yield self._head
        while not self._ended:
            piece = self._read(PIECE_BYTES)
            if piece:
                yield piece

    def _read(self, size: int) -> bytes:
        left = self._timeout
        if self.deadline is not None:
            left = min(left, _left(self.url, self.deadline, self._network))
        assert self._connection.timed is not None  # it has answered
        self._connection.timed.deadline = self._network.clock() + left
        with _translated(self.url, self._host, self.port, within_body=True):
            piece = self._response.read1(size) or b""
        self._ended = not piece
        return piece
