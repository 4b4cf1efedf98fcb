"""Captures of servers on disks and on volumes, on both clouds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    CaptureFailedError,
    Category,
    ConflictError,
    InvalidRequestError,
    LaunchRequest,
    NewCapture,
    NotAllowedError,
    NotFoundError,
    Pace,
    Phase,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.capturing import services
from hyperx_glance.capturing.order import CaptureOrder
from hyperx_glance.cloud import compute
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.timing import scaled
from hyperx_glance.texts import Text
from tests.support import launches
from tests.support.clouds import HASTY, PATIENT, ClientFactory, Clock, unique
from tests.support.interference import Interference, interrupt
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance import Image
    from tests.support.clouds import CloudUnderTest

NOTES_OF_NOVA = {
    *("base_image_ref", "instance_uuid", "user_id", "owner_user_name", "owner_project_name", "boot_roles"),
    *("image_type", "block_device_mapping", "bdm_v2", "root_device_name"),
}
SOURCE = {
    "description": "Debian as it came",
    "hyperx_os_name": "Debian 12",
    "os_distro": "debian",
    "os_version": "12",
    "hyperx_url": "http://files.example/debian.qcow2",
    "hyperx_checksum": "sha256:" + "ab" * 32,
    "hw_disk_bus": "virtio",
    "tags": ["linux"],
}
BACKINGS = ("disk", "volume")


@pytest.fixture(autouse=True)
def _nothing_left(cloud: CloudUnderTest, client: ClientFactory) -> Iterator[None]:
    """Let a whole volume fit into the department's images, and delete what a test leaves."""
    client("admin").set_quota("dept-a", image_size_mib=10_000)
    yield
    launches.remove_servers(cloud)
    client("admin").set_quota("dept-a", image_size_mib=None)


@pytest.fixture
def client(cloud: CloudUnderTest) -> ClientFactory:
    """Connect users; in memory, time passes only during sleeps."""
    if not isinstance(cloud, InMemoryCloud):
        return ClientFactory(cloud, PATIENT)
    clock = Clock()
    pace = Pace(first_interval=1, longest_interval=5, deadline=600, sleep=clock.sleep, clock=clock)
    return ClientFactory(cloud, dataclasses.replace(HASTY, pace=pace))


@pytest.fixture(params=BACKINGS)
def backing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def launched(
    cloud: CloudUnderTest, client: ClientFactory, backing: str, record: Mapping[str, Any] | None = None
) -> str:
    """Return the id of a server on a disk of Nova's, or on a volume."""
    image = launches.put_image(cloud, "disk.raw", {**SOURCE, **(record or {})})
    request = LaunchRequest(name=unique("web"), flavor="m1.tiny", boot_volume_gib=1 if backing == "volume" else None)
    (server,) = client("alice").launch(image, request).servers
    return server.id


def record_of(cloud: CloudUnderTest, image: Image) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        cloud.session("alice").get(f"/v2/images/{image.id}", endpoint_filter=launches.IMAGES).json()
    )
    return found


def captured(cloud: CloudUnderTest, capture_id: str) -> list[Mapping[str, Any]]:
    """List every record of a capture."""
    answer = cloud.session("admin").get(
        f"/v2/images?hyperx_capture_id={capture_id}&visibility=all", endpoint_filter=launches.IMAGES
    )
    found: list[Mapping[str, Any]] = answer.json()["images"]
    return found


def copies(cloud: CloudUnderTest) -> list[str]:
    return [volume["id"] for volume in launches.volumes(cloud) if volume["metadata"].get("hyperx_capture_id")]


# ----------------------------------------------------------------- what comes of it


