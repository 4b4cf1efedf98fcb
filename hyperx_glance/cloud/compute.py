"""Nova's servers, as every verb reads them.

>>> from hyperx_glance.cloud.compute import servers
>>> list(servers(cloud))
[]
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from pydantic import Field

from hyperx_glance.cloud.answers import Shape, Told, parsed, said
from hyperx_glance.cloud.cloud import Cloud, Json
from hyperx_glance.cloud.pages import Listed, ListPage, collection, listed
from hyperx_glance.errors import InvalidRequestError, ServiceUnavailableError
from hyperx_glance.models.results import Server
from hyperx_glance.models.times import Time

MICROVERSION = "2.67"
"""Nova of Stein (2019). Tags in POST /servers came with 2.52, volume types with 2.67; nothing newer is needed."""
PAGE = 1000


class _Attached(Shape):
    id: str
    delete_on_termination: bool = False


class _Fault(Shape):
    message: Told = ""


class _Flavor(Shape):
    original_name: str = ""


class _Address(Shape):
    addr: str


class ServerRecord(Listed):
    """Hold what Nova tells of a server."""

    name: str = ""
    status: str = "UNKNOWN"
    task_state: str | None = Field(None, alias="OS-EXT-STS:task_state")
    created: Time | None = None
    addresses: dict[str, tuple[_Address, ...]] = Field(default_factory=dict)
    flavor: _Flavor = _Flavor()
    fault: _Fault | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = Field(default_factory=dict)
    volumes: tuple[_Attached, ...] = Field((), alias="os-extended-volumes:volumes_attached")

    def as_server(self) -> Server:
        """Show it as callers see it."""
        return Server(
            id=self.id,
            name=self.name,
            status=self.status,
            addresses={network: tuple(each.addr for each in each_of) for network, each_of in self.addresses.items()},
            flavor=self.flavor.original_name,
            created_at=self.created,
            fault=self.fault.message if self.fault else None,
        )


class _ServerPage(ListPage[ServerRecord], alias_generator=collection("servers")):
    pass


class _OneServer(Shape):
    server: ServerRecord


def server(cloud: Cloud, server_id: str) -> ServerRecord:
    """Read one server: an older Nova tells here alone why it is in ERROR, where no host was found for it."""
    return parsed(_OneServer, "compute", nova(cloud, "GET", f"/servers/{quote(server_id, safe='')}")).server


def servers(cloud: Cloud, **criteria: str) -> Iterator[ServerRecord]:
    """Iterate over the servers that match Nova's own criteria: one request for each thousand."""

    def read(params: Mapping[str, object]) -> _ServerPage:
        return parsed(_ServerPage, "compute", nova(cloud, "GET", "/servers/detail", params=params))

    return listed("compute", read, {**criteria, "limit": PAGE})


def nova(
    cloud: Cloud,
    method: str,
    path: str,
    *,
    params: Mapping[str, object] | None = None,
    json: Json = None,
    confidential: bool = False,
    secret: str = "",
) -> bytes:
    """Send Nova one request, and give its answer."""
    try:
        response = cloud.request(
            "compute",
            method,
            path,
            params=params,
            json=json,
            microversion=MICROVERSION,
            confidential=confidential,
            secret=secret,
        )
    except InvalidRequestError as error:
        if error.status == 406:
            raise _too_old(error.message) from error
        raise
    # A Nova without microversions, or its v2.0 compatibility mode, ignores the request for one and says nothing.
    answered = response.headers.get("OpenStack-API-Version", "no microversion")
    if answered != f"compute {MICROVERSION}":
        raise _too_old(f"it answered with {said(answered)}.")
    return response.content


def _too_old(reason: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        "This cloud's Nova is too old for server tags, without which a launch whose answer is lost could not be found"
        f" again: microversion {MICROVERSION} is needed; {reason}",
        service="compute",
        hint="Nova of Stein (2019) or later is needed.",
    )
