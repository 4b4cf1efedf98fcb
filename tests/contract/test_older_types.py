"""Clients find a service under the older types of its entry in the catalogue, too, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest


@pytest.mark.parametrize("kind", ["block-storage", "volumev3"])
def test_cinder_answers_under_each_type_that_clients_look_for(cloud: CloudUnderTest, kind: str) -> None:
    answer = cloud.session("alice").get("/volumes", endpoint_filter={"service_type": kind})

    assert answer.status_code == 200
    assert "volumes" in answer.json()


def test_the_catalogue_has_each_of_its_types_once(cloud: CloudUnderTest) -> None:
    answer = cloud.session("alice").get("/auth/catalog", endpoint_filter={"service_type": "identity"})
    entries = answer.json()["catalog"]

    types = [entry["type"] for entry in entries]
    assert len(types) == len(set(types))
    assert {"block-storage": "cinder", "volumev3": "cinderv3"}.items() <= {
        entry["type"]: entry["name"] for entry in entries
    }.items()


def test_the_library_finds_block_storage_beside_its_older_type(client: ClientFactory) -> None:
    assert client("alice").cloud.has("block-storage")
