"""Programs that release versions of one family at once, one that rolls back, and readers of its latest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from hyperx_glance import Client, ConflictError, Image, Lifecycle, NewImage, NotFoundError
from hyperx_glance.models.releases import version_order
from tests.simulation.stories import DISK, URL, World, hard, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.testing.memory.glance.records import ImageRecord
    from tests.simulation.schedule import Caller

FAMILY: Final = "debian-12"
FIRST_VERSION: Final = "12.8"
LOOKS: Final = 6


def releases(world: World) -> None:
    """Let two to four release, some the same version; maybe one rolls back; readers look at the latest all the time."""
    schedule, cloud = world.schedule, world.cloud
    _release(world.client("alice"), FIRST_VERSION)
    wanted = {f"releaser {number}": f"12.{9 + schedule.pick(3)}" for number in range(2 + schedule.pick(3))}
    for name, version in wanted.items():
        world.scripts[name] = _releaser(world, version, ("import", "stream", "auto")[schedule.pick(3)])
    rolls_back = schedule.pick(3) == 1
    if rolls_back:
        world.scripts["operator"] = _operator(world)
    world.scripts |= {f"reader {number}": _reader(world) for number in range(1 + schedule.pick(2))}

    def clean_up(callers: Mapping[str, Caller]) -> None:
        for version in sorted({wanted[name] for name in wanted if not isinstance(callers[name].result, Image)}):
            _release(world.client("alice"), version)  # the same call continues
        if rolls_back and not isinstance(callers["operator"].result, str):
            _roll_back(world.client("alice"))
        world.client("alice").retire(FAMILY, keep=99)

    def check(callers: Mapping[str, Caller]) -> None:
        present = [image for image in cloud.glance.images.values() if not image.deleted]
        _check_versions(present, {FIRST_VERSION, *wanted.values()})
        for name, caller in callers.items():
            hard(not isinstance(caller.error, ConflictError), f"{name} {told(caller)}")
            if name.startswith("reader"):
                _check_reader(caller, rolls_back=rolls_back)
        _check_names(world.client("alice"), present)

    world.checks += [clean_up, check]


def _release(client: Client, version: str) -> Image:
    checksum = f"sha256:{hashlib.sha256(DISK).hexdigest()}"
    new = NewImage(name="Debian 12", url=URL, disk_format="raw", checksum=checksum, category="public")
    return client.release(new, family=FAMILY, version=version)


def _releaser(world: World, version: str, transfer: str) -> Callable[[], object]:
    return lambda: _release(world.client("alice", transfer=transfer), version)


def _roll_back(client: Client) -> str:
    latest = client.latest(FAMILY)
    if latest.version == FIRST_VERSION:
        return "nothing to roll back"
    client.deprecate(latest)
    return latest.version


def _operator(world: World) -> Callable[[], object]:
    return lambda: _roll_back(world.client("alice"))


def _reader(world: World) -> Callable[[], object]:
    owner = world.client("alice").project_id

    def script() -> list[Image]:
        client = world.client("bob")
        return [client.latest(FAMILY, owner=owner) for _ in range(LOOKS)]

    return script


def _check_versions(present: list[ImageRecord], wanted: set[str]) -> None:
    versions = sorted(image.properties.get("hyperx_version", "") for image in present)
    hard(versions == sorted(wanted), f"versions that are there: {versions}")
    hard(all(map(_is_released, present)), "an image that nobody released")


def _check_reader(caller: Caller, *, rolls_back: bool) -> None:
    hard(not isinstance(caller.error, NotFoundError), f"{caller.name} found no latest")
    looks = caller.result if isinstance(caller.result, list) else []
    for image in looks:
        verified = image.model_extra.get("hyperx_checksum_verified") == "true" or image.hash_algorithm == "sha256"
        hard(image.glance_status == "active", f"{caller.name} saw a latest that is {image.glance_status}")
        hard(verified, f"{caller.name} saw a latest that was not verified: {image!r}")
    if not rolls_back:
        seen = [version_order(image.version) for image in looks]
        hard(seen == sorted(seen), f"{caller.name} saw an older latest: {[image.version for image in looks]}")


def _check_names(client: Client, present: list[ImageRecord]) -> None:
    latest = client.latest(FAMILY)
    current = [image for image in client.releases(FAMILY) if image.lifecycle is Lifecycle.CURRENT]
    hard(latest.id == current[0].id, f"the latest is {latest.version}, not {current[0].version}")
    for image in present:
        version = image.properties["hyperx_version"]
        name = "Debian 12" if image.id == latest.id else f"Debian 12 ({version})"
        hard((image.name, image.os_hidden) == (name, image.id != latest.id), f"{version} is {image.name!r}")


def _is_released(image: ImageRecord) -> bool:
    return image.status == "active" and image.visibility == "community" and "hyperx_released_at" in image.properties


FAMILY_STORIES: Final = (releases,)
"""Stories with seeds of their own, as `stories.LATER_STORIES`."""
