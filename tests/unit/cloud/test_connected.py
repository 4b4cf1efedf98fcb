"""How a client is made and closed; test_connecting.py has the arguments."""

import pytest

from hyperx_glance import Client, InvalidRequestError, Settings
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
