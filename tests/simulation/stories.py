"""What callers do at once, the recovery afterwards that the guides describe, and what must be true then.

Each story makes callers for one cloud. A caller returns what the library reported; `check` compares it with the cloud.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hyperx_glance import (
    CaptureFailedError,
    Client,
    ConflictError,
    HyperxGlanceError,
    Image,
    Launch,
    LaunchRequest,
    NewCapture,
    NewImage,
    NotFoundError,
    Pace,
    Phase,
    QuotaExceededError,
    RegistrationFailedError,
    Settings,
    UrlPolicy,
)
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.testing.memory.glance.records import ImageRecord
    from tests.simulation.schedule import Caller, Schedule

DISK: Final = b"\0" * 2048
URL: Final = "http://files.example/disk.raw"
PATIENCE_SECONDS: Final = 900.0


@dataclass
class World:
    """One cloud under one schedule, and what its callers are to do."""

    schedule: Schedule
    cloud: InMemoryCloud = field(init=False)
    scripts: dict[str, Callable[[], object]] = field(default_factory=dict)
    checks: list[Callable[[Mapping[str, Caller]], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud = InMemoryCloud(now=self.schedule.utc, seed=self.schedule.seed)
        self.cloud.glance.downloads[URL] = DISK
        self.cloud.glance.import_polls = 1 + self.schedule.pick(3)
        self.cloud.nova.build_polls = 1 + self.schedule.pick(3)

    def client(self, user: str = "alice", *, steward: str | None = None, transfer: str = "auto") -> Client:
        """Connect a user through the schedule; callers share no session, as locks are not let go between requests."""
        # The first interval is keystoneauth's pause, too, which is real time.
        pace = Pace(
            first_interval=0.001,
            growth=3,
            sleep=self.schedule.sleep,
            clock=self.schedule.clock,
            deadline=PATIENCE_SECONDS,
        )
        settings = Settings(
            pace=pace,
            url_policy=UrlPolicy(preflight=False),
            transfer=transfer,  # type: ignore[arg-type]  # one of the words
            network=self.cloud.network,
        )
        session = self.schedule.through(self.cloud.session(user))
        second = None if steward is None else self.schedule.through(self.cloud.session(steward))
        return Client.from_session(session, steward=second, settings=settings)

    def new_id(self) -> str:
        """Draw an id for a record or a launch of a caller's own."""
        return str(uuid.uuid4())


def hard(condition: object, sentence: str) -> None:
    """Demand what must be true."""
    if not condition:
        raise AssertionError(sentence)


def told(caller: Caller) -> str:
    """Return what the library reported to a caller, for a failing schedule's story."""
    if caller.dead:
        return "died"
    return repr(caller.error) if caller.error else f"was given {caller.result!r}"


def only_typed_errors(callers: Mapping[str, Caller]) -> None:
    """Demand of every caller that it ended well, died, or got an error of this library."""
    for caller in callers.values():
        typed = caller.error is None or caller.dead or isinstance(caller.error, HyperxGlanceError)
        hard(typed, f"{caller.name} {told(caller)}")


# ----------------------------------------------------------------- registrations


