"""Policies: what operators let members do, or nobody but administrators."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import World

ADMINISTRATORS: Final = "role:admin"
OLD: Final = {"oslo_policy": {"enforce_new_defaults": False, "enforce_scope": False}}


def reserved(service: str, *rules: str) -> World:
    """Return a world in which only administrators may do what these rules are about."""
    name = ", ".join(rule.rpartition("os_compute_api:")[2] for rule in rules)
    policies = {service: dict.fromkeys(rules, ADMINISTRATORS)}
    return World(name=f"Policies: {name} for administrators alone", policies=policies)


WORLDS: Final = (
    World(
        name="Policies: members publicize images",
        policies={"glance": {"publicize_image": "role:admin or role:member"}},
        settings={"public_visibility": "public"},
    ),
    reserved("glance", "communitize_image"),
    reserved("glance", "delete_image"),
    reserved("glance", "deactivate"),
    reserved("glance", "reactivate"),
    reserved("glance", "add_image"),
    reserved("glance", "modify_image"),
    reserved("glance", "upload_image"),
    reserved("glance", "download_image"),
    reserved("glance", "get_images"),
    reserved("nova", "os_compute_api:servers:detail"),
    reserved("nova", "os_compute_api:os-server-tags:index", "os_compute_api:os-server-tags:update_all"),
    reserved("nova", "os_compute_api:servers:create_image"),
    reserved("nova", "os_compute_api:os-admin-password"),
    reserved("nova", "os_compute_api:limits"),
    reserved("cinder", "volume:create"),
    reserved("cinder", "volume:get_all"),
    reserved("cinder", "limits_extension:used_limits"),
    World(name="Policies: old rules in all services", options=dict.fromkeys(("glance", "nova", "cinder"), OLD)),
)
