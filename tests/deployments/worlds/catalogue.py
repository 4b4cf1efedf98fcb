"""The catalogue: how endpoints are written in it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.deployments.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud


def written(
    suffixes: dict[str, str],
) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that writes the public endpoints of services with something behind them."""

    @contextlib.contextmanager
    def endpoints(cloud: LocalCloud) -> Iterator[None]:
        session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
        before: dict[str, str] = {}
        for name, suffix in suffixes.items():
            (service,) = session.get(f"{keystone}/services?name={name}").json()["services"]
            listed = session.get(f"{keystone}/endpoints?service_id={service['id']}&interface=public").json()
            (endpoint,) = listed["endpoints"]
            before[endpoint["id"]] = endpoint["url"]
            change = {"endpoint": {"url": cloud.url(name) + suffix}}
            session.patch(f"{keystone}/endpoints/{endpoint['id']}", json=change)
        try:
            yield
        finally:
            for endpoint_id, url in before.items():
                session.patch(f"{keystone}/endpoints/{endpoint_id}", json={"endpoint": {"url": url}})

    return endpoints


VERSIONED: Final = {"glance": "/v2", "nova": "/v2.1", "neutron": "/v2.0", "cinder": "/v3"}

WORLDS: Final = (World(name="Catalogue: endpoints with versions", made=written(VERSIONED)),)
