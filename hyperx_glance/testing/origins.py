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
