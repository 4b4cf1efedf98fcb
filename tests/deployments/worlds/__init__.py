"""The worlds, by the service that they change, the normal one first."""

from __future__ import annotations

from tests.deployments.worlds import cinder, fronts, glance, keystone, neutron, nova, policies, stores
from tests.deployments.worlds.normal import NORMAL

WORLDS = (
    NORMAL,
    *glance.WORLDS,
    *policies.WORLDS,
    *nova.WORLDS,
    *cinder.WORLDS,
    *neutron.WORLDS,
    *keystone.WORLDS,
    *fronts.WORLDS,
    *stores.WORLDS,
)
