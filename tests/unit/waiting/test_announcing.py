"""Each wait of a verb says in the log what it waits for, and repeats no secret."""

from __future__ import annotations

import logging

import pytest

from hyperx_glance import Client, LaunchRequest, NewCapture, NewImage, Pace, Settings
from hyperx_glance.testing import InMemoryCloud

URL = "https://files.example/disk.qcow2?signature=hidden"
DISK = b"QFI\xfb\0\0\0\3" + bytes(12) + b"\0\0\0\x10" + (1 << 30).to_bytes(8) + bytes(65504)


def test_registering_launching_and_capturing_announce_their_waits(caplog: pytest.LogCaptureFixture) -> None:
    cloud = InMemoryCloud()
    cloud.glance.downloads[URL] = DISK
    cloud.glance.import_polls = cloud.nova.build_polls = cloud.nova.snapshot_polls = 20
    settings = Settings(
        network=cloud.network, pace=Pace(first_interval=1, clock=cloud.pace.clock, sleep=cloud.pace.sleep)
    )
    client = Client.from_session(cloud.session("alice"), settings=settings)

    with caplog.at_level(logging.INFO, logger="hyperx_glance"):
        image = client.register(NewImage(name="debian", url=URL))
        launch = client.launch(image, LaunchRequest(name="web", flavor="m1.tiny"))
        captured = client.capture(launch.servers[0].id, NewCapture(name="copy"), timeout=600)

    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for image {image.id}, at most 3600 s",
        f"waiting for launch {launch.launch_id}, at most 3600 s",
        f"waiting for capture {captured.capture_id}, at most 600 s",
    ]
