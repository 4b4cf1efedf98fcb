"""The in-memory Nova's quotas."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from hyperx_glance.testing.memory.nova.microversions import LIMITS, QUOTA, microversion, shown
from hyperx_glance.testing.memory.nova.records import DEFAULT_QUOTA, UNIFIED_LIMITS, Flavor, Server
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, json_reply


class Quotas(State):
    """The part of Nova that handles limits, and checks them for servers."""

    def _limits(self, call: Call) -> Reply:
        project_id = call.who.project_id
        if call.values("tenant_id"):
            if not call.who.is_administrator:
                raise Refused(403, "Policy doesn't allow os_compute_api:limits:other_project to be performed.")
            project_id = call.value("tenant_id")
        limits, used = self.limits_of(project_id), self.in_use(project_id)
        absolute = {
            "maxTotalCores": limits["cores"],
            "maxTotalInstances": limits["instances"],
            "maxTotalKeypairs": limits["key_pairs"],
            "maxServerMeta": limits["metadata_items"],
            "maxTotalRAMSize": limits["ram"],
            "maxServerGroups": limits["server_groups"],
            "maxServerGroupMembers": limits["server_group_members"],
            "totalRAMUsed": used["ram"],
            "totalCoresUsed": used["cores"],
            "totalInstancesUsed": used["instances"],
            "totalServerGroupsUsed": sum(group["project_id"] == project_id for group in self.server_groups.values()),
            "maxImageMeta": limits["metadata_items"],
            "maxPersonality": limits["injected_files"],
            "maxPersonalitySize": limits["injected_file_content_bytes"],
            "maxSecurityGroupRules": limits["security_group_rules"],
            "maxSecurityGroups": limits["security_groups"],
            "maxTotalFloatingIps": limits["floating_ips"],
            "totalFloatingIpsUsed": 0,
            "totalSecurityGroupsUsed": 0,
        }
        absolute = shown(absolute, LIMITS, microversion(call))
        return json_reply(200, {"limits": {"rate": [], "absolute": absolute}})

    def _show_quota(self, call: Call, project_id: str) -> Reply:
        self._quota_reader(call, project_id, "show")
        return json_reply(200, {"quota_set": {"id": project_id, **self._shown_quota(call, self.limits_of(project_id))}})

    def _quota_details(self, call: Call, project_id: str) -> Reply:
        self._quota_reader(call, project_id, "detail")
        used = self.in_use(project_id)
        details = {
            key: {"limit": limit, "in_use": used.get(key, 0), "reserved": 0}
            for key, limit in self.limits_of(project_id).items()
        }
        return json_reply(200, {"quota_set": {"id": project_id, **self._shown_quota(call, details)}})

    def _shown_quota(self, call: Call, quota: Mapping[str, object]) -> Record:
        return shown(quota, QUOTA, microversion(call))

    def _quota_reader(self, call: Call, project_id: str, action: str) -> None:
        if not call.who.is_administrator and project_id != call.who.project_id:
            raise Refused(403, f"Policy doesn't allow os_compute_api:os-quota-sets:{action} to be performed.")
        self._known_project(project_id)

    def _known_project(self, project_id: str) -> None:
        if project_id not in self._keystone.records["projects"]:
            raise Refused(400, f"Project ID {project_id} is not a valid project.")

    def _update_quota(self, call: Call, project_id: str) -> Reply:
        self._demand_administrator(call, "os-quota-sets:update")
        wanted = enveloped(call, "quota_set")
        self._known_project(project_id)
        for key, value in wanted.items():
            if key not in DEFAULT_QUOTA and key != "force":
                reason = f"Additional properties are not allowed ({key!r} was unexpected)"
                raise Refused(400, f"Invalid input for field/attribute quota_set. Value: {wanted}. {reason}")
            if key != "force" and not re.fullmatch("-?[0-9]+", str(value)):
                raise invalid(key, value, f"{value!r} does not match '^-?[0-9]+$'")
            if key != "force" and int(value) < -1:
                reason = f"{value} is less than the minimum of -1"
                raise Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")
        limits = {key: int(value) for key, value in wanted.items() if key != "force"}
        if not self.unified_limits:  # otherwise Nova checks the request, and ignores it
            self.quotas.setdefault(project_id, {}).update(limits)
        return json_reply(200, {"quota_set": self._shown_quota(call, self.limits_of(project_id))})

    def _delete_quota(self, call: Call, project_id: str) -> Reply:
        self._demand_administrator(call, "os-quota-sets:delete")
        self.quotas.pop(project_id, None)
        return Reply(202)

    def _default_quota(self, call: Call, project_id: str) -> Reply:
        defaults = self.limits_of("") if self.unified_limits else DEFAULT_QUOTA
        return json_reply(200, {"quota_set": {"id": project_id, **self._shown_quota(call, defaults)}})

    def _check_growth(self, server: Server, flavor: Flavor) -> None:
        """Refuse a larger flavor if the quota has no room for the difference."""
        limits, used = self.limits_of(server.caller.project_id), self.in_use(server.caller.project_id)
        more = {"cores": flavor.vcpus - server.flavor.vcpus, "ram": flavor.ram - server.flavor.ram}
        for key, amount in more.items():
            if limits[key] != -1 and amount > 0 and used[key] + amount > limits[key]:
                words = f"Requested {amount}, but already used {used[key]} of {limits[key]} {key}"
                raise Refused(403, f"Quota exceeded for {key}: {words}")

    def _check_items(self, server: Server, metadata: Mapping[str, object]) -> None:
        """Refuse more metadata than the quota allows."""
        limit = self.limits_of(server.caller.project_id)["metadata_items"]
        if limit != -1 and len(metadata) > limit:
            raise Refused(
                403, f"Quota exceeded for resources: metadata_items. Maximum number of metadata items exceeds {limit}"
            )

    def _check_image_items(self, call: Call, metadata: Mapping[str, object]) -> None:
        """Refuse more metadata of a snapshot than one may have, which Nova counts before 2.39 only (_create_image)."""
        if microversion(call) < (2, 39) and -1 < self.limits_of(call.who.project_id)["metadata_items"] < len(metadata):
            raise Refused(403, "Image metadata limit exceeded")

    def _check_files(self, call: Call, body: Record) -> None:
        """Refuse files for the guest that are not base64, or more of them than the quota allows."""
        files = body.get("personality") or []
        for file in files:
            try:
                base64.b64decode(str(file["contents"]), validate=True)
            except binascii.Error:
                raise invalid("contents", file["contents"], f"{file['contents']!r} is not a 'base64'") from None
        limit = self.limits_of(call.who.project_id)["injected_files"]
        if -1 < limit < len(files):
            words = "Quota exceeded for resources: injected_files. Personality file limit exceeded"
            raise Refused(403, words)

    def _count(self, caller: Caller, flavor: Flavor, least: int, most: int) -> int:
        """Return the number of servers that the quota allows, from least to most (nova/compute/utils.py)."""
        limits, used = self.limits_of(caller.project_id), self.in_use(caller.project_id)
        each = {"cores": flavor.vcpus, "instances": 1, "ram": flavor.ram}
        if self.unified_limits:
            limits["disk"], each["disk"] = self._keystone.limit(self, "class:DISK_GB", caller.project_id), flavor.disk
            own = [server for server in self.servers.values() if server.caller.project_id == caller.project_id]
            used["disk"] = sum(server.flavor.disk for server in own)
        room = [(limits[key] - used[key]) // amount for key, amount in each.items() if limits[key] != -1 and amount]
        count = min([most, *room])
        if count >= least:
            return count
        over = [key for key, amount in each.items() if limits[key] != -1 and used[key] + amount * least > limits[key]]
        if self.unified_limits:
            names = {**UNIFIED_LIMITS, "disk": "class:DISK_GB"}
            told = [
                f"Resource {names[key]} is over limit of {limits[key]} due to current usage {used[key]} "
                f"and delta {each[key] * least}"
                for key in over
            ]
            raise Refused(403, f"Project {caller.project_id} is over a limit for [{', '.join(told)}]")
        words = ", ".join(over)
        requested = ", ".join(str(each[key] * least) for key in over)
        already = ", ".join(str(used[key]) for key in over)
        allowed = ", ".join(str(limits[key]) for key in over)
        raise Refused(
            403, f"Quota exceeded for {words}: Requested {requested}, but already used {already} of {allowed} {words}"
        )
