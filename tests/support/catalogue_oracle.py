"""What a list must hold, said once more in plain Python: images and queries to draw, and the answer to each.

Nothing here uses the library, save the table of fields for which plain properties there are: records are what Glance
stores, and times, texts and words are compared as the guide says.
"""

from __future__ import annotations

import unicodedata
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.vocabulary import FIELDS, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Record = dict[str, Any]

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DEPARTMENTS = ("dept-a", "dept-b", "admin")
# No empty name: beside null ones Glance loses images at the edges of pages sorted by name (_paginate_query).
NAMES = (
    None, "debian", "Debian", "Ubuntu 22.04", "ubuntu 22.04", "Große Straße", "GROSSE STRASSE", "麒麟 V10",
    "ＫＹＬＩＮ v10", "a:b", "in:raw,iso", "eq:z", "x,y", 'quo"te', "back\\slash", "2026-03-01T12:00:00Z", "50%_off",
    "active deadbeef", " pad ",
)  # fmt: skip
LATER_STATUS = "quarantined"
"""A status that no Glance has yet: only the schema of a later one knows it."""
STATUSES = (
    "active",
    "queued",
    "saving",
    "uploading",
    "importing",
    "deactivated",
    "pending_delete",
    "deleted",
    "killed",
    LATER_STATUS,
)
FORMATS = (None, "raw", "qcow2", "iso", "vmdk", "weird", "a,b", "c:d")
TAGS = ("linux", "Linux", "gpu", "双核", "a b", "x,y", " pad ", "ﬁne")
TEXTS, FLAGS = (
    {field.name: field.key for field in FIELDS if field.stored is stored and field.name in ImageQuery.model_fields}
    for stored in (Stored.TEXT, Stored.FLAG)
)
SEARCHED = [field.key for field in FIELDS if field.searched and field.stored is Stored.TEXT]
PROPERTIES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys([*TEXTS.values(), *SEARCHED], ("", "ubuntu", "Ubuntu", "麒麟")),
    **dict.fromkeys(FLAGS.values(), ("true", "false", "TRUE", "maybe")),
    "description": ("", "A Debian image", "für Büros", "麒麟操作系统", "ＦＵＬＬ"),
    "os_distro": ("", "ubuntu", "Ubuntu", "centos"),
    "os_version": ("22.04", "12"),
    "os_type": ("linux", "windows"),
    "architecture": ("x86_64", "aarch64"),
    "hyperx_os_name": ("", "Kylin 麒麟", "Ubuntu LTS", "STRASSE"),
    "hyperx_hypervisor": ("", "KVM", "VMware"),
    "hypervisor_type": ("", "qemu", "KVM"),
    "img_hv_type": ("qemu", "KVM"),
    "hyperx_bootable": ("true", "false", "maybe", ""),
    "hyperx_featured": ("true", "false", "TRUE"),
    "hyperx_created_by": ("u1", "u2"),
    "hyperx_deprecated_at": ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon"),
    "hyperx_obsolete_at": ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", ""),
    "image_type": ("snapshot", "backup"),
    "bdm_v2": ("True",),
    "block_device_mapping": ("[{}]",),
    "rack_max": ("9", "x"),
    "sort": ("name", "x"),
    "odd key&=": ("v w", "ü"),
    "update": ("x",),
}
GONE = ("deleted", "pending_delete", "killed")


class Caller(NamedTuple):
    """A caller: the id of the caller's department, and all departments, id to name, that Keystone shows."""

    project: str
    is_administrator: bool
    names: Mapping[str, str]


# ----------------------------------------------------------------- drawing


def times() -> st.SearchStrategy[datetime]:
    """Draw few seconds and many fractions, so that many images share a second."""
    return st.builds(
        lambda seconds, microseconds: START + timedelta(seconds=seconds, microseconds=microseconds),
        st.integers(0, 4),
        st.sampled_from((0, 1, 400_000, 999_999)),
    )


def records() -> st.SearchStrategy[Record]:
    """Draw what Glance stores of an image; ``owner`` and ``members`` by the names of departments."""
    return st.fixed_dictionaries(
        {
            "id": st.integers(0, 2**128 - 1).map(lambda number: str(uuid.UUID(int=number))),
            "name": st.sampled_from(NAMES),
            "status": st.sampled_from(("active", "active", "active", *STATUSES)),
            "visibility": st.sampled_from(("public", "community", "private", "shared")),
            "owner": st.sampled_from(DEPARTMENTS),
            "disk_format": st.sampled_from(FORMATS),
            "container_format": st.sampled_from((None, "bare", "ovf")),
            "size": st.sampled_from((None, 0, 1, 1000, 2**40)),
            "protected": st.booleans(),
            "os_hidden": st.sampled_from((False, False, False, True)),
            "created_at": times(),
            "updated_at": times(),
            "tags": st.frozensets(st.sampled_from(TAGS), max_size=4).map(sorted),
            "members": st.dictionaries(
                st.sampled_from(DEPARTMENTS),
                st.sampled_from(("accepted", "accepted", "pending", "rejected")),
                max_size=2,
            ),
            "properties": st.lists(st.sampled_from(sorted(PROPERTIES)), max_size=6, unique=True).flatmap(
                lambda keys: st.fixed_dictionaries({key: st.sampled_from(PROPERTIES[key]) for key in keys})
            ),
        }
    )


