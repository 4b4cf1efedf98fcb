"""Cinder: absent, down, without snapshots, with other types; how a service is stopped."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.deployments.world import WITH_VOLUMES, World, each
from tests.support import outages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud
    from hyperx_glance.testing.memory import ServiceName


def absent(name: ServiceName) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that takes a service out of the catalogue and stops it."""
    return lambda cloud: outages.absent(cloud, name)


def down(name: ServiceName) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that stops a service."""
    return lambda cloud: outages.down(cloud, name)


def option(name: str, **options: str | int | bool | None) -> World:
    """Return a world that changes options of Cinder's main section."""
    return World(name=f"Cinder: {name}", options={"cinder": {"DEFAULT": options}})


def types(default: str, **specs: dict[str, str]) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that adds types of volumes, and makes one of them the default."""

    @contextlib.contextmanager
    def more_types(cloud: LocalCloud) -> Iterator[None]:
        session = cloud.session("admin")
        url = f"{cloud.url('cinder')}/v3/types"
        made = []
        for name, spec in specs.items():
            body = {"volume_type": {"name": name, "extra_specs": spec}}
            made.append(session.post(url, json=body).json()["volume_type"]["id"])
        try:
            with cloud.configured("cinder", {"DEFAULT": {"default_volume_type": default}}):
                yield
        finally:
            for volume_type in made:
                session.delete(f"{url}/{volume_type}", raise_exc=False)

    return more_types


WORLDS: Final = (
    World(
        name="Cinder: absent",
        made=absent("cinder"),
        refused={
            "an administrator limits volumes": "service-not-in-catalogue",
            "a member launches a server on a volume": "no-volumes-to-boot-from",
            "a member installs from an iso": "no-volumes-to-install-on",
        },
        doctor={"block-storage": "warning"},
    ),
    World(
        name="Cinder: down",
        made=down("cinder"),
        refused=each(("an administrator limits volumes", *WITH_VOLUMES), "no-response"),
        doctor={"block-storage": "error"},
        tenth=True,
    ),
    option("no snapshots", quota_snapshots=0),
    World(name="Cinder: two types", made=types("plain", plain={}, files={"volume_backend_name": "files"})),
)
