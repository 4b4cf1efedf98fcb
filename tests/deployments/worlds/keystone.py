"""Keystone: cut lists, other tokens, other ways to log in."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from tests.deployments import people
from tests.deployments.world import WITH_VOLUMES, World, each
from tests.support.clouds import unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.deployments.world import Login


def option(name: str, section: str = "DEFAULT", **options: str | int | bool | None) -> World:
    """Return a world that changes options of one of Keystone's sections."""
    return World(name=f"Keystone: {name}", options={"keystone": {section: options}})


def by_application_credential(*, unrestricted: bool) -> Login:
    """Return a login with a credential of each person's own, which cannot be exchanged for another token."""
    return lambda cloud, person: with_credential(cloud, person, unrestricted=unrestricted)


def with_credential(cloud: LocalCloud, person: str, **fields: object) -> Session:
    """Log a person in with a new application credential."""
    session, keystone = people.session(cloud, person), f"{cloud.url('keystone')}/v3"
    url = f"{keystone}/users/{session.get_user_id()}/application_credentials"
    body = {"application_credential": {"name": unique(person), **fields}}
    made = session.post(url, json=body).json()["application_credential"]
    login = v3.ApplicationCredential(
        keystone, application_credential_id=made["id"], application_credential_secret=made["secret"]
    )
    return Session(login, timeout=60)


def for_images_alone(cloud: LocalCloud, person: str) -> Session:
    """Log the member in with a credential that is good for images alone, and the others as usual."""
    if person != "member":
        return people.session(cloud, person)
    rules = [
        {"service": "image", "method": method, "path": "/v2/**"} for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ]
    return with_credential(cloud, person, access_rules=rules)


def by_trust(cloud: LocalCloud, person: str) -> Session:
    """Log a portal in that each person trusts, and that acts in the person's name."""
    session, keystone = people.session(cloud, person), f"{cloud.url('keystone')}/v3"
    admin = cloud.session("admin")
    (portal,) = admin.get(f"{keystone}/users?name=delegate").json()["users"]
    access = session.auth.get_access(session)  # type: ignore[union-attr]  # it has one
    trust = {
        "trustor_user_id": access.user_id,
        "trustee_user_id": portal["id"],
        "project_id": access.project_id,
        "impersonation": True,
        "roles": [{"name": name} for name in access.role_names],
    }
    made = session.post(f"{keystone}/OS-TRUST/trusts", json={"trust": trust}).json()["trust"]["id"]
    login = v3.Password(keystone, username="delegate", password="secret", user_domain_id="default", trust_id=made)
    return Session(login, timeout=60)


@contextlib.contextmanager
def signed_tokens(cloud: LocalCloud) -> Iterator[None]:
    """Let Keystone sign JSON web tokens with a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {}
        for name, content in (("private", private), ("public", public)):
            place = Path(folder) / name
            place.mkdir()
            (place / f"{name}.pem").write_bytes(content)
            options[f"jws_{name}_key_repository"] = str(place)
        with cloud.configured("keystone", {"token": {"provider": "jws"}, "jwt_tokens": options}):
            yield


ENFORCED: Final = {
    service: {"keystone_authtoken": {"service_type": kind}}
    for service, kind in {"glance": "image", "nova": "compute", "cinder": "block-storage", "neutron": "network"}.items()
}

NO_OTHER_TOKEN: Final = {
    **each(
        (
            "an administrator gives a department room for captures",
            "a member registers beyond the limit of images",
            "an administrator takes the room back",
        ),
        "image-limits-hidden",
    ),
    "an administrator reads the quota of a department": "otherwise: no usage of images, which it explains",
    "a member captures a server on a volume": "quota-exceeded",  # there is no room for a volume
}
"""Where an administrator cannot exchange the token for one of another department or of the system."""

WORLDS: Final = (
    option("lists of 2", list_limit=2),
    World(
        name="Keystone: signed tokens that cannot be exchanged",
        made=signed_tokens,
        options={"keystone": {"token": {"allow_rescope_scoped_token": False}}},
    ),
    option("tokens of 12 seconds", "token", expiration=12),
    World(name="Keystone: application credentials", login=by_application_credential(unrestricted=False)).expecting(
        refused=NO_OTHER_TOKEN
    ),
    World(name="Keystone: a credential for images alone", options=ENFORCED, login=for_images_alone).expecting(
        refused={
            **each(
                (
                    "a member sees the own department",
                    "a member sees the flavors",
                    "a member sees the networks",
                    "a member sees the zones",
                    "a member sees the key pairs",
                    "a member sees the flavors that fit",
                    "a member launches a server",
                    "a member launches two servers",
                    *WITH_VOLUMES,
                    "a member sees the servers that use an image",
                    "a member asks for a flavor that is not there",
                    "a member launches beyond the quota",
                ),
                "no-access-rule",
            ),
            **each(
                ("a member reads the quota", "a member sees that nothing is used any more"),
                "otherwise: no usage of instances, which it explains",
            ),
        },
        doctor={
            **each(("identity", "launch-rights"), "error"),
            **each(
                ("policies", "launch-choices", "unified-limits", "share-acceptance", "volume-rights"),
                "warning",
            ),
        },
        tenth=True,
    ),
    World(name="Keystone: trusts", login=by_trust).expecting(refused=NO_OTHER_TOKEN),
)
