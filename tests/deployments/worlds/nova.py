"""Nova: unified limits, soft deletion, what servers get, and where they fit."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from tests.deployments.world import LAUNCHES, WITH_VOLUMES, World, each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud

UNIFIED: Final = {"servers": 10, "class:VCPU": 20, "class:MEMORY_MB": 51200, "class:DISK_GB": 1000}
MORE: Final = (
    "server_metadata_items",
    "server_injected_files",
    "server_injected_file_content_bytes",
    "server_injected_file_path_bytes",
    "server_key_pairs",
    "server_groups",
    "server_group_members",
)


def option(name: str, section: str = "DEFAULT", **options: str | int | bool | None) -> World:
    """Return a world that changes options of one of Nova's sections."""
    return World(name=f"Nova: {name}", options={"nova": {section: options}})


def unified_limits(**limits: int) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that registers limits of Nova in Keystone, and lets Nova read those of everybody."""

    @contextlib.contextmanager
    def registered(cloud: LocalCloud) -> Iterator[None]:
        session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
        service = session.get(f"{keystone}/services?name=nova").json()["services"][0]["id"]
        asked = [
            {"service_id": service, "region_id": "RegionOne", "resource_name": name, "default_limit": limit}
            for name, limit in limits.items()
        ]
        made: list[dict[str, Any]] = []
        if asked:
            answer = session.post(f"{keystone}/registered_limits", json={"registered_limits": asked})
            made = answer.json()["registered_limits"]
        user = session.get(f"{keystone}/users?name=nova").json()["users"][0]["id"]
        for role in ("admin", "reader"):
            known = session.get(f"{keystone}/roles?name={role}").json()["roles"][0]["id"]
            session.put(f"{keystone}/system/users/{user}/roles/{known}")
        answer = session.get(f"{keystone}/endpoints?service_id={service}&interface=public")
        limiting = {
            "auth_type": "password",
            "auth_url": keystone,
            "username": "nova",
            "password": "secret",
            "user_domain_id": "default",
            "system_scope": "all",
            "endpoint_id": answer.json()["endpoints"][0]["id"],
        }
        driver = {"driver": "nova.quota.UnifiedLimitsDriver"}
        try:
            with cloud.configured("nova", {"quota": driver, "oslo_limit": limiting}):
                yield
        finally:
            for each in made:
                found = session.get(f"{keystone}/limits?resource_name={each['resource_name']}").json()["limits"]
                for limit in found:
                    session.delete(f"{keystone}/limits/{limit['id']}")
                session.delete(f"{keystone}/registered_limits/{each['id']}")

    return registered


@contextlib.contextmanager
def no_compute_host(cloud: LocalCloud) -> Iterator[None]:
    """Disable the only host."""
    session, nova = cloud.session("admin"), f"{cloud.url('nova')}/v2.1/os-services"
    headers = {"X-OpenStack-Nova-API-Version": "2.53"}
    found = session.get(f"{nova}?binary=nova-compute", headers=headers).json()["services"][0]["id"]
    session.put(f"{nova}/{found}", json={"status": "disabled"}, headers=headers)
    try:
        yield
    finally:
        session.put(f"{nova}/{found}", json={"status": "enabled"}, headers=headers)


@contextlib.contextmanager
def isolated_host(cloud: LocalCloud) -> Iterator[None]:
    """Reserve the only host for one department."""
    session = cloud.session("admin")
    (project,) = session.get(f"{cloud.url('keystone')}/v3/projects?name=dept-a").json()["projects"]
    filters = "AggregateMultiTenancyIsolation,ComputeFilter,ImagePropertiesFilter"
    with (
        aggregate(cloud, filter_tenant_id=project["id"]),
        cloud.configured("nova", {"filter_scheduler": {"enabled_filters": filters}}),
    ):
        yield


@contextlib.contextmanager
def aggregate(cloud: LocalCloud, **metadata: str) -> Iterator[None]:
    """Put the only host into an aggregate with this metadata."""
    session, nova = cloud.session("admin"), f"{cloud.url('nova')}/v2.1/os-aggregates"
    made = session.post(nova, json={"aggregate": {"name": "story"}}).json()["aggregate"]["id"]
    action = f"{nova}/{made}/action"
    session.post(action, json={"set_metadata": {"metadata": metadata}})
    session.post(action, json={"add_host": {"host": "host1"}})
    try:
        yield
    finally:
        session.post(action, json={"remove_host": {"host": "host1"}})
        session.delete(f"{nova}/{made}")


def tiny_flavor(
    *departments: str, specs: dict[str, str] | None = None, **fields: object
) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change of the smaller flavor: its fields, its extra specs, and the departments that may use it."""

    @contextlib.contextmanager
    def flavor(cloud: LocalCloud) -> Iterator[None]:
        session, nova = cloud.session("admin"), f"{cloud.url('nova')}/v2.1/flavors"
        keystone = cloud.url("keystone")

        def usual() -> dict[str, Any]:
            found = session.get(f"{nova}/detail?is_public=None").json()["flavors"]
            (tiny,) = (each for each in found if each["name"] == "m1.tiny")
            session.delete(f"{nova}/{tiny['id']}")
            return {name: tiny[name] for name in ("id", "name", "ram", "vcpus", "disk", "OS-FLV-EXT-DATA:ephemeral")}

        former = usual()
        body = former | fields | ({"os-flavor-access:is_public": False} if departments else {})
        session.post(nova, json={"flavor": body})
        for name in departments:
            (project,) = session.get(f"{keystone}/v3/projects?name={name}").json()["projects"]
            session.post(f"{nova}/{former['id']}/action", json={"addTenantAccess": {"tenant": project["id"]}})
        if specs:
            session.post(f"{nova}/{former['id']}/os-extra_specs", json={"extra_specs": specs})
        try:
            yield
        finally:
            usual()
            session.post(nova, json={"flavor": former})

    return flavor


WORLDS: Final = (
    World(name="Nova: unified limits", made=unified_limits(**UNIFIED, **dict.fromkeys(MORE, 1000))),
    option("two items of metadata", "quota", metadata_items=2).expecting(
        refused=each(LAUNCHES, "servers-have-too-much-metadata"), doctor={"server-metadata": "error"}, tenth=True
    ),
    option("servers are deleted later", reclaim_instance_interval=3600),
    World(
        name="Nova: flavors without a disk",
        made=tiny_flavor(disk=0),
        refused=each((name for name in LAUNCHES if name not in WITH_VOLUMES), "flavor-has-no-root-disk"),
    ),
    World(
        name="Nova: a flavor of one department",
        made=tiny_flavor("dept-a"),
        refused={"another department launches the published image": "none-of-a-name"},
    ),
    World(
        name="Nova: no compute host",
        made=no_compute_host,
        refused={"a member sees the zones": "otherwise: nova is not offered", **each(LAUNCHES, "launch-failed")},
        doctor={"launch-choices": "error"},
    ),
    World(
        name="Nova: a host for one department",
        made=isolated_host,
        refused={"another department launches the published image": "launch-failed"},
    ),
)
