"""The reference of the test clouds has everything that a test can set, call or read there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory.wire import Service

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "testing.rst").read_text()
BETWEEN_SERVICES = {
    "*": {
        "answers_head", "die", "endpoint_path", "forget", "handle", "ids", "look_at_image", "name", "older_types",
        "problem", "routes", "seal", "type", "writes_to_image",
        "failures", "running",  # of the cloud: failures, kill and restart
    },
    "keystone": {
        "allows", "application_credential", "caller", "credential_routes", "endpoint_group_routes", "grant_routes",
        "lacks", "limit_routes",
        "owner_id", "people_routes", "places_of", "project_id", "resource_routes", "role_id", "roles_of", "services",
        "token_routes",
    },
    "glance": {
        "downloading", "fill", "lacks", "lets", "look_at", "lookers", "make", "move_files", "set_properties", "writers",
    },
    "nova": {"in_use", "limits_of"},
    "cinder": {"default_limits", "default_of", "in_use", "limits_of", "make", "snap", "snapshots_of", "type_called"},
    "neutron": {
        "address_routes", "default_group", "forwarding_routes", "groups_of", "kept", "operator_routes", "pool_routes",
        "remove", "resource_routes", "router_routes", "tag_routes", "topology_routes", "used", "visible_networks",
    },
}  # fmt: skip
"""What only the services themselves use."""


def public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def listed(kind: type) -> set[str]:
    """Return the members of a class that the reference names."""
    entry = re.search(rf"autoclass:: \S+\.{kind.__name__}\n(?P<options>(?:   .*\n)+)", REFERENCE)
    assert entry is not None
    members = re.search(r":members:(?P<names>(?:.*\n)(?:      .*\n)*)", entry["options"])
    assert members is not None
    return set(re.findall(r"\w+", members["names"]))


@pytest.mark.parametrize("name", ["keystone", "glance", "neutron", "nova", "cinder"])
def test_reference_has_every_setting_and_method_of_a_service(name: str) -> None:
    service = getattr(InMemoryCloud(), name)
    documented = listed(type(service))

    assert documented == public(service) - BETWEEN_SERVICES["*"] - BETWEEN_SERVICES[name] - listed(Service)


@pytest.mark.parametrize("name", ["keystone", "glance", "neutron", "nova", "cinder"])
def test_every_setting_and_method_of_a_service_says_what_it_does(name: str) -> None:
    kind = type(getattr(InMemoryCloud(), name))
    sources = "\n".join(inspect.getsource(base) for base in kind.__mro__ if base is not object)

    for member in listed(kind) | listed(Service):
        found = getattr(kind, member, None)
        told: object = inspect.getdoc(found) if callable(found) else None
        attribute = rf'self\.{member}(?:: [^\n]*)? = (?:[^\n]|\n(?!        self))*?\n        """'
        told = told or re.search(attribute, sources) or re.search(rf'def {member}\(self\)[^\n]*\n        """', sources)
        assert told, f"{name}.{member}"


def test_attributes_of_the_cloud_say_what_they_are() -> None:
    cloud = InMemoryCloud()
    source = "\n".join(inspect.getsource(base) for base in InMemoryCloud.__mro__ if base is not object)

    for name in public(cloud) & vars(cloud).keys():
        assert re.search(rf'self\.{name}(?:: [^\n]*)? = [^\n]*\n        """', source), name
