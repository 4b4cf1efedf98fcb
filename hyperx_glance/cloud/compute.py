"""Nova's servers, as every verb reads them.

>>> from hyperx_glance.cloud.compute import servers
>>> list(servers(cloud))
[]
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeVar

from pydantic import Field

from hyperx_glance.cloud.answers import ServiceText, Shape, cleaned, parsed
from hyperx_glance.cloud.cloud import Cloud, Json, resource_path
from hyperx_glance.cloud.pages import Listed, ListPage, collection, listed
from hyperx_glance.errors import (
    AmbiguousNameError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.models.results import Server
from hyperx_glance.models.times import Time
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import LAUNCH_IMAGE_KEY

MICROVERSION = "2.67"
"""Nova of Stein (2019). Tags in POST /servers came with 2.52, volume types with 2.67; nothing newer is used."""
PAGE = 1000
_Server = TypeVar("_Server", bound=Listed)


class _Attached(Shape):
    id: str
    delete_on_termination: bool = False


class _Fault(Shape):
    message: ServiceText = ""


class _Flavor(Shape):
    original_name: str = ""


class _Address(Shape):
    addr: str


class _Image(Shape):
    id: str | None = None


class ServerOfImage(Listed):
    """The part of a server's record that says where the server comes from; ``image`` is "" if it runs on a volume.

    Nothing else is read, so that no odd record of another department fails an administrator's list.
    """

    name: str | None = None
    status: str | None = None
    project_id: str | None = Field(None, alias="tenant_id")
    image: _Image | Literal[""] | None = None

    @property
    def image_id(self) -> str:
        """The id of the image that the server was made from; "" if Nova names none."""
        return (self.image and self.image.id) or ""


class ServerOfLaunch(Listed):
    """The part of a server's record that says from which image it is being launched."""

    status: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class ServerRecord(ServerOfImage):
    """Nova's view of a server."""

    status: str = "UNKNOWN"
    project_id: str = Field("", alias="tenant_id")
    task_state: str | None = Field(None, alias="OS-EXT-STS:task_state")
    locked: bool = False
    created: Time | None = None
    addresses: dict[str, tuple[_Address, ...]] = Field(default_factory=dict)
    flavor: _Flavor = _Flavor()
    fault: _Fault | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = Field(default_factory=dict)
    volumes: tuple[_Attached, ...] = Field((), alias="os-extended-volumes:volumes_attached")

    def as_server(self) -> Server:
        """Return the server as callers see it."""
        return Server(
            id=self.id,
            name=self.name or "",
            status=self.status,
            addresses={network: tuple(each.addr for each in each_of) for network, each_of in self.addresses.items()},
            flavor=self.flavor.original_name,
            created_at=self.created,
            fault=self.fault.message if self.fault else None,
        )


class _ServerPage(ListPage[ServerRecord], alias_generator=collection("servers")):
    pass


class _ServerOfImagePage(ListPage[ServerOfImage], alias_generator=collection("servers")):
    pass


class _ServerOfLaunchPage(ListPage[ServerOfLaunch], alias_generator=collection("servers")):
    pass


class _OneServer(Shape):
    server: ServerRecord


class _OneServerOfImage(Shape):
    server: ServerOfImage


class _OneServerOfLaunch(Shape):
    server: ServerOfLaunch


class _ServerIdPage(ListPage[Listed], alias_generator=collection("servers")):
    pass


def server(cloud: Cloud, server_id: str, *, microversion: str | None = MICROVERSION) -> ServerRecord:
    """Read one server; any Nova shows it without a microversion, but without its tags.

    If no host was found for a server, older Novas show the reason only here, not in lists.
    """
    return parsed(_OneServer, "compute", nova(cloud, "GET", server_path(server_id), microversion=microversion)).server


def servers(
    cloud: Cloud, criteria: Mapping[str, str] | None = None, *, page_size: int = PAGE
) -> Iterator[ServerRecord]:
    """Iterate over the servers that match Nova's own criteria, the newest first: one request for each page."""

    def read(params: Mapping[str, object]) -> _ServerPage:
        return parsed(_ServerPage, "compute", nova(cloud, "GET", "/servers/detail", params=params))

    asked = {**(criteria or {}), "limit": page_size}
    return _in_detail(cloud, read, lambda server_id: server(cloud, server_id), asked, microversion=MICROVERSION)


