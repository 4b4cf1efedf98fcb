"""Failed launches: what remains, and what the error says."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from tenacity import TryAgain

from hyperx_glance import (
    AmbiguousNameError,
    Client,
    ConflictError,
    FlavorTooSmallError,
    InvalidRequestError,
    LaunchFailedError,
    LaunchProgress,
    NotAllowedError,
    QuotaExceededError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from tests.support.clouds import Clock
from tests.support.interference import interrupt
from tests.support.launches import ask
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing.memory import Recorded, Reply


def test_servers_in_error_raise_with_each_fault_and_the_others_stay(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.faults += ["No valid host was found.", "Failed to allocate the network(s), not rescheduling."]
    with pytest.raises(LaunchFailedError, match="2 of 3 servers") as caught:
        alice.launch(image, ask(count=3))
    error = caught.value
    failed = [server.name for server in cloud.nova.servers.values() if server.status == "ERROR"]
    assert [(server.name, server.fault) for server in error.servers] == [  # type: ignore[attr-defined]  # Server
        (failed[0], "No valid host was found."),
        (failed[1], "Failed to allocate the network(s), not rescheduling."),
    ]
    assert "No valid host was found." in str(error)
    assert error.message == f"2 of 3 servers of launch {error.launch_id} failed."
    assert error.explanation.startswith(f"{failed[0]}: No valid host was found.; {failed[1]}: Failed to allocate")
    assert f"`openstack hyperx launch cancel {error.launch_id}`" in error.hint.in_language("zh", audience="command")
    assert_told(error)
    assert len(cloud.nova.servers) == 3


@pytest.mark.parametrize(("late", "told"), [(1, "No valid host was found."), (3, "No valid host"), (1000, "ERROR")])
def test_a_fault_is_told_if_lists_lack_it_or_it_comes_late(
    cloud: InMemoryCloud, alice: Client, image: str, *, late: int, told: str
) -> None:
    cloud.nova.faults.append("No valid host was found.")
    looks: list[str] = []

    def late_fault(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if (request.service, request.method) != ("nova", "GET"):
            return reply
        content = json.loads(reply.content)
        if "server" in content:
            looks.append(content["server"]["id"])
        if "servers" in content or ("server" in content and len(looks) < late):
            for server in content.get("servers", [content.get("server")]):
                server.pop("fault", None)
        return dataclasses.replace(reply, content=json.dumps(content).encode())

    cloud.intercept(late_fault)
    with pytest.raises(LaunchFailedError, match=told) as caught:
        alice.launch(image, ask(count=2))
    (failed,) = caught.value.servers
    assert set(looks) == {failed.id}  # type: ignore[attr-defined]  # Server
    assert late == 1000 or len(looks) == late
    assert len(looks) < 100


def test_on_failure_delete_removes_all_that_the_launch_made(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.nova.faults.append("No valid host was found.")
    with pytest.raises(LaunchFailedError, match="No valid host") as caught:
        alice.launch(iso, ask(count=3, on_failure="delete"))
    assert "deleted" in caught.value.hint
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_failed_clean_up_is_a_note_on_the_first_error(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.nova.faults.append("No valid host was found.")
    cloud.fail("nova", "DELETE", "/servers/", status=403, body="no", times=None)
    with pytest.raises(LaunchFailedError, match="No valid host") as caught:
        alice.launch(image, ask(on_failure="delete"))
    assert any("could not be deleted" in note for note in caught.value.__notes__)
    assert "find_launch" in caught.value.hint


def test_nova_s_refusal_for_quota_is_read(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    taken = cloud.nova.set_quota
    # Another user takes the last room between our look and the request.
    cloud.before("nova", "POST", "/servers", lambda: taken("dept-a", instances=1), times=1)
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(image, ask(count=2))
    error = caught.value
    assert (error.department, error.resource, error.limit, error.used, error.requested) == (
        "dept-a", "instances", 1, 0, 2,
    )  # fmt: skip
    assert error.status == 403
    assert not cloud.nova.servers


def test_unified_limits_refuse_in_words_of_their_own(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    text = "Project 9f is over a limit for [Resource servers is over limit of 1 due to current usage 1 and delta 2]"
    cloud.fail("nova", "POST", "/servers", status=403, body=text)
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(image, ask(count=2))
    assert (caught.value.resource, caught.value.limit) == ("instances", 1)


def test_another_403_is_no_quota(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.fail("nova", "POST", "/servers", status=403, body="Policy doesn't allow it.")
    with pytest.raises(NotAllowedError, match="Policy"):
        alice.launch(image, ask())


def test_cinder_s_refusal_inside_a_fault_is_a_quota_error_and_nothing_is_left(
    cloud: InMemoryCloud, alice: Client, iso: str
) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=0), times=1)
    with pytest.raises(QuotaExceededError) as caught:
        alice.launch(iso, ask(count=2))
    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("dept-a", "volumes", 0)
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_quota_that_left_some_servers_is_a_failed_launch(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=2), times=1)
    with pytest.raises(LaunchFailedError, match="Maximum number of volumes") as caught:
        alice.launch(iso, ask(count=2))
    assert len(caught.value.servers) == 1
    assert len(cloud.nova.servers) == 2


def test_such_a_launch_with_on_failure_delete_is_a_quota_error(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=2), times=1)
    with pytest.raises(QuotaExceededError):
        alice.launch(iso, ask(count=2, on_failure="delete"))
    assert not cloud.nova.servers
    assert not cloud.cinder.volumes


def test_a_deadline_says_what_was_seen_last_and_deletes_nothing(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.nova.build_polls = 10**6
    with pytest.raises(WaitTimeoutError, match="0 of 2 active, 2 building") as caught:
        alice.launch(image, ask(count=2), timeout=30)
    assert caught.value.last_seen == LaunchProgress(active=0, building=2, failed=0, count=2, elapsed_seconds=clock.now)
    assert 30 <= clock.now < 36
    assert caught.value.launch_id
    assert len(cloud.nova.servers) == 2
    assert len(alice.find_launch(caught.value.launch_id).servers) == 2


def test_ctrl_c_leaves_everything_and_says_the_launch_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    def interrupt(_: LaunchProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), on_progress=interrupt)
    assert any("launch-of-mine" in note for note in caught.value.__notes__)
    assert vars(caught.value)["launch_id"] == "launch-of-mine"
    assert len(cloud.nova.servers) == 1


@pytest.mark.parametrize(
    "raised",
    [
        WaitTimeoutError(Text("its own")),
        ServiceUnavailableError(Text("its own")),
        StopIteration("its own"),
        TryAgain("its own"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_an_exception_in_the_callback_is_raised_unchanged(
    cloud: InMemoryCloud, alice: Client, image: str, raised: Exception
) -> None:
    """An error of the library, or one of those by which others wait, too: the callback may use both."""

    def complain(_: LaunchProgress) -> None:
        raise raised

    with pytest.raises(type(raised), match="its own") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), on_progress=complain)
    assert caught.value is raised
    assert vars(raised)["launch_id"] == "launch-of-mine"
    assert len(cloud.nova.servers) == 1


def test_ctrl_c_while_ordering_says_the_launch_id_too(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.before("nova", "POST", "/servers", interrupt, times=1)
    with pytest.raises(KeyboardInterrupt) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert any("launch-of-mine" in note for note in caught.value.__notes__)


def test_nova_out_of_reach_while_waiting_says_the_launch_id(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask(count=2), wait=False)
    cloud.cut("nova", "GET", "/servers/detail", times=None, handled=False)
    with pytest.raises(ServiceUnavailableError) as caught:
        launch.wait()
    assert caught.value.launch_id == launch.launch_id
    assert len(cloud.nova.servers) == 2


def test_a_proxy_s_hiccup_while_waiting_or_cancelling_is_passed_over(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    launch = alice.launch(image, ask(count=2), wait=False)
    cloud.fail("nova", "GET", "/servers/detail", status=502, body=b"Bad Gateway", times=3)
    assert {server.status for server in launch.wait().servers} == {"ACTIVE"}
    cloud.fail("nova", "GET", "/servers/detail", status=504, body=b"Gateway Timeout", times=3)
    launch.cancel()
    assert not cloud.nova.servers


def test_several_networks_must_be_named(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    cloud.neutron.add_network("net2", shared=True)
    with pytest.raises(ConflictError, match="Multiple possible networks") as caught:
        alice.launch(image, ask())
    assert "networks=" in caught.value.hint
    assert set(alice.launch(image, ask(networks=("net2", "net1"))).servers[0].addresses) == {"net1", "net2"}
    cloud.neutron.add_network("net2", shared=True)
    with pytest.raises(AmbiguousNameError, match="Several networks are called net2"):
        alice.launch(image, ask(networks=("net2",)))


def test_a_server_that_somebody_deletes_while_it_is_built_is_a_failure(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.build_polls = 5
    launch = alice.launch(image, ask(count=2), wait=False)
    del cloud.nova.servers[cloud.nova.server("web-1").id]
    with pytest.raises(LaunchFailedError, match="1 of 2 servers"):
        launch.wait()
    assert launch.progress() == LaunchProgress(
        active=1, building=0, failed=1, count=2, elapsed_seconds=launch.progress().elapsed_seconds
    )


def test_a_server_that_switched_itself_off_was_made(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    launch = alice.launch(image, ask())
    cloud.nova.server("web").status = "SHUTOFF"
    assert launch.wait().servers[0].status == "SHUTOFF"


def test_nova_refuses_flavors_without_a_root_disk_and_the_way_out_is_a_volume(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.add_flavor("m1.diskless", ram=512, disk=0, vcpus=1)
    assert {choice.name: choice.fits for choice in alice.flavors(image)}["m1.diskless"]
    with pytest.raises(FlavorTooSmallError, match=r"Flavor m1\.diskless has no root disk") as caught:
        alice.launch(image, ask(flavor="m1.diskless"))
    assert "boot_volume_gib" in caught.value.hint
    assert caught.value.status == 403
    assert (bool(caught.value.launch_id), caught.value.left) == (True, ())
    assert_told(caught.value)
    assert alice.launch(image, ask(flavor="m1.diskless", boot_volume_gib=1)).servers


def test_nova_without_local_disks_gets_the_hint_to_boot_from_a_volume(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    words = "Block Device Mapping is Invalid: You specified more local devices than the limit allows"
    cloud.fail("nova", "POST", "/servers", status=400, body=json.dumps({"badRequest": {"message": words}}), times=3)
    with pytest.raises(InvalidRequestError, match="more local devices") as caught:
        alice.launch(image, ask())
    assert "boot_volume_gib" in caught.value.hint
    assert_told(caught.value)
    iso = cloud.glance.add_image(owner="dept-a", name="installer", status="active", disk_format="iso", size=1024)
    with pytest.raises(InvalidRequestError) as caught:
        alice.launch(iso, ask(layout="live"))
    assert caught.value.hint.code == "only-on-volumes-install"
    with pytest.raises(InvalidRequestError) as caught:
        alice.launch(image, ask(boot_volume_gib=1))
    assert not caught.value.hint
