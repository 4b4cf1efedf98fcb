"""What the tour asks of Nova's smaller reports, and of Neutron's list of quotas."""

from __future__ import annotations

from typing import Final

from tests.tour.nova import nova
from tests.tour.others import neutron
from tests.tour.player import Step


def report(name: str, path: str, method: str = "GET", body: object = None, **more: object) -> Step:
    return nova(f"report-{name}", method, path, body, **{"user": "admin", **more})


STEPS: Final = (
    report("hypervisor", "/os-hypervisors", keep={"reported": "hypervisors.0.id"}),
    report("uptime", "/os-hypervisors/{reported}/uptime"),
    report("uptime-member", "/os-hypervisors/{reported}/uptime", user="alice"),
    report("uptime-unknown", "/os-hypervisors/999/uptime"),
    report("uptime-newer", "/os-hypervisors/{reported}/uptime", version="2.88"),
    report("search", "/os-hypervisors/host/search"),
    report("search-none", "/os-hypervisors/nothing/search"),
    report("search-member", "/os-hypervisors/host/search", user="alice"),
    report("search-newer", "/os-hypervisors/host/search", version="2.53"),
    report("servers", "/os-hypervisors/host1/servers"),
    report("servers-member", "/os-hypervisors/host1/servers", user="alice"),
    report("usage-member", "/os-instance_usage_audit_log", user="alice"),
    report("usage-bad-time", "/os-instance_usage_audit_log/yesterday"),
    report("usage-before", "/os-instance_usage_audit_log/2026-03-05 10:00:00"),
    report("class", "/os-quota-class-sets/tour"),
    report("class-newer", "/os-quota-class-sets/tour", version="2.50"),
    report("class-newest", "/os-quota-class-sets/tour", version="2.57"),
    report("class-member", "/os-quota-class-sets/tour", user="alice"),
    report("class-update", "/os-quota-class-sets/tour", "PUT", {"quota_class_set": {"cores": 5}}),
    report("class-update-member", "/os-quota-class-sets/tour", "PUT", {"quota_class_set": {"cores": 5}}, user="alice"),
    report("class-update-text", "/os-quota-class-sets/tour", "PUT", {"quota_class_set": {"cores": "x"}}),
    report("class-update-key", "/os-quota-class-sets/tour", "PUT", {"quota_class_set": {"colour": 5}}),
    report("class-updated", "/os-quota-class-sets/tour"),
    report("aggregate-negative", "/os-aggregates/-1"),
    report("diagnostics-unknown", "/servers/00000000-0000-0000-0000-000000000000/diagnostics"),
    neutron("quotas", "GET", "/v2.0/quotas", user="admin"),
    neutron("quotas-member", "GET", "/v2.0/quotas"),
    neutron("service-providers", "GET", "/v2.0/service-providers"),
    neutron("service-providers-filter", "GET", "/v2.0/service-providers?service_type=VPN"),
)
