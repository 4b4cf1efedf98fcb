"""The in-memory Nova's requests about hosts, which end with microversion 2.43 (nova/api/openstack/compute/hosts.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.hosts import SERVICES, Hosts
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.records import HOST
from hyperx_glance.testing.memory.nova.validation import check_keys, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_LAST = (2, 42)
_RESERVED = 512
"""Memory in MiB that a host keeps for itself, by default (nova/conf/compute.py, reserved_host_memory_mb)."""
_STATES = ("enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE")


class OldHosts(Hosts):
    """The part of Nova that shows, enables and switches off its host."""

    def _list_hosts(self, call: Call) -> Reply:
        self._demand_host_rights(call, "list")
        found = [
            {"host_name": HOST, "service": binary.removeprefix("nova-"), "zone": zone}
            for binary, zone in sorted(SERVICES, key=lambda service: (service[1], service[0]))
            if call.value("zone") in ("", zone)
        ]
        return json_reply(200, {"hosts": found})

    def _show_host(self, call: Call, name: str) -> Reply:
        self._demand_host_rights(call, "show")
        _check_host(name)
        view = self._hypervisor(call)
        totals = {"(total)": (view["vcpus"], view["memory_mb"], view["local_gb"])}
        totals["(used_now)"] = (view["vcpus_used"], view["memory_mb_used"] + _RESERVED, view["local_gb_used"])
        totals["(used_max)"] = (view["vcpus_used"], view["memory_mb_used"], view["local_gb_used"])
        projects: dict[str, tuple[int, int, int]] = {}
        for server in self.servers.values():
            cpus, memory, disk = projects.get(server.caller.project_id, (0, 0, 0))
            size = server.flavor
            projects[server.caller.project_id] = (
                cpus + size.vcpus,
                memory + size.ram,
                disk + size.disk + size.ephemeral,
            )
        resources = [
            {"resource": {"host": HOST, "project": project, "cpu": cpus, "memory_mb": memory, "disk_gb": disk}}
            for project, (cpus, memory, disk) in {**totals, **projects}.items()
        ]
        return json_reply(200, {"host": resources})

    def _update_host(self, call: Call, name: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise Refused(400, f"{body!r} is not of type 'object'")
        asked: Record = body
        check_keys("host", asked, allowed=("status", "maintenance_mode"))
        if not asked:
            raise Refused(400, "{} is not valid under any of the given schemas")
        for key, value in asked.items():
            if value not in _STATES:
                raise invalid(key, value, f"{value!r} is not one of {list(_STATES)}")
        self._demand_host_rights(call, "update")
        _check_host(name)
        view = {"host": HOST}
        if "status" in asked:
            view["status"] = f"{asked['status'].lower()}d"
        if "maintenance_mode" in asked:
            on = asked["maintenance_mode"].lower() == "enable"
            view["maintenance_mode"] = "on_maintenance" if on else "off_maintenance"
        return json_reply(200, view)

    def _start_host(self, call: Call, name: str) -> Reply:
        return self._power(call, name, "startup", "start")

    def _shut_down_host(self, call: Call, name: str) -> Reply:
        return self._power(call, name, "shutdown", "shutdown")

    def _reboot_host(self, call: Call, name: str) -> Reply:
        return self._power(call, name, "reboot", "reboot")

    def _power(self, call: Call, name: str, action: str, right: str) -> Reply:
        self._demand_host_rights(call, right)
        _check_host(name)
        return json_reply(200, {"host": HOST, "power_action": action})

    def _demand_host_rights(self, call: Call, action: str) -> None:
        if microversion(call) > _LAST:
            raise Refused(404, "The resource could not be found.")
        self._demand_administrator(call, f"os-hosts:{action}")


def _check_host(name: str) -> None:
    if name != HOST:
        raise Refused(404, f"Host '{name}' is not mapped to any cell")
