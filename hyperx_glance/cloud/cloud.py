"""The border: HTTP to OpenStack's services, with their responses translated into this library's errors.

    >>> from hyperx_glance.cloud.cloud import Cloud
    >>> cloud = Cloud.from_session(session, region_name="RegionOne")
    >>> cloud.get("image", "/images", params={"limit": 1}).json()["images"]
    []

Paths are relative to the version that this library speaks (``VERSIONS``). If no response arrives, only requests that
change nothing are sent again here. Which other requests may be repeated, and why, is the caller's decision
(`waiting.pace.attempts`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import quote, urlsplit

import pydantic
import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from hyperx_glance.cloud.access_rules import missing_rule
from hyperx_glance.cloud.answers import not_understood, parsed
from hyperx_glance.cloud.failures import (
    asked_pause,
    is_an_answer,
    logging_in,
    of_delayed_delete,
    translate_answer,
    translate_failure,
    translated,
)
from hyperx_glance.cloud.forks import check_process, process_of
from hyperx_glance.cloud.redirects import careful
from hyperx_glance.cloud.tokens import (
    Access,
    Endpoint,
    access_of,
    access_rules,
    endpoints,
    headers_of,
    of_system,
    of_system_by_password,
    token_of,
    url,
)
from hyperx_glance.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.texts import Text, say, word
from hyperx_glance.waiting.pace import LOG, Pace, pause

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
WEB_DOWNLOAD = "web-download"
GLANCE_DIRECT = "glance-direct"
"""Import methods: of a URL, and of data that was staged."""
PATCH_MEDIA_TYPE = "application/openstack-images-v2.1-json-patch"
FIRST_PATCH_MEDIA_TYPE = "application/openstack-images-v2.0-json-patch"
"""Glance's first kind of patch, in which "add" fails if the property already exists."""
REQUEST_TIMEOUT_SECONDS = 60
"""The time-out for sessions without their own: a service that never responds must not hang the caller."""
_READING_RETRIES = 2
LONGEST_PAUSE_SECONDS = 30
"""If a service asks for a longer pause (Retry-After), its error is raised at once."""
_CHUNK_BYTES = 1024 * 1024


