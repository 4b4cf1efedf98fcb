"""What the tour asks of the compute service that an administrator disables, and of the actions of a server by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.tour.neutron import NOBODY
from tests.tour.nova import nova, server

if TYPE_CHECKING:
    from tests.tour.player import Step

NEWEST: Final = "2.96"
OLD: Final = {"host": "host1", "binary": "nova-compute"}
ACTIONS: Final = "/servers/{timed}/os-instance-actions"


def update(name: str, body: object, *, of: str = "{compute_service}", user: str = "admin") -> Step:
    return nova(f"service-{name}", "PUT", f"/os-services/{of}", body, user=user, version=NEWEST)


def old(name: str, action: str, body: object, version: str = "2.1", user: str = "admin") -> Step:
    return nova(f"service-old-{name}", "PUT", f"/os-services/{action}", body, user=user, version=version)


def actions(name: str, query: str, version: str = NEWEST) -> Step:
    return nova(f"actions-{name}", "GET", f"{ACTIONS}?{query}", version=version)


STEPS: Final = (
    nova(
        "service-of-compute",
        "GET",
        "/os-services?binary=nova-compute",
        user="admin",
        version="2.53",
        again='"updated_at": "',  # null until it has reported for the second time
        keep={"compute_service": "services.0.id"},
    ),
    nova(
        "service-of-scheduler",
        "GET",
        "/os-services?binary=nova-scheduler",
        user="admin",
        version="2.53",
        again='"updated_at": "',  # null until it has reported for the second time
        keep={"scheduler": "services.0.id"},
    ),
    update("member", {"status": "disabled"}, user="alice"),
    update("nothing", {}),
    update("reason-alone", {"disabled_reason": "later"}),
    update("status-unknown", {"status": "asleep"}),
    update("key-unknown", {"status": "disabled", "colour": "red"}),
    update("reason-empty", {"status": "disabled", "disabled_reason": ""}),
    update("forced-unknown", {"forced_down": "perhaps"}),
    update("not-uuid", {"status": "disabled"}, of="3"),
    update("unknown", {"status": "disabled"}, of=NOBODY),
    update("scheduler", {"status": "disabled"}, of="{scheduler}"),
    update("disabled", {"status": "disabled", "disabled_reason": "repairs"}),
    nova("service-disabled-shown", "GET", "/os-services?binary=nova-compute", user="admin", version=NEWEST),
    update("enabled-with-reason", {"status": "enabled", "disabled_reason": "why"}),
    update("enabled", {"status": "enabled"}),
    update("forced", {"forced_down": True}),
    update("unforced", {"forced_down": "false"}),
    old("member", "disable", OLD, user="alice"),
    old("unknown", "sleep", OLD),
    old("no-host", "disable", {"binary": "nova-compute"}),
    old("other-host", "disable", {**OLD, "host": "nowhere"}),
    old("scheduler", "disable", {**OLD, "binary": "nova-scheduler"}),
    old("no-reason", "disable-log-reason", OLD),
    old("reason", "disable-log-reason", {**OLD, "disabled_reason": "repairs"}),
    old("enable", "enable", OLD),
    old("disable", "disable", OLD),
    old("enable-again", "enable", OLD),
    old("force-early", "force-down", {**OLD, "forced_down": True}),
    old("force", "force-down", {**OLD, "forced_down": True}, "2.11"),
    old("force-nothing", "force-down", OLD, "2.11"),
    old("unforce", "force-down", {**OLD, "forced_down": False}, "2.11"),
    nova("actions-server", "POST", "/servers", server(), version="2.37", keep={"timed": "server.id"}),
    nova("actions-server-built", "GET", "/servers/{timed}", again='"ACTIVE"'),
    actions("since-past", "changes-since=2020-01-01T00:00:00Z"),
    actions("since-future", "changes-since=2100-01-01T00:00:00Z"),
    actions("before-past", "changes-before=2020-01-01T00:00:00Z"),
    actions("before-future", "changes-before=2100-01-01T00:00:00Z&limit=1"),
    actions("backwards", "changes-before=2020-01-01T00:00:00Z&changes-since=2020-01-02T00:00:00Z"),
    actions("bad-since", "changes-since=yesterday"),
    actions("bad-before", "changes-before=yesterday"),
    actions("before-early", "changes-before=2020-01-01T00:00:00Z", version="2.65"),
    actions("unknown-key", "colour=red"),
    actions("unknown-key-old", "colour=red", version="2.57"),
    actions("unknown-marker", "marker=nothing"),
    nova("actions-server-deleted", "DELETE", "/servers/{timed}"),
    nova("actions-server-gone", "GET", "/servers/{timed}", again="-"),
)
