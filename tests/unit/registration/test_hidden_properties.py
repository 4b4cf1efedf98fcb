"""A registration ends before its data is sent if its caller cannot read what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import NewImage, NotAllowedError
from tests import samples
from tests.support.records import HIDING

if TYPE_CHECKING:
    from pathlib import Path

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
