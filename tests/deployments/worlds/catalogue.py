"""The catalogue: how endpoints are written in it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from tests.deployments.world import REGISTRATIONS, World, each, unchecked

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


def volume_type(catalogue_type: str) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that offers block storage under an older type alone."""

    @contextlib.contextmanager
    def older(cloud: LocalCloud) -> Iterator[None]:
        session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
        (service,) = session.get(f"{keystone}/services?name=cinder").json()["services"]
        session.patch(f"{keystone}/services/{service['id']}", json={"service": {"type": catalogue_type}})
        try:
            yield
        finally:
            session.patch(f"{keystone}/services/{service['id']}", json={"service": {"type": service["type"]}})

    return older


def endpoints_of(cloud: LocalCloud, **asked: str) -> list[dict[str, Any]]:
    """List endpoints."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    found = cloud.session("admin").get(f"{cloud.url('keystone')}/v3/endpoints?{query}").json()["endpoints"]
    return [endpoint for endpoint in found if endpoint["interface"] == asked.get("interface", endpoint["interface"])]


@contextlib.contextmanager
def no_region(cloud: LocalCloud) -> Iterator[None]:
    """Let Glance's endpoints name no region."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    (service,) = session.get(f"{keystone}/services?name=glance").json()["services"]
    listed = endpoints_of(cloud, service_id=service["id"])
    for endpoint in listed:
        session.patch(f"{keystone}/endpoints/{endpoint['id']}", json={"endpoint": {"region_id": None}})
    try:
        yield
    finally:
        for endpoint in listed:
            change = {"endpoint": {"region_id": endpoint["region_id"]}}
            session.patch(f"{keystone}/endpoints/{endpoint['id']}", json=change)


@contextlib.contextmanager
def two_regions(cloud: LocalCloud) -> Iterator[None]:
    """Add a region with the same services."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    session.post(f"{keystone}/regions", json={"region": {"id": "RegionTwo"}})
    made = []
    for endpoint in endpoints_of(cloud):
        copied = {name: endpoint[name] for name in ("service_id", "interface", "url")} | {"region_id": "RegionTwo"}
        made.append(session.post(f"{keystone}/endpoints", json={"endpoint": copied}).json()["endpoint"]["id"])
    try:
        yield
    finally:
        for endpoint in made:
            session.delete(f"{keystone}/endpoints/{endpoint}")
        session.delete(f"{keystone}/regions/RegionTwo")


@contextlib.contextmanager
def internal_alone(cloud: LocalCloud) -> Iterator[None]:
    """Disable all public endpoints, and let Nova find block storage at the internal one."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    listed = [found for found in endpoints_of(cloud, interface="public") if found["enabled"]]

    def enable(*, enabled: bool) -> None:
        for endpoint in listed:
            session.patch(f"{keystone}/endpoints/{endpoint['id']}", json={"endpoint": {"enabled": enabled}})

    enable(enabled=False)
    try:
        with cloud.configured("nova", {"cinder": {"catalog_info": "volumev3::internalURL"}}):
            yield
    finally:
        enable(enabled=True)


@contextlib.contextmanager
def grown(cloud: LocalCloud) -> Iterator[None]:
    """Write what a catalogue has after years: versions, slashes, an older type, and a second region."""
    urls = {"glance": "/v2", "nova": "/v2.1/", "neutron": "/v2.0", "cinder": "/v3/"}
    with written(urls)(cloud), volume_type("volumev3")(cloud), two_regions(cloud):
        yield


@contextlib.contextmanager
def slashes(cloud: LocalCloud) -> Iterator[None]:
    """Let endpoints end with slashes, and offer block storage under its oldest type."""
    urls = {"glance": "/", "nova": "/v2.1/", "neutron": "/", "cinder": "/v3/"}
    with written(urls)(cloud), volume_type("volume")(cloud):
        yield


WORLDS: Final = (
    World(name="Catalogue: versions, slashes, block storage as volumev3, two regions", made=grown),
    World(name="Catalogue: slashes, block storage as volume", made=slashes),
    World(
        name="Catalogue: images are in no region",
        made=no_region,
        refused={
            **each(
                (
                    "an administrator installs the metadefs",
                    "a stranger lists images",
                    *REGISTRATIONS,
                    "a member cancels a registration",
                    "a reader registers an image",
                    "a member lists the private images",
                    "a reader lists the private images",
                    "a member turns pages of two",
                    "an administrator lists everything",
                    "a member reads the summary",
                    "an administrator gives a department room for captures",
                    "a member registers beyond the limit of images",
                    "a member deletes every image that is left",
                    "an administrator takes the room back",
                ),
                "service-not-in-catalogue",
            ),
            **each(
                (
                    "a member reads the quota",
                    "an administrator reads the quota of a department",
                    "a member sees that nothing is used any more",
                ),
                "otherwise: no usage of images, which it explains",
            ),
        },
        doctor={"image": "error", **unchecked("image")},
        tenth=True,
    ),
    World(name="Catalogue: internal endpoints alone", made=internal_alone, interface="internal"),
)
