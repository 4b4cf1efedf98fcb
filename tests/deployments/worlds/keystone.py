"""Keystone: cut lists, other tokens, other ways to log in, other projects and names."""

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
from tests.deployments.world import REGISTRATIONS, WITH_VOLUMES, World, each, unchecked
from tests.support.clouds import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud
    from tests.deployments.world import Login

UNUSUAL: Final = {"alice": "Älice O'Neil / 王", "bob": 'b"o,b & <co>'}


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


def for_the_system(cloud: LocalCloud, person: str) -> Session:
    """Log the administrator in to the system, and the others as usual."""
    if person != "administrator":
        return people.session(cloud, person)
    return Session(v3.Password(**whole(people.login(cloud, person), system_scope="all")), timeout=60)


def for_a_domain(cloud: LocalCloud, person: str) -> Session:
    """Log the administrator in to the domain, and the others as usual."""
    if person != "administrator":
        return people.session(cloud, person)
    return Session(v3.Password(**whole(people.login(cloud, person), domain_id="default")), timeout=60)


def without_scope(cloud: LocalCloud, person: str) -> Session:
    """Log the member in to nothing, and the others as usual."""
    if person != "member":
        return people.session(cloud, person)
    return Session(v3.Password(**whole(people.login(cloud, person)), unscoped=True), timeout=60)


def whole(login: dict[str, Any], **scope: str) -> dict[str, Any]:
    """Return a login with another scope than a department."""
    return {name: value for name, value in login.items() if not name.startswith("project")} | scope


def by_token(cloud: LocalCloud, person: str) -> Session:
    """Log a person in with a token alone, as a portal does."""
    password = people.login(cloud, person)
    token = people.session(cloud, person).get_token() or ""
    project = {key: password[key] for key in ("project_name", "project_domain_id")}
    return Session(v3.Token(password["auth_url"], token=token, **project), timeout=60)


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


def with_unusual_names(cloud: LocalCloud, person: str) -> Session:
    """Log a person in whose user has been renamed."""
    user = people.USERS[person]
    return Session(v3.Password(**people.login(cloud, person) | {"username": UNUSUAL.get(user, user)}), timeout=60)


@contextlib.contextmanager
def unusual_names(cloud: LocalCloud) -> Iterator[None]:
    """Rename users, and add departments of such names."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    renamed: dict[str, str] = {}
    for name, unusual in UNUSUAL.items():
        (user,) = session.get(f"{keystone}/users?name={name}").json()["users"]
        session.patch(f"{keystone}/users/{user['id']}", json={"user": {"name": unusual}})
        renamed[user["id"]] = name
    try:
        with projects(*(f"{name} department" for name in UNUSUAL.values()), "dept-a,dept-b", "研发部")(cloud):
            yield
    finally:
        for user_id, name in renamed.items():
            session.patch(f"{keystone}/users/{user_id}", json={"user": {"name": name}})


def projects(*names: str, parent: str = "", member: str = "") -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change that adds departments, below another one or not, and lets a user work in them."""

    @contextlib.contextmanager
    def more(cloud: LocalCloud) -> Iterator[None]:
        session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
        above = {"parent_id": found(cloud, "projects", parent)} if parent else {}
        made = [
            session.post(f"{keystone}/projects", json={"project": {"name": name, **above}}).json()["project"]["id"]
            for name in names
        ]
        for project in made if member else ():
            user, role = found(cloud, "users", member), found(cloud, "roles", "member")
            session.put(f"{keystone}/projects/{project}/users/{user}/roles/{role}")
        try:
            yield
        finally:
            for project in made:
                session.delete(f"{keystone}/projects/{project}")

    return more


def found(cloud: LocalCloud, collection: str, name: str) -> str:
    """Return the id of something in the default domain."""
    answer = cloud.session("admin").get(f"{cloud.url('keystone')}/v3/{collection}?name={name}").json()
    return str(next(each["id"] for each in answer[collection] if each.get("domain_id") in ("default", None)))


@contextlib.contextmanager
def second_domain(cloud: LocalCloud) -> Iterator[None]:
    """Add a domain whose departments and users are called like ours."""
    session, keystone = cloud.session("admin"), f"{cloud.url('keystone')}/v3"
    made = session.post(f"{keystone}/domains", json={"domain": {"name": "branch"}}).json()["domain"]["id"]
    for name in ("dept-a", "dept-b"):
        session.post(f"{keystone}/projects", json={"project": {"name": name, "domain_id": made}})
    for name in ("alice", "bob"):
        session.post(f"{keystone}/users", json={"user": {"name": name, "domain_id": made, "password": "secret"}})
    try:
        yield
    finally:
        session.patch(f"{keystone}/domains/{made}", json={"domain": {"enabled": False}})
        session.delete(f"{keystone}/domains/{made}")


