"""Migrations in the in-memory Nova, which resizes make on its one host, and the events of other services.

Nova's own words are in nova/api/openstack/compute/migrations.py and server_external_events.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.nova.microversions import MIGRATION, microversion, shown
from hyperx_glance.testing.memory.nova.records import HOST, Server
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import check_keys, check_limit, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_STRICT, _PAGES = (2, 59), (2, 59)
_QUERY: Final = {
    **dict.fromkeys(("hidden", "host", "instance_uuid", "source_compute", "status", "migration_type"), (2, 1)),
    **dict.fromkeys(("limit", "marker", "changes-since"), (2, 59)),
    "changes-before": (2, 66),
    **dict.fromkeys(("user_id", "project_id"), (2, 80)),
}
"""The keys of a query, and the microversion since which each is known."""
_EVENTS: Final[Mapping[str, tuple[int, int]]] = {
    "network-changed": (2, 1),
    "network-vif-plugged": (2, 1),
    "network-vif-unplugged": (2, 1),
    "network-vif-deleted": (2, 1),
    "volume-extended": (2, 51),
    "power-update": (2, 76),
    "accelerator-request-bound": (2, 82),
    "volume-reimaged": (2, 93),
}
_TAGGED: Final = ("volume-extended", "power-update", "accelerator-request-bound")
_STATUSES: Final = ["failed", "completed", "in-progress"]
_KEYS: Final = ("name", "server_uuid", "status", "tag")


class Migrations(State):
    """The part of Nova that lists migrations, and takes events."""

    def _note_migration(self, call: Call, server: Server, kind: str) -> None:
        """Record that a server is resized or moved."""
        numbers = {flavor_id: number for number, flavor_id in enumerate(self.flavors, 1)}
        former = server.former_flavor or server.flavor
        now = microseconds(self.now())
        self.migrations.append(
            {
                "id": len(self.migrations) + 1,
                "uuid": str(self.ids.uuid4()),
                "instance_uuid": server.id,
                "source_compute": HOST,
                "source_node": HOST,
                "dest_compute": HOST,
                "dest_node": HOST,
                "dest_host": "127.0.0.1",
                "status": "finished",
                "migration_type": kind,
                "old_instance_type_id": numbers.get(former.id, 0),
                "new_instance_type_id": numbers.get(server.flavor.id, 0),
                "user_id": call.who.user_id,
                "project_id": call.who.project_id,
                "created_at": now,
                "updated_at": now,
            }
        )

    def _end_migration(self, server: Server, status: str) -> None:
        """Record how the last migration of a server ended."""
        last = next((each for each in reversed(self.migrations) if each["instance_uuid"] == server.id), None)
        if last is not None:
            last |= {"status": status, "updated_at": microseconds(self.now())}

    def _list_migrations(self, call: Call) -> Reply:
        version = microversion(call)
        _check_query(call)
        if not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow os_compute_api:os-migrations:index to be performed.")
        keys = [key for key in ("instance_uuid", "status", "migration_type", "source_compute") if call.value(key)]
        found = [
            migration
            for migration in self.migrations
            if migration["instance_uuid"] in self.servers
            and all(str(migration[key]) == call.value(key) for key in keys)
        ]
        links: Record = {}
        if version >= _PAGES:
            found = self._page_of_migrations(call, found[::-1])
            links = self._next("migrations_links", call, [each["uuid"] for each in found])
        return json_reply(200, {"migrations": [shown(each, MIGRATION, version) for each in found], **links})

    def _page_of_migrations(self, call: Call, found: list[Record]) -> list[Record]:
        marker = call.value("marker")
        if marker:
            ids = [each["uuid"] for each in found]
            if marker not in ids:
                raise Refused(400, f"Marker {marker} could not be found.")
            found = found[ids.index(marker) + 1 :]
        return found[: int(call.value("limit"))] if call.value("limit") else found

    def _list_server_migrations(self, call: Call, server_id: str) -> Reply:
        """Answer with those that are under way, of which there are none."""
        if microversion(call) < (2, 23):
            raise Refused(404, "The resource could not be found.")
        self._demand_administrator(call, "servers:migrations:index")
        self._found(call, server_id)
        return json_reply(200, {"migrations": []})

    # ------------------------------------------------------------- events

    def _take_events(self, call: Call) -> Reply:
        events = _checked_events(call)
        self._demand_administrator(call, "os-server-external-events:create")
        answers = [self._taken(event) for event in events]
        status = 200 if all(answer["code"] == 200 for answer in answers) else 207
        return json_reply(status, {"events": answers})

    def _taken(self, event: Record) -> Record:
        server = self.servers.get(event["server_uuid"])
        if server is None:
            return {**event, "status": "failed", "code": 404}
        if event["name"] in _TAGGED and "tag" not in event:
            return {**event, "status": "failed", "code": 400}
        if server.status in ("SHELVED_OFFLOADED", "BUILD"):
            return {**event, "status": "failed", "code": 422}  # it has no host
        return {**event, "status": "completed", "code": 200}


def _check_query(call: Call) -> None:
    version = microversion(call)
    for key, _ in call.query:
        if version >= _STRICT and (key not in _QUERY or _QUERY[key] > version):
            words = f"Additional properties are not allowed ({key!r} was unexpected)"
            raise Refused(400, words)
    if version >= _PAGES:
        check_limit(call)


def _checked_events(call: Call) -> list[Record]:
    body = call.json()
    if not isinstance(body, dict) or "events" not in body:
        raise Refused(400, "'events' is a required property")
    events = body["events"]
    if not isinstance(events, list):
        raise invalid("events", events, f"{events!r} is not of type 'array'")
    if not events:
        raise invalid("events", events, f"{events!r} should be non-empty")
    for number, event in enumerate(events):
        _check_event(call, str(number), event)
    return events


def _check_event(call: Call, number: str, event: Record) -> None:
    version = microversion(call)
    if not isinstance(event, dict):
        raise invalid(number, event, f"{event!r} is not of type 'object'")
    check_keys(number, event, allowed=_KEYS, required=("name", "server_uuid"))
    known = [name for name, since in _EVENTS.items() if since <= version]
    if event["name"] not in known:
        raise invalid("name", event["name"], f"{event['name']!r} is not one of {known!r}")
    if not is_uuid(event["server_uuid"]):
        raise invalid("server_uuid", event["server_uuid"], f"{event['server_uuid']!r} is not a 'uuid'")
    if event.get("status", "completed") not in _STATUSES:
        raise invalid("status", event["status"], f"{event['status']!r} is not one of {_STATUSES!r}")
    if not isinstance(event.get("tag", ""), str):
        raise invalid("tag", event["tag"], f"{event['tag']!r} is not of type 'string'")
