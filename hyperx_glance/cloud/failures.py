"""What a service's refusal, its silence or a page in its place means: one error of this library for each.

    >>> try:
    ...     cloud.get("image", "/images/7c1e4b20")
    ... except hyperx_glance.HyperxGlanceError as error:
    ...     print(type(error).__name__, error.status, error.hint)
    NotFoundError 404 An Image or its id is needed; client.image(name) finds an image by its name.

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

from hyperx_glance.cloud.answers import LONGEST_BODY, explanation, not_understood, said
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
"""What keystoneauth, requests and urllib3 raise instead of giving an answer."""
_WRONG_SHAPES = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What Python raises where something is not what a program expects; keystoneauth checks nothing."""
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
    """Translate what one request of a verb raises instead of an answer; the login before it is `logging_in`'s.

    keystoneauth reads headers without a look at their shape, and keeps a token that it cannot read: the next request
    logs in anew.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise _halved() from error
    except FAILURES as error:
        raise translate_failure(service, error) from error
    except HyperxGlanceError:
        raise
    except _WRONG_SHAPES as error:
        if session.auth:
            session.invalidate()
        raise not_understood(service, f"it made {type(error).__name__}") from error


@contextlib.contextmanager
def logging_in(session: Session) -> Iterator[None]:
    """Translate what a login raises, and reading the token and the catalogue that it gave.

    Whatever it was, the request for which it was done has not been sent: each error is an `AuthenticationError`, or a
    `ServiceUnavailableError` that is not ``connected``. None repeats what Keystone says, which may quote the password
    (keystone/common/validation/validators.py), and none has a cause that does.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise _halved() from error
    except FAILURES as error:
        raise _failed_login(_led_away(error) or error) from (
            error if isinstance(error, keystone_exceptions.ConnectionError) else None
        )
    except HyperxGlanceError:
        raise
    except _WRONG_SHAPES as error:
        if session.auth:
            session.invalidate()
        raise not_understood("identity", f"it made {type(error).__name__}", connected=False) from None
    except Exception as error:
        if type(error) is not Exception:
            raise
        # keystoneauth1/identity/generic/password.py, create_plugin: there is no password
        raise AuthenticationError("The credentials are incomplete.", hint=_CREDENTIALS_HINT) from error


def _halved() -> InvalidRequestError:
    return InvalidRequestError("a text cannot hold half a surrogate pair")


def asked_pause(response: requests.Response, usual: float) -> float:
    """Read for how many seconds a service wants to be left alone; none of them sends a date, which is not read."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if re.fullmatch(r"[0-9]+", asked) else usual


def _beginning(response: requests.Response, *, stream: bool) -> bytes:
    """Read what is looked at of an error's body; b"" where it breaks off: the status says what there is to say."""
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
    """Tell an answer of a service from the page of a proxy or a portal with a status of success.

    Glance and Nova call their empty answers text/html too (webob's default). Their front doors answer 300.
    """
    page = response.headers.get("content-type", "").startswith("text/html") and (stream or bool(response.content))
    return response.status_code <= 300 and not page


def _never_connected(error: BaseException) -> bool:
    """Tell whether it is certain that the service cannot have seen the request.

    keystoneauth raises the same ConnectFailure for "never connected" and "cut after acceptance"; urllib3's own
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


def _led_away(error: BaseException | None) -> RedirectedError | None:
    """Find the redirect behind a discovery that failed: a plugin says that in words of its own."""
    while error is not None and not isinstance(error, RedirectedError):
        error = error.__context__
    return error


def _failed_login(error: BaseException) -> HyperxGlanceError:
    """Say what became of a login in this library's words alone."""
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
            message = f"There are no usable credentials: {said(str(error))}"
            return AuthenticationError(message, hint="Give a cloud of clouds.yaml, OS_* variables or auth keywords.")
        case keystone_exceptions.InvalidResponse():
            return not_understood("identity", "no token", connected=False)
        case RedirectedError():
            # The path of such a place may quote the login.
            message = f"Keystone redirects the login to {_shown(error.target, path=False)}, which is not followed"
            hint = "Correct auth_url, or the URL of Keystone in the catalogue, if that is the right place."
        case keystone_exceptions.TooManyRequests():
            message, hint = "Keystone limits the rate of logins.", "Try again later."
        case keystone_exceptions.HttpError() if status is not None and status < 500:
            message, hint = "Keystone does not understand the login.", "Check user, project, domains and auth_url."
        case keystone_exceptions.HttpError():
            message, hint = "Keystone failed at the login.", again
        case keystone_exceptions.DiscoveryFailure():
            message, hint = "No Keystone was found at auth_url.", "Check auth_url."
        case _:
            message = f"The identity service gave no answer: {said(_without_wrappings(str(error)))}"
            hint = "See whether the service is up, and try again."
    return ServiceUnavailableError(message, hint=hint, connected=False, **answer)


