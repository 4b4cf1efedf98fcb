"""The cloud in memory refuses wild bodies, and never fails at one: a mistake in a body is the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import ask

NOBODY = "00000000-0000-0000-0000-000000000000"
WILD: tuple[object, ...] = (
    [],
    {},
    "x",
    5,
    True,
    [5],
    [{}],
    {"a": 5},
    [[]],
    {"x": None},
    "\x00é",
    -1,
    10**20,
    1.5,
    None,
)
CINDER = {"OpenStack-API-Version": "volume 3.71"}
PLACEMENT = {"OpenStack-API-Version": "placement 1.39"}
REQUESTS: dict[str, tuple[str, str, dict[str, object]]] = {
    "block-storage /default-types/{project}": ("PUT", "default_type", {"volume_type": "x"}),
    "block-storage /types/{type}/encryption": ("POST", "encryption", {"provider": "x", "control_location": "x"}),
    "block-storage /attachments": ("POST", "attachment", {"volume_uuid": NOBODY, "connector": {}, "mode": "rw"}),
    "block-storage /group_types": ("POST", "group_type", {"name": "x", "is_public": True, "group_specs": {}}),
    "block-storage /groups": ("POST", "group", {"group_type": "x", "volume_types": ["x"], "name": "x"}),
    f"block-storage /groups/{NOBODY}": ("PUT", "group", {"name": "x", "add_volumes": "x"}),
    f"block-storage /groups/{NOBODY}/action": ("POST", "delete", {"delete-volumes": True}),
    "block-storage /group_snapshots": ("POST", "group_snapshot", {"group_id": NOBODY, "name": "x"}),
    "compute /os-snapshots": ("POST", "snapshot", {"volume_id": "x", "force": False, "display_name": "x"}),
    "compute /os-assisted-volume-snapshots": ("POST", "snapshot", {"volume_id": "x", "create_info": {}}),
    "compute /os-server-external-events": ("POST", "events", {}),
    "network /v2.0/address-groups": ("POST", "address_group", {"name": "x", "addresses": []}),
    "network /v2.0/flavors": ("POST", "flavor", {"service_type": "CORE", "service_profiles": [], "enabled": True}),
    "network /v2.0/flavors/{flavor}/service_profiles": ("POST", "service_profile", {"id": NOBODY}),
    "network /v2.0/service_profiles": ("POST", "service_profile", {"driver": "", "metainfo": "x"}),
    "network /v2.0/default-security-group-rules": (
        "POST",
        "default_security_group_rule",
        {"direction": "ingress", "used_in_default_sg": True, "used_in_non_default_sg": True, "protocol": "tcp"},
    ),
    "placement /resource_providers": ("POST", "", {"name": "x", "uuid": NOBODY, "parent_provider_uuid": None}),
    "placement /resource_providers/{host}/inventories": (
        "POST",
        "",
        {"resource_class": "PGPU", "total": 5, "reserved": 0, "allocation_ratio": 1.0},
    ),
    "placement /resource_providers/{host}/traits": ("PUT", "", {"traits": [], "resource_provider_generation": 1}),
    "placement /resource_providers/{host}/aggregates": (
        "PUT",
        "",
        {"aggregates": [], "resource_provider_generation": 1},
    ),
    f"placement /allocations/{NOBODY}": (
        "PUT",
        "",
        {
            "allocations": {},
            "project_id": "x",
            "user_id": "x",
            "consumer_generation": None,
            "consumer_type": "X",
            "mappings": {},
        },
    ),
    "placement /allocations": ("POST", NOBODY, {"allocations": {}, "project_id": "x", "user_id": "x"}),
}


def bodies(member: str, first: dict[str, object]) -> Iterator[object]:
    """Return wild bodies, bodies with a wild content, and good ones with one wild value."""
    wilder: list[object] = [*WILD, *({**first, key: value} for key in first for value in WILD)]
    yield from WILD
    yield from ({member: value} for value in wilder) if member else wilder


@pytest.mark.parametrize("request_line", REQUESTS)
def test_a_wild_body_is_refused_or_taken(cloud: InMemoryCloud, request_line: str) -> None:
    service, _, template = request_line.partition(" ")
    flavor: dict[str, Any] = {"flavor": {"service_type": "CORE"}}
    path = template.format(
        project=cloud.departments["dept-a"],
        type=next(iter(cloud.cinder.volume_types)),
        host=next(iter(cloud.placement.providers)),
        flavor=ask(cloud, "admin", "POST", "network", "/v2.0/flavors", flavor).json()["flavor"]["id"],
    )
    method, member, first = REQUESTS[request_line]
    headers = {"block-storage": CINDER, "placement": PLACEMENT}.get(service, {})
    for body in bodies(member, first):
        answer = ask(cloud, "admin", method, service, path, body, headers=dict(headers))
        assert answer.status_code < 500, (body, answer.text)
    cloud.check()
