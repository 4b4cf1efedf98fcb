"""Translation of refusals, of missing responses and of unexpected pages into the errors of this library.

    >>> try:
    ...     cloud.get("image", "/images/7c1e4b20")
    ... except hyperx_glance.HyperxGlanceError as error:
    ...     print(type(error).__name__, error.status, error.hint)
    NotFoundError 404 Pass an Image or its id; client.image(name) finds an image by its name.

`cloud` sends the requests.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.session import Session

from hyperx_glance import vocabulary
from hyperx_glance.cloud.answers import LONGEST_BODY, cleaned, explanation, not_understood
from hyperx_glance.cloud.redirects import RedirectedError
from hyperx_glance.errors import (
    Answer,
    AuthenticationError,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ProtectedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.models.image import is_uuid
from hyperx_glance.texts import NO_TEXT, Text, say, word

FAILURES = (
    keystone_exceptions.ClientException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
)
"""The errors of keystoneauth, requests and urllib3 if there is no response."""
_WRONG_SHAPES = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Python's errors for unexpected data, which keystoneauth does not check."""
_NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    requests.exceptions.ConnectTimeout,
)

_REFUSALS = (
    keystone_exceptions.Unauthorized,
    keystone_exceptions.Forbidden,
    keystone_exceptions.AuthorizationFailure,
)
_LONGEST_TARGET = 200
NO_NETWORK_SERVICE = "compute-without-network-service"
"""The code of the error if Nova does not reach Neutron, which it asks for servers' security groups, too."""
_WITHOUT_NETWORK = re.compile(
    r"neutronclient\.|keystoneauth1\.exceptions\.(connection\.ConnectFailure|catalog\.EndpointNotFound)"
)
"""Exceptions of Nova's client of Neutron, which Nova names ("Unexpected API Error" of nova/api/openstack/wsgi.py).

Nova's other clients wrap theirs (nova/volume/cinder.py).
"""
_TOO_MANY = re.compile(
    r"number of allowed image (properties|tags)\. Attempted: (\d{1,9}), Maximum: (-?\d{1,9})"
)  # glance/common/exception.py; more than one image may have, however much room the department has
_CREATING = "os_compute_api:servers:create"
TOO_LARGE = "body-too-large"
"""The code of a request that a server in front of the service does not take."""


@contextlib.contextmanager
def translated(service: str, session: Session) -> Iterator[None]:
    """Translate the errors of one request of a verb; `logging_in` does so for the login before it.

    keystoneauth does not check headers, and keeps a token that it cannot read. So the next request logs in again.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise _unpaired() from error
    except FAILURES as error:
        raise translate_failure(service, error) from error
    except HyperxGlanceError:
        raise
    except _WRONG_SHAPES as error:
        if session.auth:
            session.invalidate()
        raise not_understood(service, "sent-something-unreadable", problem=type(error).__name__) from error


@contextlib.contextmanager
def logging_in(session: Session | None) -> Iterator[None]:
    """Translate the errors of a login, and of reading its token and catalogue; ``session`` is None if it is made here.

    The request that required the login has not been sent. So each error is an `AuthenticationError`, or a
    `ServiceUnavailableError` that is not ``connected``. None repeats Keystone's text, which may quote the password
    (keystone/common/validation/validators.py), and none has a cause that does.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise _unpaired() from error
    except FAILURES as error:
        raise _failed_login(_redirect_behind(error) or error) from (
            error if isinstance(error, keystone_exceptions.ConnectionError) else None
        )
    except HyperxGlanceError:
        raise
    except _WRONG_SHAPES as error:
        if session and session.auth:
            session.invalidate()
        problem = type(error).__name__
        raise not_understood("identity", "sent-something-unreadable", connected=False, problem=problem) from None
    except Exception as error:
        if type(error) is not Exception:
            raise
        # keystoneauth1/identity/generic/password.py, create_plugin: there is no password
        raise AuthenticationError(say("credentials-incomplete"), hint=say("check-the-credentials")) from error


def _unpaired() -> InvalidRequestError:
    return InvalidRequestError(say("strings-with-surrogates"))


def asked_pause(response: requests.Response, usual: float) -> float:
    """Return the seconds of ``Retry-After``, or the usual pause; no service sends a date there."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if re.fullmatch(r"[0-9]+", asked) else usual


def _beginning(response: requests.Response, *, stream: bool) -> bytes:
    """Read the beginning of an error's body; return b"" if the connection breaks, since the status is known."""
    if not stream or response.raw.tell():
        return response.content
    try:
        beginning: bytes = response.raw.read(LONGEST_BODY, decode_content=True)
    except urllib3.exceptions.HTTPError:
        return b""
    finally:
        response.close()
    return beginning


