"""The border: HTTP to OpenStack's services, with their answers translated into this library's errors.

    >>> from hyperx_glance.cloud import Cloud
    >>> cloud = Cloud.from_session(session, region_name="RegionOne")
    >>> cloud.get("image", "/images", params={"limit": 1}).json()["images"]
    []

Paths are relative to the version that this library speaks (``VERSIONS``). Only requests that change nothing are sent
again when no answer comes: what else may be repeated, and why, is for the caller to say.
"""

from __future__ import annotations

import html
import json as json_format
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

import pydantic
import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ProtectedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.models import Image

if TYPE_CHECKING:
    from keystoneauth1.access import AccessInfo
    from openstack.connection import Connection

Model = TypeVar("Model", bound=pydantic.BaseModel)
Service = Literal["identity", "image", "compute", "block-storage", "network"]
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

VERSIONS: dict[Service, str] = {
    "identity": "v3",
    "image": "v2",
    "compute": "v2.1",
    "block-storage": "v3",
    "network": "v2.0",
}
PATCH_MEDIA_TYPE = "application/openstack-images-v2.1-json-patch"
REQUEST_TIMEOUT_SECONDS = 60
"""Used where the session has none of its own: a service that accepts and never answers must not hang the caller."""
_READING_RETRIES = 2
_PIECE_BYTES = 1024 * 1024
_NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    requests.exceptions.ConnectTimeout,
)


def open_connection(cloud: str | None, auth: Mapping[str, object]) -> Connection:
    """Connect through openstacksdk: clouds.yaml, ``OS_*`` variables, keywords; nothing is asked of the cloud yet."""
    import openstack  # noqa: PLC0415  # half a second that a session does not need
    from openstack import exceptions  # noqa: PLC0415  # as above

    try:
        return openstack.connect(cloud=cloud, **auth)  # type: ignore[arg-type]  # its keywords are any
    except (exceptions.ConfigException, keystone_exceptions.ClientException) as error:
        raise InvalidRequestError(
            f"The cloud is not configured: {error}",
            hint="Name a cloud of clouds.yaml, or give auth_url and credentials.",
        ) from error


class Place(NamedTuple):
    """Name the service and region of an endpoint, as Keystone does where it keeps limits."""

    service_id: str
    region_id: str | None