class Cloud:
    """One user's connection to the services of one cloud; threads can share it, forked processes cannot."""

    def __init__(
        self,
        session: Session,
        adapter: Callable[[Service], Adapter],
        *,
        region_name: str | None,
        pace: Pace | None = None,
    ) -> None:
        self.session = session
        self._careful = careful(session)
        self._process = process_of(session)
        self.region_name = region_name
        self._make_adapter = adapter
        self._pace = pace or Pace()
        self._bases: dict[Service, tuple[Adapter, str]] = {}
        self._known: tuple[AccessInfo, Access] | None = None
        self._rescoped: tuple[AccessInfo, Cloud | None] | None = None
        self.refused_policies: set[str] = set()
        """Policies of Glance that have refused something on an image of the own department (`cloud.refusals`)."""

    @classmethod
    def from_session(
        cls,
        session: Session,
        *,
        region_name: str | None = None,
        interface: str = "public",
        pace: Pace | None = None,
    ) -> Cloud:
        """Use a keystoneauth session; no request is made."""

        def adapter(service: Service) -> Adapter:
            return Adapter(session, service_type=service, interface=interface, region_name=region_name)

        return cls(session, adapter, region_name=region_name, pace=pace)

    @classmethod
    def from_connection(cls, connection: Connection, *, pace: Pace | None = None) -> Cloud:
        """Use an openstacksdk connection, its endpoint overrides and interfaces included; no request is made."""
        config = connection.config

        def adapter(service: Service) -> Adapter:
            # Not the connection's own proxies: they may cache responses, and parse each URL for statistics
            # (openstack/proxy.py, Proxy.request).
            return Adapter(
                connection.session,
                service_type=config.get_service_type(service),
                service_name=config.get_service_name(service),
                interface=config.get_interface(service),
                region_name=config.get_region_name(service),
                endpoint_override=config.get_endpoint(service),
            )

        return cls(connection.session, adapter, region_name=config.get_region_name(), pace=pace)

    def check_process(self) -> None:
        """Raise `InvalidRequestError` after a fork: a child must make its own session and client."""
        check_process(self._process)

    @property
    def _session(self) -> Session:
        """The session for every login and every request."""
        check_process(self._process)
        return self._careful

    def _adapter(self, service: Service) -> Adapter:
        adapter = self._make_adapter(service)
        adapter.session = self._session
        return adapter

    # ------------------------------------------------------------- the caller

    @property
    def access(self) -> Access:
        """The project, user and roles of the token; cached, so no request of its own."""
        access = self._login()
        if access is None:
            raise AuthenticationError(say("login-without-identity"), hint=say("use-a-keystone-login"))
        return access

    def _login(self) -> Access | None:
        """Log in if that is due, and read the token; return None if the session has only a string for a token."""
        session = self._session
        with logging_in(session):
            found = token_of(session)
            if found is None:
                return None
            known = self._known
            if known is None or known[0] is not found:
                known = self._known = found, access_of(found)
            return known[1]

    def _token(self) -> dict[str, str]:
        """Log in if that is due, and return the headers that authenticate a request."""
        self._login()
        session = self._session
        with logging_in(session):
            headers = headers_of(session)
            if headers is None:
                raise keystone_exceptions.MissingAuthPlugin("this session's authentication gives no token")
            return headers

    @property
    def project_id(self) -> str:
        """The caller's department."""
        return self.access.project_id

    @property
    def user_id(self) -> str:
        """The caller."""
        return self.access.user_id

    @property
    def is_administrator(self) -> bool:
        """Whether the token carries the role admin."""
        return self.access.is_administrator

    def of_system(self) -> Cloud | None:
        """Return a connection to Keystone as the same user with a system-scoped token; None if Keystone issues none.

        Keystone exchanges no token of an application credential, and none at all if ``allow_rescope_scoped_token`` is
        off (keystone/auth/core.py, keystone/token/provider.py). If the session has the password, it then logs in with
        it. Keystone issues no such token to users without a role on the system.
        """
        with logging_in(self._session):
            token = token_of(self._session)
        if token is None:
            return None
        if self._rescoped is None or self._rescoped[0] is not token:
            self._rescoped = token, self._rescope(token)
        return self._rescoped[1]

    def _rescope(self, token: AccessInfo) -> Cloud | None:
        base = self.base("identity")
        for session in of_system(self._session, token, base), of_system_by_password(self._session, base):
            cloud = session and self._logged_in(session, base)
            if cloud:
                return cloud
        return None

    def _logged_in(self, session: Session, base: str) -> Cloud | None:
        def adapter(service: Service) -> Adapter:
            return Adapter(session, service_type=service, endpoint_override=base)

        cloud = Cloud(session, adapter, region_name=self.region_name, pace=self._pace)
        try:
            cloud.access  # noqa: B018  # it logs in
        except (AuthenticationError, NotAllowedError):
            return None
        return cloud

    # ------------------------------------------------------------- requests

    def check_scope(self) -> None:
        """Log in, and raise an error if the login is for no department, but for a domain, the system or nothing."""
        with logging_in(self._session):
            token = token_of(self._session)
        if token is not None and token.project_id is None:
            raise AuthenticationError(say("login-without-department"), hint=say("log-in-to-a-department"))

    def has(self, service: Service) -> bool:
        """Check whether the catalogue has the service."""
        return self._url(self._adapter(service)) is not None

    def _url(self, adapter: Adapter) -> str | None:
        with logging_in(self._session):
            return url(token_of(self._session), adapter)

    def endpoint(self, service: Service) -> Endpoint | None:
        """Return the catalogue's endpoint that requests go to; None if it has none of this kind."""
        adapter = self._adapter(service)
        with logging_in(self._session):
            found = endpoints(token_of(self._session), adapter, region_name=adapter.region_name)
            return next((Endpoint(each.service_id, each.region_id) for each in found if each.service_id), None)

    def regions(self) -> tuple[str, ...]:
        """Return the regions that have an image service, in the order of the catalogue."""
        with logging_in(self._session):
            found = endpoints(token_of(self._session), self._adapter("image"), region_name=None)
            return tuple(dict.fromkeys(each.region_id for each in found if each.region_id))

    def base(self, service: Service) -> str:
        """Return the URL of the service at the version that this library speaks."""
        return self._base(service)[1]

    def _base(self, service: Service) -> tuple[Adapter, str]:
        if service not in self._bases:
            adapter = self._adapter(service)
            endpoint = self._url(adapter)
            if endpoint is None:
                self.check_scope()
                raise ServiceUnavailableError(
                    not_in_catalogue(service, self.region_name),
                    connected=False,
                    service=service,
                    hint=say("check-the-region"),
                )
            # Catalogues name the bare service, a version, or for Cinder a version and the project.
            with logging_in(self._session):
                path = urlsplit(endpoint).path
            if not re.search(r"/v\d+(\.\d+)?(/[^/]+)?$", path):
                endpoint = f"{endpoint}/{VERSIONS[service]}"
            self._bases[service] = adapter, endpoint
        return self._bases[service]

    def get(self, service: Service, path: str, **options: object) -> requests.Response:
        """Send a GET request; it is sent again if no response arrives, because reading changes nothing."""
        return self.request(service, "GET", path, **options)  # type: ignore[arg-type]  # typed in request()

    def post(self, service: Service, path: str, **options: object) -> requests.Response:
        """Send one POST request."""
        return self.request(service, "POST", path, **options)  # type: ignore[arg-type]  # typed in request()

    def put(self, service: Service, path: str, **options: object) -> requests.Response:
        """Send one PUT request."""
        return self.request(service, "PUT", path, **options)  # type: ignore[arg-type]  # typed in request()

    def patch(self, service: Service, path: str, **options: object) -> requests.Response:
        """Send one PATCH request."""
        return self.request(service, "PATCH", path, **options)  # type: ignore[arg-type]  # typed in request()

    def delete(self, service: Service, path: str, **options: object) -> requests.Response:
        """Send one DELETE request."""
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
        secret: str = "",
        stream: bool = False,
        timeout: float | None = None,
    ) -> requests.Response:
        """Send one request and return its response; raise a typed error for every response other than a success.

        ``path`` is relative to the service's version, or absolute (http...). ``confidential`` keeps the bodies out of
        keystoneauth's debug log. No error repeats ``secret``, even if the service does. ``timeout`` is in seconds, for
        each socket operation; a request with a time-out is sent once.
        """
        adapter, base = self._base(service)
        reading = method in ("GET", "HEAD")
        options: dict[str, object] = {"json": json, "params": params, "microversion": microversion, "stream": stream}
        if data is not None:
            options["data"] = data
        if timeout is not None or adapter.session.timeout is None:
            options["timeout"] = timeout or REQUEST_TIMEOUT_SECONDS
        retries = _READING_RETRIES if reading else 0
        logs_in_anew = data is None  # the rest of the data would be sent again
        while True:
            token = self._token()
            with translated(service, self._session):
                response = adapter.request(
                    path if path.startswith("http") else base + path,
                    method,
                    headers={**(headers or {}), **token},
                    # keystoneauth would log in within this request, and it would be unclear which of the two has
                    # failed.
                    authenticated=False,
                    raise_exc=False,
                    log=not confidential,
                    connect_retries=_READING_RETRIES if reading and timeout is None else 0,
                    connect_retry_delay=max(self._pace.first_interval, 0.001),  # keystoneauth takes 0 for its default
                    **options,
                )
            if response.status_code == 401:
                self._check_access_rules(service, method, path if path.startswith("http") else base + path)
            if response.status_code == 401 and logs_in_anew and self._session.invalidate():
                response.close()
                logs_in_anew = False
                continue
            # Not left to keystoneauth, which sleeps as long as the service wants (session.py, _send_request).
            if response.status_code != 503 or not retries:
                break
            interval = asked_pause(response, self._pace.first_interval)
            if interval > LONGEST_PAUSE_SECONDS:
                break
            response.close()
            retries -= 1
            LOG.info("the %s service answered 503; the request is sent again", service)
            pause(self._pace, interval)
        if response.status_code >= 400:
            raise translate_answer(service, response, stream=stream, secret=secret)
        if not is_an_answer(response, stream=stream):
            response.close()
            raise not_understood(service, "sent-a-page", status=response.status_code)
        return response

    def _check_access_rules(self, service: Service, method: str, url: str) -> None:
        """Raise the error of an application credential whose rules do not allow a request that was refused."""
        with logging_in(self._session):
            found = access_rules(token_of(self._session))
            refusal = missing_rule(*found, service, method, url) if found else None
        if refusal is not None:
            raise refusal

    def get_parsed(self, shape: type[Model], service: Service, path: str, **options: object) -> Model:
        """Read a response of a known shape; any other shape is the service's error."""
        return parsed(shape, service, self.get(service, path, **options).content)

    def read(
        self, service: Service, path: str, *, params: Mapping[str, object] | Sequence[tuple[str, object]] | None = None
    ) -> bytes:
        """Read a large response at once; the request is sent again if the connection breaks on the way.

        ``Response.content`` reads 10 KiB at a time (requests/models.py, CONTENT_CHUNK_SIZE). For a page of images, that
        takes half as long as parsing it.
        """
        attempts = 1 + _READING_RETRIES
        while True:
            attempts -= 1
            try:
                return _body(self.request(service, "GET", path, params=params, stream=True))
            except urllib3.exceptions.HTTPError as error:
                if not attempts:
                    raise translate_failure(service, error) from error
                LOG.info("the connection to the %s service broke; the request is sent again", service)

    def chunks(self, service: Service, path: str, *, timeout: float, start: int = 0) -> Iterator[bytes]:
        """Iterate over the chunks of a response of any length, from byte ``start`` on; the request is sent once.

        Each chunk may take ``timeout`` seconds, but no longer than the session's time-out. If a service sends all bytes
        nevertheless, those before ``start`` are skipped.
        """
        usual = self._base(service)[0].session.timeout or REQUEST_TIMEOUT_SECONDS
        options: dict[str, object] = {"stream": True, "timeout": min(timeout, usual)}
        try:
            response = self.get(service, path, **options, headers={"Range": f"bytes={start}-"} if start else {})
        except InvalidRequestError:
            if not start:
                raise
            response = self.get(service, path, **options)  # its store reads from the beginning only
        partial = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {start}-"
        )
        skipped = 0 if partial else start
        try:
            for chunk in response.iter_content(_CHUNK_BYTES):
                wanted = chunk[skipped:]
                skipped -= len(chunk) - len(wanted)
                if wanted:
                    yield wanted
        except requests.exceptions.RequestException as error:
            raise translate_failure(service, error) from error
        finally:
            response.close()

    def upload(self, service: Service, path: str, body: object, *, headers: Mapping[str, str], timeout: float) -> None:
        """Send data that can be read only once. After a 401, which is raised, the next request logs in again."""
        try:
            self.put(service, path, data=body, headers=headers, confidential=True, timeout=timeout)
        except AuthenticationError:
            self._base(service)[0].invalidate()
            raise

    # ------------------------------------------------------------- images, as every verb reads them

    def image(self, image_id: str) -> Image:
        """Read one image afresh; raise an error if the response has another image's id."""
        return image_of(self.get("image", image_path(image_id)), image_id)

    def patch_image(
        self, image_id: str, operations: Sequence[Mapping[str, object]], *, media_type: str = PATCH_MEDIA_TYPE
    ) -> requests.Response:
        """Change one image by the operations of a JSON Patch."""
        headers = {"Content-Type": media_type}
        return self.patch("image", image_path(image_id), json=operations, headers=headers)

    def delete_image(self, image_id: str) -> None:
        """Delete one image.

        Of two simultaneous deletions, the later one may fail only when Glance writes (glance/domain/__init__.py).
        """
        try:
            self.delete("image", image_path(image_id))
        except InvalidRequestError as error:
            error.hint = of_delayed_delete(error.explanation) or error.hint
            if "from deleted to deleted" not in error.explanation:
                raise
            raise NotFoundError(say("image-just-deleted", image=image_id), **error.answer()) from error

    def import_image(self, image_id: str, url: str | None, stores: Sequence[str] = ()) -> None:
        """Make Glance download a URL, or import what was staged if it is None.

        The request stays out of the log, because the URL may contain credentials.
        """
        method: dict[str, Json] = {"name": GLANCE_DIRECT} if url is None else {"name": WEB_DOWNLOAD, "uri": url}
        body: dict[str, Json] = {"method": method}
        if stores:
            body["stores"] = list(stores)
        self.post("image", image_path(image_id, "import"), json=body, confidential=True)


