"""Launches are found again by their ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    HyperxGlanceError,
    InvalidRequestError,
    LaunchFailedError,
    NotFoundError,
    ServiceUnavailableError,
    Settings,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.waiting.ids import draw_id, is_settled
from hyperx_glance.waiting.quiet import QUIET_SECONDS
from tests.support.clouds import Clock, sent
from tests.support.launches import REFUSALS, ask
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from hyperx_glance.testing.memory import ServiceName


def test_a_launch_is_found_by_its_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    made = alice.launch(image, ask(count=3, launch_id="launch-of-mine", on_failure="delete"))
    found = Client.from_session(cloud.session("arthur"), settings=alice.settings).find_launch("launch-of-mine")
    assert found.servers == made.servers
    assert (found.launch_id, found.image_id, found.count) == ("launch-of-mine", image, 3)
    assert found.admin_password is None
    assert found.progress().active == 3


def test_a_launch_is_looked_for_while_nova_may_still_create_it(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.visible_per_look = 1
    alice.launch(image, ask(count=4, launch_id="launch-of-mine"), wait=False)
    assert len(alice.find_launch("launch-of-mine").servers) == 4


def test_a_launch_that_never_was_is_not_found_after_the_quiet_time(alice: Client, clock: Clock) -> None:
    with pytest.raises(NotFoundError, match="No server belongs to launch no-such-launch"):
        alice.find_launch("no-such-launch")
    assert QUIET_SECONDS <= clock.now < 2 * QUIET_SECONDS
    with pytest.raises(InvalidRequestError):
        alice.find_launch("")


def test_all_launches_are_listed_the_newest_first(
    cloud: InMemoryCloud, alice: Client, image: str, clock: Clock
) -> None:
    cloud.nova.build_polls = 100
    for number in 1, 2:
        alice.launch(image, ask(count=number, launch_id=f"launch-number-{number}"), wait=False)
    cloud.requests.clear()

    newest, oldest = alice.launches()
    assert [(each.launch_id, each.count, len(each.servers)) for each in (newest, oldest)] == [
        ("launch-number-2", 2, 2),
        ("launch-number-1", 1, 1),
    ]
    assert (newest.image_id, newest.admin_password) == (image, None)
    assert clock.now == 0
    assert [request.path for request in sent(cloud)] == ["/v2.1/servers/detail"]
    for launch in newest, oldest:
        launch.cancel()
    assert alice.launches() == []


def test_servers_of_nobodys_launch_are_no_launch(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask())
    (server,) = cloud.nova.servers.values()
    server.tags = ["somebody's", "hyperx-launches"]

    assert alice.launches() == []
    launch.cancel()


def drawn(ago: timedelta) -> str:
    return draw_id(datetime.now(UTC) - ago)


def test_an_id_drawn_long_ago_is_told_to_be_unknown_at_once(cloud: InMemoryCloud, alice: Client, clock: Clock) -> None:
    cloud.requests.clear()
    with pytest.raises(NotFoundError, match="No server belongs to launch"):
        alice.find_launch(drawn(timedelta(minutes=11)))
    assert clock.now == 0
    assert [(each.service, each.method) for each in cloud.requests] == [
        ("keystone", "POST"),
        ("nova", "GET"),
        ("cinder", "GET"),
    ]


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(minutes=9), -timedelta(hours=5)])
def test_an_id_drawn_lately_is_looked_for(alice: Client, clock: Clock, ago: timedelta) -> None:
    with pytest.raises(NotFoundError):
        alice.find_launch(drawn(ago))
    assert clock.now == pytest.approx(QUIET_SECONDS, abs=0.01)


def test_a_launch_of_long_ago_is_found(cloud: InMemoryCloud, alice: Client, clock: Clock, image: str) -> None:
    launch = alice.launch(image, ask(count=2))
    old = drawn(timedelta(days=1))
    for server in cloud.nova.servers.values():
        server.tags = [f"hyperx-launch:{old}"]
    before = clock.now
    assert alice.find_launch(old).servers == launch.servers
    assert clock.now == before


def test_an_id_drawn_long_ago_starts_no_launch(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    """Otherwise find_launch would call a launch unknown that Nova is just creating."""
    cloud.requests.clear()
    with pytest.raises(InvalidRequestError, match="too long ago"):
        alice.launch(image, ask(launch_id=drawn(timedelta(minutes=6))))
    assert not cloud.requests
    lately = drawn(timedelta(minutes=4))
    assert alice.launch(image, ask(launch_id=lately)).launch_id == lately


def test_a_launch_s_own_id_tells_when_it_was_drawn(alice: Client, image: str) -> None:
    before = datetime.now(UTC)
    launch_id = alice.launch(image, ask()).launch_id
    assert not is_settled(launch_id, before)
    assert is_settled(launch_id, before + timedelta(minutes=30))


def test_the_pace_of_the_cloud_makes_waiting_for_quiet_free(cloud: InMemoryCloud) -> None:
    alice = Client.from_session(cloud.session("alice"), settings=Settings(pace=cloud.pace))
    with pytest.raises(NotFoundError):
        alice.find_launch("no-such-launch")
    assert len(sent(cloud, "GET", "/servers/detail")) < 20


def test_an_old_launch_with_a_deleted_server_is_found_at_once(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    for server in cloud.nova.servers.values():
        server.created_at -= timedelta(hours=1)
    before = clock.now
    found = alice.find_launch("launch-of-mine")
    assert [server.name for server in found.servers] == ["web-1", "web-3"]
    assert clock.now == before


@pytest.mark.parametrize("told", ["٣", "-1", "", "two", "9" * 255, "10000", "1", "²", "3 ", "+3"])
def test_a_count_that_somebody_wrote_is_no_number_of_ours(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str, told: str
) -> None:
    alice.launch(image, ask(count=2, launch_id="launch-of-mine"))
    for server in cloud.nova.servers.values():
        server.metadata["hyperx_launch_count"] = told
    before = clock.now
    found = alice.find_launch("launch-of-mine")
    assert (found.count, found.progress().active, found.progress().failed) == (2, 2, 0)
    assert clock.now == before


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_a_launch_that_nova_showed_once_and_never_again_is_an_error(
    cloud: InMemoryCloud, alice: Client, image: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    cloud.fail("nova", "GET", "/servers", status=status, times=None, skip=1)
    with pytest.raises(kind, match="launch-of-mine") as caught:
        alice.find_launch("launch-of-mine")
    assert caught.value.launch_id == "launch-of-mine"


def test_a_launch_of_which_all_was_seen_is_found_by_one_look(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    cloud.requests.clear()
    assert len(alice.find_launch("launch-of-mine").servers) == 3
    assert len(sent(cloud, "GET", "/servers/detail")) == 1


def test_a_launch_whose_servers_go_while_it_is_looked_for_is_not_found(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    cloud.before("nova", "GET", "/servers/detail", cloud.nova.servers.clear, times=1, skip=1)
    with pytest.raises(NotFoundError, match="launch-of-mine") as caught:
        alice.find_launch("launch-of-mine")
    assert (caught.value.launch_id, caught.value.left) == ("launch-of-mine", ())
    assert_told(caught.value)


def test_an_old_launch_that_lacks_a_server_waits_for_none(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(count=2, launch_id="launch-of-mine"))
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    for server in cloud.nova.servers.values():
        server.created_at -= timedelta(hours=1)
    progress = alice.find_launch("launch-of-mine").progress()
    assert (progress.active, progress.building, progress.failed) == (1, 0, 1)


def test_a_found_launch_that_goes_on_still_deletes_on_failure(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.build_polls = 5
    cloud.nova.faults.append("No valid host was found.")
    launch_id = alice.launch(image, ask(count=2, on_failure="delete"), wait=False).launch_id
    with pytest.raises(LaunchFailedError):
        alice.find_launch(launch_id).wait()
    assert not cloud.nova.servers


def test_a_launch_that_has_ended_never_deletes_what_runs(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch_id = alice.launch(image, ask(count=3, on_failure="delete")).launch_id
    del cloud.nova.servers[cloud.nova.server("web-2").id]
    with pytest.raises(LaunchFailedError, match="deleted meanwhile"):
        alice.find_launch(launch_id).wait()
    assert len(cloud.nova.servers) == 2


def test_launches_do_not_see_each_other(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    alice.launch(image, ask(launch_id="launch-of-mine-1"))
    other = alice.launch(image, ask(name="db", launch_id="launch-of-mine-2"))
    alice.find_launch("launch-of-mine-1").cancel()
    assert [server.name for server in cloud.nova.servers.values()] == ["db"]
    assert other.progress().active == 1
    bob = Client.from_session(cloud.session("bob"), settings=alice.settings)
    with pytest.raises(NotFoundError):
        bob.find_launch("launch-of-mine-2")


@pytest.mark.parametrize(("service", "path"), [("nova", "/servers/detail"), ("cinder", "/volumes/detail")])
def test_a_list_that_is_not_found_says_nothing_about_a_launch(
    cloud: InMemoryCloud, alice: Client, image: str, service: ServiceName, path: str
) -> None:
    launch = alice.launch(image, ask())
    if service == "cinder":
        launch.cancel()
    cloud.fail(service, "GET", path, status=404, times=None)
    with pytest.raises(ServiceUnavailableError, match="has no such list") as caught:
        alice.find_launch(launch.launch_id)
    assert caught.value.launch_id == launch.launch_id


@pytest.mark.parametrize("status", [400, 404])
def test_a_list_whose_marker_is_gone_says_nothing_either(
    cloud: InMemoryCloud, alice: Client, image: str, status: int
) -> None:
    """Nova answers 400 then, and Cinder 404."""
    launch = alice.launch(image, ask(count=2))
    cloud.nova.max_limit = 1
    cloud.fail("nova", "GET", "/servers/detail", status=status, body="marker not found", skip=1, times=1)
    with pytest.raises(ServiceUnavailableError, match="changed while it was read: marker not found"):
        alice.find_launch(launch.launch_id)
    assert len(alice.find_launch(launch.launch_id).servers) == 2
