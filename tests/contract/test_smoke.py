"""Each verb of a client once, on both clouds: ``tox -e smoke`` runs it on the real services alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openstack
import pytest

from hyperx_glance import Action, Client, KeyPair, LaunchRequest, NewCapture, NewImage, NewIso, NotFoundError, Phase
from tests import samples
from tests.support import launches
from tests.support.clouds import REGION, unique
from tests.support.records import make_image
from tests.support.registrations import disk

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest
    from tests.support.file_server import FileServer

pytestmark = pytest.mark.usefixtures("_servers_removed")


def test_clients_are_made_and_closed(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of_session = Client.from_session(cloud.session("alice"), settings=client.settings)
    of_connection = Client.from_connection(
        openstack.connection.Connection(session=cloud.session("alice")), settings=client.settings
    )

    for alice in (of_session, of_connection):
        assert alice.regions() == (REGION,)
        assert "dept-a" in [department.name for department in alice.departments()]
        alice.close()


def test_an_image_from_its_url_to_its_deletion(client: ClientFactory, file_server: FileServer) -> None:
    alice, bob = client("alice"), client("bob")
    tag, url = unique("tag"), disk(file_server)

    assert alice.check_url(url).disk_format == "qcow2"
    image = alice.register(NewImage(name=unique("debian"), url=url, tags={tag}))
    assert alice.progress(image).phase is Phase.READY
    assert [found.id for found in alice.images(tags=[tag])] == [image.id]
    assert [found.id for found in alice.page(tags=[tag]).images] == [image.id]
    assert (alice.count(tags=[tag]), alice.summary(tags=[tag]).total, alice.tags()[tag]) == (1, 1, 1)
    assert alice.owner_name(image) == "dept-a"

    saved = io.BytesIO()
    alice.download(image, saved)
    assert saved.getvalue() == samples.data("disk.qcow2")

    image = alice.update(image, category="public")
    assert (bob.image(image.name).id, Action.EDIT in alice.allowed(image)) == (image.id, True)
    assert bob.why_not(image, Action.DELETE)
    assert (alice.disable(image).state, alice.enable(image).state) == ("INACTIVE", "ACTIVE")
    alice.delete(image)
    with pytest.raises(NotFoundError):
        alice.image(image.id)


def test_an_image_that_is_shared_accepted_declined_and_taken_back(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, bob = client("alice"), client("bob")
    image_id = make_image(cloud)

    assert [share.department_id for share in alice.share(image_id, bob.project_id)] == [bob.project_id]
    assert [share.status for share in alice.shares(image_id)] == ["pending"]
    assert image_id in [image.id for image in bob.images(view="offered")]
    assert bob.accept(image_id).share_status == "accepted"
    bob.decline(image_id)
    assert alice.unshare(image_id, bob.project_id) == ()
    with pytest.raises(NotFoundError):
        bob.image(image_id)


def test_a_registration_that_is_left_resumed_and_cancelled(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    held = file_server.hold("/slow.iso", samples.data("installer.iso"), after=180_000)
    started = alice.start_registration(NewIso(name=unique("installer"), url=held.url))

    assert started.image_id in [image.id for image in alice.unfinished_registrations()]
    resumed = alice.resume_registration(started.image_id, url=held.url)
    assert resumed.image_id == started.image_id
    held.release()
    assert resumed.wait().state == "ACTIVE"

    held = file_server.hold("/slower.iso", samples.data("installer.iso"), after=180_000)
    given_up = alice.start_registration(NewIso(name=unique("installer"), url=held.url))
    alice.cancel_registration(given_up.image_id)
    held.release()
    with pytest.raises(NotFoundError):
        alice.image(given_up.image_id)


def test_a_server_from_its_form_to_its_captures(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    image = alice.image(launches.put_password_image(cloud))

    assert next(flavor for flavor in alice.flavors(image) if flavor.name == launches.SMALL).fits
    assert [zone.name for zone in alice.availability_zones() if zone.available] == ["nova"]
    assert alice.networks()
    assert {type(pair) for pair in alice.key_pairs()} <= {KeyPair}
    launch = alice.launch(image, LaunchRequest(name=unique("web"), flavor=launches.SMALL))
    (server,) = launch.servers
    assert server.status == "ACTIVE"
    assert [found.launch_id for found in alice.launches()] == [launch.launch_id]
    assert alice.find_launch(launch.launch_id).servers == launch.servers
    assert [used.id for used in alice.servers_using(image).servers] == [server.id]
    assert [(each.id, each.image_id, each.why_not_capture) for each in alice.servers()] == [(server.id, image.id, "")]
    assert alice.reset_password(server.id).get_secret_value() != launch.admin_password

    captured = alice.capture(server.id, NewCapture(name=unique("captured")))
    assert captured.captured_from == server.id
    begun = alice.start_capture(server.id, NewCapture(name=unique("captured")))
    assert alice.find_capture(begun.capture_id).wait().state == "ACTIVE"


def test_a_family_from_its_release_to_its_retirement(client: ClientFactory, file_server: FileServer) -> None:
    alice, of, url = client("alice"), unique("debian"), disk(file_server)
    build = NewImage(name=of, url=url)

    older, newer = (alice.release(build, family=of, version=version) for version in ("12.9", "12.10"))
    assert (alice.latest(of).id, alice.image(of).id) == (newer.id, newer.id)
    assert [release.name for release in alice.releases(of)] == [of, f"{of} (12.9)"]
    assert {family.name: family.releases for family in alice.families()}[of] == 2
    alice.deprecate(newer, replacement=older)
    assert alice.latest(of).id == older.id
    alice.reinstate(newer)
    assert {each.image.version: each.action for each in alice.retire(of, keep=1)} == {
        "12.10": "kept", "12.9": "deprecated",
    }  # fmt: skip
    assert [each.action for each in alice.retire(of, keep=1, delete=True)] == ["kept", "deleted"]


def test_an_operator_can_change_quotas_install_metadefs_and_run_the_doctor(client: ClientFactory) -> None:
    admin = client("admin")
    before = admin.quota("dept-b").instances
    assert before is not None

    changed = admin.set_quota("dept-b", instances=7).instances
    assert changed is not None
    assert changed.limit == 7
    assert admin.set_quota("dept-b", instances=before.limit).instances == before
    admin.install_metadefs()
    admin.cloud.delete("image", "/metadefs/namespaces/OS::HyperX::Image")  # the real cloud is shared with other tests
    assert {departure.outcome for departure in admin.leave(department="dept-b", dry_run=True)} <= {"listed", "skipped"}
    assert [finding for finding in admin.doctor() if finding.level == "error"] == []
