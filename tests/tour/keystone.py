"""What the tour writes to Keystone."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.others import keystone
from tests.tour.player import Step


def life(kind: str, collection: str, first: dict[str, Any], change: dict[str, Any]) -> tuple[Step, ...]:
    """Make every request about things of one kind, from creating one to reading it after its deletion."""
    every, one = f"/{collection}", f"/{collection}/{{{kind}}}"
    return (
        keystone(f"{kind}-create-member", "POST", every, {kind: first}),
        keystone(f"{kind}-create-empty", "POST", every, {}, user="admin"),
        keystone(f"{kind}-create-nothing", "POST", every, {kind: {}}, user="admin"),
        keystone(f"{kind}-create-list", "POST", every, {kind: []}, user="admin"),
        keystone(f"{kind}-create", "POST", every, {kind: first}, user="admin", keep={kind: f"{kind}.id"}),
        keystone(f"{kind}-show", "GET", one, user="admin"),
        keystone(f"{kind}-show-member", "GET", one),
        keystone(f"{kind}-update-member", "PATCH", one, {kind: change}),
        keystone(f"{kind}-update-empty", "PATCH", one, {}, user="admin"),
        keystone(f"{kind}-update-nothing", "PATCH", one, {kind: {}}, user="admin"),
        keystone(f"{kind}-update", "PATCH", one, {kind: change}, user="admin"),
        keystone(f"{kind}-update-unknown", "PATCH", f"{every}/nothing", {kind: change}, user="admin"),
    )


def end(kind: str, collection: str) -> tuple[Step, ...]:
    """Delete a thing twice, and look for it."""
    one = f"/{collection}/{{{kind}}}"
    return (
        keystone(f"{kind}-delete-member", "DELETE", one),
        keystone(f"{kind}-delete", "DELETE", one, user="admin"),
        keystone(f"{kind}-delete-again", "DELETE", one, user="admin"),
        keystone(f"{kind}-show-gone", "GET", one, user="admin"),
    )


def named(kind: str, collection: str) -> tuple[Step, ...]:
    """Make requests with every kind of name."""
    every = f"/{collection}"
    return (
        keystone(f"{kind}-name-number", "POST", every, {kind: {"name": 5}}, user="admin"),
        keystone(f"{kind}-name-blank", "POST", every, {kind: {"name": " "}}, user="admin"),
        keystone(f"{kind}-name-long", "POST", every, {kind: {"name": "n" * 256}}, user="admin"),
        keystone(f"{kind}-again", "POST", every, {kind: {"name": f"tour-{kind}"}}, user="admin"),
        keystone(f"{kind}-list", "GET", f"{every}?name=tour-{kind}", user="admin"),
    )


PROJECT: Final = "/projects/{project}"
GRANT: Final = f"{PROJECT}/users/{{user}}/roles/{{role}}"
TAGS: Final = f"{PROJECT}/tags"
MEMBER: Final = "/groups/{group}/users/{user}"

STEPS: Final = (
    *life("project", "projects", {"name": "tour-project", "description": "a"}, {"description": "b"}),
    *named("project", "projects"),
    keystone("project-enabled-text", "POST", "/projects", {"project": {"name": "x", "enabled": "yes"}}, user="admin"),
    keystone(
        "project-no-domain", "POST", "/projects", {"project": {"name": "x", "domain_id": "nothing"}}, user="admin"
    ),
    keystone("project-tags", "GET", TAGS, user="admin"),
    keystone("project-tags-put", "PUT", TAGS, {"tags": ["one", "two"]}, user="admin"),
    keystone("project-tags-bad", "PUT", TAGS, {"tags": "one"}, user="admin"),
    keystone("project-tags-slash", "PUT", TAGS, {"tags": ["a/b"]}, user="admin"),
    keystone("project-tags-twice", "PUT", TAGS, {"tags": ["one", "one"]}, user="admin"),
    keystone("project-tag-add", "PUT", f"{TAGS}/three", user="admin"),
    keystone("project-tag-show", "GET", f"{TAGS}/three", user="admin"),
    keystone("project-tag-unknown", "GET", f"{TAGS}/nothing", user="admin"),
    keystone("project-tag-remove", "DELETE", f"{TAGS}/three", user="admin"),
    keystone("project-tag-remove-again", "DELETE", f"{TAGS}/three", user="admin"),
    keystone("project-tags-member", "PUT", TAGS, {"tags": []}),
    keystone("project-tags-remove", "DELETE", TAGS, user="admin"),
    *life(
        "user",
        "users",
        {"name": "tour-user", "password": "secret", "email": "tour@example.org", "default_project_id": "{project}"},
        {"description": "b"},
    ),
    *named("user", "users"),
    keystone("user-password-number", "POST", "/users", {"user": {"name": "x", "password": 5}}, user="admin"),
    keystone("user-enabled-text", "POST", "/users", {"user": {"name": "x", "enabled": "yes"}}, user="admin"),
    keystone("user-rename-taken", "PATCH", "/users/{user}", {"user": {"name": "alice"}}, user="admin"),
    keystone(
        "password-wrong",
        "POST",
        "/users/{user}/password",
        {"user": {"password": "new", "original_password": "wrong"}},
        user="admin",
    ),
    keystone("password-empty", "POST", "/users/{user}/password", {"user": {}}, user="admin"),
    keystone(
        "password-change",
        "POST",
        "/users/{user}/password",
        {"user": {"password": "new", "original_password": "secret"}},
        user="admin",
    ),
    *life("role", "roles", {"name": "tour-role"}, {"description": "b"}),
    *named("role", "roles"),
    keystone("grant-member", "PUT", GRANT),
    keystone("grant-check-before", "HEAD", GRANT, user="admin"),
    keystone("grant", "PUT", GRANT, user="admin"),
    keystone("grant-again", "PUT", GRANT, user="admin"),
    keystone("grant-check", "HEAD", GRANT, user="admin"),
    keystone("grant-list", "GET", f"{PROJECT}/users/{{user}}/roles", user="admin"),
    keystone("grant-unknown-role", "PUT", f"{PROJECT}/users/{{user}}/roles/nothing", user="admin"),
    keystone("grant-unknown-user", "PUT", f"{PROJECT}/users/nothing/roles/{{role}}", user="admin"),
    keystone("assignments", "GET", "/role_assignments?user.id={user}", user="admin"),
    keystone("assignments-names", "GET", "/role_assignments?user.id={user}&include_names", user="admin"),
    keystone("assignments-member", "GET", "/role_assignments"),
    keystone("assignments-both", "GET", "/role_assignments?user.id={user}&group.id=x", user="admin"),
    keystone("user-projects", "GET", "/users/{user}/projects", user="admin"),
    keystone("grant-remove", "DELETE", GRANT, user="admin"),
    keystone("grant-remove-again", "DELETE", GRANT, user="admin"),
    *life("group", "groups", {"name": "tour-group"}, {"description": "b"}),
    *named("group", "groups"),
    keystone("group-user-check-before", "HEAD", MEMBER, user="admin"),
    keystone("group-user-add-member", "PUT", MEMBER),
    keystone("group-user-add", "PUT", MEMBER, user="admin"),
    keystone("group-user-check", "HEAD", MEMBER, user="admin"),
    keystone("group-users", "GET", "/groups/{group}/users", user="admin"),
    keystone("user-groups", "GET", "/users/{user}/groups", user="admin"),
    keystone("group-user-add-unknown", "PUT", "/groups/{group}/users/nothing", user="admin"),
    keystone("group-grant", "PUT", f"{PROJECT}/groups/{{group}}/roles/{{role}}", user="admin"),
    keystone("group-grant-list", "GET", f"{PROJECT}/groups/{{group}}/roles", user="admin"),
    keystone("group-assignments", "GET", "/role_assignments?group.id={group}", user="admin"),
    keystone("effective", "GET", "/role_assignments?user.id={user}&effective", user="admin"),
    keystone("group-user-remove", "DELETE", MEMBER, user="admin"),
    keystone("group-user-remove-again", "DELETE", MEMBER, user="admin"),
    *end("group", "groups"),
    *end("user", "users"),
    *end("role", "roles"),
    *end("project", "projects"),
    *life("domain", "domains", {"name": "tour-domain"}, {"description": "b"}),
    *named("domain", "domains"),
    keystone("domain-delete-enabled", "DELETE", "/domains/{domain}", user="admin"),
    keystone("domain-disable", "PATCH", "/domains/{domain}", {"domain": {"enabled": False}}, user="admin"),
    *end("domain", "domains"),
    *life("region", "regions", {"id": "tour", "description": "a"}, {"description": "b"}),
    keystone("region-again", "POST", "/regions", {"region": {"id": "tour"}}, user="admin"),
    *life("service", "services", {"name": "tour", "type": "tour"}, {"description": "b"}),
    keystone("service-list", "GET", "/services?type=tour", user="admin"),
    *life(
        "endpoint",
        "endpoints",
        {"interface": "public", "service_id": "{service}", "url": "http://127.0.0.1/", "region_id": "tour"},
        {"url": "http://127.0.0.1/tour"},
    ),
    keystone(
        "endpoint-interface",
        "POST",
        "/endpoints",
        {"endpoint": {"interface": "x", "service_id": "{service}", "url": "http://127.0.0.1/"}},
        user="admin",
    ),
    keystone("endpoint-list", "GET", "/endpoints?service_id={service}", user="admin"),
    *end("endpoint", "endpoints"),
    *end("service", "services"),
    *end("region", "regions"),
    *life("credential", "credentials", {"type": "cert", "blob": "x", "user_id": "{alice}"}, {"blob": "y"}),
    *end("credential", "credentials"),
    # ------------------------------------------------------------- application credentials, which are one's own
    keystone("app-list", "GET", "/users/{alice}/application_credentials"),
    keystone(
        "app-create",
        "POST",
        "/users/{alice}/application_credentials",
        {"application_credential": {"name": "tour", "secret": "secret"}},
        keep={"app": "application_credential.id"},
    ),
    keystone(
        "app-again",
        "POST",
        "/users/{alice}/application_credentials",
        {"application_credential": {"name": "tour", "secret": "secret"}},
    ),
    keystone("app-no-name", "POST", "/users/{alice}/application_credentials", {"application_credential": {}}),
    keystone("app-empty", "POST", "/users/{alice}/application_credentials", {}),
    keystone(
        "app-expired",
        "POST",
        "/users/{alice}/application_credentials",
        {"application_credential": {"name": "old", "expires_at": "2001-01-01T00:00:00"}},
    ),
    keystone(
        "app-no-role",
        "POST",
        "/users/{alice}/application_credentials",
        {"application_credential": {"name": "no", "roles": [{"name": "nothing"}]}},
    ),
    keystone("app-show", "GET", "/users/{alice}/application_credentials/{app}"),
    keystone("app-show-foreign", "GET", "/users/{alice}/application_credentials/{app}", user="bob"),
    keystone(
        "app-login",
        "POST",
        "/auth/tokens?nocatalog",
        {
            "auth": {
                "identity": {
                    "methods": ["application_credential"],
                    "application_credential": {"id": "{app}", "secret": "secret"},
                }
            }
        },
    ),
    keystone(
        "app-login-wrong",
        "POST",
        "/auth/tokens",
        {
            "auth": {
                "identity": {
                    "methods": ["application_credential"],
                    "application_credential": {"id": "{app}", "secret": "wrong"},
                }
            }
        },
    ),
    keystone("app-delete", "DELETE", "/users/{alice}/application_credentials/{app}"),
    keystone("app-delete-again", "DELETE", "/users/{alice}/application_credentials/{app}"),
    # ------------------------------------------------------------- limits
    keystone("registered-limits", "GET", "/registered_limits?resource_name=image_size_total"),
    keystone("limits-unknown", "GET", "/limits/nothing", user="admin"),
    keystone("registered-limit-unknown", "GET", "/registered_limits/nothing", user="admin"),
    keystone("limits-member", "POST", "/limits", {"limits": []}),
)
