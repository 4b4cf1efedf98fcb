"""Nova's, Neutron's and Cinder's answers that a launch needs, as typed objects.

>>> from hyperx_glance.launching.servers import launched
>>> launched(cloud, "no-such-launch")
[]
"""

from collections.abc import Iterator, Mapping, Sequence
from json import dumps
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import AliasPath, Field

from hyperx_glance.answers import Shape, Time, Told, parsed, said
from hyperx_glance.cloud import Cloud, Json
from hyperx_glance.errors import (
    AmbiguousNameError,
    InvalidRequestError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.launching.plan import LAUNCH_KEY, TAG_PREFIX, Flavor, Network, launch_tag
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.models.results import Server
from hyperx_glance.pages import Listed, ListPage, collection, listed

MICROVERSION = "2.67"
"""Nova of Stein (2019). Tags in POST /servers came with 2.52, volume types with 2.67; nothing newer is needed."""
PAGE = 1000
FEW = 5
"""So many names are told where the one that was asked for is not there."""


class _Attached(Shape):
    id: str
    delete_on_termination: bool = False


class _Fault(Shape):
    message: Told = ""


class _Flavor(Shape):
    original_name: str = ""


class _Address(Shape):
    addr: str


class Record(Listed):
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


class _Ordered(Shape):
    reservation_id: str


class _ServerPage(ListPage[Record], alias_generator=collection("servers")):
    pass


class _OneServer(Shape):
    server: Record


class _Named(Listed):
    name: str


class _Choosable(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


class _FlavorRecord(_Named):
    vcpus: int
    ram: int
    disk: int


class _FlavorPage(ListPage[_FlavorRecord], alias_generator=collection("flavors")):
    pass


class Volume(Listed):
    """Hold what Cinder tells of a volume."""

    name: str | None = None
    status: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    volume_image_metadata: dict[str, str] = Field(default_factory=dict)


class _Marked(Shape):
    metadata: dict[str, str]


class _VolumePage(ListPage[Volume], alias_generator=collection("volumes")):
    pass


class NetworkRecord(_Named):
    """Hold what Neutron tells of a network."""

    project_id: str = ""
    shared: bool = False
    external: bool = Field(default=False, alias="router:external")
    subnets: tuple[str, ...] = ()


class _NetworkPage(ListPage[NetworkRecord], alias_generator=collection("networks")):
    pass


class KeyPairRecord(Listed):
    """Hold what Nova tells of a key pair, which is a record within a record."""

    id: str = Field(validation_alias=AliasPath("keypair", "name"))
    kind: str = Field("ssh", validation_alias=AliasPath("keypair", "type"))
    fingerprint: str = Field("", validation_alias=AliasPath("keypair", "fingerprint"))


class _KeyPairPage(ListPage[KeyPairRecord], alias_generator=collection("keypairs")):
    pass


class _ZoneState(Shape):
    available: bool


class ZoneRecord(Shape):
    """Hold what Nova tells of an availability zone."""

    name: str = Field(alias="zoneName")
    state: _ZoneState = Field(alias="zoneState")


class _ZoneList(Shape):
    zones: tuple[ZoneRecord, ...] = Field(alias="availabilityZoneInfo")


class _GroupList(Shape):
    server_groups: tuple[_Named, ...]


# ----------------------------------------------------------------- Nova


def launched(cloud: Cloud, launch_id: str) -> list[Record]:
    """List the servers of a launch: one request, and one more for each further thousand."""
    tag = launch_tag(launch_id)
    # A Nova below 2.26 ignores the filter and gives every server.
    return [record for record in _servers(cloud, tags=tag) if tag in record.tags]


def every_launched(cloud: Cloud) -> dict[str, list[Record]]:
    """List the servers of every launch, by its id: one request, and one more for each further thousand servers."""
    found: dict[str, list[Record]] = {}
    for record in _servers(cloud):
        for tag in record.tags:
            if tag.startswith(TAG_PREFIX):
                found.setdefault(tag.removeprefix(TAG_PREFIX), []).append(record)
    return found


def server(cloud: Cloud, server_id: str) -> Record:
    """Read one server: an older Nova tells here alone why it is in ERROR, where no host was found for it."""
    return parsed(_OneServer, "compute", nova(cloud, "GET", f"/servers/{quote(server_id, safe='')}")).server


def _servers(cloud: Cloud, **criteria: str) -> Iterator[Record]:
    def read(params: Mapping[str, object]) -> _ServerPage:
        return parsed(_ServerPage, "compute", nova(cloud, "GET", "/servers/detail", params=params))

    return listed("compute", read, {**criteria, "limit": PAGE})


def create(cloud: Cloud, body: dict[str, Json], *, password: str | None) -> None:
    """Order the servers; sent once, whatever happens. No error repeats the password."""
    answer = nova(cloud, "POST", "/servers", json=body, confidential=True, secret=password or "")
    parsed(_Ordered, "compute", answer)


def delete(cloud: Cloud, server_id: str) -> None:
    """Delete a server; one that is gone is no error."""
    try:
        nova(cloud, "DELETE", f"/servers/{quote(server_id, safe='')}")
    except NotFoundError:
        return


def flavors(cloud: Cloud) -> list[Flavor]:
    """List the flavors that the caller can use: one request, and one more for each further thousand."""

    def read(params: Mapping[str, object]) -> _FlavorPage:
        return parsed(_FlavorPage, "compute", nova(cloud, "GET", "/flavors/detail", params=params))

    # Administrators see private flavors only when they ask; from others Nova ignores it.
    found = listed("compute", read, {"is_public": "none", "limit": PAGE})
    return [Flavor(each.id, each.name, each.vcpus, each.ram, each.disk) for each in found]


def find_flavor(cloud: Cloud, name_or_id: str) -> Flavor:
    """Find a flavor by id or name, by one list: Nova has no filter for names."""
    return _chosen(flavors(cloud), "flavor", name_or_id)


def key_pairs(cloud: Cloud) -> list[KeyPairRecord]:
    """List the caller's key pairs."""

    def read(params: Mapping[str, object]) -> _KeyPairPage:
        return parsed(_KeyPairPage, "compute", nova(cloud, "GET", "/os-keypairs", params=params))

    return list(listed("compute", read, {"limit": PAGE}))


def availability_zones(cloud: Cloud) -> tuple[ZoneRecord, ...]:
    """List the availability zones, without Nova's internal one."""
    return parsed(_ZoneList, "compute", nova(cloud, "GET", "/os-availability-zone")).zones


def find_server_group(cloud: Cloud, name_or_id: str) -> str:
    """Find a server group's id by id or name."""
    groups = parsed(_GroupList, "compute", nova(cloud, "GET", "/os-server-groups", params={"limit": PAGE}))
    return _chosen(groups.server_groups, "server group", name_or_id).id


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


# ----------------------------------------------------------------- Neutron and Cinder


def find_networks(cloud: Cloud, request: LaunchRequest) -> tuple[Network, ...]:
    """Find the networks that a request names, by one list."""
    if isinstance(request.networks, str) or not request.networks:
        return ()

    found = networks(cloud)
    chosen = [_chosen(found, "network", reference) for reference in request.networks]
    return tuple(Network(network.id, network.name) for network in chosen)


def networks(cloud: Cloud) -> list[NetworkRecord]:
    """List the networks that Neutron shows."""

    def read(params: Mapping[str, object]) -> _NetworkPage:
        return cloud.get_parsed(_NetworkPage, "network", "/networks", params=params)

    return list(
        listed("network", read, {"fields": ["id", "name", "project_id", "shared", "router:external", "subnets"]})
    )


def volumes(cloud: Cloud, *, launch_id: str | None = None) -> dict[str, Volume]:
    """List the department's volumes, by id; those that a launch has marked, where its id is given."""

    def read(params: Mapping[str, object]) -> _VolumePage:
        return cloud.get_parsed(_VolumePage, "block-storage", "/volumes/detail", params=params)

    marked: dict[str, object] = {} if launch_id is None else {"metadata": dumps({LAUNCH_KEY: launch_id})}
    # An operator may switch the filter off: then Cinder gives every volume (cinder/api/api_utils.py).
    return {
        volume.id: volume
        for volume in listed("block-storage", read, {"limit": PAGE, **marked})
        if launch_id in (None, volume.metadata.get(LAUNCH_KEY))
    }


def mark_volume(cloud: Cloud, volume_id: str, metadata: Mapping[str, str]) -> bool:
    """Add to a volume's metadata; False where its state forbids it now (cinder/volume/api.py, "uploading").

    It may be sent again: the second time it changes nothing.
    """
    path = f"/volumes/{quote(volume_id, safe='')}/metadata"
    try:
        answer = cloud.post("block-storage", path, json={"metadata": metadata})
    except NotFoundError:
        return True
    except InvalidRequestError:
        return False
    parsed(_Marked, "block-storage", answer.content)
    return True


def delete_volume(cloud: Cloud, volume_id: str) -> None:
    """Delete a volume; one that is gone is no error."""
    try:
        cloud.delete("block-storage", f"/volumes/{quote(volume_id, safe='')}")
    except NotFoundError:
        return


_Choice = TypeVar("_Choice", bound=_Choosable)


def _chosen(choices: Sequence[_Choice], kind: str, name_or_id: str) -> _Choice:
    """Pick the one of that id, else the only one of that name."""
    matches = [choice for choice in choices if choice.id == name_or_id] or [
        choice for choice in choices if choice.name == name_or_id
    ]
    if len(matches) > 1:
        raise AmbiguousNameError(
            f"Several {kind}s are called {name_or_id}.", matches=sorted(choice.id for choice in matches)
        )
    if not matches:
        raise NotFoundError(f"There is no {kind} {name_or_id}.", hint=_instead(choices, kind))
    return matches[0]


def _instead(choices: Sequence[_Choosable], kind: str) -> str:
    """Say which there are, as far as a sentence can hold them."""
    names = sorted({choice.name for choice in choices})
    if not names:
        return f"You can use no {kind} in this cloud: ask an administrator for one."
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"There {'are' if len(names) > 1 else 'is'} {', '.join(names[:FEW])}{more}; openstack {kind} list shows all."
