"""A person logs in with the password of a launch, on Nova's disks and on volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import LaunchRequest, NewCapture, NotFoundError
from tests.guest.conftest import FLAVOR
from tests.guest.console import READY
from tests.support.clouds import unique

if TYPE_CHECKING:
    from hyperx_glance import Client, Image, Launch
    from tests.guest.conftest import ConsoleOf, Shelf

ODD = "pä ss:你好'\"$(x)\\#{y}%&"
USERS = """#cloud-config
users: [default, {name: bob, shell: /bin/bash, lock_passwd: false, plain_text_passwd: Bob-5-0wn}]
"""
SCRIPT = "#!/bin/sh\nuseradd -m bob && echo bob:Bob-5-0wn | chpasswd\n"


def ask(name: str, **fields: object) -> LaunchRequest:
    usual = {"name": unique(name), "flavor": FLAVOR, "networks": "none"}
    return LaunchRequest.model_validate({**usual, **fields})


def password(launch: Launch) -> str:
    assert launch.admin_password is not None
    return launch.admin_password.get_secret_value()


def test_on_a_disk_of_nova_s(shelf: Shelf, alice: Client, console: ConsoleOf) -> None:
    image = shelf.disk()
    launch = alice.launch(image, ask("disk", user_data=USERS))
    guest = console(launch.servers[0].id)
    guest.wait_for(READY)
    assert guest.accepts("debian", password(launch))
    assert guest.accepts("bob", "Bob-5-0wn")
    assert not guest.accepts("debian", "wrong")
    reset = alice.reset_password(guest.server_id, password=ODD).get_secret_value()
    assert reset == ODD
    assert not guest.accepts("debian", password(launch))
    _capture_and_boot(alice, console, guest.server_id, image, NewCapture(name=unique("captured")))


def test_on_a_volume(shelf: Shelf, alice: Client, console: ConsoleOf) -> None:
    image = shelf.disk()
    launch = alice.launch(image, ask("volume", boot_volume_gib=1, user_data=SCRIPT, admin_password=ODD))
    guest = console(launch.servers[0].id)
    guest.wait_for(READY)
    assert password(launch) == ODD
    assert guest.accepts("debian", ODD)
    assert guest.accepts("bob", "Bob-5-0wn")
    _capture_and_boot(alice, console, guest.server_id, image, NewCapture(name=unique("captured"), disk_format="qcow2"))


def _capture_and_boot(alice: Client, console: ConsoleOf, server_id: str, image: Image, capture: NewCapture) -> None:
    """Set something up in the guest, end its image, and start another guest from what was captured."""
    guest = console(server_id)
    session = guest.log_in("debian", ODD)
    assert session is not None
    with session:
        session.run("echo set up by hand | sudo tee /opt/by-hand && sudo sync")
        alice.disable(alice.update(image, description="edited"))
        captured = alice.capture(server_id, capture)
        alice.delete(image)
        with pytest.raises(NotFoundError):
            alice.image(image.id)
        # Nothing of this was in the guest's memory.
        session.run("echo 3 | sudo tee /proc/sys/vm/drop_caches")
        assert session.run("cat /opt/by-hand") == "set up by hand"
    assert captured.password_enabled
    launch = alice.launch(captured, ask("again"))
    second = console(launch.servers[0].id)
    second.wait_for(READY)
    session = second.log_in("debian", password(launch))
    assert session is not None
    with session:
        assert session.run("cat /opt/by-hand; hostname") == f"set up by hand\n{launch.servers[0].name}"
    assert not second.accepts("debian", ODD)
    launch.cancel()
