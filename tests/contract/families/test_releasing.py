"""Releases: what is published, what the same call finds again, and what a version never does."""

from __future__ import annotations

import contextlib
import gzip
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Category,
    ChecksumMismatchError,
    ConflictError,
    InvalidRequestError,
    NewImage,
    NewIso,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    QuotaLimits,
    ServiceUnavailableError,
)
from hyperx_glance.models.releases import MOST_IDS, release_id
from tests import samples
from tests.support.clouds import image_ids, unique
from tests.support.interference import Interference, interrupt, unreachable
from tests.support.records import make_image, patch_record
from tests.support.registrations import disk, limits, sha256
from tests.support.releases import QCOW2, RAW, family, names, nightly, released, settled

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest
    from tests.support.file_server import FileServer


def test_a_release_is_published_under_its_plain_name(client: ClientFactory, file_server: FileServer) -> None:
    of, alice = family(), client()
    new = NewImage(name=of, url=disk(file_server), category="public", tags={"linux"}, description="Nightly")

    image = alice.release(new, family=of, version="12.9")

    assert (image.name, image.category, image.family, image.version) == (of, Category.PUBLIC, of, "12.9")
    assert image.released_at is not None
    assert (image.lifecycle, image.hidden, image.tags, image.description) == ("current", False, ("linux",), "Nightly")
    assert alice.latest(of) == image
    assert client("bob").latest(of, owner=alice.project_id).id == image.id


def test_an_iso_is_released(client: ClientFactory, file_server: FileServer) -> None:
    of = family()
    url = file_server.serve("/installer.iso", samples.data("installer.iso"))

    image = client().release(NewIso(name="Installer", url=url), family=of, version="1")

    assert (image.kind, client().latest(of).id) == ("iso", image.id)


def test_the_latest_has_the_name_and_older_ones_are_hidden(client: ClientFactory) -> None:
    of, alice = family(), client()
    released(alice, of, "12.8", "12.9", "12.10")

    assert names(alice, of) == settled(of, "12.10", "12.9", "12.8")
    assert [image.version for image in alice.releases(of)] == ["12.10", "12.9", "12.8"]
    assert alice.image(of).version == "12.10"


def test_a_backport_does_not_keep_the_name(client: ClientFactory) -> None:
    of, alice = family(), client()

    backport = released(alice, of, "13.0", "12.9")[-1]

    assert (backport.name, backport.hidden) == (f"{of} (12.9)", True)
    assert names(alice, of) == settled(of, "13.0", "12.9")
    assert alice.latest(of).version == "13.0"


def test_a_featured_release_is_everybodys_latest(client: ClientFactory) -> None:
    of = family()
    image = client("admin").release(nightly(of, category="featured"), family=of, version="1")

    assert image.category is Category.FEATURED
    for user in ("alice", "bob", "rita"):
        assert client(user).latest(of).id == image.id


def test_a_version_is_the_time_if_none_is_given(client: ClientFactory) -> None:
    of = family()

    image = client().release(nightly(of), family=of)

    assert image.released_at is not None
    assert image.version[:8] == f"{image.released_at:%Y%m%d}"
    assert len(image.version) == len("20261130.124530")


def test_the_same_call_returns_the_same_image(client: ClientFactory) -> None:
    of, alice = family(), client()
    first = released(alice, of, "1")[0]

    again = released(alice, of, "1")[0]

    assert (again.id, again.released_at) == (first.id, first.released_at)
    assert len(alice.releases(of)) == 1


