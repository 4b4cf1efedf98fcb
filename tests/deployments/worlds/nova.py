"""Nova: quota drivers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.deployments.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextlib.contextmanager
def registered_limits(cloud: LocalCloud) -> Iterator[None]:
    """Register Nova's limits in Keystone, and let Nova read those of everybody."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    service = session.get(f"{keystone}/services?name=nova").json()["services"][0]["id"]
    limits = [
        {"service_id": service, "region_id": "RegionOne", "resource_name": name, "default_limit": limit}
        for name, limit in {**UNIFIED, **dict.fromkeys(MORE, 1000)}.items()
    ]
    made = session.post(f"{keystone}/registered_limits", json={"registered_limits": limits}).json()["registered_limits"]
    user = session.get(f"{keystone}/users?name=nova").json()["users"][0]["id"]
    for role in ("admin", "reader"):
        known = session.get(f"{keystone}/roles?name={role}").json()["roles"][0]["id"]
        session.put(f"{keystone}/system/users/{user}/roles/{known}")
    endpoint = session.get(f"{keystone}/endpoints?service_id={service}&interface=public").json()["endpoints"][0]["id"]
    limiting = {
        "auth_type": "password",
        "auth_url": f"{cloud.url('keystone')}/v3",
        "username": "nova",
        "password": "secret",
        "user_domain_id": "default",
        "system_scope": "all",
        "endpoint_id": endpoint,
    }
    driver = {"driver": "nova.quota.UnifiedLimitsDriver"}
    try:
        with cloud.configured("nova", {"quota": driver, "oslo_limit": limiting}):
            yield
    finally:
        for each in made:
            limits = session.get(f"{keystone}/limits?resource_name={each['resource_name']}").json()["limits"]
            for limit in limits:
                session.delete(f"{keystone}/limits/{limit['id']}")
            session.delete(f"{keystone}/registered_limits/{each['id']}")


WORLDS: Final = (World(name="Nova: unified limits", made=registered_limits),)
