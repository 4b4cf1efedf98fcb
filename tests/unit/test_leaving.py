"""Leaving removes what HYPERX wrote on images and nothing else, and loses nothing if it breaks off."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hyperx_glance
from hyperx_glance import (
    Category,
    LaunchRequest,
    NewCapture,
    NewImage,
    NotAllowedError,
    NotFoundError,
    vocabulary,
)
from hyperx_glance.deployment import leaving
from hyperx_glance.texts import say
from tests import samples
from tests.support.clouds import sent
from tests.support.departures import EVERY, ORDINARY, URL, add, by_id, ours, snapshot, without_ours
from tests.support.records import make_image

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud
    from tests.support.clouds import ClientFactory


# ----------------------------------------------------------------- what is removed


@pytest.mark.parametrize("visibility", ["private", "community", "shared", "public"])
@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("status", ["active", "deactivated"])
def test_every_property_of_ours_goes_and_nothing_else(
    cloud: InMemoryCloud, client: ClientFactory, visibility: str, status: str, *, hidden: bool
) -> None:
    properties = {**EVERY, **ORDINARY}
    image_id = add(cloud, visibility=visibility, status=status, os_hidden=hidden, tags=["lts"], **properties)
    plain = add(cloud, **ORDINARY)
    before = snapshot(cloud)

    (departure,) = client("admin").leave()

    assert (departure.image_id, departure.name, departure.owner) == (image_id, "debian", before[image_id]["owner"])
    assert (departure.outcome, departure.left, departure.reason) == ("removed", (), "")
    assert departure.removed == tuple(sorted(EVERY))
    assert snapshot(cloud) == without_ours(before)
    assert before[plain] == snapshot(cloud)[plain]


def test_a_featured_image_ends_as_public(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, visibility="public", hyperx_featured="true")
    admin = client("admin")
    assert admin.image(image_id).category is Category.FEATURED

    admin.leave()

    assert admin.image(image_id).category is Category.PUBLIC
    assert cloud.glance.images[image_id].visibility == "public"


def test_what_the_verbs_write_is_removed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Not what a table says, but what registering, editing, featuring and capturing leave behind."""
    cloud.glance.downloads[URL] = samples.data("disk.qcow2")
    alice, admin = client("alice", network=cloud.network), client("admin")
    admin.set_quota("dept-a", image_size_mib=10_000)
    image = alice.register(NewImage(name="debian", url=URL, os_name="Debian", password_enabled=True))
    alice.update(image, category="public")
    admin.update(image, category="featured")
    (server,) = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny")).servers
    captured = alice.capture(server.id, NewCapture(name="web"))
    before = snapshot(cloud)
    assert all(ours(cloud, image_id) for image_id in (image.id, captured.id))

    assert {departure.outcome for departure in admin.leave()} == {"removed"}

    assert snapshot(cloud) == without_ours(before)


def test_a_second_time_changes_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    add(cloud, **EVERY)
    admin = client("admin")
    admin.leave()
    before = len(sent(cloud))

    assert admin.leave() == []
    assert {request.method for request in sent(cloud)[before:]} == {"GET"}


def test_a_dry_run_only_reads(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, **EVERY)
    before = snapshot(cloud)

    (departure,) = client("admin").leave(dry_run=True)

    assert (departure.image_id, departure.outcome, departure.reason) == (image_id, "listed", "")
    assert (departure.removed, departure.left) == ((), tuple(sorted(EVERY)))
    assert snapshot(cloud) == before
    assert {request.method for request in sent(cloud)} == {"GET"}


@pytest.mark.parametrize("ours_too", [{}, {"hyperx_bootable": "false", "hyperx_url": URL}])
def test_a_property_of_another_tool_may_have_the_name_of_a_field(
    cloud: InMemoryCloud, client: ClientFactory, ours_too: dict[str, str]
) -> None:
    foreign = {"bootable": "yes", "url": "elsewhere", "packed": "no"}
    image_id = add(cloud, **foreign, **ours_too)
    before = snapshot(cloud)

    assert [departure.outcome for departure in client("alice").leave()] == ["removed"] * bool(ours_too)
    assert cloud.glance.images[image_id].properties == foreign
    assert snapshot(cloud) == without_ours(before)


def test_a_key_with_a_slash_is_removed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, **{"hyperx_a/b~c": "1"})

    assert [departure.outcome for departure in client("alice").leave()] == ["removed"]
    assert ours(cloud, image_id) == set()


# ----------------------------------------------------------------- who leaves


def test_an_administrator_leaves_for_all_and_a_member_for_one(cloud: InMemoryCloud, client: ClientFactory) -> None:
    records = {owner: add(cloud, owner=owner, visibility="community", hyperx_url=URL) for owner in ("dept-a", "dept-b")}

    assert [departure.image_id for departure in client("alice").leave(dry_run=True)] == [records["dept-a"]]
    assert set(by_id(client("admin").leave(dry_run=True))) == set(records.values())
    for name in ("dept-b", cloud.departments["dept-b"]):
        found = client("admin").leave(department=name, dry_run=True)
        assert [departure.image_id for departure in found] == [records["dept-b"]]
    client("alice").leave(department="dept-a")
    assert (ours(cloud, records["dept-a"]), ours(cloud, records["dept-b"])) == (set(), {"hyperx_url"})
    client("admin").leave(department="dept-b")
    assert ours(cloud, records["dept-b"]) == set()


