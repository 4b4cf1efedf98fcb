"""The state of the in-memory Cinder, its settings, and rules for every part: policies, quotas, pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, TypeVar
from urllib.parse import urlencode

from hyperx_glance.deployment import CINDER_OPTION
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import known
from hyperx_glance.testing.memory.cinder.records import (
    DEFAULT_TYPE,
    Attachment,
    Backup,
    Group,
    GroupSnapshot,
    GroupType,
    QosSpecs,
    Snapshot,
    Transfer,
    Volume,
    VolumeType,
    image_metadata_of,
)
from hyperx_glance.testing.memory.glance import Glance
from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.keystone import Keystone
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Service
from hyperx_glance.texts import Text

DEFAULT_QUOTA: Mapping[str, int] = {
    "volumes": 10,
    "per_volume_gigabytes": -1,
    "snapshots": 10,
    "gigabytes": 1000,
    "backups": 10,
    "backup_gigabytes": 1000,
    "volumes___DEFAULT__": -1,
    "gigabytes___DEFAULT__": -1,
    "snapshots___DEFAULT__": -1,
    "groups": 10,
}
OLDEST, NEWEST = (3, 0), (3, 71)
"""The microversions."""
OF_TYPES = ("volumes", "gigabytes", "snapshots")
"""The limits that each type has, too."""
Item = TypeVar("Item", Volume, Snapshot)
Named = TypeVar("Named", Group, GroupSnapshot, GroupType)
_YES: Final = ("1", "t", "true", "on", "y", "yes")
_NO: Final = ("0", "f", "false", "off", "n", "no")


class State(Service):
    """The state that the parts of this Cinder share."""

    name: ClassVar[str] = "cinder"
    type: ClassVar[str] = "block-storage"
    endpoint_path: ClassVar[str] = "/v3"
    older_types: ClassVar[Mapping[str, str]] = {"volumev3": "cinderv3"}

    def __init__(self, keystone: Keystone, glance: Glance) -> None:
        super().__init__()
        self.max_limit = 1000
        """The option osapi_max_limit: the largest number of records of a page."""
        self.volumes: dict[str, Volume] = {}
        """Volumes by id."""
        self.snapshots: dict[str, Snapshot] = {}
        """Snapshots by id."""
        default = VolumeType.default()
        self.volume_types: dict[str, VolumeType] = {default.id: default}
        """The types of volumes by id, the default one first."""
        self.default_types: dict[str, str] = {}
        """Ids of the types that projects' volumes have by default, by project id."""
        self.attachments: dict[str, Attachment] = {}
        """Attachments that were made by requests to Cinder itself, by id."""
        old_groups = GroupType.of_old_groups()
        self.group_types: dict[str, GroupType] = {old_groups.id: old_groups}
        """The types of groups of volumes by id."""
        self.groups: dict[str, Group] = {}
        """Groups of volumes by id."""
        self.group_snapshots: dict[str, GroupSnapshot] = {}
        """Snapshots of groups by id."""
        self.qos_specs: dict[str, QosSpecs] = {}
        """QoS specs by id."""
        self.transfers: dict[str, Transfer] = {}
        """Offers of volumes by id."""
        self.backups: dict[str, Backup] = {}
        """Backups by id, all of which have failed."""
        self.quotas: dict[str, dict[str, int]] = {}
        """Limits by project id; missing ones have the default."""
        self.faults: list[str] = []
        """Failures of the next volumes: each volume takes one, and becomes "error"."""
        self.copy_polls = 1
        """The number of reads after which the copy of a volume, or its upload, ends."""
        self.copies_stall = False
        """True: copies and uploads never end, as if cinder-volume had died."""
        self.upload_faults: list[str] = []
        """Failures of the next uploads: "lost" leaves the record queued, "deleted" deletes it, as Cinder does."""
        self.glance_core_properties = CINDER_OPTION
        """The option of that name: properties that an image made of a volume does not get from its image metadata."""
        self._keystone = keystone
        self._glance = glance

    # ------------------------------------------------------------- filled from Python, and by Nova

    def set_quota(self, department: str, **limits: int) -> None:
        """Set limits of a department, given by name or id: volumes, gigabytes, and others; -1 is none."""
        known.require_limits("Cinder", limits, self.limits_of(""))
        self.quotas.setdefault(self._keystone.project_id(department), {}).update(limits)

    def add_type(self, name: str, *, description: str | None = None, **extra_specs: str) -> None:
        """Add a type of volumes that everybody may use; raise `~hyperx_glance.InvalidRequestError` if there is one.

        >>> from hyperx_glance.testing import InMemoryCloud
        >>> InMemoryCloud().cinder.add_type("fast", volume_backend_name="ssd")
        """
        if self.type_called(name) is not None:
            raise InvalidRequestError(Text(f"There already is a type of volumes called {name!r}."))
        kind = VolumeType(str(self.ids.uuid4()), name, description, extra_specs=extra_specs)
        self.volume_types[kind.id] = kind

    def type_called(self, wanted: str) -> VolumeType | None:
        """Return the type of volumes with this id or name, or None."""
        named = (kind for kind in self.volume_types.values() if kind.name == wanted)
        return self.volume_types.get(wanted) or next(named, None)

    def make(
        self,
        caller: Caller,
        size: int,
        *,
        name: str | None,
        volume_type: str | None = None,
        image: ImageRecord | None = None,
    ) -> Volume:
        """Make a volume as a request does; raise `Refused` if that exceeds the quota."""
        kind = self.type_called(volume_type or DEFAULT_TYPE)
        chosen = kind.name if kind else DEFAULT_TYPE
        self._check_quota(caller.project_id, chosen, gigabytes=size, volumes=1)
        volume = Volume(str(self.ids.uuid4()), name, size, caller.project_id, caller.user_id, created_at=self.now())
        volume.volume_type = chosen
        if image is not None:
            volume.bootable = True
            volume.image_metadata = image_metadata_of(image)
        if self.faults:
            self.faults.pop(0)
            volume.status = "error"
        self.volumes[volume.id] = volume
        return volume

    def snap(self, caller: Caller, volume: Volume, name: str | None, description: str | None = None) -> Snapshot:
        """Make a snapshot as a request does; raise `Refused` if that exceeds the quota."""
        self._check_quota(caller.project_id, volume.volume_type, gigabytes=volume.size, snapshots=1)
        snapshot = Snapshot(
            str(self.ids.uuid4()), volume.id, volume.size, caller.project_id, caller.user_id, name, description
        )
        snapshot.created_at = snapshot.updated_at = self.now()
        self.snapshots[snapshot.id] = snapshot
        return snapshot

    def snapshots_of(self, volume: Volume) -> list[Snapshot]:
        """Return the snapshots of a volume, the newest last."""
        return [each for each in self.snapshots.values() if each.volume_id == volume.id]

    # ------------------------------------------------------------- quotas

    def in_use(self, project_id: str) -> dict[str, int]:
        """Count a project's volumes, snapshots and their GiB, also those of each type."""
        used = dict.fromkeys(self.limits_of(project_id), 0)
        volumes = [each for each in self.volumes.values() if each.project_id == project_id]
        snapshots = [each for each in self.snapshots.values() if each.project_id == project_id]
        for each in volumes:
            _count(used, each.volume_type, volumes=1, gigabytes=each.size)
        used["groups"] = sum(each.project_id == project_id for each in self.groups.values())
        for snapshot in snapshots:
            source = self.volumes.get(snapshot.volume_id)
            _count(used, source.volume_type if source else DEFAULT_TYPE, snapshots=1, gigabytes=snapshot.size)
        return used

    def default_limits(self) -> dict[str, int]:
        """Return the limits of a project that has no own ones."""
        of_types = {f"{key}_{kind.name}": -1 for kind in self.volume_types.values() for key in OF_TYPES}
        return {**of_types, **DEFAULT_QUOTA}

    def limits_of(self, project_id: str) -> dict[str, int]:
        """Return a project's limits."""
        return {**self.default_limits(), **self.quotas.get(project_id, {})}

    def _check_quota(self, project_id: str, kind: str, **wanted: int) -> None:
        limits, used = self.limits_of(project_id), self.in_use(project_id)
        for key in [*wanted, *(f"{key}_{kind}" for key in wanted)]:
            limit, amount = limits.get(key, -1), wanted[key.partition("_")[0]]
            if limit == -1 or used.get(key, 0) + amount <= limit:
                continue
            if key.startswith("gigabytes"):
                raise Refused(
                    413,
                    f"VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {key} quota. "
                    f"Requested {amount}G, quota is {limit}G and {used[key]}G has been consumed.",
                )
            if key.startswith("snapshots"):
                raise Refused(413, f"SnapshotLimitExceeded: Maximum number of snapshots allowed ({limit}) exceeded")
            raise Refused(
                413,
                f"VolumeLimitExceeded: Maximum number of volumes allowed ({limit}) exceeded for quota '{key}'.",
            )

    # ------------------------------------------------------------- for every part

    def _demand(self, call: Call, action: str, *, administrator: bool = False) -> None:
        """Refuse a caller who may not do that: a reader, or everybody but administrators."""
        if not (call.who.is_administrator if administrator else call.who.may_write):
            raise Refused(403, f"Policy doesn't allow {action} to be performed.")

    def _found(self, call: Call, volume_id: str) -> Volume:
        volume = self.volumes.get(volume_id)
        if volume is None or not _sees(call, volume):
            raise Refused(404, f"Volume {volume_id} could not be found.")
        return volume

    def _found_snapshot(self, call: Call, snapshot_id: str) -> Snapshot:
        snapshot = self.snapshots.get(snapshot_id)
        if snapshot is None or not _sees(call, snapshot):
            raise Refused(404, f"Snapshot {snapshot_id} could not be found.")
        return snapshot

    def _found_group(self, call: Call, group_id: str) -> Group:
        group = self.groups.get(group_id)
        if group is None or not _sees(call, group):
            raise Refused(404, f"Group {group_id} could not be found.")
        return group

    def _newest(self, call: Call, found: Sequence[Named], title: str) -> list[Named]:
        """Return a page of things that are not sorted otherwise, the newest first."""
        limit, marker = self._limit(call), call.value("marker")
        ordered = list(found)[::-1]
        if marker:
            ids = [each.id for each in ordered]
            if marker not in ids:
                raise Refused(404, f"{title} {marker} could not be found.")
            ordered = ordered[ids.index(marker) + 1 :]
        return ordered[:limit]

    def _page(
        self, call: Call, items: Mapping[str, Item], title: str, matches: Callable[[Item], bool]
    ) -> tuple[list[Item], Record]:
        """Return the page that a request asks for, and the link to the next one; ``title`` is of one in errors."""
        limit = self._limit(call)
        everybody = call.who.is_administrator and call.value("all_tenants") in ("1", "true", "True")
        wanted = _literal(call.value("metadata", "{}"))
        found = [
            item
            for item in reversed(list(items.values()))
            if (everybody or item.project_id == call.who.project_id)
            and wanted.items() <= item.metadata.items()
            and call.value("name", item.name or "") == (item.name or "")
            and call.value("status", item.status) == item.status
            and matches(item)
        ]
        for key, descending in reversed(_sorting(call)):
            found.sort(key=lambda item: (getattr(item, key) is not None, getattr(item, key)), reverse=descending)
        marker = call.value("marker")
        if marker:
            ids = [item.id for item in found]
            if marker not in ids:
                raise Refused(404, f"{title} {marker} could not be found.")
            found = found[ids.index(marker) + 1 :]
        page = found[:limit]
        if not page or len(page) < limit:
            return page, {}
        query = urlencode([(key, value) for key, value in call.query if key != "marker"])
        if not call.value("limit"):
            query = urlencode([*call.query, ("limit", limit)])
        href = f"{self.url}{call.path}?{query}&marker={page[-1].id}"
        return page, {f"{title.lower()}s_links": [{"rel": "next", "href": href}]}

    def _links(self, call: Call, collection: str, thing_id: str) -> list[Record]:
        """Return the links to a thing: with the project's id if that was in the path of the request."""
        found = re.match("/v3(/[0-9a-f]{32})?/", call.path)
        project = (found[1] if found else "") or ""
        return [
            {"rel": "self", "href": f"{self.url}/v3{project}/{collection}/{thing_id}"},
            {"rel": "bookmark", "href": f"{self.url}{project}/{collection}/{thing_id}"},
        ]

    def _limit(self, call: Call) -> int:
        text = call.value("limit", str(self.max_limit))
        if not text.lstrip("-").isdecimal():
            raise Refused(400, "limit param must be an integer")
        if int(text) < 0:
            raise Refused(400, "limit param must be positive")
        return min(int(text), self.max_limit)


