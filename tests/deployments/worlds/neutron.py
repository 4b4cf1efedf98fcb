"""Neutron: absent, with other networks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.deployments.world import LAUNCHES, World, each
from tests.deployments.worlds.cinder import absent

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


WORLDS: Final = (
    World(
        name="Neutron: absent",
        made=absent("neutron"),
        refused={"a member sees the networks": "service-not-in-catalogue", **each(LAUNCHES, "no-network-service")},
        doctor={"network": "error"},
    ),
    World(
        name="Neutron: the only network is external",
        made=changed(**{"router:external": True, "shared": False}),
        refused={"a member sees the networks": "otherwise: net1 is not offered", **each(LAUNCHES, "no-network")},
        doctor={"launch-choices": "error"},
    ),
)