def test_a_member_leaves_for_no_other_department(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, owner="dept-b", visibility="community", hyperx_url=URL)
    cloud.keystone.add_user("both", "dept-a", role="member")

    for user in ("alice", "both"):
        with pytest.raises(NotAllowedError):
            client(user).leave(department="dept-b")
    with pytest.raises(NotFoundError):
        client("admin").leave(department="no-such-department")

    assert ours(cloud, image_id) == {"hyperx_url"}


# ----------------------------------------------------------------- what is under way


def test_a_registration_under_way_is_skipped(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.glance.downloads[URL] = samples.data("disk.qcow2")
    alice = client("alice", network=cloud.network)
    cloud.glance.imports_stall = True
    waiting = alice.start_registration(NewImage(name="debian", url=URL)).image_id
    unverified = add(cloud, hyperx_checksum="sha256:" + "0" * 64)
    before = snapshot(cloud)

    departures = by_id(alice.leave())

    for image_id in (waiting, unverified):
        assert (departures[image_id].outcome, departures[image_id].reason) == ("skipped", say(leaving.REGISTRATION))
        assert set(departures[image_id].left) == ours(cloud, image_id)
    assert snapshot(cloud) == before


def test_a_registration_that_has_failed_is_not_under_way(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, status="queued", hyperx_failure="The data is no image.", hyperx_url=URL)

    assert [departure.outcome for departure in client("alice").leave()] == ["removed"]
    assert ours(cloud, image_id) == set()


def test_a_capture_under_way_is_skipped_until_it_is_finished(cloud: InMemoryCloud, client: ClientFactory) -> None:
    alice = client("alice")
    client("admin").set_quota("dept-a", image_size_mib=10_000)
    image = make_image(cloud, "alice")
    (server,) = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny")).servers
    capture = alice.start_capture(server.id, NewCapture(name="web"))
    assert capture.image_id is not None
    before = snapshot(cloud)

    departures = by_id(alice.leave())
    assert (departures[capture.image_id].outcome, departures[capture.image_id].reason) == (
        "skipped",
        say(leaving.CAPTURE),
    )
    assert ours(cloud, capture.image_id) == {
        key for key in before[capture.image_id]["properties"] if key.startswith("hyperx_")
    }

    captured = capture.wait()
    by_id(alice.leave())
    assert ours(cloud, captured.id) <= {"hyperx_created_by"}


def test_a_snapshot_that_is_still_written_is_skipped(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = add(cloud, status="saving", image_type="snapshot", instance_uuid="81f", hyperx_os_name="Debian")

    (departure,) = client("alice").leave()

    assert (departure.outcome, departure.reason, departure.left) == (
        "skipped",
        say(leaving.WRITING),
        ("hyperx_os_name",),
    )
    assert ours(cloud, image_id) == {"hyperx_os_name"}


@pytest.mark.parametrize("layout", [{}, {"boot_volume_gib": 2}])
def test_an_image_that_is_being_launched_is_skipped(
    cloud: InMemoryCloud, client: ClientFactory, layout: dict[str, int]
) -> None:
    image_id, other = add(cloud, size=1, hyperx_os_name="Debian"), add(cloud, hyperx_os_name="Debian")
    cloud.nova.build_polls = 1000
    alice = client("alice")
    request = LaunchRequest(name="web", flavor="m1.tiny", **layout)  # type: ignore[arg-type]  # its fields
    launch = alice.launch(image_id, request, wait=False)

    for user in ("alice", "admin"):
        departures = by_id(client(user).leave(dry_run=True))
        assert (departures[image_id].outcome, departures[image_id].reason) == ("skipped", say(leaving.LAUNCH))
        assert departures[other].outcome == "listed"

    launch.cancel()
    assert {departure.outcome for departure in alice.leave()} == {"removed"}


def test_without_nova_nothing_is_launched(cloud: InMemoryCloud, client: ClientFactory) -> None:
    add(cloud, hyperx_url=URL)
    cloud.keystone.services[:] = [each for each in cloud.keystone.services if each.name != "nova"]

    assert [departure.outcome for departure in client("alice").leave()] == ["removed"]


# ----------------------------------------------------------------- refused


def test_what_property_protections_refuse_is_listed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Only an administrator may change who created an image; that is found out once, not for every image."""
    every = {key: text for key, text in EVERY.items() if key != "hyperx_failure"}
    images = [add(cloud, **every) for _ in range(5)]
    alone = add(cloud, hyperx_created_by="somebody")
    before = snapshot(cloud)

    departures = by_id(client("alice").leave())

    for image_id in images:
        assert (departures[image_id].outcome, departures[image_id].reason) == ("refused", say(leaving.PROTECTED))
        assert departures[image_id].left == ("hyperx_created_by",)
        assert set(departures[image_id].removed) == every.keys() - {"hyperx_created_by"}
    assert (departures[alone].outcome, departures[alone].left) == ("refused", ("hyperx_created_by",))
    assert len(sent(cloud, "PATCH")) <= len(images) + 2
    after = snapshot(cloud)
    for record in before.values():
        record["properties"]["created_by"] = record["properties"].pop("hyperx_created_by")
    for record in after.values():
        record["properties"]["created_by"] = record["properties"].pop("hyperx_created_by")
    assert after == without_ours(before)

    assert {departure.outcome for departure in client("admin").leave()} == {"removed"}


def test_a_failed_registration_of_which_something_is_left_does_not_look_unfinished(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    """Otherwise a nightly job would resume it."""
    alice = client("alice")
    image_id = add(
        cloud,
        status="queued",
        hyperx_created_by=alice.user_id,
        hyperx_url=URL,
        hyperx_failure="No.",
        hyperx_packed="xz",
    )

    (departure,) = alice.leave()

    assert (departure.outcome, departure.reason) == ("refused", say(leaving.PROTECTED))
    assert (departure.removed, departure.left) == (
        ("hyperx_packed", "hyperx_url"),
        ("hyperx_created_by", "hyperx_failure"),
    )
    assert list(alice.unfinished_registrations()) == []
    assert [departure.outcome for departure in client("admin").leave()] == ["removed"]
    assert ours(cloud, image_id) == set()


def test_a_verified_image_of_which_something_is_left_does_not_look_unverified(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    rule = "create = @\nread = @\nupdate = @\ndelete = {}\n"
    cloud.glance.protections = f"[^hyperx_checksum$]\n{rule.format('!')}[.*]\n{rule.format('@')}"
    marks = {"hyperx_checksum": "sha256:" + "0" * 64, "hyperx_checksum_verified": "true"}
    image_id = add(cloud, hyperx_url=URL, **marks)

    for _ in range(2):
        (departure,) = client("admin").leave()
        assert (departure.outcome, set(departure.left)) == ("refused", set(marks))
    assert ours(cloud, image_id) == set(marks)


def test_a_record_that_the_policy_protects_is_listed(cloud: InMemoryCloud, client: ClientFactory) -> None:
    images = [add(cloud, hyperx_url=URL, hyperx_os_name="Debian") for _ in range(3)]
    cloud.fail(
        "glance", "PATCH", f"/v2/images/{images[1]}", status=403, body="You are not authorized to complete this action."
    )

    departures = by_id(client("alice").leave())

    assert departures[images[1]].outcome == "refused"
    assert departures[images[1]].left == ("hyperx_os_name", "hyperx_url")
    assert "not authorized" in departures[images[1]].explanation
    assert [departures[image_id].outcome for image_id in (images[0], images[2])] == ["removed", "removed"]
    assert [departure.outcome for departure in client("alice").leave()] == ["removed"]


def test_a_reader_is_refused_and_told_so(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = cloud.glance.add_image(
        owner=cloud.keystone.department_of("rita"), status="active", visibility="private", hyperx_url=URL
    )

    (departure,) = client("rita").leave()

    assert (departure.outcome, departure.left) == ("refused", ("hyperx_url",))
    assert departure.reason
    assert ours(cloud, image_id) == {"hyperx_url"}


# ----------------------------------------------------------------- the page of the guide

PACKAGE = Path(hyperx_glance.__file__).parent
NO_KEYS = {"hyperx-doctor", "hyperx-doctor-", "hyperx-glance", "hyperx-resolver"}
"""The names of the doctor's scratch record and of its tags, of the program in requests, and of a thread."""


def written_keys() -> set[str]:
    """Return what looks like a key of ours in any string of the package, apart from the command line and the tests."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if {"cli", "testing"} & {*path.relative_to(PACKAGE).parts}:
            continue
        tree = ast.parse(path.read_text())
        documentation = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                found |= set(re.findall(r"^hyperx[_-][\w:-]+$", node.value))
    return found - NO_KEYS


def test_the_page_has_every_key_that_the_library_writes() -> None:
    tables = runpy.run_path(str(PACKAGE.parent / "docs" / "tables.py"))
    rows = list(tables["Written"].rows(None))
    shown = {key.strip("`").removesuffix("ID").removesuffix("N") for _, key, *_ in rows}

    assert {field.key for field in vocabulary.FIELDS if field.own} <= shown
    assert {"hyperx_url", "hyperx_launch_count"} <= written_keys() - {"hyperx_glance"} <= shown
    assert all(meaning for *_, meaning, _ in rows)
    removed = {key.strip("`") for place, key, _, fate in rows if fate == "removed"}
    assert all(key.startswith(vocabulary.OWN_PREFIX) for key in removed)
