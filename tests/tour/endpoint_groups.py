"""What the tour asks of Keystone's groups of endpoints."""

from __future__ import annotations

from typing import Final

from tests.tour.neutron import NOBODY
from tests.tour.others import keystone
from tests.tour.player import Step

GROUPS: Final = "/OS-EP-FILTER/endpoint_groups"
ONE: Final = f"{GROUPS}/{{endpoint_group}}"
JOINED: Final = f"{ONE}/projects/{{grouped}}"


def group(name: str, method: str, path: str, body: object = None, **more: object) -> Step:
    return keystone(f"endpoint-group-{name}", method, path, body, **{"user": "admin", **more})


STEPS: Final = (
    keystone("endpoint-group-project", "GET", "/auth/projects", keep={"grouped": "projects.0.id"}),
    group(
        "create",
        "POST",
        GROUPS,
        {"endpoint_group": {"name": "tour", "filters": {"interface": "internal"}}},
        keep={"endpoint_group": "endpoint_group.id"},
    ),
    group("endpoints-unknown", "GET", f"{GROUPS}/{NOBODY}/endpoints"),
    group("endpoints-member", "GET", f"{ONE}/endpoints", user="alice"),
    group("not-joined", "GET", JOINED),
    group("leave-not-joined", "DELETE", JOINED),
    group("join", "PUT", JOINED),
    group("join-again", "PUT", JOINED),
    group("join-member", "PUT", JOINED, user="alice"),
    group("join-unknown", "PUT", f"{ONE}/projects/{NOBODY}"),
    group("join-unknown-group", "PUT", f"{GROUPS}/{NOBODY}/projects/{{grouped}}"),
    group("joined", "GET", JOINED),
    group("projects", "GET", f"{ONE}/projects"),
    group("groups", "GET", "/OS-EP-FILTER/projects/{grouped}/endpoint_groups"),
    group("groups-member", "GET", "/OS-EP-FILTER/projects/{grouped}/endpoint_groups", user="alice"),
    group("leave", "DELETE", JOINED),
    group("delete", "DELETE", ONE),
)