def registrations(world: World) -> None:
    """Let several register at once into a department that has room for few; one caller recovers what others left."""
    schedule = world.schedule
    room, amount = 1 + schedule.pick(2), 2 + schedule.pick(3)
    world.cloud.keystone.set_limit(world.cloud.glance, "image_count_total", "dept-a", room)
    wanted = {f"registrar {number}": world.new_id() for number in range(amount)}
    for name, image_id in wanted.items():
        transfer = ("import", "stream", "auto")[schedule.pick(3)]
        new = NewImage(id=image_id, name=name, url=URL, disk_format="raw", tags={name})
        world.scripts[name] = _registrar(world, new, transfer)
    if schedule.pick(3) == 1:
        world.scripts["janitor"] = lambda: recover(world.client("alice"))

    def check(callers: Mapping[str, Caller]) -> None:
        calm = not any(line for line in schedule.story if ": " in line and _is_trouble(line))
        ready = {image.id for image in world.cloud.glance.images.values() if image.status == "active"}
        present = {image.id for image in world.cloud.glance.images.values() if not image.deleted}
        for name, image_id in wanted.items():
            caller = callers[name]
            if isinstance(caller.result, Image):
                hard(image_id in ready, f"{name} was told of a ready image, which is not there")
            elif isinstance(caller.error, QuotaExceededError) and not caller.error.left:
                hard(image_id not in present, f"{name} was told that there is no room, and has a record")
            elif isinstance(caller.error, RegistrationFailedError) and not caller.error.left:
                hard(image_id not in present, f"{name} was told of a failure, and has a record: {told(caller)}")
        hard(present <= ready, f"records that nobody finds: {present - ready}")
        hard(len(ready) <= room, f"{len(ready)} are ready where there is room for {room}")
        hard(present <= set(wanted.values()), "an image that nobody ordered")
        if calm and "janitor" not in callers:
            hard(len(ready) == min(room, amount), f"{len(ready)} are ready of {amount} with room for {room}")

    world.checks.append(check)


def _registrar(world: World, new: NewImage, transfer: str) -> Callable[[], object]:
    return lambda: world.client("alice", transfer=transfer).register(new)


def _is_trouble(line: str) -> bool:
    return any(word in line for word in ("not reached", "answer lost", "dies", "out of order"))


def recover(client: Client) -> int:
    """Finish what others began to register, as the guide says; what cannot be finished is deleted."""
    finished = 0
    for image in list(client.unfinished_registrations()):
        try:
            client.resume_registration(image).wait()
            finished += 1
        except (RegistrationFailedError, QuotaExceededError, ConflictError, NotFoundError):
            client.delete(image, missing_ok=True)
    return finished


# ----------------------------------------------------------------- launches


def launches(world: World) -> None:
    """Let several launch at once, of one and of several servers, with volumes or without, within a quota."""
    schedule = world.schedule
    image_id = world.cloud.glance.add_image(
        owner="dept-a", name="disk", status="active", disk_format="raw", container_format="bare", size=len(DISK)
    )
    world.cloud.nova.set_quota("dept-a", instances=2 + schedule.pick(4))
    ids: dict[str, tuple[str, int]] = {}
    for number in range(1 + schedule.pick(3)):
        name, launch_id, count = f"launcher {number}", world.new_id(), 1 + schedule.pick(3)
        volumes: dict[str, object] = {"boot_volume_gib": 1, "keep_volumes": bool(schedule.pick(2))}
        request = LaunchRequest.model_validate(
            {"name": f"web {number}", "flavor": "m1.tiny", "count": count, "launch_id": launch_id}
            | {"on_failure": ("keep", "delete")[schedule.pick(2)]}
            | (volumes if schedule.pick(2) else {})
        )
        ids[name] = launch_id, count
        world.scripts[name] = _launcher(world, image_id, request, cancels=bool(schedule.pick(2)))

    def check(callers: Mapping[str, Caller]) -> None:
        for name, (launch_id, count) in ids.items():
            servers = [server for server in world.cloud.nova.servers.values() if _launched(server.tags, launch_id)]
            hard(len(servers) <= count, f"{name} wanted {count} servers, and {len(servers)} are there")
            if callers[name].result == "launched":
                active = [server for server in servers if server.status == "ACTIVE"]
                hard(len(active) == count, f"{name} was told of {count} servers, and {len(active)} are active")
            else:
                hard(not servers, f"{name} {told(callers[name])}, and {len(servers)} servers are left after recovery")
        kept = {volume for server in world.cloud.nova.servers.values() for volume, _ in server.volumes}
        left = set(world.cloud.cinder.volumes) - kept
        hard(not left, f"volumes that belong to nobody: {left}")

    def clean_up(callers: Mapping[str, Caller]) -> None:
        for name, (launch_id, _) in ids.items():
            if callers[name].result != "launched":
                end_launch(world.client("alice"), launch_id)

    world.checks += [clean_up, check]


