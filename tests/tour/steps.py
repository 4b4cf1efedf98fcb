"""The whole tour, in the order in which it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.tour import (
    addresses,
    cinder,
    cinder_attachments,
    cinder_groups,
    cinder_qos,
    cinder_reports,
    compute_services,
    endpoint_groups,
    extensions,
    glance,
    keystone,
    metadefs,
    migrations,
    network_operators,
    neutron,
    nova,
    nova_writes,
    others,
    placement,
    placement_writes,
    pools,
    proxies,
    reports,
    scopes,
    tags,
    tasks,
    volume_snapshots,
)

if TYPE_CHECKING:
    from tests.tour.player import Step

TOUR: Final[tuple[Step, ...]] = (
    # First, since they list what a fresh cloud has, and leave nothing.
    *tags.STEPS,
    *proxies.STEPS,
    *reports.STEPS,
    *endpoint_groups.STEPS,
    *others.KEYSTONE,
    *others.NEUTRON,
    *others.CINDER,
    *glance.STEPS,
    *others.IMAGE,
    *nova.STEPS,
    *nova_writes.STEPS,
    *compute_services.STEPS,
    *migrations.STEPS,
    *volume_snapshots.STEPS,
    *others.END,
    *metadefs.STEPS,
    *neutron.STEPS,
    *keystone.STEPS,
    *tasks.STEPS,
    *extensions.STEPS,
    *cinder.STEPS,
    *cinder_qos.STEPS,
    *cinder_reports.STEPS,
    *cinder_attachments.STEPS,
    *cinder_groups.STEPS,
    *pools.STEPS,
    *scopes.STEPS,
    *addresses.STEPS,
    *network_operators.STEPS,
    *placement.STEPS,
    *placement_writes.STEPS,
)
