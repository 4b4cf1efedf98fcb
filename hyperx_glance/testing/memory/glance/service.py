"""The in-memory Glance itself: what it answers, and what a test sets."""

from __future__ import annotations

import configparser
import copy
import dataclasses
import functools
import hashlib
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

from hyperx_glance.deployment import property_protections
from hyperx_glance.testing.memory.glance import queries, records
from hyperx_glance.testing.memory.glance.downloads import ContentError, Download, Filter, Job, inspect
from hyperx_glance.testing.memory.glance.metadefs import Metadefs
from hyperx_glance.testing.memory.glance.records import ImageRecord, Member, show, visible
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.wire import (
    Call,
    Caller,
    Record,
    Refused,
    Reply,
    Route,
    Service,
    json_reply,
    webob_error,
)

MIB = 1 << 20
Rule = Literal["admin", "member", "nobody"]

_IMAGE = "/v2/images/([^/]+)"
_PATCH_TYPES = ("application/openstack-images-v2.0-json-patch", "application/openstack-images-v2.1-json-patch")
_LIMITED = (
    "The request returned a 413 Request Entity Too Large. This generally means that rate limiting or a quota threshold "
    "was breached.\n\nThe response body:\n"
)
_GONE = ("killed", "deleted", "pending_delete")
_FIELDS = {field.name for field in dataclasses.fields(ImageRecord)}


