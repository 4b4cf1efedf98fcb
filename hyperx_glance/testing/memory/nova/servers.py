"""Listing and showing servers in the in-memory Nova."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, ItemsView, Mapping
from typing import Any

from hyperx_glance.testing.memory.glance.records import isotime
from hyperx_glance.testing.memory.nova.building import Building
from hyperx_glance.testing.memory.nova.filters import (
    at_beginning,
    check_filters,
    plain_tests,
    tag_tests,
    wants_everybody,
)
from hyperx_glance.testing.memory.nova.microversions import SERVER, microversion, shown
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.records import HOST, POWER_STATES, VM_STATES, Flavor, Server
from hyperx_glance.testing.memory.wire import (
    Call,
    Record,
    Refused,
    Reply,
    json_reply,
    microseconds,
    read_json,
    searcher,
)

_UPDATED_KEYS = (
    "OS-DCF:diskConfig",
    "accessIPv4",
    "accessIPv6",
    "addresses",
    "created",
    "flavor",
    "hostId",
    "id",
    "image",
    "links",
    "metadata",
    "name",
    "progress",
    "status",
    "tenant_id",
    "updated",
    "user_id",
    "locked",
    "description",
    "tags",
)
_HOST_ID = hashlib.sha224(HOST.encode()).hexdigest()


_IN_PROGRESS = ("ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE", "MIGRATING")
"""The statuses in which Nova shows a progress."""


class Servers(Building):
    """The part of Nova that handles existing servers."""

    def _list(self, call: Call) -> Reply:
        page, links = self._selected(call)
        found = [{"id": server.id, "name": server.name, "links": self._links("servers", server.id)} for server in page]
        return json_reply(200, {"servers": found, **links})

    def _list_details(self, call: Call) -> Reply:
        page, links = self._selected(call)
        if page:
            self._ask_neutron()
        return json_reply(200, {"servers": [self._listed_view(call, server) for server in page], **links})

    def _selected(self, call: Call) -> tuple[list[Server], Record]:
        self._looks += 1
        tests = self._tests(call)
        found = [
            server
            for server in self.servers.values()
            if server.visible_after <= self._looks and all(test(server) for test in tests)
        ]
        found = [server for server in found if server.status != "SOFT_DELETED"]
        key = call.value("sort_key", "created_at")
        orders: dict[str, Callable[[Server], Any]] = {
            "display_name": lambda server: server.name,
            "uuid": lambda server: server.id,
        }
        found.sort(key=orders.get(key, lambda server: server.number), reverse=call.value("sort_dir", "desc") == "desc")
        found = [server for server in self._look(found) if server.status != "SOFT_DELETED"]
        page = cut_page(call, found, key=lambda server: server.id, largest=self.max_limit)
        return page, self._next("servers_links", call, [server.id for server in page])

    def _tests(self, call: Call) -> list[Callable[[Server], bool]]:
        """Make one test for each filter that Nova lets this caller use at this microversion."""
        who, version = call.who, microversion(call)
        check_filters(call, version)
        everybody = wants_everybody(call)
        if everybody and not who.is_administrator:
            view = "detail" if call.path.endswith("/detail") else "index"
            raise Refused(403, f"Policy doesn't allow os_compute_api:servers:{view}:get_all_tenants to be performed.")
        tests: list[Callable[[Server], bool]] = []
        if not everybody:
            tests.append(lambda server: server.caller.project_id == who.project_id)
        elif call.value("project_id") or call.value("tenant_id"):
            wanted = call.value("project_id") or call.value("tenant_id")
            tests.append(lambda server: server.caller.project_id == wanted)
        if version >= (2, 26):
            tests += tag_tests(call)
        tests += plain_tests(call)
        for key, version_of in (("ip", 4), ("ip6", 6)):
            if call.value(key) and (key == "ip" or who.is_administrator or version >= (2, 5)):
                tests.append(_has_address(call.value(key), version_of))
        if call.value("host") and who.is_administrator:
            tests.append(lambda _: call.value("host") == HOST)
        if call.value("metadata") and who.is_administrator:  # a member's metadata filter is ignored
            pairs = _pairs(call.value("metadata"))
            tests.append(lambda server: pairs <= server.metadata.items())
        return tests

    def _show(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        if not self._look([server]):
            raise Refused(404, f"Instance {server_id} could not be found.")
        self._ask_neutron()
        return json_reply(200, {"server": self._view(call, server)})

    def _view(self, call: Call, server: Server) -> Record:
        version = microversion(call)
        view: Record = {
            "id": server.id,
            "name": server.name,
            "status": server.status,
            "tenant_id": server.caller.project_id,
            "user_id": server.caller.user_id,
            "addresses": self._addresses(server),
            "created": isotime(server.created_at),
            "updated": isotime(server.created_at),
            "image": self._image_view(server, version) if server.image_id else "",
            "flavor": self._server_flavor(server.flavor, version),
            "links": self._links("servers", server.id),
            "metadata": server.metadata,
            "key_name": server.body.get("key_name"),
            "config_drive": "True" if server.body.get("config_drive") in (True, "true", "True", "1") else "",
            "hostId": _HOST_ID if self._is_placed(server) else "",
            "accessIPv4": server.body.get("accessIPv4") or "",
            "accessIPv6": server.body.get("accessIPv6") or "",
            "OS-DCF:diskConfig": server.body.get("OS-DCF:diskConfig", "MANUAL"),
            "OS-EXT-AZ:availability_zone": "nova" if self._is_placed(server) else "",
            "OS-EXT-STS:task_state": _task(server),
            "OS-EXT-STS:vm_state": VM_STATES[server.status],
            "OS-EXT-STS:power_state": POWER_STATES.get(server.status, 0),
            "OS-SRV-USG:launched_at": microseconds(server.launched_at) if server.launched_at else None,
            "OS-SRV-USG:terminated_at": None,
            "os-extended-volumes:volumes_attached": [
                {"id": volume_id} | ({"delete_on_termination": goes} if version >= (2, 3) else {})
                for volume_id, goes in server.volumes
            ],
            "locked": bool(server.locked),
            "locked_reason": server.locked_reason,
            "description": server.body.get("description") if version >= (2, 19) else server.name,
            "tags": server.tags,
            "trusted_image_certificates": None,
            "server_groups": [server.group_id] if server.group_id else [],
            "pinned_availability_zone": server.pinned_zone,
            "scheduler_hints": {"group": [server.group_id]} if server.group_id else {},
        }
        if server.status in _IN_PROGRESS:
            view["progress"] = 0
        groups = self._group_names(server)
        if groups:
            view["security_groups"] = groups
        if server.fault is not None:
            view["fault"] = server.fault
        if version >= (2, 90) or (call.who.is_administrator and version >= (2, 3)):
            view["OS-EXT-SRV-ATTR:hostname"] = server.hostname
        if call.who.is_administrator:
            view |= _administrators_view(server)
        return shown(view, SERVER, version)

    def _group_names(self, server: Server) -> list[Record]:
        """Return the security groups of a server's ports, or those that it will have."""
        ports = self._ports(server)
        if not ports:
            return (server.body.get("security_groups") or [{"name": "default"}]) if server.networks else []
        known = self._neutron.security_groups
        found = [known[group]["name"] for port in ports for group in port["security_groups"] if group in known]
        return [{"name": name} for name in dict.fromkeys(found)]

    def _listed_view(self, call: Call, server: Server) -> Record:
        view = self._view(call, server)
        view.pop("server_groups", None)  # shown only for a single server (nova/api/openstack/compute/servers.py)
        return view

    def _is_placed(self, server: Server) -> bool:
        """Check whether a server has a host."""
        return server.launched_at is not None and server.status not in ("BUILD", "SHELVED_OFFLOADED")

    def _updated_view(self, call: Call, server: Server) -> Record:
        """Show a server after a change: before 2.75 without the keys that extensions add (servers.py, _update)."""
        view = self._view(call, server)
        if microversion(call) >= (2, 75):
            return view
        view["addresses"] = _brief(view["addresses"])
        return {key: value for key, value in view.items() if key in _UPDATED_KEYS}

    def _image_view(self, server: Server, version: tuple[int, int]) -> Record:
        links = [{"rel": "bookmark", "href": f"{self.url}/images/{server.image_id}"}]
        view: Record = {"id": server.image_id, "links": links}
        return {**view, "properties": server.image_properties} if version >= (2, 98) else view

    def _server_flavor(self, flavor: Flavor, version: tuple[int, int]) -> Record:
        if version < (2, 47):
            return {"id": flavor.id, "links": [{"rel": "bookmark", "href": f"{self.url}/flavors/{flavor.id}"}]}
        return {
            "vcpus": flavor.vcpus,
            "ram": flavor.ram,
            "disk": flavor.disk,
            "ephemeral": flavor.ephemeral,
            "swap": flavor.swap,
            "original_name": flavor.name,
            "extra_specs": flavor.extra_specs,
        }

    def _addresses(self, server: Server) -> Mapping[str, list[Record]]:
        """Return a server's addresses by network, floating ones among those of the networks that they lead to."""
        if not self._neutron.floatingips:
            return server.addresses
        shown = {network: list(addresses) for network, addresses in server.addresses.items()}
        for port in self._ports(server):
            network = self._neutron.networks[port["network_id"]]["name"]
            for floating in self._neutron.floatingips.values():
                if floating["port_id"] == port["id"]:
                    address = {"version": 4, "addr": floating["floating_ip_address"], "OS-EXT-IPS:type": "floating"}
                    shown[network].append({**address, "OS-EXT-IPS-MAC:mac_addr": port["mac_address"]})
        return shown

    def _list_addresses(self, call: Call, server_id: str) -> Reply:
        return json_reply(200, {"addresses": _brief(self._addresses(self._found(call, server_id)))})

    def _show_addresses(self, call: Call, server_id: str, network: str) -> Reply:
        found = _brief(self._addresses(self._found(call, server_id)))
        if network not in found:
            raise Refused(404, "Instance is not a member of specified network")
        return json_reply(200, {network: found[network]})


