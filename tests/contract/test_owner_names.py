"""The names of the departments that own images, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.clouds import unique
from tests.support.records import make_image

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest


def test_with_a_steward_a_member_reads_and_finds_the_names_of_owners(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    tag = unique("tag")
    public = make_image(cloud, "bob", sample=None, tags=[tag], visibility="community")
    own = make_image(cloud, "alice", sample=None, tags=[tag])
    make_image(cloud, "bob", sample=None, tags=[tag])  # nobody else's
    alice = client("alice", steward="admin")

    assert {image.id: alice.owner_name(image) for image in alice.images(tags=[tag])} == {
        public: "dept-b",
        own: "dept-a",
    }
    assert alice.owner_name(public) == "dept-b"
    assert [image.id for image in alice.images(tags=[tag], search="dept-b")] == [public]
    assert [image.id for image in alice.images(tags=[tag], owner="dept-b")] == [public]
    assert [department.name for department in alice.departments()] == ["dept-a"]


def test_without_a_steward_the_id_stays(cloud: CloudUnderTest, client: ClientFactory) -> None:
    tag = unique("tag")
    public = make_image(cloud, "bob", sample=None, tags=[tag], visibility="community")
    alice = client("alice")

    assert alice.owner_name(public) == client("bob").project_id
    assert list(alice.images(tags=[tag], search="dept-b")) == []
    assert list(alice.images(tags=[tag], owner="dept-b")) == []