class Glance(Service):
    """Keep images; what a deployment decides are attributes, and what takes time goes on when somebody looks."""

    name: ClassVar[str] = "glance"
    type: ClassVar[str] = "image"

    def __init__(self, keystone: Keystone) -> None:
        self.metadefs = Metadefs()
        super().__init__()
        self.images: dict[str, ImageRecord] = {}
        """Every record, the deleted ones too: their ids are used up."""
        self.tasks: dict[str, Record] = {}
        self.import_methods: list[str] = ["glance-direct", "web-download", "copy-image", "glance-download"]
        self.import_filter = Filter(disallowed_ports=[22])
        """Which URLs are read. Unlike Glance's own default loopback and every port but 22 pass."""
        self.downloads: dict[str, Download] = {}
        """What URLs give: data, an HTTP status, an error, a function. Other URLs are really read."""
        self.ca_file: str | None = None
        """Certificates to trust for https downloads, besides the system's."""
        self.import_polls = 1
        """How many looks at an image find its import still going on."""
        self.task_threads = 16
        """How many imports run at once; more stay pending. A deleted image's download holds its thread to the end."""
        self.imports_stall = False
        """True: imports stay as they are, as after the death of their worker."""
        self.staging_broken = False
        """True: an import fails before it begins, and its lock stays."""
        self.converter: Callable[[str, bytes], tuple[str, bytes]] | None = None
        """An import plug-in: makes another format and other data of what came."""
        self.stores: list[str] = ["fast", "slow"]
        """The stores, the default one first. [] is a Glance with a single store, which does not tell its name."""
        self.broken_stores: set[str] = set()
        """Stores into which nothing can be written."""
        self.use_keystone_limits = True
        self.protections: str | bool = True
        """Property protections: True for those shipped with this library, False for none, or the text of the file."""
        self.policies: dict[str, Rule] = {
            "publicize_image": "admin",
            "communitize_image": "member",
            "add_image": "member",
            "modify_image": "member",
            "upload_image": "member",
            "delete_image": "member",
            "deactivate": "member",
            "reactivate": "member",
            "copy_image": "admin",
        }
        self.hidden_by_policy: set[str] = set()
        """Images that the policy get_image refuses to everybody: left out of pages after these were cut to size."""
        self.in_use: set[str] = set()
        """Images whose data the store does not give up: deleting them is a 409."""
        self.default_page = 25
        self.largest_page = 1000
        self.hash_algorithm = "sha512"
        self.case_sensitive = True
        """Whether the database tells upper from lower case; MySQL's usual collation does not."""
        self._keystone = keystone
        self._jobs: dict[str, Job] = {}
        self._orphans: list[Job] = []
        self._version = 0
        self._pages: tuple[object, int, list[ImageRecord]] | None = None
        self._positions: dict[str, int] = {}

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/versions/?", self._versions, public=True),
            Route("GET", "/v2/info/import", self._import_info),
            Route("GET", "/v2/info/stores", self._store_info),
            Route("GET", "/v2/info/stores/detail", self._store_details),
            Route("GET", "/v2/info/usage", self._usage),
            Route("GET", "/v2/schemas/image", self._schema),
            Route("GET", "/v2/images", self._list),
            Route("POST", "/v2/images", self._create),
            Route("GET", _IMAGE, self._show),
            Route("PATCH", _IMAGE, self._update),
            Route("DELETE", _IMAGE, self._delete),
            Route("PUT", _IMAGE + "/file", self._upload),
            Route("GET", _IMAGE + "/file", self._download),
            Route("POST", _IMAGE + "/import", self._import),
            Route("GET", _IMAGE + "/tasks", self._list_tasks),
            Route("PUT", _IMAGE + "/tags/(.+)", self._add_tag),
            Route("DELETE", _IMAGE + "/tags/(.+)", self._remove_tag),
            Route("POST", _IMAGE + "/actions/deactivate", self._deactivate),
            Route("POST", _IMAGE + "/actions/reactivate", self._reactivate),
            Route("GET", _IMAGE + "/members", self._list_members),
            Route("POST", _IMAGE + "/members", self._add_member),
            Route("GET", _IMAGE + "/members/([^/]+)", self._show_member),
            Route("PUT", _IMAGE + "/members/([^/]+)", self._update_member),
            Route("DELETE", _IMAGE + "/members/([^/]+)", self._remove_member),
            *self.metadefs.routes(),
        )

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Glance does: webob's HTML document, or JSON where the client accepts that."""
        message, detail = refused.message, refused.detail
        if refused.status == 415:
            sent = call.headers.get("content-type", "")
            message, detail = f"The request media type {sent} is not supported by this server.\n", message
        reply = webob_error(refused.status, message, detail=detail, accept=call.headers.get("accept", ""))
        if refused.status == 415 and call.method == "PATCH":
            reply.headers["Accept-Patch"] = ", ".join(_PATCH_TYPES)
        return reply

    # ------------------------------------------------------------- filled from Python

    def add_image(self, *, owner: str | None = "dept-a", **record: object) -> str:
        """Put an image straight into the database and give its id.

        ``owner`` is a department's name or id. Any other key is an attribute of `ImageRecord` or else a property; times
        may be text. Nothing is checked.
        """
        known = {key: value for key, value in record.items() if key in _FIELDS}
        image_id = str(known.pop("id", "") or uuid.uuid4())
        for key in records.TIMES:
            if isinstance(known.get(key), str):
                known[key] = datetime.fromisoformat(str(known[key]))
        if "tags" in known:
            known["tags"] = set(known["tags"])  # type: ignore[call-overload]  # any collection of texts will do
        properties = {key: value for key, value in record.items() if key not in _FIELDS}
        now = self.now()
        known = {"created_at": now, "updated_at": now, **known}
        image = ImageRecord(image_id, self._keystone.departments.get(owner or "", owner), **known)  # type: ignore[arg-type]  # unchecked on purpose
        image.properties |= properties  # type: ignore[arg-type]  # unchecked on purpose
        if image.status in ("active", "deactivated") and not image.stores and "stores" not in record:
            image.stores = self._default_stores()
        self.images[image_id] = image
        self._changed()
        return image_id

    def image(self, image_id: str) -> ImageRecord | None:
        """Give a record that is not deleted."""
        image = self.images.get(image_id)
        return None if image is None or image.deleted else image

    def remove_image(self, image_id: str) -> None:
        """Delete an image behind everybody's back."""
        self._bury(self.images[image_id])

    def share(self, image_id: str, department: str, *, status: str = "accepted") -> None:
        """Share an image with a department."""
        project_id = self._keystone.departments[department]
        self.images[image_id].members[project_id] = Member(
            project_id, status, created_at=self.now(), updated_at=self.now()
        )
        self._changed()

    def finish_imports(self) -> None:
        """Bring every import to its end."""
        for image_id in list(self._jobs):
            job = self._jobs[image_id]
            if job.thread is not None:
                job.thread.join()
            while image_id in self._jobs and not (self.imports_stall or job.pending):
                self._advance(job.image)
            self._start_waiting()

    # ------------------------------------------------------------- discovery

    def _versions(self, call: Call) -> Reply:
        several = ("2.13", "2.12", "2.11", "2.10", "2.9", "2.8") if self.stores else ("2.9",)
        known = ("2.15", *several, "2.17", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")
        versions = [
            {
                "id": f"v{version}",
                "status": "CURRENT" if version == "2.17" else "SUPPORTED",
                "links": [{"rel": "self", "href": f"{self.url}/v2/"}],
            }
            for version in known
        ]
        return json_reply(300 if call.path == "/" else 200, {"versions": versions})

    def _import_info(self, call: Call) -> Reply:
        del call
        methods = {"description": "Import methods available.", "type": "array", "value": self.import_methods}
        return json_reply(200, {"import-methods": methods})

    def _store_info(self, call: Call) -> Reply:
        del call
        if not self.stores:
            raise Refused(404, "Multi backend is not supported at this site.")
        default: Record = {"id": self.stores[0], "default": "true"}
        return json_reply(200, {"stores": [default, *({"id": store} for store in self.stores[1:])]})

    def _store_details(self, call: Call) -> Reply:
        if not call.who.is_administrator:
            raise Refused(403, "You are not authorized to complete stores_info_detail action.")
        if not self.stores:
            raise Refused(404, "Multi backend is not supported at this site.")
        return json_reply(200, {"stores": [{"id": store, "type": "file", "weight": 0} for store in self.stores]})

    def _schema(self, call: Call) -> Reply:
        del call
        formats = {
            "disk_format": {"type": ["null", "string"], "enum": [None, *records.DISK_FORMATS]},
            "container_format": {"type": ["null", "string"], "enum": [None, *records.CONTAINER_FORMATS]},
            "visibility": {"type": "string", "enum": list(records.VISIBILITIES)},
            "status": {"type": "string", "readOnly": True, "enum": list(records.STATUSES)},
        }
        return json_reply(200, {"name": "image", "properties": formats, "additionalProperties": {"type": "string"}})

    # ------------------------------------------------------------- quotas

    def _usage(self, call: Call) -> Reply:
        if not self.use_keystone_limits:
            return json_reply(200, {"usage": {}})
        project_id = call.who.project_id
        names = ("image_size_total", "image_stage_total", "image_count_total", "image_count_uploading")
        usage = {
            name: {"usage": self.used(name, project_id), "limit": self._keystone.limit(self, name, project_id)}
            for name in names
        }
        return json_reply(200, {"usage": usage})

    def used(self, resource: str, project_id: str) -> int:
        """Count what a project uses of a unified limit, sizes in whole MiB (glance/quota/keystone.py)."""
        owned = [image for image in self.images.values() if image.owner == project_id and image.status not in _GONE]
        if resource == "image_count_total":
            return len(owned)
        copying = [image for image in owned if image.properties.get("os_glance_importing_to_stores")]
        if resource == "image_count_uploading":
            busy = [image for image in owned if image.status in ("saving", "uploading", "importing")]
            return len({image.id for image in busy + copying})
        if resource == "image_stage_total":
            staged = [image for image in owned if image.status in ("uploading", "importing") or image in copying]
            return sum(image.size or 0 for image in staged) // MIB
        return sum((image.size or 0) * len(image.stores) for image in owned) // MIB

    def _enforce(self, resource: str, project_id: str, delta: int = 0) -> None:
        if not self.use_keystone_limits:
            return
        limit, used = self._keystone.limit(self, resource, project_id), self.used(resource, project_id)
        if limit != -1 and used + delta > limit:
            raise Refused(
                413,
                f"{_LIMITED}Project {project_id} is over a limit for [Resource {resource} is over limit of {limit} "
                f"due to current usage {used} and delta {delta}]",
            )

    # ------------------------------------------------------------- rules

    def _may(self, caller: Caller, action: str, owner: str | None) -> bool:
        rule = self.policies[action]
        if rule == "nobody":
            return False
        return caller.is_administrator or (rule == "member" and caller.may_write and owner == caller.project_id)

    def _demand(self, call: Call, action: str, image: ImageRecord) -> None:
        """Refuse what the policy does not allow on an image that the caller sees (glance/api/v2/policy.py)."""
        if not self._may(call.who, action, image.owner):
            raise Refused(403, f"You are not authorized to complete {action} action.")

    def _demand_visibility(self, call: Call, visibility: object, owner: str | None) -> None:
        action = {"public": "publicize_image", "community": "communitize_image"}.get(str(visibility))
        if action and not self._may(call.who, action, owner):
            raise Refused(403, f"You are not authorized to complete {action} action.")

    def _found(self, call: Call, image_id: str, message: str = "No image found with ID {}") -> ImageRecord:
        image = self.image(image_id)
        if image is None or not visible(call.who, image):
            raise Refused(404, message.format(image_id))
        if image_id in self.hidden_by_policy:
            raise Refused(404)
        return image

    def _protected(self, caller: Caller, key: str, operation: str) -> bool:
        """Tell whether the property protections refuse an operation (glance/common/property_utils.py)."""
        if not self.protections:
            return False
        text = "" if self.protections is True else self.protections
        return _refused_by_rules(text, key, operation, caller.roles)

    def _check_protection(self, caller: Caller, key: str, operation: str) -> None:
        if self._protected(caller, key, operation):
            raise Refused(403, f"Attribute '{key}' is reserved.")

    def _view(self, call: Call, image: ImageRecord) -> Record:
        caller = call.who
        view = show(image, multi_store=bool(self.stores), is_administrator=caller.is_administrator)
        if self.protections:
            for key in image.properties:
                if self._protected(caller, key, "read"):
                    view.pop(key, None)
        return view

    # ------------------------------------------------------------- listing

    def _list(self, call: Call) -> Reply:
        limit = self._page_size(call)
        columns = queries.sorting(call.query)
        images = self._selected(call, columns)
        marker = call.value("marker")
        if marker:
            images = self._behind(call, marker, columns, images)
        page = images[:limit]
        seen = [image for image in page if image.id not in self.hidden_by_policy]
        query = [(key, value) for key, value in call.query if key != "marker"]
        body: Record = {
            "images": [self._view(call, image) for image in seen],
            "first": "/v2/images" + (f"?{urlencode(query)}" if query else ""),
            "schema": "/v2/schemas/images",
        }
        # Counted before the policy left some out; without any left there is no next page (images.py, index).
        if seen and len(page) == limit:
            body["next"] = f"/v2/images?{urlencode([*query, ('marker', seen[-1].id)])}"
        return json_reply(200, body)

    def _page_size(self, call: Call) -> int:
        if not call.values("limit"):
            return self.default_page
        try:
            limit = int(call.value("limit"))
        except ValueError:
            raise Refused(400, "limit param must be an integer") from None
        if limit < 0:
            raise Refused(400, "limit param must be positive")
        return min(limit, self.largest_page)

    def _selected(self, call: Call, columns: Sequence[tuple[str, bool]]) -> list[ImageRecord]:
        """Filter and sort; pages after the first take what the first page found, as long as nothing changed."""
        ours = ("limit", "marker", "sort", "sort_key", "sort_dir", "tag", "member_status", "visibility")
        query = {key: value for key, value in call.query if key not in ours}
        visibility = call.value("visibility")
        if visibility and visibility not in (*records.VISIBILITIES, "all"):
            raise Refused(400, f"Invalid visibility value: {visibility}")
        if "changes-since" in query:
            raise Refused(400, 'The "changes-since" filter is no longer available on v2.')
        member_status = call.value("member_status", "accepted")
        if member_status not in ("pending", "accepted", "rejected", "all"):
            raise Refused(400, f"Invalid status: {member_status}")
        tags = [tag.strip() for tag in call.values("tag")]
        asked = (call.who, visibility, member_status, tuple(tags), tuple(sorted(query.items())), tuple(columns))
        if call.value("marker") and self._pages and self._pages[:2] == (asked, self._version):
            return self._pages[2]
        tests = [queries.in_reach(call.who, visibility, member_status), *queries.filters(query, tags, self._same)]
        found = [image for image in self.images.values() if not image.deleted and all(test(image) for test in tests)]
        ordered = queries.in_order(found, columns)
        self._pages = (asked, self._version, ordered)
        self._positions = {image.id: position for position, image in enumerate(ordered)}
        return ordered

    def _behind(
        self, call: Call, marker: str, columns: Sequence[tuple[str, bool]], images: list[ImageRecord]
    ) -> list[ImageRecord]:
        last = self.image(marker)
        if last is None:
            raise Refused(400, f"No image found with ID {marker}")
        if not visible(call.who, last):
            raise Refused(403, f"Forbidding request, image {marker} not visible")
        position = self._positions.get(marker)
        if position is not None and not {key for key, _ in columns} & {
            "name",
            "size",
            "container_format",
            "disk_format",
        }:
            return images[position + 1 :]  # no column is ever null, so the order tells
        test = queries.behind(last, columns)
        return [image for image in images if test(image)]

    def _same(self, present: object, wanted: str) -> bool:
        if self.case_sensitive or not isinstance(present, str):
            return present == wanted
        return present.rstrip().casefold() == wanted.rstrip().casefold()

    # ------------------------------------------------------------- one image

    def _create(self, call: Call) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise Refused(500) if isinstance(body, list) else Refused(400, "Unexpected body type. Expected list/dict.")
        for key in records.UNSENDABLE:
            if key in body:
                raise Refused(403, f"Attribute '{key}' is read-only.")
        records.check_values(body)
        properties = {key: value for key, value in body.items() if key not in _BASE}
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
        if not caller.may_write:
            raise Refused(403, "You are not authorized to complete add_image action.")
        if owner != caller.project_id and not caller.is_administrator:
            raise Refused(403, detail=f"You are not permitted to create images owned by '{owner}'")
        self._demand_visibility(call, body.get("visibility"), owner)
        # The token's project, whoever the owner is (glance/api/v2/images.py, create).
        self._enforce("image_count_total", caller.project_id, 1)
        for key in records.READ_ONLY:
            if key in body and key != "id":
                raise Refused(403, f"Attribute '{key}' is read-only.")
        for key in properties:
            self._check_protection(caller, key, "create")
        if "locations" in body:
            raise Refused(403, "Attribute 'locations' is reserved.")
        fields = {key: value for key, value in body.items() if key in _SETTABLE and key != "owner"}
        dated = {"created_at": self.now(), "updated_at": self.now()}
        image = ImageRecord(str(body.get("id") or uuid.uuid4()), owner, **{"visibility": "shared", **dated, **fields})
        image.tags, image.properties = set(body.get("tags", ())), properties
        _check_record(image)
        if image.id in self.images:
            raise Refused(409, f"Image ID {image.id} already exists!")
        return image

    def _show(self, call: Call, image_id: str) -> Reply:
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
        self._bury(image)
        return Reply(204)

    def _bury(self, image: ImageRecord) -> None:
        image.deleted, image.status, image.data = True, "deleted", None
        job = self._jobs.pop(image.id, None)
        if job is not None:
            job.task.update(status="failure", message="Task failed due to Internal Error")
            self._orphans.append(job)
        self._changed()
        self._start_waiting()

    def _save(self, image: ImageRecord) -> None:
        image.updated_at = self.now()
        self._changed()

    def _changed(self) -> None:
        self._version += 1

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

    # ------------------------------------------------------------- patches

    def _update(self, call: Call, image_id: str) -> Reply:
        media_type = call.headers.get("content-type", "").partition(";")[0]
        if media_type not in _PATCH_TYPES:
            raise Refused(415, f"Image PATCH expects Content-Type one of: {', '.join(_PATCH_TYPES)}")
        changes = call.json()
        if not isinstance(changes, list):
            raise Refused(400, "Request body must be a JSON array of operation objects.")
        first_kind = media_type == _PATCH_TYPES[0]
        parsed = [_parsed_change(_as_second_kind(change) if first_kind else change) for change in changes]
        image = self._found(call, image_id)
        edited = copy.deepcopy(image)
        for operation, key, value in parsed:
            if first_kind and operation == "add" and (key in _BASE or key in edited.properties):
                self._demand(call, "modify_image", edited)
                raise Refused(409, detail=f"Property {key} already present.")
            self._change(call, edited, operation, key, value)
        if parsed:
            _check_record(edited, image)
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
        if key in _SETTABLE or key == "tags":
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
        setattr(image, key, set(value) if key == "tags" else value)

    # ------------------------------------------------------------- tags and members

    def _add_tag(self, call: Call, image_id: str, tag: str) -> Reply:
        records.check_values({"tags": [tag]})
        image = self._found(call, image_id, "Image {} not found.")
        self._demand(call, "modify_image", image)
        edited = dataclasses.replace(image, tags=image.tags | {tag})
        _check_record(edited, image)
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

    def _list_members(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id, "Image {} not found.")
        if image.visibility != "shared":
            raise Refused(403, f"Not allowed to list members for image {image_id}: Only shared images have members.")
        everything = call.who.is_administrator or image.owner == call.who.project_id
        members = [
            member for member in image.members.values() if everything or member.project_id == call.who.project_id
        ]
        return json_reply(
            200, {"members": [_member_view(image, member) for member in members], "schema": "/v2/schemas/members"}
        )

    def _add_member(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id, "Image {} not found.")
        project_id = call.json().get("member")
        if not project_id:
            raise Refused(400, "Member to be added not specified")
        if image.visibility != "shared":
            raise Refused(403, f"Not allowed to create members for image {image_id}.")
        self._owner_only(call, image, "add_member")
        if project_id in image.members:
            raise Refused(409, f"Member {project_id} is duplicated for image {image_id}")
        if len(image.members) >= records.MOST_MEMBERS:
            raise Refused(413, "The limit has been exceeded on the number of allowed image members for this image.")
        image.members[project_id] = Member(project_id, created_at=self.now(), updated_at=self.now())
        self._changed()
        return json_reply(200, _member_view(image, image.members[project_id]))

    def _show_member(self, call: Call, image_id: str, project_id: str) -> Reply:
        image, member = self._member(call, image_id, project_id)
        return json_reply(200, _member_view(image, member))

    def _update_member(self, call: Call, image_id: str, project_id: str) -> Reply:
        image, member = self._member(call, image_id, project_id)
        status = call.json().get("status")
        if status not in ("pending", "accepted", "rejected"):
            raise Refused(400, 'Incorrect request: Status must be "pending", "accepted" or "rejected".')
        # The member says yes or no, not the owner (glance/policies/image.py, modify_member).
        if not call.who.is_administrator and call.who.project_id != project_id:
            raise Refused(403, "You are not authorized to complete modify_member action.")
        member.status, member.updated_at = status, self.now()
        self._changed()
        return json_reply(200, _member_view(image, member))

    def _remove_member(self, call: Call, image_id: str, project_id: str) -> Reply:
        image, _ = self._member(call, image_id, project_id)
        self._owner_only(call, image, "delete_member")
        del image.members[project_id]
        self._changed()
        return Reply(204)

    def _member(self, call: Call, image_id: str, project_id: str) -> tuple[ImageRecord, Member]:
        image = self._found(call, image_id, "Image {} not found.")
        if image.visibility != "shared":
            raise Refused(404 if call.method == "GET" else 403, "Only shared images have members.")
        if project_id not in image.members:
            raise Refused(404, f"{project_id} not found in the member list of the image {image_id}.")
        return image, image.members[project_id]

    def _owner_only(self, call: Call, image: ImageRecord, action: str) -> None:
        if not call.who.is_administrator and not (call.who.may_write and image.owner == call.who.project_id):
            raise Refused(403, f"You are not authorized to complete {action} action.")

    # ------------------------------------------------------------- data

    def _upload(self, call: Call, image_id: str) -> Reply:
        if call.headers.get("content-type") != "application/octet-stream":
            raise Refused(415, f"Invalid content type {call.headers.get('content-type', '')}")
        announced = call.headers.get("x-openstack-image-size") or call.headers.get("content-length")
        self._enforce("image_size_total", call.who.project_id, int(announced or 0) // MIB)
        store = call.headers.get("x-image-meta-store", self.stores[0] if self.stores else "")
        if self.stores and store not in self.stores:
            raise Refused(400, f"Store for identifier {store} not found")
        image = self._found(call, image_id)
        self._demand(call, "upload_image", image)
        if image.status != "queued":
            raise Refused(409, f"Image status transition from {image.status} to saving is not allowed")
        missing = [key for key in ("disk_format", "container_format") if not getattr(image, key)]
        if missing:
            words = f"Property {missing[0]}" if len(missing) == 1 else f"Properties {', '.join(missing)}"
            raise Refused(400, f"{words} must be set prior to saving data.")
        if image.spoiled:
            raise Refused(500)
        image.status = "saving"
        self._save(image)
        try:
            self._take(call, image, store, announced)
        finally:
            if image.status == "saving":  # refused, or the stream broke off
                image.status = "queued"
                self._save(image)
        return Reply(204)

    def _take(self, call: Call, image: ImageRecord, store: str, announced: str | None) -> None:
        self._enforce("image_count_uploading", call.who.project_id)
        data = call.content()
        if image.deleted:
            raise Refused(410, f"Image {image.id} could not be found after upload. The image may have been deleted.")
        if announced is not None and int(announced) != len(data):
            raise Refused(400, f"Size mismatch: expected {announced} bytes, got {len(data)} bytes")
        if store in self.broken_stores:
            raise Refused(503, "Insufficient permissions on image storage media: ")
        try:
            self._fill(image, data, [store] if self.stores else self._default_stores())
        except ContentError as error:
            # What was refused stays where it was put, hashes and all: that makes the record useless.
            image.spoiled, image.stores = True, [store]
            self._hash(image, data)
            raise Refused(415, str(error)) from error
        image.status = "active"
        self._save(image)

    def _fill(self, image: ImageRecord, data: bytes, stores: Sequence[str]) -> None:
        """Put data into stores; refuse what is not of the declared format."""
        if image.container_format == "bare":
            found = inspect(str(image.disk_format), data)
            image.virtual_size = found.virtual_size
        image.size, image.data = len(data), data
        image.stores = [*image.stores, *(store for store in stores if store not in image.stores)]
        self._hash(image, data)

    def _hash(self, image: ImageRecord, data: bytes) -> None:
        image.checksum = hashlib.md5(data, usedforsecurity=False).hexdigest()
        image.os_hash_algo = self.hash_algorithm
        image.os_hash_value = hashlib.new(self.hash_algorithm, data).hexdigest()

    def _download(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id)
        if "member" not in call.who.roles:
            raise Refused(403, "You are not authorized to complete download_image action.")
        if image.status == "deactivated" and not call.who.is_administrator:
            raise Refused(403, "The requested image has been deactivated. Image data download is forbidden.")
        if image.data is None:
            return Reply(204)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(image.data))}
        return Reply(200, image.data, {**headers, "Content-MD5": str(image.checksum)})

    def _default_stores(self) -> list[str]:
        """Give where data goes; a single store has no name but counts all the same."""
        return [self.stores[0]] if self.stores else [""]

    # ------------------------------------------------------------- imports of images

    def _import(self, call: Call, image_id: str) -> Reply:
        body = call.json()
        method = self._import_method(body)
        self._enforce("image_size_total", call.who.project_id)
        image = self._found(call, image_id)
        self._importable(call, image, method)
        stores = self._import_stores(image, body, method)
        url = str(body["method"].get("uri") or "")
        if not body.get("all_stores_must_succeed", True) and not self.stores:
            raise Refused(400, f"All_stores_must_succeed can only be set with enabled_backends {url}")
        if method == "web-download" and not self._may_read(url):
            raise Refused(400, f"URI for web-download does not pass filtering: {url or None}")
        if stores:
            self._begin(call, image, body, stores)
        return Reply(202, b"", {"Content-Type": "text/html; charset=UTF-8"})

    def _import_method(self, body: Any) -> str:  # noqa: ANN401 - whatever the client sent
        if not isinstance(body, dict):
            raise Refused(500)
        if "method" not in body:
            raise Refused(400, "Import request requires a 'method' field.")
        if "name" not in body["method"]:
            raise Refused(400, "Import request requires a 'name' field.")
        method = str(body["method"]["name"])
        if method not in self.import_methods:
            raise Refused(400, f"Unknown import method name '{method}'.")
        for key in ("all_stores_must_succeed", "all_stores"):
            if not isinstance(body.get(key, True), bool):
                raise Refused(400, f"'{key}' must be boolean value only")
        return method

    def _importable(self, call: Call, image: ImageRecord, method: str) -> None:
        if image.status == "active" and method != "copy-image":
            raise Refused(409, "Image with status active cannot be target for import")
        if image.status != "active" and method == "copy-image":
            raise Refused(409, "Only images with status active can be targeted for copying")
        if image.status != "queued" and method in ("web-download", "glance-download"):
            raise Refused(409, f"Image needs to be in 'queued' state to use '{method}' method")
        if image.status != "uploading" and method == "glance-direct":
            raise Refused(409, "Image needs to be staged before 'glance-direct' method can be used")
        for key in ("container_format", "disk_format"):
            if not getattr(image, key):
                raise Refused(409, f"'{key}' needs to be set before import")
        self._demand(call, "copy_image" if method == "copy-image" else "modify_image", image)
        if "os_glance_import_task" in image.properties:
            raise Refused(409, "Image has active task")

    def _import_stores(self, image: ImageRecord, body: Record, method: str) -> list[str]:
        asked = list(self.stores) if body.get("all_stores") else body.get("stores") or self._default_stores()
        for store in asked:
            if self.stores and store not in self.stores:
                raise Refused(409, f"Store for identifier {store} not found")
        if method != "copy-image":
            return list(asked) if self.stores else [""]
        present = [store for store in asked if store in image.stores]
        if present and not body.get("all_stores"):
            raise Refused(400, f"Image is already present at store '{present[0]}'")
        return [store for store in asked if store not in present]

    def _may_read(self, url: str) -> bool:
        if url in self.downloads:
            return dataclasses.replace(self.import_filter, allowed_hosts=()).passes(url, resolve=False)
        return self.import_filter.passes(url)

    def _begin(self, call: Call, image: ImageRecord, body: Record, stores: list[str]) -> None:
        now = self.now()
        task: Record = {
            "id": str(uuid.uuid4()),
            "type": "api_image_import",
            "status": "pending",
            "owner": call.who.project_id,
            "expires_at": None,
            "created_at": _microseconds(now),
            "updated_at": _microseconds(now),
            "deleted_at": None,
            "deleted": False,
            "image_id": image.id,
            "request_id": call.request_id,
            "user_id": call.who.user_id,
            "input": {"image_id": image.id, "import_req": body, "backend": [store or None for store in stores]},
            "result": None,
            "message": "",
        }
        self.tasks[task["id"]] = task
        image.properties["os_glance_import_task"] = task["id"]
        self._changed()
        url = str(body["method"].get("uri") or "")
        is_copy = body["method"]["name"] == "copy-image"
        self._jobs[image.id] = Job(task, image, url, stores, body.get("all_stores_must_succeed", True), is_copy)
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Give free threads to imports that wait, the oldest first."""
        self._orphans = [job for job in self._orphans if job.thread is not None and job.thread.is_alive()]
        free = self.task_threads - len(self._orphans) - sum(not job.pending for job in self._jobs.values())
        for job in [job for job in self._jobs.values() if job.pending][: max(free, 0)]:
            job.start(self.downloads.get(job.url), self.import_filter, self.ca_file)
            self._touch(job)
            if self.staging_broken:
                self._end(job, "failure", "Error: staging is not configured properly", drop_lock=False)

    def _advance(self, image: ImageRecord) -> None:
        """Let an import go on because somebody looked; the order of what shows is Glance's (api_image_import.py)."""
        self._start_waiting()
        job = self._jobs.get(image.id)
        if job is None or job.pending or self.imports_stall:
            return
        job.reads += 1
        if job.stage == "locked":
            if job.reads == 1 and self.import_polls > 1:
                return
            if not self._enter(job):
                return
            job.stage = "importing"
        if job.stage == "importing":
            if job.reads < self.import_polls or not job.arrived():
                return
            if job.reads == self.import_polls:
                if self.import_polls > 2:  # the outcome shows a moment before the lock goes
                    self._settle(job)
                    job.stage = "settled"
                return
            self._settle(job)
        self._drop_lock(job)

    def _enter(self, job: Job) -> bool:
        """Mark the image as importing; quotas that Glance checks only now may end the import here (assert_quota)."""
        image = job.image
        image.properties["os_glance_importing_to_stores"] = ",".join(filter(None, job.stores))
        image.properties["os_glance_failed_import"] = ""
        if not job.is_copy:  # get_flow sets the status of what is queued or uploading only
            image.status = "importing"
        self._save(image)
        try:
            for resource in ("image_stage_total", "image_count_uploading"):
                self._enforce(resource, job.task["owner"])
        except Refused as refused:
            image.properties["os_glance_importing_to_stores"] = ""
            if not job.is_copy:
                image.status = "queued"
            self._end(job, "failure", refused.message)
            return False
        return True

    def _settle(self, job: Job) -> None:
        """Store what came, or take everything back."""
        image = job.image
        image.properties["os_glance_importing_to_stores"] = ""
        try:
            failed = self._store(job)
        except (OSError, ContentError, _StoreError) as error:
            self._fail(job, error)
        else:
            image.properties["os_glance_failed_import"] = ",".join(failed)
            image.status = "active"
            self._finish_task(job, "success", "", {"image_id": image.id})
        self._save(image)

    def _store(self, job: Job) -> list[str]:
        """Put what came into the stores; give those that failed where that is allowed."""
        image = job.image
        data = image.data or b"" if job.is_copy else job.data()
        failed = [store for store in job.stores if store in self.broken_stores]
        good = [store for store in job.stores if store not in failed]
        if not good or (failed and job.all_must_succeed):
            raise _StoreError(failed)
        if self.converter is not None and not job.is_copy:
            image.disk_format, data = self.converter(str(image.disk_format), data)
        if image.spoiled:
            raise ContentError("this record has failed before")
        self._fill(image, data, good)
        return failed

    def _fail(self, job: Job, error: Exception) -> None:
        image = job.image
        failed = job.stores
        if isinstance(error, ContentError):
            failed = job.stores[:1] if job.all_must_succeed else job.stores
            image.spoiled = True
        elif isinstance(error, _StoreError):
            failed = error.stores
        image.properties["os_glance_failed_import"] = ",".join(filter(None, failed))
        if not job.is_copy:
            image.status, image.size, image.virtual_size = "queued", None, None
        self._finish_task(job, "failure", "Task failed due to Internal Error")

    def _end(self, job: Job, status: str, message: str, *, drop_lock: bool = True) -> None:
        self._finish_task(job, status, message)
        if drop_lock:
            self._drop_lock(job)
        else:
            self._jobs.pop(job.image.id, None)
        self._save(job.image)

    def _finish_task(self, job: Job, status: str, message: str, result: Record | None = None) -> None:
        job.task.update(status=status, message=message, result=result)
        job.task["expires_at"] = _microseconds(self.now() + timedelta(hours=48))
        self._touch(job)

    def _touch(self, job: Job) -> None:
        job.task["updated_at"] = _microseconds(self.now())

    def _drop_lock(self, job: Job) -> None:
        job.image.properties.pop("os_glance_import_task", None)
        self._jobs.pop(job.image.id, None)
        self._save(job.image)
        self._start_waiting()

    def _list_tasks(self, call: Call, image_id: str) -> Reply:
        image = self.image(image_id)
        if image is None or not visible(call.who, image):
            raise Refused(404)
        tasks = [task for task in self.tasks.values() if task["image_id"] == image_id]
        if not call.who.is_administrator:
            tasks = [task for task in tasks if task["owner"] == call.who.project_id]
        return json_reply(200, {"tasks": tasks})


