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
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.session import Session

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
_CREDENTIALS_HINT = "Check user, password, project and domains."


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
        raise not_understood(service, f"sent a response that caused {type(error).__name__}") from error


@contextlib.contextmanager
def logging_in(session: Session) -> Iterator[None]:
    """Translate the errors of a login, and of reading its token and catalogue.

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
        if session.auth:
            session.invalidate()
        what = f"sent a response that caused {type(error).__name__}"
        raise not_understood("identity", what, connected=False) from None
    except Exception as error:
        if type(error) is not Exception:
            raise
        # keystoneauth1/identity/generic/password.py, create_plugin: there is no password
        raise AuthenticationError("The credentials are incomplete.", hint=_CREDENTIALS_HINT) from error


def _unpaired() -> InvalidRequestError:
    return InvalidRequestError("strings must not contain unpaired surrogates")


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
    again = "Try again later; the request id leads to the service's log."
    match error:
        case _ if isinstance(error, _REFUSALS):
            message, hint = "Keystone refused the credentials.", _CREDENTIALS_HINT
            return AuthenticationError(message, hint=hint, **answer)
        case keystone_exceptions.MissingAuthMethods():
            message, hint = "Keystone requires more than one authentication method.", "Log in with all of them."
            return AuthenticationError(message, hint=hint, **answer)
        case keystone_exceptions.AuthPluginException():
            message = f"There are no usable credentials: {cleaned(str(error))}"
            return AuthenticationError(message, hint="Use a cloud of clouds.yaml, OS_* variables or auth keywords.")
        case keystone_exceptions.InvalidResponse():
            return not_understood("identity", "sent no token", connected=False)
        case RedirectedError():
            # The path of such a URL may quote the login.
            message = f"Keystone redirects the login to {_shown(error.target, path=False)}, which is not followed"
            hint = "If that is the right URL, correct auth_url, or Keystone's URL in the catalogue."
        case keystone_exceptions.TooManyRequests():
            message, hint = "Keystone limits the rate of logins.", "Try again later."
        case keystone_exceptions.HttpError() if status is not None and status < 500:
            message, hint = "Keystone does not understand the login.", "Check user, project, domains and auth_url."
        case keystone_exceptions.HttpError():
            message, hint = "Keystone failed to process the login.", again
        case keystone_exceptions.DiscoveryFailure():
            message, hint = "No Keystone was found at auth_url.", "Check auth_url."
        case _:
            message = f"No response from the identity service: {cleaned(_without_wrappings(str(error)))}"
            hint = "Check whether the service is up, and try again."
    return ServiceUnavailableError(message, hint=hint, connected=False, **answer)


def translate_failure(service: str, error: BaseException) -> HyperxGlanceError:
    """Return the error for a request without a response, or with a redirect to another place."""
    if isinstance(error, RedirectedError):
        token = error.response.request.headers.get("X-Auth-Token", "") if error.response is not None else ""
        return ServiceUnavailableError(
            f"The {service} service redirects {error.method} to {_shown(error.target, token)}, which is not followed",
            service=service,
            status=error.http_status,
            request_id=error.request_id,
            hint="If that is the right URL, and not a portal or a proxy, correct the service's URL in the catalogue.",
        )
    return ServiceUnavailableError(
        f"No response from the {service} service: {cleaned(_without_wrappings(str(error)))}",
        connected=not _never_connected(error),
        service=service,
        hint="Check whether the service is up, and try again.",
    )


def _shown(url: str, *secrets: str, path: bool = True) -> str:
    """Return the target of a redirect without its query, which may quote the request."""
    if not url:
        return "an invalid URL"
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
    message = explanation(_beginning(response, stream=stream), *secrets, is_json=is_json) or f"HTTP status {status}"
    request_id = response.headers.get("x-openstack-request-id")
    kind: type[HyperxGlanceError]
    hint = ""
    match status:
        case 401:
            kind, hint = AuthenticationError, "Log in again: the token is no longer valid."
        case 403 if "Quota exceeded" in message:
            kind = QuotaExceededError
        case 403 if "is protected" in message:
            kind = ProtectedError
        case 403:
            kind, hint = NotAllowedError, _hint_for_a_role(message)
        case 404:
            kind, hint = NotFoundError, _hint_for_a_name(service, response.url)
        case 409:
            kind = ConflictError
        # Glance sends 413 both for quotas and for more than 128 tags or properties (glance/common/exception.py).
        case 413 if re.search(r"over a limit|quota|exceeds? allowed|storage|too large", message, re.IGNORECASE):
            kind = QuotaExceededError
        case 429:
            kind, hint = ServiceUnavailableError, "The service limits the rate of requests; try again later."
        case _ if status >= 500:
            kind, hint = ServiceUnavailableError, "Try again later; the request id leads to the service's log."
        case _:
            kind = InvalidRequestError
    return kind(message, hint=hint, service=service, status=status, request_id=request_id)


def _hint_for_a_role(message: str) -> str:
    """Return a hint that names the users to whom a policy grants the right."""
    # glance/api/policy.py, enforce
    refused = re.search(r"not authorized to complete (?!publicize)(\w+) action", message)
    if refused and "metadef" in refused[1]:
        return "Only administrators may do this."
    if refused:
        return "Only members of the department that owns the image, and administrators, may do this."
    if "Policy doesn't allow os_compute_api:servers:create to" in message:  # nova/exception.py, PolicyNotAuthorized
        return "Only members of the department, and administrators, may do this."
    return ""


def _hint_for_a_name(service: str, url: str) -> str:
    """Return a hint for a name instead of an id, or for the id of something that the caller may not see."""
    reference = re.search(r"/(images|servers)/([^/?]+)", url)
    if reference is None:
        return ""
    match service, is_uuid(reference[2]):
        case "image", True:
            return "It was deleted, or it is private to another department."
        case "image", False:
            return "Pass an Image or its id; client.image(name) finds an image by its name."
        case "compute", True:
            return "It was deleted, or it belongs to another department."
        case "compute", False:
            return "Use the id of a server; openstack server list shows it."
    return ""
