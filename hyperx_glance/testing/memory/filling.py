"""The initial content of the in-memory cloud, from the table that both clouds share.

>>> from hyperx_glance.testing import InMemoryCloud
>>> sorted(flavor.name for flavor in InMemoryCloud(profile="devstack").nova.flavors.values())[:2]
['m1.large', 'm1.medium']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.testing.profiles import ROUTER, SERVER_QUOTA, Profile, small_image

if TYPE_CHECKING:
    from hyperx_glance.testing.memory.cloud import InMemoryCloud

_UNIFIED_LIMITS = (
    ("image_size_total", 1000),
    ("image_stage_total", 1000),
    ("image_count_total", 100000),
    ("image_count_uploading", 100),
)


def fill(cloud: InMemoryCloud, profile: Profile) -> None:
    """Create the content of a profile."""
    for name, person in profile.people.items():
        if person.department not in cloud.keystone.departments:
            cloud.keystone.add_department(person.department)
        cloud.keystone.add_user(name, person.department, role=person.role)
    for department in profile.generous:
        cloud.nova.set_quota(department, **SERVER_QUOTA)
    for flavor in profile.flavors:
        cloud.nova.add_flavor(**flavor._asdict())
    networks = [
        cloud.neutron.add_network(
            network.name,
            shared=network.shared,
            external=network.external,
            cidr=network.cidr,
            project_id=cloud.departments[network.department],
        )
        for network in profile.networks
    ]
    for network_id, network in zip(networks, profile.networks, strict=True):
        if network.external:
            cloud.neutron.add_router(ROUTER, network_id, networks[0], cloud.departments["admin"])
    if profile.image:
        image_id = cloud.glance.add_image(
            owner="admin", name=profile.image, visibility="public", container_format="bare"
        )
        cloud.glance.fill(cloud.glance.images[image_id], "qcow2", small_image())
    for resource, limit in _UNIFIED_LIMITS:
        cloud.keystone.register_limit(cloud.glance, resource, limit)
