"""What the tour asks of Cinder's QoS specs."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.cinder import NOBODY
from tests.tour.others import cinder
from tests.tour.player import Step

SPECS: Final = "/qos-specs"
ONE: Final = f"{SPECS}/{{qos}}"


def qos(name: str, method: str, path: str = SPECS, body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return cinder(f"qos-{name}", method, path, body, **{"user": "admin", **more})


STEPS: Final = (
    qos("empty", "GET"),
    qos("member", "GET", user="alice"),
    qos("create-member", "POST", body={"qos_specs": {"name": "slow"}}, user="alice"),
    qos("create-nothing", "POST", body={}),
    qos("create-no-name", "POST", body={"qos_specs": {}}),
    qos("create-blank", "POST", body={"qos_specs": {"name": " "}}),
    qos("create-consumer", "POST", body={"qos_specs": {"name": "x", "consumer": "nobody"}}),
    qos(
        "create",
        "POST",
        body={"qos_specs": {"name": "slow", "consumer": "front-end", "read_iops_sec": "1000"}},
        keep={"qos": "qos_specs.id"},
    ),
    qos("create-again", "POST", body={"qos_specs": {"name": "slow"}}),
    qos("show", "GET", ONE),
    qos("show-unknown", "GET", f"{SPECS}/{NOBODY}"),
    qos("list", "GET"),
    qos("update", "PUT", ONE, {"qos_specs": {"write_iops_sec": "500", "consumer": "both"}}),
    qos("update-nothing", "PUT", ONE, {}),
    qos("update-number", "PUT", ONE, {"qos_specs": {"write_iops_sec": 5}}),
    qos("update-unknown", "PUT", f"{SPECS}/{NOBODY}", {"qos_specs": {"a": "b"}}),
    qos("keys-delete", "PUT", f"{ONE}/delete_keys", {"keys": ["write_iops_sec"]}),
    qos("keys-delete-again", "PUT", f"{ONE}/delete_keys", {"keys": ["write_iops_sec"]}),
    qos("keys-delete-nothing", "PUT", f"{ONE}/delete_keys", {}),
    cinder(
        "qos-type",
        "POST",
        "/types",
        {"volume_type": {"name": "slow"}},
        user="admin",
        keep={"slow": "volume_type.id"},
    ),
    qos("associate-nothing", "GET", f"{ONE}/associate"),
    qos("associate-unknown", "GET", f"{ONE}/associate?vol_type_id={NOBODY}"),
    qos("associate", "GET", f"{ONE}/associate?vol_type_id={{slow}}"),
    qos("associations", "GET", f"{ONE}/associations"),
    qos("type-show", "GET", "/types/{slow}"),
    qos("in-use", "DELETE", ONE),
    qos("disassociate", "GET", f"{ONE}/disassociate?vol_type_id={{slow}}"),
    qos("disassociated", "GET", f"{ONE}/associations"),
    qos("associate-once-more", "GET", f"{ONE}/associate?vol_type_id={{slow}}"),
    qos("disassociate-all", "GET", f"{ONE}/disassociate_all"),
    qos("delete-member", "DELETE", ONE, user="alice"),
    qos("delete", "DELETE", ONE),
    qos("delete-again", "DELETE", ONE),
    qos("type-delete", "DELETE", "/types/{slow}"),
)
