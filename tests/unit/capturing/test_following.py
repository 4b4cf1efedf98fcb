"""Captures that get no data, that are cancelled, or that another process finishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Action,
    CaptureFailedError,
    Client,
    ConflictError,
    NewCapture,
    NotAllowedError,
    NotFoundError,
    Phase,
    QuotaExceededError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.testing.memory import Call, Refused, Reply
from tests.support.clouds import sent
from tests.support.readers import assert_told, assert_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import Recorded
    from hyperx_glance.texts import Text
    from tests.support.clouds import ClientFactory

NEW = NewCapture(name="captured", capture_id="capture-0001")


def left(cloud: InMemoryCloud) -> list[str]:
    """Return the ids of the records and copies of captures."""
    images = [
        image.id
        for image in cloud.glance.images.values()
        if not image.deleted and "hyperx_capture_id" in image.properties
    ]
    return images + [each.id for each in cloud.cinder.volumes.values() if "hyperx_capture_id" in each.metadata]


@pytest.mark.parametrize("fault", ["lost", "deleted"])
def test_nova_sends_no_data(cloud: InMemoryCloud, alice: Client, server: str, fault: str) -> None:
    cloud.nova.snapshot_faults.append(fault)
    with pytest.raises(CaptureFailedError, match=r"failed\. (No data arrived|Its record was deleted)") as caught:
        alice.capture(server, NEW)
    assert (caught.value.capture_id, caught.value.server_id) == ("capture-0001", server)
    assert left(cloud) == []
    assert "may still exist" not in str(caught.value)


@pytest.mark.parametrize("fault", ["lost", "deleted"])
def test_cinder_sends_no_data(cloud: InMemoryCloud, alice: Client, on_volume: str, fault: str) -> None:
    cloud.cinder.upload_faults.append(fault)
    with pytest.raises(CaptureFailedError):
        alice.capture(on_volume, NEW)
    assert left(cloud) == []


def test_cinder_cannot_copy(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    cloud.cinder.faults.append("no space")
    with pytest.raises(CaptureFailedError, match="is in status error"):
        alice.capture(on_volume, NEW)
    assert left(cloud) == []


def test_an_upload_that_cinder_refuses_ends_the_capture_with_cinder_s_words_set_apart(
    cloud: InMemoryCloud, alice: Client, on_volume: str
) -> None:
    said = "Invalid volume: no upload today."
    cloud.fail("cinder", "POST", "/action", status=400, body=said, times=None)
    with pytest.raises(
        CaptureFailedError, match=f"Cinder refused to upload its copy of the volume: {said[:-1]}"
    ) as caught:
        alice.capture(on_volume, NEW)
    error = caught.value
    assert (error.explanation, error.service, error.status) == (said, "block-storage", 400)
    assert error.in_language("zh", audience="person") == (
        f"虚拟机 {on_volume} 的封装操作 capture-0001 失败。Cinder 拒绝上传云硬盘副本。"
        "请检查该虚拟机；其故障信息和服务日志中有详细信息。然后重新封装。"
    )
    assert left(cloud) == []


def test_time_runs_out(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    cloud.nova.snapshots_stall = True
    capture = alice.start_capture(server, NEW)
    with pytest.raises(WaitTimeoutError, match="Timed out waiting for capture capture-0001") as caught:
        capture.wait(timeout=20)
    assert (caught.value.capture_id, caught.value.image_id) == ("capture-0001", capture.image_id)
    assert_told(caught.value)
    assert caught.value.hint.in_language("en", audience="command").startswith(
        "`openstack hyperx capture resume capture-0001` finishes it;"
    )
    capture.cancel()
    cloud.nova.servers[server].snapshot_id = None  # as Nova, if the record is gone
    with pytest.raises(WaitTimeoutError, match="The capture was deleted"):
        alice.capture(server, NewCapture(name="other"), timeout=5)
    assert left(cloud) == []


def test_a_deleted_image_is_not_named_in_the_error(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        alice.capture(server, NEW, on_progress=stop)
    assert not getattr(caught.value, "__notes__", ())
    cloud.nova.servers[server].snapshot_id = None
    cloud.nova.snapshots_stall = True
    with pytest.raises(WaitTimeoutError) as late:
        alice.capture(server, NEW, timeout=5)
    assert "may still exist" not in str(late.value)
    assert left(cloud) == []


def test_an_image_that_cannot_be_deleted_is_named_in_the_error(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    cloud.nova.snapshots_stall = True
    cloud.fail("glance", "DELETE", "/images/", status=403, times=None)
    with pytest.raises(WaitTimeoutError, match="may still exist: image ") as caught:
        alice.capture(server, NEW, timeout=5)
    assert caught.value.capture_id == "capture-0001"
    assert "could not be deleted" in caught.value.__notes__[0]
    assert "is deleted" not in caught.value.hint


def test_a_record_of_a_refused_request_is_taken_back(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    """Nova makes the record, and then notices that the server has another task."""

    def refuse(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if "createImage" not in str(request.body):
            return reply
        return cloud.nova.problem(Call.of("POST", "http://nova/action"), Refused(409, "busy"))

    cloud.intercept(refuse)
    with pytest.raises(ConflictError) as caught:
        alice.capture(server, NEW)
    assert caught.value.capture_id == "capture-0001"
    assert left(cloud) == []


def test_cinder_s_own_refusal_tells_the_department(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    text = "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'."
    cloud.fail("cinder", "POST", "/volumes", status=413, body={"overLimit": {"code": 413, "message": text}})
    with pytest.raises(QuotaExceededError) as caught:
        alice.capture(on_volume, NEW)
    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("dept-a", "volumes", 1)


def test_cinder_stays_dead(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    """A copy that stays in creation cannot be deleted, so it is named."""
    cloud.cinder.copies_stall = True
    capture = alice.start_capture(on_volume, NEW)
    (copy,) = left(cloud)
    with pytest.raises(WaitTimeoutError, match="has not deleted its copies yet") as caught:
        capture.cancel()
    assert caught.value.volume_id == copy
    assert f"volume {copy}" in str(caught.value)
    cloud.cinder.copies_stall = False
    alice.find_capture("capture-0001").cancel()
    assert left(cloud) == []


@pytest.mark.parametrize("end", ["wait", "cancel"])
def test_a_list_that_lacks_a_copy_is_not_believed(
    cloud: InMemoryCloud, alice: Client, on_volume: str, end: str
) -> None:
    capture = alice.start_capture(on_volume, NEW)

    def lacking(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        answer = handle()
        return Reply(200, b'{"volumes": []}') if request.path.endswith("/volumes/detail") else answer

    cloud.intercept(lacking)
    if end == "wait":
        image = capture.wait()
        assert left(cloud) == [image.id]
    else:
        capture.cancel()
        assert left(cloud) == []


def test_a_copy_for_which_cinder_has_chosen_no_host(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    """Cinder died before it chose one: the copy stays in creation, but can be deleted at once."""
    cloud.cinder.copies_stall = True
    capture = alice.start_capture(on_volume, NEW)
    (copy,) = left(cloud)

    def without_host(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        if request.method == "DELETE" and copy in request.path:
            cloud.cinder.volumes[copy].status = "available"
        return handle()

    cloud.intercept(without_host)
    capture.cancel()
    assert left(cloud) == []


def test_a_waiting_handle_raises_when_the_capture_is_cancelled(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    capture = alice.start_capture(server, NEW)
    other = alice.find_capture("capture-0001")
    capture.cancel()
    with pytest.raises(CaptureFailedError, match="It was cancelled"):
        capture.wait()
    with pytest.raises(CaptureFailedError, match="Its record was deleted"):
        other.wait()
    assert left(cloud) == []


def test_a_cancellation_that_ended_half_way_is_finished_by_whoever_finds_it(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    capture = alice.start_capture(server, NEW)
    cloud.fail("glance", "DELETE", "/images/", status=403)
    with pytest.raises(NotAllowedError):
        capture.cancel()
    with pytest.raises(CaptureFailedError, match="It was cancelled by another process"):
        alice.find_capture("capture-0001").wait()
    assert left(cloud) == []


def test_a_capture_is_cancelled_by_who_may_delete_its_record_and_not_edit_it(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    capture = alice.start_capture(server, NEW)
    cloud.glance.policies["modify_image"] = "admin"
    capture.cancel()
    assert left(cloud) == []


def test_an_unfinished_capture_is_not_published(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    cloud.nova.snapshots_stall = True
    image_id = alice.start_capture(server, NEW).image_id
    assert image_id is not None
    image = alice.image(image_id)
    assert alice.count(view="private") == 1  # the server's own image
    assert "still being captured" in alice.why_not(image, Action.PUBLISH)
    with pytest.raises(ConflictError, match="still being captured"):
        alice.update(image, category="public")


def test_without_cinder_a_copy_of_nova_s_disk_is_finished(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    alice.start_capture(server, NEW)
    cloud.kill("cinder")
    assert alice.find_capture("capture-0001").wait().phase is Phase.READY


def test_an_order_that_somebody_has_changed(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    capture = alice.start_capture(server, NEW)
    cloud.glance.images[str(capture.image_id)].properties["hyperx_capture_order_0"] = "{"
    with pytest.raises(ConflictError, match="can no longer be read"):
        alice.find_capture("capture-0001")


def test_another_department_s_record_is_none_of_the_capture(
    cloud: InMemoryCloud, client: ClientFactory, server: str
) -> None:
    alice = client("alice")
    forged = cloud.glance.add_image(
        owner="dept-b", status="active", visibility="public", hyperx_capture_id="capture-0001"
    )
    with pytest.raises(NotFoundError):
        alice.find_capture("capture-0001")
    assert alice.capture(server, NEW).id != forged


def test_a_snapshot_that_inherited_the_marks_is_none_of_the_capture(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    image = alice.capture(server, NEW)
    cloud.glance.add_image(
        owner="dept-a",
        status="active",
        hyperx_capture_id="capture-0001",
        hyperx_captured_from=server,
        instance_uuid="another server",
        image_type="snapshot",
        hyperx_capture_order_0="{}",
    )
    assert alice.find_capture("capture-0001").image_id == image.id


def test_a_member_does_not_feature_by_another_s_order(cloud: InMemoryCloud, client: ClientFactory, server: str) -> None:
    cloud.nova.snapshots_stall = True
    capture = client("alice").start_capture(server, NEW)
    record = cloud.glance.images[str(capture.image_id)]
    text = record.properties["hyperx_capture_order_0"]
    record.properties["hyperx_capture_order_0"] = text.replace('"name"', '"category":"featured","name"')
    cloud.nova.snapshots_stall = False
    with pytest.raises(NotAllowedError, match="Only administrators may finish"):
        client("alice").find_capture("capture-0001").wait()


def test_progress_tells_and_changes_nothing(cloud: InMemoryCloud, alice: Client, on_volume: str) -> None:
    cloud.cinder.copy_polls = 5
    capture = alice.start_capture(on_volume, NEW)
    cloud.requests.clear()
    assert capture.progress().phase is Phase.REGISTERED
    assert {each.method for each in cloud.requests} == {"GET"}
    assert capture.image_id is None
    seen: list[Text] = []
    image = capture.wait(on_progress=lambda progress: seen.append(progress.message))
    assert capture.image_id == image.id
    assert list(dict.fromkeys(seen)) == [
        "Cinder is copying the server's volume.",
        "The data is being uploaded to Glance.",
        "Cinder is deleting its copy of the volume.",
        "",
    ]
    for message in filter(None, seen):
        assert_whole(message)


def test_a_capture_changes_something_with_only_two_requests(cloud: InMemoryCloud, alice: Client, server: str) -> None:
    """One request orders the copy, and one patch makes the image; the other requests only read."""
    cloud.nova.snapshot_polls = 0
    cloud.requests.clear()
    alice.capture(server, NEW)
    changing = [(each.service, each.method) for each in cloud.requests if each.method != "GET"]
    assert changing == [("nova", "POST"), ("glance", "PATCH")]
    assert len(sent(cloud, "GET", "/v2/images")) <= 6


def test_a_list_that_is_not_found_says_nothing_about_a_capture(
    cloud: InMemoryCloud, alice: Client, server: str
) -> None:
    alice.start_capture(server, NEW)
    cloud.fail("glance", "GET", "/images$", status=404, times=None)
    with pytest.raises(ServiceUnavailableError, match="has no such list"):
        alice.find_capture("capture-0001")
