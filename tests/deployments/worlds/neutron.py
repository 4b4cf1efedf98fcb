"""Neutron: absent, down, with small pages, without room, with other networks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from tests.deployments.world import LAUNCHES, WITH_VOLUMES, World, each
from tests.deployments.worlds.cinder import absent, down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from keystoneauth1.session import Session

    from hyperx_glance.testing import LocalCloud


def only_network(session: Session, url: str) -> dict[str, Any]:
    """Return the network that everybody has."""
    found: list[dict[str, Any]] = session.get(f"{url}/networks?name=net1").json()["networks"]
    return found[0]


def changed(**fields: object) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change of the only network."""

    @contextlib.contextmanager
    def network(cloud: LocalCloud) -> Iterator[None]:
        session, url = cloud.session("admin"), f"{cloud.url('neutron')}/v2.0"
        only = only_network(session, url)
        session.put(f"{url}/networks/{only['id']}", json={"network": fields})
        try:
            yield
        finally:
            session.put(f"{url}/networks/{only['id']}", json={"network": {name: only[name] for name in fields}})

    return network


def second_network(name: str) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that adds a shared network."""

    @contextlib.contextmanager
    def networks(cloud: LocalCloud) -> Iterator[None]:
        session, url = cloud.session("admin"), f"{cloud.url('neutron')}/v2.0"
        body = {"network": {"name": name, "shared": True}}
        made = session.post(f"{url}/networks", json=body).json()["network"]["id"]
        session.post(f"{url}/subnets", json={"subnet": {"network_id": made, "cidr": "10.98.0.0/24", "ip_version": 4}})
        try:
            yield
        finally:
            session.delete(f"{url}/networks/{made}", raise_exc=False)

    return networks


@contextlib.contextmanager
def no_subnet(cloud: LocalCloud) -> Iterator[None]:
    """Take the addresses of the only network away."""
    session, url = cloud.session("admin"), f"{cloud.url('neutron')}/v2.0"
    (subnet,) = only_network(session, url)["subnets"]
    former = session.get(f"{url}/subnets/{subnet}").json()["subnet"]
    session.delete(f"{url}/subnets/{subnet}")
    try:
        yield
    finally:
        again = {field: former[field] for field in ("network_id", "name", "cidr", "ip_version")}
        session.post(f"{url}/subnets", json={"subnet": again})


@contextlib.contextmanager
def one_address(cloud: LocalCloud) -> Iterator[None]:
    """Leave one address in the only network."""
    session, url = cloud.session("admin"), f"{cloud.url('neutron')}/v2.0"
    (subnet,) = only_network(session, url)["subnets"]
    former = session.get(f"{url}/subnets/{subnet}").json()["subnet"]["allocation_pools"]
    last = former[0]["end"]

    def allow(pools: list[dict[str, str]]) -> None:
        session.put(f"{url}/subnets/{subnet}", json={"subnet": {"allocation_pools": pools}})

    allow([{"start": last, "end": last}])
    try:
        yield
    finally:
        allow(former)


WORLDS: Final = (
    World(
        name="Neutron: absent",
        made=absent("neutron"),
        refused={"a member sees the networks": "service-not-in-catalogue", **each(LAUNCHES, "no-network-service")},
        doctor={"network": "error"},
    ),
    World(
        name="Neutron: down",
        made=down("neutron"),
        refused=each(
            (
                "a member sees the networks",
                *LAUNCHES,
                "a reader launches a server",
                "a member launches beyond the quota",
            ),
            "no-response",
        ),
        doctor={"network": "error"},
    ),
    World(
        name="Neutron: no network for members",
        made=changed(shared=False),
        refused={"a member sees the networks": "otherwise: net1 is not offered", **each(LAUNCHES, "no-network")},
        doctor={"launch-choices": "error"},
    ),
    World(
        name="Neutron: the only network is external",
        made=changed(**{"router:external": True, "shared": False}),
        refused={"a member sees the networks": "otherwise: net1 is not offered", **each(LAUNCHES, "no-network")},
        doctor={"launch-choices": "error"},
    ),
    World(name="Neutron: two networks", made=second_network("net2")).expecting(
        refused=each(LAUNCHES, "refused-in-this-state")
    ),
    World(name="Neutron: two networks of one name", made=second_network("net1")).expecting(
        refused=each(LAUNCHES, "refused-in-this-state")
    ),
    World(
        name="Neutron: no subnet",
        made=no_subnet,
        refused={
            "a member sees the networks": "otherwise: net1 is not offered",
            **each(
                (*LAUNCHES, "a reader launches a server", "a member launches beyond the quota"),
                "only-network-has-no-subnet",
            ),
        },
        doctor={"launch-choices": "error"},
        tenth=True,
    ),
    World(
        name="Neutron: one address",
        made=one_address,
        refused=each((name for name in LAUNCHES if name != "a member launches a server"), "launch-failed"),
    ),
    World(
        name="Neutron: neither port security nor security groups",
        made=changed(port_security_enabled=False),
        options={"neutron": {"securitygroup": {"enable_security_group": False}}},
    ),
    World(
        name="Neutron: one port for each department",
        options={"neutron": {"QUOTAS": {"quota_port": 1}}},
        refused=each(("a member launches two servers", *WITH_VOLUMES), "no-room"),
    ),
)
