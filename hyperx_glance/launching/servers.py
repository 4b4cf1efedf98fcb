"""The requests of a launch to Nova, Neutron and Cinder, and their responses as typed objects.

>>> from hyperx_glance.launching.servers import launched
>>> launched(cloud, "no-such-launch")
[]
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import AliasPath, Field

from hyperx_glance.cloud.answers import Shape, parsed
from hyperx_glance.cloud.cloud import Cloud, Json
from hyperx_glance.cloud.compute import PAGE, ServerRecord, nova, server_path, servers
from hyperx_glance.cloud.pages import Listed, ListPage, collection, listed
from hyperx_glance.cloud.volumes import volume_path
from hyperx_glance.errors import (
    AmbiguousNameError,
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from hyperx_glance.launching.order import TAG_PREFIX, launch_tag
from hyperx_glance.launching.plan import Flavor, Network
from hyperx_glance.models.launching import LaunchRequest
from hyperx_glance.texts import Text, say, word

FEW = 5
"""The most names that an error suggests instead of an unknown one."""


class _Ordered(Shape):
    reservation_id: str


class _Named(Listed):
    name: str


class _Called(Protocol):
    @property
    def name(self) -> str: ...


class _Choosable(_Called, Protocol):
    @property
    def id(self) -> str: ...


class _FlavorRecord(_Named):
    vcpus: int
    ram: int
    disk: int


class _FlavorPage(ListPage[_FlavorRecord], alias_generator=collection("flavors")):
    pass


class _Marked(Shape):
    metadata: dict[str, str]


class NetworkRecord(_Named):
    """Neutron's view of a network."""

    project_id: str = ""
    shared: bool = False
    external: bool = Field(default=False, alias="router:external")
    subnets: tuple[str, ...] = ()
    port_security: bool = Field(default=True, alias="port_security_enabled")


class _NetworkPage(ListPage[NetworkRecord], alias_generator=collection("networks")):
    pass


class KeyPairRecord(Listed):
    """Nova's view of a key pair, which is a record within a record."""

    id: str = Field(validation_alias=AliasPath("keypair", "name"))
    kind: str = Field("ssh", validation_alias=AliasPath("keypair", "type"))
    fingerprint: str = Field("", validation_alias=AliasPath("keypair", "fingerprint"))


class _KeyPairPage(ListPage[KeyPairRecord], alias_generator=collection("keypairs")):
    pass


class _ZoneState(Shape):
    available: bool


class ZoneRecord(Shape):
    """Nova's view of an availability zone."""

    name: str = Field(alias="zoneName")
    state: _ZoneState = Field(alias="zoneState")


class _ZoneList(Shape):
    zones: tuple[ZoneRecord, ...] = Field(alias="availabilityZoneInfo")


class _GroupList(Shape):
    server_groups: tuple[_Named, ...]


# ----------------------------------------------------------------- Nova


def launched(cloud: Cloud, launch_id: str) -> list[ServerRecord]:
    """List the servers of a launch: one request, and one more for each further thousand."""
    tag = launch_tag(launch_id)
    # A Nova below 2.26 ignores the filter and lists every server.
    return [record for record in servers(cloud, {"tags": tag}) if tag in record.tags]


def every_launched(cloud: Cloud) -> dict[str, list[ServerRecord]]:
    """List the servers of every launch, by its id: one request, and one more for each further thousand servers."""
    found: dict[str, list[ServerRecord]] = {}
    for record in servers(cloud):
        for tag in record.tags:
            if tag.startswith(TAG_PREFIX):
                found.setdefault(tag.removeprefix(TAG_PREFIX), []).append(record)
    return found


def create(cloud: Cloud, body: dict[str, Json], *, password: str | None) -> None:
    """Order the servers, by one request that is not repeated. No error contains the password."""
    answer = nova(cloud, "POST", "/servers", json=body, confidential=True, secret=password or "")
    parsed(_Ordered, "compute", answer)


def delete(cloud: Cloud, server_id: str) -> None:
    """Delete a server, if it still exists."""
    try:
        nova(cloud, "DELETE", server_path(server_id))
    except NotFoundError:
        return


def flavors(cloud: Cloud) -> list[Flavor]:
    """List the flavors that the caller can use: one request, and one more for each further thousand."""

    def read(params: Mapping[str, object]) -> _FlavorPage:
        return parsed(_FlavorPage, "compute", nova(cloud, "GET", "/flavors/detail", params=params))

    # Administrators see private flavors only if they ask for them; Nova ignores it from others.
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


def check_zone(cloud: Cloud, asked: str) -> None:
    """Raise if there is no such availability zone; administrators may name a host and a node, too ("zone:host")."""
    try:
        zones = availability_zones(cloud)
    except NotAllowedError:
        return
    name = asked.partition(":")[0]
    if name and all(zone.name != name for zone in zones):
        thing = "availability zone"
        raise NotFoundError(say("none-of-a-name", thing=_thing(thing), name=name), hint=_instead(zones, thing))


