"""Several guests of one launch boot, and none is left when it ends."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import LaunchFailedError, LaunchRequest
from hyperx_glance.testing.timing import scaled
from tests.guest import machine
from tests.guest.cases import multipart
from tests.guest.conftest import FLAVOR
from tests.guest.console import READY
from tests.guest.images import INSTALLED_BOOTS, LIVE_RUNS
from tests.support import launches
from tests.support.clouds import unique

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.guest.conftest import ConsoleOf, Shelf

MIME = multipart(
    "#cloud-config\nusers: [default, {name: bob, lock_passwd: false, plain_text_passwd: Bob-5-0wn}]\n",
    "#cloud-config\nssh_pwauth: true\n",
)


def test_three_guests_with_names_of_their_own(
    guest_cloud: LocalCloud, shelf: Shelf, alice: Client, console: ConsoleOf
) -> None:
    request = LaunchRequest(name=unique("web"), flavor=FLAVOR, count=3, networks="none", user_data=MIME)
    launch = alice.launch(shelf.disk(admin_user=""), request)
    assert launch.admin_password is not None
    for server in launch.servers:
        guest = console(server.id)
        guest.wait_for(READY)
        session = guest.log_in("root", launch.admin_password.get_secret_value())
        assert session is not None
        with session:
            assert session.run("hostname") == server.name
        assert guest.accepts("bob", "Bob-5-0wn")
    ids = {server.id for server in launch.servers}
    assert set(machine.domains(guest_cloud)) == ids
    assert ids <= machine.disks(guest_cloud)
    launch.cancel()
    assert not machine.domains(guest_cloud)
    assert not ids & machine.disks(guest_cloud)


def test_a_launch_that_fails_takes_its_good_guests_along(
    guest_cloud: LocalCloud, shelf: Shelf, alice: Client, console: ConsoleOf
) -> None:
    iso = shelf.installer()
    request = LaunchRequest(name=unique("live"), flavor=FLAVOR, networks="none", layout="live")
    (bystander,) = alice.launch(iso, request).servers
    console(bystander.id).wait_for(LIVE_RUNS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Nova has one port for a console, and finds none for the second guest.
    scarce = {"serial_console": {"port_range": f"{port}:{port + 1}"}}
    with guest_cloud.configured("nova", scarce):
        two = request.model_copy(update={"name": unique("two"), "count": 2})
        with pytest.raises(LaunchFailedError) as kept:
            alice.launch(iso, two)
        assert len(kept.value.servers) == 1
        assert len(machine.domains(guest_cloud)) == 2
        assert kept.value.launch_id is not None
        alice.find_launch(kept.value.launch_id).cancel()
        assert set(machine.domains(guest_cloud)) == {bystander.id}
        with pytest.raises(LaunchFailedError):
            alice.launch(iso, two.model_copy(update={"on_failure": "delete"}))
        assert set(machine.domains(guest_cloud)) == {bystander.id}
    assert [server["id"] for server in launches.servers(guest_cloud)] == [bystander.id]
    assert LIVE_RUNS in console(bystander.id).log()  # it has outlived two Novas


def test_kept_volumes_hold_what_was_installed(
    guest_cloud: LocalCloud, shelf: Shelf, alice: Client, console: ConsoleOf
) -> None:
    request = LaunchRequest(name=unique("setup"), flavor=FLAVOR, networks="none", install_disk_gib=1, keep_volumes=True)
    launch = alice.launch(shelf.installer(), request)
    console(launch.servers[0].id).wait_for(INSTALLED_BOOTS)
    _delete(guest_cloud, launch.servers[0].id)
    assert not machine.domains(guest_cloud)
    (disk,) = [volume["id"] for volume in launches.volumes(guest_cloud) if volume["bootable"] == "false"]
    again = _boot(guest_cloud, disk)
    console(again).wait_for(INSTALLED_BOOTS)
    _delete(guest_cloud, again)
    assert disk in machine.disks(guest_cloud)


def _delete(cloud: LocalCloud, server_id: str) -> None:
    cloud.session("alice").delete(f"/servers/{server_id}", endpoint_filter=launches.COMPUTE)
    end = time.monotonic() + scaled(60)
    while server_id in [server["id"] for server in launches.servers(cloud)]:
        assert time.monotonic() < end
        time.sleep(0.2)


def _boot(cloud: LocalCloud, volume_id: str) -> str:
    """Start a server on a volume that somebody else left, past this library."""
    session = cloud.session("alice")
    bootable = {"os-set_bootable": {"bootable": True}}
    session.post(f"/volumes/{volume_id}/action", json=bootable, endpoint_filter=launches.VOLUMES)
    disk = {"boot_index": 0, "source_type": "volume", "uuid": volume_id, "destination_type": "volume"}
    server = {"name": unique("again"), "flavorRef": FLAVOR, "networks": "none", "block_device_mapping_v2": [disk]}
    answer = session.post(
        "/servers", json={"server": server}, endpoint_filter=launches.COMPUTE, microversion=launches.NEWEST
    )
    server_id: str = answer.json()["server"]["id"]
    end = time.monotonic() + scaled(60)
    while [each["status"] for each in launches.servers(cloud) if each["id"] == server_id] != ["ACTIVE"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    return server_id
