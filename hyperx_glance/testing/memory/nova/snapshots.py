"""Creating images of servers in the in-memory Nova (nova/compute/utils.py, create_image)."""

from __future__ import annotations

import json

from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.records import Server
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.plans import next_data_fault
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_SECTOR = bytes(512)
_NEVER_INHERITED = (
    "cinder_encryption_key_deletion_policy",
    "cinder_encryption_key_id",
    "img_signature",
    "img_signature_certificate_uuid",
    "img_signature_hash_method",
    "img_signature_key_type",
)


class Snapshots(State):
    """The part of Nova that copies servers' disks into images; it advances when the server or the image is read."""

    def _create_image(self, call: Call, server: Server, asked: Record) -> Reply:
        root = self._root_volume(server)
        body = self._inherited(call, server, asked, on_volume=root is not None)
        sharing = body.pop("instance_owner", "")
        image = self._glance.make(call.who, body | (self._without_data(call, asked, root) if root else {}))
        if sharing and image.visibility != "shared":  # (nova/image/glance.py, _create_v2)
            raise Refused(403, f"Not allowed to create members for image {image.id}.")
        if root is None:
            server.snapshot_id, server.snapshot_reads_left = image.id, self.snapshot_polls
        else:
            image.status, image.size = "active", 0
        if microversion(call) < (2, 45):
            return Reply(202, headers={"Location": f"{self._glance.url}/images/{image.id}"})
        return json_reply(202, {"image_id": image.id})

    def _root_volume(self, server: Server) -> str | None:
        """Return the volume that a server runs on: its disk of boot index 0."""
        disks = [each for each in server.body.get("block_device_mapping_v2", ()) if each.get("boot_index") == 0]
        volumes = [volume_id for volume_id, _ in server.volumes]
        return volumes[0] if volumes and any(disk["destination_type"] == "volume" for disk in disks) else None

    def _inherited(self, call: Call, server: Server, asked: Record, *, on_volume: bool) -> Record:
        refused = {*self.non_inheritable.split(","), *_NEVER_INHERITED}
        kept = {
            key: value
            for key, value in server.image_properties.items()
            if key not in refused and not key.startswith("os_glance")
        }
        notes = {
            "owner_user_name": server.caller.user,
            "owner_project_name": server.caller.project,
            "boot_roles": ",".join(sorted(server.caller.roles)),
        }
        if not on_volume:
            notes |= {"instance_uuid": server.id, "user_id": call.who.user_id, "image_type": "snapshot"}
        own = call.who.project_id == server.caller.project_id
        body: Record = {"name": asked["name"], "visibility": "private" if own else "shared"}
        if not own:
            notes["instance_owner"] = server.caller.project_id
        if server.image_id:
            notes["base_image_ref"] = server.image_id
            source = self._glance.image(server.image_id)
            body |= {
                "min_disk": max(server.flavor.disk, source.min_disk if source else 0),
                "min_ram": source.min_ram if source else 0,
            }
        return {**kept, **notes, **asked.get("metadata", {}), **body}

    def _without_data(self, call: Call, asked: Record, volume_id: str) -> Record:
        """Record a snapshot of the volume instead of data (nova/compute/api.py, snapshot_volume_backed)."""
        volume = self._cinder.volumes[volume_id]
        try:
            snapshot = self._cinder.snap(call.who, volume, f"snapshot for {asked['name']}", volume.description)
        except Refused as refused:
            raise Refused(403, refused.message) from refused
        device = {
            "boot_index": 0,
            "device_type": "disk",
            "destination_type": "volume",
            "source_type": "snapshot",
            "snapshot_id": snapshot.id,
            "volume_size": snapshot.size,
        }
        return {"block_device_mapping": json.dumps([device]), "bdm_v2": "True", "root_device_name": "/dev/vda"}

    def _go_on(self, server: Server) -> None:
        """Advance a snapshot, because it was read."""
        if server.snapshot_id is None or self.snapshots_stall:
            return
        if server.snapshot_reads_left > 0:
            server.snapshot_reads_left -= 1
            return
        image, server.snapshot_id = self._glance.image(server.snapshot_id), None
        if image is None:
            return
        fault = next_data_fault("snapshot_faults", self.snapshot_faults)
        if fault == "deleted":
            self._glance.remove_image(image.id)
        elif not fault:
            self._glance.fill(image, "raw", _SECTOR)

    def look_at_image(self, image: ImageRecord) -> None:
        """Advance the snapshot that fills an image, because the image was read."""
        for server in self.servers.values():
            if server.snapshot_id == image.id:
                self._go_on(server)

    def writes_to_image(self, image: ImageRecord) -> bool:
        """Check whether a snapshot has yet to fill an image."""
        return any(server.snapshot_id == image.id for server in self.servers.values())
