"""Kill registering processes, or Glance, at a step, and see that nothing is lost, doubled or left; race for places."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import lzma
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import NotFoundError, Phase, ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support.clouds import ClientFactory, login, unique
from tests.support.file_server import FileServer, Held
from tests.support.interference import Interference
from tests.support.registrations import disk, new
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud

ROOT = Path(__file__).parents[2]
SHA256 = "sha256:" + hashlib.sha256(samples.data("disk.qcow2")).hexdigest()
ENDINGS = ("resume", "cancel")
CALLER_STEPS = (
    "before create",
    "after create",
    "after import request",
    "while importing",
    "while uploading",
    "before verify",
)
UPLOADER_STEPS = ("after create", "while uploading", "before mark")
"""The mark says that the data was verified."""
STAGER_STEPS = ("after create", "while uploading", "before import request", "after import request", "before mark")
GLANCE_STEPS = ("before create", "after create", "after import request", "while importing", "before verify")


def slow(server: FileServer) -> Held:
    return server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)


def named(client: ClientFactory, name: str) -> list[str]:
    """Return the ids of everything that carries the name, past this library's own filters."""
    answer = client("alice").cloud.get("image", "/images", params={"name": f"eq:{name}"})
    return [image["id"] for image in answer.json()["images"]]


def order(local_cloud: LocalCloud, request: dict[str, Any], *, project: str = "dept-a", **more: object) -> str:
    auth = login(local_cloud, "alice") | {"project_name": project}
    return json.dumps({"auth": auth, "request": request, **more})


@contextlib.contextmanager
def new_department(admin: Client, *, member: str) -> Iterator[str]:
    """Make a department with one member, and take it away again; its name is given."""
    identity = functools.partial(admin.cloud.request, "identity")
    name = unique("department")
    project = identity("POST", "/projects", json={"project": {"name": name}}).json()["project"]["id"]
    user = identity("GET", "/users", params={"name": member}).json()["users"][0]["id"]
    role = identity("GET", "/roles", params={"name": "member"}).json()["roles"][0]["id"]
    identity("PUT", f"/projects/{project}/users/{user}/roles/{role}")
    try:
        yield name
    finally:
        identity("DELETE", f"/projects/{project}")


