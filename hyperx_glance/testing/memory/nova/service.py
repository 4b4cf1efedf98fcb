"""The in-memory Nova itself: what it answers, and what a test sets."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import itertools
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from hyperx_glance.testing.memory.cinder import Cinder, Volume
from hyperx_glance.testing.memory.glance import Glance
from hyperx_glance.testing.memory.glance.records import ImageRecord, isotime, visible
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.neutron import Neutron
from hyperx_glance.testing.memory.wire import (
    Call,
    Caller,
    Record,
    Refused,
    Reply,
    Route,
    Service,
    json_reply,
    paste_problem,
)

GIB = 1 << 30
PasswordChanges = Literal["accepted", "by_image", "no_agent", "silent_agent"]
DEFAULT_QUOTA: Mapping[str, int] = {
    "cores": 20,
    "instances": 10,
    "key_pairs": 100,
    "metadata_items": 128,
    "ram": 51200,
    "server_group_members": 10,
    "server_groups": 10,
}
_VM_STATES = {"BUILD": "building", "ACTIVE": "active", "ERROR": "error", "SHUTOFF": "stopped"}
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_BUSES = ("ide", "sata", "scsi", "usb", "virtio", "fdc", "uml", "lxc", "xen", None)
_DISK_KEYS = (
    "boot_index",
    "uuid",
    "source_type",
    "destination_type",
    "volume_size",
    "volume_type",
    "device_name",
    "device_type",
    "disk_bus",
    "guest_format",
    "delete_on_termination",
    "no_device",
    "tag",
)
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
_FILTERS = (
    "all_tenants",
    "availability_zone",
    "changes-since",
    "changes-before",
    "deleted",
    "flavor",
    "host",
    "image",
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


@dataclasses.dataclass(frozen=True)
class Flavor:
    """Say how large servers are: MiB, GiB, processors."""

    id: str
    name: str
    ram: int
    disk: int
    vcpus: int
    ephemeral: int = 0


@dataclasses.dataclass
class Server:
    """Hold one server."""

    id: str
    name: str
    caller: Caller
    flavor: Flavor
    image_id: str | None
    body: Record
    reservation_id: str
    number: int
    reads_left: int
    status: str = "BUILD"
    admin_pass: str = ""
    tags: list[str] = dataclasses.field(default_factory=list)
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    addresses: dict[str, list[Record]] = dataclasses.field(default_factory=dict)
    networks: list[Record] = dataclasses.field(default_factory=list)
    volumes: list[tuple[str, bool]] = dataclasses.field(default_factory=list)
    """Ids of volumes, and whether they go with the server."""
    image_properties: dict[str, str] = dataclasses.field(default_factory=dict)
    """The image's properties as they were: later edits do not reach the server."""
    fault: Record | None = None
    planned_fault: str | None = None
    group_id: str | None = None
    created_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    deleting: bool = False
    visible_after: int = 0

    @property
    def user_data(self) -> bytes:
        """The user data as the guest reads it."""
        return base64.b64decode(self.body.get("user_data") or "")


