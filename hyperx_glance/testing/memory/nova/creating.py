"""Creating servers in the in-memory Nova, with the checks before (nova/compute/api.py)."""

from __future__ import annotations

import dataclasses
import re

from hyperx_glance.testing.memory.nova.disks import Disks
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.networks import Networks
from hyperx_glance.testing.memory.nova.quotas import Quotas
from hyperx_glance.testing.memory.nova.records import Server, kept_properties
from hyperx_glance.testing.memory.nova.validation import (
    check_access,
    check_count,
    check_metadata,
    check_name,
    check_tags,
    check_user_data,
    enveloped,
    invalid,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_SERVER_KEYS = (
    "name",
    "flavorRef",
    "imageRef",
    "networks",
    "min_count",
    "max_count",
    "return_reservation_id",
    "block_device_mapping_v2",
    "adminPass",
    "key_name",
    "security_groups",
    "user_data",
    "config_drive",
    "availability_zone",
    "metadata",
    "description",
    "OS-DCF:diskConfig",
    "accessIPv4",
    "accessIPv6",
    "personality",
    "hostname",
)

_SINCE = {"description": (2, 19), "hostname": (2, 90)}


class Creating(Quotas, Disks, Networks):
    """The part of Nova that creates servers."""

    def _create(self, call: Call) -> Reply:
        body = enveloped(call, "server")
        envelope = call.json()
        self._check_body(call, body)
        if not call.who.may_write:
            raise Refused(403, "Policy doesn't allow os_compute_api:servers:create to be performed.")
        least = int(body.get("min_count") or 1)
        most = int(body.get("max_count") or least)
        if least > most:
            raise Refused(400, "min_count must be <= max_count")
        flavor = self._usable_flavor(call, body["flavorRef"])
        image = self._image(call, body, flavor)
        self._check_disks(call, body, flavor, most)
        networks = self._networks(call, body.get("networks", "auto"))
        self._check_extras(call, body)
        group_id = (envelope.get("os:scheduler_hints") or {}).get("group")
        if group_id:
            self._group(call, group_id, 400)
        items, most_items = body.get("metadata", {}), self.limits_of(call.who.project_id)["metadata_items"]
        if -1 < most_items < len(items):
            words = "Quota exceeded for resources: metadata_items. Maximum number of metadata items exceeds"
            raise Refused(403, f"{words} {most_items}")
        self._check_files(call, body)
        count = self._count(call.who, flavor, least, most)
        pattern = Server(
            id="",
            name=body["name"],
            caller=call.who,
            flavor=flavor.copied(),
            image_id=body.get("imageRef") or None,
            body=body,
            reservation_id="r-" + self.ids.uuid4().hex[:8],
            number=0,
            pinned_zone=body.get("availability_zone") or None,
            reads_left=self.build_polls,
            admin_pass=body["adminPass"] if "adminPass" in body else self.ids.uuid4().hex[:12],
            tags=sorted(set(body.get("tags", ()))),
            networks=networks,
            image_properties=kept_properties(image or self._first_disk(body)),
            group_id=group_id,
        )
        made = [self._make(call, pattern, position, count) for position in range(1, count + 1)]
        if body.get("return_reservation_id"):
            return json_reply(202, {"reservation_id": made[0].reservation_id})
        first: Record = {
            "id": made[0].id,
            "links": self._links("servers", made[0].id),
            "OS-DCF:diskConfig": "MANUAL",
            "security_groups": [{"name": "default"}],
        }
        if self.shows_admin_password:
            first["adminPass"] = made[0].admin_pass
        return json_reply(202, {"server": first}, Location=f"{self.url}/v2.1/servers/{made[0].id}")

    def _make(self, call: Call, pattern: Server, position: int, count: int) -> Server:
        """Make one server of a request; several are numbered in their names."""
        server = dataclasses.replace(
            pattern,
            id=str(self.ids.uuid4()),
            created_at=self.now(),
            name=pattern.name if count == 1 else f"{pattern.name}-{position}",
            number=next(self._numbers),
            hostname=_hostname(pattern.body.get("hostname") or pattern.name),
            tags=list(pattern.tags),
            metadata=dict(pattern.body.get("metadata", {})),
            addresses={},
            volumes=[],
            own_ports=[],
            deeds=[],
            planned_fault=self.faults.pop(0) if self.faults else self._scheduling_fault(),
        )
        if self.visible_per_look is not None:
            server.visible_after = self._looks + (position + self.visible_per_look - 1) // self.visible_per_look
        self.servers[server.id] = server
        self._note(call, server, "create")
        if server.group_id:
            self.server_groups[server.group_id]["members"].append(server.id)
        return server

    def _scheduling_fault(self) -> str | None:
        works = self.compute_service.status == "enabled" and not self.compute_service.forced_down
        return None if works else "No valid host was found. There are not enough hosts available."

    def _check_body(self, call: Call, body: Record) -> None:
        """Refuse values that the schema at this microversion does not allow (compute/schemas/servers.py)."""
        version = microversion(call)
        check_metadata(body.get("metadata", {}))
        check_access(body)
        if "name" in body:
            check_name(body["name"])
        if version < (2, 37) and isinstance(body.get("networks"), str):
            raise invalid("networks", body["networks"], f"{body['networks']!r} is not of type 'array'")
        allowed = [*_SERVER_KEYS, *(["tags"] if version >= (2, 52) else [])]
        allowed = [key for key in allowed if version >= _SINCE.get(key, (2, 1))]
        for key in body:
            if key not in allowed:
                raise invalid("server", body, f"Additional properties are not allowed ({key!r} was unexpected)")
        required = ["name", "flavorRef", *(["networks"] if version >= (2, 37) else [])]
        for key in required:
            if key not in body:
                raise invalid("server", body, f"{key!r} is a required property")
        for key in ("min_count", "max_count"):
            check_count(key, body.get(key, 1))
        check_tags(body.get("tags", []))
        check_user_data(body.get("user_data"))
        drive = body.get("config_drive", False)
        if str(drive).lower() not in ("true", "1", "on", "yes", "false", "0", "off", "no"):
            raise invalid("config_drive", drive, f"{drive!r} is not one of [True, False]")

    def _check_extras(self, call: Call, body: Record) -> None:
        if body.get("key_name") and body["key_name"] not in self.keypairs.get(call.who.user_id, {}):
            raise Refused(400, "Invalid key_name provided.")
        groups = self._neutron.groups_of(call.who)
        known = {group["name"] for group in groups} | {group["id"] for group in groups}
        for group in body.get("security_groups", ()):
            if group["name"] not in known:
                raise Refused(400, f"Unable to find security_group with name or id '{group['name']}'")
        zone = body.get("availability_zone")
        if zone and zone.split(":")[0] not in self.availability_zones:
            raise Refused(400, "The requested availability zone is not available")


def _hostname(name: str) -> str:
    """Make a host name from a server's name (nova/utils.py, sanitize_hostname)."""
    return re.sub(r"[^a-z0-9.-]+", "", re.sub(r"[ _]", "-", name).lower()).strip(".-")
