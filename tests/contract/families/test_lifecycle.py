"""Deprecating and reinstating: a rollback at once, times that come, and what launches refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    ImageNotActiveError,
    InvalidRequestError,
    LaunchRequest,
    Lifecycle,
    NotAllowedError,
    NotFoundError,
)
from tests.support.clouds import unique
from tests.support.interference import Interference
from tests.support.records import make_image, patch_record
from tests.support.releases import PAST, family, names, nightly, released, settled

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


def test_a_bad_build_is_rolled_back_at_once(client: ClientFactory) -> None:
    of, alice = family(), client()
    older, bad = released(alice, of, "1", "2")

    after = alice.deprecate(bad, replacement=older)

    assert alice.latest(of).id == alice.image(of).id == older.id
    assert (after.lifecycle, after.name, after.hidden, after.replacement) == (
        Lifecycle.DEPRECATED, f"{of} (2)", True, older.id,
    )  # fmt: skip
    assert names(alice, of) == settled(of, "1", "2")
    assert alice.image(bad.id).state == "ACTIVE"


def test_the_previous_one_is_shown_before_the_bad_one_is_hidden(client: ClientFactory) -> None:
    of, alice = family(), client()
    older, bad = released(alice, of, "1", "2")
    between, seen = Interference(alice), []
    between.before("PATCH", f"/images/{bad.id}", lambda: seen.append((names(client(), of), client().latest(of).id)))

    alice.deprecate(bad)

    assert seen == [({"1": (of, False), "2": (of, False)}, bad.id)]
    assert older.id == alice.latest(of).id


def test_a_deprecation_that_is_repeated_changes_nothing(client: ClientFactory) -> None:
    of, alice = family(), client()
    bad = released(alice, of, "1", "2")[-1]
    after = alice.deprecate(bad)

    again = alice.deprecate(bad.id)

    assert again == after


def test_a_rollback_that_is_lost_is_repeated(client: ClientFactory) -> None:
    of, alice = family(), client()
    older, bad = released(alice, of, "1", "2")
    undo: list[dict[str, object]] = [
        {"op": "remove", "path": "/hyperx_deprecated_at"},
        {"op": "replace", "path": "/os_hidden", "value": False},
    ]
    Interference(alice).after("PATCH", f"/images/{bad.id}", lambda: client().cloud.patch_image(bad.id, undo))

    after = alice.deprecate(bad)

    assert after.lifecycle is Lifecycle.DEPRECATED
    assert alice.latest(of).id == older.id


def test_a_deprecated_release_is_reinstated(client: ClientFactory) -> None:
    of, alice = family(), client()
    newer = released(alice, of, "1", "2")[-1]
    alice.deprecate(newer, obsolete_at=TOMORROW)

    after = alice.reinstate(newer)

    assert (after.lifecycle, after.deprecated_at, after.obsolete_at, after.replacement) == ("current", None, None, "")
    assert alice.latest(of) == after
    assert names(alice, of) == settled(of, "2", "1")


def test_a_disabled_release_is_enabled_when_it_is_reinstated(client: ClientFactory) -> None:
    of, alice = family(), client()
    newer = released(alice, of, "1", "2")[-1]
    alice.deprecate(newer)
    alice.disable(newer)

    assert alice.reinstate(newer).state == "ACTIVE"
    assert alice.latest(of).id == newer.id


def test_an_image_that_is_current_stays_as_it_is(client: ClientFactory, cloud: CloudUnderTest) -> None:
    image = client().disable(make_image(cloud))

    assert client().reinstate(image) == image


def test_any_image_is_deprecated_and_reinstated(client: ClientFactory, cloud: CloudUnderTest) -> None:
    alice = client()
    image = alice.image(make_image(cloud))

    after = alice.deprecate(image)
    again = alice.reinstate(image)

    assert (after.lifecycle, after.hidden, after.name) == ("deprecated", True, image.name)
    assert (again.lifecycle, again.hidden, again.name) == ("current", False, image.name)


def test_a_planned_deprecation_changes_nothing_yet(client: ClientFactory) -> None:
    of, alice = family(), client()
    newer = released(alice, of, "1", "2")[-1]

    after = alice.deprecate(newer, at=TOMORROW, obsolete_at=TOMORROW + timedelta(days=1))

    assert (after.lifecycle, after.deprecated_at, after.hidden) == ("current", TOMORROW, False)
    assert after.lifecycle_at(TOMORROW) == "deprecated"
    assert after.lifecycle_at(TOMORROW + timedelta(days=2)) == "obsolete"
    assert alice.latest(of).id == newer.id
    assert alice.deprecate(newer).lifecycle == "deprecated"


def test_an_obsolete_image_is_not_launched(client: ClientFactory, cloud: CloudUnderTest) -> None:
    of, alice = family(), client()
    old, new = released(alice, of, "1", "2")
    patch_record(cloud, old.id, {"hyperx_obsolete_at": PAST, "hyperx_replacement": new.id})
    obsolete = alice.image(old.id)

    with pytest.raises(ImageNotActiveError, match="is obsolete") as caught:
        alice.launch(old, LaunchRequest(name=unique("web"), flavor="m1.tiny"))

    assert new.id in caught.value.hint
    assert obsolete.lifecycle is Lifecycle.OBSOLETE
    assert "launch" not in alice.allowed(obsolete)
    assert {flavor.reason for flavor in alice.flavors(obsolete)} == {caught.value.message}


def test_only_its_department_deprecates_an_image(client: ClientFactory) -> None:
    of = family()
    older, newer = (
        client().release(nightly(of, category="public"), family=of, version=version) for version in ("1", "2")
    )
    planned = client().deprecate(newer, at=TOMORROW)
    for user in ("bob", "rita"):
        for act in (client(user).deprecate, client(user).reinstate):
            with pytest.raises(NotAllowedError):
                act(planned)
    assert client().latest(of).id == newer.id
    assert client("admin").deprecate(newer).lifecycle == "deprecated"
    assert client().latest(of).id == older.id
    with pytest.raises(NotFoundError):
        client("bob").deprecate("nowhere")


def test_wrong_times_cost_no_request(client: ClientFactory) -> None:
    alice = client()
    between = Interference(alice)
    naive = datetime(2030, 1, 1)  # noqa: DTZ001  # wrong on purpose
    wrong = (
        {"at": naive}, {"obsolete_at": naive}, {"at": "2030-01-01"}, {"at": TOMORROW, "obsolete_at": datetime.now(UTC)},
        {"obsolete_at": datetime(2020, 1, 1, tzinfo=UTC)}, {"replacement": 5},
    )  # fmt: skip
    for arguments in wrong:
        with pytest.raises(InvalidRequestError):
            alice.deprecate("7c1", **arguments)  # wrong on purpose
    assert between.seen == []
