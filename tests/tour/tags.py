"""What the tour asks of the tags of Neutron's things."""

from __future__ import annotations

from typing import Final

from tests.tour.others import neutron

TAGS: Final = "/v2.0/networks/{tagged}/tags"
GROUP_TAGS: Final = "/v2.0/security-groups/{tagged_group}/tags"

STEPS: Final = (
    neutron("tags-network", "POST", "/v2.0/networks", {"network": {"name": "tags"}}, keep={"tagged": "network.id"}),
    neutron("tags-none", "GET", TAGS),
    neutron("tags-replace", "PUT", TAGS, {"tags": ["two", "one"]}),
    neutron("tags-list", "GET", TAGS),
    neutron("tags-add", "PUT", f"{TAGS}/three"),
    neutron("tags-add-again", "PUT", f"{TAGS}/three"),
    neutron("tags-add-several", "POST", TAGS, {"tags": ["four", "one"]}),
    neutron("tags-has", "GET", f"{TAGS}/four"),
    neutron("tags-has-not", "GET", f"{TAGS}/nine"),
    neutron("tags-remove", "DELETE", f"{TAGS}/four"),
    neutron("tags-remove-again", "DELETE", f"{TAGS}/four"),
    neutron("tags-shown", "GET", "/v2.0/networks/{tagged}"),
    neutron("tags-filter", "GET", "/v2.0/networks?tags=one,two&fields=tags"),
    neutron("tags-filter-any", "GET", "/v2.0/networks?tags-any=one,nine&fields=tags"),
    neutron("tags-filter-not", "GET", "/v2.0/networks?not-tags=one&name=tags"),
    neutron("tags-no-tags", "PUT", TAGS, {}),
    neutron("tags-text", "PUT", TAGS, {"tags": "one"}),
    neutron("tags-number", "PUT", TAGS, {"tags": [1]}),
    neutron("tags-twice", "PUT", TAGS, {"tags": ["one", "one"]}),
    neutron("tags-long", "PUT", f"{TAGS}/{'t' * 256}"),
    neutron("tags-many", "PUT", TAGS, {"tags": [f"tag-{number}" for number in range(51)]}),
    neutron("tags-foreign", "GET", TAGS, user="bob"),
    neutron("tags-add-foreign", "PUT", f"{TAGS}/five", user="bob"),
    neutron("tags-reader", "GET", TAGS, user="rita"),
    neutron("tags-add-reader", "PUT", f"{TAGS}/five", user="rita"),
    neutron("tags-clear", "DELETE", TAGS),
    neutron("tags-cleared", "GET", TAGS),
    neutron(
        "tags-group",
        "POST",
        "/v2.0/security-groups",
        {"security_group": {"name": "tags"}},
        keep={"tagged_group": "security_group.id"},
    ),
    neutron("tags-group-replace", "PUT", GROUP_TAGS, {"tags": ["one"]}),
    neutron("tags-group-list", "GET", GROUP_TAGS),
    neutron("tags-group-delete", "DELETE", "/v2.0/security-groups/{tagged_group}"),
    neutron("tags-network-delete", "DELETE", "/v2.0/networks/{tagged}"),
)
