"""The clients that a cloud in memory gives: its own network, its own pace, and hours that cost nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

import hyperx_glance
from hyperx_glance import Client, NewImage, Settings, WaitTimeoutError
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.clients import ClientSettings

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://files.example/disk.raw"


def test_client_is_of_the_user_with_the_network_and_the_pace_of_the_cloud(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[URL] = bytes(4096)
    bob = cloud.client("bob")

    image = bob.register(NewImage(name="disk", url=URL, disk_format="raw"))

    assert (bob.user_id, image.size) == (cloud.users["bob"], 4096)
    assert bob.settings.network is cloud.network


def test_client_takes_other_settings(cloud: InMemoryCloud) -> None:
    client = cloud.client("alice", transfer="stream", page_size=7)

    assert client.settings == dataclasses.replace(
        client.settings, transfer="stream", page_size=7, network=cloud.network
    )
    with pytest.raises(TypeError, match="pagesize"):
        cloud.client("alice", pagesize=7)  # type: ignore[call-arg]  # what it is about


def test_settings_of_a_client_are_all_fields_of_settings() -> None:
    assert list(ClientSettings.__annotations__) == [field.name for field in dataclasses.fields(Settings)]


def test_client_of_the_fixture_is_one_of_the_cloud(hyperx_cloud: InMemoryCloud, hyperx_client: Client) -> None:
    assert hyperx_client.user_id == hyperx_cloud.users["alice"]
    assert hyperx_client.settings.network is hyperx_cloud.network


def test_hour_of_waiting_costs_few_requests(cloud: InMemoryCloud) -> None:
    cloud.glance.imports_stall = True
    cloud.glance.downloads[URL] = bytes(4096)
    client = cloud.client("alice")

    with pytest.raises(WaitTimeoutError):
        client.register(NewImage(name="disk", url=URL, disk_format="raw"), timeout=3600)

    assert len(cloud.requests) < 400


def test_a_program_in_the_process_connects_by_name(
    cloud: InMemoryCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml())
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

    with cloud, hyperx_glance.connect("bob") as client:
        assert client.user_id == cloud.users["bob"]