@pytest.mark.parametrize("way", ["file", "url", "checksum"])
def test_a_version_never_changes(client: ClientFactory, file_server: FileServer, way: str) -> None:
    of, alice = family(), client()
    url, other = disk(file_server), disk(file_server, RAW, "/other.raw")
    first, second = {
        "file": (nightly(of, QCOW2), nightly(of, RAW)),
        "url": (NewImage(name=of, url=url), NewImage(name=of, url=other)),
        "checksum": (
            NewImage(name=of, url=url, checksum=sha256()),
            NewImage(name=of, url=url, checksum="sha256:" + "0" * 64),
        ),
    }[way]
    image = alice.release(first, family=of, version="1")

    with pytest.raises(ConflictError, match="has other data") as caught:
        alice.release(second, family=of, version="1")

    assert image.id in str(caught.value)
    assert [each.id for each in alice.releases(of)] == [image.id]


def test_a_mirror_of_the_same_checksum_is_the_same_version(client: ClientFactory, file_server: FileServer) -> None:
    of, alice = family(), client()
    first = NewImage(name=of, url=disk(file_server), checksum=sha256())
    mirror = NewImage(name=of, url=disk(file_server, path="/mirror/disk.qcow2"), checksum=sha256())

    image = alice.release(first, family=of, version="1")

    assert alice.release(mirror, family=of, version="1").id == image.id


def test_glances_digest_answers_for_a_file(client: ClientFactory, file_server: FileServer) -> None:
    of, alice = family(), client()
    image = alice.release(NewImage(name=of, url=disk(file_server)), family=of, version="1")

    assert alice.release(nightly(of), family=of, version="1").id == image.id


@pytest.mark.parametrize("step", ["POST /images$", "PUT /file$", "PATCH /images/[^/]+$"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_same_call_after_a_crash_continues(client: ClientFactory, step: str, moment: str) -> None:
    of, crashing, alice = family(), client(), client()
    method, path = step.split(" ")
    between = Interference(crashing)

    def die() -> None:
        between.before("DELETE", "", interrupt, times=-1)  # a process that was killed cleans nothing up
        between.before("GET", "", interrupt, times=-1)
        between.before("POST", "", interrupt, times=-1)
        interrupt()

    getattr(between, moment)(method, path, die)
    with pytest.raises(KeyboardInterrupt):
        crashing.release(nightly(of), family=of, version="1")

    image = alice.release(nightly(of), family=of, version="1")

    assert alice.latest(of).id == image.id
    assert (image.id, len(alice.releases(of))) == (release_id(alice.project_id, of, "1", 0), 1)


def test_until_the_switch_the_image_is_private(client: ClientFactory) -> None:
    of, alice = family(), client()
    between, seen = Interference(alice), []
    between.before("PATCH", "/images/", lambda: seen.append(client().image(f"{of} (1)")))

    alice.release(nightly(of, category="public"), family=of, version="1")

    assert [(image.visibility, image.released_at, image.phase) for image in seen] == [("private", None, "ready")]


def test_a_name_is_ambiguous_for_one_round_trip_and_never_missing(client: ClientFactory) -> None:
    of, alice, bob = family(), client(), client("bob")
    released(alice, of, "1", category="public")
    between, named = Interference(alice), []

    def look() -> None:
        images = bob.images(name=of, owner=alice.project_id)
        named.append(sorted(image.version for image in images))
        assert bob.latest(of, owner=alice.project_id).version in ("1", "2")

    for method in ("GET", "POST", "PUT", "PATCH"):
        between.before(method, "", look, times=-1)
    released(alice, of, "2", category="public")
    look()

    assert named.count(["1", "2"]) == 1
    assert [each for each in named if each not in (["1"], ["1", "2"], ["2"])] == []
    assert named[-1] == ["2"]


def test_two_who_release_one_version_make_one_image(client: ClientFactory) -> None:
    of, before = family(), image_ids(client.cloud)

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: client().release(nightly(of), family=of, version="1"), range(3)))

    assert {image.id for image in made} == image_ids(client.cloud) - before
    assert len({image.id for image in made}) == 1