class Cloud:
    """Speak to the services of one cloud as one user; share it between threads freely."""

    def __init__(
        self,
        session: Session,
        adapter: Callable[[Service], Adapter],
        *,
        region_name: str | None,
        retry_delay: float = 0.5,
    ) -> None:
        self.session = session
        self.region_name = region_name
        self._adapter = adapter
        self._retry_delay = max(retry_delay, 0.001)  # keystoneauth takes 0 for "the default"
        self._bases: dict[Service, tuple[Adapter, str]] = {}

    @classmethod
    def from_session(
        cls, session: Session, *, region_name: str | None = None, interface: str = "public", retry_delay: float = 0.5
    ) -> Cloud:
        """Use a keystoneauth session; no request is made."""

        def adapter(service: Service) -> Adapter:
            return Adapter(session, service_type=service, interface=interface, region_name=region_name)

        return cls(session, adapter, region_name=region_name, retry_delay=retry_delay)

    @classmethod
    def from_connection(cls, connection: Connection, *, retry_delay: float = 0.5) -> Cloud:
        """Use an openstacksdk connection, its endpoint overrides and interfaces included; no request is made."""
        config = connection.config

        def adapter(service: Service) -> Adapter:
            # Not the connection's own proxies: they may cache answers, and parse each URL for statistics
            # (openstack/proxy.py, Proxy.request).
            return Adapter(
                connection.session,
                service_type=config.get_service_type(service),
                service_name=config.get_service_name(service),
                interface=config.get_interface(service),
                region_name=config.get_region_name(service),
                endpoint_override=config.get_endpoint(service),
            )

        return cls(connection.session, adapter, region_name=config.get_region_name(), retry_delay=retry_delay)

    # ------------------------------------------------------------- who am I

    @property
    def access(self) -> AccessInfo:
        """What the token says: project, user, roles. Cached by keystoneauth, so no request of its own."""
        try:
            return self.session.auth.get_access(self.session)  # type: ignore[no-any-return, union-attr]  # untyped upstream
        except keystone_exceptions.ClientException as error:
            raise _translate_failure("identity", error) from error
        except AttributeError:
            raise NotAllowedError(
                "This session's authentication has no user, roles or catalogue.",
                hint="Use a Keystone token, password or application credential.",
            ) from None

    @property
    def project_id(self) -> str:
        """The caller's department."""
        return self.access.project_id or ""

    @property
    def user_id(self) -> str:
        """The caller."""
        return self.access.user_id or ""

    @property
    def is_administrator(self) -> bool:
        """Whether the token carries the role admin."""
        return "admin" in (self.access.role_names or ())

    # ------------------------------------------------------------- requests

    def has(self, service: Service) -> bool:
        """Tell whether the catalogue knows the service."""
        try:
            return self._adapter(service).get_endpoint() is not None
        except keystone_exceptions.CatalogException:
            return False
        except keystone_exceptions.ClientException as error:
            raise _translate_failure("identity", error) from error

    def place(self, service: Service) -> Place | None:
        """Tell which of the catalogue's endpoints requests go to; None where it has none of the kind."""
        adapter = self._adapter(service)
        found = self.access.service_catalog.get_endpoint_data_list(
            service_type=adapter.service_type,
            service_name=adapter.service_name,
            interface=adapter.interface or "public",
            region_name=adapter.region_name,
        )
        return next((Place(data.service_id, data.region_name) for data in found if data.service_id), None)

    def base(self, service: Service) -> str:
        """Give the URL of the service at the version that this library speaks."""
        return self._base(service)[1]

    def _base(self, service: Service) -> tuple[Adapter, str]:
        if service not in self._bases:
            adapter = self._adapter(service)
            try:
                endpoint = adapter.get_endpoint()
            except keystone_exceptions.CatalogException:
                endpoint = None
            except keystone_exceptions.ClientException as error:
                raise _translate_failure("identity", error) from error
            if not endpoint:
                raise ServiceUnavailableError(
                    f"This cloud's catalogue has no {service} service in region {self.region_name or 'any'}.",
                    connected=False,
                    service=service,
                    hint="Check the region name, or ask an operator to deploy the service.",
                )
            endpoint = endpoint.rstrip("/")
            # Catalogues name the bare service, a version, or for Cinder a version and the project.
            if not re.search(r"/v\d+(\.\d+)?(/[^/]+)?$", urlsplit(endpoint).path):
                endpoint = f"{endpoint}/{VERSIONS[service]}"
            self._bases[service] = adapter, endpoint
        return self._bases[service]

    def get(self, service: Service, path: str, **options: object) -> requests.Response:
        """Read; sent again when no answer comes, since reading changes nothing."""
        return self.request(service, "GET", path, **options)  # type: ignore[arg-type]  # typed in request()

    def post(self, service: Service, path: str, **options: object) -> requests.Response:
        """Create or order something, once."""
        return self.request(service, "POST", path, **options)  # type: ignore[arg-type]  # typed in request()

    def put(self, service: Service, path: str, **options: object) -> requests.Response:
        """Set something, once."""
        return self.request(service, "PUT", path, **options)  # type: ignore[arg-type]  # typed in request()

    def patch(self, service: Service, path: str, **options: object) -> requests.Response:
        """Change something, once."""
        return self.request(service, "PATCH", path, **options)  # type: ignore[arg-type]  # typed in request()

    def delete(self, service: Service, path: str, **options: object) -> requests.Response:
        """Delete something, once."""
        return self.request(service, "DELETE", path, **options)  # type: ignore[arg-type]  # typed in request()

    def request(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        json: Json = None,
        data: object = None,
        params: Mapping[str, object] | Sequence[tuple[str, object]] | None = None,
        headers: Mapping[str, str] | None = None,
        microversion: str | None = None,
        confidential: bool = False,
        stream: bool = False,
        timeout: float | None = None,
    ) -> requests.Response:
        """Send one request and give its answer; raise the typed error for every answer that is no success.

        ``path`` is relative to the service's version, or absolute (http...). ``confidential`` keeps body and answer out
        of keystoneauth's debug log. ``timeout`` is seconds for each socket operation, and nothing is sent again.
        """
        adapter, base = self._base(service)
        reading = method in ("GET", "HEAD")
        options: dict[str, object] = {"json": json, "params": params, "microversion": microversion, "stream": stream}
        if data is not None:
            # keystoneauth would send the rest of it again, after a new login or to another place.
            options |= {"data": data, "allow_reauth": False, "redirect": False}
        if timeout is not None or adapter.session.timeout is None:
            options["timeout"] = timeout or REQUEST_TIMEOUT_SECONDS
        try:
            response = adapter.request(
                path if path.startswith("http") else base + path,
                method,
                headers=dict(headers or {}),
                raise_exc=False,
                log=not confidential,
                connect_retries=_READING_RETRIES if reading and timeout is None else 0,
                connect_retry_delay=self._retry_delay,
                status_code_retries=_READING_RETRIES if reading else 0,
                status_code_retry_delay=self._retry_delay,
                retriable_status_codes=[503],
                **options,
            )
        except (keystone_exceptions.ClientException, requests.exceptions.RequestException) as error:
            raise _translate_failure(service, error) from error
        except UnicodeEncodeError as error:
            raise InvalidRequestError("a text cannot hold half a surrogate pair") from error
        if response.status_code >= 400:
            raise _translate_answer(service, response)
        if not _is_an_answer(response, stream=stream):
            response.close()
            raise _unreadable(service, "a page for people, or the way to one", status=response.status_code)
        return response

    def document(self, service: Service, path: str, **options: object) -> dict[str, Any]:
        """Read a JSON object; a key that it lacks, at any depth, is the service's error."""
        content = self.get(service, path, **options).content
        try:
            document = json_format.loads(content, object_hook=lambda members: _Document(service, members))
        except ValueError as error:
            raise _unreadable(service, "no JSON") from error
        if not isinstance(document, _Document):
            raise _unreadable(service, "no JSON object")
        return document

    def read(
        self, service: Service, path: str, *, params: Mapping[str, object] | Sequence[tuple[str, object]] | None = None
    ) -> bytes:
        """Read a large answer in one piece; sent again when the connection breaks on the way.

        ``Response.content`` reads 10 KiB at a time (requests/models.py, CONTENT_CHUNK_SIZE): for a page of images half
        of what parsing it takes.
        """
        attempts = 1 + _READING_RETRIES
        while True:
            attempts -= 1
            try:
                return _body(self.request(service, "GET", path, params=params, stream=True))
            except urllib3.exceptions.HTTPError as error:
                if not attempts:
                    raise _translate_failure(service, error) from error

    def pieces(self, service: Service, path: str, *, timeout: float) -> Iterator[bytes]:
        """Read an answer of any length piece by piece, once; each may take ``timeout`` seconds, or what is usual."""
        usual = self._base(service)[0].session.timeout or REQUEST_TIMEOUT_SECONDS
        response = self.get(service, path, stream=True, timeout=min(timeout, usual))
        try:
            yield from response.iter_content(_PIECE_BYTES)
        except requests.exceptions.RequestException as error:
            raise _translate_failure(service, error) from error
        finally:
            response.close()

    def upload(self, service: Service, path: str, body: object, *, headers: Mapping[str, str], timeout: float) -> None:
        """Put data that can be read only once; a 401 is an error, after which the next request logs in anew."""
        try:
            self.put(service, path, data=body, headers=headers, confidential=True, timeout=timeout)
        except NotAllowedError as error:
            if error.status == 401:
                self._base(service)[0].invalidate()
            raise

    # ------------------------------------------------------------- images, as every verb reads them

    def image(self, image_id: str) -> Image:
        """Read one image afresh."""
        return parsed(Image, "image", self.get("image", image_path(image_id)).content)

    def patch_image(self, image_id: str, operations: Sequence[Mapping[str, object]]) -> requests.Response:
        """Change one image by operations of JSON Patch, as Glance takes them."""
        headers = {"Content-Type": PATCH_MEDIA_TYPE}
        return self.patch("image", image_path(image_id), json=operations, headers=headers)


