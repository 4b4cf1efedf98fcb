"""How the in-memory Nova lists and shows servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hyperx_glance.testing.memory.glance.records import isotime
from hyperx_glance.testing.memory.nova.building import Building
from hyperx_glance.testing.memory.nova.filters import check_filters, plain_tests, tag_tests
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.records import VM_STATES, Flavor, Server
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class Servers(Building):
    """Answer for servers that exist."""

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
        page = cut_page(call, self._look(found))
        return page, self._next("servers_links", call, page)

    def _tests(self, call: Call) -> list[Callable[[Server], bool]]:
        """Make one test for each filter that Nova lets this caller use at this microversion."""
        who, version = call.who, microversion(call)
        check_filters(call, version)
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
            tests += tag_tests(call)
        tests += plain_tests(call)
        if call.value("metadata") and who.is_administrator:  # a member's metadata filter is ignored
            pairs = json.loads(call.value("metadata")).items()
            tests.append(lambda server: pairs <= server.metadata.items())
        return tests

    def _show(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        if not self._look([server]):
            raise Refused(404, f"Instance {server_id} could not be found.")
        return json_reply(200, {"server": self._view(call, server)})

    def _view(self, call: Call, server: Server) -> Record:
        version = microversion(call)
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
            "OS-EXT-STS:task_state": _task(server),
            "OS-EXT-STS:vm_state": VM_STATES[server.status],
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


def _task(server: Server) -> str | None:
    if server.deleting:
        return "deleting"
    if server.snapshot_id is not None:
        return "image_uploading"
    return "spawning" if server.status == "BUILD" else None


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