def test_a_switch_that_another_program_makes_first_is_not_undone(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    released(alice, of, "1")
    between, seen = Interference(alice), []

    def another() -> None:
        dying = client()
        Interference(dying).after("PATCH", "/images/", interrupt)
        with contextlib.suppress(KeyboardInterrupt):
            released(dying, of, "2")
        later = {"hyperx_released_at": "2999-01-01T00:00:00Z"}
        patch_record(cloud, release_id(alice.project_id, of, "2", 0), later)

    between.after("PUT", "/file$", lambda: between.before("GET", "/images$", another))
    between.after("PATCH", "/images/", lambda: seen.append(client().latest(of).version), times=-1)

    released(alice, of, "2")

    assert "1" not in seen
    assert names(client(), of) == settled(of, "2", "1")


def test_two_versions_at_once_are_both_in(client: ClientFactory) -> None:
    of = family()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda version: client().release(nightly(of), family=of, version=version), ["1.9", "1.10"]))
    client().retire(of, keep=9)

    assert names(client(), of) == settled(of, "1.10", "1.9")


def test_a_wrong_checksum_publishes_nothing_and_leaves_the_version_free(client: ClientFactory) -> None:
    of, alice = family(), client()

    with pytest.raises(ChecksumMismatchError):
        alice.release(nightly(of, checksum="sha256:" + "0" * 64), family=of, version="1")
    assert alice.releases(of) == []
    image = alice.release(nightly(of, checksum=sha256()), family=of, version="1")

    assert image.id == release_id(alice.project_id, of, "1", 1)
    assert alice.latest(of).id == image.id


def test_a_stranger_who_takes_the_first_id_changes_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    """The id can be guessed, and a community image of it be read."""
    of, alice = family(), client()
    rows = {"hyperx_family": of, "hyperx_version": "1", "hyperx_released_at": "2026-01-01T00:00:00Z"}
    make_image(cloud, "bob", id=release_id(alice.project_id, of, "1", 0), visibility="community", **rows)

    image = released(alice, of, "1")[0]

    assert (image.owner, image.id) == (alice.project_id, release_id(alice.project_id, of, "1", 1))
    assert [each.id for each in alice.releases(of)] == [image.id]


