"""Kill the caller of a capture, or a service, at a step, and see that nothing is lost, doubled, left or harmed."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hyperx_glance import (
    CaptureFailedError,
    ConflictError,
    HyperxGlanceError,
    LaunchRequest,
    NewCapture,
    NotFoundError,
    Pace,
    WaitTimeoutError,
)
from hyperx_glance.testing.timing import scaled
from tests.support import launches
from tests.support.clouds import login, unique
from tests.support.interference import Interference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

ROOT: Final = Path(__file__).parents[2]
BACKINGS: Final = ("disk", "volume")
ENDINGS: Final = ("finish", "cancel")
SERVICES: Final = ("nova", "cinder", "glance")
_OF_A_DISK: Final = {
    "before createImage": ("before", "POST", "^/servers/[^/]+/action$"),
    "after createImage": ("after", "POST", "^/servers/[^/]+/action$"),
    "while copying": ("after", "GET", "^/images/[^/]+$"),
    "before the patch": ("before", "PATCH", "^/images/"),
    "after the patch": ("after", "PATCH", "^/images/"),
}
_OF_A_VOLUME: Final = {
    "before the copy": ("before", "POST", "^/volumes$"),
    "after the copy": ("after", "POST", "^/volumes$"),
    "after the image metadata": ("after", "POST", "^/volumes/[^/]+/action$"),
    "while uploading": ("after", "GET", "^/images/[^/]+$"),
    "before the patch": ("before", "PATCH", "^/images/"),
    "after the patch": ("after", "PATCH", "^/images/"),
    "after the deletion": ("after", "DELETE", "^/volumes/"),
}
STEPS: Final = {"disk": _OF_A_DISK, "volume": _OF_A_VOLUME}
CASES: Final = [(backing, step) for backing in BACKINGS for step in STEPS[backing]]


@dataclasses.dataclass(frozen=True)
class Captured:
    """The server that is captured in every round, on a disk of Nova's or on a volume."""

    cloud: LocalCloud
    client: ClientFactory
    id: str
    backing: str

    @property
    def steps(self) -> Mapping[str, tuple[str, str, str]]:
        """Return the steps of its captures."""
        return STEPS[self.backing]


def captured_server(cloud: LocalCloud, client: ClientFactory, backing: str) -> Captured:
    """Launch it."""
    image = launches.put_image(cloud, "disk.raw", {"os_distro": "debian"})
    request = LaunchRequest(name=unique("web"), flavor="m1.tiny", boot_volume_gib=1 if backing == "volume" else None)
    return Captured(cloud, client, client("alice").launch(image, request).servers[0].id, backing)


def records(cloud: LocalCloud, capture_id: str) -> list[str]:
    """List every record of a capture, past this library."""
    answer = cloud.session("admin").get(
        f"/v2/images?hyperx_capture_id={capture_id}&visibility=all", endpoint_filter=launches.IMAGES
    )
    return [image["id"] for image in answer.json()["images"]]


def leftovers(cloud: LocalCloud) -> dict[str, list[str]]:
    """List volumes that no server has, and volume snapshots."""
    snapshots = cloud.session("alice").get("/snapshots", endpoint_filter=launches.VOLUMES).json()["snapshots"]
    free = [each["id"] for each in launches.volumes(cloud) if not each["attachments"]]
    return {"volumes": free, "snapshots": [each["id"] for each in snapshots]}


def is_unharmed(server: Captured) -> bool:
    """Check whether the server runs without a task; Nova's task ends a moment after the data."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        (shown,) = [each for each in launches.servers(server.cloud) if each["id"] == server.id]
        if (shown["status"], shown["OS-EXT-STS:task_state"]) == ("ACTIVE", None):
            return True
        time.sleep(0.2)
    return False


def strike_at(between: Interference, step: Sequence[str], strike: Callable[[], object]) -> None:
    """Strike at a step; one that reads is meant once something has been ordered."""
    moment, method, path = step

    def strike_in_time() -> None:
        if method != "GET" or any(sent == "POST" for sent, _ in between.seen):
            strike()

    (between.before if moment == "before" else between.after)(method, path, strike_in_time, times=-1)


def survive_a_killed_caller(server: Captured, step: str, ending: str) -> str:
    """Kill the capturing process with -9, and let another finish, or cancel; return the outcome."""
    capture_id = unique("killed")
    order = {
        "auth": login(server.cloud, "alice"),
        "server": server.id,
        "request": {"name": unique("captured"), "tags": ["web"], "capture_id": capture_id},
        "die": server.steps[step],
    }
    command = [sys.executable, "-m", "tests.local.capturer", json.dumps(order)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr
    return _end(server, capture_id, ending)


def survive_a_killed_service(server: Captured, service: str, step: str, ending: str) -> str:
    """Kill a service at a step, and start it again; return the outcome."""
    capture_id, alice = unique("killed"), server.client("alice")
    between = Interference(alice)
    killed: list[str] = []
    told: list[HyperxGlanceError] = []

    def kill() -> None:
        if not killed:
            killed.append(service)
            server.cloud.kill(service)

    strike_at(between, server.steps[step], kill)
    try:
        alice.capture(server.id, NewCapture(name=unique("captured"), tags=["web"], capture_id=capture_id))
    except HyperxGlanceError as error:
        told.append(error)
    finally:
        server.cloud.restart(service)
    assert killed == [service]
    assert [error.capture_id for error in told] in ([], [capture_id]), told
    return _end(server, capture_id, ending)


def _end(server: Captured, capture_id: str, ending: str) -> str:
    alice = server.client("alice", pace=Pace(deadline=scaled(45)))
    try:
        outcome = _found_outcome(alice, capture_id, ending)
    except WaitTimeoutError as late:
        outcome = _reset_by_an_operator(server, late.volume_id, capture_id)
    made = records(server.cloud, capture_id)
    assert len(made) == (outcome == "finished"), (outcome, made)
    for image_id in made:
        image = alice.image(image_id)
        assert (image.phase, image.tags, image.captured_from) == ("ready", ("web",), server.id)
        alice.delete(image_id)
    assert leftovers(server.cloud) == {"volumes": [], "snapshots": []}
    assert is_unharmed(server)
    return outcome


def _found_outcome(alice: Client, capture_id: str, ending: str) -> str:
    try:
        capture = alice.find_capture(capture_id)
    except NotFoundError:
        return "nothing"
    if ending == "cancel":
        try:
            capture.cancel()
        except ConflictError:
            pass  # it is finished
        else:
            return "cancelled"
    try:
        capture.wait(timeout=scaled(60))
    except CaptureFailedError:
        return "failed"
    except WaitTimeoutError as late:
        # Cinder died before it had chosen a host for the copy, and its queue died with it; or while it uploaded.
        try:
            capture.cancel()
        except ConflictError:
            raise late from None
        return "stuck and cancelled"
    return "finished"


def _reset_by_an_operator(server: Captured, volume_id: str | None, capture_id: str) -> str:
    """Do what the error asks for: Cinder forgets after a crash that it uploads a volume, and refuses to delete it."""
    path = f"/volumes/{volume_id}/action"
    body = {"os-reset_status": {"status": "error"}}
    server.cloud.session("admin").post(path, json=body, endpoint_filter=launches.VOLUMES)
    capture = server.client("alice").find_capture(capture_id)
    try:
        capture.cancel()
    except ConflictError:  # the data had come before Cinder died
        capture.wait(timeout=scaled(60))
        return "finished"
    return "cancelled after a reset"


def each_ending(rounds: int) -> Iterator[str]:
    """Yield both endings in turn."""
    for number in range(rounds):
        yield ENDINGS[number % 2]
