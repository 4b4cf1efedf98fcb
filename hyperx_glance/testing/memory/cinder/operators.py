"""What the in-memory Cinder tells of itself: zones, services, pools; and backups, which have no service here."""

from __future__ import annotations

import uuid

from hyperx_glance.testing.memory.cinder import validation as valid
from hyperx_glance.testing.memory.cinder.records import Backup, backup_view
from hyperx_glance.testing.memory.cinder.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds

_BACKUP = valid.fields(
    {
        "volume_id": valid.identifier,
        "container": valid.string(),
        "description": valid.string(),
        "incremental": valid.flag,
        "force": valid.flag,
        "name": valid.string(),
        "snapshot_id": valid.optional_identifier,
    },
    required=["volume_id"],
)


class Operators(State):
    """The part of Cinder that shows what operators ask, and refuses backups as without cinder-backup."""

    def _list_zones(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]})

    def _list_services(self, call: Call) -> Reply:
        self._demand(call, "volume_extension:services:index", administrator=True)
        shown: Record = {"zone": "nova", "status": "enabled", "state": "up", "disabled_reason": None}
        shown["updated_at"] = microseconds(self.now())
        scheduler = {"binary": "cinder-scheduler", "host": "host1", **shown}
        volume = {"binary": "cinder-volume", "host": "host1@files", **shown}
        volume |= {"replication_status": "disabled", "active_backend_id": None, "frozen": False}
        return json_reply(200, {"services": [scheduler, volume]})

    def _list_pools(self, call: Call) -> Reply:
        self._demand(call, "scheduler_extension:scheduler_stats:get_pools", administrator=True)
        return json_reply(200, {"pools": [{"name": "host1@files#files"}]})

    # ------------------------------------------------------------- backups

    def _list_backups(self, call: Call) -> Reply:
        brief = [self._summary_of(call, backup) for backup in self._own_backups(call)]
        return json_reply(200, {"backups": brief})

    def _list_backup_details(self, call: Call) -> Reply:
        return json_reply(200, {"backups": [self._backup_view(call, backup) for backup in self._own_backups(call)]})

    def _own_backups(self, call: Call) -> list[Backup]:
        everybody = call.who.is_administrator and call.value("all_tenants") in ("1", "true", "True")
        backups = reversed(list(self.backups.values()))
        return [each for each in backups if everybody or each.project_id == call.who.project_id]

    def _summary_of(self, call: Call, backup: Backup) -> Record:
        return {"id": backup.id, "name": backup.name, "links": self._links(call, "backups", backup.id)}

    def _backup_view(self, call: Call, backup: Backup) -> Record:
        return backup_view(backup, self._links(call, "backups", backup.id), whole=call.who.is_administrator)

    def _found_backup(self, call: Call, backup_id: str) -> Backup:
        backup = self.backups.get(backup_id)
        if backup is None or not (call.who.is_administrator or backup.project_id == call.who.project_id):
            raise Refused(404, f"Backup {backup_id} could not be found.")
        return backup

    def _show_backup(self, call: Call, backup_id: str) -> Reply:
        return json_reply(200, {"backup": self._backup_view(call, self._found_backup(call, backup_id))})

    def _delete_backup(self, call: Call, backup_id: str) -> Reply:
        self._found_backup(call, backup_id)
        self._demand(call, "backup:delete")
        raise Refused(404, "Service cinder-backup could not be found.")

    def _restore_backup(self, call: Call, backup_id: str) -> Reply:
        self._found_backup(call, backup_id)
        self._demand(call, "backup:restore")
        raise Refused(400, "Invalid backup: Backup status must be available")

    def _create_backup(self, call: Call) -> Reply:
        asked = valid.checked(call, "backup", _BACKUP)
        volume = self._found(call, asked["volume_id"])
        self._demand(call, "backup:create")
        if volume.status not in ("available", "in-use"):
            words = f'Volume to be backed up must be available or in-use, but the current status is "{volume.status}".'
            raise Refused(400, f"Invalid volume: {words}")
        if volume.status == "in-use" and not valid.is_true(asked.get("force")):
            raise Refused(400, "Invalid volume: Backing up an in-use volume must use the force flag.")
        if valid.is_true(asked.get("incremental")):
            raise Refused(400, "Invalid backup: No backups available to do an incremental backup.")
        backup = Backup(str(uuid.uuid4()), volume.id, volume.size, volume.project_id, call.who.user_id)
        backup.name, backup.description = asked.get("name"), asked.get("description")
        backup.container, backup.snapshot_id = asked.get("container"), asked.get("snapshot_id")
        backup.created_at = self.now()
        self.backups[backup.id] = backup
        return json_reply(202, {"backup": self._summary_of(call, backup)})

    def _refuse_record(self, call: Call, backup_id: str) -> Reply:
        self._demand(call, "backup:export-import", administrator=True)
        self._found_backup(call, backup_id)
        raise Refused(400, "Invalid backup: Backup status must be available and not error.")
