"""The worlds, by the service that they change, the normal one first."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import World
from tests.deployments.worlds import catalogue, cinder, fronts, glance, keystone, neutron, nova, policies, stores
from tests.deployments.worlds.normal import NORMAL

SMALL_PAGES: Final = World(
    name="All services: pages of 2",
    options={
        "keystone": {"DEFAULT": {"list_limit": 2, "max_db_limit": 2}},
        "glance": {"DEFAULT": {"api_limit_max": 2, "limit_param_default": 2}},
        "nova": {"api": {"max_limit": 2}},
        "neutron": {"DEFAULT": {"pagination_max_limit": 2}},
        "cinder": {"DEFAULT": {"osapi_max_limit": 2}},
    },
)

WORLDS: Final = (
    NORMAL,
    SMALL_PAGES,
    *glance.WORLDS,
    *policies.WORLDS,
    *nova.WORLDS,
    *cinder.WORLDS,
    *neutron.WORLDS,
    *keystone.WORLDS,
    *catalogue.WORLDS,
    *fronts.WORLDS,
    *stores.WORLDS,
)