_SETTABLE = (
    "name",
    "visibility",
    "protected",
    "os_hidden",
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "owner",
)
_BASE = (*records.BASE_KEYS, "id", "tags", *records.TIMES, "locations")


class _StoreError(Exception):
    """Say which stores did not take the data."""

    def __init__(self, stores: list[str]) -> None:
        super().__init__(stores)
        self.stores = stores


def _check_record(image: ImageRecord, before: ImageRecord | None = None) -> None:
    records.check_numbers(image)
    records.check_amounts(image, before)
    records.check_text(image)


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


def _member_view(image: ImageRecord, member: Member) -> Record:
    return {
        "member_id": member.project_id,
        "image_id": image.id,
        "status": member.status,
        "created_at": records.isotime(member.created_at),
        "updated_at": records.isotime(member.updated_at),
        "schema": "/v2/schemas/member",
    }


@functools.cache
@functools.lru_cache(maxsize=4096)
def _refused_by_rules(text: str, key: str, operation: str, caller_roles: frozenset[str]) -> bool:
    """Find the first rule that matches a key; the empty text stands for the rules that this library ships."""
    for pattern, rules in _rules(text or property_protections()):
        if re.search(pattern, key):
            roles = {role.strip() for role in rules.get(operation, "").split(",")}
            return not ("@" in roles or roles & caller_roles) or "!" in roles
    return True


def _rules(text: str) -> list[tuple[str, Mapping[str, str]]]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return [(section, parser[section]) for section in parser.sections()]


def _microseconds(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds")