def is_an_answer(response: requests.Response, *, stream: bool) -> bool:
    """Check whether a successful response is a service's, and not the page of a proxy or a portal.

    Glance and Nova send empty responses as text/html too (webob's default), and their lists of versions with 300.
    """
    page = response.headers.get("content-type", "").startswith("text/html") and (stream or bool(response.content))
    return response.status_code <= 300 and not page


def _never_connected(error: BaseException) -> bool:
    """Check whether the service has certainly not received the request.

    keystoneauth raises the same ConnectFailure if no connection was made and if it was cut later. urllib3's own
    exception is further down the chain.
    """
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, _NEVER_CONNECTED):
            return True
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
    return False


def _redirect_behind(error: BaseException | None) -> RedirectedError | None:
    """Return the redirect that caused an error, which a plugin may have wrapped in an error of discovery."""
    while error is not None and not isinstance(error, RedirectedError):
        error = error.__context__
    return error


def _failed_login(error: BaseException) -> HyperxGlanceError:
    """Return the error for a failed login, in this library's words alone."""
    status = getattr(error, "http_status", None) or None
    answer = Answer(service="identity", status=status, request_id=getattr(error, "request_id", None))
    message, hint = say("login-failed"), say("try-later-and-see-the-log")
    match error:
        case _ if isinstance(error, _REFUSALS):
            return AuthenticationError(say("credentials-refused"), hint=say("check-the-credentials"), **answer)
        case keystone_exceptions.MissingAuthMethods():
            hint = say("use-all-authentication-methods")
            return AuthenticationError(say("more-authentication-methods"), hint=hint, **answer)
        case keystone_exceptions.AuthPluginException():
            explanation = cleaned(str(error))
            return AuthenticationError(say("no-usable-credentials"), hint=say("name-a-cloud"), explanation=explanation)
        case keystone_exceptions.InvalidResponse():
            return not_understood("identity", "sent-no-token", connected=False)
        case RedirectedError():
            # The path of such a URL may quote the login.
            message = say("login-redirected", target=_shown(error.target, path=False))
            hint = say("correct-auth-url")
        case keystone_exceptions.TooManyRequests():
            message, hint = say("too-many-logins"), say("try-again-later")
        case keystone_exceptions.HttpError() if status is not None and status < 500:
            message, hint = say("login-not-understood"), say("check-the-login")
        case keystone_exceptions.HttpError():
            pass
        case keystone_exceptions.DiscoveryFailure():
            message, hint = say("no-keystone"), say("check-auth-url")
        case _:
            message, hint = say("no-response", service=word("service", "identity")), say("check-whether-it-is-up")
            answer["explanation"] = cleaned(_without_wrappings(str(error)))
    return ServiceUnavailableError(message, hint=hint, connected=False, **answer)


def translate_failure(service: str, error: BaseException) -> HyperxGlanceError:
    """Return the error for a request without a response, or with a redirect to another place."""
    if isinstance(error, RedirectedError):
        token = error.response.request.headers.get("X-Auth-Token", "") if error.response is not None else ""
        return ServiceUnavailableError(
            say(
                "redirected",
                service=word("service", service),
                method=error.method,
                target=_shown(error.target, token),
            ),
            service=service,
            status=error.http_status,
            request_id=error.request_id,
            hint=say("correct-the-catalogue"),
        )
    return ServiceUnavailableError(
        say("no-response", service=word("service", service)),
        explanation=cleaned(_without_wrappings(str(error))),
        connected=not _never_connected(error),
        service=service,
        hint=say("check-whether-it-is-up"),
    )


def _shown(url: str, *secrets: str, path: bool = True) -> str | Text:
    """Return the target of a redirect without its query, which may quote the request."""
    if not url:
        return say("an-invalid-url")
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return cleaned(f"{parts.scheme}://{host}{parts.path if path else ''}", *secrets)[:_LONGEST_TARGET]


def _without_wrappings(text: str) -> str:
    """Return the operating system's text alone, which urllib3 and requests wrap: "...: Connection refused"."""
    cause = re.search(r"\[Errno -?\d+\] ([\w -]+)", text)
    return f"{text.partition(': ')[0]}: {cause[1]}" if cause else text


