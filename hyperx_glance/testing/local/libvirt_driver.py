"""Nova's libvirt driver for guests that touch nothing outside the cloud's directory.

Nova loads it in its own process; it cannot be imported where Nova and libvirt-python are not installed. (No example for
that reason.)
"""

import socket
from typing import Final

from lxml import etree
from nova import objects
from nova.conf import CONF
from nova.network import model
from nova.virt.libvirt import LibvirtDriver, config, vif

from hyperx_glance.testing.local.layout import HOST

_DISCARD: Final = "9"


class LoopbackDriver(LibvirtDriver):
    """A driver whose guests have unconnected network cards, and agents reachable below the cloud's directory."""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        """Replace Nova's driver of network cards."""
        super().__init__(*arguments, **keywords)
        self.vif_driver = UnpluggedVif(self._host)

    def _add_qga_device(self, guest: config.LibvirtConfigGuest, instance: objects.Instance) -> None:
        """Put the agent's socket where libvirt writes: Nova names a place in /var/lib, for root and one cloud."""
        channel = config.LibvirtConfigGuestChannel()
        channel.type = "unix"
        channel.target_name = "org.qemu.guest_agent.0"
        root = CONF.libvirt.connection_uri.partition("root=")[2]
        channel.source_path = f"{root}/lib/qemu/channel/{instance.name}.agent"
        guest.add_device(channel)

    def _configure_guest_by_virt_type(
        self, guest: config.LibvirtConfigGuest, *arguments: object, **keywords: object
    ) -> None:
        """Write in only one place whether a firmware must be secure: the libvirt of Debian 12 refuses two."""
        super()._configure_guest_by_virt_type(guest, *arguments, **keywords)
        if guest.os_firmware is not None:
            guest.os_loader_secure = None

    def _set_features(self, guest: config.LibvirtConfigGuest, *arguments: object) -> None:
        """Leave out the features that Nova adds for Windows: QEMU refuses Hyper-V's interfaces without KVM."""
        super()._set_features(guest, *arguments)
        hyper_v = config.LibvirtConfigGuestFeatureHyperV
        guest.features = [feature for feature in guest.features if not isinstance(feature, hyper_v)]


class UnpluggedVif(vif.LibvirtGenericVIFDriver):
    """Network cards without a network: Neutron has no agent here, and nothing may leave this machine."""

    def plug(self, instance: objects.Instance, vif: model.VIF) -> None:
        """Do nothing: there is no switch."""

    def unplug(self, instance: objects.Instance, vif: model.VIF) -> None:
        """Do nothing: there is no switch."""

    def get_config(
        self,
        instance: objects.Instance,
        vif: model.VIF,
        image_meta: objects.ImageMeta,
        flavor: objects.Flavor,
        virt_type: str,
    ) -> config.LibvirtConfigGuestInterface:
        """Make the card that Nova would make, with its model and its address."""
        usual = self.get_base_config(instance, vif["address"], image_meta, flavor, virt_type, vif["vnic_type"])
        card = UnpluggedCard()
        card.model, card.mac_addr, card.driver_name = usual.model, usual.mac_addr, usual.driver_name
        return card


class UnpluggedCard(config.LibvirtConfigGuestInterface):
    """Send each frame in a datagram to an unused port of this machine; unlike a tap, this requires no privileges."""

    def format_dom(self) -> etree.Element:
        """Write the elements that libvirt knows and Nova does not."""
        self.net_type, self.source_dev = "udp", ""
        card = super().format_dom()
        (source,) = card.findall("source")
        card.remove(source)
        source = etree.SubElement(card, "source", address=HOST, port=_DISCARD)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((HOST, 0))
            etree.SubElement(source, "local", address=HOST, port=str(free.getsockname()[1]))
        return card