def microversion(call: Call) -> tuple[int, int]:
    """Return the requested microversion; refuse one that is unknown or no version (cinder/api/openstack/wsgi.py)."""
    asked = call.headers.get("openstack-api-version", "").strip()
    kind, _, text = asked.partition(" ")
    if kind != "volume":
        return OLDEST
    if text == "latest":
        return NEWEST
    if not re.fullmatch(r"[1-9]\d*\.(0|[1-9]\d*)", text):
        words = f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
        raise Refused(400, words)
    major, minor = map(int, text.split("."))
    if not OLDEST <= (major, minor) <= NEWEST:
        least, most = (".".join(map(str, each)) for each in (OLDEST, NEWEST))
        words = f"Version {text} is not supported by the API. Minimum is {least} and maximum is {most}."
        raise Refused(406, words)
    return major, minor


def asked_public(call: Call) -> bool | None:
    """Return which types an administrator asks for: those that are public or those that are not; None is all."""
    given = call.value("is_public", "true")
    if given.lower() in ("", "none"):
        return None
    if given.lower() not in (*_YES, *_NO):
        raise Refused(400, f"Invalid is_public filter [{given}]")
    return given.lower() in _YES


def no_type(wanted: str) -> str:
    """Return what Cinder says of a type that is not there, given by id or name."""
    named = "" if re.fullmatch("[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", wanted) else "with name "
    return f"Volume type {named}{wanted} could not be found."


