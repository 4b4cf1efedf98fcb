"""The requests that cancelling a launch sends, and the servers and volumes that it removes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    ConflictError,
    HyperxGlanceError,
    LaunchFailedError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.launching.following import BUILD_SECONDS
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import Call, Refused
from tests.support import launches
from tests.support.clouds import Clock, sent
from tests.support.launches import ask
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing.memory import Recorded, Reply, ServiceName


def test_cancel_returns_when_servers_and_volumes_are_gone(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.nova.delete_polls = 4
    launch = alice.launch(iso, ask(count=3))
    assert len(cloud.cinder.volumes) == 6
    launch.cancel()
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes
    assert launch.servers == ()
    launch.cancel()


def test_cancel_during_the_build(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.nova.build_polls = 5
    statuses: list[str] = []
    cloud.before("nova", "DELETE", "/servers/", lambda: statuses.append(cloud.nova.server("web-1").status), times=1)
    alice.launch(iso, ask(count=3), wait=False).cancel()
    assert statuses == ["BUILD"]
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_cancel_takes_the_kept_volumes_but_no_volume_of_the_user_s_own(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True))
    server = cloud.nova.server("web")
    own = cloud.cinder.make(server.caller, 1, name="my data")
    server.volumes.append((own.id, False))
    assert len(cloud.cinder.volumes) == 3
    launch.cancel()
    assert list(cloud.cinder.volumes) == [own.id]


@pytest.mark.parametrize(
    ("service", "method", "path", "skip"),
    [
        ("cinder", "POST", "/metadata", 0),
        ("cinder", "POST", "/metadata", 3),
        ("nova", "DELETE", "/servers/", 0),
        ("nova", "DELETE", "/servers/", 1),
        ("nova", "GET", "/servers/detail", 2),
        ("cinder", "GET", "/volumes/detail", 1),
        ("cinder", "DELETE", "/volumes/", 0),
        ("cinder", "DELETE", "/volumes/", 2),
    ],
)
def test_the_kept_volumes_of_a_cancellation_that_died_are_found(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, iso: str, service: ServiceName, method: str, path: str, skip: int
) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    launch = alice.launch(iso, ask(count=2, keep_volumes=True, launch_id="launch-of-mine"))
    own = cloud.cinder.make(cloud.nova.server("web-1").caller, 1, name="my data")
    cloud.nova.server("web-1").volumes.append((own.id, False))
    cloud.before(service, method, path, die, times=1, skip=skip)
    with pytest.raises(KeyboardInterrupt):
        launch.cancel()
    while launches.servers(cloud) and service == "cinder" and path != "/metadata":
        pass  # the ordered work continues
    alice.find_launch("launch-of-mine").cancel()
    assert not cloud.nova.servers
    assert list(cloud.cinder.volumes) == [own.id]
    assert own.metadata == {}
    with pytest.raises(NotFoundError):
        alice.find_launch("launch-of-mine")


def test_the_volumes_of_a_cancelled_launch_still_describe_it(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    alice.launch(iso, ask(count=2, keep_volumes=True, launch_id="launch-of-mine"))
    cloud.fail("cinder", "DELETE", "/volumes/", status=403, times=None)
    with pytest.raises(NotAllowedError, match="launch-of-mine"):
        alice.find_launch("launch-of-mine").cancel()
    bob = Client.from_session(cloud.session("bob"), settings=alice.settings)
    with pytest.raises(NotFoundError):
        bob.find_launch("launch-of-mine")
    found = alice.find_launch("launch-of-mine")
    assert (found.servers, found.count, found.image_id) == ((), 2, iso)
    progress = found.progress()
    assert (progress.active, progress.building, progress.failed) == (0, 0, 2)
    with pytest.raises(LaunchFailedError, match="2 of 2") as caught:
        found.wait()
    assert caught.value.left == ("launch launch-of-mine",)
    assert len(cloud.cinder.volumes) == 4


def test_a_cinder_without_the_filter_gives_no_volume_of_others(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    first = alice.launch(iso, ask(keep_volumes=True, launch_id="launch-of-mine-1"))
    alice.launch(iso, ask(name="db", keep_volumes=True, launch_id="launch-of-mine-2"))
    cloud.fail("cinder", "DELETE", "/volumes/", status=403, times=None)
    with pytest.raises(NotAllowedError):
        first.cancel()
    cloud.fail("cinder", "GET", "/volumes/detail", status=200, body=_all_volumes(cloud))
    with pytest.raises(NotFoundError):
        alice.find_launch("launch-of-mine-3")


def _all_volumes(cloud: InMemoryCloud) -> dict[str, object]:
    answer = cloud.session("alice").get("/volumes/detail", endpoint_filter=launches.VOLUMES)
    found: dict[str, object] = answer.json()
    return found


def test_a_volume_that_cannot_be_marked_now_keeps_its_server_until_it_can(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True))
    volume = next(iter(cloud.cinder.volumes.values()))
    volume.status = "uploading"
    cloud.cinder.copies_stall = True
    cloud.before("cinder", "POST", "/metadata", lambda: setattr(volume, "status", "in-use"), times=1, skip=3)
    servers_at_marks: list[int] = []
    cloud.before("cinder", "POST", "/metadata", lambda: servers_at_marks.append(len(cloud.nova.servers)))
    launch.cancel()
    assert set(servers_at_marks) == {1}
    assert not sent(cloud, "DELETE", "/servers/")[1:]
    assert not cloud.cinder.volumes


def test_the_volumes_of_another_launch_are_marked_by_nobody(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    alice.launch(iso, ask()).cancel()
    alice.launch(iso, ask(keep_volumes=True), wait=False)
    assert not sent(cloud, "POST", "/metadata")


@pytest.mark.parametrize(
    ("status", "body"), [(404, "No such volume."), (200, b"null"), (200, b"{}"), (200, b""), (502, b"Bad Gateway")]
)
def test_a_mark_that_was_not_written_leaves_no_volume(
    cloud: InMemoryCloud, alice: Client, iso: str, status: int, body: str | bytes
) -> None:
    cloud.fail("cinder", "POST", "/metadata", status=status, body=body, times=3)
    alice.launch(iso, ask(count=2, keep_volumes=True)).cancel()
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_launch_without_volumes_is_cancelled_where_there_is_no_cinder(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.keystone.services.remove(cloud.cinder)
    launch = alice.launch(image, ask(keep_volumes=True, launch_id="launch-of-mine"))
    launch.cancel()
    assert not cloud.nova.servers
    with pytest.raises(NotFoundError):
        alice.find_launch("launch-of-mine")


def test_the_volumes_that_are_kept_outlive_the_server(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    alice.launch(iso, ask(keep_volumes=True))
    session = cloud.session("alice")
    session.delete(f"/servers/{cloud.nova.server('web').id}", endpoint_filter=launches.COMPUTE)
    while launches.servers(cloud):
        pass
    assert len(cloud.cinder.volumes) == 2


def test_a_volume_that_nova_does_not_delete_is_deleted(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    launch = alice.launch(iso, ask())
    left, _ = cloud.cinder.volumes.values()

    def forget() -> None:
        """Let Nova forget one of its volumes, as when Cinder was out of reach."""
        cloud.nova.server("web").volumes = [pair for pair in cloud.nova.server("web").volumes if pair[0] != left.id]
        left.status, left.server_id = "available", None

    cloud.before("nova", "DELETE", "/servers/", forget, times=1)
    launch.cancel()
    assert not cloud.cinder.volumes


def test_volumes_that_may_not_be_deleted_are_named(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True, launch_id="launch-of-mine"))
    cloud.fail("cinder", "DELETE", "/volumes/", status=403, times=None)
    with pytest.raises(NotAllowedError) as caught:
        launch.cancel()
    assert set(caught.value.left) == {"launch launch-of-mine", *(f"volume {each}" for each in cloud.cinder.volumes)}


def test_a_volume_that_does_not_go_ends_in_a_timeout_and_cancel_goes_on(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    launch = alice.launch(iso, ask(keep_volumes=True))

    def refuse(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        if (request.service, request.method) != ("cinder", "DELETE"):
            return handle()
        return cloud.cinder.problem(
            Call.of("DELETE", "http://cinder"), Refused(400, "Invalid volume: it goes already.")
        )

    cloud.intercept(refuse)
    with pytest.raises(WaitTimeoutError, match="some volumes have not been deleted yet: Invalid volume: it goes"):
        launch.cancel()
    cloud.intercept(None)
    launch.cancel()
    assert not cloud.cinder.volumes


def test_cancel_asks_once_for_each_server(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.delete_polls = 5
    alice.launch(image, ask(count=3)).cancel()
    # See "How many requests" in the guide: one for each server.
    assert len(sent(cloud, "DELETE", "/servers/")) == 3


def test_cancel_lets_servers_be_built_whose_volumes_it_has_to_learn(
    cloud: InMemoryCloud, alice: Client, clock: Clock, iso: str
) -> None:
    cloud.nova.build_polls = 10
    asked_at: list[tuple[str, float]] = []
    cloud.before(
        "nova", "DELETE", "/servers/", lambda: asked_at.append((cloud.nova.server("web").status, clock.now)), times=1
    )
    alice.launch(iso, ask(keep_volumes=True), wait=False).cancel()
    assert [status for status, _ in asked_at] == ["ACTIVE"]
    assert not cloud.cinder.volumes


def test_cancel_waits_for_no_build_for_ever(cloud: InMemoryCloud, alice: Client, clock: Clock, iso: str) -> None:
    cloud.nova.build_polls = 10**6
    asked_at: list[float] = []
    cloud.before("nova", "DELETE", "/servers/", lambda: asked_at.append(clock.now), times=1)
    alice.launch(iso, ask(keep_volumes=True), wait=False).cancel()
    assert BUILD_SECONDS <= asked_at[0] < BUILD_SECONDS + 10


@pytest.mark.parametrize("status", [403, 500])
def test_one_server_that_cannot_be_deleted_keeps_none_of_the_others(
    cloud: InMemoryCloud, alice: Client, image: str, status: int
) -> None:
    launch = alice.launch(image, ask(count=3))
    stubborn = launch.servers[0].id
    cloud.fail("nova", "DELETE", f"/servers/{stubborn}", status=status, body="no", times=None)
    with pytest.raises(HyperxGlanceError, match=launch.launch_id):
        launch.cancel()
    while len(launches.servers(cloud)) > 1:
        pass
    assert list(cloud.nova.servers) == [stubborn]


def test_a_nova_out_of_reach_is_not_asked_for_each_server(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask(count=3))
    cloud.requests.clear()
    cloud.cut("nova", "DELETE", "/servers/", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError):
        launch.cancel()
    assert len(sent(cloud, "DELETE", "/servers/")) == len(sent(cloud, "GET", "/servers/detail"))


@pytest.mark.parametrize(("service", "path"), [("nova", "/servers/"), ("cinder", "/volumes/")])
@pytest.mark.parametrize("fate", ["lost", "unreachable", "502"])
def test_cancel_finds_out_what_became_of_a_deletion(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, iso: str, service: ServiceName, path: str, fate: str
) -> None:
    launch = alice.launch(iso, ask(count=2, keep_volumes=True))
    if fate == "502":
        cloud.fail(service, "DELETE", path, status=502, body=b"Bad Gateway", times=3)
    else:
        cloud.cut(service, "DELETE", path, times=3, handled=fate == "lost")
    launch.cancel()
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_cancel_waits_for_servers_that_nova_is_still_creating(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": []}, headers=version, times=4)
    launch = alice.launch(image, ask(count=2), wait=False)
    assert launch.servers == ()
    launch.cancel()
    assert not cloud.nova.servers


def test_cancel_asks_again_where_the_state_forbids_it(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask(count=2))
    busy = "Cannot 'delete' instance 7c1 while it is in task_state resize_prep"
    cloud.fail("nova", "DELETE", "/servers/", status=409, body=busy, times=3)
    launch.cancel()
    assert not cloud.nova.servers


def test_a_server_whose_state_forbids_it_for_ever_says_which(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask())
    busy = "Cannot 'delete' instance 7c1 while it is in task_state resize_prep"
    cloud.fail("nova", "DELETE", "/servers/", status=409, body=busy, times=None)
    with pytest.raises(
        WaitTimeoutError, match="some servers have not been deleted yet: Cannot 'delete' instance"
    ) as caught:
        launch.cancel()
    assert caught.value.explanation == busy
    assert_told(caught.value)


def test_a_server_that_does_not_go_ends_in_a_timeout(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask())
    cloud.nova.delete_polls = 10**6
    with pytest.raises(WaitTimeoutError, match="some servers have not been deleted yet") as caught:
        launch.cancel()
    assert caught.value.launch_id == launch.launch_id
    assert [server.name for server in caught.value.last_seen] == ["web"]  # type: ignore[attr-defined]  # servers


def test_softly_deleted_servers_go_by_themselves_with_their_volumes(
    cloud: InMemoryCloud, alice: Client, iso: str, clock: Clock
) -> None:
    cloud.nova.soft_delete = True
    cloud.nova.delete_polls = 3
    launch = alice.launch(iso, ask(count=2))
    launch.cancel()
    assert clock.now < 60
    assert [server.status for server in launch.servers] == ["SOFT_DELETED", "SOFT_DELETED"]
    assert len(cloud.cinder.volumes) == 4
    assert len(sent(cloud, "DELETE", "/servers/")) == 2
    with pytest.raises(NotFoundError):
        alice.find_launch(launch.launch_id)
    launch.cancel()
    assert {server.status for server in cloud.nova.servers.values()} == {"SOFT_DELETED"}


def test_softly_deleted_servers_without_volumes_are_named(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.soft_delete = True
    launch = alice.launch(image, ask(count=2))
    launch.cancel()
    assert [server.status for server in launch.servers] == ["SOFT_DELETED", "SOFT_DELETED"]


def test_kept_volumes_of_softly_deleted_servers_can_be_deleted_after_these(
    cloud: InMemoryCloud, alice: Client, iso: str, clock: Clock
) -> None:
    cloud.nova.soft_delete = True
    launch = alice.launch(iso, ask(keep_volumes=True))
    with pytest.raises(ConflictError, match="deletes servers softly") as caught:
        launch.cancel()
    assert clock.now < 60
    assert caught.value.left == (f"launch {launch.launch_id}",)
    assert_told(caught.value)
    with pytest.raises(ConflictError, match="deletes servers softly"):
        alice.find_launch(launch.launch_id).cancel()
    cloud.nova.remove_soft_deleted()
    alice.find_launch(launch.launch_id).cancel()
    assert not cloud.cinder.volumes


def test_a_failed_launch_whose_servers_are_deleted_softly_says_so(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.soft_delete = True
    cloud.nova.faults += ["No valid host was found."]
    with pytest.raises(LaunchFailedError) as caught:
        alice.launch(image, ask(count=2, on_failure="delete"))
    assert "will be deleted by themselves" in caught.value.hint
    assert caught.value.left == ()
