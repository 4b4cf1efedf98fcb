"""The functional tests of openstacksdk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.suites.places import Place

MODULES: Final = ("openstack.tests.functional",)


def configure(place: Place, folder: Path) -> Mapping[str, str]:
    """Write the ``clouds.yaml``, whose names are those of DevStack."""
    _remove_what_tempest_needs(place)
    path = folder / "clouds.yaml"
    path.write_text(place.clouds_yaml)
    # Two tests upload this file, which stands where the suite is usually run.
    (folder / "CONTRIBUTING.rst").write_text("Data for an image.\n")
    # The seconds of a test, and of one wait in it, for what the suite's own configuration of tox has.
    times = {"OS_TEST_TIMEOUT": "120", "OPENSTACKSDK_FUNC_TEST_TIMEOUT": "60"}
    return {"OS_CLIENT_CONFIG_FILE": str(path), "OS_CLOUD": "devstack-admin", **times}


def _remove_what_tempest_needs(place: Place) -> None:
    """Leave what a DevStack without Tempest has, on which this suite is run: its tests find the smallest flavor."""
    administrator = place.session()
    for flavor in ("42", "84"):
        administrator.delete(f"/flavors/{flavor}", endpoint_filter={"service_type": "compute"})
    for network in place.called("networks", "shared"):
        administrator.delete(f"/v2.0/networks/{network['id']}", endpoint_filter={"service_type": "network"})