def _launcher(world: World, image_id: str, request: LaunchRequest, *, cancels: bool) -> Callable[[], object]:
    def script() -> str:
        launch = world.client("alice").launch(image_id, request)
        if not cancels:
            return "launched"
        launch.cancel()
        return "cancelled"

    return script


def _launched(tags: list[str], launch_id: str) -> bool:
    return any(launch_id in tag for tag in tags)


def end_launch(client: Client, launch_id: str) -> None:
    """Take away what a launch has made whose caller lost it, as the guide says."""
    try:
        found: Launch = client.find_launch(launch_id)
    except NotFoundError:
        return
    found.cancel()


# ----------------------------------------------------------------- edits


def edits(world: World) -> None:
    """Let members, stewards and an administrator change, hide and delete the same public image at once."""
    schedule = world.schedule
    image_id = world.cloud.glance.add_image(
        owner="dept-a", name="public", status="active", visibility="public", disk_format="raw", container_format="bare"
    )
    written: dict[str, str] = {}
    for number in range(1 + schedule.pick(3)):
        name = f"editor {number}"
        user, steward = (("alice", None), ("bob", "admin"), ("arthur", None))[schedule.pick(3)]
        written[name] = f"written by {name}"
        world.scripts[name] = _editor(world, user, steward, image_id, written[name])
    if schedule.pick(2):
        world.scripts["switch"] = _switch(world, image_id)
    if schedule.pick(3) == 1:
        world.scripts["owner"] = lambda: world.client("alice").update(image_id, category="private").category
    if schedule.pick(4) == 1:
        world.scripts["remover"] = lambda: world.client("alice").delete(image_id)

    def check(callers: Mapping[str, Caller]) -> None:
        image = world.cloud.glance.images[image_id]
        _check_texts(callers, written, image.properties.get("description", ""))
        results = {name: caller.result for name, caller in callers.items() if caller.result is not None}
        hard("remover" in callers or not image.deleted, "an image that nobody was to delete is gone")
        if "remover" in results:
            hard(image.deleted, "the remover was told that the image is deleted, and it is there")
        elif results.get("switch") == "enabled" and not image.deleted:  # a remover who died may have deleted it later
            hard(image.status == "active", f"the switch was told that the image is enabled, and it is {image.status}")
        if "owner" in results:
            hard(image.visibility == "private", f"the owner was told {results['owner']}, and it is {image.visibility}")

    world.checks.append(check)


def _check_texts(callers: Mapping[str, Caller], written: Mapping[str, str], description: str) -> None:
    alone = not callers.keys() & {"remover", "owner", "switch"}
    for name, text in written.items():
        caller = callers[name]
        if isinstance(caller.result, Image):
            hard(caller.result.description in {text, *written.values()}, f"{name}: {caller.result!r}")
        if alone:
            hard(not isinstance(caller.error, NotFoundError | ConflictError), f"{name} {told(caller)}")
    sure = [name for name in written if isinstance(callers[name].result, Image)]
    hard(description or not sure, f"{sure} were told of success, and nothing is written")
    hard(not description or description in written.values(), f"nobody wrote {description!r}")
    if len(written) == 1 and sure:
        hard(description == written[sure[0]], f"{sure} were told of success, and {description!r} is written")


def _editor(world: World, user: str, steward: str | None, image_id: str, text: str) -> Callable[[], object]:
    return lambda: world.client(user, steward=steward).update(image_id, description=text)


def _switch(world: World, image_id: str) -> Callable[[], object]:
    def script() -> str:
        client = world.client("alice")
        client.disable(image_id)
        client.enable(image_id)
        return "enabled"

    return script


# ----------------------------------------------------------------- captures


