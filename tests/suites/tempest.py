"""Tempest's tests of the Image and the Compute API."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.suites.places import Place


def configure(place: Place, folder: Path) -> Mapping[str, str]:
    """Write ``tempest.conf``."""
    _lead_out(place)
    auth = place.administrator
    config: dict[str, dict[str, object]] = {
        "DEFAULT": {"log_dir": folder, "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": folder / "locks"},
        "auth": {
            "use_dynamic_credentials": True,
            "create_isolated_networks": False,
            "admin_username": auth["username"],
            "admin_password": auth["password"],
            "admin_project_name": auth["project_name"],
            "admin_domain_name": "Default",
        },
        "identity": {"uri_v3": auth["auth_url"], "auth_version": "v3", "region": auth["region_name"]},
        "service_available": {"cinder": True, "glance": True, "neutron": True, "nova": True, "swift": False},
        "image": {
            "http_image": place.download,
            "http_qcow2_image": place.download,
            "region": auth["region_name"],
        },
        "image-feature-enabled": {"import_image": True, "api_v2": True},
        "compute": {
            "image_ref": place.images[0],
            "image_ref_alt": place.images[1],
            "flavor_ref": place.flavors[0],
            "flavor_ref_alt": place.flavors[1],
            "fixed_network_name": place.network,
            "min_compute_nodes": 1,
            "min_microversion": "2.1",
            "max_microversion": "latest",
            "build_interval": int(place.is_real),
            "build_timeout": 30,
            "ready_wait": 0,
        },
        # The hypervisor of both clouds is a fake: nothing of a guest, and no disk that outlives a rebuild.
        "compute-feature-enabled": {
            "console_output": True,
            "vnc_console": True,
            "change_password": True,
            "hostname_fqdn_sanitization": True,
            "personality": True,
            "resize": True,
        },
        "network": {"public_network_id": place.public_network, "floating_network_name": "public"},
        "validation": {"run_validation": False, "connect_method": "fixed", "network_for_ssh": place.network},
        "volume": {"catalog_type": "block-storage", "min_microversion": "3.0", "max_microversion": "latest"},
    }
    parser = configparser.RawConfigParser()
    parser.read_dict({name: {key: str(value) for key, value in values.items()} for name, values in config.items()})
    path = folder / "tempest.conf"
    with path.open("w") as file:
        parser.write(file)
    return {"TEMPEST_CONFIG": str(path), "TEMPEST_CONFIG_DIR": str(folder), "OS_TEST_TIMEOUT": "120"}


def _lead_out(place: Place) -> None:
    """Let floating addresses reach the servers of the shared network, which Tempest's projects have in common here."""
    (subnet,), (router,) = place.called("subnets", "shared-subnet"), place.called("routers", "router1")
    place.session().put(
        f"/v2.0/routers/{router['id']}/add_router_interface",
        json={"subnet_id": subnet["id"]},
        endpoint_filter={"service_type": "network"},
    )