def populations(least: int = 0, most: int = 10) -> st.SearchStrategy[list[Record]]:
    """Draw the images of a cloud."""
    return st.lists(records(), min_size=least, max_size=most, unique_by=lambda record: record["id"])


def _texts(key: str) -> st.SearchStrategy[str]:
    return st.sampled_from(("", "absent", *PROPERTIES[key]))


_words = st.sampled_from(
    (
        "debian", "DEBIAN", "strasse", "straße", "麒麟", "ｋｙｌｉｎ", "kylin", "active", "inact", "act", "qcow2",
        "dept-a", "dept", "dep", "linux", "fine", "kvm", "qemu", "dead", "deadbeef", "0000000", "00000000", "22.04",
        "büros", "full", "x\ny", "  ", "12",
    )
)  # fmt: skip
_CRITERIA: Mapping[str, st.SearchStrategy[Any]] = {
    **{name: _texts(key) for name, key in TEXTS.items()},
    **{name: st.booleans() for name in FLAGS},
    "kind": st.sampled_from(("image", "iso")),
    "lifecycle": st.sampled_from(("current", "deprecated", "obsolete")),
    "state": st.sampled_from(("ACTIVE", "INACTIVE")),
    "formats": st.frozensets(st.sampled_from(("raw", "qcow2", "iso", "vmdk")), max_size=3),
    "tags": st.frozensets(st.sampled_from(TAGS), max_size=2),
    "any_tags": st.frozensets(st.sampled_from(TAGS), max_size=3),
    "no_tags": st.frozensets(st.sampled_from(TAGS), max_size=2),
    "search": st.lists(_words, max_size=2).map(" ".join),
    "name": st.sampled_from(("", *filter(None, NAMES))),
    "hypervisor": st.sampled_from(("", "KVM", "qemu", "VMware")),
    "owner": st.sampled_from((*DEPARTMENTS, "nobody")),
    "properties": st.sampled_from(sorted(PROPERTIES)).flatmap(
        lambda key: st.fixed_dictionaries({key: st.sampled_from(PROPERTIES[key])})
    ),
    "name_contains": st.sampled_from(("", "DEB", "strasse", "麒", "v10", "%", "zz")),
    "description_contains": st.sampled_from(("", "debian", "BÜRO", "操作", "full")),
    "os_name_contains": st.sampled_from(("", "kylin", "ubuntu", "22", "straße")),
    "protected": st.booleans(),
    "hidden": st.sampled_from((None, True, False)),
    "min_size": st.sampled_from((0, 1, 1000, 2**70)),
    "max_size": st.sampled_from((0, 1000, 2**40, 2**70)),
    "created_after": st.one_of(times(), st.just(datetime.min.replace(tzinfo=UTC))),
    "created_before": st.one_of(times(), st.just(datetime.max.replace(tzinfo=UTC))),
    "updated_after": times(),
    "updated_before": times(),
    "sort": st.lists(
        st.builds(
            str.__add__,
            st.sampled_from(("", "-")),
            st.sampled_from(
                ("name", "disk_format", "container_format", "glance_status", "id", "created_at", "updated_at")
            ),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    "limit": st.integers(0, 6),
}
CRITERIA = frozenset({"view", *_CRITERIA})


def queries(views: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a query of few criteria: of many nothing matches."""
    return st.lists(st.sampled_from(sorted(_CRITERIA)), max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(
            {"view": st.sampled_from(views)} | {name: _CRITERIA[name] for name in names},
        ).map(_with_ranges)
    )


def _with_ranges(query: dict[str, Any]) -> dict[str, Any]:
    """Put the bounds of each range into order: an empty range is refused."""
    for least, most in (
        ("min_size", "max_size"),
        ("created_after", "created_before"),
        ("updated_after", "updated_before"),
    ):
        if least in query and most in query:
            query[least], query[most] = sorted((query[least], query[most]))
    return query


# ----------------------------------------------------------------- answering


def answer(images: Sequence[Record], query: Mapping[str, Any], caller: Caller) -> list[str]:
    """Return the ids that a query must find, in order; owners and members are ids here."""
    found = [image for image in images if _in_view(image, query, caller) and _matches(image, query, caller)]
    for column in reversed([*query.get("sort", ("-created_at", "id")), "id"]):
        name = column.removeprefix("-")
        found.sort(key=lambda image: _column(image, name), reverse=column.startswith("-"))
    return [image["id"] for image in found][: query.get("limit")]


def _column(image: Record, name: str) -> Any:  # noqa: ANN401  # any value of the column
    value = image["status" if name == "glance_status" else name]
    return value.replace(microsecond=0) if isinstance(value, datetime) else value or ""


def _in_view(image: Record, query: Mapping[str, Any], caller: Caller) -> object:
    if image["status"] in GONE or query.get("hidden", False) not in (None, image["os_hidden"]):
        return False
    wanted = query.get("properties", {})
    if image["properties"].get("image_type") == "snapshot" and wanted.get("image_type") != "snapshot":
        return False
    on_volumes = image["properties"].get("block_device_mapping")
    if on_volumes and not image["size"] and "bdm_v2" not in wanted:
        return False
    own = image["owner"] == caller.project
    shared = image["visibility"] == "shared" and image["members"].get(caller.project) == "accepted" and not own
    public = image["visibility"] in ("public", "community")
    featured = image["visibility"] == "public" and image["properties"].get("hyperx_featured") == "true"
    match query["view"]:
        case "all":
            return own or public or (shared and not caller.is_administrator)
        case "featured":
            return featured
        case "public":
            return public and not featured
        case "private":
            return own and not public
        case "shared":
            return shared
        case "offered":
            return image["visibility"] == "shared" and image["members"].get(caller.project) == "pending" and not own
    return True


def _matches(image: Record, query: Mapping[str, Any], caller: Caller) -> bool:
    return all(_holds(image, name, value, caller) for name, value in query.items())


def _holds(image: Record, name: str, value: Any, caller: Caller) -> object:  # noqa: ANN401, C901, PLR0912  # one case each
    properties, tags = image["properties"], set(image["tags"])
    match name:
        case "kind":
            return (image["disk_format"] == "iso") == (value == "iso")
        case "lifecycle":
            return _lifecycle(properties) == value
        case "state":
            return _state(image) == value
        case "formats":
            return (image["disk_format"] or "") in value
        case "tags":
            return set(value) <= tags
        case "any_tags":
            return not value or bool(set(value) & tags)
        case "no_tags":
            return not set(value) & tags
        case "search":
            return all(_finds(image, word, caller) for word in _fold(value).split())
        case "name":
            return (image["name"] or "") == value
        case "hypervisor":
            return _hypervisor(image) == value
        case "owner":
            ids = {key for key, known in caller.names.items() if value in (key, known)}
            return image["owner"] in (ids or {value})
        case "properties":
            return all(properties.get(key) == text for key, text in value.items())
        case "name_contains":
            return _fold(value) in _fold(image["name"] or "")
        case "description_contains":
            return _fold(value) in _fold(properties.get("description", ""))
        case "os_name_contains":
            return _fold(value) in _fold(_os_name(image))
        case "bootable":
            return (properties.get("hyperx_bootable", "true") == "true") == value
        case "protected":
            return bool(image["protected"]) == value
        case "min_size":
            return image["size"] is not None and image["size"] >= value
        case "max_size":
            return image["size"] is not None and image["size"] <= value
        case "created_after" | "updated_after":
            return _column(image, name.replace("after", "at")) >= value
        case "created_before" | "updated_before":
            return _column(image, name.replace("before", "at")) <= value
        case _ if name in TEXTS:
            return properties.get(TEXTS[name], "") == value
        case _ if name in FLAGS:
            return (properties.get(FLAGS[name]) == "true") == value
    return True


def _finds(image: Record, word: str, caller: Caller) -> bool:
    places = [
        image["name"] or "",
        *(image["properties"].get(key, "") for key in SEARCHED),
        image["disk_format"] or "",
        caller.names.get(image["owner"], ""),
        _os_name(image),
        _hypervisor(image),
        *image["tags"],
    ]
    return (
        any(word in _fold(place) for place in places)
        or _fold(_state(image)).startswith(word)
        or (len(word) >= 8 and image["id"].startswith(word))
    )


def _state(image: Record) -> str:
    return "ACTIVE" if image["status"] == "active" else "INACTIVE"


def _lifecycle(properties: Mapping[str, str]) -> str:
    past = "2020-01-01T00:00:00Z"
    if properties.get("hyperx_obsolete_at") == past:
        return "obsolete"
    return "deprecated" if properties.get("hyperx_deprecated_at") == past else "current"


def _os_name(image: Record) -> str:
    read = image["properties"].get
    return read("hyperx_os_name") or f"{read('os_distro', '')} {read('os_version', '')}".strip()


def _hypervisor(image: Record) -> str:
    read = image["properties"].get
    return read("hyperx_hypervisor") or read("hypervisor_type") or read("img_hv_type") or ""


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
