"""The state of the in-memory Glance, its settings, and rules for every part: policies, protections, quotas."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Literal

from hyperx_glance.testing import known as known_names
from hyperx_glance.testing.capabilities import Name
from hyperx_glance.testing.memory.glance import records
from hyperx_glance.testing.memory.glance.cache import Cache
from hyperx_glance.testing.memory.glance.downloads import Download, Downloads, Filter, Job
from hyperx_glance.testing.memory.glance.metadef_parts import AllMetadefs
from hyperx_glance.testing.memory.glance.protections import refused_by_rules
from hyperx_glance.testing.memory.glance.records import ImageRecord, Member, show, visible
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Service

MIB = 1 << 20


Rule = Literal["admin", "member", "nobody"]
_LIMITED = (
    "The request returned a 413 Request Entity Too Large. This generally means that rate limiting or a quota threshold "
    "was breached.\n\nThe response body:\n"
)


_GONE = ("killed", "deleted", "pending_delete")


_FIELDS = {field.name for field in dataclasses.fields(ImageRecord)}


class State(Service):
    """The state that the parts of this Glance share."""

    name: ClassVar[str] = "glance"
    type: ClassVar[str] = "image"
    _unsaved: ClassVar[frozenset[str]] = frozenset({"_orphans", "_pages", "_positions"})

    def __init__(self, keystone: Keystone) -> None:  # noqa: PLR0915  # one statement for each thing that a test may set
        self.metadefs = AllMetadefs()
        """The namespaces of metadata definitions."""
        self.cache = Cache(lambda image_id: self.image(image_id) is not None)
        """Glance's cache of images."""
        super().__init__()
        self.images: dict[str, ImageRecord] = {}
        """Every record, including deleted ones, whose ids are used up."""
        self.tasks: dict[str, Record] = {}
        """The imports' tasks by id."""
        self.import_methods: list[str] = ["glance-direct", "web-download", "copy-image", "glance-download"]
        """The option enabled_import_methods; [] is a Glance without imports."""
        self.import_filter = Filter(disallowed_ports=[22])
        """The filter for URLs. Unlike with Glance's own default, loopback and every port but 22 pass."""
        self.downloads: dict[str, Download] = Downloads()
        """The content of URLs: data, an HTTP status, an error, a function. Other URLs are actually read."""
        self.ca_file: str | None = None
        """Certificates to trust for https downloads, besides the system's."""
        self.import_polls = 1
        """The number of reads of an image after which its import ends."""
        self.task_threads = 16
        """The number of concurrent imports; others stay pending. A deleted image's download keeps its thread."""
        self.imports_stall = False
        """True: imports stay as they are, as if their worker had died."""
        self.staging_broken = False
        """True: an import fails before it begins, and its lock stays."""
        self.converter: Callable[[str, bytes], tuple[str, bytes]] | None = None
        """An import plug-in, which converts the data to another format."""
        self.stores: list[str] = ["fast", "slow"]
        """The stores, the default one first. [] is a Glance with a single store, whose name it does not show."""
        self.broken_stores: set[str] = set()
        """Stores into which nothing can be written."""
        self.use_keystone_limits = True
        """The option of that name: False ignores every limit."""
        self.lacks: frozenset[Name] = frozenset()
        """The features that this release lacks."""
        self.protections: str | bool = True
        """Property protections: True for those shipped with this library, False for none, or the text of the file."""
        self.policies: dict[str, Rule] = {
            "publicize_image": "admin",
            "communitize_image": "member",
            "add_image": "member",
            "modify_image": "member",
            "upload_image": "member",
            "download_image": "member",
            "delete_image": "member",
            "deactivate": "member",
            "reactivate": "member",
            "copy_image": "admin",
            "delete_image_location": "admin",
        }
        """Who may do what besides an administrator: "member" of the owner, "admin" alone, or "nobody"."""
        self.hidden_by_policy: set[str] = set()
        """Images that the policy get_image refuses to everybody: left out of pages after these were cut to size."""
        self.in_use: set[str] = set()
        """Images whose data the store refuses to delete: deleting them is a 409."""
        self.statuses: list[str] = list(records.STATUSES)
        """The statuses of images that it knows, and that its schema shows; a later release may know more."""
        self.disk_formats: list[str] = list(records.DISK_FORMATS)
        """The option of [image_format]: the formats of data that it takes."""
        self.container_formats: list[str] = list(records.CONTAINER_FORMATS)
        """The option of [image_format]."""
        self.property_quota = records.MOST_PROPERTIES
        """The option image_property_quota."""
        self.tag_quota = records.MOST_PROPERTIES
        """The option image_tag_quota."""
        self.member_quota = records.MOST_MEMBERS
        """The option image_member_quota."""
        self.while_a_status_is_set: Callable[[], object] | None = None
        """Called when a member was found whose status is to be set, and before it is: other requests may be handled."""
        self.default_page = 25
        """The option limit_param_default: the number of images of a page."""
        self.largest_page = 1000
        """The option api_limit_max: the largest number of images of a page."""
        self.hash_algorithm = "sha512"
        """The option hashing_algorithm."""
        self.case_sensitive = True
        """Whether the database distinguishes upper from lower case; MySQL's usual collation does not."""
        self.lookers: list[Callable[[ImageRecord], None]] = []
        """Functions of Nova and Cinder that run when an image that they fill is read."""
        self.writers: list[Callable[[ImageRecord], bool]] = []
        """Whether Nova or Cinder has yet to write to an image."""
        self.loses_places = False
        """True: a record that is deleted while Nova or Cinder writes to it continues to count, as on a slow Glance."""
        self._keystone = keystone
        self._jobs: dict[str, Job] = {}
        self._orphans: list[Job] = []
        self._version = 0
        self._pages: tuple[object, int, list[ImageRecord]] | None = None
        self._positions: dict[str, int] = {}

    def _check_formats(self, body: Record) -> None:
        records.check_formats(body, disk_format=self.disk_formats, container_format=self.container_formats)

    def _check_record(self, image: ImageRecord, before: ImageRecord | None = None) -> None:
        records.check_record(image, before, properties=self.property_quota, tags=self.tag_quota)

    def add_image(self, *, owner: str | None = "dept-a", **record: object) -> str:
        """Put an image directly into the database, and return its id.

        ``owner`` is a department's name, or the id of any project, also of one that is gone. Any other key is an
        attribute of `~hyperx_glance.testing.memory.glance.records.ImageRecord` or else a property; times may be
        strings. Raise `~hyperx_glance.InvalidRequestError` if no Glance has such a ``status`` or ``visibility``.
        """
        for key, words in (("status", self.statuses), ("visibility", records.VISIBILITIES)):
            if record.get(key) is not None:
                known_names.require(f"Glance {key}", record[key], words)
        known = {key: value for key, value in record.items() if key in _FIELDS}
        image_id = str(known.pop("id", "") or self.ids.uuid4())
        for key in records.TIMES:
            if isinstance(known.get(key), str):
                known[key] = datetime.fromisoformat(str(known[key]))
        if "tags" in known:
            known["tags"] = set(known["tags"])  # type: ignore[call-overload]  # any collection of strings will do
        properties = {key: value for key, value in record.items() if key not in _FIELDS}
        now = self.now()
        known = {"created_at": now, "updated_at": now, **known}
        image = ImageRecord(image_id, None if owner is None else self._keystone.owner_id(owner), **known)  # type: ignore[arg-type]  # unchecked on purpose
        image.properties |= properties  # type: ignore[arg-type]  # unchecked on purpose
        if image.status in ("active", "deactivated") and not image.stores and "stores" not in record:
            image.stores = self._default_stores()
        self.images[image_id] = image
        self._changed()
        return image_id

    def image(self, image_id: str) -> ImageRecord | None:
        """Return a record that is not deleted."""
        image = self.images.get(image_id)
        return None if image is None or image.deleted else image

    def share(self, image_id: str, department: str, *, status: str = "accepted") -> None:
        """Share an image with a department."""
        known_names.require("image", image_id, self.images)
        known_names.require("status of a member", status, ("accepted", "pending", "rejected"))
        project_id = self._keystone.project_id(department)
        image = self.images[image_id]
        image.former_members.pop(project_id, None)
        image.members[project_id] = Member(project_id, status, created_at=self.now(), updated_at=self.now())
        self._changed()

    def used(self, resource: str, project_id: str) -> int:
        """Count a project's usage of a unified limit, sizes in whole MiB (glance/quota/keystone.py)."""
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

    def _may(self, caller: Caller, action: str, owner: str | None) -> bool:
        rule = self.policies[action]
        if rule == "nobody":
            return False
        return caller.is_administrator or (rule == "member" and caller.may_write and owner == caller.project_id)

    def _demand(self, call: Call, action: str, image: ImageRecord) -> None:
        """Refuse actions that the policy does not allow on an image that the caller sees (glance/api/v2/policy.py)."""
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
        """Check whether the property protections refuse an operation (glance/common/property_utils.py)."""
        if not self.protections:
            return False
        text = "" if self.protections is True else self.protections
        return refused_by_rules(text, key, operation, caller.roles)

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

    def _save(self, image: ImageRecord) -> None:
        image.updated_at = self.now()
        self._changed()

    def _changed(self) -> None:
        self._version += 1

    def _default_stores(self) -> list[str]:
        """Return the store for data; a single store has no name, but counts, too."""
        return [self.stores[0]] if self.stores else [""]
