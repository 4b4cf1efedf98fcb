"""Downloads of imports in the in-memory Glance: the filter for URLs, the download, the inspection of the data.

>>> Filter(allowed_ports=[80, 443]).passes("http://127.0.0.1:8080/disk.qcow2")
False
>>> inspect("raw", b"anything").virtual_size
8
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import ipaddress
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.client import HTTPException, HTTPMessage
from typing import IO, Annotated, Literal, Self
from urllib.parse import urlsplit

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.sources.inspectors import inspecting_quietly
from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.shapes import EntryOf
from hyperx_glance.testing.memory.wire import Record
from hyperx_glance.texts import Text

Download = bytes | int | Exception | Callable[[], bytes]
"""The content of a URL: the data, an HTTP status, an error, or a function that returns the data."""

DOWNLOAD_TIMEOUT_SECONDS = 30.0
NOTICE_SECONDS = 0.05
"""How long a look at an image waits for a download that is on its way: a loopback server is quicker."""


_Several = Mapping[str, Download] | Iterable[tuple[str, Download]]


class Downloads(dict[str, Download]):
    """The contents of URLs; a URL or a content that no server could have is refused."""

    def __setitem__(self, url: str, content: Download) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidRequestError(Text(f"The URL must begin with http:// or https://, not {url!r}."))
        if not (isinstance(content, bytes | int | Exception) or callable(content)):
            expected = "bytes, an HTTP status, an exception, or a function that returns bytes"
            raise InvalidRequestError(Text(f"The content of {url} must be {expected}, not {type(content).__name__}."))
        super().__setitem__(url, content)

    def update(self, others: _Several = (), /, **more: Download) -> None:  # type: ignore[override]  # no overloads
        """Set several, each as if alone."""
        for url, content in dict(others, **more).items():
            self[url] = content

    def __ior__(self, others: _Several) -> Self:  # type: ignore[override,misc]  # as update takes them
        self.update(others)
        return self


class ContentError(Exception):
    """Data that is unsafe, or not of the format that the image declares."""


def is_loopback(host: str) -> bool:
    """Check whether a host is this machine, without a name server."""
    return ipaddress.ip_address(host).is_loopback if _is_address(host) else host.rstrip(".").lower() == "localhost"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclasses.dataclass
class Filter:
    """A filter for the URLs that Glance downloads from (glance/common/utils.py, get_validated_address)."""

    allowed_schemes: Sequence[str] = ("http", "https")
    allowed_hosts: Sequence[str] = ()
    disallowed_hosts: Sequence[str] = ()
    allowed_ports: Sequence[int] = ()
    disallowed_ports: Sequence[int] = ()
    of_redirects: bool = True
    """Whether it also applies to the targets of redirects."""
    loopback: bool = True
    """Whether loopback addresses pass: Glance refuses them unless ``allowed_hosts`` names them."""

    def passes(self, url: str, *, resolve: bool = True) -> bool:
        """Check whether a URL may be read; the port counts only if the URL names one."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        if parts.scheme not in self.allowed_schemes or not host:
            return False
        if self.allowed_hosts:
            if host not in self.allowed_hosts:
                return False
        elif host in self.disallowed_hosts:
            return False
        if port is not None and (
            port not in self.allowed_ports if self.allowed_ports else port in self.disallowed_ports
        ):
            return False
        return not resolve or host in self.allowed_hosts or self._resolves(host, port or 80)

    def _resolves(self, host: str, port: int) -> bool:
        """Check whether a name has an address that may be connected to (resolve_pinned_address)."""
        if host.endswith(".cloud.test"):
            return True  # this cloud's own services, which Glance finds
        if not is_loopback(host):
            return _is_address(host) and not ipaddress.ip_address(host).is_link_local
        try:
            found = [ipaddress.ip_address(entry[4][0]) for entry in socket.getaddrinfo(host, port)]
        except OSError:
            return False
        denied = [address.is_link_local or (address.is_loopback and not self.loopback) for address in found]
        return not all(denied)


