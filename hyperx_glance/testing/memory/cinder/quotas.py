"""Limits and quotas of the in-memory Cinder."""

from __future__ import annotations

from hyperx_glance.testing.memory.cinder.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class Quotas(State):
    """The part of Cinder that handles quotas."""

    def _limits(self, call: Call) -> Reply:
        # The default microversion answers for the caller's own project, regardless of project_id.
        limits, used = self.limits_of(call.who.project_id), self.in_use(call.who.project_id)
        absolute = {
            "maxTotalVolumes": limits["volumes"],
            "maxTotalSnapshots": limits["snapshots"],
            "maxTotalVolumeGigabytes": limits["gigabytes"],
            "maxTotalBackups": limits["backups"],
            "maxTotalBackupGigabytes": limits["backup_gigabytes"],
            "totalVolumesUsed": used["volumes"],
            "totalGigabytesUsed": used["gigabytes"],
            "totalSnapshotsUsed": used["snapshots"],
            "totalBackupsUsed": 0,
            "totalBackupGigabytesUsed": 0,
        }
        return json_reply(200, {"limits": {"rate": [], "absolute": absolute}})

    def _show_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator and project_id != call.who.project_id:
            raise Refused(403, "Policy doesn't allow volume_extension:quotas:show to be performed.")
        limits: Record = dict(self.limits_of(project_id))
        if call.value("usage").lower() == "true":
            used = self.in_use(project_id)
            limits = {key: {"limit": limit, "in_use": used.get(key, 0), "reserved": 0} for key, limit in limits.items()}
        return json_reply(200, {"quota_set": {**limits, "id": project_id}})

    def _update_quota(self, call: Call, project_id: str) -> Reply:
        self._demand(call, "volume_extension:quotas:update", administrator=True)
        wanted, used = call.member("quota_set"), self.in_use(project_id)
        unknown = sorted(set(wanted) - set(used))
        if unknown:
            raise Refused(400, f"Invalid input received: Bad key(s) in quota set: {','.join(unknown)}")
        for key, value in wanted.items():
            if not isinstance(value, int):
                raise Refused(400, f"{key} must be an integer")
            if value < -1:
                raise Refused(400, f"{key} must be >= -1")
            if -1 < value < used[key]:
                raise Refused(
                    400,
                    f"Quota {key} limit must be equal or greater than existing resources. "
                    f"Current usage is {used[key]} and the requested limit is {value}.",
                )
        # Stored for any project: Cinder does not ask Keystone whether it exists.
        self.quotas.setdefault(project_id, {}).update(wanted)
        return json_reply(200, {"quota_set": self.limits_of(project_id)})

    def _delete_quota(self, call: Call, project_id: str) -> Reply:
        self._demand(call, "volume_extension:quotas:delete", administrator=True)
        self.quotas.pop(project_id, None)
        return Reply(200)

    def _default_quota(self, call: Call, project_id: str) -> Reply:
        del call
        return json_reply(200, {"quota_set": {**self.default_limits(), "id": project_id}})

    def _show_quota_class(self, call: Call, name: str) -> Reply:
        self._demand(call, "volume_extension:quota_classes:get", administrator=True)
        return json_reply(200, {"quota_class_set": {**self.default_limits(), "id": name}})