class _Document(dict[str, Any]):
    """Be a JSON object of a service, which is to blame for what is missing."""

    __slots__ = ("service",)

    def __init__(self, service: Service, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.service = service

    def __missing__(self, key: str) -> Any:  # noqa: ANN401  # as dict's own
        raise _unreadable(self.service, f"JSON without {key!r}")


def parsed(model: type[Model], service: Service, content: bytes) -> Model:
    """Parse an answer; one of another shape is the service's error."""
    try:
        return model.model_validate_json(content)
    except pydantic.ValidationError as error:
        places = sorted({".".join(map(str, mistake["loc"])) or "the whole" for mistake in error.errors()})
        raise _unreadable(service, f"another {model.__name__.lstrip('_')}, in {', '.join(places[:3])}") from error


def steward_cloud(
    steward: Session | Connection | None, *, region_name: str | None, interface: str = "public"
) -> Cloud | None:
    """Give the second connection, which may be a session or an openstacksdk connection."""
    if steward is None:
        return None
    if isinstance(steward, Session):
        return Cloud.from_session(steward, region_name=region_name, interface=interface)
    return Cloud.from_connection(steward)


def image_path(image_id: str, *more: str) -> str:
    """Give the path of an image, or of something below it."""
    return "/".join(["/images", *(quote(part, safe="", errors="replace") for part in (image_id, *more))])


def _body(response: requests.Response) -> bytes:
    if response.raw.tell():  # keystoneauth has logged the body, and requests keeps it
        return response.content
    body: bytes = response.raw.read(decode_content=True)
    return body


def _is_an_answer(response: requests.Response, *, stream: bool) -> bool:
    """Tell an answer of a service from the page of a proxy or a portal with a status of success.

    Glance and Nova call their empty answers text/html too (webob's default). Their front doors answer 300.
    """
    page = response.headers.get("content-type", "").startswith("text/html") and (stream or bool(response.content))
    return response.status_code <= 300 and not page


def _unreadable(service: str, what: str, *, status: int | None = None) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"What answers for the {service} service is not understood: {what}.",
        service=service,
        status=status,
        hint="See that the catalogue's URL leads to the service itself, in a version this library knows.",
    )


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


