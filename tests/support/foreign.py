"""What another department can write into its public image, and what a member does with servers made from it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from hyperx_glance import Action, Deletion, HyperxGlanceError, Image, LaunchRequest, NewCapture, vocabulary
from hyperx_glance.capturing.checking import ROOT_DEVICE_KEY
from hyperx_glance.capturing.order import CaptureOrder
from hyperx_glance.capturing.template import NOT_OF_A_TEMPLATE
from hyperx_glance.launching import order as launch_order, plan
from hyperx_glance.vocabulary import CAPTURE_ORDER_PREFIX, Stored
from tests.support.launches import COMPUTE, IMAGES, VOLUMES
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance import Client
    from tests.support.clouds import CloudUnderTest

CHOSEN_ID: Final = "capture-0001"
"""The id of a capture that its caller has chosen, and that others can guess."""
ELSEWHERE: Final = "00000000-0000-4000-8000-000000000000"
"""The id of a server or an image; nobody knows the id of a server that is not there yet."""
_ORDER: Final = CaptureOrder(
    capture_id=CHOSEN_ID,
    server_id=ELSEWHERE,
    user_id=ELSEWHERE,
    new=NewCapture(name="forged", category="public", tags=["forged"]),
)
_SUFFIXES: Final = ("0", "1", "2", "39", "40", "00", "01", "-1", "x", "cancelled", "cancelled_", CHOSEN_ID, "\u0661")
_OF_LAUNCHES: Final = (
    *(
        launch_order.COUNT_KEY,
        launch_order.IMAGE_KEY,
        launch_order.ON_FAILURE_KEY,
        launch_order.KEEP_VOLUMES_KEY,
        launch_order.LAUNCH_KEY,
    ),
    *(plan.WINDOWS_USER_KEY, plan.WINDOWS_PASSWORD_KEY),
)
_OF_CINDER: Final = ("image_id", "image_name")
_ONLY_READ_OF_ITS_OWN: Final = frozenset(
    field.key
    for field in vocabulary.FIELDS
    if field.stored is not Stored.COLUMN and not field.inherited and not field.key.startswith("os_glance")
)
REFUSED_AT_LAUNCH: Final = vocabulary.VOLUMES_KEY
"""Nova itself obeys it."""
OBEYED_BY_NOVA: Final = frozenset({"mappings", ROOT_DEVICE_KEY})
"""What a real Nova reads when it makes a server, so that nonsense there makes none."""
KEYS: Final = tuple(
    sorted(
        {
            *_ONLY_READ_OF_ITS_OWN,
            *NOT_OF_A_TEMPLATE,
            *(f"{CAPTURE_ORDER_PREFIX}{suffix}" for suffix in _SUFFIXES),
            *vocabulary.NOTES_OF_SERVERS,
            *_OF_LAUNCHES,
            *_OF_CINDER,
        }
        - {REFUSED_AT_LAUNCH}
        # Any other tool's snapshot is refused then: it has tests of its own.
        - {vocabulary.OWNER_NOTE_KEY}
        - {key for key in NOT_OF_A_TEMPLATE if key.startswith(("os_glance", "img_signature"))}
        # Its meaning for servers is the one that the image has: it is not bootable.
        - {vocabulary.glance_key("bootable")}
    )
)
"""Every key that says something of the record on which it stands, and that Nova or Cinder can copy onto another."""
INHERITED: Final = frozenset(field.key for field in vocabulary.FIELDS if field.inherited)
"""What a server's image means to hand on: a description, an operating system, a password switch."""
_SAID: Final = {
    "hyperx_capture_id": CHOSEN_ID,
    "hyperx_captured_from": ELSEWHERE,
    "instance_uuid": ELSEWHERE,
    "base_image_ref": ELSEWHERE,
    "image_id": ELSEWHERE,
    "hyperx_checksum": "sha256:" + "ab" * 32,
    "hyperx_url": "http://forged.example/disk.qcow2",
    f"{CAPTURE_ORDER_PREFIX}0": _ORDER.texts()[f"{CAPTURE_ORDER_PREFIX}0"],
    f"{CAPTURE_ORDER_PREFIX}cancelled": CHOSEN_ID,
}
_ON_AN_IMAGE: Final = (Action.LAUNCH, Action.EDIT, Action.DELETE, Action.DOWNLOAD)
_CHANGING = re.compile(
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}"
    r"|datetime\.datetime\([^)]*\)|'elapsed_seconds': [0-9.e-]+"
)


def hostile(key: str, *, user_id: str) -> dict[str, str]:
    """Return the worst possible value of a key."""
    return {key: user_id if key == "hyperx_created_by" else _SAID.get(key, "true")}


def everything(*, user_id: str) -> dict[str, str]:
    """Return all of it at once."""
    return {name: text for key in KEYS for name, text in hostile(key, user_id=user_id).items()}


