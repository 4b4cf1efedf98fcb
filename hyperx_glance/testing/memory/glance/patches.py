"""Changes of images in the in-memory Glance: JSON patches of both kinds, and tags."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from hyperx_glance.testing.memory.glance import records
from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.glance.state import State
from hyperx_glance.testing.memory.wire import Call, Refused, Reply, json_reply

PATCH_TYPES = ("application/openstack-images-v2.0-json-patch", "application/openstack-images-v2.1-json-patch")


class Patches(State):
    """The part of Glance that handles changes of images."""

    def _update(self, call: Call, image_id: str) -> Reply:
        media_type = call.headers.get("content-type", "").partition(";")[0]
        if media_type not in PATCH_TYPES:
            raise Refused(415, f"Image PATCH expects Content-Type one of: {', '.join(PATCH_TYPES)}")
        changes = call.json()
        if not isinstance(changes, list):
            raise Refused(400, "Request body must be a JSON array of operation objects.")
        first_kind = media_type == PATCH_TYPES[0]
        parsed = [_parsed_change(_as_second_kind(change) if first_kind else change) for change in changes]
        image = self._found(call, image_id)
        edited = copy.deepcopy(image)
        for operation, key, value in parsed:
            if first_kind and operation == "add" and (key in records.BASE or key in edited.properties):
                self._demand(call, "modify_image", edited)
                raise Refused(409, detail=f"Property {key} already present.")
            self._change(call, edited, operation, key, value)
        if parsed:
            self._check_record(edited, image)
            for field in dataclasses.fields(ImageRecord):
                setattr(image, field.name, getattr(edited, field.name))
            self._save(image)
        return json_reply(200, self._view(call, image))

    def _change(self, call: Call, image: ImageRecord, operation: str, key: str, value: Any) -> None:  # noqa: ANN401
        if operation == "replace" and key == "locations":
            raise Refused(403, detail="Cannot set locations to empty list.")
        if operation == "replace" and key == "owner" and not call.who.is_administrator:
            raise Refused(403, detail="Owner can't be updated by non admin.")
        if key == "visibility" and operation != "remove":
            self._demand_visibility(call, value, image.owner)
        self._demand(call, "modify_image", image)
        if key in records.SETTABLE or key == "tags":
            self._change_base(image, operation, key, value)
        elif operation == "remove" or (operation == "replace" and key not in image.properties):
            if key not in image.properties:
                raise Refused(409, detail=f"Property {key} does not exist.")
            self._check_protection(call.who, key, "delete")
            del image.properties[key]
        else:
            self._check_protection(call.who, key, "update" if key in image.properties else "create")
            image.properties[key] = value

    def _change_base(self, image: ImageRecord, operation: str, key: str, value: Any) -> None:  # noqa: ANN401
        if operation == "remove":
            raise Refused(403, detail=f"Property {key} may not be removed.")
        if key in ("disk_format", "container_format") and image.status not in ("queued", "importing"):
            raise Refused(403, f"Attribute {key} can be only replaced for a queued image.")
        self._check_formats({key: value})
        setattr(image, key, set(value) if key == "tags" else value)

    def _add_tag(self, call: Call, image_id: str, tag: str) -> Reply:
        records.check_values({"tags": [tag]})
        image = self._found(call, image_id, "Image {} not found.")
        self._demand(call, "modify_image", image)
        edited = dataclasses.replace(image, tags=image.tags | {tag})
        self._check_record(edited, image)
        image.tags = edited.tags
        self._save(image)
        return Reply(204)

    def _remove_tag(self, call: Call, image_id: str, tag: str) -> Reply:
        image = self._found(call, image_id, "Image {} not found.")
        self._demand(call, "modify_image", image)
        if tag not in image.tags:
            raise Refused(404)
        image.tags.discard(tag)
        self._save(image)
        return Reply(204)


def _as_second_kind(change: object) -> object:
    """Write an operation of the first kind of patch, {"add": "/key", "value": ...}, as the second does."""
    if not isinstance(change, Mapping):
        return change
    names = [name for name in ("add", "remove", "replace") if name in change]
    if len(names) != 1:
        exactly = "only one" if names else "exactly one"
        named = 'member named "add", "remove", or "replace".'
        raise Refused(400, f"Operation objects must contain {exactly} {named}")
    return {**change, "op": names[0], "path": change[names[0]]}


def _parsed_change(change: object) -> tuple[str, str, Any]:
    """Read one operation of a JSON patch (glance/api/v2/images.py, RequestDeserializer.update)."""
    operations = ("add", "remove", "replace")
    if not isinstance(change, Mapping):
        raise Refused(400, "Operations must be JSON objects.")
    hint = f"It must be one of the following: {', '.join(operations)}."
    if "op" not in change:
        raise Refused(400, f"Unable to find `op` in JSON Schema change. {hint}")
    operation = str(change["op"])
    if operation not in operations:
        raise Refused(400, f"Invalid operation: `{operation}`. {hint}")
    if "path" not in change:
        raise Refused(400, "Unable to find 'path' in JSON Schema change")
    key = _pointed(str(change["path"]))
    if operation != "remove" and "value" not in change:
        raise Refused(400, f'Operation "{operation}" requires a member named "value".')
    if key in records.READ_ONLY:
        raise Refused(403, f"Attribute '{key}' is read-only.")
    if key in ("location", "deleted", "deleted_at") or key.startswith("os_glance"):
        raise Refused(403, f"Attribute '{key}' is reserved.")
    if operation != "remove":
        records.check_values({key: change["value"]})
    return operation, key, change.get("value")


def _pointed(pointer: str) -> str:
    if not pointer.startswith("/"):
        raise Refused(400, f'Pointer `{pointer}` does not start with "/".')
    if len(pointer) > 1 and pointer.endswith("/"):
        raise Refused(400, f'Pointer `{pointer}` end with "/".')
    if re.search("~[^01]", pointer) or pointer.endswith("~"):
        raise Refused(400, f'Pointer `{pointer}` contains "~" not part of a recognized escape sequence.')
    parts = [part.replace("~1", "/").replace("~0", "~").strip() for part in pointer.lstrip("/").split("/")]
    if len(parts) != 1:
        raise Refused(400, f"Invalid JSON pointer for this resource: '/{'/'.join(parts)}'")
    return parts[0]
