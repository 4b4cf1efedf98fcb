"""How the in-memory Nova filters servers (nova/api/openstack/compute/servers.py, nova/compute/api.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.records import VM_STATES, Server
from hyperx_glance.testing.memory.nova.validation import check_limit, wrong_query
from hyperx_glance.testing.memory.wire import Call, Refused, searcher

_FILTERS = (
    "all_tenants",
    "availability_zone",
    "changes-since",
    "changes-before",
    "deleted",
    "flavor",
    "host",
    "image",
    "ip",
    "ip6",
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


_SORT_KEYS = [
    "access_ip_v4",
    "access_ip_v6",
    "auto_disk_config",
    "availability_zone",
    "config_drive",
    "created_at",
    "display_description",
    "display_name",
    "host",
    "hostname",
    "image_ref",
    "instance_type_id",
    "kernel_id",
    "key_name",
    "launch_index",
    "launched_at",
    "locked_by",
    "node",
    "power_state",
    "progress",
    "project_id",
    "ramdisk_id",
    "root_device_name",
    "task_state",
    "terminated_at",
    "updated_at",
    "user_id",
    "uuid",
    "vm_state",
    "architecture",
    "cell_name",
    "cleaned",
    "default_ephemeral_device",
    "default_swap_device",
    "deleted",
    "deleted_at",
    "disable_terminate",
    "ephemeral_gb",
    "ephemeral_key_uuid",
    "id",
    "key_data",
    "launched_on",
    "locked",
    "memory_mb",
    "os_type",
    "reservation_id",
    "root_gb",
    "shutdown_terminate",
    "user_data",
    "vcpus",
    "vm_mode",
]
_YES = ("1", "t", "true", "on", "y", "yes")
_NO = ("0", "f", "false", "off", "n", "no")


def flag_word(value: str) -> bool | None:
    """Read a flag in words (oslo_utils/strutils.py, bool_from_string); return None if it is not a flag."""
    word = value.strip().lower()
    return True if word in _YES else False if word in _NO else None


def wants_everybody(call: Call) -> bool:
    """Read all_tenants, which means yes even without a value (oslo_utils/strutils.py, bool_from_string)."""
    if not call.values("all_tenants"):
        return False
    value = call.value("all_tenants")
    if value.strip().lower() in ("", *_YES):
        return True
    if value.strip().lower() in _NO:
        return False
    words = ", ".join(f"'{word}'" for word in sorted((*_YES, *_NO)))
    raise Refused(400, f"Unrecognized value '{value}', acceptable values are: {words}")


def check_filters(call: Call, version: tuple[int, int]) -> None:
    """Refuse filters that the schema at this microversion does not know."""
    for key, value in call.query:
        if key not in _FILTERS and version >= (2, 75):
            raise Refused(400, f"{key!r} does not match any of the regexes: '^_'")
        if key in ("name", "ip", "ip6") and not _is_pattern(value):
            raise wrong_query(key, value, f"{value!r} is not a 'regex'")
        if key in ("changes-since", "changes-before") and read_time(value) is None:
            raise wrong_query(key, value, f"{value!r} is not a 'date-time'")
        if key == "sort_key" and value not in _SORT_KEYS:
            raise wrong_query(key, value, f"{value!r} is not one of {_SORT_KEYS!r}")
        if key == "sort_dir" and value not in ("asc", "desc"):
            raise Refused(400, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'")
    check_limit(call)


def _is_pattern(value: str) -> bool:
    try:
        searcher(value)
        searcher(at_beginning(value))
    except ValueError:
        return False
    return True


def at_beginning(pattern: str) -> str:
    """Anchor a regular expression, as Python's ``match`` does."""
    return f"^(?:{pattern})"


def read_time(value: str) -> datetime | None:
    """Read a time of a query; one without a zone is UTC. Return None if it is not a time."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def plain_tests(call: Call) -> list[Callable[[Server], bool]]:
    """Make one test for each filter that everybody may use."""
    status = call.value("status").upper()
    if status and status not in (*VM_STATES, "DELETED", "PAUSED", "SUSPENDED", "RESIZE", "VERIFY_RESIZE"):
        if microversion(call) >= (2, 38):
            raise Refused(400, "Invalid status value")
        return [lambda _: False]
    known: Mapping[str, Callable[[Server, str], bool]] = {
        "name": lambda server, value: searcher(value)(server.name),
        "image": lambda server, value: server.image_id == value,
        "flavor": lambda server, value: server.flavor.id == value,
        "status": lambda server, value: server.status == value.upper(),
        "reservation_id": lambda server, value: server.reservation_id == value,
        "key_name": lambda server, value: server.body.get("key_name") == value,
        "changes-since": lambda server, value: server.created_at >= (read_time(value) or server.created_at),
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
