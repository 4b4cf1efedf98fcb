"""How the in-memory Nova filters servers (nova/api/openstack/compute/servers.py, nova/compute/api.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from hyperx_glance.testing.memory.nova.records import VM_STATES, Server
from hyperx_glance.testing.memory.wire import Call, Refused

_FILTERS = (
    "all_tenants",
    "availability_zone",
    "changes-since",
    "changes-before",
    "deleted",
    "flavor",
    "host",
    "image",
    "key_name",
    "limit",
    "marker",
    "metadata",
    "name",
    "not-tags",
    "not-tags-any",
    "project_id",
    "reservation_id",
    "sort_dir",
    "sort_key",
    "status",
    "tags",
    "tags-any",
    "tenant_id",
    "user_id",
    "uuid",
)


def check_filters(call: Call, version: tuple[int, int]) -> None:
    """Refuse filters that the schema at this microversion does not know."""
    for key, value in call.query:
        if key not in _FILTERS and version >= (2, 75):
            raise Refused(400, f"{key!r} does not match any of the regexes: '^_'")
        if key == "limit" and not re.fullmatch("[0-9]+", value):
            reason = f"{value!r} does not match '^[0-9]*$'"
            raise Refused(400, f"Invalid input for query parameters limit. Value: {value}. {reason}")


def plain_tests(call: Call) -> list[Callable[[Server], bool]]:
    """Make one test for each filter that everybody may use."""
    status = call.value("status").upper()
    if status and status not in (*VM_STATES, "DELETED", "PAUSED", "SUSPENDED", "RESIZE", "VERIFY_RESIZE"):
        raise Refused(400, "Invalid status value")
    known: Mapping[str, Callable[[Server, str], bool]] = {
        "name": lambda server, value: re.search(value, server.name) is not None,
        "image": lambda server, value: server.image_id == value,
        "flavor": lambda server, value: server.flavor.id == value,
        "status": lambda server, value: server.status == value.upper(),
        "reservation_id": lambda server, value: server.reservation_id == value,
        "key_name": lambda server, value: server.body.get("key_name") == value,
        "changes-since": lambda server, value: server.created_at >= datetime.fromisoformat(value),
    }

    def test(key: str, value: str) -> Callable[[Server], bool]:
        return lambda server: known[key](server, value)

    return [test(key, value) for key, value in call.query if key in known and value]


def tag_tests(call: Call) -> list[Callable[[Server], bool]]:
    """Make one test for each filter by tags."""

    def words(key: str) -> set[str]:
        return set(call.value(key).split(","))

    tests: list[Callable[[Server], bool]] = []
    if call.values("tags"):
        tests.append(lambda server: words("tags") <= set(server.tags))
    if call.values("tags-any"):
        tests.append(lambda server: bool(words("tags-any") & set(server.tags)))
    if call.values("not-tags"):
        tests.append(lambda server: not words("not-tags") <= set(server.tags))
    if call.values("not-tags-any"):
        tests.append(lambda server: not words("not-tags-any") & set(server.tags))
    return tests
