"""openstacksdk judges the keywords of connect(), and each wrong configuration is an error of this library."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import openstack
import pytest
from keystoneauth1.identity import v3

from hyperx_glance import AuthenticationError, Client, InvalidRequestError, connect
from hyperx_glance.cloud.connecting import is_connection, is_session, is_steward
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://keystone.cloud.test/v3"
PASSWORD = {"auth_url": URL, "username": "alice", "password": "secret", "project_name": "dept-a"}


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        (
            {"auth": {**PASSWORD, "pasword": "x"}},
            "openstacksdk raised TypeError, unexpected keyword argument 'pasword'.",
        ),
        (
            {"auth": {**PASSWORD, "project": "x"}},
            "openstacksdk raised TypeError, unexpected keyword argument 'project'.",
        ),
        ({"auth": "x"}, "openstacksdk raised AttributeError."),
        ({"auth": {5: "x"}}, "openstacksdk raised AttributeError."),
        ({**PASSWORD, "auth_type": "guess"}, "The plugin guess could not be found."),
        (
            {"username": "alice", "password": "secret"},
            "Auth plugin requires parameters which were not given: auth_url.",
        ),
    ],
)
def test_arguments_refused_by_openstacksdk_are_invalid_requests(keywords: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        connect(**keywords)

    assert str(caught.value).startswith(f"The cloud is not configured: {told} Hint: ")
    assert "secret" not in str(caught.value)


def test_a_keyword_that_only_a_later_openstacksdk_knows_is_passed_on() -> None:
    keywords: dict[str, Any] = {**PASSWORD, "network_weather": "fair"}

    connect(**keywords).close()


def test_a_login_with_a_misspelt_keyword_fails_at_the_first_request() -> None:
    cloud = InMemoryCloud()
    login: dict[str, Any] = dict(cloud.auth("alice"))
    login["pasword"] = login.pop("password")

    with cloud, connect(**login) as client, pytest.raises(AuthenticationError, match="incomplete"):
        client.departments()


@pytest.mark.parametrize("text", ["[" * 5000, "clouds: {broken: {auth: 5}}", "5"], ids=["deep", "auth", "5"])
def test_a_file_that_makes_no_sense_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / "clouds.yaml").write_text(text)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

    with pytest.raises(InvalidRequestError, match="The cloud is not configured"):
        connect("broken")


def test_arguments_that_openstacksdk_reads_later_are_checked_at_once() -> None:
    """openstacksdk makes its session when the session is first read."""
    keywords: dict[str, Any] = {**PASSWORD, **DOMAINS, "api_timeout": "soon"}
    with pytest.raises(InvalidRequestError, match="The cloud is not configured: openstacksdk raised ValueError"):
        connect(**keywords)
    connection = openstack.connect(**keywords)
    with pytest.raises(InvalidRequestError, match=r"^connection: The cloud is not configured"):
        Client.from_connection(connection)


DOMAINS = {"user_domain_name": "Default", "project_domain_name": "Default"}
TOKEN = {"auth_url": URL, "token": "t1", "project_name": "dept-a"}
CREDENTIAL = {"auth_url": URL, "application_credential_id": "a1", "application_credential_secret": "s1"}


@pytest.mark.parametrize(
    "keywords",
    [
        PASSWORD,
        {"auth": PASSWORD},
        {**PASSWORD, "user_domain_id": "default", "project_domain_name": "Default"},
        {"auth": {**PASSWORD, "user_domain_name": "Default", "project_domain_id": "default"}},
        {"auth": {"auth_url": URL, "username": "a", "password": "p", "tenant_name": "t"}},
        {"auth_type": "v3password", "auth": {**PASSWORD, **DOMAINS}},
        {"auth_type": "v3token", "auth": {**TOKEN, "project_domain_id": "default"}},
        {"auth_type": "token", **TOKEN, "project_domain_id": "default"},
        {"auth_type": "v3applicationcredential", "auth": CREDENTIAL},
        {"auth_type": "v3applicationcredential", **CREDENTIAL},
        {
            "auth_type": "v3totp",
            "auth": {"auth_url": URL, "username": "a", "passcode": "1", "project_name": "p", **DOMAINS},
        },
        {"auth_type": "none", "auth": {"endpoint": "http://glance.cloud.test"}},
        {**PASSWORD, "os_region_name": "RegionOne"},
        {**PASSWORD, "user-domain-id": "default"},
        {**PASSWORD, "verify": False, "cacert": None, "cert": None, "key": None, "insecure": True},
        {**PASSWORD, "timeout": 5, "api_timeout": 5, "interface": "internal", "image_interface": "public"},
        {**PASSWORD, "image_endpoint_override": "http://glance.cloud.test", "compute_api_version": "2.1"},
        {**PASSWORD, "compute_default_microversion": "2.90", "volume_service_type": "volumev3"},
        {**PASSWORD, "block_storage_service_name": "cinder", "image_status_code_retries": 1, "has_network": True},
        {**PASSWORD, "app_name": "console", "app_version": "1", "load_yaml_config": False, "load_envvars": False},
        {**PASSWORD, "identity_api_version": "3", "connect_retries": 2, "force_ipv4": True, "networks": []},
    ],
)
def test_every_usual_keyword_is_accepted(keywords: dict[str, Any]) -> None:
    connect(**keywords).close()


def test_a_misspelt_keyword_in_a_file_is_a_wrong_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    path.write_text(
        f"clouds: {{mine: {{auth: {{auth_url: '{URL}', username: alice, pasword: s3cret, project_name: p}}}}}}"
    )

    with pytest.raises(InvalidRequestError, match=r"not configured.* 'pasword'") as caught:
        connect("mine")

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", [5, "x", [], {}, object(), b"x", float("nan"), 10**400])
@pytest.mark.parametrize("word", ["auth_url", "password", "verify", "cacert", "timeout", "region_name", "interface"])
def test_a_value_of_a_wrong_type_is_no_error_of_another_library(word: str, value: object) -> None:
    keywords: dict[str, Any] = {**PASSWORD, word: value}

    with contextlib.suppress(InvalidRequestError):
        connect(**keywords).close()


def test_each_door_says_which_key_fits_it() -> None:
    cloud = InMemoryCloud()
    session = cloud.session("alice")
    with cloud:
        connection = openstack.connect(**cloud.auth("alice"))  # type: ignore[arg-type]  # its keywords are any
    wrong: list[tuple[Any, Any, str]] = [
        (Client.from_session, connection, "session: .*Connection; Client.from_connection takes that"),
        (Client.from_session, None, "session: must be a keystoneauth1 Session, not NoneType"),
        (Client.from_session, v3.Token(URL, "t1"), "session: must be a keystoneauth1 Session, not Token"),
        (Client.from_connection, session, "connection: .*not Session; Client.from_session takes that"),
        (Client, session, "cloud: a client is made by connect"),
        (Client, connection, "cloud: a client is made by connect"),
    ]
    for door, key, told in wrong:
        with pytest.raises(InvalidRequestError, match=told):
            door(key)
    with pytest.raises(
        InvalidRequestError, match=r"^steward: must be a keystoneauth1 Session or an openstacksdk Connection"
    ):
        Client.from_session(session, steward="admin")  # type: ignore[arg-type]  # that is what the test shows
    with pytest.raises(InvalidRequestError, match=r"^settings: must be an instance of Settings, not dict"):
        Client.from_session(session, settings={"transfer": "stream"})  # type: ignore[arg-type]  # as above

    assert [is_session(session), is_connection(connection), is_steward(session), is_steward(connection)] == [""] * 4
    assert cloud.requests == []
    connection.close()
