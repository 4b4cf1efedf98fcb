"""Glance: sizes of pages, limits, formats, ways of importing, plug-ins, stores, protections."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import World


def default(name: str, **options: str | int | bool | None) -> World:
    """Return a world that changes options of Glance's main section."""
    return World(name=f"Glance: {name}", options={"glance": {"DEFAULT": options}})


WORLDS: Final = (
    default("pages of 5, 2 unless asked for more", api_limit_max=5, limit_param_default=2),
    default("pages of 1", api_limit_max=1, limit_param_default=1),
    default("images of 300 KiB at most", image_size_cap=300 * 1024),
    default("five properties at most", image_property_quota=5),
    default("one tag at most", image_tag_quota=1),
    default("a store of 1 MiB for each user, no unified limits", use_keystone_limits=False, user_storage_quota="1MB"),
    default("disk formats raw and iso alone", disk_formats="raw,iso"),
    default("without the disk format raw", disk_formats="qcow2,iso,vmdk"),
    default("without the container format bare", container_formats="ovf"),
    default("imports by glance-direct alone", enabled_import_methods="[glance-direct]"),
    default("imports by web-download alone", enabled_import_methods="[web-download]"),
    World(
        name="Glance: imports from ports 80 and 443 alone",
        options={"glance": {"import_filtering_opts": {"allowed_ports": "[80,443]", "disallowed_ports": "[]"}}},
    ),
    World(
        name="Glance: imports are converted to raw",
        options={
            "glance": {
                "image_import_opts": {"image_import_plugins": "[image_conversion]"},
                "image_conversion": {"output_format": "raw"},
            }
        },
    ),
    World(
        name="Glance: formats are not checked",
        options={"glance": {"image_format": {"require_image_format_match": False}}},
    ),
    default("locations are shown", show_image_direct_url=True, show_multiple_locations=True),
    default("images are deleted later", delayed_delete=True),
    default("hashes of SHA-256", hashing_algorithm="sha256"),
    default("the staging area is gone", node_staging_uri="file:///nowhere/staging"),
    default("no property is protected", property_protection_file=None),
)
