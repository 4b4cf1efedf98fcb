"""Nova's own services in memory, of which administrators may disable the one that builds servers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.nova.hosts import SERVICES, service_id
from hyperx_glance.testing.memory.nova.microversions import SERVICE, microversion, shown
from hyperx_glance.testing.memory.nova.records import HOST, ComputeService
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import NO, YES, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_LONGEST = 255
_COMPUTE = "nova-compute"
_ONLY_COMPUTE = "Updating a {} service is not supported. Only nova-compute services can be updated."


class ComputeServices(State):
    """The part of Nova that lists its services, and updates the compute service."""

    def _list_services(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-services:list")
        found = [
            service
            for service in self._services(call)
            if service["binary"] == call.value("binary", service["binary"]) and call.value("host", HOST) == HOST
        ]
        return json_reply(200, {"services": found})

    def _services(self, call: Call) -> list[Record]:
        version = microversion(call)
        now = microseconds(self.now())
        found: list[Record] = []
        for number, (binary, zone) in enumerate(SERVICES, 1):
            told = dataclasses.asdict(self.compute_service if binary == _COMPUTE else ComputeService())
            service = {"id": service_id(binary) if version >= (2, 53) else number, "binary": binary, "host": HOST}
            service |= {"zone": zone, "state": "down" if told["forced_down"] else "up", "updated_at": now, **told}
            found.append(shown(service, SERVICE, version))
        return found

    def _update_service(self, call: Call, named: str) -> Reply:
        """Update the service with this id, or before 2.53 do what the path says with the one that the body names."""
        if microversion(call) >= (2, 53):
            return self._update_service_by_id(call, named)
        asked = call.json()
        more = ["forced_down"] if microversion(call) >= (2, 11) else []
        allowed = ["host", "binary", "disabled_reason", *more]
        _check_root(asked, allowed=allowed, required=["host", "binary"])
        self._demand_administrator(call, "os-services:update")
        changes = _old_changes(named, asked, allowed)
        if asked["binary"] != _COMPUTE:
            raise Refused(400, _ONLY_COMPUTE.format(asked["binary"]))
        if asked["host"] != HOST:
            raise Refused(404, f"Host {asked['host']!r} is not mapped to any cell")
        self.compute_service = dataclasses.replace(self.compute_service, **changes)
        told = {key: value for key, value in changes.items() if value is not None}
        return json_reply(200, {"service": {"host": HOST, "binary": _COMPUTE, **told}})

    def _update_service_by_id(self, call: Call, named: str) -> Reply:
        asked = call.json()
        _check_root(asked, allowed=["status", "disabled_reason", "forced_down"])
        status = asked.get("status")
        if "status" in asked and status not in ("enabled", "disabled"):
            raise invalid("status", status, f"{status!r} is not one of ['enabled', 'disabled']")
        if not is_uuid(named):
            raise Refused(400, f"Invalid uuid {named}")
        self._demand_administrator(call, "os-services:update")
        binary = next((name for name, _ in SERVICES if service_id(name) == named), None)
        if binary is None:
            raise Refused(404, f"Service {named} could not be found.")
        if binary != _COMPUTE:
            raise Refused(400, _ONLY_COMPUTE.format(binary))
        if status == "enabled" and asked.get("disabled_reason"):
            raise Refused(400, "Specifying 'disabled_reason' with status 'enabled' is invalid.")
        if not {"status", "forced_down"} & set(asked):
            raise Refused(400, "No updates were requested. Fields 'status' or 'forced_down' should be specified.")
        if status:
            self.compute_service.status = status
            self.compute_service.disabled_reason = asked.get("disabled_reason")
        if "forced_down" in asked:
            self.compute_service.forced_down = _flag("forced_down", asked["forced_down"])
        return json_reply(200, {"service": self._services(call)[[name for name, _ in SERVICES].index(binary)]})


def _check_root(asked: Record, *, allowed: Sequence[str], required: Sequence[str] = ()) -> None:
    """Check a body that has no envelope, as its schema does; the words name no field."""
    for key in asked:
        if key not in allowed:
            raise Refused(400, f"Additional properties are not allowed ({key!r} was unexpected)")
    for key in required:
        if key not in asked:
            raise Refused(400, f"{key!r} is a required property")
    reason = asked.get("disabled_reason", "unset")
    if not isinstance(reason, str):
        raise invalid("disabled_reason", reason, f"{reason!r} is not of type 'string'")
    if not reason or len(reason) > _LONGEST:
        raise invalid("disabled_reason", reason, f"{reason!r} {'is too long' if reason else 'should be non-empty'}")


def _old_changes(action: str, asked: Record, allowed: list[str]) -> Record:
    """Return what a request before 2.53 changes (nova/api/openstack/compute/services.py, self.actions)."""
    if action == "enable":
        return {"status": "enabled", "disabled_reason": None}
    if action == "disable":
        return {"status": "disabled", "disabled_reason": None}
    if action == "disable-log-reason":
        if "disabled_reason" not in asked:
            raise Refused(400, "Missing disabled reason field")
        return {"status": "disabled", "disabled_reason": asked["disabled_reason"]}
    if action == "force-down" and "forced_down" in allowed:
        if "forced_down" not in asked:
            raise Refused(400, "Missing forced_down field")
        return {"forced_down": _flag("forced_down", asked["forced_down"])}
    raise Refused(404, "Unknown action")


def _flag(key: str, value: object) -> bool:
    if value not in (*YES, *NO):
        raise invalid(key, value, f"{value!r} is not one of {[*YES, *NO]}")
    return value in YES
