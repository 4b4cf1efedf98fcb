"""Glance: sizes of pages, limits, formats, ways of importing, plug-ins, stores, protections."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hyperx_glance.deployment import property_protections
from tests.deployments.world import REGISTRATIONS, World, each
from tests.support.records import HIDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hyperx_glance.testing import LocalCloud

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
NO_LIMITS: Final = each(
    (
        "an administrator gives a department room for captures",
        "a member registers beyond the limit of images",
        "an administrator takes the room back",
    ),
    "limits-not-applied",
)
"""Without unified limits, Glance knows no quota of departments."""
NO_STORE: Final = {**each(("data-check", "hybrid-isos", "stream-quota"), "warning"), "image-store": "error"}
"""What the doctor says if Glance can store no data."""
BY_RULES: Final = """\
[^hyperx_featured$]
create = flag_rule
read = default_rule
update = flag_rule
delete = default_rule
[.*]
create = default_rule
read = default_rule
update = default_rule
delete = default_rule
"""


def default(name: str, **options: str | int | bool | None) -> World:
    """Return a world that changes options of Glance's main section."""
    return World(name=f"Glance: {name}", options={"glance": {"DEFAULT": options}})


def plugins(name: str, *enabled: str) -> World:
    """Return a world whose imports go through plug-ins."""
    return World(
        name=f"Glance: {name}",
        options={
            "glance": {
                "image_import_opts": {"image_import_plugins": f"[{','.join(enabled)}]"},
                "inject_metadata_properties": {"inject": "origin:imported", "ignore_user_roles": "admin"},
                "image_conversion": {"output_format": "raw"},
            }
        },
    )


def formats(name: str, **options: str | int | bool | None) -> World:
    """Return a world that changes which formats Glance takes, and how it looks at them."""
    return World(name=f"Glance: {name}", options={"glance": {"image_format": options}})


def protected(
    text: str, form: str = "roles", policies: dict[str, str] | None = None
) -> Callable[[LocalCloud], AbstractContextManager[None]]:
    """Return a change of the file that protects properties."""

    @contextlib.contextmanager
    def protections(cloud: LocalCloud) -> Iterator[None]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "protections.conf"
            path.write_text(text)
            options = {"property_protection_file": str(path), "property_protection_rule_format": form}
            with cloud.configured("glance", {"DEFAULT": options}, policies=policies):
                yield

    return protections


@contextlib.contextmanager
def without_staging_area(cloud: LocalCloud) -> Iterator[None]:
    """Put a file where Glance keeps what it imports."""
    staging = cloud.directory / "glance" / "staging"
    kept = staging.with_name("staging-kept")
    staging.rename(kept)
    staging.touch()
    try:
        yield
    finally:
        staging.unlink()
        kept.rename(staging)


CONVERTED: Final = each(
    (
        "a member registers a qcow2 from its url",
        "a member registers packed data with a checksum",
        "an administrator registers for a department",
        "another department registers an image",
    ),
    "otherwise: the format is raw",
)
"""The deployment wants it."""

