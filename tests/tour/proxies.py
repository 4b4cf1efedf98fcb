"""What the tour asks of Nova's proxies of Neutron and Cinder, which end with microversion 2.36, and of its hosts."""

from __future__ import annotations

from typing import Final

from tests.tour.neutron import NOBODY
from tests.tour.nova import nova
from tests.tour.player import Step

GROUPS: Final = "/os-security-groups"
RULES: Final = "/os-security-group-rules"
VOLUMES: Final = "/os-volumes"
RULE: Final = {"parent_group_id": "{proxied}", "ip_protocol": "tcp", "from_port": 22, "to_port": 23}


def rule(name: str, **fields: object) -> Step:
    return nova(f"proxy-rule-{name}", "POST", RULES, {"security_group_rule": {**RULE, **fields}})


STEPS: Final = (
    nova("proxy-groups", "GET", GROUPS),
    nova("proxy-groups-newer", "GET", GROUPS, version="2.36"),
    nova("proxy-group-empty", "POST", GROUPS, {"security_group": {}}),
    nova("proxy-group-number", "POST", GROUPS, {"security_group": {"name": 5, "description": "d"}}),
    nova(
        "proxy-group",
        "POST",
        GROUPS,
        {"security_group": {"name": "proxied", "description": "d"}},
        keep={"proxied": "security_group.id"},
    ),
    nova("proxy-group-show", "GET", f"{GROUPS}/{{proxied}}"),
    nova("proxy-group-show-unknown", "GET", f"{GROUPS}/{NOBODY}"),
    nova("proxy-group-show-text", "GET", f"{GROUPS}/nothing"),
    nova("proxy-group-update", "PUT", f"{GROUPS}/{{proxied}}", {"security_group": {"name": "p", "description": "e"}}),
    nova("proxy-group-update-empty", "PUT", f"{GROUPS}/{{proxied}}", {"security_group": {}}),
    nova(
        "proxy-group-update-unknown", "PUT", f"{GROUPS}/{NOBODY}", {"security_group": {"name": "p", "description": ""}}
    ),
    rule("cidr", cidr="192.0.2.0/24"),
    rule("again", cidr="192.0.2.0/24"),
    rule("everywhere", from_port=80, to_port=80),
    rule("group", group_id="{proxied}"),
    rule("protocol", ip_protocol="x"),
    rule("ports", from_port=24),
    rule("port-text", from_port="x"),
    rule("port-high", to_port=65536),
    rule("parent", parent_group_id=NOBODY),
    rule("parent-text", parent_group_id="nothing"),
    rule("cidr-text", cidr="x"),
    nova("proxy-rule-none", "POST", RULES, {"security_group_rule": {}}),
    nova("proxy-rule-delete-unknown", "DELETE", f"{RULES}/{NOBODY}"),
    nova("proxy-rule-delete-text", "DELETE", f"{RULES}/nothing"),
    nova("proxy-group-delete", "DELETE", f"{GROUPS}/{{proxied}}"),
    nova("proxy-group-delete-again", "DELETE", f"{GROUPS}/{{proxied}}"),
    nova("proxy-floating", "GET", "/os-floating-ips"),
    nova("proxy-floating-newer", "GET", "/os-floating-ips", version="2.36"),
    nova("proxy-floating-pools", "GET", "/os-floating-ip-pools"),
    nova("proxy-floating-create-unknown", "POST", "/os-floating-ips", {"pool": "nothing"}),
    nova("proxy-floating-show-unknown", "GET", f"/os-floating-ips/{NOBODY}"),
    nova("proxy-floating-delete-unknown", "DELETE", f"/os-floating-ips/{NOBODY}"),
    nova("proxy-volumes", "GET", VOLUMES),
    nova("proxy-volumes-newer", "GET", VOLUMES, version="2.36"),
    nova("proxy-volume-empty", "POST", VOLUMES, {"volume": {}}),
    nova("proxy-volume-zero", "POST", VOLUMES, {"volume": {"size": 0, "display_name": "v"}}),
    nova("proxy-volume-text", "POST", VOLUMES, {"volume": {"size": "x", "display_name": "v"}}),
    nova(
        "proxy-volume",
        "POST",
        VOLUMES,
        {"volume": {"size": 1, "display_name": "v", "display_description": "d", "metadata": {"a": "b"}}},
        keep={"proxied_volume": "volume.id"},
    ),
    nova("proxy-volume-show", "GET", f"{VOLUMES}/{{proxied_volume}}", again='"available"'),
    nova("proxy-volume-list", "GET", f"{VOLUMES}?limit=1"),
    nova("proxy-volume-details", "GET", f"{VOLUMES}/detail"),
    nova("proxy-volume-delete", "DELETE", f"{VOLUMES}/{{proxied_volume}}"),
    nova("proxy-volume-delete-unknown", "DELETE", f"{VOLUMES}/{NOBODY}"),
    nova("proxy-volume-gone", "GET", f"{VOLUMES}/{{proxied_volume}}", again="-"),
    nova("proxy-volume-show-unknown", "GET", f"{VOLUMES}/{NOBODY}"),
    nova("proxy-networks", "GET", "/os-networks", user="admin"),
    nova("proxy-network-unknown", "GET", f"/os-networks/{NOBODY}", user="admin"),
    nova("proxy-networks-newer", "GET", "/os-networks", user="admin", version="2.36"),
    nova("proxy-tenant-networks", "GET", "/os-tenant-networks"),
    nova("proxy-tenant-network-unknown", "GET", f"/os-tenant-networks/{NOBODY}"),
    nova("hosts", "GET", "/os-hosts", user="admin"),
    nova("hosts-zone", "GET", "/os-hosts?zone=nova", user="admin"),
    nova("hosts-no-zone", "GET", "/os-hosts?zone=nothing", user="admin"),
    nova("hosts-newer", "GET", "/os-hosts", user="admin", version="2.43"),
    nova("hosts-member", "GET", "/os-hosts"),
    nova("host", "GET", "/os-hosts/host1", user="admin"),
    nova("host-member", "GET", "/os-hosts/host1"),
    nova("host-unknown", "GET", "/os-hosts/nothing", user="admin"),
    nova("host-update-empty", "PUT", "/os-hosts/host1", {}, user="admin"),
    nova("host-update-bad", "PUT", "/os-hosts/host1", {"status": "x"}, user="admin"),
    nova("host-update-bad-mode", "PUT", "/os-hosts/host1", {"maintenance_mode": "x"}, user="admin"),
    nova("host-update-member", "PUT", "/os-hosts/host1", {"status": "enable"}),
    nova("host-update-unknown", "PUT", "/os-hosts/nothing", {"status": "enable"}, user="admin"),
    nova("host-enable", "PUT", "/os-hosts/host1", {"status": "enable"}, user="admin"),
    *(
        nova(f"host-{deed}{suffix}", "GET", f"/os-hosts/{host}/{deed}", user=user)
        for deed in ("startup", "shutdown", "reboot")
        for suffix, host, user in (
            ("", "host1", "admin"),
            ("-unknown", "nothing", "admin"),
            ("-member", "host1", "alice"),
        )
    ),
)