def translate_failure(service: str, error: BaseException) -> HyperxGlanceError:
    """Translate what a request raised: no answer came, or one that points elsewhere."""
    if isinstance(error, RedirectedError):
        token = error.response.request.headers.get("X-Auth-Token", "") if error.response is not None else ""
        return ServiceUnavailableError(
            f"The {service} service redirects {error.method} to {_shown(error.target, token)}, which is not followed",
            service=service,
            status=error.http_status,
            request_id=error.request_id,
            hint="Correct the service's URL in the catalogue if that is the right place; a portal or proxy is not.",
        )
    return ServiceUnavailableError(
        f"The {service} service gave no answer: {said(_without_wrappings(str(error)))}",
        connected=not _never_connected(error),
        service=service,
        hint="See whether the service is up, and try again.",
    )


def _shown(url: str, *secrets: str, path: bool = True) -> str:
    """Return where a redirect points, as far as that is no secret: the query may quote the request."""
    if not url:
        return "an invalid URL"
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return said(f"{parts.scheme}://{place}{parts.path if path else ''}", *secrets)[:_LONGEST_TARGET]


def _without_wrappings(text: str) -> str:
    """Leave out what urllib3 and requests write around what the operating system says: "...: Connection refused"."""
    said = re.search(r"\[Errno -?\d+\] ([\w -]+)", text)
    return f"{text.partition(': ')[0]}: {said[1]}" if said else text


def translate_answer(service: str, response: requests.Response, *, stream: bool, secret: str) -> HyperxGlanceError:
    """Translate an answer from 400 on; its words are shown without the token and ``secret``."""
    status = response.status_code
    is_json = "json" in response.headers.get("content-type", "")
    secrets = secret, str(response.request.headers.get("X-Auth-Token", ""))
    message = explanation(_beginning(response, stream=stream), *secrets, is_json=is_json) or f"HTTP status {status}"
    request_id = response.headers.get("x-openstack-request-id")
    kind: type[HyperxGlanceError]
    hint = ""
    match status:
        case 401:
            kind, hint = AuthenticationError, "Log in again: the token is not valid any more."
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
        # Glance says 413 both for quotas and for more than 128 tags or properties (glance/common/exception.py).
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
    """Say who has the right that a policy refuses to the caller."""
    # glance/api/policy.py, enforce
    refused = re.search(r"not authorized to complete (?!publicize)(\w+) action", message)
    if refused and "metadef" in refused[1]:
        return "Administrators may."
    if refused:
        return "Members of the department that owns the image may, and administrators."
    if "Policy doesn't allow os_compute_api:servers:create to" in message:  # nova/exception.py, PolicyNotAuthorized
        return "Members of the department may, and administrators."
    return ""


def _hint_for_a_name(service: str, url: str) -> str:
    """Help a caller who gave a name instead of an id, or the id of something that the caller may not see."""
    reference = re.search(r"/(images|servers)/([^/?]+)", url)
    if reference is None:
        return ""
    match service, is_uuid(reference[2]):
        case "image", True:
            return "It is gone, or a private image of another department."
        case "image", False:
            return "An Image or its id is needed; client.image(name) finds an image by its name."
        case "compute", True:
            return "It is gone, or a server of another department."
        case "compute", False:
            return "The id of a server is needed; openstack server list shows it."
    return ""
