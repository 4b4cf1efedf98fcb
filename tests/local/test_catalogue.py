"""Lists of the real Glance while images vanish, are hidden by its policy, or have no name."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import glance_rows
from tests.support.clouds import image_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Shelf:
    """Images of bob's department in Glance's database, a minute apart, which change there."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.owner = str(cloud.session("bob").get_project_id())
        self.ids: list[str] = []

    def fill(self, amount: int, **record: Any) -> list[str]:  # noqa: ANN401  # columns and properties
        """Add images and return their ids, the newest first."""
        rows = [
            {
                "id": str(uuid.uuid4()),
                "name": f"image {number}",
                "status": "active",
                "visibility": "community",
                "owner": self.owner,
                "disk_format": "raw",
                "container_format": "bare",
                "size": 1,
                "protected": False,
                "os_hidden": False,
                "created_at": START - timedelta(minutes=number),
                "updated_at": START,
                "tags": [],
                "properties": {},
                **record,
            }
            for number in range(amount)
        ]
        glance_rows.insert(self.cloud, rows)
        self.ids += [row["id"] for row in rows]
        return [row["id"] for row in rows]


@pytest.fixture
def shelf(local_cloud: LocalCloud) -> Iterator[Shelf]:
    assert not image_ids(local_cloud), "another test left images"
    shelf = Shelf(local_cloud)
    yield shelf
    glance_rows.remove(shelf.cloud, shelf.ids)


@pytest.mark.parametrize("loss", ["deleted", "private"])
def test_a_list_goes_on_when_its_marker_is_lost(client: ClientFactory, shelf: Shelf, loss: str) -> None:
    expected = shelf.fill(9)
    found = client("alice", page_size=3).images()
    first = [next(found).id for _ in range(2)]
    bob = client("bob")
    for image_id in expected[1:3]:  # what the next page would begin behind
        if loss == "deleted":
            bob.delete(image_id)
        else:
            bob.update(image_id, category="private")

    rest = [image.id for image in found]

    assert first == expected[:2]
    assert [image_id for image_id in rest if image_id not in expected[:3]] == expected[3:]
    assert len(rest) == len(set(rest))


def test_a_page_emptied_by_policy_does_not_end_the_list(
    local_cloud: LocalCloud, client: ClientFactory, shelf: Shelf
) -> None:
    shown = shelf.fill(2)
    shelf.fill(5, created_at=START - timedelta(hours=1), visibility="public")
    rest = shelf.fill(3, created_at=START - timedelta(hours=2))
    policies = {"get_image": "role:admin or not 'public':%(visibility)s"}

    with local_cloud.configured("glance", policies=policies):
        for page_size in (1, 2, 3, 1000):
            found = [image.id for image in client("alice", page_size=page_size).images()]
            assert found == [*shown, *sorted(rest)]


def test_images_without_a_name_are_sorted_with_the_others(client: ClientFactory, shelf: Shelf) -> None:
    unnamed = sorted(shelf.fill(3, name=None))
    (named,) = shelf.fill(1, name="a")
    alice = client("alice", page_size=2)

    assert [image.id for image in alice.images(sort=["name"])] == [*unnamed, named]
    assert [image.id for image in alice.images(sort=["-name"])] == [named, *unnamed]


def test_a_department_sees_what_it_accepted(client: ClientFactory, local_cloud: LocalCloud, shelf: Shelf) -> None:
    own = str(local_cloud.session("alice").get_project_id())
    accepted, pending = (
        shelf.fill(1, visibility="shared", members={own: status})[0] for status in ("accepted", "pending")
    )
    alice, admin = client("alice"), client("admin")

    assert [image.id for image in alice.images(view="shared")] == [accepted]
    assert [image.id for image in alice.images()] == [accepted]
    assert list(admin.images()) == []
    assert {image.id for image in admin.images(view="everything")} == {accepted, pending}


def test_threads_share_a_client(client: ClientFactory, shelf: Shelf) -> None:
    expected = shelf.fill(12, tags=["gpu"])
    alice = client("alice", page_size=5)
    wrong: list[object] = []

    def browse() -> None:
        answers = ([image.id for image in alice.images()], alice.count(tags=["gpu"]), alice.tags())
        if answers != (expected, 12, {"gpu": 12}):
            wrong.append(answers)

    threads = [threading.Thread(target=browse) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
