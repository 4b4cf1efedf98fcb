"""The lists of a launch form: flavors and whether they fit, networks, key pairs, availability zones.

>>> [(flavor.name, flavor.fits) for flavor in client.flavors(disk_image)]
[('m1.tiny', True), ('m1.small', True)]

The checks of a launch decide which flavors fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.launching import plan, servers as nova
from hyperx_glance.models.image import Image
from hyperx_glance.models.results import AvailabilityZone, FlavorChoice, KeyPair, NetworkChoice
from hyperx_glance.texts import NO_TEXT, Text

if TYPE_CHECKING:
    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.cloud.context import Context


def flavors(context: Context, image: Image | str | None) -> list[FlavorChoice]:
    """List flavors: those that fit the image first, then by memory, cores, disk and name."""
    if isinstance(image, str):
        image = context.cloud.image(image)
    found = nova.flavors(context.cloud)
    in_the_way = NO_TEXT if image is None else _way_problem(context.cloud, image)
    choices = []
    for flavor in found:
        reason = in_the_way
        if image is not None and not reason:
            reason = _flavor_problem(image, flavor)
        choices.append(
            FlavorChoice(
                id=flavor.id,
                name=flavor.name,
                cores=flavor.cores,
                ram_mib=flavor.ram_mib,
                disk_gib=flavor.disk_gib,
                fits=not reason,
                reason=reason,
            )
        )
    return sorted(
        choices, key=lambda each: (not each.fits, each.ram_mib, each.cores, each.disk_gib, each.name, each.id)
    )


def _way_problem(cloud: Cloud, image: Image) -> Text:
    has_volumes = cloud.has("block-storage")
    try:
        plan.check_way(image, plan.AS_USUAL, has_volumes=has_volumes, project_id=cloud.project_id)
    except HyperxGlanceError as error:
        return error.message
    return NO_TEXT


def _flavor_problem(image: Image, flavor: plan.Flavor) -> Text:
    try:
        plan.check_flavor(image, flavor, plan.AS_USUAL)
    except HyperxGlanceError as error:
        return error.message
    return NO_TEXT


def networks(context: Context) -> list[NetworkChoice]:
    """List the networks in which Nova lets the caller launch, by name.

    Nova refuses a network without a subnet, and from members an external one that is not shared with them
    (nova/network/neutron.py, NetworkRequiresSubnet and _check_external_network_attach).
    """
    return [
        NetworkChoice(id=each.id, name=each.name, owner=each.project_id, shared=each.shared)
        for each in sorted(nova.networks(context.cloud), key=lambda each: (each.name, each.id))
        if each.subnets and (each.shared or not each.external or context.cloud.is_administrator)
    ]


def key_pairs(context: Context) -> list[KeyPair]:
    """List the caller's key pairs, by name."""
    found = sorted(nova.key_pairs(context.cloud), key=lambda each: each.id)
    return [KeyPair(name=each.id, kind=each.kind, fingerprint=each.fingerprint) for each in found]


def availability_zones(context: Context) -> list[AvailabilityZone]:
    """List availability zones, by name."""
    found = sorted(nova.availability_zones(context.cloud), key=lambda each: each.name)
    return [AvailabilityZone(name=each.name, available=each.state.available) for each in found]
