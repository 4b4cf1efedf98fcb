"""What the tour asks of Cinder's groups of volumes, their types and their snapshots."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.cinder import NOBODY, newer
from tests.tour.others import cinder
from tests.tour.player import Step

KINDS: Final = "/group_types"
KIND: Final = f"{KINDS}/{{group_kind}}"
GROUPS: Final = "/groups"
GROUP: Final = f"{GROUPS}/{{group}}"
SHOTS: Final = "/group_snapshots"
SHOT: Final = f"{SHOTS}/{{shot}}"


def kind(name: str, method: str, path: str = KINDS, body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return newer(f"group-type-{name}", "3.11", method, path, body, **{"user": "admin", **more})


def group(
    name: str,
    method: str,
    path: str = GROUPS,
    body: object = None,
    *,
    version: str = "3.20",
    **more: Any,  # noqa: ANN401
) -> Step:
    return newer(f"group-{name}", version, method, path, body, **more)


def made(name: str, /, user: str = "alice", **given: object) -> Step:
    """Create a group from these values, which are wrong."""
    first = {"group_type": "{group_kind}", "volume_types": ["__DEFAULT__"]}
    wanted = {key: value for key, value in {**first, **given}.items() if value is not ...}
    return group(f"create-{name}", "POST", body={"group": wanted}, user=user)


GROUP_TYPES: Final = (
    cinder("group-types-old", "GET", KINDS),
    kind("list-empty", "GET"),
    kind("default", "GET", f"{KINDS}/default"),
    kind("create-empty", "POST", body={}),
    kind("create-no-name", "POST", body={"group_type": {}}),
    kind("create-blank", "POST", body={"group_type": {"name": " "}}),
    kind("create-flag", "POST", body={"group_type": {"name": "x", "is_public": "x"}}),
    kind("create-unknown-key", "POST", body={"group_type": {"name": "x", "colour": "red"}}),
    kind("create-member", "POST", body={"group_type": {"name": "x"}}, user="alice"),
    kind(
        "create",
        "POST",
        body={"group_type": {"name": "set", "description": "a", "group_specs": {"a": "1"}}},
        keep={"group_kind": "group_type.id"},
    ),
    kind("create-again", "POST", body={"group_type": {"name": "set"}}),
    kind(
        "create-hidden",
        "POST",
        body={"group_type": {"name": "hidden-set", "is_public": False}},
        keep={"hidden_kind": "group_type.id"},
    ),
    kind("show", "GET", KIND),
    kind("show-member", "GET", KIND, user="alice"),
    kind("show-hidden", "GET", f"{KINDS}/{{hidden_kind}}", user="alice"),
    kind("show-name", "GET", f"{KINDS}/set"),
    kind("show-unknown", "GET", f"{KINDS}/{NOBODY}"),
    kind("list", "GET"),
    kind("list-member", "GET", user="alice"),
    kind("list-hidden", "GET", f"{KINDS}?is_public=false"),
    kind("list-every", "GET", f"{KINDS}?is_public=none&sort=name:asc"),
    kind("update", "PUT", KIND, {"group_type": {"name": "set-2", "description": "b"}}),
    kind("update-nothing", "PUT", KIND, {"group_type": {}}),
    kind("update-blank", "PUT", KIND, {"group_type": {"name": " "}}),
    kind("update-taken", "PUT", KIND, {"group_type": {"name": "hidden-set"}}),
    kind("update-member", "PUT", KIND, {"group_type": {"name": "x"}}, user="alice"),
    kind("update-unknown", "PUT", f"{KINDS}/{NOBODY}", {"group_type": {"name": "x"}}),
    kind("specs", "GET", f"{KIND}/group_specs"),
    kind("specs-member", "GET", f"{KIND}/group_specs", user="alice"),
    kind("specs-unknown-type", "GET", f"{KINDS}/{NOBODY}/group_specs"),
    kind("specs-create", "POST", f"{KIND}/group_specs", {"group_specs": {"b": "2", "c": None}}),
    kind("specs-create-empty", "POST", f"{KIND}/group_specs", {}),
    kind("specs-create-number", "POST", f"{KIND}/group_specs", {"group_specs": {"b": 2}}),
    kind("specs-create-key", "POST", f"{KIND}/group_specs", {"group_specs": {"b b": "2"}}),
    kind("specs-show", "GET", f"{KIND}/group_specs/b"),
    kind("specs-show-unknown", "GET", f"{KIND}/group_specs/nothing"),
    kind("specs-update", "PUT", f"{KIND}/group_specs/b", {"b": "3"}),
    kind("specs-update-other", "PUT", f"{KIND}/group_specs/b", {"c": "3"}),
    kind("specs-update-two", "PUT", f"{KIND}/group_specs/b", {"b": "3", "c": "3"}),
    kind("specs-delete", "DELETE", f"{KIND}/group_specs/b"),
    kind("specs-delete-again", "DELETE", f"{KIND}/group_specs/b"),
    kind("specs-left", "GET", f"{KIND}/group_specs"),
)

MEMBERS: Final = (
    cinder("groups-old", "GET", GROUPS),
    group("list-empty", "GET"),
    group("create-empty", "POST", body={}),
    made("no-type", group_type=...),
    made("no-volume-types", volume_types=...),
    made("empty-volume-types", volume_types=[]),
    made("unknown-type", group_type=NOBODY),
    made("unknown-name", group_type="nothing"),
    made("unknown-volume-type", volume_types=["nothing"]),
    made("unknown-zone", availability_zone="nothing"),
    made("unknown-key", colour="red"),
    made("reader", user="rita"),
    group(
        "create",
        "POST",
        body={"group": {"name": "together", "group_type": "set-2", "volume_types": ["__DEFAULT__"]}},
        keep={"group": "group.id"},
    ),
    group("show", "GET", GROUP, again='"available"'),
    group("show-newest", "GET", f"{GROUP}?list_volume=true", version="3.58", user="admin"),
    group("show-foreign", "GET", GROUP, user="bob"),
    group("show-unknown", "GET", f"{GROUPS}/{NOBODY}"),
    group("list", "GET"),
    group("list-details", "GET", f"{GROUPS}/detail"),
    group("list-foreign", "GET", user="bob"),
    group("list-all", "GET", f"{GROUPS}?all_tenants=1", user="admin"),
    group("type-in-use", "DELETE", KIND, user="admin"),
    group("update", "PUT", GROUP, {"group": {"name": "together-2", "description": "b"}}),
    group("update-empty", "PUT", GROUP, {}),
    group("update-nothing", "PUT", GROUP, {"group": {}}),
    group("update-same", "PUT", GROUP, {"group": {"name": "together-2"}}),
    group("update-reader", "PUT", GROUP, {"group": {"name": "x"}}, user="rita"),
    group("update-foreign", "PUT", GROUP, {"group": {"name": "x"}}, user="bob"),
    group("update-add-unknown", "PUT", GROUP, {"group": {"add_volumes": NOBODY}}),
    group("update-remove-unknown", "PUT", GROUP, {"group": {"remove_volumes": NOBODY}}),
    group("volume-unknown", "POST", "/volumes", {"volume": {"size": 1, "group_id": NOBODY}}),
    group("volume-no-type", "POST", "/volumes", {"volume": {"size": 1, "group_id": "{group}"}}),
    group(
        "volume",
        "POST",
        "/volumes",
        {"volume": {"size": 1, "name": "one", "group_id": "{group}", "volume_type": "__DEFAULT__"}},
        keep={"grouped": "volume.id"},
    ),
    group("volume-done", "GET", "/volumes/{grouped}", again='"available"'),
    cinder("group-volume-old", "GET", "/volumes/{grouped}"),
    group("volume-delete", "DELETE", "/volumes/{grouped}"),
    group("update-remove", "PUT", GROUP, {"group": {"remove_volumes": "{grouped}"}}),
    group("removed", "GET", f"{GROUP}?list_volume=true", version="3.25", again='"available"'),
    group("update-add", "PUT", GROUP, {"group": {"add_volumes": "{grouped}"}}),
    group("added", "GET", f"{GROUP}?list_volume=true", version="3.25", again='"available"'),
    group("volumes", "GET", "/volumes?group_id={group}"),
)

SNAPSHOTS: Final = (
    cinder("group-snapshots-old", "GET", SHOTS),
    group("snapshot-list-empty", "GET", SHOTS),
    group("snapshot-create-empty", "POST", SHOTS, {}),
    group("snapshot-create-no-group", "POST", SHOTS, {"group_snapshot": {}}),
    group("snapshot-create-unknown", "POST", SHOTS, {"group_snapshot": {"group_id": NOBODY}}),
    group("snapshot-create-reader", "POST", SHOTS, {"group_snapshot": {"group_id": "{group}"}}, user="rita"),
    group("snapshot-create-foreign", "POST", SHOTS, {"group_snapshot": {"group_id": "{group}"}}, user="bob"),
    group(
        "snapshot-create",
        "POST",
        SHOTS,
        {"group_snapshot": {"group_id": "{group}", "name": "shot"}},
        keep={"shot": "group_snapshot.id"},
    ),
    group("snapshot-show", "GET", SHOT, again='"available"'),
    group("snapshot-show-newest", "GET", SHOT, version="3.58", user="admin"),
    group("snapshot-show-foreign", "GET", SHOT, user="bob"),
    group("snapshot-show-unknown", "GET", f"{SHOTS}/{NOBODY}"),
    group("snapshot-list", "GET", SHOTS),
    group("snapshot-list-details", "GET", f"{SHOTS}/detail"),
    group("snapshot-list-foreign", "GET", SHOTS, user="bob"),
    group("snapshot-members", "GET", "/snapshots/detail", version="3.14"),
    group("delete-with-snapshot", "POST", f"{GROUP}/action", {"delete": {"delete-volumes": True}}),
    group("snapshot-reset", "POST", f"{SHOT}/action", {"reset_status": {"status": "error"}}, user="admin"),
    group("snapshot-reset-member", "POST", f"{SHOT}/action", {"reset_status": {"status": "error"}}),
    group("snapshot-reset-show", "GET", SHOT),
    group("snapshot-delete-reader", "DELETE", SHOT, user="rita"),
    group("snapshot-delete-foreign", "DELETE", SHOT, user="bob"),
    group("snapshot-delete", "DELETE", SHOT),
    group("snapshot-gone", "GET", SHOT, again="-"),
    group("snapshot-members-gone", "GET", "/snapshots/detail"),
)

END: Final = (
    group("reset-member", "POST", f"{GROUP}/action", {"reset_status": {"status": "error"}}),
    group("reset-wrong", "POST", f"{GROUP}/action", {"reset_status": {"status": "x"}}, user="admin"),
    group("reset", "POST", f"{GROUP}/action", {"reset_status": {"status": "error"}}, user="admin"),
    group("reset-show", "GET", GROUP),
    group("delete-wrong", "POST", f"{GROUP}/action", {"delete": {"delete-volumes": "x"}}),
    group("delete-other", "POST", f"{GROUP}/action", {"nothing": {}}),
    group("delete-reader", "POST", f"{GROUP}/action", {"delete": {"delete-volumes": True}}, user="rita"),
    group("delete-foreign", "POST", f"{GROUP}/action", {"delete": {"delete-volumes": True}}, user="bob"),
    group("delete-not-empty", "POST", f"{GROUP}/action", {"delete": {}}),
    group("delete", "POST", f"{GROUP}/action", {"delete": {"delete-volumes": True}}),
    group("gone", "GET", GROUP, again="-"),
    group("volume-gone", "GET", "/volumes/{grouped}", again="-"),
    group("delete-again", "POST", f"{GROUP}/action", {"delete": {}}),
    kind("delete-member", "DELETE", KIND, user="alice"),
    kind("delete", "DELETE", KIND),
    kind("delete-again", "DELETE", KIND),
    kind("delete-hidden", "DELETE", f"{KINDS}/{{hidden_kind}}"),
)

STEPS: Final = (*GROUP_TYPES, *MEMBERS, *SNAPSHOTS, *END)