def servers_of_images(cloud: Cloud, criteria: Mapping[str, str], *, page_size: int) -> Iterator[ServerOfImage]:
    """Iterate over servers, with only the parts of their records that concern images; any version of Nova works."""

    def read(params: Mapping[str, object]) -> _ServerOfImagePage:
        return cloud.get_parsed(_ServerOfImagePage, "compute", "/servers/detail", params=params)

    def read_one(server_id: str) -> ServerOfImage:
        return cloud.get_parsed(_OneServerOfImage, "compute", server_path(server_id)).server

    return _in_detail(cloud, read, read_one, {**criteria, "limit": page_size})


def _in_detail(
    cloud: Cloud,
    read: Callable[[Mapping[str, object]], ListPage[_Server]],
    read_one: Callable[[str], _Server],
    criteria: Mapping[str, object],
    *,
    microversion: str | None = None,
) -> Iterator[_Server]:
    """Iterate over a list of servers; read each server alone if a policy refuses the list with details.

    Nova has a policy for each of the two lists (nova/policies/servers.py, servers:detail and servers:index).
    """

    def read_ids(params: Mapping[str, object]) -> _ServerIdPage:
        return parsed(
            _ServerIdPage, "compute", nova(cloud, "GET", "/servers", params=params, microversion=microversion)
        )

    seen = False
    try:
        for record in listed("compute", read, criteria):
            seen = True
            yield record
    except NotAllowedError:
        if seen:
            raise
    else:
        return
    for found in listed("compute", read_ids, criteria):
        with contextlib.suppress(NotFoundError):  # deleted meanwhile
            yield read_one(found.id)


def pattern(part: str) -> str:
    """Return a regular expression for names with this part in any case; compare the names that it finds.

    The syntax of Nova's filter, and whether it regards case, depend on Nova's database (nova/db/main/api.py,
    _regex_instance_filter). So letters with a case become sets of both, and all but letters and digits "anything".
    """
    return re.sub(r"(?:\.\*)+", ".*", "".join(_alternatives(character) for character in part))


def _alternatives(character: str) -> str:
    if character.isascii() and character.isalpha():
        return f"[{character.lower()}{character.upper()}]"
    return character if character.isalnum() and character.lower() == character.upper() else ".*"


def server_id(cloud: Cloud, name: str) -> str:
    """Return the id of the server of the connected department that has exactly this name; see `pattern`."""
    expression = re.sub(r"\W+", ".*", name)
    found = servers_of_images(cloud, {"name": f"^{expression}$"}, page_size=PAGE)
    matches = sorted(server.id for server in found if server.name == name)
    if not matches:
        raise NotFoundError(say("no-such-server", name=name), hint=say("list-servers"))
    if len(matches) > 1:
        raise AmbiguousNameError(say("several-servers", count=len(matches), name=name), matches=matches)
    return matches[0]


def images_being_launched(cloud: Cloud) -> frozenset[str]:
    """Return the ids of the images from which servers are being built; an administrator sees those of everybody."""

    def read(params: Mapping[str, object]) -> _ServerOfLaunchPage:
        return cloud.get_parsed(_ServerOfLaunchPage, "compute", "/servers/detail", params=params)

    def read_one(server_id: str) -> ServerOfLaunch:
        return cloud.get_parsed(_OneServerOfLaunch, "compute", server_path(server_id)).server

    criteria = {"status": "BUILD", "limit": PAGE, **({"all_tenants": "1"} if cloud.is_administrator else {})}
    building = (server for server in _in_detail(cloud, read, read_one, criteria) if server.status == "BUILD")
    return frozenset(filter(None, (server.metadata.get(LAUNCH_IMAGE_KEY) for server in building)))


def server_path(server_id: str, *more: str) -> str:
    """Return the path of a server, or of something below it."""
    return resource_path("servers", server_id, *more)


def nova(
    cloud: Cloud,
    method: str,
    path: str,
    *,
    params: Mapping[str, object] | None = None,
    json: Json = None,
    microversion: str | None = MICROVERSION,
    confidential: bool = False,
    secret: str = "",
) -> bytes:
    """Send one request to Nova, and return the body of its response."""
    try:
        response = cloud.request(
            "compute",
            method,
            path,
            params=params,
            json=json,
            microversion=microversion,
            confidential=confidential,
            secret=secret,
        )
    except InvalidRequestError as error:
        if error.status == 406:
            raise _too_old(error.explanation) from error
        raise
    # A Nova without microversions, or its v2.0 compatibility mode, ignores the header and does not say so.
    answered = response.headers.get("OpenStack-API-Version", "no microversion")
    if microversion is not None and answered != f"compute {microversion}":
        raise _too_old(f"it answered with {cleaned(answered)}.")
    return response.content


def _too_old(explanation: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        say("nova-too-old", microversion=MICROVERSION),
        explanation=explanation,
        service="compute",
        hint=say("upgrade-nova"),
    )
