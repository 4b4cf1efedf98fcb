"""Creating, showing and deleting images in the in-memory Glance."""

from __future__ import annotations

from hyperx_glance.testing import known
from hyperx_glance.testing.memory.glance import records
from hyperx_glance.testing.memory.glance.imports import Imports
from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, json_reply


class Images(Imports):
    """The part of Glance that handles single images."""

    def remove_image(self, image_id: str) -> None:
        """Delete an image without a request."""
        known.require("image", image_id, self.images)
        self._bury(self.images[image_id])

    def make(self, caller: Caller, body: Record) -> ImageRecord:
        """Make a record as Nova and Cinder do, in the name of their caller; raise `Refused` if Glance would."""
        call = Call.of("POST", f"{self.url}/v2/images")
        call.caller = caller
        records.check_values(body)
        self._check_formats(body)
        properties = {key: value for key, value in body.items() if key not in records.BASE}
        image = self._made(call, body, properties)
        self.images[image.id] = image
        self._changed()
        return image

    def fill(self, image: ImageRecord, disk_format: str, data: bytes) -> None:
        """Fill a record with data as Nova and Cinder do."""
        image.disk_format, image.container_format = disk_format, "bare"
        image.size, image.data, image.status = len(data), data, "active"
        image.stores = self._default_stores()
        self._hash(image, data)
        self._save(image)

    def look_at(self, image: ImageRecord) -> None:
        """Advance the work on an image, because it was read through another service."""
        for look in self.lookers:
            look(image)

    def lets(self, caller: Caller, action: str, image: ImageRecord) -> bool:
        """Check whether the policy allows an action on an image."""
        return self._may(caller, action, image.owner)

    def set_properties(self, image: ImageRecord, properties: dict[str, str]) -> None:
        """Set these properties of an image, and remove all others."""
        image.properties = properties
        self._save(image)

    def show_to(self, image_id: str, visibility: str) -> None:
        """Change an image's visibility without a request."""
        known.require("image", image_id, self.images)
        known.require("Glance visibility", visibility, records.VISIBILITIES)
        self.images[image_id].visibility = visibility
        self._changed()

    def _create(self, call: Call) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise Refused(500) if isinstance(body, list) else Refused(400, "Unexpected body type. Expected list/dict.")
        for key in records.UNSENDABLE:
            if key in body:
                raise Refused(403, f"Attribute '{key}' is read-only.")
        records.check_values(body)
        self._check_formats(body)
        properties = {key: value for key, value in body.items() if key not in records.BASE}
        for key in properties:
            if len(key) > 255:
                raise Refused(400, "Custom property should not be greater than 255 characters.")
            if key in ("location", "deleted", "deleted_at") or key.startswith("os_glance"):
                raise Refused(403, detail=f"Attribute '{key}' is reserved.")
        image = self._made(call, body, properties)
        self.images[image.id] = image
        self._changed()
        headers = {"OpenStack_image_import_methods": ",".join(self.import_methods)} if self.import_methods else {}
        if self.stores:
            headers["OpenStack_image_store_ids"] = ",".join(self.stores)
        return json_reply(201, self._view(call, image), Location=f"{self.url}/v2/images/{image.id}", **headers)

    def _made(self, call: Call, body: Record, properties: dict[str, str]) -> ImageRecord:
        caller = call.who
        owner = body.get("owner", caller.project_id)
        if not self._may(caller, "add_image", caller.project_id):
            raise Refused(403, "You are not authorized to complete add_image action.")
        if owner != caller.project_id and not caller.is_administrator:
            raise Refused(403, detail=f"You are not permitted to create images owned by '{owner}'")
        self._demand_visibility(call, body.get("visibility"), owner)
        # The token's project, regardless of the owner (glance/api/v2/images.py, create).
        self._enforce("image_count_total", caller.project_id, 1)
        for key in records.READ_ONLY:
            if key in body and key != "id":
                raise Refused(403, f"Attribute '{key}' is read-only.")
        for key in properties:
            self._check_protection(caller, key, "create")
        if "locations" in body:
            raise Refused(403, "Attribute 'locations' is reserved.")
        fields = {key: value for key, value in body.items() if key in records.SETTABLE and key != "owner"}
        dated = {"created_at": self.now(), "updated_at": self.now()}
        image = ImageRecord(
            str(body.get("id") or self.ids.uuid4()), owner, **{"visibility": "shared", **dated, **fields}
        )
        image.tags, image.properties = set(body.get("tags", ())), properties
        self._check_record(image)
        if image.id in self.images:
            raise Refused(409, f"Image ID {image.id} already exists!")
        return image

    def _show(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id)
        for look in self.lookers:
            look(image)
        image = self._found(call, image_id)
        self._advance(image)
        return json_reply(200, self._view(call, image))

    def _delete(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id, "Failed to find image {} to delete")
        self._demand(call, "delete_image", image)
        if image.protected:
            raise Refused(403, f"Image {image_id} is protected and cannot be deleted.")
        if image_id in self.in_use:
            raise Refused(409, f"Image {image_id} could not be deleted because it is in use: it has clones")
        status, written = image.status, any(writes(image) for writes in self.writers)
        self._bury(image)
        if self.loses_places and written:
            # The writer puts the status back between the two changes of a deletion (glance/db/__init__.py, remove).
            image.status = status
        return Reply(204)

    def _bury(self, image: ImageRecord) -> None:
        image.deleted, image.status, image.data = True, "deleted", None
        job = self._jobs.pop(image.id, None)
        if job is not None:
            job.task.update(status="failure", message="Task failed due to Internal Error")
            self._orphans.append(job)
        self.cache.drop(image.id)
        self._changed()
        self._start_waiting()

    def _deactivate(self, call: Call, image_id: str) -> Reply:
        return self._switch(call, image_id, "deactivate", "active", "deactivated")

    def _reactivate(self, call: Call, image_id: str) -> Reply:
        return self._switch(call, image_id, "reactivate", "deactivated", "active")

    def _switch(self, call: Call, image_id: str, action: str, before: str, after: str) -> Reply:
        image = self._found(call, image_id)
        self._demand(call, action, image)
        if image.status not in (before, after):
            raise Refused(403, f"Not allowed to {action} image in status '{image.status}'")
        image.status = after
        self._save(image)
        return Reply(204)