WORLDS: Final = (
    default("pages of 5, 2 unless asked for more", api_limit_max=5, limit_param_default=2),
    default("pages of 1", api_limit_max=1, limit_param_default=1),
    default("images of 300 KiB at most", image_size_cap=300 * 1024).expecting(
        refused=each(
            (
                "a member registers a qcow2 from its url",
                "a member registers a raw disk that the client streams",
                "a member registers packed data with a checksum",
                "a member registers an iso",
                "an administrator registers for a department",
                "another department registers an image",
            ),
            "glance-refused-the-data",
        ),
        tenth=True,
    ),
    default("five properties at most", image_property_quota=5).expecting(
        refused=each(
            ("a member registers a qcow2 from its url", "a member registers a raw disk that the client streams"),
            "too-many-properties",
        ),
        doctor={"property-protections": "warning", "image-limits": "error"},
    ),
    default("one tag at most", image_tag_quota=1).expecting(
        refused={"a member edits an image": "too-many-tags"}, doctor={"image-limits": "warning"}
    ),
    default("no members, one location", image_member_quota=0, image_location_quota=1),
    default("a store of 1 MiB for each user", user_storage_quota="1MB"),
    default(
        "a store of 1 MiB for each user, no unified limits", use_keystone_limits=False, user_storage_quota="1MB"
    ).expecting(
        refused={
            **NO_LIMITS,
            **each(
                ("a member registers a raw disk that the client streams", "a member registers an iso"),
                "quota-exceeded-somewhere",
            ),
        },
        doctor={"unified-limits": "warning"},
    ),
    default("no unified limits", use_keystone_limits=False).expecting(
        refused=NO_LIMITS, doctor={"unified-limits": "warning"}
    ),
    formats("disk formats raw and iso alone", disk_formats="raw,iso").expecting(
        refused=each(
            (
                *(name for name in REGISTRATIONS if "raw" not in name and "iso" not in name),
                "a reader registers an image",
            ),
            "wrong-field",
        ),
        doctor={"image-formats": "warning"},
    ),
    formats("without the disk format raw", disk_formats="qcow2,iso,vmdk").expecting(
        refused={
            "a member registers a raw disk that the client streams": "wrong-field",
            "a member captures a server": "capture-failed",  # Nova makes raw data here
        },
        doctor={"image-formats": "warning"},
    ),
    formats(
        "more formats than usual",
        disk_formats="ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,iso,ploop,gpt,tar",
        container_formats="bare,ovf,ova,docker,compressed,zip",
    ),
    formats("without the container format bare", container_formats="ovf").expecting(
        refused=each(
            (*REGISTRATIONS, "a member cancels a registration", "a reader registers an image"), "container-not-taken"
        ),
        doctor=NO_RECORD | {"image-formats": "error"},
    ),
    default("imports by glance-direct alone", enabled_import_methods="[glance-direct]").expecting(
        doctor={"web-download": "warning"}
    ),
    default("imports by web-download alone", enabled_import_methods="[web-download]"),
    default("no way to import", enabled_import_methods="[]").expecting(doctor={"web-download": "warning"}),
    World(
        name="Glance: imports from ports 80 and 443 alone",
        options={"glance": {"import_filtering_opts": {"allowed_ports": "[80,443]", "disallowed_ports": "[]"}}},
        doctor={"download-ports": "warning"},
    ),
    World(
        name="Glance: imports from other hosts alone",
        options={"glance": {"import_filtering_opts": {"allowed_hosts": "[files.example]"}}},
        doctor={"download-ports": "warning"},
    ),
    plugins("imports get properties and are unpacked", "inject_image_metadata", "image_decompression"),
    plugins("imports are converted to raw", "image_conversion").expecting(refused=CONVERTED),
    plugins(
        "imports go through all plug-ins", "inject_image_metadata", "image_decompression", "image_conversion"
    ).expecting(refused=CONVERTED),
    World(
        name="Glance: hashes of MD5, a cache, locations are shown, formats are not checked",
        options={
            "glance": {
                "DEFAULT": {
                    "hashing_algorithm": "md5",
                    "show_image_direct_url": True,
                    "show_multiple_locations": True,
                },
                "image_format": {"require_image_format_match": False, "gpt_safety_checks_nonfatal": "mbr,gptmbr"},
                "paste_deploy": {"flavor": "keystone+caching"},
            }
        },
    ),
    default("images are deleted later", delayed_delete=True).expecting(
        # The doctor's record is left, which the doctor says.
        refused={"a member deletes every image that is left": "otherwise: there are images left"},
        doctor={"scratch-record": "error"},
    ),
    default("no hashes", hashing_algorithm="").expecting(
        refused={
            **each(
                (
                    "a member registers a qcow2 from its url",
                    "a member registers an iso",
                    "an administrator registers for a department",
                    "another department registers an image",
                ),
                "glance-refused-the-data",
            ),
            **each(
                (
                    "a member registers a raw disk that the client streams",
                    "a member registers a file",
                    "a member registers packed data with a checksum",
                ),
                "service-failed",
            ),
        },
        doctor=NO_STORE,
    ),
    default("the default store takes no data", enabled_backends="fast:http,slow:file").expecting(
        refused=each(REGISTRATIONS, "glance-refused-the-data"),
        doctor=NO_STORE,
    ),
    default("the second store takes no data", enabled_backends="fast:file,slow:http"),
    World(name="Glance: the staging area is gone", made=without_staging_area).expecting(
        refused=each(
            (
                "a member cancels a registration",
                "a member deletes a protected image",
                "a member deletes an image and asks for its servers",
                "a member deletes the captures",
                "an administrator deletes the image of a department",
                "a member deletes every image that is left",
            ),
            "not-allowed",
        ),
        doctor={"scratch-record": "error"},
    ),
    default("no property is protected", property_protection_file=None).expecting(
        doctor=each(("property-protections", "featured-flag"), "warning")
    ),
    World(
        name="Glance: properties are protected by rules",
        made=protected(BY_RULES, "policies", {"flag_rule": "role:admin", "default_rule": ""}),
        doctor={"property-protections": "warning"},  # members may write hyperx_created_by
    ),
    World(
        name="Glance: the flag alone is in the protections",
        made=protected(property_protections().rpartition("[.*]")[0]),
        refused=each((*REGISTRATIONS, "a member cancels a registration"), "not-allowed"),
        doctor={"property-protections": "error", "image-limits": "warning"},
    ),
    World(name="Glance: our properties are hidden from members", made=protected(HIDING)).expecting(
        refused=each(
            (
                "a member registers a qcow2 from its url",
                "a member registers a raw disk that the client streams",
                "a member registers a file",
                "a member registers packed data with a checksum",
                "a member registers an iso",
                "another department registers an image",
                "a member cancels a registration",
            ),
            "own-properties-hidden",
        ),
        doctor={
            "own-properties": "error",
            **each(("property-protections", "image-limits"), "warning"),
        },
    ),
)
