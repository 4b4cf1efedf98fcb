"""What the tour asks of Nova's list of migrations, and the events that it is sent by other services."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.nova import NEWEST, nova, server
from tests.tour.player import Step

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
EVERY: Final = "/os-migrations"
EVENTS: Final = "/os-server-external-events"
ONE: Final = "/servers/{mover}"


def migrations(name: str, query: str = "", **more: Any) -> Step:  # noqa: ANN401
    return nova(f"migrations-{name}", "GET", f"{EVERY}{query}", **{"user": "admin", **more})


def event(title: str, /, *, version: str | None = None, user: str = "admin", **given: object) -> Step:
    """Send one event."""
    wanted = {"name": "network-changed", "server_uuid": "{mover}", **given}
    body = {"events": [{key: value for key, value in wanted.items() if value is not ...}]}
    return nova(f"event-{title}", "POST", EVENTS, body, user=user, version=version)


STEPS: Final = (
    migrations("none"),
    migrations("member", user="alice"),
    migrations("unknown-key", "?colour=red"),
    migrations("unknown-key-newer", "?colour=red", version="2.59"),
    migrations("bad-limit", "?limit=x", version="2.59"),
    migrations("bad-marker", "?marker=nothing", version="2.59"),
    nova("migration-flavors", "GET", "/flavors", keep={"first": "flavors.1.id", "second": "flavors.0.id"}),
    nova(
        "migration-server",
        "POST",
        "/servers",
        {"server": {**server()["server"], "flavorRef": "{first}"}},  # type: ignore[dict-item]  # a mapping
        version="2.37",
        keep={"mover": "server.id"},
    ),
    nova("migration-server-done", "GET", ONE, again='"ACTIVE"'),
    event("network"),
    event("unplugged", name="network-vif-unplugged", tag=NOBODY, status="failed"),
    event("member", user="alice"),
    event("no-name", name=...),
    event("no-server", server_uuid=...),
    event("bad-name", name="x"),
    event("bad-server", server_uuid="x"),
    event("bad-status", status="x"),
    event("bad-tag", tag=5),
    event("unknown-key", colour="red"),
    event("unknown-server", server_uuid=NOBODY),
    event("extended-old", name="volume-extended", tag=NOBODY),
    event("extended", name="volume-extended", tag=NOBODY, version="2.51"),
    event("no-tag", name="volume-extended", version="2.51"),
    event("power", name="power-update", tag="POWER_ON", version="2.76"),
    nova("event-empty", "POST", EVENTS, {}, user="admin"),
    nova("event-none", "POST", EVENTS, {"events": []}, user="admin"),
    nova("event-list", "POST", EVENTS, {"events": "x"}, user="admin"),
    nova(
        "event-two",
        "POST",
        EVENTS,
        {
            "events": [
                {"name": "network-changed", "server_uuid": NOBODY},
                {"name": "network-changed", "server_uuid": "{mover}"},
            ]
        },
        user="admin",
    ),
    nova("migration-resize", "POST", f"{ONE}/action", {"resize": {"flavorRef": "{second}"}}),
    nova("migration-resized", "GET", ONE, again='"VERIFY_RESIZE"'),
    migrations("one"),
    migrations("one-links", version="2.23"),
    migrations("one-uuid", version="2.59"),
    migrations("one-newest", version=NEWEST),
    migrations("server", "?instance_uuid={mover}"),
    migrations("other-server", f"?instance_uuid={NOBODY}"),
    migrations("type", "?migration_type=resize"),
    migrations("status", "?status=error"),
    migrations("limit", "?limit=1", version="2.59"),
    nova("server-migrations", "GET", f"{ONE}/migrations", user="admin", version="2.23"),
    nova("migration-confirm", "POST", f"{ONE}/action", {"confirmResize": None}),
    nova("migration-confirmed", "GET", ONE, again='"ACTIVE"'),
    migrations("confirmed"),
    nova("migration-server-delete", "DELETE", ONE),
    nova("migration-server-gone", "GET", ONE, again="-"),
    migrations("gone"),
)
