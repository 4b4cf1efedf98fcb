"""What the tour asks of Keystone, Neutron and Cinder, and what the other parts need first."""

from __future__ import annotations

from typing import Final

from tests.tour.player import Step


def keystone(name: str, method: str, path: str, body: object = None, **more: object) -> Step:
    return Step(f"keystone/{name}", "identity", method, path, body, **more)  # type: ignore[arg-type]  # as given


def neutron(name: str, method: str, path: str, body: object = None, **more: object) -> Step:
    return Step(f"neutron/{name}", "network", method, path, body, **more)  # type: ignore[arg-type]  # as given


def cinder(name: str, method: str, path: str, body: object = None, **more: object) -> Step:
    return Step(f"cinder/{name}", "block-storage", method, path, body, **more)  # type: ignore[arg-type]  # as given


LOGIN: Final = {
    "identity": {
        "methods": ["password"],
        "password": {"user": {"name": "alice", "domain": {"id": "default"}, "password": "secret"}},
    }
}
PROJECT: Final = {"project": {"name": "dept-a", "domain": {"id": "default"}}}

KEYSTONE: Final = (
    keystone("own-projects", "GET", "/auth/projects", keep={"department": "projects.0.id"}),
    keystone("own-projects-bob", "GET", "/auth/projects", user="bob", keep={"other": "projects.0.id"}),
    keystone("alice", "GET", "/users?name=alice", user="admin", keep={"alice": "users.0.id"}),
    keystone("auth-empty", "POST", "/auth/tokens", {"auth": {}}),
    keystone("auth-no-auth", "POST", "/auth/tokens", {}),
    keystone("auth-unscoped", "POST", "/auth/tokens", {"auth": {**LOGIN, "scope": "unscoped"}}),
    keystone("auth-default", "POST", "/auth/tokens", {"auth": LOGIN}),
    keystone("auth-project", "POST", "/auth/tokens?nocatalog", {"auth": {**LOGIN, "scope": PROJECT}}),
    keystone("auth-unknown-method", "POST", "/auth/tokens", {"auth": {"identity": {"methods": ["x"]}}}),
    keystone(
        "auth-foreign-project",
        "POST",
        "/auth/tokens",
        {"auth": {**LOGIN, "scope": {"project": {"name": "dept-b", "domain": {"id": "default"}}}}},
    ),
    keystone("own-project", "GET", "/projects/{department}"),
    keystone("projects-member", "GET", "/projects"),
    keystone("project-unknown", "GET", "/projects/nothing", user="admin"),
    keystone("users-member", "GET", "/users"),
    keystone("user-unknown", "GET", "/users/nothing", user="admin"),
    keystone("domain", "GET", "/domains/default", user="admin"),
    keystone("regions", "GET", "/regions"),
    keystone("limit-model", "GET", "/limits/model"),
    keystone("limits-empty-body", "POST", "/limits", {}, user="admin"),
    keystone("registered-limits-empty-body", "POST", "/registered_limits", {}, user="admin"),
    keystone("nothing", "GET", "/nothing"),
    keystone("roles-member", "GET", "/roles"),
)

NEUTRON: Final = (
    neutron("networks", "GET", "/v2.0/networks?name=net1"),
    neutron("network-unknown", "GET", "/v2.0/networks/nothing"),
    neutron("group-unknown", "GET", "/v2.0/security-groups/nothing"),
    neutron("nothing", "GET", "/v2.0/nothing"),
)

CINDER: Final = (
    cinder("list-empty", "GET", "/volumes"),
    cinder("list-bad-limit", "GET", "/volumes?limit=x"),
    cinder("list-bad-marker", "GET", "/volumes?marker=nothing"),
    cinder("create-empty", "POST", "/volumes", {}),
    cinder("create-no-size", "POST", "/volumes", {"volume": {}}),
    cinder("create-size-text", "POST", "/volumes", {"volume": {"size": "x"}}),
    cinder("show-unknown", "GET", "/volumes/nothing"),
    cinder("types", "GET", "/types"),
    cinder("nothing", "GET", "/nothing"),
)

IMAGE: Final = (
    Step(
        "set-up/image",
        "image",
        "POST",
        "/v2/images",
        {"name": "disk", "disk_format": "raw", "container_format": "bare"},
        keep={"image": "id"},
    ),
    Step(
        "set-up/data",
        "image",
        "PUT",
        "/v2/images/{image}/file",
        data=b"0" * 1024,
        headers={"Content-Type": "application/octet-stream"},
    ),
)
END: Final = (Step("set-up/delete", "image", "DELETE", "/v2/images/{image}"),)
