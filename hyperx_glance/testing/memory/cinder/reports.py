"""What the in-memory Cinder tells of its extensions, of the filters of its lists, and of its back end.

>>> EXTENSIONS["capabilities"]["name"]
'Capabilities'
"""

from __future__ import annotations

from typing import Final

from hyperx_glance.testing.memory.cinder.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_NAMES: Final = """
os-admin-actions=AdminActions=2012-08-25 os-availability-zone=AvailabilityZones=2013-06-27 backups=Backups=2012-12-12
capabilities=Capabilities=2015-08-31 cgsnapshots=Cgsnapshots=2014-08-18 consistencygroups=Consistencygroups=2014-08-18
os-extended-services=ExtendedServices=2014-01-10-
os-extended-snapshot-attributes=ExtendedSnapshotAttributes=2012-06-19 os-hosts=Hosts=2011-06-29
qos-specs=Qos_specs_manage=2013-08-02 os-quota-class-sets=QuotaClasses=2012-03-12 os-quota-sets=Quotas=2011-08-08
OS-SCH-HNT=SchedulerHints=2013-04-18 scheduler-stats=Scheduler_stats=2014-09-07 os-services=Services=2012-10-28-
os-snapshot-actions=SnapshotActions=2013-07-16 os-snapshot-manage=SnapshotManage=2014-12-31
os-snapshot-unmanage=SnapshotUnmanage=2014-12-31 os-types-extra-specs=TypesExtraSpecs=2011-08-24
os-types-manage=TypesManage=2011-08-24 os-used-limits=UsedLimits=2013-10-03 os-volume-actions=VolumeActions=2012-05-31
os-volume-encryption-metadata=VolumeEncryptionMetadata=2013-07-10 os-vol-host-attr=VolumeHostAttribute=2011-11-03
os-vol-image-meta=VolumeImageMetadata=2012-12-07 os-volume-manage=VolumeManage=2014-02-10
os-vol-mig-status-attr=VolumeMigStatusAttribute=2013-08-08 os-vol-tenant-attr=VolumeTenantAttribute=2011-11-03
os-volume-transfer=VolumeTransfer=2013-05-29 os-volume-type-access=VolumeTypeAccess=2014-06-26
encryption=VolumeTypeEncryption=2013-07-01 os-volume-unmanage=VolumeUnmanage=2012-05-31
"""
"""Aliases, names and dates; a dash at the end is for two whose zone is written with another sign."""


def _extension(alias: str, name: str, day: str) -> Record:
    zone = "-00:00" if day.endswith("-") else "+00:00"
    updated = f"{day.removesuffix('-')}T00:00:00{zone}"
    return {"name": name, "alias": alias, "description": f"{name}.", "updated": updated, "links": []}


EXTENSIONS: Final = {each.split("=")[0]: _extension(*each.split("=")) for each in _NAMES.split()}
"""The extensions by alias; their descriptions are not repeated here."""

_FILTERS: Final = {
    "volume": "name status metadata bootable migration_status availability_zone group_id size created_at updated_at"
    " consumes_quota",
    "backup": "name status volume_id",
    "snapshot": "name status volume_id metadata availability_zone consumes_quota",
    "group": "name",
    "group_snapshot": "name status group_id",
    "attachment": "volume_id status instance_id attach_status",
    "message": "resource_uuid resource_type event_id request_id message_level",
    "pool": "name volume_type",
    "volume_type": "is_public extra_specs",
}
"""What a user may filter by (etc/cinder/resource_filters.json)."""
_PROPERTIES: Final = {
    "thin_provisioning": ("Thin Provisioning", "Sets thin provisioning."),
    "compression": ("Compression", "Enables compression."),
    "qos": ("QoS", "Enables QoS."),
    "replication_enabled": ("Replication", "Enables replication."),
}
"""Of each driver, by default (cinder/volume/driver.py, init_capabilities)."""
_HOST: Final = "host1@files"


class Reports(State):
    """The part of Cinder that lists extensions and filters, and shows the capabilities of its back end."""

    def _list_extensions(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"extensions": list(EXTENSIONS.values())})

    def _show_extension(self, call: Call, alias: str) -> Reply:
        del call
        if alias not in EXTENSIONS:
            raise Refused(404, "The resource could not be found.")
        return json_reply(200, {"extension": EXTENSIONS[alias]})

    def _list_filters(self, call: Call) -> Reply:
        found = [
            {"resource": resource, "filters": filters.split()}
            for resource, filters in _FILTERS.items()
            if call.value("resource", resource) == resource
        ]
        return json_reply(200, {"resource_filters": found})

    def _show_capabilities(self, call: Call, host: str) -> Reply:
        self._demand(call, "volume_extension:capabilities", administrator=True)
        if host != _HOST:
            raise Refused(404, f"Can't find service: {host}")
        properties = {
            name: {"title": title, "description": description, "type": "boolean"}
            for name, (title, description) in _PROPERTIES.items()
        }
        told: Record = {
            "namespace": f"OS::Storage::Capabilities::{_HOST}",
            "vendor_name": "HYPERX",
            "volume_backend_name": "files",
            "pool_name": None,
            "driver_version": "1.0",
            "storage_protocol": "local",
            "display_name": None,
            "description": None,
            "visibility": None,
            "replication_targets": [],
            "properties": properties,
        }
        return json_reply(200, told)
