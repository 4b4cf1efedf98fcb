"""A client takes a session, a connection or a cloud's name, and makes no request before its first verb."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import hyperx_glance
from hyperx_glance import AuthenticationError, Client, ImageQuery, InvalidRequestError, connect
from hyperx_glance.testing import InMemoryCloud


@pytest.fixture
def fake() -> InMemoryCloud:
    return InMemoryCloud()


def test_from_session_makes_no_request(fake: InMemoryCloud) -> None:
    client = Client.from_session(fake.session("alice"), region_name="RegionOne")

    assert fake.requests == []
    assert client.region_name == "RegionOne"


def test_connect_takes_what_openstack_connect_takes(fake: InMemoryCloud) -> None:
    with fake, connect(**fake.auth("admin")) as client:  # type: ignore[arg-type]  # text, as any keyword of `auth`
        assert client.project_id == fake.departments["admin"]
        assert client.user_id == fake.users["admin"]
        assert client.is_administrator
        assert client.region_name == "RegionOne"


def test_from_connection_uses_it_and_leaves_it_open(fake: InMemoryCloud) -> None:
    import openstack  # noqa: PLC0415  # only this test needs it

    with fake:
        connection = openstack.connect(**fake.auth("alice"))  # type: ignore[arg-type]  # its keywords are any
        with Client.from_connection(connection) as client:
            assert client.project_id == fake.departments["dept-a"]
        assert connection.session.get_token()
        connection.close()


def test_an_unknown_cloud_is_a_wrong_request() -> None:
    with pytest.raises(InvalidRequestError, match="not configured"):
        connect("no-such-cloud-at-all")


def test_wrong_credentials_are_told_at_the_first_verb(fake: InMemoryCloud) -> None:
    fake.fail("keystone", "POST", "/auth/tokens", status=401)

    with pytest.raises(AuthenticationError):
        list(Client.from_session(fake.session("alice")).images())


def test_a_query_and_keywords_do_not_go_together(fake: InMemoryCloud) -> None:
    client = Client.from_session(fake.session("alice"))

    with pytest.raises(InvalidRequestError, match="not both"):
        client.images(ImageQuery(), name="debian")
    with pytest.raises(InvalidRequestError, match="colour"):
        client.images(colour="red")  # type: ignore[call-arg]  # that is what the test shows


def test_the_session_door_does_not_import_openstacksdk() -> None:
    program = (
        "import sys, hyperx_glance; from keystoneauth1.session import Session; "
        "hyperx_glance.Client.from_session(Session()); sys.exit('openstack' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_public_name_is_there() -> None:
    assert hyperx_glance.__all__ == sorted(hyperx_glance.__all__)
    for name in hyperx_glance.__all__:
        assert getattr(hyperx_glance, name) is not None


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.images({"view": "all"}),
        lambda client: client.count("debian"),
        lambda client: client.register({"name": "debian"}),
        lambda client: client.start_registration(None),
        lambda client: client.update("7c1", {"name": "debian"}),
        lambda client: client.launch("7c1", {"name": "web"}),
        lambda client: client.delete(7),
        lambda client: client.enable(None),
    ],
)
def test_a_value_of_the_wrong_class_is_a_wrong_request(fake: InMemoryCloud, ask: Callable[[Any], object]) -> None:
    with pytest.raises(InvalidRequestError, match="must be"):
        ask(Client.from_session(fake.session("alice")))
    assert fake.requests == []
