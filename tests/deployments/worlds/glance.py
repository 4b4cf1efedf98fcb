"""Glance: sizes of pages, formats."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import REGISTRATIONS, World, each


def default(name: str, **options: str | int | bool | None) -> World:
    """Return a world that changes options of Glance's main section."""
    return World(name=f"Glance: {name}", options={"glance": {"DEFAULT": options}})


NO_RECORD: Final = {
    "scratch-record": "error",
    **each(
        (
            "property-protections",
            "image-policies",
            "publicize",
            "communitize",
            "download-ports",
            "imports",
            "data-check",
            "hybrid-isos",
            "stream-quota",
            "image-limits",
            "image-store",
            "volume-rights",
        ),
        "warning",
    ),
}
"""What the doctor says if Glance refuses its scratch record."""

WORLDS: Final = (
    default("pages of 5, 2 unless asked for more", api_limit_max=5, limit_param_default=2),
    default("pages of 1", api_limit_max=1, limit_param_default=1),
    default("disk formats raw and iso alone", disk_formats="raw,iso").expecting(
        refused=each(
            (
                *(name for name in REGISTRATIONS if "raw" not in name and "iso" not in name),
                "a reader registers an image",
            ),
            "wrong-field",
        ),
        doctor={"image-formats": "warning"},
    ),
    default("without the container format bare", container_formats="ovf").expecting(
        refused=each(
            (*REGISTRATIONS, "a member cancels a registration", "a reader registers an image"), "container-not-taken"
        ),
        doctor=NO_RECORD | {"image-formats": "error"},
    ),
)