def translate_answer(service: str, response: requests.Response, *, stream: bool, secret: str) -> HyperxGlanceError:
    """Return the error for a status of 400 or more; its text does not contain the token or ``secret``."""
    status = response.status_code
    is_json = "json" in response.headers.get("content-type", "")
    secrets = secret, str(response.request.headers.get("X-Auth-Token", ""))
    said = explanation(_beginning(response, stream=stream), *secrets, is_json=is_json)
    known = word("service", service)
    kind: type[HyperxGlanceError]
    message, hint = say("request-refused", service=known), NO_TEXT
    request_id = response.headers.get("x-openstack-request-id")
    match status:
        case 401:
            kind, message = AuthenticationError, say("token-refused", service=known)
            hint = say("token-no-longer-valid")
        case 403:
            kind, message, hint = _forbidden(known, said)
        case 404:
            kind = NotFoundError
            message, hint = _not_found(service, response.url)
        case 409:
            kind, message = ConflictError, say("refused-in-this-state", service=known)
        # Services number each response. nginx and HAProxy, which have limits of their own, do not.
        case 413 if not request_id:
            kind, message, hint = InvalidRequestError, say(TOO_LARGE, service=known), say("raise-the-limit-of-bodies")
        case 413:
            kind, message, hint = _beyond_a_limit(said, message)
        case 429:
            kind, message = ServiceUnavailableError, say("too-many-requests", service=known)
            hint = say("try-later-at-a-lower-rate")
        case _ if status >= 500:
            kind, (message, hint) = ServiceUnavailableError, _failed(service, said)
        case _:
            kind = InvalidRequestError
    return kind(message, hint=hint, explanation=said, service=service, status=status, request_id=request_id)


def _failed(service: str, said: str) -> tuple[Text, Text]:
    """Return what a service that answers 5xx has failed at, and a hint."""
    if service == "compute" and _WITHOUT_NETWORK.search(said):
        return say(NO_NETWORK_SERVICE), say("check-whether-it-is-up")
    return say("service-failed", service=word("service", service)), say("try-later-and-see-the-log")


def _beyond_a_limit(said: str, message: Text) -> tuple[type[HyperxGlanceError], Text, Text]:
    """Return type, message and hint of a 413: Glance sends it for quotas and for limits of one image, too."""
    if re.search(r"over a limit|quota|exceeds? allowed|storage|too large|member limit", said, re.IGNORECASE):
        return QuotaExceededError, say("over-quota"), NO_TEXT
    found = _TOO_MANY.search(said)
    if found is None:
        return InvalidRequestError, message, NO_TEXT
    figures = {"most": int(found[3]), "attempted": int(found[2])}
    if found[1] == "tags":
        return InvalidRequestError, say("too-many-tags", **figures), say("fewer-tags")
    message = say("too-many-properties", **figures, needed=vocabulary.MOST_OWN_PROPERTIES)
    return InvalidRequestError, message, say("fewer-properties")


def _forbidden(service: Text, said: str) -> tuple[type[HyperxGlanceError], Text, Text]:
    if "Quota exceeded" in said:
        return QuotaExceededError, say("over-quota"), NO_TEXT
    if "is protected" in said:
        return ProtectedError, say("image-protected"), NO_TEXT
    return NotAllowedError, say("not-allowed", service=service), _hint_for_a_role(said)


def _hint_for_a_role(message: str) -> Text:
    """Return a hint that names the users to whom a policy grants the right."""
    # glance/api/policy.py, enforce
    refused = re.search(r"not authorized to complete (?!publicize)(\w+) action", message)
    if refused and "metadef" in refused[1]:
        return say("only-administrators")
    if refused:
        return say("only-the-owners")
    # PolicyNotAuthorized of nova/exception.py, cinder/exception.py and oslo_policy/policy.py, which Neutron shows
    named = re.search(r"Policy doesn't allow ([\w:.-]+) to|(?:rule:)?([\w:.-]+)\)? is disallowed by policy", message)
    policy = named and (named[1] or named[2])
    if not policy:
        return NO_TEXT
    return say("ask-for-the-policy", policy=policy) if policy != _CREATING else say("only-members")


_MISSING = {
    ("image", "images", True): ("no-image", "deleted-or-private"),
    ("image", "images", False): ("no-image", "pass-an-image-id"),
    ("compute", "servers", True): ("no-server", "deleted-or-of-another-department"),
    ("compute", "servers", False): ("no-server", "pass-a-server-id"),
}
"""The codes of message and hint for a missing thing, by service, kind, and whether it was named by an id."""


def _not_found(service: str, url: str) -> tuple[Text, Text]:
    """Return what is missing, and a hint for a name instead of an id, or for something that the caller may not see."""
    named = re.search(r"/(images|servers)/([^/?]+)", url)
    kind, reference = named.groups() if named else ("", "")
    missing = _MISSING.get((service, kind, is_uuid(unquote(reference))))
    if missing is None:
        return say("not-found", service=word("service", service)), NO_TEXT
    message, hint = missing
    return say(message, id=unquote(reference)), say(hint)


def of_delayed_delete(explanation: str) -> Text:
    """Return the hint if Glance cannot delete a record because it deletes later; empty for other refusals.

    With delayed_delete, a record whose data was refused stays queued, with a location (glance/domain/__init__.py).
    """
    return say("delayed-delete-keeps-refused-data") if "from queued to pending_delete" in explanation else NO_TEXT
