"""Policies: what operators let members do, or nobody but administrators."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import LAUNCHES, World, each

ADMINISTRATORS: Final = "role:admin"


def reserved(service: str, *rules: str) -> World:
    """Return a world in which only administrators may do what these rules are about."""
    name = ", ".join(rule.rpartition("os_compute_api:")[2] for rule in rules)
    policies = {service: dict.fromkeys(rules, ADMINISTRATORS)}
    return World(name=f"Policies: {name} for administrators alone", policies=policies)


WORLDS: Final = (
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
        doctor={"scratch-record": "error"},
    ),
    reserved("glance", "reactivate").expecting(refused={"a member enables the image": "not-allowed"}),
    reserved("nova", "os_compute_api:servers:detail").expecting(
        refused={"a member sees the servers that use an image": "not-allowed"},
        wrong=each(LAUNCHES, "not-allowed (NotAllowedError), and what it names cannot be taken back: not-allowed"),
    ),
    reserved("nova", "os_compute_api:os-server-tags:index", "os_compute_api:os-server-tags:update_all"),
)
