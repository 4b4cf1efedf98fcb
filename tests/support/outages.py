"""Services that are down, or absent from the catalogue, on both clouds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hyperx_glance.testing import InMemoryCloud, LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing.memory import ServiceName
    from tests.support.clouds import CloudUnderTest

PEOPLE = ("alice", "admin")


@contextmanager
def down(cloud: CloudUnderTest, service: ServiceName) -> Iterator[None]:
    """Stop a service for a while."""
    assert isinstance(cloud, InMemoryCloud | LocalCloud)
    cloud.kill(service)
    try:
        yield
    finally:
        cloud.restart(service)


@contextmanager
def absent(cloud: CloudUnderTest, service: ServiceName) -> Iterator[None]:
    """Take a service out of the catalogue, and stop it, for a while; people log in anew."""
    with down(cloud, service):
        _list_in_catalogue(cloud, service, listed=False)
        try:
            yield
        finally:
            _list_in_catalogue(cloud, service, listed=True)


def _list_in_catalogue(cloud: CloudUnderTest, service: ServiceName, *, listed: bool) -> None:
    if isinstance(cloud, InMemoryCloud):
        getattr(cloud, service).present = listed
    else:
        assert isinstance(cloud, LocalCloud)
        session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
        services: list[dict[str, Any]] = session.get(f"{keystone}/services").json()["services"]
        # An older type is a service of its own, as in a DevStack: cinderv3 beside cinder.
        ids = {each["id"] for each in services if each["name"].removesuffix("v3") == service}
        for endpoint in session.get(f"{keystone}/endpoints").json()["endpoints"]:
            if endpoint["service_id"] in ids:
                session.patch(f"{keystone}/endpoints/{endpoint['id']}", json={"endpoint": {"enabled": listed}})
    for person in PEOPLE:
        cloud.session(person).invalidate()
