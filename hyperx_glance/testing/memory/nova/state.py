"""The state of the in-memory Nova, and its settings."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlencode

from hyperx_glance.deployment import NOVA_OPTION
from hyperx_glance.testing import known
from hyperx_glance.testing.memory.cinder import Cinder
from hyperx_glance.testing.memory.glance import Glance
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.neutron import Neutron
from hyperx_glance.testing.memory.nova.paging import page_size
from hyperx_glance.testing.memory.nova.records import (
    DEFAULT_QUOTA,
    UNIFIED_LIMITS,
    ComputeService,
    Flavor,
    PasswordChanges,
    Server,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Service, microseconds


class State(Service):
    """The state that the parts of this Nova share."""

    name: ClassVar[str] = "nova"
    type: ClassVar[str] = "compute"
    endpoint_path: ClassVar[str] = "/v2.1"

    def __init__(  # noqa: PLR0915  # one statement for each thing that a test may set
        self, keystone: Keystone, glance: Glance, cinder: Cinder, neutron: Neutron
    ) -> None:
        super().__init__()
        self.servers: dict[str, Server] = {}
        """Servers by id."""
        self.flavors: dict[str, Flavor] = {}
        """Flavors by id."""
        self.keypairs: dict[str, dict[str, Record]] = {}
        """Key pairs by user id and name."""
        self.server_groups: dict[str, Record] = {}
        """Server groups by id."""
        self.availability_zones: list[str] = ["nova"]
        """The zones with a working host."""
        self.unavailable_zones: list[str] = []
        """Zones without a working host: Nova lists them, and launches nothing there."""
        self.quotas: dict[str, dict[str, int]] = {}
        """Limits by project id; missing ones have Nova's default (10 servers, 20 cores, 50 GiB)."""
        self.unified_limits = False
        """True: like nova.quota.UnifiedLimitsDriver; Keystone has the limits of servers, cores, memory and disks."""
        self.build_polls = 1
        """The number of looks that find a new server still in BUILD."""
        self.delete_polls = 1
        """The number of looks that still find a deleted server."""
        self.soft_delete = False
        """True, like reclaim_instance_interval: a deleted server is SOFT_DELETED, in no list, and keeps its volumes."""
        self.visible_per_look: int | None = None
        """The number of new servers that each listing reveals; None: all at once."""
        self.faults: list[str] = []
        """Each server that is built takes one of these and ends in ERROR with it."""
        self.snapshot_polls = 1
        """The number of looks that find a snapshot unfinished."""
        self.snapshots_stall = False
        """True: snapshots never end, as if nova-compute had died."""
        self.snapshot_faults: list[str] = []
        """Failures of the next snapshots: "lost" leaves the record queued, "deleted" deletes it, as Nova does."""
        self.non_inheritable = NOVA_OPTION
        """The option non_inheritable_image_properties: properties that snapshots do not get from the server's image."""
        self.max_microversion = "2.104"
        """The newest microversion."""
        self.max_limit = 1000
        """The option of [api]: the largest number of records of a page."""
        self.password_changes: PasswordChanges = "accepted"
        """accepted: like the fake hypervisor. by_image: like libvirt, which requires hw_qemu_guest_agent."""
        self.shows_admin_password = True
        """False: like [api] enable_instance_password = False."""
        self.resizes = True
        """Whether there is a host for a server that is resized or migrated: another one, or the same."""
        self.compute_service = ComputeService()
        """What administrators have set for the one compute service; servers are built only if it is enabled and up."""
        self.aggregates: dict[int, Record] = {}
        """Host aggregates by id."""
        self.migrations: list[Record] = []
        """Resizes and moves of servers, the oldest first."""
        self.departed: dict[str, Server] = {}
        """Deleted servers: their actions can still be read."""
        self.quota_classes: dict[str, dict[str, int]] = {}
        """Limits by classes of quotas, which Nova keeps and, but for "default", nobody has."""
        self._keystone = keystone
        self._glance = glance
        self._cinder = cinder
        self._neutron = neutron
        self._numbers = itertools.count(1)
        self._looks = 0
        self._aggregate_ids = itertools.count(1)
        self._keypair_ids = itertools.count(1)

    def add_flavor(self, name: str, *, ram: int, disk: int, vcpus: int, ephemeral: int = 0, id: str = "") -> str:  # noqa: A002 - as Nova calls it
        """Create a flavor; return its id."""
        flavor = Flavor(id or str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), name, ram, disk, vcpus, ephemeral)
        self.flavors[flavor.id] = flavor
        return flavor.id

    def set_quota(self, department: str, **limits: int) -> None:
        """Set limits of a department, given by name or id: instances, cores, ram (MiB), and others; -1 is none."""
        known.require_limits("Nova", limits, DEFAULT_QUOTA)
        self.quotas.setdefault(self._keystone.project_id(department), {}).update(limits)

    def server(self, name: str) -> Server:
        """Return the server of that name."""
        known.require("server", name, [server.name for server in self.servers.values()])
        return next(server for server in self.servers.values() if server.name == name)

    def limits_of(self, project_id: str) -> dict[str, int]:
        """Return a project's limits."""
        limits = {**DEFAULT_QUOTA, **self.quotas.get(project_id, {})}
        if self.unified_limits:
            limits |= {key: self._keystone.limit(self, name, project_id) for key, name in UNIFIED_LIMITS.items()}
        return limits

    def in_use(self, project_id: str) -> dict[str, int]:
        """Count a project's servers and their resources."""
        own = [
            server
            for server in self.servers.values()
            if server.caller.project_id == project_id and server.status != "SOFT_DELETED"
        ]
        return {
            "instances": len(own),
            "cores": sum(server.flavor.vcpus for server in own),
            "ram": sum(server.flavor.ram for server in own),
        }

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

    def _demand_administrator(self, call: Call, action: str) -> None:
        if not call.who.is_administrator:
            raise Refused(403, f"Policy doesn't allow os_compute_api:{action} to be performed.")

    def _usable_flavor(self, call: Call, reference: object) -> Flavor:
        """Return a flavor that a caller may use, by its id or its URL."""
        flavor = self.flavors.get(str(reference).rsplit("/", 1)[-1])
        who = call.who
        if flavor is None or not (flavor.is_public or who.is_administrator or who.project_id in flavor.projects):
            raise Refused(400, f"Flavor {reference} could not be found.")
        return flavor

    def _group(self, call: Call, group_id: str, status: int) -> Record:
        group = self.server_groups.get(group_id)
        if group is None or group["project_id"] != call.who.project_id:
            raise Refused(status, f"Instance group {group_id} could not be found.")
        return group

    def _note(self, call: Call, server: Server, action: str) -> None:
        """Record an action on a server."""
        now = microseconds(self.now())
        server.deeds.append(
            {
                "action": action,
                "instance_uuid": server.id,
                "request_id": call.request_id,
                "user_id": call.who.user_id,
                "project_id": call.who.project_id,
                "start_time": now,
                "message": None,
                "updated_at": now,
            }
        )

    def _ask_neutron(self) -> None:
        """Fail as Nova without Neutron, which it asks for networks of new servers, and for groups of those it shows."""
        if self._neutron.present and self._neutron.running:
            return
        absent = "keystoneauth1.exceptions.catalog.EndpointNotFound"
        name = absent if not self._neutron.present else "neutronclient.common.exceptions.ConnectionFailed"
        words = (
            "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log"
        )
        raise Refused(500, f"{words} if possible.\n<class '{name}'>")

    def _ports(self, server: Server) -> list[Record]:
        """Return the ports of a server."""
        return [port for port in self._neutron.ports.values() if port["device_id"] == server.id]

    def _links(self, kind: str, item_id: str) -> list[Record]:
        return [
            {"rel": "self", "href": f"{self.url}/v2.1/{kind}/{item_id}"},
            {"rel": "bookmark", "href": f"{self.url}/{kind}/{item_id}"},
        ]

    def _next(self, key: str, call: Call, page: Sequence[str]) -> Record:
        """Return the link to the next page, if this one is full (nova/api/openstack/common.py)."""
        if not page or len(page) < page_size(call, self.max_limit):
            return {}
        query = urlencode([*((name, value) for name, value in call.query if name != "marker"), ("marker", page[-1])])
        return {key: [{"rel": "next", "href": f"{self.url}{call.path}?{query}"}]}