class Diary:
    """The outcome of each step, without parts that differ from one run to the next."""

    def __init__(self, foreign: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self._foreign = foreign

    def __call__(self, step: str, do: Callable[[], object]) -> object:
        """Take a step; an error of the library's is an outcome like any other."""
        try:
            result = do()
        except HyperxGlanceError as error:
            self._write(step, f"{type(error).__name__}: {error}")
            return None
        self._write(step, self._shown(result))
        return result

    def _shown(self, result: object) -> str:
        if isinstance(result, Deletion):
            return f"{type(result).__name__} {result.servers}"
        if isinstance(result, Image):
            fields = result.model_dump(exclude={"updated_at", "created_at", "checksum", "hash_value"})
            kept = {key: text for key, text in fields.pop("properties").items() if key not in self._foreign}
            return f"{fields} {kept}"
        return repr(result)

    def _write(self, step: str, line: str) -> None:
        self.lines.append(f"{step}: {_CHANGING.sub('ID', line)}")


def live(
    cloud: CloudUnderTest,
    alice: Client,
    image_id: str,
    backing: str,
    foreign: Mapping[str, str],
    *,
    capture_id: str | None = CHOSEN_ID,
) -> list[str]:
    """Do with servers made from an image all that a member does with servers; return the results."""
    diary = Diary(foreign)
    boot_volume_gib = 1 if backing == "volume" else None
    launch = alice.launch(image_id, LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=boot_volume_gib))
    server = launch.servers[0].id
    diary("launches", lambda: [(len(each.servers), each.count) for each in alice.launches()])
    diary("find launch", lambda: alice.find_launch(launch.launch_id).count)
    diary("using", lambda: [each.name for each in alice.servers_using(image_id).servers])
    diary("why not", lambda: [alice.why_not(alice.image(image_id), action) for action in _ON_AN_IMAGE])
    diary("reset", lambda: bool(alice.reset_password(server, "hunter2-hunter2")))
    _snapshot_by_another_tool(cloud, alice, server, diary)
    new = NewCapture(name="captured", description="with nginx", capture_id=capture_id)
    _capture(alice, new, server, lambda: until(lambda: _is_at_rest(cloud, server)), diary)
    diary("cancel the launch", launch.cancel)
    diary("launches at the end", lambda: len(alice.launches()))
    return diary.lines


def _snapshot_by_another_tool(cloud: CloudUnderTest, alice: Client, server: str, diary: Diary) -> None:
    """Make a snapshot past this library: it is neither registered nor captured."""
    snapshot = snapshot_of(cloud, server)
    parts = _volume_snapshots(cloud, snapshot)
    diary("unfinished", lambda: list(alice.unfinished_registrations()))
    diary("resume", lambda: alice.resume_registration(snapshot))
    diary("cancel the registration", lambda: alice.cancel_registration(snapshot))
    diary("publish", lambda: alice.update(snapshot, category="public").category)
    diary("unfinished when published", lambda: list(alice.unfinished_registrations()))
    diary("delete", lambda: alice.delete(snapshot))
    for part in parts:  # or Cinder keeps the volume
        cloud.session("alice").delete(f"/snapshots/{part}", endpoint_filter=VOLUMES)
        until(lambda part=part: _is_gone(cloud, part))  # type: ignore[misc]  # a default


def _capture(alice: Client, new: NewCapture, server: str, rest: Callable[[], None], diary: Diary) -> None:
    """Capture a server: at one go, by a caller that is killed and another that finishes it, and without an end."""
    image = diary("capture", lambda: alice.capture(server, new))
    if isinstance(image, Image):
        diary("find it finished", lambda: alice.find_capture(image.capture_id).wait())
        diary("cancel it finished", lambda: alice.find_capture(image.capture_id).cancel())
        diary("delete", lambda: alice.delete(image))
    rest()
    by_another = diary("start", lambda: alice.start_capture(server, new).capture_id)
    diary("find", lambda: alice.find_capture(str(by_another)).server_id)
    finished = diary("finish by another", lambda: alice.find_capture(str(by_another)).wait())
    diary("count", lambda: alice.count(properties={"hyperx_captured_from": server}))
    if isinstance(finished, Image):
        diary("delete", lambda: alice.delete(finished))
    rest()
    cancelled = diary("start again", lambda: alice.start_capture(server, new).capture_id)
    diary("cancel", lambda: alice.find_capture(str(cancelled)).cancel())
    diary("find none", lambda: alice.find_capture(str(cancelled)))
    diary("count none", lambda: alice.count(properties={"hyperx_captured_from": server}))


def snapshot_of(cloud: CloudUnderTest, server_id: str) -> str:
    """Make a snapshot past this library, as any tool does; return its id."""
    session = cloud.session("alice")
    answer = session.post(
        f"/servers/{server_id}/action",
        json={"createImage": {"name": "snapshot", "metadata": {}}},
        endpoint_filter=COMPUTE,
        headers={"OpenStack-API-Version": "compute 2.67"},
        raise_exc=False,
    )
    assert answer.status_code < 400, answer.text
    image_id = str(answer.json()["image_id"])
    until(lambda: _has_data(cloud, image_id) and _is_at_rest(cloud, server_id))
    return image_id


def _volume_snapshots(cloud: CloudUnderTest, image_id: str) -> list[str]:
    """Return the ids of what Nova made of volumes; the image names them."""
    record = cloud.session("alice").get(f"/v2/images/{image_id}", endpoint_filter=IMAGES).json()
    named = json.loads(record.get("block_device_mapping", "[]"))
    return [each["snapshot_id"] for each in named if each.get("snapshot_id")]


def _is_gone(cloud: CloudUnderTest, snapshot_id: str) -> bool:
    answer = cloud.session("alice").get(f"/snapshots/{snapshot_id}", endpoint_filter=VOLUMES, raise_exc=False)
    return bool(answer.status_code == 404)


def _has_data(cloud: CloudUnderTest, image_id: str) -> bool:
    record = cloud.session("alice").get(f"/v2/images/{image_id}", endpoint_filter=IMAGES).json()
    return bool(record["status"] == "active")


def _is_at_rest(cloud: CloudUnderTest, server_id: str) -> bool:
    shown = cloud.session("alice").get(f"/servers/{server_id}", endpoint_filter=COMPUTE).json()
    return shown["server"]["OS-EXT-STS:task_state"] is None
