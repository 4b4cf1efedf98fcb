"""Keep web pages away from the servers of the test clouds: any page in a browser can send requests to loopback.

>>> refusal({"HTTP_HOST": "127.0.0.1:8080"})
''
>>> refusal({"HTTP_HOST": "rebound.example:8080"})
'This test cloud answers requests to 127.0.0.1, [::1] and localhost, not to rebound.example.'
>>> refusal({"HTTP_HOST": "127.0.0.1:8080", "HTTP_ORIGIN": "https://page.example"})
'This test cloud does not answer requests from web pages of other origins.'

A page whose name was made to resolve to loopback (DNS rebinding) sends its own name as ``Host``. Every other page sends
``Origin``, or ``Sec-Fetch-Site``, which no script can change (https://fetch.spec.whatwg.org/#forbidden-request-header).
Programs send neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
"""The hosts under which a server on loopback is known, as they stand in a URL."""
_NAME: Final = r"\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?"
_ORIGIN: Final = re.compile(rf"https?://(?:{_NAME})(?::(?P<port>[0-9]{{1,5}}))?/?", re.ASCII | re.IGNORECASE)
_HOST: Final = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]*)(?::[0-9]*)?")
_OWN_SITES: Final = ("", "none", "same-origin")
_LONGEST_HOST: Final = 253


def refusal(environ: Mapping[str, object], hosts: Collection[str] = LOOPBACK) -> str:
    """Return why a server that is known under these hosts does not answer a request; "" if it does."""
    place = str(environ.get("HTTP_HOST", "")).lower()
    match = _HOST.fullmatch(place)
    if match is None or match["host"] not in hosts:
        *others, last = sorted(hosts)
        known = f"{', '.join(others)} and {last}" if others else last
        asked = (match["host"] if match else place)[:_LONGEST_HOST] or "no host"
        return f"This test cloud answers requests to {known}, not to {asked}."
    origin = str(environ.get("HTTP_ORIGIN", "")).lower()
    site = str(environ.get("HTTP_SEC_FETCH_SITE", "")).lower()
    if site not in _OWN_SITES or (origin and origin not in (f"http://{place}", f"https://{place}")):
        return "This test cloud does not answer requests from web pages of other origins."
    return ""


def guarded(application: WSGIApplication, hosts: Collection[str] = LOOPBACK) -> WSGIApplication:
    """Respond with 403 to requests that `refusal` refuses, and pass the others to the application."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        reason = refusal(environ, hosts)
        if not reason:
            return application(environ, start_response)
        content = json.dumps({"error": reason}).encode()
        start_response("403 Forbidden", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    return answer


def is_host(text: str) -> bool:
    """Check whether a text is a name or an address as it stands in a URL, without a port.

    >>> is_host("cloud"), is_host("[::1]"), is_host("cloud:80"), is_host("*"), is_host("")
    (True, True, False, False, False)
    """
    return re.fullmatch(_NAME, text, re.ASCII | re.IGNORECASE) is not None


def is_origin(url: str) -> bool:
    """Check whether a URL is a scheme, a host and perhaps a port.

    >>> is_origin("https://cloud.example"), is_origin("http://cloud:5000/"), is_origin("http://cloud/path")
    (True, True, False)
    """
    match = _ORIGIN.fullmatch(url)
    return match is not None and 0 < int(match["port"] or "80") < 1 << 16


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, as it stands there."""
    match = _HOST.fullmatch(urlsplit(url).netloc.lower())
    return match["host"] if match else ""


def leads_to(url: str, hosts: Collection[str] = LOOPBACK) -> bool:
    """Check whether a URL leads to one of these hosts, and carries no credentials."""
    if not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        match = _HOST.fullmatch(parts.netloc.lower())
        parts.port  # noqa: B018 - raises ValueError if there is no such port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and match is not None and match["host"] in hosts
