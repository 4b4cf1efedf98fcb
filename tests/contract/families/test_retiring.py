"""Retiring: one step a call, and never the latest, what is used, protected or not released."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import InvalidRequestError, LaunchRequest, NotAllowedError, NotFoundError
from hyperx_glance.models.releases import release_id
from tests.support.clouds import image_ids, unique
from tests.support.interference import Interference, interrupt, unreachable
from tests.support.records import exists, make_image, patch_record
from tests.support.releases import PAST, family, names, nightly, released, settled

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.support.clouds import ClientFactory, CloudUnderTest

DAYS = timedelta(days=30)


def retired(client: Client, of: str, **arguments: object) -> dict[str, str]:
    """Retire, and return what became of each version."""
    return {each.image.version: each.action for each in client.retire(of, **arguments)}  # type: ignore[arg-type]


def long_ago(cloud: CloudUnderTest, *images: str) -> None:
    """Let the deprecation of images be long ago."""
    for image_id in images:
        patch_record(cloud, image_id, {"hyperx_deprecated_at": PAST})


def test_releases_beyond_those_kept_go_one_step_a_call(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old = released(alice, of, "1", "2", "3", "4")[0]
    every = {"keep": 3, "obsolete_after": DAYS, "delete_after": 2 * DAYS, "delete": True}

    assert retired(alice, of, **every) == {"4": "kept", "3": "kept", "2": "kept", "1": "deprecated"}
    assert retired(alice, of, **every)["1"] == "kept"
    long_ago(cloud, old.id)
    assert retired(alice, of, **every)["1"] == "disabled"
    assert alice.image(old.id).obsolete_at is not None
    assert retired(alice, of, **every)["1"] == "deleted"
    assert retired(alice, of, **every) == {"4": "kept", "3": "kept", "2": "kept"}
    assert not exists(cloud, old.id)


def test_without_times_a_release_is_deleted_at_the_next_call(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old = released(alice, of, "1", "2")[0]

    assert retired(alice, of, keep=1, delete=True)["1"] == "deprecated"
    assert retired(alice, of, keep=1)["1"] == "kept"
    assert retired(alice, of, keep=1, delete=True)["1"] == "deleted"
    assert not exists(cloud, old.id)


def test_one_that_is_to_be_disabled_first_is_not_deleted_before(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old = released(alice, of, "1", "2")[0]
    alice.deprecate(old)

    assert retired(alice, of, keep=1, obsolete_after=DAYS, delete=True)["1"] == "kept"
    long_ago(cloud, old.id)
    assert retired(alice, of, keep=1, obsolete_after=DAYS, delete=True)["1"] == "disabled"
    assert retired(alice, of, keep=1, obsolete_after=DAYS, delete=True)["1"] == "deleted"


def test_a_planned_end_disables(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old = released(alice, of, "1", "2")[0]
    patch_record(cloud, old.id, {"hyperx_obsolete_at": PAST})

    assert retired(alice, of)["1"] == "disabled"
    assert alice.image(old.id).phase == "disabled"


def test_a_release_keeps_as_many_as_it_says(client: ClientFactory) -> None:
    of, alice = family(), client()
    released(alice, of, "1", "2", "3")

    alice.release(nightly(of), family=of, version="4", keep=2)

    assert {each.version: each.lifecycle for each in alice.releases(of)} == {
        "4": "current", "3": "current", "2": "deprecated", "1": "deprecated",
    }  # fmt: skip


def test_a_dry_run_changes_nothing(client: ClientFactory) -> None:
    of, alice = family(), client()
    released(alice, of, "1", "2", "3")
    alice.deprecate(alice.releases(of)[-1])
    before = alice.releases(of)

    plan = retired(alice, of, keep=1, delete=True, dry_run=True)

    assert plan == {"3": "kept", "2": "deprecated", "1": "deleted"}
    assert alice.releases(of) == before
    assert retired(alice, of, keep=1, delete=True) == plan


def test_the_latest_is_never_touched(client: ClientFactory) -> None:
    """It may be older than the releases that are kept, if these are disabled by hand."""
    of, alice = family(), client()
    latest, disabled = released(alice, of, "1", "2")
    alice.disable(disabled)

    assert retired(alice, of, keep=1, delete=True) == {"2": "kept", "1": "kept"}
    assert alice.latest(of).id == latest.id
    assert names(alice, of) == settled(of, "1", "2")


def test_a_protected_release_is_skipped(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old = alice.release(nightly(of, protected=True), family=of, version="1")
    released(alice, of, "2")
    alice.deprecate(old)

    (_, skipped) = alice.retire(of, keep=1, delete=True)

    assert (skipped.action, "protected" in skipped.reason) == ("skipped", True)
    assert exists(cloud, old.id)


def test_a_release_that_servers_use_is_skipped(client: ClientFactory) -> None:
    of, alice = family(), client()
    old, _ = released(alice, of, "1", "2", sample="disk.raw")
    launch = alice.launch(old, LaunchRequest(name=unique("web"), flavor="m1.tiny", networks="none"))
    try:
        alice.deprecate(old)
        (_, skipped) = alice.retire(of, keep=1, delete=True)
        assert (skipped.action, skipped.reason) == ("skipped", "Servers made from it: 1.")
    finally:
        launch.cancel()
    assert retired(alice, of, keep=1, delete=True)["1"] == "deleted"


def test_an_incomplete_answer_counts_as_used(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old, _ = released(alice, of, "1", "2")
    alice.deprecate(old)
    for path in ("/volumes/detail", "/servers/detail"):
        crippled = client()
        Interference(crippled).before("GET", path, unreachable, times=-1)
        assert retired(crippled, of, keep=1, delete=True)["1"] == "skipped"
    assert exists(cloud, old.id)


@pytest.mark.parametrize("category", ["public", "featured"])
def test_only_an_administrator_deletes_what_others_may_use(
    cloud: CloudUnderTest, client: ClientFactory, category: str
) -> None:
    of, admin = family(), client("admin")
    for version in ("1", "2"):
        admin.release(nightly(of, category=category, owner="dept-a"), family=of, version=version)
    old = client().releases(of)[-1]
    admin.deprecate(old)

    assert retired(client(), of, keep=1, delete=True)["1"] == "skipped"
    assert exists(cloud, old.id)
    assert retired(admin, of, keep=1, delete=True) == {}
    assert retired(admin, of, owner="dept-a", keep=1, delete=True)["1"] == "deleted"
    with pytest.raises(NotAllowedError):
        client("bob").retire(of, owner="dept-a")


def test_what_was_not_released_is_skipped(client: ClientFactory) -> None:
    of, alice, crashing = family(), client(), client()
    Interference(crashing).before("PATCH", "/images/", interrupt)
    with pytest.raises(KeyboardInterrupt):
        crashing.release(nightly(of), family=of)

    (left,) = alice.retire(of, keep=1, delete=True)

    assert (left.action, left.image.released_at) == ("skipped", None)
    assert "not released" in left.reason


def test_copies_are_not_retired(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    released(alice, of, "1", "2")
    copy = make_image(cloud, hyperx_family=of, hyperx_version="1", hyperx_released_at=PAST, hyperx_deprecated_at=PAST)
    other = make_image(cloud, id=release_id(alice.project_id, of, "3", 0), hyperx_family=of, hyperx_version="9")

    assert copy not in {each.image.id for each in alice.retire(of, keep=1, delete=True)}
    assert {copy, other} <= image_ids(cloud)


def test_one_that_is_reinstated_or_deleted_meanwhile_is_skipped(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    old, *_ = released(alice, of, "1", "2")
    alice.deprecate(old)
    between = Interference(alice)
    between.before("GET", f"/images/{old.id}$", lambda: client().reinstate(old))
    assert retired(alice, of, keep=1, delete=True)["1"] == "skipped"
    assert exists(cloud, old.id)
    client().deprecate(old)
    between.before("GET", f"/images/{old.id}$", lambda: client().delete(old))
    assert retired(alice, of, keep=1, delete=True)["1"] == "skipped"


def test_a_retirement_heals_names(cloud: CloudUnderTest, client: ClientFactory) -> None:
    of, alice = family(), client()
    older, _ = released(alice, of, "1", "2")
    patch_record(cloud, older.id, {"name": of, "os_hidden": False})

    alice.retire(of)

    assert names(alice, of) == settled(of, "2", "1")


def test_wrong_arguments_cost_no_request(client: ClientFactory) -> None:
    alice = client()
    between = Interference(alice)
    wrong = (
        {"keep": 0},
        {"keep": True},
        {"obsolete_after": 5},
        {"delete_after": timedelta(days=-1)},
        {"delete": "yes"},
    )
    for arguments in wrong:
        with pytest.raises(InvalidRequestError):
            alice.retire("debian", **arguments)  # wrong on purpose
    assert between.seen == []
    with pytest.raises(NotFoundError):
        client("admin").retire("debian", owner=unique("nowhere"))
