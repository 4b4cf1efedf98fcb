"""The in-memory Nova's smaller reports for administrators: usage logs, diagnostics, searches for hypervisors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hyperx_glance.testing.memory.nova.microversions import QUOTA, microversion, shown
from hyperx_glance.testing.memory.nova.old_hosts import OldHosts
from hyperx_glance.testing.memory.nova.quotas import Quotas
from hyperx_glance.testing.memory.nova.records import DEFAULT_QUOTA, HOST
from hyperx_glance.testing.memory.nova.validation import enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

# What Nova's fake hypervisor says of every server (nova/virt/fake.py, get_diagnostics and get_instance_diagnostics).
_DIAGNOSTICS = {
    "cpu0_time": 17300000000,
    "memory": 524288,
    "vda_errors": -1,
    "vda_read": 262144,
    "vda_read_req": 112,
    "vda_write": 5778432,
    "vda_write_req": 488,
    "vnet1_rx": 2070139,
    "vnet1_rx_drop": 0,
    "vnet1_rx_errors": 0,
    "vnet1_rx_packets": 26701,
    "vnet1_tx": 140208,
    "vnet1_tx_drop": 0,
    "vnet1_tx_errors": 0,
    "vnet1_tx_packets": 662,
}
_NEWER_DIAGNOSTICS = {
    "state": "running",
    "driver": "libvirt",
    "hypervisor": "kvm",
    "hypervisor_os": "ubuntu",
    "uptime": 46664,
    "config_drive": True,
    "num_cpus": 1,
    "num_nics": 1,
    "num_disks": 1,
    "disk_details": [
        {
            "read_bytes": 262144,
            "read_requests": 112,
            "write_bytes": 5778432,
            "write_requests": 488,
            "errors_count": 1,
        }
    ],
    "cpu_details": [{"id": 0, "time": 17300000000, "utilisation": 15}],
    "nic_details": [
        {
            "mac_address": "01:23:45:67:89:ab",
            "rx_octets": 2070139,
            "rx_errors": 100,
            "rx_drop": 200,
            "rx_packets": 26701,
            "rx_rate": 300,
            "tx_octets": 140208,
            "tx_errors": 400,
            "tx_drop": 500,
            "tx_packets": 662,
            "tx_rate": 600,
        }
    ],
    "memory_details": {"maximum": 524288, "used": 0},
}
_COUNTED_BY_NEUTRON = ("fixed_ips", "floating_ips", "security_group_rules", "security_groups")


class Reports(OldHosts, Quotas):
    """The part of Nova that reports."""

    # ------------------------------------------------------------- hypervisors by their names, until 2.52

    def _hypervisor_uptime(self, call: Call, hypervisor_id: str) -> Reply:
        self._demand_administrator(call, "os-hypervisors:uptime")
        if microversion(call) > (2, 87):
            raise Refused(404, "The resource could not be found.")
        self._show_hypervisor(call, hypervisor_id)
        raise Refused(501, "The requested functionality is not supported.")  # the fake hypervisor knows none

    def _search_hypervisors(self, call: Call, pattern: str) -> Reply:
        return self._named_hypervisors(call, pattern, "search")

    def _hypervisors_with_servers(self, call: Call, pattern: str) -> Reply:
        return self._named_hypervisors(call, pattern, "servers")

    def _named_hypervisors(self, call: Call, pattern: str, action: str) -> Reply:
        if microversion(call) > (2, 52):
            raise Refused(404, "The resource could not be found.")
        self._demand_administrator(call, f"os-hypervisors:{action}")
        if pattern not in HOST:
            raise Refused(404, f"No hypervisor matching '{pattern}' could be found.")
        view = self._hypervisor(call)
        found = {key: view[key] for key in ("id", "hypervisor_hostname", "state", "status")}
        servers = [{"name": f"instance-{each.number:08x}", "uuid": each.id} for each in self.servers.values()]
        if action == "servers" and servers:
            found["servers"] = servers
        return json_reply(200, {"hypervisors": [found]})

    # ------------------------------------------------------------- diagnostics and usage

    def _diagnostics(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        self._demand_administrator(call, "os-server-diagnostics")
        if server.status in ("BUILD", "ERROR"):
            raise Refused(409, f"Instance {server_id} is not ready")
        return json_reply(200, _DIAGNOSTICS if microversion(call) < (2, 48) else _NEWER_DIAGNOSTICS)

    def _usage_logs(self, call: Call) -> Reply:
        self._demand_administrator(call, "os-instance-usage-audit-log:list")
        return json_reply(200, {"instance_usage_audit_logs": self._usage_log(self.now())})

    def _usage_log_before(self, call: Call, text: str) -> Reply:
        self._demand_administrator(call, "os-instance-usage-audit-log:show")
        try:
            pattern = "%Y-%m-%d %H:%M:%S" + (".%f" if "." in text else "")
            before = datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            raise Refused(400, f"Invalid timestamp for date {text}") from None
        return json_reply(200, {"instance_usage_audit_log": self._usage_log(before)})

    def _usage_log(self, before: datetime) -> Record:
        """Return the log of the month that was complete before a time: no host writes one, as by default."""
        end = before.replace(day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        begin = (end - timedelta(days=1)).replace(day=1)
        return {
            "period_beginning": str(begin),
            "period_ending": str(end),
            "num_hosts": 1,
            "num_hosts_done": 0,
            "num_hosts_running": 0,
            "num_hosts_not_run": 1,
            "hosts_not_run": [HOST],
            "total_instances": 0,
            "total_errors": 0,
            "overall_status": "0 of 1 hosts done. 0 errors.",
            "log": {},
        }

    # ------------------------------------------------------------- classes of quotas

    def _show_quota_class(self, call: Call, name: str) -> Reply:
        self._demand_administrator(call, "os-quota-class-sets:show")
        return json_reply(200, {"quota_class_set": {"id": name, **self._quota_class(call, name)}})

    def _update_quota_class(self, call: Call, name: str) -> Reply:
        wanted = enveloped(call, "quota_class_set")
        for key, value in wanted.items():
            if key not in self._quota_class(call, name):
                reason = f"Additional properties are not allowed ({key!r} was unexpected)"
                raise invalid("quota_class_set", wanted, reason)
            if not str(value).removeprefix("-").isdigit():
                raise invalid(key, value, f"{value!r} does not match '^-?[0-9]+$'")
        self._demand_administrator(call, "os-quota-class-sets:update")
        self.quota_classes.setdefault(name, {}).update({key: int(value) for key, value in wanted.items()})
        return json_reply(200, {"quota_class_set": self._quota_class(call, name)})

    def _quota_class(self, call: Call, name: str) -> Record:
        version = microversion(call)
        limits = {**DEFAULT_QUOTA, **self.quota_classes.get(name, {})}
        hidden = ("server_groups", "server_group_members") if version < (2, 50) else ()
        # Here, what Neutron counts is shown until 2.49 (nova/api/openstack/compute/quota_classes.py).
        versions = {**QUOTA, **dict.fromkeys(_COUNTED_BY_NEUTRON, ((2, 1), (2, 49)))}
        return {key: value for key, value in shown(limits, versions, version).items() if key not in hidden}
