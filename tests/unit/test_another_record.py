"""The record in a response of Glance must be the requested one: a verb continues with its id."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, LaunchRequest, NewCapture, NewImage, ServiceUnavailableError
from hyperx_glance.testing.memory import Reply
from tests import samples
from tests.support.clouds import ClientFactory, sent
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import Recorded

OTHER_ID = "00000000-0000-4000-8000-000000000000"
TINY = LaunchRequest(name="web", flavor="m1.tiny")
READING: dict[str, Callable[[Client, str], object]] = {
    "image": lambda alice, image_id: alice.image(image_id),
    "progress": lambda alice, image_id: alice.progress(image_id),
    "resume_registration": lambda alice, image_id: alice.resume_registration(image_id),
    "update": lambda alice, image_id: alice.update(image_id, description="x"),
    "servers_using": lambda alice, image_id: alice.servers_using(image_id),
    "launch": lambda alice, image_id: alice.launch(image_id, TINY),
}


def exchange(cloud: InMemoryCloud, method: str) -> None:
    """Let Glance answer with records that have another id."""

    def exchanged(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if request.service != "glance" or request.method != method or b'"visibility"' not in reply.content:
            return reply
        record = json.loads(reply.content)
        if "images" in record:
            return reply
        return Reply(reply.status, json.dumps({**record, "id": OTHER_ID}).encode(), reply.headers)

    cloud.intercept(exchanged)


@pytest.mark.parametrize("verb", READING)
def test_a_verb_that_reads_another_record_changes_nothing(
    cloud: InMemoryCloud, client: ClientFactory, verb: str
) -> None:
    image_id = make_image(cloud)
    exchange(cloud, "GET")
    cloud.requests.clear()

    with pytest.raises(ServiceUnavailableError, match="record of another image"):
        READING[verb](client(), image_id)

    assert {each.method for each in sent(cloud)} == {"GET"}


def test_an_update_is_judged_by_its_own_record(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    exchange(cloud, "PATCH")

    image = client().update(image_id, description="x")

    assert (image.id, image.description) == (image_id, "x")


def test_a_capture_is_finished_by_its_own_record(cloud: InMemoryCloud, client: ClientFactory) -> None:
    (server,) = client().launch(make_image(cloud), TINY).servers
    exchange(cloud, "PATCH")

    image = client().capture(server.id, NewCapture(name="captured"))

    assert image.id in cloud.glance.images


def test_a_registration_that_is_answered_with_another_record_returns_none_of_it(
    cloud: InMemoryCloud, client: ClientFactory, tmp_path: Path
) -> None:
    data = samples.data("disk.qcow2")
    path = tmp_path / "disk.qcow2"
    path.write_bytes(data)
    checksum = f"sha256:{hashlib.sha256(data).hexdigest()}"
    exchange(cloud, "PATCH")

    with pytest.raises(ServiceUnavailableError, match="record of another image") as caught:
        client().register(NewImage(name="debian", file=path, checksum=checksum))

    assert str(caught.value.image_id) in cloud.glance.images