@dataclasses.dataclass
class Job:
    """One import while it runs; ``reads`` counts the reads of it, ``stage`` is the state that they have found."""

    task: Annotated[Record, EntryOf("glance.tasks")]
    image: Annotated[ImageRecord, EntryOf("glance.images")]
    url: str
    stores: list[str]
    all_must_succeed: bool
    is_copy: bool = False
    reads: int = 0
    seen_elsewhere: bool = False
    """True once tasks or a list were read, and the image has not been read since."""
    stage: Literal["locked", "importing", "settled"] = "locked"
    outcome: Download | None = None
    thread: threading.Thread | None = None

    @property
    def pending(self) -> bool:
        """Whether no thread has taken the import up yet."""
        return bool(self.task["status"] == "pending")

    def start(self, planned: Download | None, check: Filter, ca_file: str | None, *, lengthless: bool) -> None:
        """Begin, with the data that a test planned, or else with a real download in a separate thread.

        ``lengthless`` says whether a server may omit the length.
        """
        self.task["status"] = "processing"
        if planned is not None or self.is_copy:
            self.outcome = planned
            return

        def read() -> None:
            try:
                self.outcome = download(self.url, check, ca_file, lengthless=lengthless)
            except (OSError, ValueError, HTTPException) as error:
                self.outcome = error

        self.thread = threading.Thread(target=read, name=f"download {self.url}", daemon=True)
        self.thread.start()

    def arrived(self) -> bool:
        """Check whether the download is over."""
        if self.thread is not None:
            self.thread.join(NOTICE_SECONDS)
            return not self.thread.is_alive()
        return True

    def data(self) -> bytes:
        """Return the downloaded data; raise the error if the download failed."""
        match self.outcome:
            case bytes():
                return self.outcome
            case int():
                raise OSError(f"HTTP status {self.outcome}")
            case Exception():
                raise OSError(str(self.outcome)) from self.outcome
            case None:
                raise OSError("nothing was downloaded")
            case _:
                return self.outcome()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A handler that follows only allowed redirects (glance/common/scripts/utils.py, SafeRedirectHandler)."""

    def __init__(self, check: Filter) -> None:
        self.check = check

    def redirect_request(  # noqa: PLR0917 - as urllib calls it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        passes = self.check.passes(newurl) or not self.check.of_redirects
        if not passes or not is_loopback(urlsplit(newurl).hostname or ""):
            fp.close()
            raise urllib.error.URLError(f"redirect to {newurl} is not allowed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, check: Filter, ca_file: str | None, *, lengthless: bool) -> bytes:
    """Read a URL as Glance does: without proxies, whole, with exactly the announced length; only from loopback."""
    if not is_loopback(urlsplit(url).hostname or ""):
        raise OSError(f"nothing but loopback is reached from memory, not {url}")
    tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls, _Redirects(check))
    try:
        with contextlib.closing(opener.open(url, timeout=DOWNLOAD_TIMEOUT_SECONDS)) as answer:
            data = bytes(answer.read())
            announced = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        error.close()
        raise
    if announced is None and not lengthless:
        raise OSError("no length was announced")
    if announced is not None and int(announced) != len(data):
        raise OSError(f"{len(data)} bytes came, {announced} were announced")
    return data


@dataclasses.dataclass(frozen=True)
class Inspection:
    """The format of data."""

    format: str
    virtual_size: int | None


@inspecting_quietly()
def inspect(declared: str, data: bytes, *, hybrids: bool = True) -> Inspection:
    """Check data against the declared format (glance/location.py, ImageProxy.set_data).

    Raise `ContentError` if Glance refuses it; ``hybrids`` says whether it takes ISOs with a partition table.
    """
    from oslo_utils.imageutils import format_inspector  # noqa: PLC0415 - half of what a cloud would import

    wrapper = format_inspector.InspectWrapper(io.BytesIO(data))
    while wrapper.read(1 << 16):
        pass
    wrapper.close()
    try:
        matches = {str(match): match for match in wrapper.formats or ()}
        inspector = matches["iso"] if hybrids and matches.keys() == {"iso", "gpt"} else wrapper.format
        assert inspector is not None  # the stream is at its end
        found = str(inspector)
        if found == declared:
            size = int(inspector.virtual_size)
        elif found == "raw" and declared not in format_inspector.ALL_FORMATS:
            size = 0
        elif declared == "raw":
            size = int(inspector.actual_size)
        else:
            raise ContentError(f"Image disk_format {declared} does not match stream data {found}")
        inspector.safety_check()
    except format_inspector.ImageFormatError as error:
        raise ContentError(str(error)) from error
    except format_inspector.SafetyCheckFailed as error:
        if str(inspector) != "gpt":
            raise ContentError("Image failed safety checks") from error
    return Inspection(found, size or None)