def no_such_action(body: object) -> Refused:
    """Return the refusal of an action that Cinder does not know (cinder/api/openstack/wsgi.py)."""
    if not isinstance(body, dict) or not body:
        return Refused(400, "Malformed request body")
    words = "Verify the request body and Content-Type header and try again."
    return Refused(400, f"There is no such action: {next(iter(body))}. {words}")


def plain(status: int) -> Reply:
    """Answer without a body, where Cinder leaves the type to webob."""
    return Reply(status, b"", {"Content-Type": "text/html; charset=UTF-8"})


def _count(used: dict[str, int], kind: str, **amounts: int) -> None:
    for key, amount in amounts.items():
        used[key] += amount
        used[f"{key}_{kind}"] = used.get(f"{key}_{kind}", 0) + amount


def _sees(call: Call, item: Volume | Snapshot | Group) -> bool:
    return call.who.is_administrator or item.project_id == call.who.project_id


def _literal(text: str) -> dict[str, str]:
    """Read a dictionary as Python writes it (cinder/volume/api.py, check_volume_filters)."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {}
    return found if isinstance(found, dict) else {}


_SORT_KEYS: Final = (
    "id",
    "name",
    "description",
    "size",
    "status",
    "bootable",
    "created_at",
    "updated_at",
    "volume_type",
)


def _sorting(call: Call) -> Sequence[tuple[str, bool]]:
    """Return the columns to sort by, and whether each is descending (cinder/api/common.py, get_sort_params)."""
    new, keys, directions = call.value("sort"), call.values("sort_key"), call.values("sort_dir")
    if new and (keys or directions):
        words = "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter."
        raise Refused(400, words)
    pairs = [part.partition(":") for part in new.split(",")] if new else []
    columns = [(key.strip(), direction.strip() or "desc") for key, _, direction in pairs]
    columns = columns or [(key, directions[-1] if directions else "desc") for key in keys]
    for key, direction in columns:
        if key not in _SORT_KEYS:
            raise Refused(400, "Invalid input received: Invalid sort key")
        if direction not in ("asc", "desc"):
            raise Refused(400, "Invalid input received: Unknown sort direction, must be one of: asc, desc")
    return [(key, direction == "desc") for key, direction in columns]
