"""Policies: what operators let members do, or nobody but administrators."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import World

ADMINISTRATORS: Final = "role:admin"


def reserved(service: str, *rules: str) -> World:
    """Return a world in which only administrators may do what these rules are about."""
    name = ", ".join(rule.rpartition("os_compute_api:")[2] for rule in rules)
    policies = {service: dict.fromkeys(rules, ADMINISTRATORS)}
    return World(name=f"Policies: {name} for administrators alone", policies=policies)


WORLDS: Final = (reserved("nova", "os_compute_api:servers:detail").expecting(doctor={"policies": "warning"}),)