def _pairs(metadata: str) -> ItemsView[str, object]:
    try:
        return dict(read_json(metadata)).items()
    except (TypeError, ValueError):
        raise Refused(400, "The metadata filter is not a JSON object.") from None


def _has_address(pattern: str, version: int) -> Callable[[Server], bool]:
    """Return the test for a server with such an address (nova/compute/api.py, _ip_filter)."""
    matches = searcher(at_beginning(pattern))
    return lambda server: any(
        each["version"] == version and matches(each["addr"]) for those in server.addresses.values() for each in those
    )


def _task(server: Server) -> str | None:
    if server.deleting:
        return "soft-deleting" if server.deleting_softly else "deleting"
    if server.snapshot_id is not None:
        return "image_uploading"
    return "spawning" if server.status == "BUILD" else None


def _administrators_view(server: Server) -> Record:
    return {
        "OS-EXT-SRV-ATTR:user_data": server.body.get("user_data"),
        "OS-EXT-SRV-ATTR:reservation_id": server.reservation_id,
        "OS-EXT-SRV-ATTR:host": "host1",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "host1",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.number:08x}",
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/sda",
        "host_status": "UP",
    }


def _brief(addresses: Mapping[str, list[Record]]) -> Record:
    """Return addresses in the form without extensions."""
    return {
        network: [{key: each[key] for key in ("addr", "version")} for each in addresses[network]]
        for network in addresses
    }
