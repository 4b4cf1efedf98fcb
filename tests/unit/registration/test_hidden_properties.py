"""A registration ends before its data is sent if its caller cannot read, or write, what belongs on the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import NewImage, NotAllowedError
from hyperx_glance.deployment import property_protections
from tests import samples
from tests.support.records import HIDING

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance import Client
    from hyperx_glance.testing import InMemoryCloud
    from tests.support.clouds import ClientFactory


@pytest.mark.parametrize("keep_failed", [False, True])
def test_nothing_is_left_where_only_administrators_read_the_properties(
    cloud: InMemoryCloud,
    client: ClientFactory,
    tmp_path: Path,
    keep_failed: bool,  # noqa: FBT001 - a case
) -> None:
    path = tmp_path / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))
    cloud.glance.protections = HIDING

    with pytest.raises(NotAllowedError) as caught:
        client().register(NewImage(name="debian", file=path), keep_failed=keep_failed)

    assert caught.value.code == "own-properties-hidden"
    assert "hyperx_created_by" in caught.value.message
    assert caught.value.left == ()
    assert [image for image in cloud.glance.images.values() if not image.deleted] == []
    assert not [request for request in cloud.requests if request.path.endswith("/file")]
    assert client("admin").register(NewImage(name="debian", file=path)).name == "debian"


def test_the_hint_names_the_protections_that_let_no_image_be_created(
    cloud: InMemoryCloud, client: ClientFactory, tmp_path: Path
) -> None:
    cloud.glance.protections = property_protections().rpartition("[.*]")[0]

    assert "[.*]" in hint_of_refusal(cloud, client(), tmp_path)


def test_the_hint_names_the_policy_that_lets_no_image_be_created(
    cloud: InMemoryCloud, client: ClientFactory, tmp_path: Path
) -> None:
    cloud.glance.policies["add_image"] = "admin"

    assert "policy add_image" in hint_of_refusal(cloud, client(), tmp_path)


def hint_of_refusal(cloud: InMemoryCloud, client: Client, folder: Path) -> str:
    path = folder / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))

    with pytest.raises(NotAllowedError) as caught:
        client.register(NewImage(name="debian", file=path))

    assert caught.value.left == ()
    assert cloud.glance.images == {}
    return str(caught.value.hint)