class Nova(Service):
    """Keep servers; what takes time goes on when somebody looks at them."""

    name: ClassVar[str] = "nova"
    type: ClassVar[str] = "compute"
    endpoint_path: ClassVar[str] = "/v2.1"

    def __init__(self, keystone: Keystone, glance: Glance, cinder: Cinder, neutron: Neutron) -> None:
        super().__init__()
        self.servers: dict[str, Server] = {}
        self.flavors: dict[str, Flavor] = {}
        self.keypairs: dict[str, dict[str, Record]] = {}
        """Key pairs by user id and name."""
        self.server_groups: dict[str, Record] = {}
        self.availability_zones: list[str] = ["nova"]
        self.unavailable_zones: list[str] = []
        """Zones without a host that works: Nova lists them, and launches nothing there."""
        self.quotas: dict[str, dict[str, int]] = {}
        """Limits by project id; what is missing has Nova's default (10 servers, 20 cores, 50 GiB)."""
        self.build_polls = 1
        """How many looks find a new server still in BUILD."""
        self.delete_polls = 1
        """How many looks find a deleted server still there."""
        self.visible_per_look: int | None = None
        """How many of the new servers each listing reveals; None: all at once."""
        self.faults: list[str] = []
        """Each server that is built takes one of these and ends in ERROR with it."""
        self.max_microversion = "2.104"
        self.password_changes: PasswordChanges = "accepted"
        """accepted: as the fake hypervisor. by_image: as libvirt, where the image must say hw_qemu_guest_agent."""
        self.shows_admin_password = True
        """False: as with [api] enable_instance_password = False."""
        self._keystone = keystone
        self._glance = glance
        self._cinder = cinder
        self._neutron = neutron
        self._numbers = itertools.count(1)
        self._looks = 0
        self.add_flavor("m1.tiny", ram=512, disk=1, vcpus=1, ephemeral=1)
        self.add_flavor("m1.small", ram=2048, disk=20, vcpus=1)

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        one = "/v2.1/servers/([^/]+)"
        quota = "/v2.1/os-quota-sets/([^/]+)"
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v2.1/?", self._version, public=True),
            Route("GET", "/v2.1/flavors", self._list_flavors),
            Route("GET", "/v2.1/flavors/detail", self._list_flavor_details),
            Route("GET", "/v2.1/flavors/([^/]+)", self._show_flavor),
            Route("GET", "/v2.1/limits", self._limits),
            Route("GET", quota, self._show_quota),
            Route("PUT", quota, self._update_quota),
            Route("DELETE", quota, self._delete_quota),
            Route("GET", quota + "/detail", self._quota_details),
            Route("GET", quota + "/defaults", self._default_quota),
            Route("GET", "/v2.1/os-availability-zone", self._list_zones),
            Route("GET", "/v2.1/os-keypairs", self._list_keypairs),
            Route("POST", "/v2.1/os-keypairs", self._create_keypair),
            Route("GET", "/v2.1/os-keypairs/([^/]+)", self._show_keypair),
            Route("DELETE", "/v2.1/os-keypairs/([^/]+)", self._delete_keypair),
            Route("GET", "/v2.1/os-server-groups", self._list_groups),
            Route("POST", "/v2.1/os-server-groups", self._create_group),
            Route("GET", "/v2.1/os-server-groups/([^/]+)", self._show_group),
            Route("DELETE", "/v2.1/os-server-groups/([^/]+)", self._delete_group),
            Route("GET", "/v2.1/servers", self._list),
            Route("POST", "/v2.1/servers", self._create),
            Route("GET", "/v2.1/servers/detail", self._list_details),
            Route("GET", one, self._show),
            Route("DELETE", one, self._delete),
            Route("POST", one + "/action", self._act),
            Route("GET", one + "/tags", self._list_tags),
            Route("PUT", one + "/tags", self._replace_tags),
            Route("PUT", one + "/tags/([^/]+)", self._add_tag),
            Route("DELETE", one + "/tags/([^/]+)", self._remove_tag),
            Route("GET", one + "/metadata", self._show_metadata),
            Route("POST", one + "/metadata", self._update_metadata),
            Route("GET", one + "/os-volume_attachments", self._list_attachments),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request, at the microversion asked for."""
        asked = _microversion(call)
        if asked > _number(self.max_microversion):
            message = f"Version {'.'.join(map(str, asked))} is not supported by the API. "
            message += f"Minimum is 2.1 and maximum is {self.max_microversion}."
            return json_reply(406, {"computeFault": {"code": 406, "message": message}})
        reply = super().handle(call)
        reply.headers["OpenStack-API-Version"] = f"compute {'.'.join(map(str, asked))}"
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Nova does."""
        del call
        return paste_problem(refused)

    # ------------------------------------------------------------- filled from Python

    def add_flavor(self, name: str, *, ram: int, disk: int, vcpus: int, ephemeral: int = 0) -> str:
        """Create a flavor; give its id."""
        flavor = Flavor(str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), name, ram, disk, vcpus, ephemeral)
        self.flavors[flavor.id] = flavor
        return flavor.id

    def set_quota(self, department: str, **limits: int) -> None:
        """Set limits of a department: instances, cores, ram (MiB)."""
        project_id = self._keystone.departments.get(department, department)
        self.quotas.setdefault(project_id, {}).update(limits)

    def finish_builds(self) -> None:
        """Bring every server that is being built to its end."""
        for server in self.servers.values():
            if server.status == "BUILD":
                self._finish_build(server)

    def server(self, name: str) -> Server:
        """Give the server of that name."""
        return next(server for server in self.servers.values() if server.name == name)

    # ------------------------------------------------------------- discovery

    def _versions(self, call: Call) -> Reply:
        del call
        old = {"id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": ""}
        links = [{"rel": "self", "href": f"{self.url}/v2/"}]
        return json_reply(
            200,
            {"versions": [{**old, "updated": "2025-07-04T12:00:00Z", "links": links}, self._version_record()]},
        )

    def _version(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"version": self._version_record()})

    def _version_record(self) -> Record:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": self.max_microversion,
            "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/"}],
        }

    # ------------------------------------------------------------- flavors, zones, keys, groups

    def _list_flavors(self, call: Call) -> Reply:
        found = _page(call, list(self.flavors.values()))
        return json_reply(200, {"flavors": [{"id": flavor.id, "name": flavor.name, "links": []} for flavor in found]})

    def _list_flavor_details(self, call: Call) -> Reply:
        found = _page(call, list(self.flavors.values()))
        body: Record = {"flavors": [_flavor_view(flavor) for flavor in found]}
        return json_reply(200, body | self._next("flavors_links", call, found))

    def _show_flavor(self, call: Call, flavor_id: str) -> Reply:
        del call
        if flavor_id not in self.flavors:
            raise Refused(404, f"Flavor {flavor_id} could not be found.")
        return json_reply(200, {"flavor": _flavor_view(self.flavors[flavor_id])})

    def _list_zones(self, call: Call) -> Reply:
        del call
        zones = [
            {"zoneName": name, "zoneState": {"available": available}, "hosts": None}
            for names, available in ((self.availability_zones, True), (self.unavailable_zones, False))
            for name in names
        ]
        return json_reply(200, {"availabilityZoneInfo": zones})

    def _list_keypairs(self, call: Call) -> Reply:
        own = self.keypairs.get(call.who.user_id, {})
        return json_reply(200, {"keypairs": [{"keypair": keypair} for keypair in own.values()]})

    def _create_keypair(self, call: Call) -> Reply:
        asked = call.json()["keypair"]
        keypair = {"type": "ssh", "public_key": "", **asked, "fingerprint": "00", "user_id": call.who.user_id}
        self.keypairs.setdefault(call.who.user_id, {})[asked["name"]] = keypair
        return json_reply(201, {"keypair": keypair})

    def _show_keypair(self, call: Call, name: str) -> Reply:
        own = self.keypairs.get(call.who.user_id, {})
        if name not in own:
            raise Refused(404, f"Keypair {name} not found for user {call.who.user_id}")
        return json_reply(200, {"keypair": own[name]})

    def _delete_keypair(self, call: Call, name: str) -> Reply:
        if self.keypairs.get(call.who.user_id, {}).pop(name, None) is None:
            raise Refused(404, f"Keypair {name} not found for user {call.who.user_id}")
        return Reply(204)

    def _list_groups(self, call: Call) -> Reply:
        own = [group for group in self.server_groups.values() if group["project_id"] == call.who.project_id]
        return json_reply(200, {"server_groups": own})

    def _create_group(self, call: Call) -> Reply:
        asked = call.json()["server_group"]
        group = {
            "id": str(uuid.uuid4()),
            "rules": {},
            **asked,
            "members": [],
            "project_id": call.who.project_id,
            "user_id": call.who.user_id,
        }
        self.server_groups[group["id"]] = group
        return json_reply(200, {"server_group": group})

    def _show_group(self, call: Call, group_id: str) -> Reply:
        return json_reply(200, {"server_group": self._group(call, group_id, 404)})

    def _delete_group(self, call: Call, group_id: str) -> Reply:
        self._group(call, group_id, 404)
        del self.server_groups[group_id]
        return Reply(204)

    def _group(self, call: Call, group_id: str, status: int) -> Record:
        group = self.server_groups.get(group_id)
        if group is None or group["project_id"] != call.who.project_id:
            raise Refused(status, f"Instance group {group_id} could not be found.")
        return group

    # ------------------------------------------------------------- quotas

    def limits_of(self, project_id: str) -> dict[str, int]:
        """Give a project's limits."""
        return {**DEFAULT_QUOTA, **self.quotas.get(project_id, {})}

    def in_use(self, project_id: str) -> dict[str, int]:
        """Count a project's servers and what they take."""
        own = [server for server in self.servers.values() if server.caller.project_id == project_id]
        return {
            "instances": len(own),
            "cores": sum(server.flavor.vcpus for server in own),
            "ram": sum(server.flavor.ram for server in own),
        }

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
            "totalServerGroupsUsed": 0,
        }
        return json_reply(200, {"limits": {"rate": [], "absolute": absolute}})

    def _show_quota(self, call: Call, project_id: str) -> Reply:
        self._quota_reader(call, project_id, "show")
        return json_reply(200, {"quota_set": {"id": project_id, **self.limits_of(project_id)}})

    def _quota_details(self, call: Call, project_id: str) -> Reply:
        self._quota_reader(call, project_id, "detail")
        used = self.in_use(project_id)
        details = {
            key: {"limit": limit, "in_use": used.get(key, 0), "reserved": 0}
            for key, limit in self.limits_of(project_id).items()
        }
        return json_reply(200, {"quota_set": {"id": project_id, **details}})

    def _quota_reader(self, call: Call, project_id: str, action: str) -> None:
        if not call.who.is_administrator and project_id != call.who.project_id:
            raise Refused(403, f"Policy doesn't allow os_compute_api:os-quota-sets:{action} to be performed.")
        self._known_project(project_id)

    def _known_project(self, project_id: str) -> None:
        if project_id not in self._keystone.departments.values():
            raise Refused(400, f"Project ID {project_id} is not a valid project.")

    def _update_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed.")
        wanted = call.json()["quota_set"]
        self._known_project(project_id)
        for key, value in wanted.items():
            if key not in DEFAULT_QUOTA and key != "force":
                reason = f"Additional properties are not allowed ({key!r} was unexpected)"
                raise Refused(400, f"Invalid input for field/attribute quota_set. Value: {wanted}. {reason}")
            if key != "force" and int(value) < -1:
                reason = f"{value} is less than the minimum of -1"
                raise Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")
        limits = {key: int(value) for key, value in wanted.items() if key != "force"}
        self.quotas.setdefault(project_id, {}).update(limits)
        return json_reply(200, {"quota_set": self.limits_of(project_id)})

    def _delete_quota(self, call: Call, project_id: str) -> Reply:
        if not call.who.is_administrator:
            raise Refused(403, "Policy doesn't allow os_compute_api:os-quota-sets:delete to be performed.")
        self.quotas.pop(project_id, None)
        return Reply(202)

    def _default_quota(self, call: Call, project_id: str) -> Reply:
        del call
        return json_reply(200, {"quota_set": {"id": project_id, **DEFAULT_QUOTA}})

    def _count(self, caller: Caller, flavor: Flavor, least: int, most: int) -> int:
        """Give how many servers the quota lets pass, from the most down to the least (nova/compute/utils.py)."""
        limits, used = self.limits_of(caller.project_id), self.in_use(caller.project_id)
        each = {"cores": flavor.vcpus, "instances": 1, "ram": flavor.ram}
        room = [(limits[key] - used[key]) // amount for key, amount in each.items() if limits[key] != -1 and amount]
        count = min([most, *room])
        if count >= least:
            return count
        over = [key for key, amount in each.items() if limits[key] != -1 and used[key] + amount * least > limits[key]]
        words = ", ".join(over)
        requested = ", ".join(str(each[key] * least) for key in over)
        already = ", ".join(str(used[key]) for key in over)
        allowed = ", ".join(str(limits[key]) for key in over)
        raise Refused(
            403, f"Quota exceeded for {words}: Requested {requested}, but already used {already} of {allowed} {words}"
        )

    # ------------------------------------------------------------- creating

    def _create(self, call: Call) -> Reply:
        envelope = call.json()
        body = envelope["server"]
        self._check_body(call, body)
        if not call.who.may_write:
            raise Refused(403, "Policy doesn't allow os_compute_api:servers:create to be performed.")
        least = int(body.get("min_count") or 1)
        most = int(body.get("max_count") or least)
        if least > most:
            raise Refused(400, "min_count must be <= max_count")
        flavor = self.flavors.get(str(body["flavorRef"]).rsplit("/", 1)[-1])
        if flavor is None:
            raise Refused(400, f"Flavor {body['flavorRef']} could not be found.")
        image = self._image(call, body, flavor)
        self._check_disks(call, body, flavor, most)
        networks = self._networks(call, body.get("networks", "auto"))
        self._check_extras(call, body)
        group_id = (envelope.get("os:scheduler_hints") or {}).get("group")
        if group_id:
            self._group(call, group_id, 400)
        count = self._count(call.who, flavor, least, most)
        pattern = Server(
            id="",
            name=body["name"],
            caller=call.who,
            flavor=flavor,
            image_id=body.get("imageRef") or None,
            body=body,
            reservation_id="r-" + uuid.uuid4().hex[:8],
            number=0,
            reads_left=self.build_polls,
            admin_pass=body["adminPass"] if "adminPass" in body else uuid.uuid4().hex[:12],
            tags=sorted(set(body.get("tags", ()))),
            networks=networks,
            image_properties=dict(image.properties) if image else {},
            group_id=group_id,
        )
        made = [self._make(pattern, position, count) for position in range(1, count + 1)]
        if body.get("return_reservation_id"):
            return json_reply(202, {"reservation_id": made[0].reservation_id})
        first: Record = {
            "id": made[0].id,
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/servers/{made[0].id}"}],
            "OS-DCF:diskConfig": "MANUAL",
            "security_groups": [{"name": "default"}],
        }
        if self.shows_admin_password:
            first["adminPass"] = made[0].admin_pass
        return json_reply(202, {"server": first}, Location=f"{self.url}/v2.1/servers/{made[0].id}")

    def _make(self, pattern: Server, position: int, count: int) -> Server:
        """Make one server of a request; several are numbered in their names."""
        server = dataclasses.replace(
            pattern,
            id=str(uuid.uuid4()),
            created_at=self.now(),
            name=pattern.name if count == 1 else f"{pattern.name}-{position}",
            number=next(self._numbers),
            tags=list(pattern.tags),
            metadata=dict(pattern.body.get("metadata", {})),
            addresses={},
            volumes=[],
            planned_fault=self.faults.pop(0) if self.faults else None,
        )
        if self.visible_per_look is not None:
            server.visible_after = self._looks + (position + self.visible_per_look - 1) // self.visible_per_look
        self.servers[server.id] = server
        if server.group_id:
            self.server_groups[server.group_id]["members"].append(server.id)
        return server

    def _check_body(self, call: Call, body: Record) -> None:
        """Refuse what the schema at this microversion does not allow (compute/schemas/servers.py)."""
        version = _microversion(call)
        allowed = [*_SERVER_KEYS, *(["tags"] if version >= (2, 52) else [])]
        for key in body:
            if key not in allowed:
                raise _invalid("server", body, f"Additional properties are not allowed ({key!r} was unexpected)")
        required = ["name", "flavorRef", *(["networks"] if version >= (2, 37) else [])]
        for key in required:
            if key not in body:
                raise _invalid("server", body, f"{key!r} is a required property")
        _check_name(body["name"])
        for key in ("min_count", "max_count"):
            _check_count(key, body.get(key, 1))
        _check_tags(body.get("tags", []))
        _check_metadata(body.get("metadata", {}))
        _check_user_data(body.get("user_data"))
        drive = body.get("config_drive", False)
        if str(drive).lower() not in ("true", "1", "on", "yes", "false", "0", "off", "no"):
            raise _invalid("config_drive", drive, f"{drive!r} is not one of [True, False]")

    def _image(self, call: Call, body: Record, flavor: Flavor) -> ImageRecord | None:
        reference = body.get("imageRef")
        if not reference:
            if not body.get("block_device_mapping_v2"):
                raise Refused(400, "Missing imageRef attribute")
            return None
        image = self._glance.image(reference)
        if image is None or not visible(call.who, image):
            raise Refused(400, "Can not find requested image")
        root_is_volume = any(
            disk.get("boot_index") == 0 and disk.get("destination_type") == "volume"
            for disk in body.get("block_device_mapping_v2", ())
        )
        # Policy zero_disk_flavor: what is 0 for an administrator is as large as the image.
        any_disk = root_is_volume or (not flavor.disk and call.who.is_administrator)
        self._check_fit(image, flavor, None if any_disk else flavor.disk)
        return image

    def _check_fit(self, image: ImageRecord, flavor: Flavor, disk_gib: int | None) -> None:
        """Refuse an image that is not active or does not fit (nova/compute/api.py, _validate_flavor_image)."""
        if image.status != "active":
            raise Refused(400, f"Image {image.id} is not active.")
        if flavor.ram < image.min_ram:
            raise Refused(400, "Flavor's memory is too small for requested image.")
        if disk_gib is None:
            return
        if disk_gib == 0:
            raise Refused(403, "Only volume-backed servers are allowed for flavors with zero disk.")
        if (image.size or 0) > disk_gib * GIB:
            raise Refused(
                400,
                "Flavor's disk is too small for requested image. "
                f"Flavor disk is {disk_gib * GIB} bytes, image is {image.size} bytes.",
            )
        if image.min_disk > disk_gib:
            raise Refused(
                400,
                "Flavor's disk is smaller than the minimum size specified in image metadata. "
                f"Flavor disk is {disk_gib * GIB} bytes, minimum size is {image.min_disk * GIB} bytes.",
            )

    def _check_disks(self, call: Call, body: Record, flavor: Flavor, most: int) -> None:
        """Refuse disks that Nova does not make (nova/compute/api.py, _validate_bdm)."""
        disks = body.get("block_device_mapping_v2", [])
        wrong = "Block Device Mapping is Invalid"
        given = [disk.get("boot_index") for disk in disks]
        indexes = sorted(index for index in given if index is not None and index >= 0)
        if body.get("imageRef") and 0 not in indexes:
            indexes = [0, *indexes]
        if disks and (not indexes or indexes != list(range(len(indexes)))):
            raise Refused(
                400, f"{wrong}: Boot sequence for the instance and image/block device mapping combination is not valid."
            )
        for disk in disks:
            self._check_disk(call, body, flavor, disk)
        if most > 1 and any(disk.get("source_type") == "volume" for disk in disks):
            raise Refused(400, "Cannot attach one or more volumes to multiple instances")

    def _check_disk(self, call: Call, body: Record, flavor: Flavor, disk: Record) -> None:
        wrong = "Block Device Mapping is Invalid"
        kind = (disk.get("source_type"), disk.get("destination_type"))
        for key in disk:
            if key not in _DISK_KEYS:
                raise _invalid("0", disk, f"Additional properties are not allowed ({key!r} was unexpected)")
        if disk.get("disk_bus") not in _BUSES:
            raise Refused(400, f"{wrong}.")
        if not isinstance(disk.get("volume_size", 1), int | str):
            raise _invalid("volume_size", disk["volume_size"], "None is not of type 'integer', 'string'")
        if disk.get("volume_type") and disk["volume_type"] not in self._cinder.volume_types:
            raise Refused(400, f"Volume type {disk['volume_type']} could not be found.")
        if kind == ("blank", "volume") and not disk.get("volume_size"):
            raise Refused(400, "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size")
        if kind == ("blank", "local") and not flavor.ephemeral:
            raise Refused(400, f"{wrong}: Ephemeral disks requested are larger than the instance type allows.")
        if kind[0] == "image":
            self._check_image_disk(call, body, flavor, disk)
        if kind[0] == "volume" and disk.get("uuid") not in self._cinder.volumes:
            raise Refused(400, f"{wrong}: failed to get volume {disk.get('uuid')}.")

    def _check_image_disk(self, call: Call, body: Record, flavor: Flavor, disk: Record) -> None:
        wrong = "Block Device Mapping is Invalid"
        image = self._glance.image(str(disk.get("uuid")))
        if image is None or not visible(call.who, image):
            raise Refused(400, f"{wrong}: failed to get image {disk.get('uuid')}.")
        if disk.get("destination_type") == "volume":
            self._check_image_volume(image, flavor, disk)
        elif disk.get("boot_index") != 0 or disk["uuid"] != body.get("imageRef"):
            raise Refused(400, f"{wrong}: Mapping image to local is not supported.")

    def _check_image_volume(self, image: ImageRecord, flavor: Flavor, disk: Record) -> None:
        if not disk.get("volume_size"):
            raise Refused(400, "Images with destination_type 'volume' need to have a non-zero size specified")
        if disk.get("boot_index") == 0:
            self._check_fit(image, flavor, None)
            size = int(disk["volume_size"])
            if image.min_disk > size:
                raise Refused(
                    400,
                    "Volume is smaller than the minimum size specified in image metadata. "
                    f"Volume size is {size * GIB} bytes, minimum size is {image.min_disk * GIB} bytes.",
                )

    def _networks(self, call: Call, asked: Any) -> list[Record]:  # noqa: ANN401 - "auto", "none" or a list
        available = self._neutron.visible_networks(call.who)
        if asked == "none":
            return []
        if asked == "auto" or not asked:
            own = [network for network in available if network["project_id"] == call.who.project_id] or [
                network for network in available if network["shared"]
            ]
            if len(own) > 1:
                raise Refused(409, "Multiple possible networks found, use a Network ID to be more specific.")
            return own
        chosen = []
        for wanted in asked:
            network_id = str(wanted.get("uuid", ""))
            if not re.fullmatch(_UUID, network_id):
                raise _invalid("networks", asked, f"{asked} is not valid under any of the given schemas")
            network = next((known for known in available if known["id"] == network_id), None)
            if network is None:
                raise Refused(400, f"Network {network_id} could not be found.")
            if not network["subnets"]:
                raise Refused(400, f"Network {network_id} requires a subnet in order to boot instances on.")
            if network["router:external"] and not network["shared"] and not call.who.is_administrator:
                raise Refused(403, f"It is not allowed to create an interface on external network {network_id}")
            chosen.append(network)
        return chosen

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

    # ------------------------------------------------------------- building

    def _look(self, servers: Sequence[Server]) -> list[Server]:
        """Let servers go on because somebody looked at them."""
        for server in servers:
            if server.deleting:
                if server.reads_left <= 0:
                    self._end(server)
                server.reads_left -= 1
            elif server.status == "BUILD":
                if server.reads_left <= 0:
                    self._finish_build(server)
                server.reads_left -= 1
        return [server for server in servers if server.id in self.servers]

    def _finish_build(self, server: Server) -> None:
        if server.planned_fault is not None:
            self._break(server, server.planned_fault)
            return
        try:
            self._make_volumes(server)
        except Refused as refused:
            self._break(server, f"Build of instance {server.id} aborted: {refused.message}")
            self._give_up_volumes(server)
            return
        for network in server.networks:
            address = {"version": 4, "addr": self._neutron.new_address(), "OS-EXT-IPS:type": "fixed"}
            server.addresses.setdefault(network["name"], []).append(address)
        server.status = "ACTIVE"

    def _make_volumes(self, server: Server) -> None:
        disks = [
            disk for disk in server.body.get("block_device_mapping_v2", ()) if disk["destination_type"] == "volume"
        ]
        for disk in sorted(disks, key=lambda disk: disk["source_type"] == "blank"):  # Nova makes the blank ones last
            if not self._cinder.present:
                raise Refused(404, "The volume service is not available: publicURL endpoint for volumev3 not found")
            goes = bool(disk.get("delete_on_termination", False))
            if disk["source_type"] == "volume":
                volume = self._cinder.volumes[disk["uuid"]]
            else:
                volume = self._new_volume(server, disk)
            server.volumes.append((volume.id, goes))
            if volume.status == "error":
                raise Refused(
                    500,
                    f"Volume {volume.id} did not finish being created even after we waited 3 seconds or 2 attempts. "
                    "And its status is error.",
                )
            volume.status, volume.server_id = "in-use", server.id
            volume.device = f"/dev/sd{chr(ord('a') + len(server.volumes) - 1)}"

    def _new_volume(self, server: Server, disk: Record) -> Volume:
        blank = disk["source_type"] == "blank"
        image = None if blank else self._glance.image(disk["uuid"])
        name = f"{server.id}-blank-vol" if blank else ""
        size, volume_type = int(disk["volume_size"]), disk.get("volume_type")
        return self._cinder.make(server.caller, size, name=name, volume_type=volume_type, image=image)

    def _break(self, server: Server, message: str) -> None:
        server.status = "ERROR"
        server.fault = {"code": 500, "created": isotime(self.now()), "message": message}

    def _end(self, server: Server) -> None:
        del self.servers[server.id]
        self._give_up_volumes(server)

    def _give_up_volumes(self, server: Server) -> None:
        """Delete the volumes that go with the server, free the others (nova/compute/manager.py, _cleanup_volumes)."""
        for volume_id, goes in server.volumes:
            volume = self._cinder.volumes.get(volume_id)
            if volume is not None and goes:
                del self._cinder.volumes[volume_id]
            elif volume is not None:
                volume.status, volume.server_id = "available", None
        server.volumes = [(volume_id, goes) for volume_id, goes in server.volumes if not goes]

    # ------------------------------------------------------------- reading

    def _list(self, call: Call) -> Reply:
        page, links = self._selected(call)
        found = [{"id": server.id, "name": server.name, "links": []} for server in page]
        return json_reply(200, {"servers": found, **links})

    def _list_details(self, call: Call) -> Reply:
        page, links = self._selected(call)
        return json_reply(200, {"servers": [self._view(call, server) for server in page], **links})

    def _selected(self, call: Call) -> tuple[list[Server], Record]:
        self._looks += 1
        found = [
            server
            for server in self.servers.values()
            if server.visible_after <= self._looks and all(test(server) for test in self._tests(call))
        ]
        key = call.value("sort_key", "created_at")
        orders: dict[str, Callable[[Server], Any]] = {
            "display_name": lambda server: server.name,
            "uuid": lambda server: server.id,
        }
        found.sort(key=orders.get(key, lambda server: server.number), reverse=call.value("sort_dir", "desc") == "desc")
        page = _page(call, self._look(found))
        return page, self._next("servers_links", call, page)

    def _next(self, key: str, call: Call, page: Sequence[Server] | Sequence[Flavor]) -> Record:
        """Give the link to the next page, where this one is full (nova/api/openstack/common.py)."""
        if not page or len(page) < int(call.value("limit") or 1000):
            return {}
        query = "&".join(f"{name}={value}" for name, value in call.query if name != "marker")
        return {key: [{"rel": "next", "href": f"{self.url}{call.path}?{query}&marker={page[-1].id}"}]}

    def _tests(self, call: Call) -> list[Callable[[Server], bool]]:
        """Make one test for each filter that Nova lets this caller use at this microversion."""
        who, version = call.who, _microversion(call)
        _check_filters(call, version)
        everybody = call.value("all_tenants") in ("1", "true", "True")
        if everybody and not who.is_administrator:
            raise Refused(403, "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.")
        tests: list[Callable[[Server], bool]] = []
        if not everybody:
            tests.append(lambda server: server.caller.project_id == who.project_id)
        elif call.value("project_id") or call.value("tenant_id"):
            wanted = call.value("project_id") or call.value("tenant_id")
            tests.append(lambda server: server.caller.project_id == wanted)
        if version >= (2, 26):
            tests += _tag_tests(call)
        tests += _plain_tests(call)
        if call.value("metadata") and who.is_administrator:  # a member's metadata filter is ignored
            pairs = json.loads(call.value("metadata")).items()
            tests.append(lambda server: pairs <= server.metadata.items())
        return tests

    def _show(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        if not self._look([server]):
            raise Refused(404, f"Instance {server_id} could not be found.")
        return json_reply(200, {"server": self._view(call, server)})

    def _found(self, call: Call, server_id: str) -> Server:
        server = self.servers.get(server_id)
        if server is None or not (call.who.is_administrator or server.caller.project_id == call.who.project_id):
            raise Refused(404, f"Instance {server_id} could not be found.")
        return server

    def _writable(self, call: Call, server_id: str, action: str) -> Server:
        server = self._found(call, server_id)
        if not call.who.may_write:
            raise Refused(403, f"Policy doesn't allow os_compute_api:{action} to be performed.")
        return server

    def _view(self, call: Call, server: Server) -> Record:
        version = _microversion(call)
        view: Record = {
            "id": server.id,
            "name": server.name,
            "status": server.status,
            "tenant_id": server.caller.project_id,
            "user_id": server.caller.user_id,
            "addresses": server.addresses,
            "created": isotime(server.created_at),
            "updated": isotime(server.created_at),
            "image": {"id": server.image_id, "links": []} if server.image_id else "",
            "flavor": _server_flavor(server.flavor, version),
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/servers/{server.id}"}],
            "metadata": server.metadata,
            "key_name": server.body.get("key_name"),
            "config_drive": "True" if server.body.get("config_drive") in (True, "true", "True", "1") else "",
            "hostId": "" if server.status in ("BUILD", "ERROR") else "host1",
            "accessIPv4": "",
            "accessIPv6": "",
            "OS-EXT-AZ:availability_zone": "nova" if server.status == "ACTIVE" else "",
            "OS-EXT-STS:task_state": "deleting"
            if server.deleting
            else "spawning"
            if server.status == "BUILD"
            else None,
            "OS-EXT-STS:vm_state": _VM_STATES[server.status],
            "OS-EXT-STS:power_state": 1 if server.status == "ACTIVE" else 0,
            "os-extended-volumes:volumes_attached": [
                {"id": volume_id, "delete_on_termination": goes} for volume_id, goes in server.volumes
            ],
        }
        if server.status in ("ACTIVE", "BUILD"):
            view["progress"] = 0
        if server.networks:
            view["security_groups"] = server.body.get("security_groups") or [{"name": "default"}]
        if server.fault is not None:
            view["fault"] = server.fault
        if version >= (2, 26):
            view["tags"] = server.tags
        if version >= (2, 71):
            view["server_groups"] = [server.group_id] if server.group_id else []
        if version >= (2, 98) and server.image_id:
            view["image"]["properties"] = server.image_properties
        if call.who.is_administrator:
            view["OS-EXT-SRV-ATTR:user_data"] = server.body.get("user_data")
            view["OS-EXT-SRV-ATTR:reservation_id"] = server.reservation_id
            view["OS-EXT-SRV-ATTR:host"] = "host1"
        return view

    # ------------------------------------------------------------- changing

    def _delete(self, call: Call, server_id: str) -> Reply:
        server = self._writable(call, server_id, "servers:delete")
        if not server.deleting:
            server.deleting, server.reads_left = True, self.delete_polls
        return Reply(204)

    def _act(self, call: Call, server_id: str) -> Reply:
        body = call.json()
        action = next(iter(body), "")
        handlers = {
            "changePassword": self._change_password,
            "os-start": self._start,
            "os-stop": self._stop,
            "reboot": self._reboot,
        }
        if action not in handlers:
            raise Refused(400, f"There is no such action: {action}")
        server = self._writable(call, server_id, _ACTION_POLICIES[action])
        handlers[action](server, body[action])
        return Reply(202)

    def _change_password(self, server: Server, asked: Record) -> None:
        if "adminPass" not in asked:
            raise _invalid("changePassword", asked, "'adminPass' is a required property")
        self._demand_state(server, "changePassword", "ACTIVE")
        agent = server.image_properties.get("hw_qemu_guest_agent", "").lower() in ("yes", "true", "1")
        if self.password_changes == "no_agent" or (self.password_changes == "by_image" and not agent):
            raise Refused(409, "QEMU guest agent is not enabled")
        if self.password_changes == "silent_agent":
            raise Refused(501, "Unable to set password on instance")
        server.admin_pass = asked["adminPass"]

    def _start(self, server: Server, _: object) -> None:
        self._demand_state(server, "start", "SHUTOFF")
        server.status = "ACTIVE"

    def _stop(self, server: Server, _: object) -> None:
        self._demand_state(server, "stop", "ACTIVE")
        server.status = "SHUTOFF"

    def _reboot(self, server: Server, _: object) -> None:
        self._demand_state(server, "reboot", "ACTIVE")

    def _demand_state(self, server: Server, action: str, status: str) -> None:
        if server.status != status:
            state = _VM_STATES[server.status]
            raise Refused(409, f"Cannot '{action}' instance {server.id} while it is in vm_state {state}")

    def _list_tags(self, call: Call, server_id: str) -> Reply:
        return json_reply(200, {"tags": self._found(call, server_id).tags})

    def _replace_tags(self, call: Call, server_id: str) -> Reply:
        tags = call.json()["tags"]
        _check_tags(tags)
        server = self._writable(call, server_id, "os-server-tags:update_all")
        server.tags = sorted(set(tags))
        return json_reply(200, {"tags": server.tags})

    def _add_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        _check_tags([tag])
        server = self._writable(call, server_id, "os-server-tags:update")
        new = tag not in server.tags
        server.tags = sorted({*server.tags, tag})
        return Reply(201 if new else 204)

    def _remove_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        server = self._writable(call, server_id, "os-server-tags:delete")
        if tag not in server.tags:
            raise Refused(404, f"Instance {server_id} has no tag '{tag}'")
        server.tags.remove(tag)
        return Reply(204)

    def _show_metadata(self, call: Call, server_id: str) -> Reply:
        return json_reply(200, {"metadata": self._found(call, server_id).metadata})

    def _update_metadata(self, call: Call, server_id: str) -> Reply:
        server = self._writable(call, server_id, "server-metadata:create")
        server.metadata.update(call.json()["metadata"])
        return json_reply(200, {"metadata": server.metadata})

    def _list_attachments(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        attachments = [
            {
                "id": volume_id,
                "volumeId": volume_id,
                "serverId": server.id,
                "device": self._cinder.volumes[volume_id].device,
                "delete_on_termination": goes,
            }
            for volume_id, goes in server.volumes
            if volume_id in self._cinder.volumes
        ]
        return json_reply(200, {"volumeAttachments": attachments})


_ACTION_POLICIES = {
    "changePassword": "os-admin-password",
    "os-start": "servers:start",
    "os-stop": "servers:stop",
    "reboot": "servers:reboot",
}


def _number(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)


def _microversion(call: Call) -> tuple[int, int]:
    """Read the microversion that a request asks for."""
    asked = call.headers.get("x-openstack-nova-api-version", "")
    match = re.search(r"compute\s+(\S+)", call.headers.get("openstack-api-version", ""))
    asked = match.group(1) if match else asked
    return (2, 104) if asked == "latest" else _number(asked or "2.1")


def _invalid(key: str, value: object, reason: str) -> Refused:
    return Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")


def _check_name(name: str) -> None:
    if not str(name).strip():
        raise _invalid("name", name, f"{name!r} should be non-empty")
    if len(name) > 255:
        raise _invalid("name", name, f"{name!r} is too long")


def _check_count(key: str, count: object) -> None:
    if not re.fullmatch("[0-9]+", str(count)):
        raise _invalid(key, count, f"{count!r} does not match '^[0-9]*$'")
    if str(count) == "0":
        raise _invalid(key, count, f"{count} is less than the minimum of 1")


def _check_metadata(metadata: Mapping[str, object]) -> None:
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise _invalid(key, value, f"{value!r} is not of type 'string'")
        if len(value) > 255:
            raise _invalid(key, value, f"{value!r} is too long")
        if not re.fullmatch(r"[a-zA-Z0-9\-_:. ]{1,255}", key):
            raise _invalid("metadata", metadata, f"{key!r} does not match any of the regexes")


def _check_tags(tags: Sequence[str]) -> None:
    if len(tags) > 50:
        raise _invalid("tags", tags, f"{tags} is too long")
    for position, tag in enumerate(tags):
        if len(tag) > 60:
            raise _invalid(str(position), tag, f"{tag!r} is too long")
        if not tag or "," in tag or "/" in tag:
            raise _invalid(str(position), tag, f"{tag!r} does not match '^[^,/]*$'")


def _check_user_data(user_data: str | None) -> None:
    if not user_data:
        return
    if len(user_data) > 65535:
        raise _invalid("user_data", user_data, f"{user_data!r} is too long")
    try:
        base64.b64decode(user_data, validate=True)
    except binascii.Error:
        raise _invalid("user_data", user_data, f"{user_data!r} is not a 'base64'") from None


def _check_filters(call: Call, version: tuple[int, int]) -> None:
    for key, value in call.query:
        if key not in _FILTERS and version >= (2, 75):
            raise Refused(400, f"{key!r} does not match any of the regexes: '^_'")
        if key == "limit" and not re.fullmatch("[0-9]+", value):
            reason = f"{value!r} does not match '^[0-9]*$'"
            raise Refused(400, f"Invalid input for query parameters limit. Value: {value}. {reason}")


def _plain_tests(call: Call) -> list[Callable[[Server], bool]]:
    status = call.value("status").upper()
    if status and status not in (*_VM_STATES, "DELETED", "PAUSED", "SUSPENDED", "RESIZE", "VERIFY_RESIZE"):
        raise Refused(400, "Invalid status value")
    known: Mapping[str, Callable[[Server, str], bool]] = {
        "name": lambda server, value: re.search(value, server.name) is not None,
        "image": lambda server, value: server.image_id == value,
        "flavor": lambda server, value: server.flavor.id == value,
        "status": lambda server, value: server.status == value.upper(),
        "reservation_id": lambda server, value: server.reservation_id == value,
        "key_name": lambda server, value: server.body.get("key_name") == value,
        "changes-since": lambda server, value: server.created_at >= datetime.fromisoformat(value),
    }

    def test(key: str, value: str) -> Callable[[Server], bool]:
        return lambda server: known[key](server, value)

    return [test(key, value) for key, value in call.query if key in known and value]


def _tag_tests(call: Call) -> list[Callable[[Server], bool]]:
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


def _page(call: Call, found: Sequence[Any]) -> list[Any]:
    """Cut a page; markers are ids."""
    rest = list(found)
    marker = call.value("marker")
    if marker:
        ids = [item.id for item in rest]
        if marker not in ids:
            raise Refused(400, f"marker [{marker}] not found")
        rest = rest[ids.index(marker) + 1 :]
    return rest[: int(call.value("limit", "1000"))]


def _flavor_view(flavor: Flavor) -> Record:
    return {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": 0,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "OS-FLV-DISABLED:disabled": False,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": [],
        "description": None,
        "extra_specs": {},
    }


def _server_flavor(flavor: Flavor, version: tuple[int, int]) -> Record:
    if version < (2, 47):
        return {"id": flavor.id, "links": []}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": flavor.ephemeral,
        "swap": 0,
        "original_name": flavor.name,
        "extra_specs": {},
    }
