"""Attachments of servers of the in-memory Nova: network cards and volumes."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.actions import Acting
from hyperx_glance.testing.memory.nova.microversions import ATTACHMENT, microversion, shown
from hyperx_glance.testing.memory.nova.records import VM_STATES, Server
from hyperx_glance.testing.memory.nova.validation import check_keys, enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_PROTOCOLS = ["vnc", "spice", "serial", "rdp"]
_RUNNING = ("ACTIVE", "PAUSED", "SHUTOFF", "SUSPENDED")


class Attachments(Acting):
    """The part of Nova that attaches and detaches network cards and volumes."""

    def _demand_running(self, server: Server, verb: str) -> None:
        if server.status not in _RUNNING:
            state = VM_STATES[server.status]
            raise Refused(409, f"Cannot '{verb}' instance {server.id} while it is in vm_state {state}")

    # ------------------------------------------------------------- network cards

    def _list_interfaces(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        return json_reply(200, {"interfaceAttachments": [_interface(call, port) for port in self._ports(server)]})

    def _show_interface(self, call: Call, server_id: str, port_id: str) -> Reply:
        return json_reply(200, {"interfaceAttachment": _interface(call, self._port(call, server_id, port_id))})

    def _port(self, call: Call, server_id: str, port_id: str) -> Record:
        server = self._found(call, server_id)
        port = self._neutron.ports.get(port_id)
        if port is None:
            raise Refused(404, f"Port id {port_id} could not be found.")
        if port["device_id"] != server.id:
            raise Refused(404, f"Instance {server_id} does not have a port with id {port_id}")
        return port

    def _attach_interface(self, call: Call, server_id: str) -> Reply:
        asked = enveloped(call, "interfaceAttachment") if call.content() else {}
        server = self._writable(call, server_id, "os-attach-interfaces:create")
        network_id, port_id = asked.get("net_id"), asked.get("port_id")
        address = next((each.get("ip_address") for each in asked.get("fixed_ips", ())), None)
        if network_id and port_id:
            raise Refused(400, "Must not input both network_id and port_id")
        if address and not network_id:
            raise Refused(400, "Must input network_id when request IP address")
        self._demand_running(server, "attach_interface")
        if port_id:
            port = self._free_port(call, port_id)
        else:
            chosen = self._networks(call, [{"uuid": network_id}] if network_id else "auto")
            if not chosen:
                raise Refused(400, "No specific network was requested and none are available for the project.")
            port = self._new_port(server, chosen[0]._replace(address=address))
        self._plug(server, port)
        self._note(call, server, "attach_interface")
        return json_reply(200, {"interfaceAttachment": _interface(call, port)})

    def _detach_interface(self, call: Call, server_id: str, port_id: str) -> Reply:
        server = self._writable(call, server_id, "os-attach-interfaces:delete")
        self._demand_running(server, "detach_interface")
        port = self._neutron.ports.get(port_id)
        if port is None or port["device_id"] != server.id:
            raise Refused(404, f"Port id {port_id} could not be found.")
        self._unplug(server, port)
        self._note(call, server, "detach_interface")
        return Reply(202)

    # ------------------------------------------------------------- volumes

    def _list_attachments(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        attachments = [
            self._attachment(call, server, volume_id)
            for volume_id, _ in server.volumes
            if volume_id in self._cinder.volumes
        ]
        return json_reply(200, {"volumeAttachments": attachments})

    def _attachment(self, call: Call, server: Server, volume_id: str) -> Record:
        goes = dict(server.volumes)[volume_id]
        view = {
            "id": volume_id,
            "volumeId": volume_id,
            "serverId": server.id,
            "device": self._cinder.volumes[volume_id].device,
            "tag": None,
            "delete_on_termination": goes,
            "attachment_id": volume_id,
            "bdm_uuid": volume_id,
        }
        return shown(view, ATTACHMENT, microversion(call))

    def _show_attachment(self, call: Call, server_id: str, volume_id: str) -> Reply:
        server = self._attached(call, server_id, volume_id)
        return json_reply(200, {"volumeAttachment": self._attachment(call, server, volume_id)})

    def _attached(self, call: Call, server_id: str, volume_id: str) -> Server:
        server = self._found(call, server_id)
        if volume_id not in dict(server.volumes):
            raise Refused(404, f"Instance {server_id} is not attached to volume {volume_id}")
        return server

    def _attach_volume(self, call: Call, server_id: str) -> Reply:
        asked, version = enveloped(call, "volumeAttachment"), microversion(call)
        more = [*(["tag"] if version >= (2, 49) else []), *(["delete_on_termination"] if version >= (2, 79) else [])]
        check_keys("volumeAttachment", asked, allowed=["volumeId", "device", *more], required=["volumeId"])
        server = self._writable(call, server_id, "os-volumes-attachments:create")
        if server.status not in (*_RUNNING, "SHELVED", "SHELVED_OFFLOADED"):
            state = VM_STATES[server.status]
            raise Refused(409, f"Cannot 'attach_volume' instance {server_id} while it is in vm_state {state}")
        volume = self._cinder.volumes.get(str(asked["volumeId"]))
        if volume is None or (volume.project_id != call.who.project_id and not call.who.is_administrator):
            raise Refused(404, f"Volume {asked['volumeId']} could not be found.")
        if volume.status != "available":
            words = f"volume '{volume.id}' status must be 'available'. Currently in '{volume.status}'"
            raise Refused(400, f"Invalid volume: {words}")
        server.volumes.append((volume.id, bool(asked.get("delete_on_termination"))))
        volume.status, volume.server_id = "in-use", server.id
        volume.device = str(asked.get("device") or f"/dev/sd{chr(ord('a') + len(server.volumes))}")
        self._note(call, server, "attach_volume")
        return json_reply(200, {"volumeAttachment": self._attachment(call, server, volume.id)})

    def _update_attachment(self, call: Call, server_id: str, volume_id: str) -> Reply:
        asked = enveloped(call, "volumeAttachment")
        if volume_id not in self._cinder.volumes and asked.get("volumeId"):
            raise Refused(404, f"Volume {volume_id} could not be found.")
        if microversion(call) < (2, 85) or not isinstance(asked.get("delete_on_termination"), bool):
            raise invalid("volumeAttachment", asked, "'delete_on_termination' is a required property")
        self._writable(call, server_id, "os-volumes-attachments:update")
        server = self._attached(call, server_id, volume_id)
        goes = asked["delete_on_termination"]
        server.volumes = [(each, goes if each == volume_id else former) for each, former in server.volumes]
        return Reply(202)

    def _detach_volume(self, call: Call, server_id: str, volume_id: str) -> Reply:
        self._writable(call, server_id, "os-volumes-attachments:delete")
        if volume_id not in self._cinder.volumes:
            raise Refused(404, f"Volume {volume_id} could not be found.")
        server = self._attached(call, server_id, volume_id)
        if volume_id == self._root_volume(server):
            raise Refused(403, "Cannot detach a root device volume")
        if server.status not in (*_RUNNING, "SHELVED", "SHELVED_OFFLOADED"):
            state = VM_STATES[server.status]
            raise Refused(409, f"Cannot 'detach_volume' instance {server_id} while it is in vm_state {state}")
        server.volumes = [pair for pair in server.volumes if pair[0] != volume_id]
        volume = self._cinder.volumes[volume_id]
        volume.status, volume.server_id = "available", None
        self._note(call, server, "detach_volume")
        return Reply(202)

    # ------------------------------------------------------------- consoles, passwords, groups

    def _remote_console(self, call: Call, server_id: str) -> Reply:
        asked = enveloped(call, "remote_console")
        check_keys("remote_console", asked, allowed=["protocol", "type"], required=["protocol", "type"])
        if asked["protocol"] not in _PROTOCOLS:
            raise invalid("protocol", asked["protocol"], f"{asked['protocol']!r} is not one of {_PROTOCOLS!r}")
        server = self._writable(call, server_id, "os-remote-consoles")
        told = {"protocol": asked["protocol"], "type": asked["type"], "url": self._console_url(server)}
        return json_reply(200, {"remote_console": told})

    def _show_password(self, call: Call, server_id: str) -> Reply:
        self._found(call, server_id)
        return json_reply(200, {"password": ""})  # only a guest's agent sets it (nova/api/metadata/password.py)

    def _clear_password(self, call: Call, server_id: str) -> Reply:
        self._writable(call, server_id, "os-server-password:clear")
        return Reply(204)


def _interface(call: Call, port: Record) -> Record:
    view = {
        "net_id": port["network_id"],
        "port_id": port["id"],
        "mac_addr": port["mac_address"],
        "port_state": port["status"],
        "fixed_ips": port["fixed_ips"],
    }
    return {**view, "tag": None} if microversion(call) >= (2, 70) else view