def test_a_stranger_who_takes_all_ids_stops_one_version(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    for number in range(MOST_IDS):
        make_image(cloud, "bob", sample=None, id=release_id(alice.project_id, of, "1", number))

    with pytest.raises(ConflictError) as caught:
        released(alice, of, "1")

    assert "Version 1 of family" in str(caught.value)
    assert "another version" in caught.value.hint
    assert released(alice, of, "2")[0].version == "2"


def test_the_release_that_took_the_last_place_is_continued(client: ClientFactory) -> None:
    of, crashing, alice = family(), client(), client()
    Interference(crashing).before("PATCH", "/images/", interrupt)
    used = client("admin").quota("dept-a").images
    assert used is not None

    with limits(client, "dept-a", QuotaLimits(images=used.used + 1)):
        with contextlib.suppress(KeyboardInterrupt):
            released(crashing, of, "1")
        image = released(alice, of, "1")[0]
        with pytest.raises(QuotaExceededError):
            released(alice, of, "2")

    assert alice.latest(of).id == image.id


def test_a_lost_switch_is_made_again(client: ClientFactory) -> None:
    """Glance's PATCH writes the whole record as it was read, so one at the same moment undoes it."""
    of, alice = family(), client()
    image_id = release_id(alice.project_id, of, "1", 0)
    undone = [
        {"op": "remove", "path": "/hyperx_released_at"},
        {"op": "replace", "path": "/name", "value": "as it was"},
    ]
    Interference(alice).after("PATCH", "/images/", lambda: client().cloud.patch_image(image_id, undone))

    image = released(alice, of, "1")[0]

    assert (image.name, alice.latest(of).id) == (of, image.id)
    assert image.released_at is not None


def test_a_lost_answer_to_the_switch_changes_nothing(client: ClientFactory) -> None:
    of, alice = family(), client()
    between = Interference(alice)
    between.lose("PATCH", "/images/")

    image = released(alice, of, "1")[0]

    assert image.name == of
    assert between.count("PATCH", "/images/") == 1


def test_what_fails_after_the_switch_says_that_the_version_is_released(client: ClientFactory) -> None:
    of, alice = family(), client()
    between = Interference(alice)
    between.after("PATCH", "/images/", lambda: between.before("GET", "/images$", interrupt))
    with pytest.raises(KeyboardInterrupt) as interrupted:
        released(alice, of, "1")
    failing = client()
    released(failing, of, "2")
    between = Interference(failing)
    between.before("PATCH", "/images/", lambda: between.before("PATCH", "/images/", unreachable, times=-1), times=2)

    with pytest.raises(ServiceUnavailableError) as failed:
        released(failing, of, "3")

    assert "Version 1 is released" in "".join(interrupted.value.__notes__)
    assert "Version 3 is released" in "".join(failed.value.__notes__)
    assert failed.value.image_id == client().latest(of).id
    released(client(), of, "3")
    assert names(client(), of) == settled(of, "3", "2", "1")


def test_a_member_features_nothing_before_the_first_request(client: ClientFactory) -> None:
    alice, of = client(), family()
    between = Interference(alice)

    with pytest.raises(NotAllowedError):
        alice.release(nightly(of, category="featured"), family=of, version="1")

    assert between.seen == []


def test_an_administrator_releases_for_a_department(client: ClientFactory) -> None:
    of, admin = family(), client("admin")
    image = admin.release(nightly(of, owner="dept-a"), family=of, version="1")

    assert image.owner == client().project_id
    assert client().latest(of).id == image.id
    with pytest.raises(NotFoundError):
        admin.latest(of)


def test_wrong_arguments_cost_no_request(client: ClientFactory) -> None:
    alice = client()
    between = Interference(alice)
    wrong = (
        {"family": "debian 12"}, {"family": ""}, {"family": "a" * 65}, {"family": "-a"}, {"version": "1 2"},
        {"version": ""}, {"version": "1:2"}, {"keep": 0}, {"keep": True},
    )  # fmt: skip
    for arguments in wrong:
        with pytest.raises(InvalidRequestError):
            alice.release(nightly("debian"), **{"family": "debian", **arguments})  # type: ignore[arg-type]  # wrong
    with pytest.raises(InvalidRequestError, match="id"):
        alice.release(nightly("debian", id="0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90"), family="debian")
    with pytest.raises(InvalidRequestError, match="252"):
        alice.release(nightly("d" * 252), family="debian", version="1")

    assert between.seen == []


def test_the_longest_name_fits(client: ClientFactory) -> None:
    of, name = family(), "d" * 250
    for version in ("10", "11"):
        client().release(nightly(name), family=of, version=version)

    assert {len(image.name) for image in client().releases(of)} == {250, 255}


def test_an_older_record_of_a_known_failure_is_replaced(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    rows = {"hyperx_family": of, "hyperx_version": "1", "hyperx_failure": "No such file."}
    failed = release_id(alice.project_id, of, "1", 0)
    make_image(cloud, sample=None, id=failed, hyperx_url="http://127.0.0.1/a", **rows)
    patch_record(cloud, failed, {"name": unique("failed")})

    with pytest.raises(ConflictError, match="other data"):
        released(alice, of, "1")
    patch_record(cloud, failed, {"hyperx_url": ""})
    image = released(alice, of, "1")[0]

    assert image.id == release_id(alice.project_id, of, "1", 1)
    with pytest.raises(NotFoundError):
        alice.image(failed)


def test_a_packed_file_is_the_same_version(client: ClientFactory) -> None:
    of, alice = family(), client()
    packed = gzip.compress(samples.data(QCOW2), mtime=0)
    image = alice.release(nightly(of, file=io.BytesIO(packed)), family=of, version="1")

    assert alice.release(nightly(of, file=io.BytesIO(packed)), family=of, version="1").id == image.id
    assert alice.release(nightly(of), family=of, version="1").id == image.id
