"""Cinder: absent, down, with small pages, without room, with other types; how a service is stopped."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.deployments.world import INCOMPLETE, WITH_VOLUMES, World, each
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


@contextlib.contextmanager
def encrypted_volumes(cloud: LocalCloud) -> Iterator[None]:
    """Let Cinder encrypt each volume, with a key from its options."""
    session, url = cloud.session("admin"), f"{cloud.url('cinder')}/v3/types"
    made = session.post(url, json={"volume_type": {"name": "secret"}}).json()["volume_type"]["id"]
    encryption = {"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256}
    session.post(f"{url}/{made}/encryption", json={"encryption": encryption})
    keys = {"backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager", "fixed_key": "0" * 64}
    try:
        with cloud.configured("cinder", {"DEFAULT": {"default_volume_type": "secret"}, "key_manager": keys}):
            yield
    finally:
        session.delete(f"{url}/{made}", raise_exc=False)


@contextlib.contextmanager
def image_volume_cache(cloud: LocalCloud) -> Iterator[None]:
    """Let Cinder keep a volume of each image for the next one."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    (project,) = session.get(f"{keystone}/projects?name=service").json()["projects"]
    (user,) = session.get(f"{keystone}/users?name=cinder").json()["users"]
    internal = {
        "cinder_internal_tenant_project_id": project["id"],
        "cinder_internal_tenant_user_id": user["id"],
    }
    with cloud.configured("cinder", {"DEFAULT": internal, "files": {"image_volume_cache_enabled": True}}):
        yield


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
        refused={
            **each(("an administrator limits volumes", *WITH_VOLUMES), "no-response"),
            "a member sees the servers that use an image": INCOMPLETE,
        },
        doctor={"block-storage": "error"},
        tenth=True,
    ),
    option("no room for a volume", quota_volumes=0),
    option("2 GiB of volumes", quota_gigabytes=2),
    option("no volume beyond 1 GiB", per_volume_size_limit=1),
    option("no snapshots", quota_snapshots=0),
    option("snapshots take no room", no_snapshot_gb_quota=True),
    World(name="Cinder: two types", made=types("plain", plain={}, files={"volume_backend_name": "files"})),
    World(
        name="Cinder: the default type has no backend",
        made=types("broken", broken={"volume_backend_name": "nowhere"}),
        refused=each(WITH_VOLUMES, "launch-failed"),
    ),
    option("no default type", default_volume_type="absent").expecting(refused=each(WITH_VOLUMES, "launch-failed")),
    World(
        name="Cinder: volumes are encrypted",
        made=encrypted_volumes,
        refused={"a member captures a server on a volume": "volume-is-encrypted"},
    ),
    World(name="Cinder: images are kept as volumes", made=image_volume_cache),
)
