"""An owner shares an image and takes it back, while a member of the other department accepts, declines and launches."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hyperx_glance import HyperxGlanceError, LaunchRequest
from tests.simulation.schedule import BEGINNING
from tests.simulation.stories import hard, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance import Client
    from tests.simulation.schedule import Caller
    from tests.simulation.stories import World


def owner_and_member(world: World) -> None:
    """Share with one department, take the image back, share with another, while the first one answers all the time."""
    schedule, image_id = world.schedule, _image(world)
    _answer_slowly(world)
    ways: tuple[Callable[[Client], object], ...] = (
        lambda client: client.unshare(image_id, _id(world, "dept-b")),
        lambda client: client.unshare(image_id, everyone=True),
        lambda client: client.update(image_id, category="private"),
    )
    withdraw = ways[schedule.pick(len(ways))]
    done: list[str] = []

    def owner() -> list[str]:
        client = world.client("alice")
        client.share(image_id, _id(world, "dept-b"))
        done.append("shared")
        schedule.sleep(schedule.pick(3))
        withdraw(client)
        done.append("withdrawn")
        hard(not _has(world, image_id, "dept-b"), "the image was taken back, and the department has it")
        client.share(image_id, _id(world, "dept-c"))
        done.append("shared with another")
        return done

    world.scripts["owner"] = owner
    for number in range(1 + schedule.pick(2)):
        world.scripts[f"member {number}"] = _member(world, image_id)

    def check(callers: Mapping[str, Caller]) -> None:
        if "withdrawn" in done:
            hard(not _has(world, image_id, "dept-b"), f"the department has it again: {told(callers['owner'])}")
        if "shared with another" in done:
            hard(_has(world, image_id, "dept-c"), "the other department does not have it")
        _repeat(world, image_id)

    world.checks.append(check)


def former_members(world: World) -> None:
    """Share an image anew whose sharing another tool has ended; its former member answers all the time."""
    image_id = _image(world)
    world.cloud.glance.share(image_id, "dept-b", status="accepted")
    for member in world.cloud.glance.images[image_id].members.values():
        member.created_at = member.updated_at = BEGINNING - timedelta(seconds=20)
    _answer_slowly(world)
    world.scripts["owner"] = lambda: world.client("alice").share(image_id, _id(world, "dept-c"))
    world.scripts["member"] = _member(world, image_id)

    def check(callers: Mapping[str, Caller]) -> None:
        if callers["owner"].result is not None:
            hard(not _has(world, image_id, "dept-b"), "a former member has the image")
            hard(_has(world, image_id, "dept-c"), "the other department does not have it")

    world.checks.append(check)


def two_owners(world: World) -> None:
    """Let two share the same private image with two departments at once."""
    image_id = _image(world)
    shared = {"alice": "dept-b", "arthur": "dept-c"}
    for user, department in shared.items():
        world.scripts[user] = lambda user=user, department=department: world.client(user).share(  # type: ignore[misc]  # as given
            image_id, _id(world, department)
        )

    def check(callers: Mapping[str, Caller]) -> None:
        if all(callers[user].result is not None for user in shared):
            for department in shared.values():
                hard(_has(world, image_id, department), f"both have shared the image, and {department} lacks it")

    world.checks.append(check)


SHARING_STORIES: Final = (owner_and_member, owner_and_member, former_members, two_owners)


def _image(world: World) -> str:
    return world.cloud.glance.add_image(
        owner="dept-a",
        name="licensed",
        status="active",
        visibility="private",
        disk_format="raw",
        container_format="bare",
        size=2048,
        created_at=BEGINNING - timedelta(seconds=30),
        updated_at=BEGINNING - timedelta(seconds=10),
    )


def _answer_slowly(world: World) -> None:
    """Let others run between the moment at which Glance finds a member and the one at which it writes the answer."""
    world.cloud.glance.while_a_status_is_set = lambda: world.schedule.sleep(0)


def _member(world: World, image_id: str) -> Callable[[], object]:
    turns = [world.schedule.pick(4) for _ in range(2 + world.schedule.pick(4))]

    def script() -> int:
        client, works = world.client("bob"), 0
        verbs: tuple[Callable[[], object], ...] = (
            lambda: client.accept(image_id),
            lambda: client.accept(image_id),
            lambda: client.decline(image_id),
            lambda: client.launch(image_id, LaunchRequest(name="web", flavor="m1.tiny"), wait=False),
        )
        for turn in turns:
            try:
                verbs[turn]()
            except HyperxGlanceError:
                world.schedule.sleep(0.5)
            else:
                works += 1
        return works

    return script


def _repeat(world: World, image_id: str) -> None:
    """Do in fair weather what the owner may not have finished: it leads to the same."""
    world.cloud.glance.while_a_status_is_set = None
    client = world.client("alice")
    client.unshare(image_id, _id(world, "dept-b"))
    client.share(image_id, _id(world, "dept-c"))
    hard(not _has(world, image_id, "dept-b"), "taking it back again does not help")
    hard(_has(world, image_id, "dept-c"), "sharing it again does not help")


def _id(world: World, department: str) -> str:
    return world.cloud.departments[department]


def _has(world: World, image_id: str, department: str) -> bool:
    image = world.cloud.glance.images[image_id]
    return image.visibility == "shared" and _id(world, department) in image.members
