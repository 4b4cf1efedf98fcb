"""Every error of a launch names the launch."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    HyperxGlanceError,
    LaunchFailedError,
    LaunchProgress,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from hyperx_glance.waiting.quiet import QUIET_SECONDS
from tests.support import launches
from tests.support.clouds import Clock
from tests.support.interference import interrupt
from tests.support.launches import REFUSALS, ask

if TYPE_CHECKING:
    pass


FOREIGN = json.dumps({"servers": [{"name": 5}]})


@pytest.mark.parametrize("status", [500, 401, 403, 404, 409, 502, 200])
def test_an_accepted_launch_is_given_whatever_the_first_look_says(
    cloud: InMemoryCloud, alice: Client, status: int
) -> None:
    image = launches.put_password_image(cloud)
    cloud.fail("nova", "GET", "/servers", status=status, body=FOREIGN)
    launch = alice.launch(image, ask(count=3), wait=False)
    assert launch.admin_password is not None
    assert launch.wait() is launch
    assert len(launch.servers) == 3


@pytest.mark.parametrize(("method", "path"), [("POST", "/servers$"), ("GET", "/servers/detail")])
def test_an_error_that_leaves_servers_carries_their_password(
    cloud: InMemoryCloud, alice: Client, method: str, path: str
) -> None:
    image = launches.put_password_image(cloud)

    cloud.before("nova", method, path, interrupt, times=1, skip=1 if method == "GET" else 0)
    with pytest.raises(KeyboardInterrupt) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine", admin_password="S3cret-0f-mine"))

    assert vars(caught.value)["launch_id"] == "launch-of-mine"
    assert vars(caught.value)["admin_password"].get_secret_value() == "S3cret-0f-mine"
    assert "S3cret" not in f"{vars(caught.value)!r}{caught.value.__notes__}"
    assert vars(pickle.loads(pickle.dumps(caught.value)))["admin_password"] is None


def test_an_error_that_leaves_no_servers_carries_no_password(cloud: InMemoryCloud, alice: Client) -> None:
    image = launches.put_password_image(cloud)
    cloud.fail("nova", "POST", "/servers$", status=409)
    with pytest.raises(HyperxGlanceError) as refused:
        alice.launch(image, ask())
    cloud.nova.faults.append("No valid host was found.")
    with pytest.raises(LaunchFailedError) as deleted:
        alice.launch(image, ask(on_failure="delete"))

    assert refused.value.admin_password is deleted.value.admin_password is None


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_an_error_while_waiting_names_the_launch(
    cloud: InMemoryCloud, alice: Client, image: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    cloud.fail("nova", "GET", "/servers", status=status, times=None, skip=1)  # the id is not taken
    with pytest.raises(kind) as caught:
        alice.launch(image, ask(count=3, launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"
    assert caught.value.left == ("launch launch-of-mine",)
    assert "launch-of-mine" in str(caught.value)
    assert len(cloud.nova.servers) == 3


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
@pytest.mark.parametrize("step", ["progress", "wait", "cancel"])
def test_an_error_in_a_method_of_a_handle_names_the_launch(  # noqa: PLR0917  # fixtures and the table's columns
    cloud: InMemoryCloud, alice: Client, image: str, step: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    launch = alice.launch(image, ask(), wait=False)
    cloud.fail("nova", "GET", "/servers", status=status, times=None)
    with pytest.raises(kind, match=launch.launch_id) as caught:
        getattr(launch, step)()
    assert caught.value.launch_id == launch.launch_id


@pytest.mark.parametrize(("status", "kind"), [(401, HyperxGlanceError), (404, ServiceUnavailableError)])
def test_a_lost_answer_that_cannot_be_looked_for_names_the_launch(
    cloud: InMemoryCloud, alice: Client, image: str, status: int, kind: type[HyperxGlanceError]
) -> None:
    cloud.cut("nova", "POST", "/servers")
    cloud.fail("nova", "GET", "/servers", status=status, times=None, skip=1)  # the id is not taken
    with pytest.raises(kind, match="launch-of-mine") as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"


def test_a_lost_answer_of_which_something_was_seen_gives_the_handle(cloud: InMemoryCloud, alice: Client) -> None:
    """The password is in no record: without the handle it would be lost."""
    image = launches.put_password_image(cloud)
    cloud.cut("nova", "POST", "/servers")
    cloud.nova.visible_per_look = 1
    cloud.fail("nova", "GET", "/servers/detail", status=500, times=None, skip=1)
    launch = alice.launch(image, ask(count=3), wait=False)
    assert launch.admin_password is not None
    assert len(launch.servers) == 1


def test_an_exception_in_on_progress_names_the_launch(cloud: InMemoryCloud, alice: Client, image: str) -> None:
    class OwnError(Exception):
        pass

    def show(_: LaunchProgress) -> None:
        raise OwnError("full disk")

    with pytest.raises(OwnError) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"), on_progress=show)
    assert vars(caught.value)["launch_id"] == "launch-of-mine"
    assert any("launch-of-mine" in note for note in caught.value.__notes__)
    assert len(cloud.nova.servers) == 1


def test_on_progress_may_raise_what_waiting_would_pass_over(alice: Client, image: str) -> None:
    looks = []

    def show(progress: LaunchProgress) -> None:
        looks.append(progress)
        raise ServiceUnavailableError(Text("the caller's own service"), connected=False)

    with pytest.raises(ServiceUnavailableError, match="the caller's own service"):
        alice.launch(image, ask(), on_progress=show)
    assert len(looks) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 429])
def test_a_refusal_names_nothing_as_left(cloud: InMemoryCloud, alice: Client, image: str, status: int) -> None:
    cloud.fail("nova", "POST", "/servers", status=status, body="No.", times=None)
    with pytest.raises(HyperxGlanceError) as caught:
        alice.launch(image, ask(launch_id="launch-of-mine"))
    assert caught.value.launch_id == "launch-of-mine"
    assert not caught.value.left
    assert not cloud.nova.servers


def test_servers_deleted_after_a_failure_are_not_named_as_left(cloud: InMemoryCloud, alice: Client, iso: str) -> None:
    cloud.before("nova", "POST", "/servers", lambda: cloud.cinder.set_quota("dept-a", volumes=0), times=1)
    with pytest.raises(QuotaExceededError) as refused:
        alice.launch(iso, ask(launch_id="launch-of-mine"))
    cloud.cinder.set_quota("dept-a", volumes=10)
    cloud.nova.faults.append("No valid host was found.")
    with pytest.raises(LaunchFailedError) as failed:
        alice.launch(iso, ask(launch_id="launch-of-mine", on_failure="delete"))
    assert (refused.value.launch_id, refused.value.left) == ("launch-of-mine", ())
    assert (failed.value.launch_id, failed.value.left) == ("launch-of-mine", ())
    assert not cloud.nova.servers


def test_servers_that_cannot_be_deleted_after_a_failure_are_named_as_left(
    cloud: InMemoryCloud, alice: Client, image: str
) -> None:
    cloud.nova.faults.append("No valid host was found.")
    cloud.fail("nova", "DELETE", "/servers/", status=403, body="no", times=None)
    with pytest.raises(LaunchFailedError) as caught:
        alice.launch(image, ask(on_failure="delete"))
    assert caught.value.left == (f"launch {caught.value.launch_id}",)


def test_a_slow_answer_leaves_time_for_the_servers_to_appear(
    cloud: InMemoryCloud, alice: Client, clock: Clock, image: str
) -> None:
    cloud.before("nova", "POST", "/servers", lambda: clock.sleep(QUIET_SECONDS + 1), times=1)
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": []}, headers=version, times=2)
    assert len(alice.launch(image, ask(count=2)).servers) == 2
