"""Cinder's volumes are read in one place, even if Cinder leaves something out or does not filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cloud.volumes import Volume, volume_path, volumes
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory


def test_metadata_is_compared_even_if_cinder_ignores_the_filter(cloud: InMemoryCloud, client: ClientFactory) -> None:
    listed = [{"id": "1", "metadata": {"mark": "a", "other": "x"}}, {"id": "2", "metadata": {"mark": "b"}}, {"id": "3"}]
    cloud.fail("cinder", "GET", "/volumes/detail", status=200, body={"volumes": listed}, times=2)

    assert [each.id for each in volumes(client().cloud, metadata={"mark": "a"})] == ["1"]
    assert [each.id for each in volumes(client().cloud)] == ["1", "2", "3"]


def test_a_volume_remembers_its_image() -> None:
    volume = Volume(id="1", volume_image_metadata={"image_id": "7c1", "disk_format": None})

    assert [volume.of_image(key) for key in ("image_id", "disk_format", "min_ram")] == ["7c1", "", ""]


def test_a_volume_knows_its_device_in_a_server() -> None:
    attachments = [{"server_id": "81f", "device": "/dev/vdb"}, {"server_id": "82f", "device": None}]
    volume = Volume.model_validate({"id": "1", "attachments": attachments}, strict=False)

    assert [volume.device(server_id) for server_id in ("81f", "82f", "83f")] == ["/dev/vdb", "", ""]


def test_ids_are_quoted_in_paths() -> None:
    assert volume_path("a/b", "metadata") == "/volumes/a%2Fb/metadata"
