"""A launch is ordered once, even if the response is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # libpass has no types

from hyperx_glance import (
    Client,
    LaunchFailedError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import Reply
from hyperx_glance.waiting.pace import REPETITIONS
from hyperx_glance.waiting.quiet import QUIET_SECONDS
from tests.support import launches
from tests.support.clouds import Clock, sent
from tests.support.launches import ask, nothing_was_created
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing.memory import Recorded


def test_a_lost_answer_is_looked_for_not_asked_again(cloud: InMemoryCloud, alice: Client) -> None:
    cloud.cut("nova", "POST", "/servers")
    launch = alice.launch(launches.put_password_image(cloud), ask(count=3))
    assert [server.name for server in launch.servers] == ["web-1", "web-2", "web-3"]
    assert launch.admin_password is not None
    (config,) = {server.user_data for server in cloud.nova.servers.values()}
    (user,) = yaml.safe_load(config)["chpasswd"]["users"]
    assert sha512_crypt.verify(launch.admin_password.get_secret_value(), user["password"])
    assert len(sent(cloud, "POST", "/servers")) == 1


@pytest.mark.parametrize("late", [1, 3, 6])
def test_servers_that_nova_creates_later_are_waited_for(
    cloud: InMemoryCloud, alice: Client, image: str, late: int
) -> None:
    cloud.cut("nova", "POST", "/servers", late=late)
    cloud.nova.visible_per_look = 1
    launch = alice.launch(image, ask(count=5))
    assert len(launch.servers) == 5
    assert {server.status for server in launch.servers} == {"ACTIVE"}
    assert len(cloud.nova.servers) == 5


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_proxy_s_answer_is_no_answer(cloud: InMemoryCloud, alice: Client, image: str, status: int) -> None:
    def proxy(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        answer = handle()
        if (request.service, request.method, request.path) != ("nova", "POST", "/v2.1/servers"):
            return answer
        return Reply(status, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})

    cloud.intercept(proxy)
    launch = alice.launch(image, ask(count=2))
    assert len(launch.servers) == len(cloud.nova.servers) == 2


@pytest.mark.parametrize("body", [b"null", b"{}", b"[]", b"", b'{"reserv', b'{"reservation_id": 5}'])
def test_an_answer_that_is_not_understood_is_no_answer(
    cloud: InMemoryCloud, alice: Client, image: str, body: bytes
) -> None:
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "POST", "/servers", status=200, body=body, headers=version)
    with pytest.raises(ServiceUnavailableError, match="no server of launch launch-of-mine was found") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), wait=False)
    assert caught.value.left == ("launch launch-of-mine",)


def test_a_request_that_never_arrived_raises_after_the_quiet_time_with_the_launch_id(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.fail("nova", "POST", "/servers", status=502, body=b"Bad Gateway")
    with pytest.raises(ServiceUnavailableError, match="no server of launch launch-of-mine was found") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"
    assert caught.value.status == 502
    assert "find_launch" in caught.value.hint
    assert "`openstack hyperx launch show launch-of-mine`" in caught.value.hint.in_language("en", audience="command")
    assert_told(caught.value)
    assert QUIET_SECONDS <= clock.now < 2 * QUIET_SECONDS
    assert nothing_was_created(cloud) or len(sent(cloud, "POST", "/servers")) == 1


def test_nova_out_of_reach_after_a_lost_answer_is_waited_for(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.cut("nova", "GET", "/servers/detail", times=7, handled=False)
    assert len(alice.launch(image, ask(count=2)).servers) == 2


def test_nova_out_of_reach_for_good_raises_with_the_launch_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.cut("nova", "GET", "/servers/detail", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.launch(image, ask())
    assert caught.value.launch_id is not None
    assert len(sent(cloud, "POST", "/servers")) == 1


def test_without_any_connection_it_is_sent_again(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers", times=2, handled=False)
    assert len(alice.launch(image, ask(count=2)).servers) == len(cloud.nova.servers) == 2
    # See "How many requests" in the guide: repeated if Nova was never reached, up to four times in all.
    assert len(sent(cloud, "POST", "/servers")) == 3


def test_without_any_connection_each_time_it_gives_up(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.cut("nova", "POST", "/servers", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.launch(image, ask())
    assert caught.value.launch_id
    assert not caught.value.connected
    assert not caught.value.left
    assert len(sent(cloud, "POST", "/servers")) == 1 + REPETITIONS


def test_a_rate_limit_is_a_refusal_not_a_lost_answer(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.fail("nova", "POST", "/servers", status=429, body=b"slow down")
    with pytest.raises(ServiceUnavailableError, match="slow down") as caught:
        alice.launch(image, ask())
    assert caught.value.launch_id
    assert clock.now < QUIET_SECONDS


def test_servers_that_were_never_made_are_failures_after_the_quiet_time(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.before("nova", "GET", "/servers/detail", lambda: drop("web-2"), times=1)

    def drop(name: str) -> None:
        del cloud.nova.servers[cloud.nova.server(name).id]

    with pytest.raises(LaunchFailedError, match=r"1 of 3 servers.*1 of them was never made") as caught:
        alice.launch(image, ask(count=3))
    assert caught.value.servers == ()
    assert clock.now >= QUIET_SECONDS
    assert {server.name for server in cloud.nova.servers.values()} == {"web-1", "web-3"}


@pytest.mark.parametrize("name", ["5²", "٣", "①", "web-²-3", "9" * 200, "𝟚", "１２"])
def test_a_name_of_any_digits_is_a_name(cloud: InMemoryCloud, alice: Client, image: str, name: str) -> None:
    launch = alice.launch(image, ask(name=name, count=2, launch_id="launch-of-mine"))
    assert [server.name for server in launch.servers] == [f"{name}-1", f"{name}-2"]
    assert alice.find_launch("launch-of-mine").progress().active == 2
    launch.cancel()
    assert not cloud.nova.servers
