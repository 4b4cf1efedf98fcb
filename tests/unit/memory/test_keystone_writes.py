"""Users, projects, roles and limits that are written to the in-memory Keystone take effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.exceptions import Unauthorized
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from tests.unit.memory.asking import ask

if TYPE_CHECKING:
    import requests

    from hyperx_glance.testing import InMemoryCloud


def admin(cloud: InMemoryCloud, method: str, path: str, body: object = None) -> requests.Response:
    return ask(cloud, "admin", method, "identity", path, body)


def made(cloud: InMemoryCloud, kind: str, **fields: object) -> str:
    answer = admin(cloud, "POST", f"/{kind}s", {kind: fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()[kind]["id"])


def login(cloud: InMemoryCloud, **options: Any) -> requests.Response:  # noqa: ANN401 - keystoneauth's keywords
    session = Session(v3.Password(cloud.auth("alice")["auth_url"], **options), session=cloud.session("alice").session)
    return session.get("/auth/projects", endpoint_filter={"service_type": "identity"}, raise_exc=False)


def test_a_new_user_with_a_role_in_a_new_project_works_there(cloud: InMemoryCloud) -> None:
    project, dora = made(cloud, "project", name="dept-d"), made(cloud, "user", name="dora", password="pw")
    member = admin(cloud, "GET", "/roles?name=member").json()["roles"][0]["id"]
    grant = f"/projects/{project}/users/{dora}/roles/{member}"
    assert [admin(cloud, method, grant).status_code for method in ("GET", "PUT", "GET", "HEAD")] == [404, 204, 204, 204]

    own = login(cloud, username="dora", password="pw", user_domain_id="default", project_id=project)
    assert [each["name"] for each in own.json()["projects"]] == ["dept-d"]
    assert cloud.departments["dept-d"] == project
    cloud.keystone.records["users"][dora]["password"] = "never shown"
    assert "never shown" not in admin(cloud, "GET", f"/users/{dora}").text
    assert cloud.auth("dora")["project_name"] == "dept-d"

    assert admin(cloud, "DELETE", grant).status_code == 204
    assert admin(cloud, "GET", f"/role_assignments?user.id={dora}").json()["role_assignments"] == []


def test_a_group_gives_its_members_its_roles(cloud: InMemoryCloud) -> None:
    group, user = made(cloud, "group", name="readers"), made(cloud, "user", name="dave", password="pw")
    reader, project = cloud.keystone.role_id("reader"), cloud.departments["dept-b"]
    assert admin(cloud, "PUT", f"/groups/{group}/users/{user}").status_code == 204
    assert admin(cloud, "PUT", f"/projects/{project}/groups/{group}/roles/{reader}").status_code == 204

    assert cloud.keystone.roles_of(user, ("project", project)) == {"reader"}
    effective = admin(cloud, "GET", f"/role_assignments?user.id={user}&effective&include_names").json()
    assert [each["role"]["name"] for each in effective["role_assignments"]] == ["reader"]

    assert admin(cloud, "DELETE", f"/groups/{group}").status_code == 204
    assert cloud.keystone.roles_of(user, ("project", project)) == frozenset()


def test_a_disabled_user_is_out_at_once(cloud: InMemoryCloud) -> None:
    session = cloud.session("alice")
    session.get_token()
    assert admin(cloud, "PATCH", f"/users/{cloud.users['alice']}", {"user": {"enabled": False}}).status_code == 200

    with pytest.raises(Unauthorized):  # the token, and the login that keystoneauth tries then
        session.get("/v2/images", endpoint_filter={"service_type": "image"}, raise_exc=False)


def test_a_user_of_a_deleted_role_gets_a_new_token(cloud: InMemoryCloud) -> None:
    role = made(cloud, "role", name="tourist")
    admin(cloud, "PUT", f"/projects/{cloud.departments['dept-a']}/users/{cloud.users['alice']}/roles/{role}")
    session = cloud.session("alice")
    token = session.get_token()
    assert admin(cloud, "DELETE", f"/roles/{role}").status_code == 204
    assert cloud.keystone.caller(token) is None
    assert session.get("/v2/images", endpoint_filter={"service_type": "image"}).status_code == 200


def test_names_are_unique_and_bodies_checked(cloud: InMemoryCloud) -> None:
    for kind in ("project", "user", "group", "role", "domain"):
        made(cloud, kind, name="twice")
        assert admin(cloud, "POST", f"/{kind}s", {kind: {"name": "twice"}}).status_code == 409, kind
        bodies: tuple[object, ...] = ({}, {kind: []}, {kind: {}}, {kind: {"name": 5}}, {kind: {"name": " "}})
        for body in bodies:
            assert admin(cloud, "POST", f"/{kind}s", body).status_code == 400, (kind, body)
        assert ask(cloud, "alice", "POST", "identity", f"/{kind}s", {kind: {"name": "x"}}).status_code == 403


def test_a_domain_goes_with_what_is_in_it_once_it_is_disabled(cloud: InMemoryCloud) -> None:
    domain = made(cloud, "domain", name="elsewhere")
    user = made(cloud, "user", name="eve", domain_id=domain)
    assert admin(cloud, "DELETE", f"/domains/{domain}").status_code == 403
    assert admin(cloud, "PATCH", f"/domains/{domain}", {"domain": {"enabled": False}}).status_code == 200
    assert admin(cloud, "DELETE", f"/domains/{domain}").status_code == 204
    assert admin(cloud, "GET", f"/users/{user}").status_code == 404


def test_an_application_credential_is_a_login_until_it_is_deleted(cloud: InMemoryCloud) -> None:
    place = f"/users/{cloud.users['alice']}/application_credentials"
    body = {"application_credential": {"name": "robot", "secret": "s"}}
    credential = ask(cloud, "alice", "POST", "identity", place, body).json()["application_credential"]
    assert [role["name"] for role in credential["roles"]] == ["member", "reader"]
    login_with = v3.ApplicationCredential(
        cloud.auth("alice")["auth_url"], application_credential_id=credential["id"], application_credential_secret="s"
    )
    robot = Session(login_with, session=cloud.session("alice").session)
    assert robot.get("/v2/images", endpoint_filter={"service_type": "image"}).status_code == 200

    assert ask(cloud, "bob", "DELETE", "identity", f"{place}/{credential['id']}").status_code == 403
    assert ask(cloud, "alice", "DELETE", "identity", f"{place}/{credential['id']}").status_code == 204
    assert ask(cloud, "alice", "GET", "identity", place).json()["application_credentials"] == []


def test_a_new_endpoint_stands_in_the_catalogue(cloud: InMemoryCloud) -> None:
    service = made(cloud, "service", type="dance", name="tango")
    made(cloud, "endpoint", interface="public", service_id=service, url="http://127.0.0.1/", region_id="RegionOne")
    assert cloud.session("alice").get_endpoint(service_type="dance") == "http://127.0.0.1/"


def test_a_system_token_needs_a_role_on_the_system(cloud: InMemoryCloud) -> None:
    with pytest.raises(Unauthorized):
        login(cloud, username="alice", password="secret", user_domain_id="default", system_scope="all")
    member = cloud.keystone.role_id("member")
    assert admin(cloud, "PUT", f"/system/users/{cloud.users['alice']}/roles/{member}").status_code == 204
    answer = login(cloud, username="alice", password="secret", user_domain_id="default", system_scope="all")
    assert answer.status_code == 200
