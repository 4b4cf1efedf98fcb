"""An installer boots from an ISO, and the disk that it writes boots, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance import LaunchRequest, NewCapture
from tests.guest.conftest import FLAVOR
from tests.guest.images import INSTALLED_BOOTS, INSTALLER_RUNS, LIVE_RUNS
from tests.support.clouds import unique

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.guest.conftest import ConsoleOf, Shelf


def test_the_empty_disk_is_installed_and_boots(shelf: Shelf, alice: Client, console: ConsoleOf) -> None:
    request = LaunchRequest(name=unique("setup"), flavor=FLAVOR, networks="none", install_disk_gib=1)
    launch = alice.launch(shelf.installer(), request)
    said = console(launch.servers[0].id).wait_for(INSTALLED_BOOTS)
    assert said.count(INSTALLER_RUNS) == 1
    assert said.index(INSTALLER_RUNS) < said.index(INSTALLED_BOOTS)
    captured = alice.capture(launch.servers[0].id, NewCapture(name=unique("installed"), disk_format="qcow2"))
    again = alice.launch(captured, LaunchRequest(name=unique("again"), flavor=FLAVOR, networks="none"))
    assert INSTALLER_RUNS not in console(again.servers[0].id).wait_for(INSTALLED_BOOTS)


def test_live_boots_the_iso_itself(shelf: Shelf, alice: Client, console: ConsoleOf) -> None:
    request = LaunchRequest(name=unique("live"), flavor=FLAVOR, networks="none", layout="live")
    launch = alice.launch(shelf.installer(), request)
    guest = console(launch.servers[0].id)
    guest.wait_for(LIVE_RUNS)
    guest.restart()
    guest.wait_for(LIVE_RUNS)
