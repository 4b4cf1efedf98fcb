"""Neutron: absent, down, with small pages, with other networks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.deployments.world import LAUNCHES, World, each
from tests.deployments.worlds.cinder import absent, down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud


def changed(**fields: object) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change of the only network."""

    @contextlib.contextmanager
    def network(cloud: LocalCloud) -> Iterator[None]:
        session, url = cloud.session("admin"), f"{cloud.url('neutron')}/v2.0/networks"
        (only,) = session.get(f"{url}?name=net1").json()["networks"]
        session.put(f"{url}/{only['id']}", json={"network": fields})
        try:
            yield
        finally:
            session.put(f"{url}/{only['id']}", json={"network": {name: only[name] for name in fields}})

    return network


@contextlib.contextmanager
def two_networks(cloud: LocalCloud) -> Iterator[None]:
    """Add a second shared network."""
    session, url = cloud.session("admin"), f"{cloud.url('neutron')}/v2.0"
    made = session.post(f"{url}/networks", json={"network": {"name": "net2", "shared": True}}).json()["network"]["id"]
    session.post(f"{url}/subnets", json={"subnet": {"network_id": made, "cidr": "10.98.0.0/24", "ip_version": 4}})
    try:
        yield
    finally:
        session.delete(f"{url}/networks/{made}")


WORLDS: Final = (
    World(
        name="Neutron: absent",
        made=absent("neutron"),
        refused={"a member sees the networks": "service-not-in-catalogue"},
        wrong=each(LAUNCHES, "launch-lost"),
        doctor={"network": "error"},
    ),
    World(name="Neutron: down", made=down("neutron")),
    World(name="Neutron: no network for members", made=changed(shared=False)),
    World(
        name="Neutron: the only network is external",
        made=changed(**{"router:external": True, "shared": False}),
        refused={"a member sees the networks": "otherwise: net1 is not offered"},
        wrong=each(LAUNCHES, "request-refused"),
    ),
    World(name="Neutron: two networks", made=two_networks),
    World(name="Neutron: pages of 2", options={"neutron": {"DEFAULT": {"pagination_max_limit": 2}}}),
    World(name="Neutron: one port for each department", options={"neutron": {"QUOTAS": {"quota_port": 1}}}),
)