def steward_cloud(
    steward: Session | Connection | None, *, region_name: str | None, interface: str = "public", pace: Pace
) -> Cloud | None:
    """Return the steward's connection, from a session or an openstacksdk connection."""
    if steward is None:
        return None
    if isinstance(steward, Session):
        return Cloud.from_session(steward, region_name=region_name, interface=interface, pace=pace)
    return Cloud.from_connection(steward, pace=pace)


def not_in_catalogue(service: Service, region_name: str | None) -> Text:
    """Return the text about a service that the catalogue does not have."""
    known = word("service", service)
    if region_name is None:
        return say("service-not-in-any-catalogue", service=known)
    return say("service-not-in-catalogue", service=known, region=region_name)


def image_of(response: requests.Response, image_id: str) -> Image:
    """Return the record in Glance's response; refuse the record of another image, whose id could be anything.

    A database may find an id in capitals, too.
    """
    image = parsed(Image, "image", response.content)
    if image.id.lower() != image_id.lower():
        raise not_understood("image", "sent-another-image")
    return image


def image_path(image_id: str, *more: str) -> str:
    """Return the path of an image, or of something below it."""
    return resource_path("images", image_id, *more)


def resource_path(*parts: str) -> str:
    """Return the path that has these parts, each of them quoted."""
    return "".join(f"/{quote(part, safe='', errors='replace')}" for part in parts)


def _body(response: requests.Response) -> bytes:
    if response.raw.tell():  # keystoneauth has logged the body, and requests keeps it
        return response.content
    body: bytes = response.raw.read(decode_content=True)
    return body
