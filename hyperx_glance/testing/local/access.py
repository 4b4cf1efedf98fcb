"""Access to a local cloud: the credentials of users, and their sessions.

>>> from pathlib import Path
>>> auth(Layout(Path("/srv/openstack"), {"keystone": 25000}), "bob", "dept-b")["auth_url"]
'http://127.0.0.1:25000/v3'
"""

from collections.abc import Mapping
from typing import Final

from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from hyperx_glance.testing.local.layout import PASSWORD, REGION, Layout
from hyperx_glance.testing.timing import scaled

_REQUEST_SECONDS: Final = scaled(60)


def auth(layout: Layout, user: str, project: str) -> dict[str, str]:
    """Return the keywords with which `openstack.connect` logs in."""
    return {
        "auth_url": layout.endpoint("keystone"),
        "username": user,
        "password": PASSWORD,
        "project_name": project,
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": REGION,
    }


def environment(keywords: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that make the `openstack` command log in as with these keywords."""
    return {f"OS_{key.upper()}": value for key, value in keywords.items()} | {
        "OS_AUTH_TYPE": "password",
        "OS_IDENTITY_API_VERSION": "3",
    }


def session(layout: Layout, user: str, project: str) -> Session:
    """Return a new session; a request takes at most 60 s."""
    login = Password(
        layout.endpoint("keystone"),
        username=user,
        password=PASSWORD,
        project_name=project,
        user_domain_id="default",
        project_domain_id="default",
    )
    made = Session(auth=login, timeout=_REQUEST_SECONDS)
    made.session.trust_env = False  # no proxy of the environment's reaches this loopback
    return made
