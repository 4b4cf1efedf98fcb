"""Registering, on the cloud in memory and on the real one."""

from __future__ import annotations

import pytest

from hyperx_glance import (
    NewImage,
    RegistrationFailedError,
    UrlProblem,
)
from tests import samples
from tests.clouds import LOOPBACK, ClientFactory, CloudUnderTest, image_ids, unique
from tests.file_server import FileServer

BLIND = LOOPBACK.model_copy(update={"preflight": False})


@pytest.mark.parametrize("sample", ["disk.qcow2", "disk.raw", "disk.vmdk", "stream.vmdk", "disk.vhd", "disk.vhdx"])
def test_an_image_of_every_format_becomes_ready(client: ClientFactory, file_server: FileServer, sample: str) -> None:
    alice = client("alice")
    declared = "raw" if sample == "disk.raw" else None
    url = file_server.serve(f"/{sample}", samples.data(sample))

    image = alice.register(NewImage(name=unique("format"), url=url, disk_format=declared))

    assert (image.disk_format, image.state, image.phase) == (samples.DISK_FORMATS[sample], "ACTIVE", "ready")
    assert (image.size, image.url, image.category) == (len(samples.data(sample)), url, "private")
    assert (image.created_by, image.owner) == (alice.user_id, alice.project_id)


def test_a_failure_of_glance_is_told_and_leaves_nothing(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer
) -> None:
    before = image_ids(cloud)
    url = file_server.fail("/missing.qcow2", 404)

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND).register(NewImage(name=unique("missing"), url=url, disk_format="qcow2"))

    assert caught.value.reason == UrlProblem.HTTP_STATUS
    assert "404" in str(caught.value)
    assert image_ids(cloud) == before
