"""What the tour asks of Neutron about revisions and address scopes."""

from __future__ import annotations

from typing import Final

from tests.tour.neutron import NETWORKS, NOBODY, end, life
from tests.tour.others import neutron

ONE: Final = f"{NETWORKS}/{{constrained}}"
OTHER: Final = {"If-Match": "revision_number=99"}

REVISIONS: Final = (
    neutron("revision-network", "POST", NETWORKS, {"network": {"name": "old"}}, keep={"constrained": "network.id"}),
    neutron("revision-other", "PUT", ONE, {"network": {"name": "x"}}, headers=OTHER),
    neutron("revision-bad", "PUT", ONE, {"network": {"name": "x"}}, headers={"If-Match": "revision_number=x"}),
    neutron("revision-else", "PUT", ONE, {"network": {"name": "x"}}, headers={"If-Match": "*"}),
    neutron("revision-delete", "DELETE", ONE, headers=OTHER),
    neutron("revision-network-delete", "DELETE", ONE),
)
SCOPES: Final = (
    *life("address_scope", {"name": "tour", "ip_version": 4}, {"name": "tour-2"}, "address-scopes"),
    neutron("scope-no-version", "POST", "/v2.0/address-scopes", {"address_scope": {"name": "x"}}),
    neutron("scope-version-5", "POST", "/v2.0/address-scopes", {"address_scope": {"name": "x", "ip_version": 5}}),
    neutron(
        "scope-shared",
        "POST",
        "/v2.0/address-scopes",
        {"address_scope": {"name": "x", "ip_version": 4, "shared": True}},
    ),
    neutron("scope-list", "GET", "/v2.0/address-scopes?name=tour-2"),
    neutron(
        "scope-pool",
        "POST",
        "/v2.0/subnetpools",
        {"subnetpool": {"name": "scoped", "prefixes": ["10.9.0.0/16"], "address_scope_id": "{address_scope}"}},
        keep={"scoped": "subnetpool.id"},
    ),
    neutron(
        "scope-pool-again",
        "POST",
        "/v2.0/subnetpools",
        {"subnetpool": {"name": "scoped", "prefixes": ["10.9.0.0/24"], "address_scope_id": "{address_scope}"}},
    ),
    neutron(
        "scope-pool-six",
        "POST",
        "/v2.0/subnetpools",
        {"subnetpool": {"name": "scoped", "prefixes": ["2001:db8::/56"], "address_scope_id": "{address_scope}"}},
    ),
    neutron(
        "scope-pool-unknown",
        "POST",
        "/v2.0/subnetpools",
        {"subnetpool": {"name": "scoped", "prefixes": ["10.8.0.0/16"], "address_scope_id": NOBODY}},
    ),
    neutron("scope-in-use", "DELETE", "/v2.0/address-scopes/{address_scope}"),
    neutron("scope-pool-delete", "DELETE", "/v2.0/subnetpools/{scoped}"),
    *end("address_scope", "address-scopes"),
)
STEPS: Final = (*REVISIONS, *SCOPES)
