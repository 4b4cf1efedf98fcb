"""Look past Nova: what libvirt and the cloud's directory hold of guests."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from hyperx_glance.testing import LocalCloud


def domains(cloud: LocalCloud) -> Mapping[str, Element]:
    """Return what libvirt knows of each running guest, by the id of its server."""
    states = (cloud.directory / "nova/libvirt/run/qemu").glob("instance-*.xml")
    found = [ET.parse(state).getroot().find("domain") for state in states]
    return {str(domain.findtext("uuid")): domain for domain in found if domain is not None}


def disks(cloud: LocalCloud) -> set[str]:
    """Return the servers that have a folder of Nova's, and the volumes that have a file of Cinder's."""
    instances = cloud.directory / "nova/state/instances"
    folders = {path.name for path in instances.iterdir() if path.is_dir() and "-" in path.name}
    return folders | {path.name for path in (cloud.directory / "cinder/volumes").iterdir()}


def config_drive(cloud: LocalCloud, server_id: str) -> dict[str, bytes]:
    """Return the files of the disc from which a guest learns what it is, by their paths."""
    disc = cloud.directory / "nova/state/instances" / server_id / "disk.config"
    names = _isoinfo(disc, "-f").decode().split()
    return {name.lstrip("/"): _isoinfo(disc, "-x", name) for name in names if "." in name or "user_data" in name}


def _isoinfo(disc: Path, *asked: str) -> bytes:
    return subprocess.run(["isoinfo", "-R", "-i", disc, *asked], capture_output=True, check=True).stdout
