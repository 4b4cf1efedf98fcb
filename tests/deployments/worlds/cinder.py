"""Cinder: down; how a service is stopped."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from tests.deployments.world import QUOTAS, WITH_VOLUMES, World, each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud


def absent(name: str) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that takes a service out of the catalogue and stops it."""

    @contextlib.contextmanager
    def without(cloud: LocalCloud) -> Iterator[None]:
        session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
        found: list[dict[str, Any]] = session.get(f"{keystone}/services?name={name}").json()["services"]
        endpoints = session.get(f"{keystone}/endpoints?service_id={found[0]['id']}").json()["endpoints"]

        def enable(*, enabled: bool) -> None:
            for endpoint in endpoints:
                session.patch(f"{keystone}/endpoints/{endpoint['id']}", json={"endpoint": {"enabled": enabled}})

        enable(enabled=False)
        try:
            with down(name)(cloud):
                yield
        finally:
            enable(enabled=True)

    return without


def down(name: str) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that stops a service."""

    @contextlib.contextmanager
    def stopped(cloud: LocalCloud) -> Iterator[None]:
        cloud.kill(name)
        try:
            yield
        finally:
            cloud.restart(name)

    return stopped


WORLDS: Final = (
    World(
        name="Cinder: down",
        made=down("cinder"),
        refused=each(("an administrator limits volumes", *WITH_VOLUMES), "no-response"),
        wrong=each(QUOTAS, "no-response"),
        doctor={"block-storage": "error"},
        tenth=True,
    ),
)
