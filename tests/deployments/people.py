"""The six people of the story, and how they log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from tests.support import clouds

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud

USERS: Final = {
    "member": "alice",
    "other": "bob",
    "reader": "rita",
    "administrator": "admin",
    "steward": "bob",
    "stranger": "zoe",
}
"""Each person's user. The steward is a member of another department whose client has an administrator's connection."""
STRANGERS_DEPARTMENT: Final = "dept-z"
STRANGERS_ROLE: Final = "visitor"
PUBLIC_KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPm9dLGLm3rMVJqz4i5Yk9Uf6Ea4n3C3Lg9GAvkGqGRd"


def login(cloud: LocalCloud, person: str) -> dict[str, Any]:
    """Return the keywords of a login with a password."""
    user = USERS[person]
    if user != "zoe":
        return clouds.login(cloud, user)
    return login(cloud, "member") | {"username": user, "project_name": STRANGERS_DEPARTMENT}


def session(cloud: LocalCloud, person: str) -> Session:
    """Log a person in, with a session of its own: the catalogue comes with the token."""
    return Session(v3.Password(**login(cloud, person)), timeout=60)


def invite_stranger(cloud: LocalCloud) -> None:
    """Create the stranger: a user in a third department, whose only role is one that OpenStack does not know."""
    keystone, admin = f"{cloud.url('keystone')}/v3", cloud.session("admin")
    if admin.get(f"{keystone}/users?name=zoe").json()["users"]:
        return
    project = admin.post(f"{keystone}/projects", json={"project": {"name": STRANGERS_DEPARTMENT}}).json()["project"]
    role = admin.post(f"{keystone}/roles", json={"role": {"name": STRANGERS_ROLE}}).json()["role"]
    body = {"name": "zoe", "password": "secret", "default_project_id": project["id"]}
    user = admin.post(f"{keystone}/users", json={"user": body}).json()["user"]
    admin.put(f"{keystone}/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