def captures(world: World) -> None:
    """Let one or several capture the same server, and others finish or cancel what these may be doing."""
    schedule, cloud = world.schedule, world.cloud
    cloud.keystone.set_limit(cloud.glance, "image_size_total", "dept-a", 10_000)
    cloud.nova.snapshot_polls, cloud.cinder.copy_polls = 1 + schedule.pick(3), 1 + schedule.pick(3)
    cloud.glance.loses_places = True
    source = cloud.glance.add_image(
        owner="dept-a", name="disk", status="active", disk_format="raw", container_format="bare", size=len(DISK)
    )
    request = LaunchRequest(name="web", flavor="m1.tiny", boot_volume_gib=1 if schedule.pick(2) else None)
    server_id = world.client("alice").launch(source, request).servers[0].id
    if schedule.pick(4) == 1:
        (cloud.nova.snapshot_faults if request.boot_volume_gib is None else cloud.cinder.upload_faults).append("lost")
    ids: dict[str, str] = {}
    for number in range(1 + schedule.pick(2)):
        name, capture_id = f"capturer {number}", world.new_id()
        ids[name] = capture_id
        new = NewCapture(name=name, category="public", tags={name}, capture_id=capture_id)
        world.scripts[name] = _capturer(world, server_id, new)
        if schedule.pick(2):
            world.scripts[f"finisher {number}"] = _finisher(world, capture_id, cancels=bool(schedule.pick(2)))

    def check(callers: Mapping[str, Caller]) -> None:
        present = [image for image in cloud.glance.images.values() if not image.deleted and image.id != source]
        for name, capture_id in ids.items():
            own = [image for image in present if image.properties["hyperx_capture_id"] == capture_id]
            hard(len(own) <= 1, f"{len(own)} records of one capture")
            hard(all(_is_finished(image) for image in own), f"{name}: a record that nobody finished")
            result = callers[name].result
            if isinstance(result, Image):
                hard([image.id for image in own] == [result.id], f"{name} was told of {result.id}, which is not there")
        left = [volume.id for volume in cloud.cinder.volumes.values() if volume.metadata.get("hyperx_capture_id")]
        hard(not left, f"copies of volumes that nobody deleted: {left}")
        lost = [image.id for image in cloud.glance.images.values() if image.deleted and image.status == "queued"]
        told = "".join(_said(caller) for caller in callers.values())
        somebody_died = any(caller.dead for caller in callers.values())
        hard(somebody_died or all(each in told for each in lost), f"places that are lost, and nobody was told: {lost}")
        hard(cloud.nova.servers[server_id].status == "ACTIVE", "the server was harmed")

    def clean_up(callers: Mapping[str, Caller]) -> None:
        for name, capture_id in ids.items():
            if not isinstance(callers[name].result, Image):
                end_capture(world.client("alice"), capture_id)

    world.checks += [clean_up, check]


def _said(caller: Caller) -> str:
    return f"{caller.error} {getattr(caller.error, '__notes__', '')}"


def _capturer(world: World, server_id: str, new: NewCapture) -> Callable[[], object]:
    return lambda: world.client("alice").capture(server_id, new)


def _finisher(world: World, capture_id: str, *, cancels: bool) -> Callable[[], object]:
    def script() -> object:
        found = world.client("arthur").find_capture(capture_id)
        if not cancels:
            return found.wait()
        found.cancel()
        return "cancelled"

    return script


def _is_finished(image: ImageRecord) -> bool:
    words = image.properties
    return image.status == "active" and "image_type" not in words and "hyperx_capture_order_0" not in words


def end_capture(client: Client, capture_id: str) -> None:
    """Finish what a capture has made whose caller lost it, as the guide says."""
    with contextlib.suppress(NotFoundError, CaptureFailedError):
        client.find_capture(capture_id).wait()


# ----------------------------------------------------------------- the whole


STORIES: Final = (registrations, launches, edits)
LATER_STORIES: Final = (captures,)
"""Stories with seeds of their own, so that the kept seeds of the first go on telling what they told."""


def finish(world: World, callers: Mapping[str, Caller]) -> None:
    """Recover in fair weather, as the guides say, and demand what must be true then."""
    only_typed_errors(callers)
    recover(world.client("alice"))
    for check in world.checks:
        check(callers)
    left = [image for image in world.client("alice").unfinished_registrations() if image.phase is not Phase.READY]
    hard(not left, f"the recovery left {left}")
