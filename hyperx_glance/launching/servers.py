"""Nova's, Neutron's and Cinder's answers that a launch needs, as typed objects.

>>> from hyperx_glance.launching.servers import launched
>>> launched(cloud, "no-such-launch")
[]
"""

from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from hyperx_glance.cloud import Cloud, Json, parsed
from hyperx_glance.errors import (
    AmbiguousNameError,
    InvalidRequestError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.launching.plan import Flavor, Network, launch_tag
from hyperx_glance.models import LaunchRequest, Server

MICROVERSION = "2.67"
"""Nova of Stein (2019). Tags in POST /servers came with 2.52, volume types with 2.67; nothing newer is needed."""
PAGE = 1000


class _Attached(BaseModel):
    id: str
    delete_on_termination: bool = False


class _Fault(BaseModel):
    message: str = ""


class _Flavor(BaseModel):
    original_name: str = ""


class _Address(BaseModel):
    addr: str


class Record(BaseModel):
    """Hold what Nova tells of a server."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: str
    name: str = ""
    status: str = "UNKNOWN"
    task_state: str | None = Field(None, alias="OS-EXT-STS:task_state")
    created: datetime | None = None
    addresses: dict[str, tuple[_Address, ...]] = {}
    flavor: _Flavor = _Flavor()
    fault: _Fault | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
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


class _ServerPage(BaseModel):
    servers: tuple[Record, ...]
    servers_links: tuple[dict[str, str], ...] = ()


class _FlavorRecord(BaseModel):
    id: str
    name: str
    vcpus: int
    ram: int
    disk: int


class _FlavorPage(BaseModel):
    flavors: tuple[_FlavorRecord, ...]
    flavors_links: tuple[dict[str, str], ...] = ()


class Volume(BaseModel):
    """Hold what Cinder tells of a volume."""

    id: str
    name: str | None = None
    status: str = ""
    volume_image_metadata: dict[str, str] = {}


class _VolumePage(BaseModel):
    volumes: tuple[Volume, ...]
    volumes_links: tuple[dict[str, str], ...] = ()


class _NetworkList(BaseModel):
    networks: tuple[Network, ...]


class _Group(BaseModel):
    id: str
    name: str


class _GroupList(BaseModel):
    server_groups: tuple[_Group, ...]


# ----------------------------------------------------------------- Nova


def launched(cloud: Cloud, launch_id: str) -> list[Record]:
    """List the servers of a launch: one request, and one more for each further thousand."""
    tag = launch_tag(launch_id)
    found: list[Record] = []
    marker: dict[str, object] = {}
    while True:
        content = _nova(cloud, "GET", "/servers/detail", params={"tags": tag, "limit": PAGE, **marker})
        page = parsed(_ServerPage, "compute", content)
        # A Nova below 2.26 ignores the filter and gives every server.
        found += [record for record in page.servers if tag in record.tags]
        if not page.servers_links or not page.servers:
            return found
        marker = {"marker": page.servers[-1].id}


def create(cloud: Cloud, body: dict[str, Json]) -> None:
    """Order the servers; sent once, whatever happens."""
    _nova(cloud, "POST", "/servers", json=body, confidential=True)


def delete(cloud: Cloud, server_id: str) -> None:
    """Delete a server; one that is gone is no error."""
    try:
        _nova(cloud, "DELETE", f"/servers/{quote(server_id, safe='')}")
    except NotFoundError:
        return


def find_flavor(cloud: Cloud, name_or_id: str) -> Flavor:
    """Find a flavor by id or name, by one list: Nova has no filter for names."""
    found: list[Flavor] = []
    # Administrators see private flavors only when they ask; from others Nova ignores it.
    params: dict[str, object] = {"is_public": "none", "limit": PAGE}
    while True:
        page = parsed(_FlavorPage, "compute", _nova(cloud, "GET", "/flavors/detail", params=params))
        found += [
            Flavor(each.id, each.name, each.vcpus, each.ram, each.disk)
            for each in page.flavors
            if name_or_id in (each.id, each.name)
        ]
        if not page.flavors_links or not page.flavors:
            break
        params = {**params, "marker": page.flavors[-1].id}
    by_id = [flavor for flavor in found if flavor.id == name_or_id]
    if by_id:
        return by_id[0]
    if not found:
        raise NotFoundError(f"There is no flavor {name_or_id}.")
    return found[0]  # flavor names are unique (nova/db/api/models.py, Flavors)


def find_server_group(cloud: Cloud, name_or_id: str) -> str:
    """Find a server group's id by id or name."""
    groups = parsed(_GroupList, "compute", _nova(cloud, "GET", "/os-server-groups", params={"limit": PAGE}))
    matches = [group.id for group in groups.server_groups if group.id == name_or_id] or [
        group.id for group in groups.server_groups if group.name == name_or_id
    ]
    return _only(matches, "server group", name_or_id)


def _nova(
    cloud: Cloud,
    method: str,
    path: str,
    *,
    params: dict[str, object] | None = None,
    json: Json = None,
    confidential: bool = False,
) -> bytes:
    try:
        response = cloud.request(
            "compute",
            method,
            path,
            params=params,
            json=json,
            microversion=MICROVERSION,
            confidential=confidential,
        )
    except InvalidRequestError as error:
        if error.status == 406:
            raise _too_old(error.message) from error
        raise
    # A Nova without microversions, or its v2.0 compatibility mode, ignores the request for one and says nothing.
    answered = response.headers.get("OpenStack-API-Version", "no microversion")
    if answered != f"compute {MICROVERSION}":
        raise _too_old(f"it answered with {answered}.")
    return response.content


def _too_old(reason: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        "This cloud's Nova is too old for server tags, without which a launch whose answer is lost could not be found"
        f" again: microversion {MICROVERSION} is needed; {reason}",
        service="compute",
        hint="Nova of Stein (2019) or later is needed.",
    )


# ----------------------------------------------------------------- Neutron and Cinder


def find_networks(cloud: Cloud, request: LaunchRequest) -> tuple[Network, ...]:
    """Find the networks that a request names, by one list."""
    if isinstance(request.networks, str) or not request.networks:
        return ()
    content = cloud.get("network", "/networks", params=[("fields", "id"), ("fields", "name")]).content
    networks = parsed(_NetworkList, "network", content).networks
    chosen = []
    for reference in request.networks:
        matches = [network for network in networks if network.id == reference] or [
            network for network in networks if network.name == reference
        ]
        wanted = _only([network.id for network in matches], "network", reference)
        chosen += [network for network in matches if network.id == wanted]
    return tuple(chosen)


def volumes(cloud: Cloud) -> dict[str, Volume]:
    """List the department's volumes, by id."""
    found: dict[str, Volume] = {}
    params: dict[str, object] = {"limit": PAGE}
    while True:
        answer = cloud.get("block-storage", "/volumes/detail", params=params)
        page = parsed(_VolumePage, "block-storage", answer.content)
        found |= {volume.id: volume for volume in page.volumes}
        if not page.volumes_links or not page.volumes:
            return found
        params = {**params, "marker": page.volumes[-1].id}


def delete_volume(cloud: Cloud, volume_id: str) -> None:
    """Delete a volume, or leave it to who deletes it already: Cinder answers 404, or 400 for a volume that goes."""
    try:
        cloud.delete("block-storage", f"/volumes/{quote(volume_id, safe='')}")
    except (NotFoundError, InvalidRequestError):
        return


def _only(ids: list[str], kind: str, name: str) -> str:
    if not ids:
        raise NotFoundError(f"There is no {kind} {name}.")
    if len(ids) > 1:
        raise AmbiguousNameError(f"Several {kind}s are called {name}.", matches=sorted(ids))
    return ids[0]
