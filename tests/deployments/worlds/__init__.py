"""The worlds, by the service that they change, the normal one first."""

from __future__ import annotations

from tests.deployments.worlds import cinder, glance, keystone, neutron, nova, policies
from tests.deployments.worlds.normal import NORMAL

WORLDS = (
    NORMAL,
    *glance.WORLDS,
    *policies.WORLDS,
    *nova.WORLDS,
    *cinder.WORLDS,
    *neutron.WORLDS,
    *keystone.WORLDS,
)
