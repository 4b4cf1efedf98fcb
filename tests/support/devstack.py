"""What other projects' set-up scripts look for in a DevStack, asked of a test cloud.

gophercloud's ``script/stackenv`` and the ``scripts/stackenv.sh`` of Terraform's provider source ``openrc admin admin``.
They create two flavors and a key pair, look for the networks ``private`` and ``public``, the subnet ``private-subnet``
and an image with "cirros" in its name, append variables to ``openrc``, and source it again. Ansible's collection and
openstacksdk take the clouds of ``clouds.yaml`` by name.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import openstack
from openstack.config import OpenStackConfig

if TYPE_CHECKING:
    from pathlib import Path

CLOUDS: Final = {
    # Name: user, project, role.
    "devstack": ("demo", "demo", "member"),
    "devstack-reader": ("demo_reader", "demo", "reader"),
    "devstack-alt": ("alt_demo", "alt_demo", "member"),
    "devstack-alt-member": ("alt_demo_member", "alt_demo", "member"),
    "devstack-alt-reader": ("alt_demo_reader", "alt_demo", "reader"),
    "devstack-admin": ("admin", "admin", "admin"),
    "devstack-admin-demo": ("admin", "demo", "admin"),
}
FLAVORS: Final = {
    "m1.nano": "42",
    "m1.micro": "84",
    "cirros256": "c1",
    "ds512M": "d1",
    "ds1G": "d2",
    "ds2G": "d3",
    "ds4G": "d4",
    "m1.tiny": "1",
    "m1.small": "2",
    "m1.medium": "3",
    "m1.large": "4",
    "m1.xlarge": "5",
}
CATALOGUE: Final = {"identity", "image", "compute", "network", "block-storage", "volumev3"}
SCRIPT: Final = r"""
set -euo pipefail
ask() { "$PYTHON" -m openstackclient.shell "$@"; }
source "$FOLDER/openrc" admin admin
echo "$OS_USERNAME $OS_PROJECT_NAME $OS_REGION_NAME $OS_PASSWORD"
network=$(ask network show private -c id -f value)
echo "export OS_NETWORK_ID=$network" >> "$FOLDER/openrc"
image=$(ask image list -c Name -f value | grep -i cirros | head -n 1)
echo "export OS_IMAGE_NAME=$image" >> "$FOLDER/openrc"
unset OS_USERNAME OS_PROJECT_NAME
set -- # bash hands a script's own arguments to what it sources without any
source "$FOLDER/openrc"
echo "$OS_USERNAME $OS_PROJECT_NAME $OS_IMAGE_NAME"
test "$(ask network show private -c id -f value)" = "$OS_NETWORK_ID"
ask subnet show private-subnet -c cidr -f value
"""


def check_names(folder: Path) -> None:
    """Look for each name, as the users whose scripts look for it."""
    config = OpenStackConfig(config_files=[str(folder / "clouds.yaml")], load_envvars=False)
    for name, (user, project, role) in CLOUDS.items():
        with openstack.connection.Connection(config=config.get_one(name)) as cloud:
            access: Any = cloud.session.auth.get_access(cloud.session)  # type: ignore[union-attr]
            assert (access.username, access.project_name) == (user, project), name
            assert role in access.role_names, name
            _check_content(cloud)
            pairs = [each["keypair"]["name"] for each in _listed(cloud, "compute", "/os-keypairs", "keypairs")]
            assert pairs == (["devstack"] if user in ("admin", "demo", "alt_demo") else [])
    with openstack.connection.Connection(config=config.get_one("devstack-admin")) as cloud:
        _check_catalogue(cloud)
    with openstack.connection.Connection(config=config.get_one("devstack")) as cloud:
        _check_networks(cloud)


def _listed(cloud: openstack.connection.Connection, service: str, path: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.session.get(path, endpoint_filter={"service_type": service}).json()[key]
    return found


def _network_thing(cloud: openstack.connection.Connection, kind: str, name: str) -> dict[str, Any]:
    (found,) = _listed(cloud, "network", f"/v2.0/{kind}?name={name}", kind)
    return found


def _check_content(cloud: openstack.connection.Connection) -> None:
    """Check what everybody sees."""
    assert {flavor["name"]: flavor["id"] for flavor in _listed(cloud, "compute", "/flavors", "flavors")} == FLAVORS
    (image,) = _listed(cloud, "image", "/v2/images?name=cirros-0.6.3-x86_64-disk", "images")
    assert (image["visibility"], image["status"], image["disk_format"]) == ("public", "active", "qcow2")
    assert _network_thing(cloud, "networks", "public")["router:external"]
    assert _network_thing(cloud, "networks", "shared")["shared"]


def _check_catalogue(cloud: openstack.connection.Connection) -> None:
    assert {service["type"] for service in _listed(cloud, "identity", "/services", "services")} >= CATALOGUE
    # The address of a client, by the name that an old one asks for.
    urls = {cloud.session.get_endpoint(service_type=name) for name in ("volumev3", "block-storage")}
    assert len(urls) == 1
    assert _listed(cloud, "volumev3", "/volumes", "volumes") == []


def _check_networks(cloud: openstack.connection.Connection) -> None:
    """Check that servers of demo are in a network of its own, and can have floating addresses."""
    private, public = (_network_thing(cloud, "networks", name) for name in ("private", "public"))
    assert not private["shared"]
    assert private["project_id"] == cloud.current_project_id
    subnets = [subnet["name"] for subnet in _listed(cloud, "network", "/v2.0/subnets", "subnets")]
    assert sorted(subnets) == ["private-subnet", "public-subnet", "shared-subnet"]
    router = _network_thing(cloud, "routers", "router1")
    assert router["project_id"] == private["project_id"]
    assert router["external_gateway_info"]["network_id"] == public["id"]
    port = cloud.network.post("/ports", json={"port": {"network_id": private["id"]}}).json()["port"]
    wanted = {"floatingip": {"floating_network_id": public["id"], "port_id": port["id"]}}
    address = cloud.network.post("/floatingips", json=wanted).json()["floatingip"]
    assert address["floating_ip_address"].startswith("172.24.4.")
    assert cloud.network.delete(f"/floatingips/{address['id']}").status_code == 204
    assert cloud.network.delete(f"/ports/{port['id']}").status_code == 204


def run_script(folder: Path) -> list[str]:
    """Source ``openrc`` as the scripts do; return what they print."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    environment = {**clean, "FOLDER": str(folder), "PYTHON": sys.executable}
    command = ["bash", "-c", SCRIPT, "stackenv"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()
