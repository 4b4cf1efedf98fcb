"""What the tour asks of Cinder's attachments, as Nova makes them: reserved, connected, completed."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.cinder import NOBODY, newer
from tests.tour.others import cinder
from tests.tour.player import Step

EVERY: Final = "/attachments"
ONE: Final = f"{EVERY}/{{attachment}}"
VOLUME: Final = "/volumes/{held}"
SERVER: Final = "11111111-1111-4111-8111-111111111111"
CONNECTOR: Final = {"host": "elsewhere", "mountpoint": "/dev/vdb", "initiator": "iqn.x"}


def attachment(name: str, method: str, path: str, body: object = None, *, version: str = "3.44", **more: Any) -> Step:  # noqa: ANN401
    return newer(f"attachment-{name}", version, method, path, body, **more)


def made(name: str, /, version: str = "3.27", user: str = "alice", **given: object) -> Step:
    """Create an attachment from these values, which are wrong."""
    wanted = {key: value for key, value in {"volume_uuid": "{held}", **given}.items() if value is not ...}
    return attachment(name, "POST", EVERY, {"attachment": wanted}, version=version, user=user)


STEPS: Final = (
    cinder("attachments-old", "GET", EVERY),
    attachment("list-empty", "GET", EVERY),
    attachment("create-empty", "POST", EVERY, {}),
    made("no-volume", volume_uuid=...),
    made("bad-volume", volume_uuid="x"),
    made("unknown-volume", volume_uuid=NOBODY),
    cinder(
        "attachment-volume", "POST", "/volumes", {"volume": {"size": 1, "name": "held"}}, keep={"held": "volume.id"}
    ),
    cinder("attachment-volume-done", "GET", VOLUME, again='"available"'),
    made("bad-server", instance_uuid="x"),
    made("connector-text", connector="x"),
    made("unknown-key", colour="red"),
    made("old-mode", mode="ro"),
    made("bad-mode", version="3.54", mode="x"),
    made("reader", user="rita"),
    made("foreign", user="bob"),
    attachment(
        "create",
        "POST",
        EVERY,
        {"attachment": {"volume_uuid": "{held}", "instance_uuid": SERVER, "connector": {}}},
        keep={"attachment": "attachment.id"},
    ),
    made("other-server", instance_uuid=NOBODY),
    cinder("attachment-reserved", "GET", VOLUME),
    cinder("attachment-reserved-delete", "DELETE", VOLUME),
    attachment("show", "GET", ONE),
    attachment("show-unknown", "GET", f"{EVERY}/{NOBODY}"),
    attachment("list", "GET", EVERY),
    attachment("list-details", "GET", f"{EVERY}/detail"),
    attachment("list-server", "GET", f"{EVERY}?instance_id={NOBODY}"),
    attachment("list-volume", "GET", f"{EVERY}?volume_id={{held}}"),
    attachment("list-foreign", "GET", EVERY, user="bob"),
    attachment("list-all", "GET", f"{EVERY}?all_tenants=1", user="admin"),
    attachment("list-admin", "GET", EVERY, user="admin"),
    attachment("update-empty", "PUT", ONE, {}),
    attachment("update-no-connector", "PUT", ONE, {"attachment": {}}),
    attachment("update-nothing", "PUT", ONE, {"attachment": {"connector": {}}}),
    attachment("update-reader", "PUT", ONE, {"attachment": {"connector": CONNECTOR}}, user="rita"),
    attachment("update-unknown", "PUT", f"{EVERY}/{NOBODY}", {"attachment": {"connector": CONNECTOR}}),
    attachment("update", "PUT", ONE, {"attachment": {"connector": CONNECTOR}}),
    cinder("attachment-attaching", "GET", VOLUME),
    attachment("updated", "GET", ONE),
    attachment("complete-old", "POST", f"{ONE}/action", {"os-complete": None}, version="3.43"),
    attachment("complete-other", "POST", f"{ONE}/action", {"os-nothing": None}),
    attachment("complete-reader", "POST", f"{ONE}/action", {"os-complete": None}, user="rita"),
    attachment("complete-unknown", "POST", f"{EVERY}/{NOBODY}/action", {"os-complete": None}),
    attachment("complete", "POST", f"{ONE}/action", {"os-complete": None}),
    attachment("completed", "GET", ONE),
    cinder("attachment-attached", "GET", VOLUME),
    cinder("attachment-attached-delete", "DELETE", VOLUME),
    attachment("delete-reader", "DELETE", ONE, user="rita"),
    attachment("delete", "DELETE", ONE),
    attachment("delete-again", "DELETE", ONE),
    cinder("attachment-detached", "GET", VOLUME),
    attachment(
        "connected",
        "POST",
        EVERY,
        {"attachment": {"volume_uuid": "{held}", "connector": CONNECTOR, "mode": "ro"}},
        version="3.54",
        keep={"connected": "attachment.id"},
    ),
    cinder("attachment-connected-volume", "GET", VOLUME),
    attachment("connected-delete", "DELETE", f"{EVERY}/{{connected}}"),
    cinder("attachment-volume-delete", "DELETE", VOLUME),
    cinder("attachment-volume-gone", "GET", VOLUME, again="-"),
)
