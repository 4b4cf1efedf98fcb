"""What the tour writes to Placement: providers, inventories, traits, aggregates, classes and allocations."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.placement import NOBODY, placement
from tests.tour.player import Step

EVERY: Final = "/resource_providers"
ONE: Final = f"{EVERY}/{{made}}"
CHILD: Final = f"{EVERY}/{{child}}"
CONSUMER: Final = "22222222-2222-4222-8222-222222222222"
AGGREGATE: Final = "33333333-3333-4333-8333-333333333333"


def write(name: str, method: str, path: str, body: object = None, *, version: str = "1.39", **more: Any) -> Step:  # noqa: ANN401
    headers = {"OpenStack-API-Version": f"placement {version}"}
    return placement(name, path, method, body, headers=headers, **more)


def allocate(name: str, amount: int, *, consumer: str = CONSUMER, **more: object) -> Step:
    """Take some of the resource for a consumer."""
    body: dict[str, object] = {
        "allocations": {"{made}": {"resources": {"CUSTOM_TOUR": amount}}},
        "project_id": "{department}",
        "user_id": "{alice}",
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
        **more,
    }
    wanted = {key: value for key, value in body.items() if value is not ...}
    return write(f"allocate-{name}", "PUT", f"/allocations/{consumer}", wanted)


CLASSES: Final = (
    write("class-create-empty", "POST", "/resource_classes", {}),
    write("class-create-standard", "POST", "/resource_classes", {"name": "VCPU"}),
    write("class-create-member", "POST", "/resource_classes", {"name": "CUSTOM_TOUR"}, user="alice"),
    write("class-create", "POST", "/resource_classes", {"name": "CUSTOM_TOUR"}),
    write("class-create-again", "POST", "/resource_classes", {"name": "CUSTOM_TOUR"}),
    write("class-made", "GET", "/resource_classes/CUSTOM_TOUR"),
    write("class-put", "PUT", "/resource_classes/CUSTOM_OTHER"),
    write("class-put-again", "PUT", "/resource_classes/CUSTOM_OTHER"),
    write("class-put-standard", "PUT", "/resource_classes/OTHER"),
    write("class-delete-member", "DELETE", "/resource_classes/CUSTOM_OTHER", user="alice"),
    write("class-delete-standard", "DELETE", "/resource_classes/VCPU"),
    write("class-delete", "DELETE", "/resource_classes/CUSTOM_OTHER"),
    write("class-delete-again", "DELETE", "/resource_classes/CUSTOM_OTHER"),
)
PROVIDERS: Final = (
    write("provider-create-empty", "POST", EVERY, {}),
    write("provider-create-number", "POST", EVERY, {"name": 5}),
    write("provider-create-key", "POST", EVERY, {"name": "x", "colour": "red"}),
    write("provider-create-bad-id", "POST", EVERY, {"name": "x", "uuid": "x"}),
    write("provider-create-parent", "POST", EVERY, {"name": "x", "parent_provider_uuid": NOBODY}),
    write("provider-create-member", "POST", EVERY, {"name": "x"}, user="alice"),
    write("provider-create", "POST", EVERY, {"name": "tour"}, keep={"made": "uuid"}),
    write("provider-create-again", "POST", EVERY, {"name": "tour"}),
    write("provider-create-old", "POST", EVERY, {"name": "old", "uuid": CONSUMER}, version="1.0"),
    write("provider-create-same-id", "POST", EVERY, {"name": "older", "uuid": CONSUMER}),
    write("provider-delete-old", "DELETE", f"{EVERY}/{CONSUMER}", version="1.0"),
    write(
        "provider-create-child",
        "POST",
        EVERY,
        {"name": "child", "parent_provider_uuid": "{made}"},
        keep={"child": "uuid"},
    ),
    write("provider-made", "GET", ONE),
    write("provider-child", "GET", CHILD),
    write("provider-named", "GET", f"{EVERY}?name=tour"),
    write("provider-tree", "GET", f"{EVERY}?in_tree={{child}}"),
    write("provider-update", "PUT", ONE, {"name": "tour-2"}),
    write("provider-update-empty", "PUT", ONE, {}),
    write("provider-update-taken", "PUT", ONE, {"name": "child"}),
    write("provider-update-member", "PUT", ONE, {"name": "x"}, user="alice"),
    write("provider-update-unknown", "PUT", f"{EVERY}/{NOBODY}", {"name": "x"}),
    write("provider-delete-parent", "DELETE", ONE),
    write("provider-delete-child", "DELETE", CHILD),
    write("provider-delete-child-again", "DELETE", CHILD),
    write("provider-delete-member", "DELETE", ONE, user="alice"),
)
INVENTORIES: Final = (
    write("inventory-create-empty", "POST", f"{ONE}/inventories", {}),
    write("inventory-create-no-total", "POST", f"{ONE}/inventories", {"resource_class": "CUSTOM_TOUR"}),
    write("inventory-create-zero", "POST", f"{ONE}/inventories", {"resource_class": "CUSTOM_TOUR", "total": 0}),
    write("inventory-create-class", "POST", f"{ONE}/inventories", {"resource_class": "CUSTOM_NOTHING", "total": 1}),
    write(
        "inventory-create-reserved",
        "POST",
        f"{ONE}/inventories",
        {"resource_class": "CUSTOM_TOUR", "total": 1, "reserved": 2},
    ),
    write("inventory-create", "POST", f"{ONE}/inventories", {"resource_class": "CUSTOM_TOUR", "total": 10}),
    write(
        "inventory-create-unknown",
        "POST",
        f"{EVERY}/{NOBODY}/inventories",
        {"resource_class": "CUSTOM_TOUR", "total": 10},
    ),
    write("inventory-made", "GET", f"{ONE}/inventories/CUSTOM_TOUR"),
    write("inventories-made", "GET", f"{ONE}/inventories"),
    write(
        "inventory-update",
        "PUT",
        f"{ONE}/inventories/CUSTOM_TOUR",
        {"total": 20, "step_size": 2, "resource_provider_generation": 1},
    ),
    write(
        "inventory-update-generation",
        "PUT",
        f"{ONE}/inventories/CUSTOM_TOUR",
        {"total": 30, "resource_provider_generation": 1},
    ),
    write("inventory-update-no-generation", "PUT", f"{ONE}/inventories/CUSTOM_TOUR", {"total": 30}),
    write(
        "inventory-update-absent",
        "PUT",
        f"{ONE}/inventories/VCPU",
        {"total": 30, "resource_provider_generation": 2},
    ),
    write(
        "inventories-set-generation",
        "PUT",
        f"{ONE}/inventories",
        {"inventories": {"CUSTOM_TOUR": {"total": 10}}, "resource_provider_generation": 1},
    ),
    write(
        "inventories-set",
        "PUT",
        f"{ONE}/inventories",
        {"inventories": {"CUSTOM_TOUR": {"total": 10}, "VCPU": {"total": 4}}, "resource_provider_generation": 2},
    ),
    write("inventories-set-empty", "PUT", f"{ONE}/inventories", {}),
    write("inventory-delete-absent", "DELETE", f"{ONE}/inventories/DISK_GB"),
    write("inventory-delete", "DELETE", f"{ONE}/inventories/VCPU"),
    write("inventory-delete-member", "DELETE", f"{ONE}/inventories/CUSTOM_TOUR", user="alice"),
)
TRAITS: Final = (
    write("trait-create", "PUT", "/traits/CUSTOM_TOUR"),
    write("trait-create-again", "PUT", "/traits/CUSTOM_TOUR"),
    write("trait-create-standard", "PUT", "/traits/HW_TOUR"),
    write("trait-create-member", "PUT", "/traits/CUSTOM_TOUR", user="alice"),
    write("trait-standard", "GET", "/traits/COMPUTE_STATUS_DISABLED"),
    write("traits-set", "PUT", f"{ONE}/traits", {"traits": ["CUSTOM_TOUR"], "resource_provider_generation": 4}),
    write(
        "traits-set-generation", "PUT", f"{ONE}/traits", {"traits": ["CUSTOM_TOUR"], "resource_provider_generation": 4}
    ),
    write(
        "traits-set-unknown", "PUT", f"{ONE}/traits", {"traits": ["CUSTOM_NOTHING"], "resource_provider_generation": 5}
    ),
    write("traits-set-empty", "PUT", f"{ONE}/traits", {}),
    write("traits-made", "GET", f"{ONE}/traits"),
    write("traits-associated", "GET", "/traits?name=startswith:CUSTOM_&associated=true"),
    write("trait-in-use", "DELETE", "/traits/CUSTOM_TOUR"),
    write("trait-delete-standard", "DELETE", "/traits/COMPUTE_NODE"),
    write("traits-delete", "DELETE", f"{ONE}/traits"),
    write("trait-delete", "DELETE", "/traits/CUSTOM_TOUR"),
    write("trait-delete-again", "DELETE", "/traits/CUSTOM_TOUR"),
)
AGGREGATES: Final = (
    write(
        "aggregates-set",
        "PUT",
        f"{ONE}/aggregates",
        {"aggregates": [AGGREGATE], "resource_provider_generation": 6},
    ),
    write(
        "aggregates-set-generation",
        "PUT",
        f"{ONE}/aggregates",
        {"aggregates": [AGGREGATE], "resource_provider_generation": 6},
    ),
    write("aggregates-set-bad", "PUT", f"{ONE}/aggregates", {"aggregates": ["x"], "resource_provider_generation": 7}),
    write("aggregates-set-old", "PUT", f"{ONE}/aggregates", [AGGREGATE], version="1.1"),
    write("aggregates-made", "GET", f"{ONE}/aggregates"),
    write("aggregates-made-old", "GET", f"{ONE}/aggregates", version="1.1"),
    write("aggregates-member", "GET", f"{EVERY}?member_of={AGGREGATE}"),
)
ALLOCATIONS: Final = (
    allocate("empty", 1, allocations=...),
    allocate("no-generation", 1, consumer_generation=...),
    allocate("no-project", 1, project_id=...),
    allocate("bad-id", 1, consumer="x"),
    allocate("unknown-provider", 1, consumer=NOBODY, allocations={NOBODY: {"resources": {"CUSTOM_TOUR": 1}}}),
    allocate("left-behind", 1, consumer=NOBODY),
    allocate("unknown-class", 1, allocations={"{made}": {"resources": {"CUSTOM_NOTHING": 1}}}),
    allocate("absent-class", 1, allocations={"{made}": {"resources": {"VCPU": 1}}}),
    allocate("zero", 0),
    allocate("too-many", 11),
    allocate("first", 4),
    allocate("conflict", 4),
    allocate("more", 5, consumer_generation=1),
    write("allocations-made", "GET", f"/allocations/{CONSUMER}"),
    write("allocations-made-old", "GET", f"/allocations/{CONSUMER}", version="1.0"),
    write("allocations-of-provider", "GET", f"{ONE}/allocations"),
    write("allocations-usages", "GET", f"{ONE}/usages"),
    write("allocations-total", "GET", "/usages?project_id={department}"),
    allocate("beyond", 6, consumer=AGGREGATE),
    write("inventory-in-use", "DELETE", f"{ONE}/inventories/CUSTOM_TOUR"),
    write("class-in-use", "DELETE", "/resource_classes/CUSTOM_TOUR"),
    write("provider-in-use", "DELETE", ONE),
    write("candidates", "GET", "/allocation_candidates?resources=CUSTOM_TOUR:2"),
    write("candidates-none", "GET", "/allocation_candidates?resources=CUSTOM_TOUR:9"),
    write("candidates-no-resources", "GET", "/allocation_candidates"),
    write("candidates-bad", "GET", "/allocation_candidates?resources=x"),
    write("candidates-class", "GET", "/allocation_candidates?resources=CUSTOM_NOTHING:1"),
    write("candidates-limit", "GET", "/allocation_candidates?resources=CUSTOM_TOUR:1&limit=x"),
    write("candidates-member", "GET", "/allocation_candidates?resources=CUSTOM_TOUR:1", user="alice"),
    write("candidates-old", "GET", "/allocation_candidates?resources=CUSTOM_TOUR:1", version="1.9"),
    write("candidates-list", "GET", "/allocation_candidates?resources=CUSTOM_TOUR:2", version="1.10"),
    write("allocations-delete-member", "DELETE", f"/allocations/{CONSUMER}", user="alice"),
    write("allocations-delete", "DELETE", f"/allocations/{CONSUMER}"),
    write("allocations-delete-again", "DELETE", f"/allocations/{CONSUMER}"),
    write(
        "allocations-several",
        "POST",
        "/allocations",
        {
            CONSUMER: {
                "allocations": {"{made}": {"resources": {"CUSTOM_TOUR": 3}}},
                "project_id": "{department}",
                "user_id": "{alice}",
                "consumer_generation": None,
                "consumer_type": "INSTANCE",
            }
        },
    ),
    write("allocations-several-empty", "POST", "/allocations", {}),
    write("allocations-several-made", "GET", f"/allocations/{CONSUMER}"),
    allocate("nothing", 0, allocations={}, consumer_generation=1),
    write("allocations-left", "GET", f"/allocations/{CONSUMER}"),
)
END: Final = (
    write("inventories-delete", "DELETE", f"{ONE}/inventories"),
    write("inventories-deleted", "GET", f"{ONE}/inventories"),
    write("provider-delete", "DELETE", ONE),
    write("provider-delete-again", "DELETE", ONE),
    write("class-delete-last", "DELETE", "/resource_classes/CUSTOM_TOUR"),
)
STEPS: Final = (*CLASSES, *PROVIDERS, *INVENTORIES, *TRAITS, *AGGREGATES, *ALLOCATIONS, *END)
