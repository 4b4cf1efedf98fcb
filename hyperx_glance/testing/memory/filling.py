"""The initial content of the in-memory cloud, from the table that both clouds share.

>>> from hyperx_glance.testing import InMemoryCloud
>>> sorted(flavor.name for flavor in InMemoryCloud(profile="devstack").nova.flavors.values())[:2]
['cirros256', 'ds1G']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.testing.memory.keystone.state import Grant
from hyperx_glance.testing.profiles import KEY_PAIR, PUBLIC_KEY, ROUTER, SERVER_QUOTA, Profile, small_image

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
    _create_people(cloud, profile)
    for name in profile.key_pairs:
        cloud.nova.add_keypair(KEY_PAIR, PUBLIC_KEY, cloud.users[name])
    for department in profile.generous:
        cloud.nova.set_quota(department, **SERVER_QUOTA)
    for flavor in profile.flavors:
        cloud.nova.add_flavor(**flavor._asdict())
    _create_networks(cloud, profile)
    if profile.image:
        image_id = cloud.glance.add_image(
            owner="admin", name=profile.image, visibility="public", container_format="bare"
        )
        cloud.glance.fill(cloud.glance.images[image_id], "qcow2", small_image())
    for resource, limit in _UNIFIED_LIMITS:
        cloud.keystone.register_limit(cloud.glance, resource, limit)


def _create_people(cloud: InMemoryCloud, profile: Profile) -> None:
    for name, person in profile.people.items():
        if person.department not in cloud.keystone.departments:
            cloud.keystone.add_department(person.department)
        cloud.keystone.add_user(name, person.department, role=person.role)
    for name, person in profile.grants:
        target = ("project", cloud.departments[person.department])
        cloud.keystone.grants.add(Grant(("user", cloud.users[name]), target, cloud.keystone.role_id(person.role)))


def _create_networks(cloud: InMemoryCloud, profile: Profile) -> None:
    networks = [
        cloud.neutron.add_network(
            network.name,
            shared=network.shared,
            external=network.external,
            cidr=network.cidr,
            subnet=network.subnet,
            project_id=cloud.departments[network.department],
        )
        for network in profile.networks
    ]
    for network_id, network in zip(networks, profile.networks, strict=True):
        if network.external:
            cloud.neutron.add_router(ROUTER, network_id, networks[0], cloud.departments[profile.networks[0].department])
