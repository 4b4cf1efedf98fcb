"""How a client is made and closed; test_connecting.py has the arguments."""

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.noauth import NoAuth
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session
from openstack.connection import Connection

from hyperx_glance import Client, InvalidRequestError, Pace, ServiceUnavailableError, Settings
from hyperx_glance.cloud.connected import Connected
from hyperx_glance.testing import InMemoryCloud


def test_a_client_is_connected_as_its_user() -> None:
    fake = InMemoryCloud()
    settings = Settings(page_size=7)

    client = Client.from_session(fake.session("alice"), region_name="RegionOne", settings=settings)

    assert isinstance(client, Connected)
    assert (client.settings, client.region_name, client.is_administrator) == (settings, "RegionOne", False)
    assert client.project_id == client.cloud.project_id
    assert client.user_id == client.cloud.user_id


def test_closing_closes_what_was_opened_for_it() -> None:
    closed = []
    client = Client.from_session(InMemoryCloud().session("alice"))
    client.on_close = lambda: closed.append(client)

    with client as same:
        assert same is client
        assert not closed

    assert closed == [client]


def test_no_client_is_made_of_anything_else() -> None:
    with pytest.raises(InvalidRequestError, match="a client is made by connect"):
        Client("a cloud")  # type: ignore[arg-type]  # what it is about


@pytest.mark.parametrize("path", ["/projects$", "/auth/projects$"])
@pytest.mark.parametrize("kind", ["session", "connection"])
def test_every_connection_of_a_client_waits_at_its_pace(kind: str, path: str) -> None:
    """The steward reads /projects as an administrator, and the caller /auth/projects."""
    fake = InMemoryCloud()
    slept: list[float] = []
    settings = Settings(pace=Pace(first_interval=7, sleep=slept.append))
    bob, admin = fake.session("bob"), fake.session("admin")
    if kind == "session":
        client = Client.from_session(bob, steward=admin, settings=settings)
    else:
        client = Client.from_connection(Connection(session=bob), steward=Connection(session=admin), settings=settings)
    image = fake.glance.add_image(name="kylin", owner="c" * 32, visibility="community", status="active")
    fake.fail("keystone", "GET", path, status=503, times=None)

    with pytest.raises(ServiceUnavailableError):
        _ = client.departments() if "auth" in path else client.owner_name(image)

    assert slept == [7, 7]


def test_a_connection_for_the_whole_system_waits_at_the_same_pace() -> None:
    fake = InMemoryCloud()
    slept: list[float] = []
    settings = Settings(pace=Pace(first_interval=7, sleep=slept.append))
    whole = Client.from_session(fake.session("admin"), settings=settings).cloud.of_system()
    assert whole is not None
    fake.fail("keystone", "GET", "/limits$", status=503, times=None)

    with pytest.raises(ServiceUnavailableError):
        whole.get("identity", "/limits")

    assert slept == [7, 7]


def test_a_client_shows_its_user_department_region_and_cloud_before_and_after_the_login() -> None:
    fake = InMemoryCloud()
    client = Client.from_session(fake.session("alice"), region_name="RegionOne")
    shown = f"Client(user='alice', department='dept-a', region='RegionOne', cloud='{fake.auth('alice')['auth_url']}')"

    before, sent = repr(client), len(fake.requests)
    client.count()

    assert (before, sent) == (shown, 0)
    assert repr(client) == shown


@pytest.mark.parametrize(
    ("login", "shown"),
    [
        (
            v3.Password(
                "https://user:hidden@keystone.example/v3?key=hidden",
                username="bob", password="hidden", user_domain_id="default", project_name="dept-b",
            ),
            "Client(user='bob', department='dept-b', region=None, cloud='https://keystone.example/v3')",
        ),
        (
            v3.ApplicationCredential("https://keystone.example/v3", "hidden", application_credential_id="7c1"),
            "Client(user=None, department=None, region=None, cloud='https://keystone.example/v3')",
        ),
        (
            v3.Token("https://keystone.example/v3", token="hidden", project_id="1234"),
            "Client(user=None, department='1234', region=None, cloud='https://keystone.example/v3')",
        ),
        (NoAuth(), "Client(user=None, department=None, region=None, cloud=None)"),
        (None, "Client(user=None, department=None, region=None, cloud=None)"),
    ],
    ids=["password", "application credential", "token", "no login", "nothing"],
)  # fmt: skip
def test_no_representation_of_a_client_shows_a_secret(login: BaseAuthPlugin | None, shown: str) -> None:
    assert repr(Client.from_session(Session(login))) == shown
