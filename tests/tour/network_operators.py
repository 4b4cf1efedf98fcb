"""What the tour asks of Neutron about distributed routers, agents, flavors, default rules, and topologies on demand."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.neutron import NETWORKS, NOBODY
from tests.tour.others import neutron
from tests.tour.player import Step

FLAVORS: Final = "/v2.0/flavors"
FLAVOR: Final = f"{FLAVORS}/{{routing}}"
PROFILES: Final = "/v2.0/service_profiles"
PROFILE: Final = f"{PROFILES}/{{profile}}"
RULES: Final = "/v2.0/default-security-group-rules"
RULE: Final = f"{RULES}/{{usual_rule}}"
TOPOLOGY: Final = "/v2.0/auto-allocated-topology"
OWN: Final = f"{TOPOLOGY}/{{department}}"


def admin(name: str, method: str, path: str, body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return neutron(name, method, path, body, **{"user": "admin", **more})


def rule(name: str, /, user: str = "admin", **given: object) -> Step:
    """Create a default rule from these values, which are wrong."""
    first = {"direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
    body = {key: value for key, value in {**first, **USED, **given}.items() if value is not ...}
    return neutron(f"default-rule-{name}", "POST", RULES, {"default_security_group_rule": body}, user=user)


USED: Final = {"used_in_default_sg": True, "used_in_non_default_sg": False}
AGENTS: Final = (
    admin("agents", "GET", "/v2.0/agents"),
    admin("agent-unknown", "GET", f"/v2.0/agents/{NOBODY}"),
    admin("agent-unknown-update", "PUT", f"/v2.0/agents/{NOBODY}", {"agent": {"description": "x"}}),
    admin("agent-unknown-delete", "DELETE", f"/v2.0/agents/{NOBODY}"),
    neutron("agent-member", "GET", f"/v2.0/agents/{NOBODY}"),
)
ROUTER_FLAVORS: Final = (
    neutron("flavors", "GET", FLAVORS),
    neutron("flavor-create-member", "POST", FLAVORS, {"flavor": {"service_type": "L3_ROUTER_NAT"}}),
    admin("flavor-create-empty", "POST", FLAVORS, {}),
    admin("flavor-create-no-type", "POST", FLAVORS, {"flavor": {"name": "x"}}),
    admin("flavor-create-bad-type", "POST", FLAVORS, {"flavor": {"service_type": "x"}}),
    admin("flavor-create-unknown-key", "POST", FLAVORS, {"flavor": {"service_type": "FLAVORS", "colour": "red"}}),
    admin("flavor-create-flag", "POST", FLAVORS, {"flavor": {"service_type": "FLAVORS", "enabled": "x"}}),
    admin(
        "flavor-create",
        "POST",
        FLAVORS,
        {"flavor": {"name": "routing", "service_type": "L3_ROUTER_NAT"}},
        keep={"routing": "flavor.id"},
    ),
    neutron("flavor-show", "GET", FLAVOR),
    neutron("flavor-show-unknown", "GET", f"{FLAVORS}/{NOBODY}"),
    neutron("flavor-list", "GET", f"{FLAVORS}?name=routing"),
    admin("flavor-update", "PUT", FLAVOR, {"flavor": {"name": "routing-2", "enabled": False}}),
    admin("flavor-update-type", "PUT", FLAVOR, {"flavor": {"service_type": "FLAVORS"}}),
    neutron("flavor-update-member", "PUT", FLAVOR, {"flavor": {"name": "x"}}),
    admin("flavor-update-unknown", "PUT", f"{FLAVORS}/{NOBODY}", {"flavor": {"name": "x"}}),
    neutron("profiles-member", "GET", PROFILES),
    admin("profile-create-empty", "POST", PROFILES, {}),
    admin("profile-create-nothing", "POST", PROFILES, {"service_profile": {}}),
    admin("profile-create-driver", "POST", PROFILES, {"service_profile": {"driver": "x"}}),
    neutron("profile-create-member", "POST", PROFILES, {"service_profile": {"metainfo": "x"}}),
    admin(
        "profile-create",
        "POST",
        PROFILES,
        {"service_profile": {"description": "a", "metainfo": "x"}},
        keep={"profile": "service_profile.id"},
    ),
    admin("profile-show", "GET", PROFILE),
    neutron("profile-show-member", "GET", PROFILE),
    admin("profile-show-unknown", "GET", f"{PROFILES}/{NOBODY}"),
    admin("profile-list", "GET", PROFILES),
    admin("profile-update", "PUT", PROFILE, {"service_profile": {"description": "b"}}),
    admin("profile-add", "POST", f"{FLAVOR}/service_profiles", {"service_profile": {"id": "{profile}"}}),
    admin("profile-add-again", "POST", f"{FLAVOR}/service_profiles", {"service_profile": {"id": "{profile}"}}),
    admin("profile-add-nothing", "POST", f"{FLAVOR}/service_profiles", {"service_profile": {}}),
    admin("profile-add-bad", "POST", f"{FLAVOR}/service_profiles", {"service_profile": {"id": "x"}}),
    neutron("profile-add-member", "POST", f"{FLAVOR}/service_profiles", {"service_profile": {"id": "{profile}"}}),
    admin("profile-of-flavor", "GET", f"{FLAVOR}/service_profiles/{{profile}}"),
    admin("flavor-with-profile", "GET", FLAVOR),
    admin("profile-with-flavor", "GET", PROFILE),
    admin("profile-in-use", "DELETE", PROFILE),
    admin("profile-in-use-update", "PUT", PROFILE, {"service_profile": {"description": "c"}}),
    admin("profile-remove", "DELETE", f"{FLAVOR}/service_profiles/{{profile}}"),
    admin("profile-remove-again", "DELETE", f"{FLAVOR}/service_profiles/{{profile}}"),
    neutron("profile-delete-member", "DELETE", PROFILE),
    admin("profile-delete", "DELETE", PROFILE),
    admin("profile-delete-again", "DELETE", PROFILE),
    neutron("flavor-delete-member", "DELETE", FLAVOR),
    admin("flavor-delete", "DELETE", FLAVOR),
    admin("flavor-delete-again", "DELETE", FLAVOR),
)
DEFAULT_RULES: Final = (
    neutron("default-rules", "GET", RULES),
    admin("default-rule-create-empty", "POST", RULES, {}),
    rule("no-direction", direction=...),
    rule("no-use", used_in_default_sg=...),
    rule("bad-flag", used_in_default_sg="x"),
    rule("bad-direction", direction="x"),
    rule("bad-protocol", protocol="x"),
    rule("bad-ports", port_range_min=23),
    rule("unknown-key", colour="red"),
    rule("member", user="alice"),
    admin(
        "default-rule-create",
        "POST",
        RULES,
        {
            "default_security_group_rule": {
                **USED,
                "used_in_non_default_sg": True,
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": 22,
                "port_range_max": 22,
            }
        },
        keep={"usual_rule": "default_security_group_rule.id"},
    ),
    rule("again"),
    neutron("default-rule-show", "GET", RULE),
    neutron("default-rule-show-unknown", "GET", f"{RULES}/{NOBODY}"),
    neutron("default-rule-list", "GET", f"{RULES}?port_range_min=22"),
    admin("default-rule-update", "PUT", RULE, {"default_security_group_rule": {"description": "b"}}),
    neutron(
        "default-rule-group",
        "POST",
        "/v2.0/security-groups",
        {"security_group": {"name": "usual"}},
        keep={"usual_group": "security_group.id"},
    ),
    neutron("default-rule-group-delete", "DELETE", "/v2.0/security-groups/{usual_group}"),
    neutron("default-rule-delete-member", "DELETE", RULE),
    admin("default-rule-delete", "DELETE", RULE),
    admin("default-rule-delete-again", "DELETE", RULE),
)
TOPOLOGIES: Final = (
    neutron("topology-no-network", "GET", OWN),
    neutron("topology-dry-no-network", "GET", f"{OWN}?fields=dry-run"),
    neutron("topology-foreign", "GET", f"{TOPOLOGY}/{{department}}", user="bob"),
    admin(
        "topology-outside",
        "POST",
        NETWORKS,
        {"network": {"name": "outside", "router:external": True, "is_default": True}},
        keep={"way_out": "network.id"},
    ),
    admin("topology-outside-show", "GET", f"{NETWORKS}/{{way_out}}"),
    admin(
        "topology-outside-again",
        "POST",
        NETWORKS,
        {"network": {"name": "outside-2", "router:external": True, "is_default": True}},
    ),
    neutron("topology-outside-member", "PUT", f"{NETWORKS}/{{way_out}}", {"network": {"is_default": False}}),
    admin(
        "topology-outside-subnet",
        "POST",
        "/v2.0/subnets",
        {"subnet": {"network_id": "{way_out}", "ip_version": 4, "cidr": "198.51.100.0/28"}},
    ),
    neutron("topology-dry-no-pool", "GET", f"{OWN}?fields=dry-run"),
    neutron("topology-no-pool", "GET", OWN),
    admin(
        "topology-pool",
        "POST",
        "/v2.0/subnetpools",
        {
            "subnetpool": {
                "name": "usual",
                "prefixes": ["10.77.0.0/16"],
                "default_prefixlen": 26,
                "is_default": True,
                "shared": True,
            }
        },
        keep={"usual_pool": "subnetpool.id"},
    ),
    admin(
        "topology-pool-again",
        "POST",
        "/v2.0/subnetpools",
        {"subnetpool": {"name": "usual-2", "prefixes": ["10.78.0.0/16"], "is_default": True, "shared": True}},
    ),
    neutron("topology-dry", "GET", f"{OWN}?fields=dry-run"),
    neutron("topology-field", "GET", f"{OWN}?fields=colour"),
    neutron("topology", "GET", OWN, keep={"made_network": "auto_allocated_topology.id"}),
    neutron("topology-again", "GET", OWN),
    neutron("topology-own", "GET", f"{TOPOLOGY}/None"),
    neutron("topology-network", "GET", f"{NETWORKS}/{{made_network}}"),
    neutron("topology-subnets", "GET", "/v2.0/subnets?network_id={made_network}"),
    neutron("topology-routers", "GET", "/v2.0/routers?name=auto_allocated_router"),
    neutron("topology-ports", "GET", "/v2.0/ports?network_id={made_network}"),
    neutron("topology-delete-reader", "DELETE", OWN, user="rita"),
    neutron("topology-delete-foreign", "DELETE", OWN, user="bob"),
    neutron("topology-delete", "DELETE", OWN),
    neutron("topology-network-gone", "GET", f"{NETWORKS}/{{made_network}}"),
    neutron("topology-delete-again", "DELETE", OWN),
    admin("topology-pool-delete", "DELETE", "/v2.0/subnetpools/{usual_pool}"),
    admin("topology-outside-delete", "DELETE", f"{NETWORKS}/{{way_out}}"),
)
ROUTER: Final = "/v2.0/routers/{spread}"
DISTRIBUTED: Final = (
    neutron("dvr-create-member", "POST", "/v2.0/routers", {"router": {"name": "spread", "distributed": True}}),
    admin("dvr-create-flag", "POST", "/v2.0/routers", {"router": {"name": "spread", "distributed": "x"}}),
    admin(
        "dvr-create",
        "POST",
        "/v2.0/routers",
        {"router": {"name": "spread", "distributed": True}},
        keep={"spread": "router.id"},
    ),
    admin("dvr-show", "GET", ROUTER),
    admin("dvr-rename", "PUT", ROUTER, {"router": {"name": "spread-2"}}),
    admin("dvr-centralize", "PUT", ROUTER, {"router": {"distributed": False}}),
    admin("dvr-list", "GET", "/v2.0/routers?name=spread-2"),
    admin("dvr-delete", "DELETE", ROUTER),
)
STEPS: Final = (*DISTRIBUTED, *AGENTS, *ROUTER_FLAVORS, *DEFAULT_RULES, *TOPOLOGIES)
