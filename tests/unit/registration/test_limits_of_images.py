"""A registration beyond Glance's own limits of one image says the limit, and how much of it the library takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import ImageChanges, InvalidRequestError, NewImage
from hyperx_glance.models.mapping import new_image_body
from hyperx_glance.vocabulary import BASE_KEYS, MOST_OWN_PROPERTIES, Category
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance import Client
    from hyperx_glance.testing import InMemoryCloud
    from tests.support.clouds import ClientFactory


@pytest.fixture
def alice(client: ClientFactory) -> Client:
    return client("alice")


def test_too_many_properties_name_the_limit_and_those_of_the_library(
    cloud: InMemoryCloud, alice: Client, disk: Path
) -> None:
    cloud.glance.property_quota = 2
    assert alice.register(NewImage(name="plain", file=disk)).name == "plain"

    with pytest.raises(InvalidRequestError) as caught:
        alice.register(NewImage(name="full", file=disk, description="d", os_type="linux"))

    error = caught.value
    assert error.message.code == "too-many-properties"
    assert error.message.values == {"most": 2, "attempted": 4, "needed": MOST_OWN_PROPERTIES}
    assert "Attempted: 4, Maximum: 2" in error.explanation
    assert (error.status, error.left) == (413, ())
    assert_told(error)
    assert [image.name for image in cloud.glance.images.values()] == ["plain"]


def test_too_many_tags_name_the_limit(cloud: InMemoryCloud, alice: Client, disk: Path) -> None:
    cloud.glance.tag_quota = 1
    image = alice.register(NewImage(name="plain", file=disk, tags={"one"}))

    with pytest.raises(InvalidRequestError) as caught:
        alice.update(image, ImageChanges(tags={"one", "two"}))

    assert caught.value.message.values == {"most": 1, "attempted": 2}
    assert_told(caught.value)


def test_the_most_properties_are_those_of_a_registration_with_every_field() -> None:
    new = NewImage(
        name="full",
        url="https://user@files.example/disk.qcow2.xz",
        category=Category.FEATURED,
        description="d",
        password_enabled=True,
        admin_user="root",
        os_type="linux",
        os_distro="debian",
        os_version="12",
        architecture="x86_64",
        hypervisor="qemu",
        checksum=f"sha256:{'0' * 64}",
    )
    body = new_image_body(
        new,
        image_id="7c1",
        disk_format="qcow2",
        public_visibility="public",
        user_id="alice",
        owner=None,
        packed="xz",
        expected_size=512,
    )
    written_later = ("hyperx_checksum_verified",)

    assert len([*(body.keys() - BASE_KEYS), *written_later]) == MOST_OWN_PROPERTIES