def _translate_failure(service: str, error: Exception) -> HyperxGlanceError:
    """Translate what keystoneauth or requests raised instead of an answer."""
    request_id = getattr(error, "request_id", None)
    status = getattr(error, "http_status", None)
    if isinstance(error, keystone_exceptions.Unauthorized | keystone_exceptions.AuthorizationFailure):
        return NotAllowedError(
            "Keystone refused the credentials.",
            service="identity",
            status=status,
            request_id=request_id,
            hint="Check user, password, project and domains.",
        )
    if isinstance(error, keystone_exceptions.AuthPluginException | keystone_exceptions.MissingRequiredOptions):
        return NotAllowedError(
            f"There are no usable credentials: {error}",
            hint="Give a cloud of clouds.yaml, OS_* variables or auth keywords.",
        )
    if isinstance(error, keystone_exceptions.Forbidden):
        return NotAllowedError(str(error), service=service, status=status, request_id=request_id)
    return ServiceUnavailableError(
        f"The {service} service gave no answer: {error}",
        connected=not _never_connected(error),
        service=service,
        status=status,
        request_id=request_id,
        hint="See whether the service is up, and try again.",
    )


def _translate_answer(service: Service, response: requests.Response) -> HyperxGlanceError:
    """Translate an answer from 400 on."""
    message = explanation(response)
    status = response.status_code
    request_id = response.headers.get("x-openstack-request-id")
    kind: type[HyperxGlanceError]
    hint = ""
    match status:
        case 401:
            kind, hint = NotAllowedError, "Authenticate again: the token is not valid any more."
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


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _hint_for_a_role(message: str) -> str:
    """Say who may what a policy refuses."""
    if re.search(r"not authorized to complete (?!publicize)\w+ action", message):  # glance/api/policy.py, enforce
        return "Members of the department that owns the image may, and administrators."
    if "Policy doesn't allow os_compute_api:servers:create to" in message:  # nova/exception.py, PolicyNotAuthorized
        return "Members of the department may, and administrators."
    return ""


def _hint_for_a_name(service: Service, url: str) -> str:
    """Tell whoever gave the name of an image where its id was wanted."""
    reference = re.search(r"/images/([^/?]+)", url)
    if service != "image" or reference is None or _UUID.fullmatch(reference[1]):
        return ""
    return "An Image or its id is needed; client.image(name) finds an image by its name."


def explanation(response: requests.Response) -> str:
    """Find the useful sentence in an error's body.

    Glance answers an HTML document with the sentence after the h1, Nova and Cinder JSON with one key, Neutron JSON of
    its own, proxies anything.
    """
    text = response.text
    if "json" in response.headers.get("content-type", ""):
        try:
            body = response.json()
        except ValueError:
            body = text
        while isinstance(body, Mapping):
            body = body.get("message") or body.get("error") or next(iter(body.values()), "")
        # Nova escapes quotes even in JSON; a "&reg" without semicolon is the middle of a URL.
        text = re.sub(r"&#?\w+;", lambda entity: html.unescape(entity[0]), str(body))
    elif "<" in text:
        text = re.sub(r"(?is)<head>.*?</head>|<h1>.*?</h1>", " ", text)
        text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    text = " ".join(text.split())
    return text[:1000] or f"HTTP status {response.status_code}"
