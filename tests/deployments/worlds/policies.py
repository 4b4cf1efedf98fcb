"""Policies: what operators let members do, or nobody but administrators."""

from __future__ import annotations

import dataclasses
from typing import Final

from tests.deployments.world import World

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


WORLDS: Final = (
    public(ruled("members publicize images", "glance", MEMBERS, "publicize_image")),
    public(World(name="Policies: administrators publicize images")),
    public(ruled("nobody publicizes images", "glance", NOBODY, "publicize_image")),
    reserved("glance", "communitize_image"),
    ruled("nobody communitizes images", "glance", NOBODY, "communitize_image"),
    reserved("glance", "delete_image"),
    reserved("glance", "deactivate"),
    reserved("glance", "reactivate"),
    reserved("glance", "add_image"),
    reserved("glance", "modify_image"),
    reserved("glance", "upload_image"),
    reserved("glance", "download_image"),
    reserved("glance", "get_images"),
    ruled(
        "community images of others are hidden",
        "glance",
        OWN,
        "get_image",
    ),
    reserved("nova", "os_compute_api:servers:detail").expecting(doctor={"policies": "warning"}),
    reserved("nova", "os_compute_api:os-server-tags:index", "os_compute_api:os-server-tags:update_all"),
    reserved("nova", "os_compute_api:os-extended-server-attributes"),
    reserved("nova", "os_compute_api:servers:create_image"),
    reserved("nova", "os_compute_api:os-admin-password"),
    reserved("nova", "os_compute_api:limits"),
    reserved("nova", "os_compute_api:os-quota-sets:show", "os_compute_api:os-quota-sets:detail"),
    reserved("nova", "os_compute_api:os-availability-zone:list"),
    reserved("nova", "os_compute_api:os-keypairs:index"),
    reserved("cinder", "volume:create"),
    reserved("cinder", "volume:get_all"),
    reserved("cinder", "volume:delete"),
    reserved("cinder", "volume:create_snapshot"),
    reserved("cinder", "volume_extension:quotas:show"),
    reserved("cinder", "limits_extension:used_limits"),
    World(name="Policies: old rules in all services", options=dict.fromkeys(ALL, OLD)),
)
