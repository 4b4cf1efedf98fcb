"""What the tour asks of Nova about snapshots of volumes: its old proxies of Cinder, and what it does for Cinder."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.nova import nova, server
from tests.tour.others import cinder
from tests.tour.player import Step

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
PROXY: Final = "/os-snapshots"
ONE: Final = f"{PROXY}/{{old_shot}}"
ASSISTED: Final = "/os-assisted-volume-snapshots"
INFO: Final = {"snapshot_id": NOBODY, "type": "qcow2", "new_file": "overlay"}


def old(name: str, method: str, path: str = PROXY, body: object = None, **more: Any) -> Step:  # noqa: ANN401
    return nova(f"old-snapshot-{name}", method, path, body, **more)


def assisted(name: str, *, user: str = "admin", **given: object) -> Step:
    """Ask Nova for a snapshot of a volume that is attached."""
    wanted = {"volume_id": "{shot_disk}", "create_info": INFO, **given}
    body = {"snapshot": {key: value for key, value in wanted.items() if value is not ...}}
    return nova(f"assisted-{name}", "POST", ASSISTED, body, user=user)


def ended(name: str, query: str, user: str = "admin") -> Step:
    return nova(f"assisted-delete-{name}", "DELETE", f"{ASSISTED}/{NOBODY}{query}", user=user)


PROXIES: Final = (
    cinder(
        "old-snapshot-volume",
        "POST",
        "/volumes",
        {"volume": {"size": 1, "name": "shot"}},
        keep={"shot_disk": "volume.id"},
    ),
    cinder("old-snapshot-volume-done", "GET", "/volumes/{shot_disk}", again='"available"'),
    old("list-empty", "GET"),
    old("create-empty", "POST", body={}),
    old("create-nothing", "POST", body={"snapshot": {}}),
    old("create-number", "POST", body={"snapshot": {"volume_id": "{shot_disk}", "display_name": 5}}),
    old("create-key", "POST", body={"snapshot": {"volume_id": "{shot_disk}", "colour": "red"}}),
    old("create-flag", "POST", body={"snapshot": {"volume_id": "{shot_disk}", "force": "x"}}),
    old(
        "create",
        "POST",
        body={"snapshot": {"volume_id": "{shot_disk}", "display_name": "old", "display_description": "a"}},
        keep={"old_shot": "snapshot.id"},
    ),
    old("show", "GET", ONE, again='"available"'),
    old("show-foreign", "GET", ONE, user="bob"),
    old("show-unknown", "GET", f"{PROXY}/{NOBODY}"),
    old("show-newer", "GET", ONE, version="2.36"),
    old("list", "GET"),
    old("list-details", "GET", f"{PROXY}/detail"),
    old("list-limit", "GET", f"{PROXY}?limit=1&offset=1"),
    old("delete-foreign", "DELETE", ONE, user="bob"),
    old("delete", "DELETE", ONE),
    old("gone", "GET", ONE, again="-"),
    old("delete-again", "DELETE", ONE),
)
ASSISTANCE: Final = (
    nova("assisted-empty", "POST", ASSISTED, {}, user="admin"),
    assisted("no-volume", volume_id=...),
    assisted("no-info", create_info=...),
    assisted("bad-type", create_info={**INFO, "type": "raw"}),
    assisted("no-file", create_info={"snapshot_id": NOBODY, "type": "qcow2"}),
    assisted("unknown-key", colour="red"),
    assisted("detached"),
    nova("assisted-flavors", "GET", "/flavors", keep={"small_one": "flavors.1.id"}),
    nova(
        "assisted-server",
        "POST",
        "/servers",
        {"server": {**server()["server"], "flavorRef": "{small_one}"}},  # type: ignore[dict-item]  # a mapping
        version="2.37",
        keep={"holder": "server.id"},
    ),
    nova("assisted-server-done", "GET", "/servers/{holder}", again='"ACTIVE"'),
    nova(
        "assisted-attach",
        "POST",
        "/servers/{holder}/os-volume_attachments",
        {"volumeAttachment": {"volumeId": "{shot_disk}", "device": "/dev/sdf"}},
    ),
    cinder("assisted-attached", "GET", "/volumes/{shot_disk}", again='"in-use"'),
    assisted("member", user="alice"),
    assisted("create"),
    assisted("named", create_info={**INFO, "id": NOBODY}),
    ended("no-info", ""),
    ended("bad-info", "?delete_info=x"),
    ended("no-volume", "?delete_info={}"),
    ended("unknown-volume", f'?delete_info={{"volume_id": "{NOBODY}"}}'),
    ended("member", '?delete_info={"volume_id": "{shot_disk}"}', user="alice"),
    ended("done", '?delete_info={"volume_id": "{shot_disk}"}'),
    nova("assisted-server-delete", "DELETE", "/servers/{holder}"),
    nova("assisted-server-gone", "GET", "/servers/{holder}", again="-"),
    cinder("assisted-detached", "GET", "/volumes/{shot_disk}", again='"available"'),
    cinder("assisted-volume-delete", "DELETE", "/volumes/{shot_disk}"),
    cinder("assisted-volume-gone", "GET", "/volumes/{shot_disk}", again="-"),
)
STEPS: Final = (*PROXIES, *ASSISTANCE)
