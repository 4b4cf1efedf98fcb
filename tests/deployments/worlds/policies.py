"""Policies: what operators let members do, or nobody but administrators."""

from __future__ import annotations

import dataclasses
from typing import Final

from tests.deployments.world import INCOMPLETE, REGISTRATIONS, WITH_VOLUMES, World, each
from tests.deployments.worlds.glance import NO_RECORD

ADMINISTRATORS: Final = "role:admin"
MEMBERS: Final = "role:member or role:admin"
NOBODY: Final = "!"
OWN: Final = (
    "role:admin or (role:reader and (project_id:%(project_id)s or project_id:%(member_id)s or 'public':%(visibility)s))"
)
OLD: Final = {"oslo_policy": {"enforce_new_defaults": False}}
ALL: Final = ("glance", "nova", "cinder", "neutron")


def ruled(name: str, service: str, rule: str, *rules: str) -> World:
    """Return a world in which some policies of a service have this rule."""
    return World(name=f"Policies: {name}", policies={service: dict.fromkeys(rules, rule)})


def reserved(service: str, *rules: str) -> World:
    """Return a world in which only administrators may do what these rules are about."""
    name = ", ".join(rule.rpartition("os_compute_api:")[2] for rule in rules)
    return ruled(f"{name} for administrators alone", service, ADMINISTRATORS, *rules)


def public(world: World) -> World:
    """Return the world with clients that publish as "public" instead of "community"."""
    return dataclasses.replace(world, settings={"public_visibility": "public"})


NOT_PUBLISHED: Final = {"a member publishes an image": "not-allowed"}

COPY_STAYS: Final = "not-allowed (NotAllowedError), and what it names cannot be taken back: capture-has-finished"
"""The image is whole, and the error names the copy of the volume, which only an administrator can delete."""
OWN_REGISTRATIONS: Final = tuple(name for name in REGISTRATIONS if not name.startswith("an administrator"))