@contextlib.contextmanager
def assigned(cloud: LocalCloud, place: str, user: str, role: str) -> Iterator[None]:
    """Give a user one more role in a place, such as "/domains/default"."""
    path = f"{place}/users/{found(cloud, 'users', user)}/roles/{found(cloud, 'roles', role)}"
    session, url = cloud.session("admin"), f"{cloud.url('keystone')}/v3{path}"
    session.put(url)
    try:
        yield
    finally:
        session.delete(url)


@contextlib.contextmanager
def no_role(cloud: LocalCloud) -> Iterator[None]:
    """Take the stranger's only role away."""
    project, user = found(cloud, "projects", people.STRANGERS_DEPARTMENT), found(cloud, "users", "zoe")
    place = f"/projects/{project}/users/{user}/roles/{found(cloud, 'roles', people.STRANGERS_ROLE)}"
    session, url = cloud.session("admin"), f"{cloud.url('keystone')}/v3{place}"
    session.delete(url)
    try:
        yield
    finally:
        session.put(url)


@contextlib.contextmanager
def administrator_of_the_domain(cloud: LocalCloud) -> Iterator[None]:
    """Give the administrator the role in the domain, too."""
    with assigned(cloud, "/domains/default", "admin", "admin"):
        yield


@contextlib.contextmanager
def nested_departments(cloud: LocalCloud) -> Iterator[None]:
    """Put two departments below that of the story, whose member works in all of them and manages it."""
    department = f"/projects/{found(cloud, 'projects', 'dept-a')}"
    with (
        projects("team-1", "team-2", parent="dept-a", member="alice")(cloud),
        assigned(cloud, department, "alice", "manager"),
    ):
        yield


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

NO_DEPARTMENT: Final = {
    "an administrator installs the metadefs": "not-found",
    "an administrator registers for a department": "not-allowed",
    "an administrator lists everything": "not-allowed",
    **each(
        (
            "a steward edits the published image",
            "an administrator features an image",
            "an administrator disables and enables an image",
        ),
        "no-image",
    ),
    "an administrator reads the quota of a department": "otherwise: no usage of images, which it explains",
    "an administrator limits servers": "otherwise: no quota of instances",
    "a member captures a server on a volume": "quota-exceeded",  # there is no room for a volume
    "an administrator takes the room back": "quota-not-shown",
}
"""Glance and Nova do nothing for an administrator of something else than a department."""
NOWHERE: Final = {
    "identity": "error",
    **each(("image", "compute", "network", "block-storage"), "warning"),
    **unchecked("identity", "image", "compute", "network", "block-storage"),
    "clock-skew": "warning",
}
"""What the doctor says if the login is for no department."""

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
    World(
        name="Keystone: unrestricted application credentials", login=by_application_credential(unrestricted=True)
    ).expecting(refused=NO_OTHER_TOKEN),
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
    World(name="Keystone: tokens alone", login=by_token),
    World(
        name="Keystone: an administrator of the system",
        login=for_the_system,
        refused=NO_DEPARTMENT
        | each(
            (
                "an administrator gives a department room for captures",
                "a member registers beyond the limit of images",
            ),
            "quota-not-shown",
        ),
        doctor={"identity": "error"},
    ),
    World(
        name="Keystone: an administrator of the domain",
        made=administrator_of_the_domain,
        login=for_a_domain,
        refused=NO_DEPARTMENT
        | each(
            (
                "an administrator gives a department room for captures",
                "a member registers beyond the limit of images",
            ),
            "not-allowed",
        ),
        doctor={"identity": "error"},
    ),
    World(
        name="Keystone: a member without a scope",
        login=without_scope,
        refused=each(
            (
                "a member sees the own department",
                "a member sees the flavors",
                "a member sees the networks",
                "a member sees the zones",
                "a member sees the key pairs",
                *(name for name in REGISTRATIONS if name.startswith("a member")),
                "a member cancels a registration",
                "a member reads the quota",
                "a member registers beyond the limit of images",
                "a member sees that nothing is used any more",
            ),
            "login-without-department",
        ),
        doctor=NOWHERE,
        tenth=True,
    ),
    World(
        name="Keystone: a user without a role",
        made=no_role,
        refused=each(("a stranger lists images", "a stranger reads the published image"), "credentials-refused"),
    ),
    World(name="Keystone: trusts", login=by_trust).expecting(refused=NO_OTHER_TOKEN),
    World(name="Keystone: unusual names", made=unusual_names, login=with_unusual_names),
    World(
        name="Keystone: equal names in two domains",
        made=second_domain,
        refused={
            **each(
                (
                    "an administrator registers for a department",
                    "an administrator gives a department room for captures",
                    "an administrator reads the quota of a department",
                    "a member registers beyond the limit of images",
                    "an administrator limits servers",
                    "an administrator limits volumes",
                    "an administrator takes the room back",
                ),
                "several-departments",
            ),
            "a member captures a server on a volume": "quota-exceeded",  # there is no room for a volume
        },
    ),
    World(
        name="Keystone: a manager of three nested departments",
        made=nested_departments,
        refused={"a member sees the own department": "otherwise: the departments are dept-a, team-1, team-2"},
    ),
)