def start(
    local_cloud: LocalCloud, request: dict[str, Any], *, project: str = "dept-a", **more: object
) -> subprocess.Popen[str]:
    argument = order(local_cloud, request, project=project, **more)
    command = [sys.executable, "-m", "tests.local.registrant", argument]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def at_once(racers: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """Start the waiting processes all together, and return what they report in the end."""
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(len(racers)) as pool:
        said = list(pool.map(lambda racer: racer.communicate("go\n", timeout=scaled(300)), racers))
    assert [errors for _, errors in said if errors] == []
    return [json.loads(output) for output, _ in said]


def survive_a_killed_caller(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str, ending: str
) -> None:
    held = slow(file_server)
    if step in ("before create", "after create", "before verify"):
        held.release()
    request = {"name": unique("killed"), "url": held.url, "disk_format": "qcow2", "checksum": SHA256}
    transfer = "stream" if step == "while uploading" else "import"
    alice = client("alice", transfer=transfer)

    process = start(local_cloud, request, die=step, settings={"transfer": transfer})
    _, errors = process.communicate(timeout=scaled(120))
    assert process.returncode == -signal.SIGKILL, errors
    left = named(client, str(request["name"]))

    if step == "before create":
        assert left == []
        return
    assert len(left) == 1
    if step == "before verify":
        wait_until_ready(client, left[0])
    (found,) = [image.id for image in alice.unfinished_registrations() if image.name == request["name"]]
    registration = alice.resume_registration(found)
    if ending == "cancel":
        registration.cancel()
        registration.cancel()
    held.release()
    if ending == "resume":
        assert registration.wait(timeout=scaled(60)).state == "ACTIVE"
        assert named(client, str(request["name"])) == left
        alice.delete(found)
    assert named(client, str(request["name"])) == []


def survive_a_killed_uploader(
    local_cloud: LocalCloud,
    client: ClientFactory,
    folder: Path,
    step: str,
    ending: str,
    *,
    packed: bool,
    stores: tuple[str, ...] = (),
) -> None:
    """Kill the upload of a file, packed or not, and resume it with the file; it is staged for several stores."""
    data = samples.data("partitioned.raw") + os.urandom(5 << 20)
    path = folder / "disk"
    path.write_bytes(lzma.compress(data, preset=0) if packed else data)
    checksum = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    request = {"name": unique("killed"), "file": str(path), "checksum": checksum, "stores": stores}
    alice = client("alice")

    process = start(local_cloud, request, die=step)
    _, errors = process.communicate(timeout=scaled(120))
    assert process.returncode == -signal.SIGKILL, errors
    left = named(client, str(request["name"]))
    assert len(left) == 1
    (found,) = [image.id for image in alice.unfinished_registrations() if image.name == request["name"]]
    registration = alice.resume_registration(found, file=path)
    if ending == "cancel":
        registration.cancel()
    else:
        assert registration.wait(timeout=scaled(60)).state == "ACTIVE"
        assert named(client, str(request["name"])) == left
        assert alice.cloud.get("image", f"/images/{found}/file").content == data
        assert found not in {image.id for image in alice.unfinished_registrations()}
        alice.delete(found)
    assert named(client, str(request["name"])) == []
    # A Glance that was reading from the killed process removes what it has at the end of the connection.
    until(lambda: not [*local_cloud.directory.glob(f"glance/staging/{found}*")])


def wait_until_ready(client: ClientFactory, image_id: str) -> None:
    until(lambda: client("alice").cloud.image(image_id).phase is Phase.READY)


def survive_a_killed_glance(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str, ending: str
) -> None:
    moment, method, path = {
        "before create": ("before", "POST", "^/images$"),
        "after create": ("after", "POST", "^/images$"),
        "after import request": ("after", "POST", "/import$"),
        "while importing": ("after", "GET", "^/images/[^/]+$"),
        "before verify": ("before", "GET", "/file$"),
    }[step]
    held = slow(file_server)
    if step in ("after create", "before verify"):
        held.release()
    request = new(held.url, checksum=SHA256)
    alice = client("alice")
    between = Interference(alice)

    def kill() -> None:
        if step == "while importing":
            held.wait_until_reached()
        local_cloud.kill("glance")

    (between.before if moment == "before" else between.after)(method, path, kill)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(request)
    local_cloud.restart("glance")
    held.release()

    if step == "before create":
        assert caught.value.image_id is None
        assert named(client, request.name) == []
        return
    image_id = caught.value.image_id
    assert image_id is not None
    assert named(client, request.name) == [image_id]
    alice = client("alice")
    assert [image.id for image in alice.unfinished_registrations() if image.name == request.name] == [image_id]
    registration = alice.resume_registration(image_id)
    if ending == "cancel":
        registration.cancel()
    elif step in ("after create", "before verify"):
        assert registration.wait(timeout=scaled(60)).state == "ACTIVE"
        alice.delete(image_id)
    else:
        # The import died with Glance's process; only time distinguishes it from a slow one (an hour, for Glance too).
        with pytest.raises(WaitTimeoutError) as late:
            registration.wait(timeout=1)
        assert late.value.image_id == image_id
        registration.cancel()
    with pytest.raises(NotFoundError):
        alice.cloud.image(image_id)
    assert named(client, request.name) == []


def race(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, *, processes: int, room: int) -> None:
    url = disk(file_server)
    name = unique("race")
    # A department of its own: leftovers of other tests would take part in the race.
    with new_department(client("admin"), member="alice") as department:
        client("admin").set_quota(department, images=room)
        request = {"name": name, "url": url}
        results = at_once([start(local_cloud, request, project=department, lines_up=True) for _ in range(processes)])
    ready = [result["image"] for result in results if "image" in result]
    left = [image.id for image in client("admin").images(view="everything", name=name)]
    assert sorted(ready) == sorted(left)
    assert len(ready) == room, results
    assert {result["error"] for result in results if "error" in result} == {"QuotaExceededError"}, results
    for image_id in ready:
        client("admin").delete(image_id)
