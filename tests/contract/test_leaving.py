"""Leaving: what is removed, what stays, what is skipped and what is refused, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Category, LaunchRequest, NewCapture, NewImage, NewIso, NotAllowedError, vocabulary
from hyperx_glance.deployment import leaving
from hyperx_glance.texts import say
from tests import samples
from tests.support import launches
from tests.support.clouds import unique
from tests.support.interference import Interference, interrupt
from tests.support.records import IMAGE, make_image, patch_record, record_of, records_of, without_ours
from tests.support.registrations import disk

if TYPE_CHECKING:
    from hyperx_glance import Departure
    from tests.support.clouds import ClientFactory, CloudUnderTest
    from tests.support.file_server import FileServer

pytestmark = pytest.mark.usefixtures("_servers_removed")

EVERY = {field.key: "true" for field in vocabulary.FIELDS if field.own} | {"hyperx_a/b~c": "1"}
ORDINARY = {"os_distro": "debian", "hw_qemu_guest_agent": "yes", "description": "说明", "owner's note": "a/b~c"}


def of(departures: list[Departure], *image_ids: str) -> list[Departure]:
    """Return what became of these images, in their order; of each once."""
    found = {departure.image_id: departure for departure in departures}
    assert len(found) == len(departures)
    return [found[image_id] for image_id in image_ids]


def test_whole_records_are_the_same_but_for_our_properties(cloud: CloudUnderTest, client: ClientFactory) -> None:
    plain = make_image(cloud, "bob", **ORDINARY)
    images = [
        make_image(cloud, "admin", visibility=visibility, os_hidden=hidden, tags=["lts"], **EVERY, **ORDINARY)
        for visibility in ("private", "shared", "community", "public")
        for hidden in (False, True)
    ]
    cloud.session("admin").post(f"/v2/images/{images[0]}/actions/deactivate", endpoint_filter=IMAGE)
    patch_record(cloud, images[1], {"protected": True})
    before = records_of(cloud, plain, *images)
    admin = client("admin")

    listed = admin.leave(dry_run=True)
    assert records_of(cloud, plain, *images) == before
    departures = admin.leave()

    assert {departure.outcome for departure in of(listed, *images)} == {"listed"}
    for departure in of(departures, *images):
        assert (departure.outcome, departure.left, departure.reason) == ("removed", (), "")
        assert departure.removed == tuple(sorted(EVERY))
    assert plain not in {departure.image_id for departure in departures}
    assert records_of(cloud, plain, *images) == without_ours(before)
    assert {departure.image_id for departure in admin.leave()}.isdisjoint(images)
    for image_id in images[1:]:
        data = cloud.session("admin").get(f"/v2/images/{image_id}/file", endpoint_filter=IMAGE).content
        assert data == samples.data("disk.qcow2")


def test_what_the_verbs_write_goes_and_the_servers_stay(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer
) -> None:
    alice, admin = client("alice"), client("admin")
    disc_url = file_server.serve("/installer.iso", samples.data("installer.iso"))
    image = alice.register(
        NewImage(name=unique("debian"), url=disk(file_server), os_name="Debian", password_enabled=True, tags=["lts"])
    )
    disc = alice.register(NewIso(name=unique("installer"), url=disc_url, bootable=False))
    alice.update(image, category="public", description="Nightly build")
    admin.update(image, category="featured")
    server_image = launches.put_password_image(cloud)
    (server,) = alice.launch(server_image, LaunchRequest(name=unique("web"), flavor=launches.SMALL)).servers
    captured = alice.capture(server.id, NewCapture(name=unique("captured"), os_name="Debian"))
    ids = (image.id, disc.id, server_image, captured.id)
    before = records_of(cloud, *ids)
    assert all(before[image_id].keys() & EVERY.keys() for image_id in ids)
    assert admin.image(image.id).category is Category.FEATURED

    departures = admin.leave(department="dept-a")

    assert {departure.outcome for departure in of(departures, image.id, disc.id, captured.id)} == {"removed"}
    owned = (image.id, disc.id, captured.id)
    assert records_of(cloud, *owned) == without_ours({image_id: before[image_id] for image_id in owned})
    after = alice.image(image.id)
    assert (after.category, after.visibility, after.state) == (Category.PUBLIC, "public", "ACTIVE")
    assert alice.find_launch(alice.launches()[0].launch_id).servers[0].status == "ACTIVE"


def test_a_member_leaves_alone_and_is_told_what_is_refused(cloud: CloudUnderTest, client: ClientFactory) -> None:
    own = {key: text for key, text in EVERY.items() if key not in ("hyperx_featured", "hyperx_failure")}
    mine = [make_image(cloud, "alice", visibility=visibility, **own) for visibility in ("private", "community")]
    foreign = make_image(cloud, "bob", visibility="community", **own)
    before = records_of(cloud, *mine, foreign)
    alice = client("alice")

    with pytest.raises(NotAllowedError):
        alice.leave(department="dept-b")
    departures = alice.leave()

    for departure in of(departures, *mine):
        assert (departure.outcome, departure.left) == ("refused", ("hyperx_created_by",))
        assert departure.reason == say(leaving.PROTECTED)
    assert foreign not in {departure.image_id for departure in departures}
    after = records_of(cloud, *mine, foreign)
    assert after.pop(foreign) == before.pop(foreign)
    assert after == without_ours(before, but="hyperx_created_by")
    assert {departure.outcome for departure in of(client("admin").leave(department="dept-a"), *mine)} == {"removed"}


def test_a_reader_changes_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, "alice", hyperx_url="http://files.example/disk.qcow2")
    before = records_of(cloud, image_id)

    (departure,) = of(client("rita").leave(), image_id)

    assert (departure.outcome, departure.left) == ("refused", ("hyperx_url",))
    assert departure.reason
    assert records_of(cloud, image_id) == before


def test_a_registration_under_way_is_skipped_and_then_finished(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer
) -> None:
    alice, admin = client("alice"), client("admin")
    held = file_server.hold("/slow.iso", samples.data("installer.iso"), after=180_000)
    started = alice.start_registration(NewIso(name=unique("installer"), url=held.url))
    assert started.image_id is not None

    for who in (alice, admin):
        (departure,) = of(who.leave(), started.image_id)
        assert (departure.outcome, departure.reason) == ("skipped", say(leaving.REGISTRATION))
        assert {"hyperx_url", "hyperx_created_by"} <= set(departure.left)
    held.release()
    assert started.wait().state == "ACTIVE"

    before = records_of(cloud, started.image_id)
    assert [departure.outcome for departure in of(admin.leave(), started.image_id)] == ["removed"]
    assert records_of(cloud, started.image_id) == without_ours(before)


def test_an_image_of_an_unfinished_capture_is_skipped(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, admin = client("alice"), client("admin")
    image = launches.put_password_image(cloud)
    (server,) = alice.launch(image, LaunchRequest(name=unique("web"), flavor=launches.SMALL)).servers
    capture = alice.start_capture(server.id, NewCapture(name=unique("captured"), category="public"))
    assert capture.image_id is not None

    (departure,) = of(admin.leave(), capture.image_id)
    assert (departure.outcome, departure.reason) == ("skipped", say(leaving.CAPTURE))

    captured = capture.wait()
    assert (captured.category, captured.capture_id) == (Category.PUBLIC, capture.capture_id)
    before = records_of(cloud, captured.id)
    assert [departure.outcome for departure in of(admin.leave(), captured.id)] == ["removed"]
    assert records_of(cloud, captured.id) == without_ours(before)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupted_run_is_finished_by_the_next(cloud: CloudUnderTest, client: ClientFactory, moment: str) -> None:
    images = sorted(make_image(cloud, "alice", sample=None, hyperx_failure="No.", **ORDINARY) for _ in range(4))
    before = records_of(cloud, *images)
    admin = client("admin")
    between = Interference(admin)
    strike = between.before if moment == "before" else between.after
    strike("PATCH", images[1], interrupt)

    with pytest.raises(KeyboardInterrupt):
        admin.leave()
    done = 1 if moment == "before" else 2
    assert records_of(cloud, *images[:done]) == without_ours({image_id: before[image_id] for image_id in images[:done]})
    assert records_of(cloud, *images[done:]) == {image_id: before[image_id] for image_id in images[done:]}
    rest = of(admin.leave(), *images[done:])

    assert {departure.outcome for departure in rest} == {"removed"}
    assert records_of(cloud, *images) == without_ours(before)


def test_others_may_write_and_delete_meanwhile(cloud: CloudUnderTest, client: ClientFactory) -> None:
    kept, gone = (make_image(cloud, "alice", hyperx_url="http://a/b", hyperx_os_name="Debian") for _ in range(2))
    admin, alice = client("admin"), client("alice")
    between = Interference(admin)

    def edit() -> None:
        removal = [{"op": "remove", "path": "/hyperx_url"}, {"op": "add", "path": "/my_key", "value": "1"}]
        alice.cloud.patch_image(kept, removal)

    between.before("PATCH", kept, edit)
    between.before("PATCH", gone, lambda: alice.delete(gone))
    departures = {departure.image_id: departure for departure in admin.leave()}

    assert gone not in departures
    assert departures[kept].outcome == "removed"
    record = record_of(cloud, kept)
    assert record["my_key"] == "1"
    assert not [key for key in record if key.startswith("hyperx_")]
