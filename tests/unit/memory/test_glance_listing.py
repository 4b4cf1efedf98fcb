"""Details of the lists of the in-memory Glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import image, names, new_image

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("user", "query", "expected"),
    [
        ("alice", "", "a-community a-private a-public a-shared b-public"),
        ("rita", "", "a-community a-private a-public a-shared b-public"),
        ("alice", "member_status=pending", "a-community a-private a-public a-shared b-public b-shared"),
        ("alice", "visibility=community", "a-community b-community"),
        ("alice", "visibility=shared", "a-shared"),
        ("alice", "visibility=shared&member_status=all", "a-shared b-shared"),
        ("alice", "visibility=private", "a-private"),
        ("alice", "visibility=all", "a-community a-private a-public a-shared b-community b-public"),
        ("admin", "", "a-private a-public a-shared b-private b-public b-shared"),
        ("admin", "visibility=shared&member_status=accepted", "a-shared b-shared"),
    ],
)
def test_image_lists_depend_on_the_user_and_the_query(
    library: InMemoryCloud, user: str, query: str, expected: str
) -> None:
    assert sorted(names(library, query, user)) == expected.split()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=a%3Ab", None),  # a name with a colon needs eq:
        ("name=eq%3Aa%3Ab", ["a:b"]),
        ("name=in%3A%22x%2Cy%22%2Cplain", ["plain", "x,y"]),
        ("disk_format=in%3Araw%2Ciso", ["a:b", "plain"]),
        ("tag=t1&tag=t2", ["plain"]),
        ("tag=t1", ["plain", "x,y"]),
        ("size_min=10&size_max=20", ["plain"]),
        ("size_max=5", ["x,y"]),
        ("created_at=gte%3A2026-02-01T00%3A00%3A00Z", ["plain", "x,y"]),
        ("created_at=lt%3A2026-02-01T00%3A00%3A00Z", ["a:b"]),
        ("os_distro=ubuntu", ["plain"]),
        ("os_distro=Ubuntu", []),
        ("protected=true", ["x,y"]),
        ("os_hidden=true", ["hidden"]),
        ("status=in%3Aactive%2Cqueued", ["a:b", "plain", "x,y"]),
        ("name=neq%3Aplain", None),
        ("size_min=big", None),
        ("protected=maybe", None),
        ("sort=color", None),
        ("limit=-1", None),
        ("visibility=odd", None),
    ],
)
def test_filters(cloud: InMemoryCloud, query: str, expected: list[str] | None) -> None:
    add = cloud.glance.add_image
    add(name="a:b", status="active", disk_format="iso", created_at="2026-01-01T00:00:00+00:00")
    add(
        name="plain",
        disk_format="raw",
        size=10,
        tags=["t1", "t2"],
        os_distro="ubuntu",
        created_at="2026-02-01T00:00:00+00:00",
    )
    add(name="x,y", disk_format="qcow2", size=5, tags=["t1"], protected=True, created_at="2026-02-02T00:00:00+00:00")
    add(name="hidden", os_hidden=True, created_at="2026-02-03T00:00:00+00:00")

    answer = image(cloud, "alice", "GET", f"/images?{query}")

    if expected is None:
        assert answer.status_code == 400
    else:
        assert sorted(record["name"] for record in answer.json()["images"]) == expected


def pages(cloud: InMemoryCloud, query: str) -> Iterator[list[str]]:
    path: str | None = f"/images?{query}"
    while path:
        page = image(cloud, "alice", "GET", path).json()
        yield [record["name"] for record in page["images"]]
        path = page["next"].removeprefix("/v2") if "next" in page else None


def test_paging_ends_with_an_empty_page_where_the_last_one_is_full(cloud: InMemoryCloud) -> None:
    for number in range(4):
        cloud.glance.add_image(name=str(number))

    assert list(pages(cloud, "limit=2&sort=name:asc")) == [["0", "1"], ["2", "3"], []]
    assert list(pages(cloud, "limit=3&sort=name:asc")) == [["0", "1", "2"], ["3"]]


def test_sorting_by_a_null_size_never_ends(cloud: InMemoryCloud) -> None:
    """As Glance does: the same image again and again."""
    for number in range(3):
        cloud.glance.add_image(name=str(number), size=None)
    again = pages(cloud, "limit=1&sort=size:desc")

    assert next(again) == next(again) == next(again)


def test_a_page_emptied_by_policy_has_no_next(cloud: InMemoryCloud) -> None:
    ids = [cloud.glance.add_image(name=str(number)) for number in range(4)]
    cloud.glance.hidden_by_policy = {ids[0], ids[1]}

    assert list(pages(cloud, "limit=2&sort=name:asc")) == [[]]
    assert list(pages(cloud, "limit=3&sort=name:asc")) == [["2"], ["3"]]


def test_a_lost_marker_is_refused(cloud: InMemoryCloud) -> None:
    gone = new_image(cloud)
    image(cloud, "alice", "DELETE", f"/images/{gone}")
    hers = cloud.glance.add_image(owner="dept-b", visibility="private")

    assert image(cloud, "alice", "GET", f"/images?marker={gone}").status_code == 400
    assert image(cloud, "alice", "GET", f"/images?marker={hers}").status_code == 403


def test_a_database_may_ignore_case(cloud: InMemoryCloud) -> None:
    cloud.glance.case_sensitive = False
    cloud.glance.add_image(name="Plain", os_distro="Ubuntu")

    assert names(cloud, "os_distro=ubuntu") == names(cloud, "name=plain") == ["Plain"]


def test_images_of_other_tools_are_shown_as_they_are(cloud: InMemoryCloud) -> None:
    odd_id = cloud.glance.add_image(name=None, hyperx_bootable="maybe", shown_as={"size": "many"})
    cloud.glance.images[odd_id].status = "odd"
    cloud.glance.add_image(name="going", status="pending_delete")

    assert names(cloud) == ["going", None]
    odd = image(cloud, "alice", "GET", "/images?status=odd").json()["images"][0]
    assert (odd["size"], odd["hyperx_bootable"]) == ("many", "maybe")
