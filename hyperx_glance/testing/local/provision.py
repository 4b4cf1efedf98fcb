"""What every cloud has beside users and limits: flavors, a network, Nova's quotas; made through the public APIs.

What is there stays, so that a cloud that is started again keeps its data.

>>> [flavor["name"] for flavor in FLAVORS]
['m1.tiny', 'm1.small']
"""

from collections.abc import Mapping
from typing import Any, Final

from keystoneauth1.session import Session

from hyperx_glance.testing.local.keystone import DEPARTMENTS
from hyperx_glance.testing.local.layout import Layout

# RAM in MiB, disks in GiB.
FLAVORS: Final[tuple[Mapping[str, str | int], ...]] = (
    {"name": "m1.tiny", "ram": 512, "disk": 1, "vcpus": 1, "OS-FLV-EXT-DATA:ephemeral": 1},
    {"name": "m1.small", "ram": 2048, "disk": 20, "vcpus": 1},
)
NETWORK: Final = "net1"
SERVER_QUOTA: Final[Mapping[str, int]] = {"instances": 60, "cores": 60, "ram": 200000}


def provision(layout: Layout, administrator: Session) -> None:
    """Make what is missing."""
    _create_flavors(layout, administrator)
    _create_network(layout, administrator)
    _set_quotas(layout, administrator)


def _create_flavors(layout: Layout, administrator: Session) -> None:
    url = layout.url("nova", "/v2.1/flavors")
    there = {flavor["name"] for flavor in _get(administrator, url)["flavors"]}
    for flavor in FLAVORS:
        if flavor["name"] not in there:
            administrator.post(url, json={"flavor": dict(flavor)})


def _create_network(layout: Layout, administrator: Session) -> None:
    url = layout.url("neutron", "/v2.0/networks")
    networks = _get(administrator, f"{url}?name={NETWORK}")["networks"]
    if not networks:
        created = administrator.post(url, json={"network": {"name": NETWORK, "shared": True}})
        networks = [created.json()["network"]]
    if not networks[0]["subnets"]:
        subnet = {"network_id": networks[0]["id"], "name": "subnet1", "cidr": "10.99.0.0/16", "ip_version": 4}
        administrator.post(layout.url("neutron", "/v2.0/subnets"), json={"subnet": subnet})


def _set_quotas(layout: Layout, administrator: Session) -> None:
    projects = _get(administrator, layout.url("keystone", "/v3/projects"))["projects"]
    for project in projects:
        if project["name"] in DEPARTMENTS:
            administrator.put(
                layout.url("nova", f"/v2.1/os-quota-sets/{project['id']}"),
                json={"quota_set": dict(SERVER_QUOTA) | {"force": True}},
            )


def _get(administrator: Session, url: str) -> dict[str, Any]:
    answer: dict[str, Any] = administrator.get(url).json()
    return answer