def test_a_server_becomes_an_image(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    alice = client("alice")
    server_id = launched(cloud, client, backing)
    name = unique("web with nginx")
    phases: list[Phase] = []
    image = alice.capture(
        server_id, NewCapture(name=name, os_version="12.5"), on_progress=lambda progress: phases.append(progress.phase)
    )
    assert (image.name, image.phase, image.category, image.visibility) == (name, "ready", "private", "private")
    assert (image.description, image.os_name, image.os_version) == ("Debian as it came", "Debian 12", "12.5")
    assert (image.tags, image.disk_format, image.created_by) == (("linux",), "raw", alice.user_id)
    assert (image.captured_from, image.url) == (server_id, "")
    assert image.min_disk_gib == 1
    assert phases[-1] is Phase.READY
    record = record_of(cloud, image)
    assert not record.keys() & NOTES_OF_NOVA
    assert not [key for key in record if key.startswith(("hyperx_url", "hyperx_checksum", "hyperx_capture_order"))]
    assert record["hw_disk_bus"] == "virtio"
    assert [each.id for each in alice.images(search=name)] == [image.id]
    assert [each["id"] for each in captured(cloud, image.capture_id)] == [image.id]
    assert copies(cloud) == []
    (server,) = launches.servers(cloud)
    assert (server["status"], server["OS-EXT-STS:task_state"]) == ("ACTIVE", None)


def test_a_capture_is_ready_for_everybody_only_once_it_is_finished(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    """Nova's upload ends before the record becomes an image, which no list shows until then."""
    alice = client("alice")
    capture = alice.start_capture(launched(cloud, client, "disk"), NewCapture(name=unique("web")))
    image_id = str(capture.image_id)
    until(lambda: alice.image(image_id).glance_status == "active")
    assert alice.progress(image_id).phase is Phase.STORING
    assert alice.progress(image_id).message == "The data is being uploaded to Glance."
    capture.wait()
    assert alice.progress(image_id).phase is Phase.READY


def test_requested_fields_replace_inherited_ones(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    server_id = launched(cloud, client, backing)
    new = NewCapture(
        name=unique("web"),
        description="",
        category="public",
        password_enabled=True,
        admin_user="debian",
        os_name="Debian with nginx",
        tags={"web"},
        min_disk_gib=7,
        min_ram_mib=256,
        protected=True,
        properties={"hw_disk_bus": "scsi", "team": "北京"},
    )
    image = client("alice").capture(server_id, new)
    assert (image.description, image.category, image.tags) == ("", Category.PUBLIC, ("web",))
    assert (image.password_enabled, image.admin_user) == (True, "debian")
    assert (image.os_name, image.os_distro) == ("Debian with nginx", "debian")
    assert (image.min_disk_gib, image.min_ram_mib, image.protected) == (7, 256, True)
    properties = image.properties
    assert (properties["hw_disk_bus"], properties["team"], properties["hw_qemu_guest_agent"]) == ("scsi", "北京", "yes")


def test_a_password_enabled_image_stays_one(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    password = {"hyperx_password_enabled": "true", "hw_qemu_guest_agent": "yes", "os_admin_user": "debian"}
    alice = client("alice")
    image = alice.capture(launched(cloud, client, backing, password), NewCapture(name=unique("web")))
    assert (image.password_enabled, image.admin_user) == (True, "debian")
    launch = alice.launch(image, LaunchRequest(name=unique("web"), flavor="m1.tiny"))
    assert launch.admin_password is not None


def test_an_installed_iso_is_captured_without_anything_of_the_iso(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    iso = launches.put_image(cloud, "installer.iso", {"description": "Installer", "hyperx_bootable": "true"})
    (server,) = alice.launch(iso, LaunchRequest(name=unique("web"), flavor="m1.tiny", install_disk_gib=2)).servers
    image = alice.capture(server.id, NewCapture(name=unique("installed"), os_name="Debian"))
    assert (image.kind, image.description, image.os_name, image.min_disk_gib) == ("image", "", "Debian", 2)
    assert image.properties.keys() <= {"stores"}
    assert "hyperx_bootable" not in record_of(cloud, image)
    assert copies(cloud) == []


def test_everybody_sees_a_public_capture_and_launches_it(
    cloud: CloudUnderTest, client: ClientFactory, backing: str
) -> None:
    image = client("alice").capture(launched(cloud, client, backing), NewCapture(name=unique("web"), category="public"))
    bob = client("bob")
    assert [each.id for each in bob.images(view="public", search=image.name)] == [image.id]
    launch = bob.launch(image, LaunchRequest(name=unique("web"), flavor="m1.tiny"))
    assert launch.servers[0].status == "ACTIVE"
    launch.cancel()


def test_administrators_capture_featured_images(cloud: CloudUnderTest, client: ClientFactory) -> None:
    with pytest.raises(NotAllowedError, match="Only administrators may capture featured images"):
        client("alice").capture(launched(cloud, client, "disk"), NewCapture(name="web", category="featured"))


# ----------------------------------------------------------------- refused before anything exists


def test_a_capture_that_is_impossible_or_not_allowed_is_refused(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, new = client("alice"), NewCapture(name=unique("web"))
    with pytest.raises(NotFoundError):
        alice.capture("00000000-0000-4000-8000-000000000000", new)
    server_id = launched(cloud, client, "disk")
    with pytest.raises(NotFoundError):
        client("bob").capture(server_id, new)
    with pytest.raises(NotAllowedError, match="belongs to another department"):
        client("admin").capture(server_id, new)
    with pytest.raises(InvalidRequestError, match="disk_format"):
        alice.capture(server_id, NewCapture(name="web", disk_format="qcow2"))
    iso = launches.put_image(cloud, "installer.iso")
    (live,) = alice.launch(iso, LaunchRequest(name=unique("live"), flavor="m1.tiny", layout="live")).servers
    with pytest.raises(ConflictError, match="runs from the ISO"):
        alice.capture(live.id, new)
    assert alice.count(view="private", properties={"image_type": "snapshot"}) == 0


def test_no_room_for_an_image(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    server_id = launched(cloud, client, backing)
    alice, admin = client("alice"), client("admin")
    usage = alice.quota().images
    assert usage is not None
    admin.set_quota("dept-a", images=usage.used)
    try:
        with pytest.raises(QuotaExceededError) as caught:
            alice.capture(server_id, NewCapture(name="web"))
    finally:
        admin.set_quota("dept-a", images=None)
    assert (caught.value.department, caught.value.resource) == ("dept-a", "images")


@pytest.mark.parametrize(("field", "limit"), [("volumes", 1), ("volume_gib", 1), ("image_size_mib", 1023)])
def test_no_room_for_the_copy(cloud: CloudUnderTest, client: ClientFactory, field: str, limit: int) -> None:
    server_id = launched(cloud, client, "volume")
    admin = client("admin")
    admin.set_quota("dept-a", **{field: limit})
    try:
        with pytest.raises(QuotaExceededError) as caught:
            client("alice").capture(server_id, NewCapture(name="web"))
    finally:
        admin.set_quota("dept-a", **{field: None})
    assert caught.value.resource == field
    assert copies(cloud) == []


# ----------------------------------------------------------------- never twice, nothing lost


def requests_of(backing: str) -> list[tuple[str, str]]:
    """Return every request that changes something."""
    begin = [("POST", "/servers/[^/]*/action$")]
    if backing == "volume":
        begin = [("POST", "/volumes$"), ("POST", "/volumes/[^/]*/action$")]
    return [*begin, ("PATCH", "/images/"), *([("DELETE", "/volumes/")] if backing == "volume" else [])]


@pytest.mark.parametrize("number", range(4))
def test_lost_answers(cloud: CloudUnderTest, client: ClientFactory, backing: str, number: int) -> None:
    changing = requests_of(backing)
    if number >= len(changing):
        return
    server_id, alice = launched(cloud, client, backing), client("alice")
    between = Interference(alice)
    between.lose(*changing[number])
    image = alice.capture(server_id, NewCapture(name=unique("web")))
    assert image.phase is Phase.READY
    assert [each["id"] for each in captured(cloud, image.capture_id)] == [image.id]
    assert copies(cloud) == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(4))
def test_another_process_finishes_the_capture_of_a_killed_caller(
    cloud: CloudUnderTest, client: ClientFactory, backing: str, number: int, moment: str
) -> None:
    """Kill the caller at each request that changes something, and let another process finish the capture."""
    changing = requests_of(backing)
    if number >= len(changing) or (number == 0 and moment == "before"):
        return
    server_id, alice = launched(cloud, client, backing), client("alice")
    capture_id = unique("capture")
    between = Interference(alice)
    getattr(between, moment)(*changing[number], interrupt)
    with pytest.raises(KeyboardInterrupt):
        alice.start_capture(server_id, NewCapture(name=unique("web"), tags=["web"], capture_id=capture_id)).wait()
    image = client("alice").find_capture(capture_id).wait()
    assert (image.phase, image.tags, image.captured_from) == (Phase.READY, ("web",), server_id)
    assert [each["id"] for each in captured(cloud, capture_id)] == [image.id]
    assert copies(cloud) == []
    with pytest.raises(ConflictError, match="has finished"):
        client("alice").find_capture(capture_id).cancel()


@pytest.mark.parametrize("number", range(3))
def test_cancelling_leaves_nothing(cloud: CloudUnderTest, client: ClientFactory, backing: str, number: int) -> None:
    changing = requests_of(backing)
    if number >= len(changing) - (backing == "volume"):
        return
    server_id, alice = launched(cloud, client, backing), client("alice")
    capture_id = unique("capture")
    between = Interference(alice)
    between.after(*changing[number], interrupt) if number < 2 - (backing == "disk") else between.before(
        *changing[number], interrupt
    )
    with pytest.raises(KeyboardInterrupt):
        alice.start_capture(server_id, NewCapture(name=unique("web"), capture_id=capture_id)).wait()
    found = client("alice").find_capture(capture_id)
    found.cancel()
    found.cancel()
    assert captured(cloud, capture_id) == []
    assert copies(cloud) == []
    with pytest.raises(CaptureFailedError, match="cancelled"):
        found.wait()


def test_ctrl_c_takes_away_what_was_made(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    server_id, alice = launched(cloud, client, backing), client("alice")

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alice.capture(server_id, NewCapture(name="web", capture_id="ctrl-c-" + backing), on_progress=stop)
    assert captured(cloud, "ctrl-c-" + backing) == []
    assert copies(cloud) == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_ctrl_c_while_it_is_ordered_leaves_and_names_it(
    cloud: CloudUnderTest, client: ClientFactory, backing: str, moment: str
) -> None:
    server_id, alice = launched(cloud, client, backing), client("alice")
    capture_id = unique("capture")
    getattr(Interference(alice), moment)(*requests_of(backing)[0], interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        alice.capture(server_id, NewCapture(name=unique("web"), capture_id=capture_id))
    assert vars(caught.value)["capture_id"] == capture_id
    assert caught.value.__notes__ == [f"These may still exist: capture {capture_id}."]
    if moment == "after":
        client("alice").find_capture(capture_id).cancel()
    assert captured(cloud, capture_id) == []
    assert copies(cloud) == []


def test_a_capture_of_which_nothing_is_there(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError, match="No image or volume belongs to capture"):
        client("alice").find_capture("20200101T000000Z-0f3a9c4e5b2d7861")


def test_another_department_finds_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image = client("alice").capture(launched(cloud, client, "disk"), NewCapture(name=unique("web"), category="public"))
    with pytest.raises(NotFoundError, match="No image or volume belongs to capture"):
        client("bob").find_capture(image.capture_id)


def test_an_id_is_used_once(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    alice, server_id, capture_id = client("alice"), launched(cloud, client, backing), unique("capture")
    alice.capture(server_id, NewCapture(name="web", capture_id=capture_id))
    with pytest.raises(ConflictError, match="already exists"):
        alice.capture(server_id, NewCapture(name="web", capture_id=capture_id))


def test_a_snapshot_of_a_captured_server_is_no_capture(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    image = alice.capture(launched(cloud, client, "disk"), NewCapture(name=unique("web")))
    (server,) = alice.launch(image, LaunchRequest(name=unique("web"), flavor="m1.tiny")).servers
    second = alice.capture(server.id, NewCapture(name=unique("web")))
    assert (second.captured_from, second.capture_id != image.capture_id) == (server.id, True)
    assert alice.find_capture(image.capture_id).image_id == image.id


def test_a_capture_is_no_unfinished_registration(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    alice = client("alice")
    image = alice.capture(launched(cloud, client, backing), NewCapture(name=unique("web")))
    assert image.id not in [each.id for each in alice.unfinished_registrations()]
    with pytest.raises(ConflictError, match="was made from a server"):
        alice.resume_registration(image.id)


def test_services_out_of_reach_leave_what_was_made(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    server_id, alice, capture_id = launched(cloud, client, backing), client("alice"), unique("capture")
    between = Interference(alice)

    def unreachable() -> None:
        raise ServiceUnavailableError(Text("cut on request"), connected=False)

    between.before("PATCH", "/images/", unreachable, times=-1)
    if not isinstance(cloud, InMemoryCloud):
        return  # ten seconds of patience
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.capture(server_id, NewCapture(name="web", capture_id=capture_id), timeout=scaled(20))
    assert caught.value.capture_id == capture_id
    assert client("alice").find_capture(capture_id).wait().phase is Phase.READY


def test_texts_that_glance_does_not_take_are_refused_before(cloud: CloudUnderTest, client: ClientFactory) -> None:
    server_id = launched(cloud, client, "disk")
    with pytest.raises(InvalidRequestError, match="name: Glance does not accept characters of four bytes"):
        client("alice").capture(server_id, NewCapture(name="web \U0001f600"))


def test_long_texts_are_inherited_whole(cloud: CloudUnderTest, client: ClientFactory, backing: str) -> None:
    """Nova cuts what a server inherits at 255 bytes."""
    text = "云" * 400
    server_id = launched(cloud, client, backing, {"description": text})
    assert client("alice").capture(server_id, NewCapture(name=unique("web"))).description == text


def test_a_snapshot_without_data_is_taken_back(cloud: CloudUnderTest, client: ClientFactory) -> None:
    """A server whose volume looks like one that was attached: Nova makes a record of volume snapshots."""
    server_id = launched(cloud, client, "volume")
    alice, capture_id = client("alice"), unique("capture")
    shown = compute.server(alice.cloud, server_id)
    order = CaptureOrder(capture_id=capture_id, server_id=server_id, user_id=alice.user_id, new=NewCapture(name="web"))
    assert shown.volumes
    services.create_image(alice.cloud, order)
    with pytest.raises(CaptureFailedError, match="Nova did not copy its disk"):
        alice.find_capture(capture_id).wait()
    assert captured(cloud, capture_id) == []
    if isinstance(cloud, InMemoryCloud):
        assert cloud.cinder.snapshots == {}
    else:
        answer = cloud.session("alice").get("/snapshots", endpoint_filter=launches.VOLUMES)
        assert answer.json()["snapshots"] == []
