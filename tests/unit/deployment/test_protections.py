"""The file of property protections that Glance reads, and the options of Nova and Cinder beside it."""

from __future__ import annotations

import configparser

from hyperx_glance import deployment


def test_protections_are_a_file_that_glance_reads() -> None:
    rules = configparser.ConfigParser()
    rules.read_string(deployment.property_protections())

    # Glance takes the first section that matches, and refuses what none matches.
    assert rules.sections() == ["^hyperx_featured$", "^hyperx_created_by$", ".*"]
    assert dict(rules["^hyperx_featured$"]) == {"create": "admin", "read": "@", "update": "admin", "delete": "@"}
    assert set(rules[".*"].values()) == {"@"}


def test_protections_tell_the_options_of_nova_and_cinder() -> None:
    text = deployment.property_protections()

    assert f"non_inheritable_image_properties = {deployment.NOVA_OPTION}\n" in text
    assert f"glance_core_properties = {deployment.CINDER_OPTION}\n" in text
    for option in deployment.NOVA_OPTION, deployment.CINDER_OPTION:
        assert "hyperx_featured" in option.split(",")
        # What describes the system on the disk goes with a snapshot of it.
        assert not {"hyperx_os_name", "hyperx_password_enabled"} & set(option.split(","))
