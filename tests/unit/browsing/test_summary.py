"""A summary counts each image once, reads each page once and keeps none."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

from hyperx_glance import Category, Image, ImageQuery, Kind, State
from hyperx_glance.browsing.summary import summarized
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, ClientFactory

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_nothing_is_zero_and_every_word_is_there() -> None:
    found = summarized([])

    assert (found.total, found.bytes) == (0, 0)
    assert found.by_category == dict.fromkeys(Category, 0)
    assert found.by_kind == dict.fromkeys(Kind, 0)
    assert found.by_state == dict.fromkeys(State, 0)
    assert found.by_format == found.by_os == found.by_tag == found.by_owner == {}


def test_each_image_counts_once_in_each_and_for_every_tag() -> None:
    found = summarized(
        [
            Image.model_validate({"id": "1", "status": "active", "visibility": "public", "hyperx_featured": "true"}),
            Image.model_validate({"id": "2", "disk_format": "iso", "size": 7, "tags": ["b", "a"], "owner": "x"}),
            Image.model_validate(
                {"id": "3", "disk_format": "iso", "size": 5, "tags": ["b", "b"], "os_distro": "debian", "owner": "x"}
            ),
        ]
    )

    assert (found.total, found.bytes) == (3, 12)
    assert found.by_category == {Category.FEATURED: 1, Category.PUBLIC: 0, Category.PRIVATE: 2}
    assert found.by_kind == {Kind.IMAGE: 1, Kind.ISO: 2}
    assert found.by_state == {State.ACTIVE: 1, State.INACTIVE: 2}
    assert list(found.by_format.items()) == [("iso", 2), ("", 1)]
    assert list(found.by_os.items()) == [("", 2), ("debian", 1)]
    assert list(found.by_tag.items()) == [("b", 2), ("a", 1)]
    assert list(found.by_owner.items()) == [("x", 2), ("", 1)]


def test_a_summary_does_not_keep_counted_images_in_memory() -> None:
    alive: list[weakref.ref[Image]] = []
    most = 0

    def images() -> Iterator[Image]:
        nonlocal most
        for number in range(5):
            image = Image(id=str(number))
            alive.append(weakref.ref(image))
            yield image
            del image
            gc.collect()
            most = max(most, sum(each() is not None for each in alive))

    assert summarized(images()).total == 5
    assert most <= 1


def test_the_pages_are_read_once() -> None:
    cloud = InMemoryCloud()
    for number in range(5):
        cloud.glance.add_image(name=f"debian-{number}", owner="dept-a", size=number, tags=["linux"])
    alice = ClientFactory(cloud, HASTY)("alice", page_size=2)
    list(alice.images())
    cloud.requests.clear()
    alice.count()
    expected = len(cloud.requests)
    cloud.requests.clear()

    assert alice.summary().bytes == 10

    assert len(cloud.requests) == expected


def test_a_limit_leaves_the_first_of_the_order() -> None:
    cloud = InMemoryCloud()
    for name, size in (("b", 2), ("a", 1), ("c", 4)):
        cloud.glance.add_image(name=name, owner="dept-a", size=size)
    alice = ClientFactory(cloud, HASTY)("alice")

    assert alice.summary(sort=["name"], limit=2).bytes == 3
    assert alice.summary(ImageQuery(sort=["-name"], limit=2)).bytes == 6
    assert alice.summary(limit=0).total == 0