WORLDS: Final = (
    public(ruled("members publicize images", "glance", MEMBERS, "publicize_image")),
    public(World(name="Policies: administrators publicize images")).expecting(
        refused=NOT_PUBLISHED, doctor={"publicize": "error"}
    ),
    public(ruled("nobody publicizes images", "glance", NOBODY, "publicize_image")).expecting(
        refused=NOT_PUBLISHED, doctor={"publicize": "error"}
    ),
    reserved("glance", "communitize_image").expecting(refused=NOT_PUBLISHED, doctor={"communitize": "error"}),
    ruled("nobody communitizes images", "glance", NOBODY, "communitize_image").expecting(
        refused=NOT_PUBLISHED, doctor={"communitize": "error"}
    ),
    reserved("glance", "delete_image").expecting(
        refused=each(
            (
                "a member cancels a registration",
                "a member deletes a protected image",
                "a member deletes an image and asks for its servers",
                "a member deletes the captures",
                "a member deletes every image that is left",
            ),
            "not-allowed",
        ),
        doctor=each(("scratch-record", "image-policies"), "error"),
    ),
    reserved("glance", "deactivate").expecting(
        refused={"a member disables an image": "not-allowed"}, doctor={"image-policies": "warning"}
    ),
    reserved("glance", "reactivate").expecting(
        refused={"a member enables the image": "not-allowed"}, doctor={"image-policies": "warning"}
    ),
    reserved("glance", "add_image").expecting(
        refused=each((*OWN_REGISTRATIONS, "a member cancels a registration"), "not-allowed"),
        doctor=NO_RECORD | {"scratch-record": "warning"},
        tenth=True,
    ),
    reserved("glance", "modify_image").expecting(
        refused={
            **each(
                (
                    "a member registers a qcow2 from its url",
                    "a member registers an iso",
                    "another department registers an image",
                    "a member cancels a registration",
                ),
                "glance-refused-to-import",
            ),
            **each(
                (
                    "a member edits an image",
                    "a member publishes an image",
                    "a member protects an image",
                    "a member captures a server on a volume",
                ),
                "not-allowed",
            ),
            "a member deletes a protected image": "otherwise: the image is not protected",
            "a member captures a server": "capture-failed",
        },
        doctor={
            "image-policies": "error",
            **each(("property-protections", "publicize", "communitize", "download-ports", "image-limits"), "warning"),
        },
    ),
    reserved("glance", "upload_image").expecting(
        refused={
            **each(
                (
                    "a member registers a raw disk that the client streams",
                    "a member registers a file",
                    "a member registers packed data with a checksum",
                ),
                "glance-refused-the-data",
            ),
            "a member captures a server": "capture-failed",
        },
        doctor={
            "image-policies": "error",
            **each(("data-check", "hybrid-isos", "stream-quota", "image-store"), "warning"),
        },
    ),
    reserved("glance", "download_image").expecting(
        refused={"a member downloads an image": "not-allowed", **each(WITH_VOLUMES, "launch-failed")},
        doctor={"image-policies": "error"},
    ),
    reserved("glance", "get_images").expecting(
        refused=each(
            (
                "a member cancels a registration",
                "a member follows an image by its id",
                "another department looks for a private image",
                "a member lists the private images",
                "a reader lists the private images",
                "a member turns pages of two",
                "a member reads the summary",
                "a member finds images by tag and words",
                "another department sees the published image",
                "an administrator features an image",
                "a member captures a server",
                "a member captures a server on a volume",
                "a member deletes every image that is left",
            ),
            "not-allowed",
        ),
        doctor={"policies": "error", **each(("stuck-imports", "lost-places", "inherited-properties"), "warning")},
    ),
    ruled("community images of others are hidden", "glance", OWN, "get_image").expecting(
        refused={
            "another department sees the published image": "no-such-image",
            **each(("another department edits the published image", "a steward edits the published image"), "no-image"),
        }
    ),
    reserved("nova", "os_compute_api:servers:detail").expecting(doctor={"policies": "warning"}),
    reserved("nova", "os_compute_api:os-server-tags:index", "os_compute_api:os-server-tags:update_all"),
    reserved("nova", "os_compute_api:os-extended-server-attributes"),
    reserved("nova", "os_compute_api:servers:create_image").expecting(
        refused={"a member captures a server": "not-allowed"}
    ),
    reserved("nova", "os_compute_api:os-admin-password").expecting(
        refused={"a member resets a password": "not-allowed"}
    ),
    reserved("nova", "os_compute_api:limits").expecting(
        refused=each(
            ("a member reads the quota", "a member sees that nothing is used any more"),
            "otherwise: no usage of instances, which it explains",
        ),
        doctor={"policies": "warning"},
    ),
    reserved("nova", "os_compute_api:os-quota-sets:show", "os_compute_api:os-quota-sets:detail"),
    reserved("nova", "os_compute_api:os-availability-zone:list").expecting(
        refused={"a member sees the zones": "not-allowed"}, doctor={"policies": "warning"}
    ),
    reserved("nova", "os_compute_api:os-keypairs:index").expecting(
        refused={"a member sees the key pairs": "not-allowed"}, doctor={"policies": "warning"}
    ),
    reserved("cinder", "volume:create").expecting(
        refused=each(WITH_VOLUMES, "launch-failed"), doctor={"volume-rights": "warning"}, tenth=True
    ),
    reserved("cinder", "volume:get_all").expecting(
        refused={
            "a member sees the servers that use an image": INCOMPLETE,
            **each(
                (
                    "a member captures a server on a volume",
                    "a member takes a launch on a volume back",
                    "a member takes an installation back",
                ),
                "not-allowed",
            ),
        },
        doctor={"policies": "warning"},
    ),
    reserved("cinder", "volume:delete").expecting(
        refused={
            "a member captures a server on a volume": COPY_STAYS,
            **each(("a member takes a launch on a volume back", "a member takes an installation back"), "not-allowed"),
        }
    ),
    reserved("cinder", "volume:create_snapshot"),
    reserved("cinder", "volume_extension:quotas:show"),
    reserved("cinder", "limits_extension:used_limits").expecting(
        refused=each(
            ("a member reads the quota", "a member sees that nothing is used any more"),
            "otherwise: no usage of volumes, which it explains",
        )
    ),
    World(name="Policies: old rules in all services", options=dict.fromkeys(ALL, OLD)).expecting(
        refused={
            **each(
                (
                    "a stranger lists images",
                    "a stranger reads the published image",
                    "a reader registers an image",
                    "a reader downloads an image",
                    "a reader edits an image",
                    "a reader launches a server",
                    "a reader deletes an image",
                ),
                "done",
            ),
            "a member deletes an image and asks for its servers": "no-image",  # the reader has deleted it
        }
    ),
)
