"""The guard before every route: it refuses what no page of the console sends, unread, and marks every answer.

>>> fault("POST", "/api/login", {"host": "127.0.0.1:80", "content-length": "2"}, "")
'no-console-header'
>>> fault("GET", "/api/images", {"host": "rebound.example"}, "")
'wrong-host'

A page whose name was made to resolve to loopback sends its own name as ``Host``. Other pages send ``Origin`` or
``Sec-Fetch-Site``, and cannot send ``X-Console``, for which a browser would ask first.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser

from hyperx_glance.testing.console.answers import answer, language_from, refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger(__name__)
LARGEST_BODY: Final = 112 * 1024  # bytes, as in OpenStack's services (oslo_middleware/sizelimit.py)
UPLOADS: Final = re.compile(r"/api/uploads/[^/]+")
"""The paths whose body is a file: its route judges the length."""
HOSTS: Final = ("127.0.0.1", "localhost")
MARKS: Final = {
    "Cache-Control": "no-store",  # it may hold a password
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HOST: Final = re.compile(r"([^:@/]+)(?::[0-9]{1,5})?")


def fault(method: str, path: str, headers: Mapping[str, str], query: str) -> str:
    """Return the code of the reason for which a request is refused unread; "" if it is not."""
    host = headers.get("host", "").lower()
    named = _HOST.fullmatch(host)
    if named is None or named[1] not in HOSTS:
        return "wrong-host"
    origin, site = headers.get("origin", "").lower(), headers.get("sec-fetch-site", "").lower()
    if origin and origin not in (f"http://{host}", f"https://{host}"):
        return "foreign-page"
    changes = method not in ("GET", "HEAD")
    own_sites = ("", "same-origin") if changes else ("", "same-origin", "none")
    if site not in own_sites and (changes or path.startswith("/api/")):  # a page may be reached by a link
        return "foreign-page"
    return _fault_of_change(method, path, headers, query) if changes else ""


def _fault_of_change(method: str, path: str, headers: Mapping[str, str], query: str) -> str:
    if headers.get("x-console", "") != "1":
        return "no-console-header"
    if query:
        return "query-not-allowed"
    length = headers.get("content-length", "0" if method == "DELETE" else "")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
        return "length-required"
    is_upload = method == "PUT" and UPLOADS.fullmatch(path) is not None
    if not is_upload and (len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY):
        return "body-too-long"
    wanted = "application/octet-stream" if is_upload else "application/json"
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = method == "DELETE" and int(length) == 0
    return "" if media_type == wanted or empty else "wrong-content-type"


class Guard:
    """The outermost part of the application; it passes streams on as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._application = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and let no browser or proxy keep the answer, frame it, or run another site's script."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets
            return
        headers = Headers(scope=scope)
        begun = False

        async def marked(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(MARKS)
            await send(message)

        language = language_from(headers, cookie_parser(headers.get("cookie", "")))
        code = fault(scope["method"], scope["path"], headers, scope["query_string"].decode("latin-1"))
        if code:
            await answer(refused(code, language))(scope, receive, marked)
            return
        try:
            await self._application(scope, receive, marked)
        except Exception:
            LOG.exception("a request was not answered: %s %r", scope["method"], scope["path"])
            if begun:
                raise  # the browser sees that the answer is cut
            await answer(refused("mistake", language))(scope, receive, marked)
