"""What the tour asks of Placement."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.player import Step

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
ONE: Final = "/resource_providers/{provider}"


def placement(name: str, path: str, method: str = "GET", body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return Step(f"placement/{name}", "placement", method, path, body, **{"user": "admin", **more})


def newer(name: str, path: str, version: str = "1.39", **more: Any) -> Step:  # noqa: ANN401 - as given
    return placement(name, path, headers={"OpenStack-API-Version": f"placement {version}"}, **more)


STEPS: Final = (
    placement("root", "/"),
    placement("providers", "/resource_providers", keep={"provider": "resource_providers.0.uuid"}),
    newer("providers-new", "/resource_providers"),
    placement("providers-member", "/resource_providers", user="alice"),
    placement("providers-named", "/resource_providers?name=nothing"),
    placement("providers-id", "/resource_providers?uuid={provider}"),
    placement("providers-bad-id", "/resource_providers?uuid=x"),
    placement("providers-unknown-key", "/resource_providers?colour=red"),
    placement("provider", ONE),
    newer("provider-new", ONE),
    placement("provider-unknown", f"/resource_providers/{NOBODY}"),
    placement("provider-member", ONE, user="alice"),
    placement("inventories", f"{ONE}/inventories"),
    placement("inventories-unknown", f"/resource_providers/{NOBODY}/inventories"),
    placement("inventories-member", f"{ONE}/inventories", user="alice"),
    placement("inventory", f"{ONE}/inventories/VCPU"),
    placement("inventory-absent", f"{ONE}/inventories/PCI_DEVICE"),
    placement("inventory-unknown", f"{ONE}/inventories/NOTHING"),
    placement("provider-usages", f"{ONE}/usages"),
    placement("provider-usages-unknown", f"/resource_providers/{NOBODY}/usages"),
    newer("aggregates", f"{ONE}/aggregates"),
    newer("provider-traits", f"{ONE}/traits"),
    placement("provider-allocations", f"{ONE}/allocations"),
    newer("usages", "/usages?project_id={department}"),
    newer("usages-own", "/usages?project_id={department}", user="alice"),
    newer("usages-none", "/usages"),
    placement("usages-old", "/usages?project_id={department}"),
    newer("classes", "/resource_classes"),
    newer("classes-member", "/resource_classes", user="alice"),
    placement("classes-old", "/resource_classes"),
    newer("class", "/resource_classes/VCPU"),
    newer("class-unknown", "/resource_classes/NOTHING"),
    newer("traits", "/traits?name=in:COMPUTE_NODE,COMPUTE_VOLUME_EXTEND,CUSTOM_NOTHING"),
    newer("traits-start", "/traits?name=startswith:COMPUTE_VOLUME_ATTACH_WITH"),
    newer("traits-used", "/traits?associated=true"),
    newer("traits-bad", "/traits?name=x"),
    newer("traits-member", "/traits", user="alice"),
    newer("trait", "/traits/COMPUTE_NODE"),
    newer("trait-unknown", "/traits/CUSTOM_NOTHING"),
    newer("allocations", f"/allocations/{NOBODY}"),
    newer("too-new", "/resource_providers", "1.999"),
    newer("bad-version", "/resource_providers", "x"),
    placement("nothing", "/nothing"),
    placement("wrong-method", "/resource_providers", "DELETE"),
)
