"""Nova's servers are read in one place, with the microversion that a verb needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.cloud import compute
from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory

BARE = {"id": "81f", "name": None, "status": "ACTIVE", "tenant_id": "9f", "image": ""}


def test_without_a_microversion_any_nova_lists_its_servers(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.nova.max_microversion = "2.1"

    assert list(compute.servers_of_images(client().cloud, {}, page_size=1)) == []
    with pytest.raises(ServiceUnavailableError, match="too old"):
        list(compute.servers(client().cloud))


@pytest.mark.parametrize(
    ("image", "image_id"), [("", ""), (None, ""), ({"id": "7c1"}, "7c1"), ({"id": None}, ""), ({"links": []}, "")]
)
def test_a_server_names_its_image_if_it_was_made_from_one(
    cloud: InMemoryCloud, client: ClientFactory, image: object, image_id: str
) -> None:
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": [{**BARE, "image": image}]})

    (server,) = compute.servers_of_images(client().cloud, {}, page_size=1)

    assert (server.id, server.image_id, server.project_id, server.name) == ("81f", image_id, "9f", None)


def test_ids_are_quoted_in_paths() -> None:
    assert compute.server_path("a/b?c", "action") == "/servers/a%2Fb%3Fc/action"
