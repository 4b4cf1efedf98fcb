"""Building and deleting servers in the in-memory Nova: each read of a server advances it."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.cinder.records import Volume
from hyperx_glance.testing.memory.glance.records import isotime
from hyperx_glance.testing.memory.neutron.kinds import PORT
from hyperx_glance.testing.memory.nova.records import Nic, Server
from hyperx_glance.testing.memory.nova.snapshots import Snapshots
from hyperx_glance.testing.memory.wire import Record, Refused


class Building(Snapshots):
    """The part of Nova that builds and deletes servers."""

    def finish_builds(self) -> None:
        """Finish every server that is being built."""
        for server in self.servers.values():
            if server.status == "BUILD":
                self._finish_build(server)

    def remove_soft_deleted(self) -> None:
        """Delete the servers for good that are SOFT_DELETED, as Nova does when reclaim_instance_interval has passed."""
        for server in list(self.servers.values()):
            if server.status == "SOFT_DELETED":
                self._end(server)

    def _look(self, servers: Sequence[Server]) -> list[Server]:
        """Advance servers, because they were read."""
        for server in servers:
            if server.deleting:
                if server.reads_left <= 0 and server.deleting_softly:
                    server.status, server.deleting = "SOFT_DELETED", False
                elif server.reads_left <= 0:
                    self._end(server)
                server.reads_left -= 1
            elif server.snapshot_id is not None:
                self._go_on(server)
            elif server.status in ("BUILD", "REBUILD"):
                if server.reads_left <= 0 and server.status == "BUILD":
                    self._finish_build(server)
                elif server.reads_left <= 0:
                    server.status = server.becomes
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
        if any(nic.port_id is None and _takes_no_security_groups(nic.network) for nic in server.networks):
            exhausted = f"Exhausted all hosts available for retrying build failures for instance {server.id}."
            self._break(server, f"Exceeded maximum number of retries. {exhausted}")
            self._give_up_volumes(server)
            return
        for nic in server.networks:
            self._plug(server, self._neutron.ports.get(nic.port_id or "") or self._new_port(server, nic))
        server.status, server.launched_at = "ACTIVE", self.now()

    def _new_port(self, server: Server, nic: Nic) -> Record:
        fields: Record = {"fixed_ips": [{"ip_address": nic.address}]} if nic.address else {}
        names = {str(group["name"]) for group in server.body.get("security_groups") or [{"name": "default"}]}
        groups = self._neutron.groups_of(server.caller)
        fields["security_groups"] = [group["id"] for group in groups if names & {group["name"], group["id"]}]
        port = self._neutron.add_port(nic.network["id"], server.caller.project_id, **fields)
        server.own_ports.append(port["id"])
        return port

    def _plug(self, server: Server, port: Record) -> None:
        """Add a network card to a server."""
        zone, host = "compute:nova", "host1"
        port.update(device_id=server.id, device_owner=zone, status="ACTIVE", **{"binding:host_id": host})
        self._set_addresses(server)

    def _unplug(self, server: Server, port: Record) -> None:
        """Remove a network card, and with it a port that Nova has made."""
        if port["id"] in server.own_ports:
            self._neutron.remove(PORT, port)
        else:
            port.update(device_id="", device_owner="", status="DOWN", **{"binding:host_id": ""})
        self._set_addresses(server)

    def _set_addresses(self, server: Server) -> None:
        server.addresses = {}
        for port in self._ports(server):
            name = self._neutron.networks[port["network_id"]]["name"]
            for each in port["fixed_ips"]:
                version = 6 if ":" in each["ip_address"] else 4
                address: Record = {"version": version, "addr": each["ip_address"], "OS-EXT-IPS:type": "fixed"}
                address["OS-EXT-IPS-MAC:mac_addr"] = port["mac_address"]
                server.addresses.setdefault(name, []).append(address)

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
        self.departed[server.id] = server
        self._give_up_volumes(server)
        for port in self._ports(server):
            self._unplug(server, port)

    def _give_up_volumes(self, server: Server) -> None:
        """Delete the server's own volumes, and free the others (nova/compute/manager.py, _cleanup_volumes).

        Cinder refuses to delete a volume with snapshots, and Nova goes on.
        """
        for volume_id, goes in server.volumes:
            volume = self._cinder.volumes.get(volume_id)
            if volume is not None and goes and not self._cinder.snapshots_of(volume):
                del self._cinder.volumes[volume_id]
            elif volume is not None:
                volume.status, volume.server_id = "available", None
        server.volumes = [(volume_id, goes) for volume_id, goes in server.volumes if not goes]


def _takes_no_security_groups(network: Record) -> bool:
    """Check whether security groups cannot apply, so that Nova makes no port (_create_ports_for_instance)."""
    return bool(network["port_security_enabled"]) and not network["subnets"]
