"""The properties of an image change the machine that a guest gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance import LaunchRequest
from tests.guest import machine
from tests.guest.conftest import FLAVOR
from tests.support.clouds import unique

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hyperx_glance import Client, Image
    from hyperx_glance.testing import LocalCloud
    from tests.guest.conftest import ConsoleOf, Shelf

AGENT = "devices/channel/target[@name='org.qemu.guest_agent.0']"


def test_properties_make_the_machine(guest_cloud: LocalCloud, shelf: Shelf, alice: Client) -> None:
    image = shelf.disk(password_enabled=False, admin_user="")

    def started(image: Image) -> Element:
        launch = alice.launch(image, LaunchRequest(name=unique("machine"), flavor=FLAVOR))
        domain = machine.domains(guest_cloud)[launch.servers[0].id]
        launch.cancel()
        return domain

    plain = started(image)
    assert plain.find(AGENT) is None
    assert _buses(plain) == {"virtio"}
    assert _card(plain) == "virtio"
    assert _clock(plain) == "utc"

    chosen = {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi", "hw_vif_model": "e1000", "hw_machine_type": "q35"}
    image = alice.update(image, password_enabled=True, os_type="windows", properties=chosen)
    changed = started(image)
    assert changed.find(AGENT) is not None
    assert _buses(changed) == {"scsi"}
    assert _card(changed) == "e1000"
    assert _clock(changed) == "localtime"
    kind = changed.find("os/type")
    assert kind is not None
    assert "q35" in kind.attrib["machine"]

    image = alice.update(image, password_enabled=False, remove_properties=set(chosen))
    assert started(image).find(AGENT) is None


def test_a_machine_with_uefi(guest_cloud: LocalCloud, shelf: Shelf, alice: Client, console: ConsoleOf) -> None:
    uefi = {"hw_firmware_type": "uefi", "hw_machine_type": "q35"}
    image = alice.update(shelf.disk(password_enabled=False, admin_user=""), properties=uefi)
    launch = alice.launch(image, LaunchRequest(name=unique("uefi"), flavor=FLAVOR, networks="none"))
    (server,) = launch.servers
    domain = machine.domains(guest_cloud)[server.id]
    loader = domain.find("os/loader")
    assert loader is not None
    assert loader.attrib["type"] == "pflash"
    console(server.id).wait_for("BdsDxe: ")


def _buses(domain: Element) -> set[str]:
    targets = domain.findall("devices/disk[@device='disk']/target")
    return {target.attrib["bus"] for target in targets}


def _card(domain: Element) -> str:
    model = domain.find("devices/interface/model")
    assert model is not None
    return model.attrib["type"]


def _clock(domain: Element) -> str:
    clock = domain.find("clock")
    assert clock is not None
    return clock.attrib["offset"]
