"""What administrators see of the in-memory Nova: hypervisors, services, aggregates, usage, what was done to servers."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.nova.filters import read_time
from hyperx_glance.testing.memory.nova.microversions import AGGREGATE, DEED, HYPERVISOR, microversion, shown
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.records import HOST, VM_STATES, Server
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import (
    check_keys,
    check_name,
    enveloped,
    invalid,
    wrong_query,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_LONGEST = 255
SERVICES = (("nova-scheduler", "internal"), ("nova-conductor", "internal"), ("nova-compute", "nova"))
# What Nova's fake hypervisor has (nova/virt/fake.py, FakeDriver).
SIZE = {"vcpus": 1000, "memory_mb": 800000, "local_gb": 600000}


class Hosts(State):
    """The part of Nova that handles the one host."""

    # ------------------------------------------------------------- hypervisors and services

    def _list_hypervisors(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-hypervisors:list")
        return json_reply(
            200, {"hypervisors": self._matching(call, ("id", "hypervisor_hostname", "state", "status", "servers"))}
        )

    def _list_hypervisor_details(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-hypervisors:list-detail")
        return json_reply(200, {"hypervisors": self._matching(call)})

    def _matching(self, call: Call, keys: tuple[str, ...] = ()) -> list[Record]:
        pattern = call.value("hypervisor_hostname_pattern")
        if pattern not in HOST:
            raise Refused(404, f"No hypervisor matching '{pattern}' could be found.")
        view = self._hypervisor(call)
        return [{key: value for key, value in view.items() if not keys or key in keys}]

    def _show_hypervisor(self, call: Call, hypervisor_id: str) -> Reply:
        self._demand_administrator(call, "os-hypervisors:show")
        view = self._hypervisor(call)
        if microversion(call) >= (2, 53) and not is_uuid(hypervisor_id):
            raise Refused(400, f"Invalid uuid {hypervisor_id}")
        if hypervisor_id != str(view["id"]):
            raise Refused(404, f"Hypervisor with ID '{hypervisor_id}' could not be found.")
        return json_reply(200, {"hypervisor": view})

    def _hypervisor_statistics(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-hypervisors:statistics")
        if microversion(call) > (2, 87):
            raise Refused(404, "The resource could not be found.")
        view = self._hypervisor(call)
        keys = (*SIZE, *(f"{key}_used" for key in SIZE), "free_ram_mb", "free_disk_gb", "running_vms")
        keys = (*keys, "current_workload", "disk_available_least")
        return json_reply(200, {"hypervisor_statistics": {key: view[key] for key in keys} | {"count": 1}})

    def _hypervisor(self, call: Call) -> Record:
        version = microversion(call)
        servers = list(self.servers.values())
        used = {
            "vcpus": sum(server.flavor.vcpus for server in servers),
            "memory_mb": sum(server.flavor.ram for server in servers),
            "local_gb": sum(server.flavor.disk + server.flavor.ephemeral for server in servers),
        }
        named = version >= (2, 53)
        view: Record = {
            "id": hypervisor_id() if named else 1,
            "hypervisor_hostname": HOST,
            "state": "up",
            "status": "enabled",
            "hypervisor_type": "fake",
            "hypervisor_version": 1000,
            "host_ip": "127.0.0.1",
            "service": {"id": service_id("nova-compute") if named else 3, "host": HOST, "disabled_reason": None},
            **SIZE,
            **{f"{key}_used": amount for key, amount in used.items()},
            "free_ram_mb": SIZE["memory_mb"] - used["memory_mb"],
            "free_disk_gb": SIZE["local_gb"] - used["local_gb"],
            "current_workload": 0,
            "running_vms": len(servers),
            "disk_available_least": 0,
            "cpu_info": {} if version >= (2, 28) else "{}",
            "uptime": None,
        }
        if call.value("with_servers").lower() in ("true", "1") and version >= (2, 53):
            view["servers"] = [{"name": f"instance-{server.number:08x}", "uuid": server.id} for server in servers]
        return shown(view, HYPERVISOR, version)

    # ------------------------------------------------------------- aggregates

    def _list_aggregates(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-aggregates:index")
        found = [self._aggregate_view(call, each) for each in self.aggregates.values()]
        return json_reply(200, {"aggregates": found})

    def _create_aggregate(self, call: Call) -> Reply:
        asked = enveloped(call, "aggregate")
        check_keys("aggregate", asked, allowed=["name", "availability_zone"], required=["name"])
        check_name(asked["name"])
        _check_zone(asked.get("availability_zone"))
        self._demand_administrator(call, "os-aggregates:create")
        if any(each["name"] == asked["name"] for each in self.aggregates.values()):
            raise Refused(409, f"Aggregate {asked['name']} already exists.")
        zone = asked.get("availability_zone")
        aggregate: Record = {
            "id": next(self._aggregate_ids),
            "uuid": str(self.ids.uuid4()),
            "name": asked["name"],
            "availability_zone": zone,
            "hosts": [],
            "metadata": {"availability_zone": zone} if zone else {},
            "created_at": microseconds(self.now()),
            "updated_at": None,
            "deleted_at": None,
            "deleted": False,
        }
        self.aggregates[aggregate["id"]] = aggregate
        view = self._aggregate_view(call, aggregate)
        return json_reply(200, {"aggregate": {key: view[key] for key in view if key not in ("hosts", "metadata")}})

    def _aggregate_view(self, call: Call, aggregate: Record) -> Record:
        return shown(aggregate, AGGREGATE, microversion(call))

    def _aggregate(self, call: Call, aggregate_id: str, action: str) -> Record:
        self._demand_administrator(call, f"os-aggregates:{action}")
        if not re.fullmatch("-?[0-9]+", aggregate_id):
            raise Refused(400, "Invalid input received: id must be an integer")
        if int(aggregate_id) not in self.aggregates:
            raise Refused(404, f"Aggregate {aggregate_id} could not be found.")
        return self.aggregates[int(aggregate_id)]

    def _show_aggregate(self, call: Call, aggregate_id: str) -> Reply:
        return json_reply(200, {"aggregate": self._aggregate_view(call, self._aggregate(call, aggregate_id, "show"))})

    def _update_aggregate(self, call: Call, aggregate_id: str) -> Reply:
        asked = enveloped(call, "aggregate")
        check_keys("aggregate", asked, allowed=["name", "availability_zone"])
        if not asked:
            raise invalid("aggregate", asked, "{} is not valid under any of the given schemas")
        _check_zone(asked.get("availability_zone"))
        aggregate = self._aggregate(call, aggregate_id, "update")
        aggregate.update(asked, updated_at=microseconds(self.now()))
        if "availability_zone" in asked:
            aggregate["metadata"]["availability_zone"] = asked["availability_zone"]
        return json_reply(200, {"aggregate": self._aggregate_view(call, aggregate)})

    def _delete_aggregate(self, call: Call, aggregate_id: str) -> Reply:
        aggregate = self._aggregate(call, aggregate_id, "delete")
        if aggregate["hosts"]:
            raise Refused(
                400, f"Cannot remove host from aggregate {aggregate_id}. Reason: Host aggregate is not empty."
            )
        del self.aggregates[aggregate["id"]]
        return Reply(200)

    def _act_on_aggregate(self, call: Call, aggregate_id: str) -> Reply:
        body = call.json()
        action = next(iter(body), "") if isinstance(body, dict) else ""
        if action not in ("add_host", "remove_host", "set_metadata"):
            raise Refused(400, f"There is no such action: {action}")
        metadata = body[action].get("metadata", {})
        for key, value in metadata.items():
            if not isinstance(value, str | None):
                raise invalid(key, value, f"{value!r} is not of type 'string', 'null'")
        aggregate = self._aggregate(call, aggregate_id, action)
        if action == "set_metadata":
            aggregate["metadata"] |= metadata
            aggregate["metadata"] = {key: value for key, value in aggregate["metadata"].items() if value is not None}
        else:
            self._move_host(aggregate, action, body[action].get("host"))
        return json_reply(200, {"aggregate": self._aggregate_view(call, aggregate)})

    def _move_host(self, aggregate: Record, action: str, host: object) -> None:
        if host != HOST:
            raise Refused(404, f"Compute host {host} could not be found.")
        if action == "add_host" and host in aggregate["hosts"]:
            raise Refused(409, f"Aggregate {aggregate['id']} already has host {host}.")
        if action == "remove_host" and host not in aggregate["hosts"]:
            raise Refused(404, f"Cannot remove host {host} in aggregate {aggregate['id']}")
        aggregate["hosts"] = [HOST] if action == "add_host" else []

    # ------------------------------------------------------------- usage

    def _list_usages(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-simple-tenant-usage:list")
        projects = sorted({server.caller.project_id for server in self.servers.values()})
        detailed = call.value("detailed") == "1"
        usages = [self._usage_of(call, each) for each in projects]
        for usage in usages if not detailed else ():
            usage.pop("server_usages", None)
        return json_reply(200, {"tenant_usages": usages})

    def _show_usage(self, call: Call, project_id: str) -> Reply:
        if project_id != call.who.project_id:
            self._demand_administrator(call, "os-simple-tenant-usage:show")
        return json_reply(200, {"tenant_usage": self._usage_of(call, project_id)})

    def _usage_of(self, call: Call, project_id: str) -> Record:
        start, stop = (self._moment(call, key) for key in ("start", "end"))
        if call.value("start") and start >= stop:
            raise Refused(400, "Invalid start time. The start time cannot occur after the end time.")
        servers = [
            server
            for server in self.servers.values()
            if server.caller.project_id == project_id and server.launched_at is not None
        ]
        usages = [self._server_usage(server) for server in servers]
        if not usages:
            return {}
        hours = [usage["hours"] for usage in usages]
        return {
            "tenant_id": project_id,
            "server_usages": usages,
            "total_local_gb_usage": sum(each["local_gb"] * each["hours"] for each in usages),
            "total_vcpus_usage": sum(each["vcpus"] * each["hours"] for each in usages),
            "total_memory_mb_usage": sum(each["memory_mb"] * each["hours"] for each in usages),
            "total_hours": sum(hours),
            "start": microseconds(start),
            "stop": microseconds(stop),
        }

    def _moment(self, call: Call, key: str) -> datetime:
        text = call.value(key)
        if not text:
            return self.now()
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", text):
            raise Refused(400, "Invalid datetime string: Datetime is in invalid format")
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    def _server_usage(self, server: Server) -> Record:
        launched = server.launched_at or self.now()
        seconds = max((self.now() - launched).total_seconds(), 0.0)
        return {
            "hours": seconds / 3600,
            "flavor": server.flavor.name,
            "instance_id": server.id,
            "name": server.name,
            "tenant_id": server.caller.project_id,
            "memory_mb": server.flavor.ram,
            "local_gb": server.flavor.disk + server.flavor.ephemeral,
            "vcpus": server.flavor.vcpus,
            "started_at": microseconds(launched),
            "ended_at": None,
            "state": VM_STATES[server.status],
            "uptime": int(seconds),
        }

    # ------------------------------------------------------------- actions on servers

    def _list_deeds(self, call: Call, server_id: str) -> Reply:
        version = microversion(call)
        server = self._past_or_present(call, server_id)
        deeds = list(reversed(server.deeds))
        links: Record = {}
        if version >= (2, 58):
            deeds = _between(call, deeds)
            if call.value("marker") not in ("", *(deed["request_id"] for deed in server.deeds)):
                raise Refused(400, "Marker None could not be found.")  # nova/db/main/api.py, actions_get, has lost it
            deeds = cut_page(call, deeds, key=lambda deed: str(deed["request_id"]), largest=self.max_limit)
            links = self._next("links", call, [str(deed["request_id"]) for deed in deeds])
        return json_reply(200, {"instanceActions": [shown(deed, DEED, version) for deed in deeds], **links})

    def _show_deed(self, call: Call, server_id: str, request_id: str) -> Reply:
        version = microversion(call)
        server = self._past_or_present(call, server_id)
        deed = next((deed for deed in server.deeds if deed["request_id"] == request_id), None)
        if deed is None:
            raise Refused(404, f"Action {request_id} not found")
        view = shown(deed, DEED, version)
        if call.who.is_administrator or version >= (2, 51):
            event = {
                "event": f"compute_{deed['action']}_instance",
                "start_time": deed["start_time"],
                "finish_time": deed["updated_at"],
                "result": "Success",
            }
            event |= {"traceback": None} if call.who.is_administrator else {}
            event |= {"host": HOST} if call.who.is_administrator and version >= (2, 62) else {}
            own = hashlib.sha224((server.caller.project_id + HOST).encode()).hexdigest()
            event |= {"hostId": own} if version >= (2, 62) else {}
            event |= {"details": None} if version >= (2, 84) else {}
            view["events"] = [event]
        return json_reply(200, {"instanceAction": view})

    def _past_or_present(self, call: Call, server_id: str) -> Server:
        gone = self.departed.get(server_id) if microversion(call) >= (2, 21) else None
        if gone is not None and (call.who.is_administrator or gone.caller.project_id == call.who.project_id):
            return gone
        return self._found(call, server_id)


def _between(call: Call, deeds: list[Record]) -> list[Record]:
    """Leave out what was updated before or after the times that are asked for."""
    times: dict[str, datetime] = {}
    for key in ("changes-since", *(["changes-before"] if microversion(call) >= (2, 66) else [])):
        if call.values(key):
            time = read_time(call.value(key))
            if time is None:
                raise wrong_query(key, call.value(key), f"{call.value(key)!r} is not a 'date-time'")
            times[key] = time
    unknown = sorted({key for key, _ in call.query} - {"limit", "marker", "changes-since", *times})
    if unknown:
        raise Refused(400, f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    since, before = times.get("changes-since"), times.get("changes-before")
    if since and before and before < since:
        raise Refused(400, "The value of changes-since must be less than or equal to changes-before.")

    def fits(deed: Record) -> bool:
        updated = datetime.fromisoformat(deed["updated_at"]).replace(tzinfo=UTC)
        return (since is None or updated >= since) and (before is None or updated <= before)

    return [deed for deed in deeds if fits(deed)]


def _check_zone(zone: object) -> None:
    if zone is not None and (not isinstance(zone, str) or ":" in zone or not 0 < len(zone) <= _LONGEST):
        raise invalid("availability_zone", zone, f"{zone!r} is not valid under any of the given schemas")


def hypervisor_id() -> str:
    """Return the id of the host's hypervisor, and of its resource provider."""
    return service_id("hypervisor")


def service_id(name: str) -> str:
    """Return the UUID of one of Nova's own services, or of its host."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name} {HOST}"))
