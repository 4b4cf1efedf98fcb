"""Policies: what operators let members do, or nobody but administrators."""

from __future__ import annotations

import dataclasses
from typing import Final

from tests.deployments.world import WITH_VOLUMES, World, each

ADMINISTRATORS: Final = "role:admin"
MEMBERS: Final = "role:member or role:admin"
NOBODY: Final = "!"
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

WORLDS: Final = (
    public(ruled("members publicize images", "glance", MEMBERS, "publicize_image")),
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
    reserved("nova", "os_compute_api:servers:detail").expecting(doctor={"policies": "warning"}),
    reserved("nova", "os_compute_api:os-server-tags:index", "os_compute_api:os-server-tags:update_all"),
    reserved("cinder", "volume:create").expecting(
        refused=each(WITH_VOLUMES, "launch-failed"), doctor={"volume-rights": "warning"}, tenth=True
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
