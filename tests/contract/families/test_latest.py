"""The latest release: whose it is, what copies and strangers cannot do, and what is left if the shown one goes away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import AmbiguousNameError, Image, InvalidRequestError, LaunchRequest, NotFoundError
from hyperx_glance.models.releases import release_id
from tests.support import launches
from tests.support.clouds import unique
from tests.support.interference import Interference
from tests.support.records import IMAGE, make_image, patch_record
from tests.support.releases import PAST, claim, family, names, nightly, released, settled
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest


def test_a_hostile_community_image_is_never_latest_for_anybody_else(client: ClientFactory) -> None:
    """CVE-2018-15869: whoever publishes an image under a well-known name waits for others to launch it."""
    of, bob = family(), client("bob")
    hostile = bob.release(nightly(of, category="public"), family=of, version="999999")
    with pytest.raises(NotFoundError):
        client().latest(of)
    mine = released(client(), of, "1")[0]

    assert client().latest(of).id == mine.id
    assert client("admin").latest(of, owner="dept-a").id == mine.id
    assert {each.id for each in client().releases(of)} == {mine.id}
    assert hostile.id not in {each.latest.id for each in client().families() if each.latest}
    assert client().latest(of, owner=bob.project_id).id == hostile.id


def test_a_record_that_only_claims_to_be_a_release_is_none(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of = family()
    mine = released(client(), of, "1")[0]
    claim(cloud, "alice", of, "2")
    claim(cloud, "alice", of, "3", id=release_id(client().project_id, of, "4", 0))

    assert client().latest(of).id == mine.id
    assert [each.id for each in client().releases(of)] == [mine.id]


def test_a_snapshot_of_a_server_is_no_release(cloud: CloudUnderTest, client: ClientFactory) -> None:
    """Nova copies all properties to it unless the operator has set an option."""
    of, alice = family(), client()
    image = released(alice, of, "1", sample="disk.raw")[0]
    launch = alice.launch(image, LaunchRequest(name=unique("web"), flavor=launches.SMALL, networks="none"))
    try:
        server = launch.servers[0].id
        answer = cloud.session("alice").post(
            f"/servers/{server}/action",
            json={"createImage": {"name": unique("snapshot")}},
            endpoint_filter=launches.COMPUTE,
            microversion="2.45",
        )
        snapshot = answer.json()["image_id"]
        until(lambda: alice.image(snapshot).state == "ACTIVE")
        record = {"hyperx_family": of, "hyperx_version": "1", "hyperx_released_at": PAST}
        patch_record(cloud, snapshot, record)  # as Nova does without the option

        assert alice.latest(of).id == image.id
        assert [each.id for each in alice.releases(of)] == [image.id]
    finally:
        launch.cancel()


def test_two_owners_are_ambiguous(client: ClientFactory) -> None:
    of = family()
    featured = client("admin").release(nightly(of, category="featured"), family=of, version="1")
    assert client().latest(of).id == featured.id
    mine = released(client(), of, "1")[0]

    with pytest.raises(AmbiguousNameError) as caught:
        client().latest(of)

    assert set(caught.value.matches) == {featured.id, mine.id}
    assert client().latest(of, owner="dept-a").id == mine.id
    assert client().latest(of, owner=client("admin").project_id).id == featured.id
    assert {each.id for each in client().releases(of)} == {featured.id, mine.id}


@pytest.mark.parametrize("end", ["deleted", "disabled", "deprecated later"])
def test_a_hidden_release_is_latest_if_no_other_is_shown(
    cloud: CloudUnderTest, client: ClientFactory, end: str
) -> None:
    of, alice = family(), client()
    older, newer = released(alice, of, "1", "2")
    match end:
        case "deleted":
            alice.delete(newer)
        case "disabled":
            alice.disable(newer)
        case _:
            alice.deprecate(newer, at=datetime.now(UTC) + timedelta(days=1))
            assert alice.latest(of).id == newer.id
            patch_record(cloud, newer.id, {"hyperx_deprecated_at": PAST})  # and the day has come

    assert alice.latest(of).id == older.id
    alice.retire(of, keep=9)
    assert names(alice, of)["1"] == (of, False)


def test_hidden_releases_do_not_count_while_another_is_shown(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    older, newer = released(alice, of, "1", "2")
    patch_record(cloud, older.id, {"os_hidden": False})
    patch_record(cloud, newer.id, {"os_hidden": True})

    assert alice.latest(of).id == older.id


def test_no_release_is_not_found(client: ClientFactory) -> None:
    of, alice = family(), client()
    with pytest.raises(NotFoundError, match="no current release"):
        alice.latest(of)
    alice.deprecate(released(alice, of, "1")[0])
    with pytest.raises(NotFoundError):
        alice.latest(of)
    assert alice.releases(unique("nothing")) == []


def test_families_of_two_cases_are_two(client: ClientFactory) -> None:
    of = family()
    released(client(), of, "1")
    upper = released(client(), of.upper(), "2")[0]

    assert client().latest(of).version == "1"
    assert client().latest(of.upper()).id == upper.id
    assert [each.version for each in client().releases(of)] == ["1"]


def test_families_are_listed_with_their_latest(client: ClientFactory) -> None:
    mine, everybodys = family(), family()
    released(client(), mine, "1", "2", "3")
    client().deprecate(client().latest(mine))
    client("admin").release(nightly(everybodys, category="featured"), family=everybodys, version="7")

    found = {each.name: each for each in client().families()}

    assert (found[mine].releases, found[mine].owner) == (3, client().project_id)
    assert found[mine].latest == client().latest(mine)
    assert (found[everybodys].releases, found[everybodys].latest) == (1, client().latest(everybodys))
    assert mine not in {each.name for each in client("bob").families()}
    listed = client().families()
    assert listed == sorted(listed, key=lambda each: (each.name, each.owner))


def test_versions_are_ordered_naturally(client: ClientFactory) -> None:
    of = family()
    ascending = ["1.0~rc1", "1.0", "1.0.1", "1.9", "1.10", "2.0-a", "20261130.124530"]
    released(client(), of, *ascending)

    assert [each.version for each in client().releases(of)] == ascending[::-1]


def test_a_name_that_releases_of_one_family_share_is_the_latest(cloud: CloudUnderTest, client: ClientFactory) -> None:
    """A program that dies between the switch and the names leaves two."""
    of, alice = family(), client()
    older, newer = released(alice, of, "1", "2")
    patch_record(cloud, older.id, {"os_hidden": False, "name": of})
    assert alice.image(of).id == newer.id
    other = make_image(cloud, name=of)

    with pytest.raises(AmbiguousNameError) as caught:
        alice.image(of)

    assert set(caught.value.matches) == {older.id, newer.id, other}


def test_images_are_listed_by_family_and_lifecycle(client: ClientFactory) -> None:
    of, alice = family(), client()
    older, newer = released(alice, of, "1", "2")
    alice.deprecate(older)

    def found(**criteria: object) -> set[str]:
        return {image.id for image in alice.images(family=of, **criteria)}  # type: ignore[arg-type]  # of many types

    assert found() == found(lifecycle="current") == {newer.id}
    assert found(hidden=None) == {older.id, newer.id}
    assert found(hidden=None, lifecycle="deprecated") == {older.id}
    assert found(hidden=None, lifecycle="obsolete") == found(lifecycle="deprecated") == set()


def test_the_latest_of_a_named_department_takes_one_request(client: ClientFactory) -> None:
    of, alice = family(), client()
    released(alice, of, *map(str, range(4)))
    between = Interference(alice)

    alice.latest(of, owner=alice.project_id)
    assert between.seen == [("GET", "/images")]
    alice.latest(of)
    assert len(between.seen) == 3


def test_a_wrong_family_costs_no_request(client: ClientFactory) -> None:
    alice = client()
    between = Interference(alice)
    for wrong in ("", "a b", "a:b", "ä", "a" * 65, None, 5):
        for ask in (alice.latest, alice.releases, alice.retire):
            with pytest.raises(InvalidRequestError):
                ask(wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert between.seen == []


def test_a_record_reads_back_from_its_own_json(client: ClientFactory) -> None:
    of, alice = family(), client()
    older, newer = released(alice, of, "1", "2")
    older = alice.deprecate(older, obsolete_at=datetime.now(UTC) + timedelta(days=30), replacement=newer)

    assert Image.model_validate_json(older.model_dump_json()) == older
    assert older.replacement == newer.id


def test_others_read_the_rows(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of = family()
    image = client().release(nightly(of, category="public"), family=of, version="1")
    record = cloud.session("bob").get(f"/v2/images/{image.id}", endpoint_filter=IMAGE).json()

    assert {key: record[key] for key in ("hyperx_family", "hyperx_version", "hyperx_release_name", "os_hidden")} == {
        "hyperx_family": of, "hyperx_version": "1", "hyperx_release_name": of, "os_hidden": False,
    }  # fmt: skip
    assert record["hyperx_released_at"].endswith("Z")
    assert names(client(), of) == settled(of, "1")
