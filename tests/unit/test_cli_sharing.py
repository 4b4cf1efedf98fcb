"""The commands that share an image with departments, take it back, accept and decline it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.models.releases import release_id
from tests.support.command import Run, debian, fake, openstack

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud


__all__ = ["debian", "fake", "openstack"]


def test_an_image_is_shared_shown_and_taken_back(
    openstack: Callable[..., Run], fake: InMemoryCloud, debian: str
) -> None:
    departments = [fake.departments["dept-b"], fake.departments["dept-c"]]

    shared = openstack(f"hyperx image share debian {' '.join(departments)} -f json")
    assert shared.status == 0, shared.err
    assert {(share["department_id"], share["status"]) for share in shared.json()} == {
        (department, "pending") for department in departments
    }
    assert shared.json() == openstack("hyperx image shares debian -f json").json()
    table = openstack("hyperx image shares debian --language zh").out
    assert all(text in table for text in ("部门", "状态", "待接受"))

    left = openstack(f"hyperx image unshare {debian} {departments[0]} -f json")
    assert [share["department_id"] for share in left.json()] == departments[1:]
    assert openstack("hyperx image unshare debian --all -f json").json() == []
    assert list(fake.glance.images[debian].members) == []


def test_an_offer_is_found_by_its_name_accepted_and_declined(
    openstack: Callable[..., Run], fake: InMemoryCloud
) -> None:
    image_id = fake.glance.add_image(owner="dept-b", name="licensed", status="active", visibility="shared")
    fake.glance.share(image_id, "dept-a", status="pending")
    own = fake.departments["dept-a"]

    for view in ("offered", "待接受"):
        assert [image["id"] for image in openstack(f"hyperx image list --view {view} -f json").json()] == [image_id]
    assert openstack("hyperx image accept licensed").status == 0
    assert fake.glance.images[image_id].members[own].status == "accepted"
    assert [image["id"] for image in openstack("hyperx image list --view 共享 -f json").json()] == [image_id]
    assert openstack("hyperx image decline licensed").status == 0
    assert fake.glance.images[image_id].members[own].status == "rejected"


def test_two_offers_of_one_name_are_told_by_their_ids(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    offers = [
        fake.glance.add_image(owner=owner, name="licensed", status="active", visibility="shared")
        for owner in ("dept-b", "dept-c")
    ]
    for image_id in offers:
        fake.glance.share(image_id, "dept-a", status="pending")

    run = openstack("hyperx image accept licensed")

    assert run.status == 1
    assert all(image_id in run.err for image_id in offers)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("share debian dept-b", "You cannot see a department dept-b"),
        ("share debian dept-a", "Department dept-a owns the image"),
        ("share debian 0123456789abcdef0123456789abcdef --accept", "Share it without `--accept`"),
        ("share debian dept-b --share-acceptance steward", "`--steward-cloud` is needed"),
        ("unshare debian", "use `--all`"),
        ("unshare debian dept-a", "Department dept-a owns the image"),
        ("accept debian", "is not shared"),
    ],
)
@pytest.mark.usefixtures("debian")
def test_what_cannot_be_done_is_told_in_words_of_the_command(
    openstack: Callable[..., Run], command: str, sentence: str
) -> None:
    run = openstack(f"hyperx image {command}")

    assert run.status == 1
    assert sentence in run.err


@pytest.mark.usefixtures("debian")
def test_a_failure_in_the_middle_says_who_has_the_image(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    departments = [fake.departments[name] for name in ("dept-b", "dept-c")]
    fake.fail("glance", "POST", "/members$", status=400, skip=1)

    run = openstack(f"hyperx image share debian {' '.join(departments)}")

    assert run.status == 1
    assert f"These departments have the image: {departments[0]}." in run.err
    assert f"These departments do not have the image: {departments[1]}." in run.err


@pytest.mark.parametrize(
    "words", ["--family debian-12 {0} {1}", "{0} {1} --family debian-12", "{0} --family debian-12 {1}"]
)
def test_the_latest_of_a_family_is_shared_and_taken_back(
    openstack: Callable[..., Run], fake: InMemoryCloud, words: str
) -> None:
    image_id = fake.glance.add_image(
        id=release_id(fake.departments["dept-a"], "debian-12", "12.9", 0),
        name="Debian 12",
        status="active",
        visibility="private",
        hyperx_family="debian-12",
        hyperx_version="12.9",
        hyperx_released_at="2026-11-30T12:00:00Z",
    )
    words = words.format(fake.departments["dept-b"], fake.departments["dept-c"])

    assert len(openstack(f"hyperx image share {words} -f json").json()) == 2
    assert len(fake.glance.images[image_id].members) == 2
    assert len(openstack("hyperx image shares --family debian-12 -f json").json()) == 2
    assert openstack("hyperx image unshare --family debian-12 --all -f json").json() == []
    nobody = openstack("hyperx image share --family debian-12")
    assert nobody.status == 1
    assert "Name at least one department" in nobody.err
