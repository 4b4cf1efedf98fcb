"""New passwords for running servers."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from hyperx_glance import (
    Client,
    HyperxGlanceError,
    InvalidRequestError,
    NotFoundError,
    PasswordResetError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from tests.support import launches
from tests.support.interference import interrupt
from tests.support.launches import ask
from tests.support.readers import assert_told

if TYPE_CHECKING:
    pass


def test_a_new_password_is_drawn_or_taken(cloud: InMemoryCloud, alice: Client) -> None:
    server_id = alice.launch(launches.put_password_image(cloud), ask()).servers[0].id
    drawn = alice.reset_password(server_id)
    assert cloud.nova.server("web").admin_pass == drawn.get_secret_value()
    assert len(drawn.get_secret_value()) == 20
    assert alice.reset_password(server_id, SecretStr("Of-my-0wn")).get_secret_value() == "Of-my-0wn"
    assert cloud.nova.server("web").admin_pass == "Of-my-0wn"


@pytest.mark.parametrize(
    ("how", "status", "hint"), [("no_agent", 409, "with a guest agent"), ("silent_agent", 501, "qemu-guest-agent")]
)
def test_a_guest_without_agent_takes_no_password(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, image: str, how: str, status: int, hint: str
) -> None:
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.nova.password_changes = how  # type: ignore[assignment]  # one of them
    with pytest.raises(PasswordResetError) as caught:
        alice.reset_password(server_id, "Of-my-0wn")
    assert caught.value.status == status
    assert hint in caught.value.hint
    assert "0wn" not in str(caught.value)
    assert caught.value.explanation
    assert caught.value.explanation not in caught.value.message
    assert_told(caught.value)


@pytest.mark.parametrize("password", ["", "two\nlines"])
def test_a_password_that_makes_no_sense_is_refused_before_any_request(
    cloud: InMemoryCloud, alice: Client, image: str, password: str
) -> None:
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.requests.clear()
    with pytest.raises(InvalidRequestError, match=r"^password: "):
        alice.reset_password(server_id, password)
    with pytest.raises(InvalidRequestError):
        alice.reset_password("")
    assert not cloud.requests


def test_an_unknown_server_and_a_nova_that_fails(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    with pytest.raises(NotFoundError):
        alice.reset_password("no-such-server")
    server_id = alice.launch(image, ask()).servers[0].id
    cloud.fail("nova", "POST", "/action", status=502, body=b"Bad Gateway")
    with pytest.raises(ServiceUnavailableError):
        alice.reset_password(server_id)


def test_a_password_that_the_server_may_have_is_given(cloud: InMemoryCloud, alice: Client) -> None:
    server_id = alice.launch(launches.put_password_image(cloud), ask()).servers[0].id
    cloud.cut("nova", "POST", "/action")
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.reset_password(server_id)
    password = caught.value.admin_password

    assert password is not None
    assert cloud.nova.server("web").admin_pass == password.get_secret_value()
    assert password.get_secret_value() not in f"{caught.value}{caught.value!r}{vars(caught.value)!r}"
    assert pickle.loads(pickle.dumps(caught.value)).admin_password is None

    cloud.before("nova", "POST", "/action", interrupt, times=1)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        alice.reset_password(server_id, "Of-my-0wn")
    assert vars(interrupted.value)["admin_password"].get_secret_value() == "Of-my-0wn"
    assert not hasattr(interrupted.value, "__notes__")


@pytest.mark.parametrize("how", ["refused", "no connection", "no agent", "silent agent"])
def test_a_password_that_the_server_does_not_have_is_not_given(
    cloud: InMemoryCloud, alice: Client, image: str, how: str
) -> None:
    server_id = alice.launch(image, ask()).servers[0].id
    match how:
        case "refused":
            cloud.fail("nova", "POST", "/action", status=403)
        case "no connection":
            cloud.cut("nova", "POST", "/action", handled=False)
        case _:
            cloud.nova.password_changes = how.replace(" ", "_")  # type: ignore[assignment]  # one of them
    with pytest.raises(HyperxGlanceError) as caught:
        alice.reset_password(server_id)
    assert caught.value.admin_password is None
