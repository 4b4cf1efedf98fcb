"""Keystone: cut lists, short tokens, other ways to log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from tests.deployments import people
from tests.deployments.world import World
from tests.support.clouds import unique

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud


def by_application_credential(cloud: LocalCloud, person: str) -> Session:
    """Log a person in with a credential of its own, which cannot be exchanged for another token."""
    session, keystone = people.session(cloud, person), f"{cloud.url('keystone')}/v3"
    user = session.get_user_id()
    body = {"application_credential": {"name": unique(person)}}
    url = f"{keystone}/users/{user}/application_credentials"
    made = session.post(url, json=body).json()["application_credential"]
    login = v3.ApplicationCredential(
        keystone, application_credential_id=made["id"], application_credential_secret=made["secret"]
    )
    return Session(login, timeout=60)


def by_token(cloud: LocalCloud, person: str) -> Session:
    """Log a person in with a token alone, as a portal does."""
    password = people.login(cloud, person)
    token = people.session(cloud, person).get_token() or ""
    project = {key: password[key] for key in ("project_name", "project_domain_id")}
    return Session(v3.Token(password["auth_url"], token=token, **project), timeout=60)


WORLDS: Final = (
    World(
        name="Keystone: lists of 2",
        options={"keystone": {"DEFAULT": {"list_limit": 2}}},
        wrong={"an administrator sees all departments": "otherwise: departments are missing"},
    ),
    World(name="Keystone: application credentials", login=by_application_credential),
    World(name="Keystone: tokens alone", login=by_token),
    World(
        name="Keystone: no rescoping",
        options={"keystone": {"token": {"allow_rescope_scoped_token": False}}},
    ),
    World(name="Keystone: tokens of 12 seconds", options={"keystone": {"token": {"expiration": 12}}}),
)
