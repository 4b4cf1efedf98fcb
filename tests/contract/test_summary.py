"""A summary adds up what the list shows, on both clouds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Category, ImageQuery, InvalidRequestError, Kind, NotAllowedError, State
from tests.support.clouds import unique
from tests.support.records import make_image

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest


def test_a_summary_adds_up_what_a_list_shows(cloud: CloudUnderTest, client: ClientFactory) -> None:
    tag, other = unique("tag"), unique("other")
    make_image(cloud, "alice", tags=[tag, other], os_distro="debian", os_version="12")
    make_image(cloud, "alice", sample="installer.iso", tags=[tag], hyperx_os_name="Kylin 麒麟")
    make_image(cloud, "alice", sample=None, tags=[tag], disk_format="raw")
    make_image(cloud, "bob", tags=[tag], visibility="community")
    make_image(cloud, "bob", tags=[tag])  # nobody else's
    make_image(cloud, "admin", tags=[tag], visibility="public", hyperx_featured="true")
    alice, bob = client("alice"), client("bob")

    found = alice.summary(tags=[tag])
    listed = list(alice.images(tags=[tag]))

    assert found.total == len(listed) == 5
    assert found.bytes == sum(image.size or 0 for image in listed) > 0
    assert found.by_category == {Category.FEATURED: 1, Category.PUBLIC: 1, Category.PRIVATE: 3}
    assert found.by_kind == {Kind.IMAGE: 4, Kind.ISO: 1}
    assert found.by_state == {State.ACTIVE: 4, State.INACTIVE: 1}
    assert found.by_format == {"qcow2": 3, "iso": 1, "raw": 1}
    assert found.by_os == {"": 3, "Kylin 麒麟": 1, "debian 12": 1}
    assert found.by_tag == {tag: 5, other: 1}
    assert found.by_owner == Counter(image.owner for image in listed)
    assert found.by_owner[alice.project_id] == 3
    assert found.by_owner[bob.project_id] == 1


@pytest.mark.parametrize("view", ["featured", "public", "private", "all"])
def test_each_view_is_summed_up_as_it_is_listed(cloud: CloudUnderTest, client: ClientFactory, view: str) -> None:
    tag = unique("tag")
    make_image(cloud, "alice", tags=[tag])
    make_image(cloud, "bob", tags=[tag], visibility="community")
    make_image(cloud, "admin", tags=[tag], visibility="public", hyperx_featured="true")
    query = ImageQuery.model_validate({"view": view, "tags": [tag]})

    for user in ("alice", "admin"):
        found = client(user).summary(query)
        assert found.total == client(user).count(query) == sum(found.by_category.values())


def test_a_summary_refuses_the_same_queries_as_a_list(client: ClientFactory) -> None:
    with pytest.raises(NotAllowedError, match="everything"):
        client("alice").summary(view="everything")
    with pytest.raises(InvalidRequestError, match="not both"):
        client("alice").summary(ImageQuery(), view="public")