def find_server_group(cloud: Cloud, name_or_id: str) -> str:
    """Find a server group's id by id or name.

    Nova cuts this list at its option max_limit without a link to the rest, so it is read until a page has nothing new.
    """
    groups: dict[str, _Named] = {}
    while True:
        page = {"limit": PAGE, "offset": len(groups)}
        shown = parsed(_GroupList, "compute", nova(cloud, "GET", "/os-server-groups", params=page)).server_groups
        if groups.keys() >= {group.id for group in shown}:
            return _chosen(list(groups.values()), "server group", name_or_id).id
        groups |= {group.id: group for group in shown}


# ----------------------------------------------------------------- Neutron and Cinder


def find_networks(cloud: Cloud, request: LaunchRequest) -> tuple[Network, ...]:
    """Find the networks that a request names, by one list; check the one that Nova would choose."""
    if request.networks == "auto":
        _check_automatic(cloud)
    if isinstance(request.networks, str) or not request.networks:
        return ()
    found = networks(cloud)
    chosen = [_chosen(found, "network", reference) for reference in request.networks]
    return tuple(Network(network.id, network.name) for network in chosen)


def _check_automatic(cloud: Cloud) -> None:
    """Refuse a network that Nova would choose, and whose servers would fail after a while.

    Nova chooses among the department's own networks and shared ones (nova/network/neutron.py, _get_available_networks).
    It applies security groups in all networks with port security, which is impossible without a subnet
    (_create_ports_for_instance). All else is left to Nova, which refuses several networks, and may make one if there is
    none.
    """
    if cloud.is_administrator or not cloud.has("network"):
        return
    try:
        found = [each for each in networks(cloud) if each.shared or each.project_id == cloud.project_id]
    except NotAllowedError:
        return
    if len(found) != 1:
        return
    (only,) = found
    if only.external and not only.shared:
        raise ConflictError(say("only-network-is-external", network=only.name), hint=say("create-a-network"))
    if only.port_security and not only.subnets:
        raise ConflictError(say("only-network-has-no-subnet", network=only.name), hint=say("create-a-network"))


def networks(cloud: Cloud) -> list[NetworkRecord]:
    """List the networks that Neutron shows to the caller."""

    def read(params: Mapping[str, object]) -> _NetworkPage:
        return cloud.get_parsed(_NetworkPage, "network", "/networks", params=params)

    fields = ["id", "name", "project_id", "shared", "router:external", "subnets", "port_security_enabled"]
    return list(listed("network", read, {"fields": fields}))


def mark_volume(cloud: Cloud, volume_id: str, metadata: Mapping[str, str]) -> bool:
    """Add to a volume's metadata; return False if its state forbids it now (cinder/volume/api.py, "uploading").

    A second call changes nothing.
    """
    try:
        answer = cloud.post("block-storage", volume_path(volume_id, "metadata"), json={"metadata": metadata})
    except NotFoundError:
        return True
    except InvalidRequestError:
        return False
    parsed(_Marked, "block-storage", answer.content)
    return True


def delete_volume(cloud: Cloud, volume_id: str) -> None:
    """Delete a volume, if it still exists."""
    try:
        cloud.delete("block-storage", volume_path(volume_id))
    except NotFoundError:
        return


_Choice = TypeVar("_Choice", bound=_Choosable)


def _chosen(choices: Sequence[_Choice], kind: str, name_or_id: str) -> _Choice:
    """Return the choice with this id, or else the only one with this name."""
    matches = [choice for choice in choices if choice.id == name_or_id] or [
        choice for choice in choices if choice.name == name_or_id
    ]
    if len(matches) > 1:
        message = say("several-of-a-name", things=_thing(f"{kind}s"), name=name_or_id)
        raise AmbiguousNameError(message, matches=sorted(choice.id for choice in matches))
    if not matches:
        message = say("none-of-a-name", thing=_thing(kind), name=name_or_id)
        raise NotFoundError(message, hint=_instead(choices, kind))
    return matches[0]


def _thing(kind: str) -> Text:
    return word("thing", kind.replace(" ", "-"))


def _instead(choices: Sequence[_Called], kind: str) -> Text:
    """Return a hint with the existing names, or with the first of them; ``kind`` is OpenStack's command for them."""
    names = sorted({choice.name for choice in choices})
    if not names:
        return say("none-available", things=_thing(f"{kind}s"))
    if len(names) > FEW:
        return say("many-exist", names=names[:FEW], more=len(names) - FEW, list=kind)
    return say("several-exist" if len(names) > 1 else "one-exists", names=names, list=kind)
