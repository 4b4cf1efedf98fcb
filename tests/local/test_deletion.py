"""Deletions on real services: servers keep running, and a running import brings nothing back."""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Deletion, LaunchRequest, NotFoundError, Pace
from hyperx_glance.testing.timing import scaled
from hyperx_glance.waiting.pace import wait_until
from tests.support.clouds import PATIENT, unique
from tests.support.file_server import BigBody
from tests.support.lossy_proxy import FATES, Fate, LossyProxy
from tests.support.records import IMAGE, exists, make_image

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory
    from tests.support.file_server import FileServer

COMPUTE = {"service_type": "compute"}
SOON = Pace(first_interval=0.05, longest_interval=0.5, deadline=scaled(60))


@pytest.mark.parametrize(
    ("sample", "layout"),
    [("disk.qcow2", {}), ("disk.raw", {"boot_volume_gib": 1}), ("installer.iso", {"install_disk_gib": 1})],
    ids=["image", "volume", "iso"],
)
def test_servers_keep_running(
    local_cloud: LocalCloud, client: ClientFactory, sample: str, layout: dict[str, object]
) -> None:
    image_id = make_image(local_cloud, sample=sample)
    request = {"name": unique("kept"), "flavor": "m1.tiny", "networks": "none", "count": 2, **layout}
    launch = client().launch(image_id, LaunchRequest.model_validate(request))
    try:
        client().delete(image_id)
        assert not exists(local_cloud, image_id)
        for server in launch.servers:
            assert _status(local_cloud, server.id) == "ACTIVE"
            before = _actions(local_cloud, server.id)
            for kind in ("SOFT", "HARD"):
                _act(local_cloud, server.id, {"reboot": {"type": kind}})
                wait_until(SOON, functools.partial(_is_active, local_cloud, server.id))
            assert _actions(local_cloud, server.id)[: -len(before)] == [("reboot", None), ("reboot", None)]
    finally:
        launch.cancel()


def _status(cloud: LocalCloud, server_id: str) -> str:
    server = cloud.session("alice").get(f"/servers/{server_id}", endpoint_filter=COMPUTE).json()["server"]
    return f"{server['status']}" if not server["OS-EXT-STS:task_state"] else "busy"


def _is_active(cloud: LocalCloud, server_id: str) -> bool | None:
    return _status(cloud, server_id) == "ACTIVE" or None


def _act(cloud: LocalCloud, server_id: str, action: dict[str, object]) -> None:
    cloud.session("alice").post(f"/servers/{server_id}/action", json=action, endpoint_filter=COMPUTE)


def _actions(cloud: LocalCloud, server_id: str) -> list[tuple[str, str | None]]:
    """Return what was done with a server, newest first, each with the message of its failure."""
    answer = cloud.session("alice").get(f"/servers/{server_id}/os-instance-actions", endpoint_filter=COMPUTE).json()
    return [(action["action"], action["message"]) for action in answer["instanceActions"]]


def test_during_an_import_the_image_is_gone_at_once(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    held = file_server.hold("/slow.raw", BigBody(3 * 2**20), after=4096)
    image_id = make_image(local_cloud, sample=None, disk_format="raw")
    session = local_cloud.session("alice")
    body = {"method": {"name": "web-download", "uri": held.url}}
    session.post(f"/v2/images/{image_id}/import", json=body, endpoint_filter=IMAGE)
    held.wait_until_reached()
    begun = time.monotonic()
    assert client().delete(image_id).image is not None
    assert time.monotonic() - begun < 5
    assert not exists(local_cloud, image_id)
    held.release()
    # Glance reads the URL to its end; nothing comes back after that.
    wait_until(SOON, lambda: _staged(local_cloud, image_id) or None)
    for _ in range(10):
        assert not exists(local_cloud, image_id)
        time.sleep(0.1)
    assert client().quota().uploading is not None
    assert client().delete(image_id, missing_ok=True) == Deletion(image=None, servers=None)


def _staged(cloud: LocalCloud, image_id: str) -> bool:
    """Check whether the import's own files are gone."""
    return not list((cloud.directory / "glance").rglob(f"staging/{image_id}"))


@pytest.mark.parametrize("fates", [(fate,) for fate in FATES] + [("cut_late", "cut_early", "bad_gateway")], ids=str)
def test_a_deletion_whose_answer_is_lost_is_a_deletion(
    local_cloud: LocalCloud, client: ClientFactory, fates: tuple[Fate, ...]
) -> None:
    image = client().image(make_image(local_cloud))
    with LossyProxy(
        local_cloud.url("glance"), list(fates), service="image", creation="/images/[^/]+$", method="DELETE"
    ) as proxy:
        assert proxy.client(local_cloud.session("alice"), PATIENT).delete(image) == Deletion(image=image)
        assert not proxy.fates
    assert not exists(local_cloud, image.id)
    with pytest.raises(NotFoundError):
        client().delete(image)


def test_from_two_threads_one_deletes(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice, arthur = client("alice"), client("arthur")
    for _ in range(8):
        image_id = make_image(local_cloud)
        with ThreadPoolExecutor(2) as pool:
            outcomes = [future.result() for future in [pool.submit(_outcome, who, image_id) for who in (alice, arthur)]]
        assert sorted(outcomes) == ["Deletion", "NotFoundError"]


def _outcome(client: Client, image_id: str) -> str:
    try:
        return type(client.delete(image_id)).__name__
    except NotFoundError as error:
        return type(error).__name__
