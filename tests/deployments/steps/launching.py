"""Launching, resetting passwords, capturing, and taking launches back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyperx_glance import LaunchRequest, NewCapture
from tests.deployments.story import step
from tests.support.clouds import unique

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hyperx_glance import Launch
    from tests.deployments.story import Story


def check(story: Story, launch: Launch, count: int = 1) -> None:
    """Check what Nova has: as many servers, all of them active, with the launch's tag."""
    found = story.oracle.launched(launch.launch_id)
    assert [each["status"] for each in found] == ["ACTIVE"] * count
    assert {each["id"] for each in found} == {server.id for server in launch.servers}


def launch(story: Story, image: str, **fields: object) -> Launch:
    request = LaunchRequest.model_validate({"name": unique("web"), "flavor": "m1.tiny", **fields})
    return story.member.launch(story.things[image], request)


@step
def a_member_sees_the_flavors_that_fit(story: Story) -> None:
    fitting = [each.name for each in story.member.flavors(story.things["disk"]) if each.fits]
    assert "m1.tiny" in fitting, "m1.tiny does not fit"


@step
def a_member_launches_a_server(story: Story) -> None:
    made = story.things["server"] = launch(story, "disk", key_name="one", metadata={"role": "web"})

    check(story, made)
    assert made.admin_password, "no password is shown"


@step
def a_member_launches_two_servers(story: Story) -> None:
    made = story.things["two"] = launch(story, "raw", count=2)

    check(story, made, 2)


@step
def a_member_finds_the_launches(story: Story) -> None:
    made = story.things["server"]

    assert made.launch_id in [found.launch_id for found in story.member.launches()]
    assert {each.id for each in story.member.find_launch(made.launch_id).servers} == {each.id for each in made.servers}


@step
def a_member_resets_a_password(story: Story) -> None:
    made = story.things["server"]

    assert story.member.reset_password(made.servers[0].id) != made.admin_password


@step
def a_member_launches_a_server_on_a_volume(story: Story) -> None:
    made = story.things["on a volume"] = launch(story, "raw", flavor="m1.small", boot_volume_gib=1)

    check(story, made)
    (server,) = story.oracle.launched(made.launch_id)
    assert len(server["os-extended-volumes:volumes_attached"]) == 1


@step
def a_member_installs_from_an_iso(story: Story) -> None:
    made = story.things["installed"] = launch(story, "iso", flavor="m1.small", install_disk_gib=1)

    check(story, made)
    (server,) = story.oracle.launched(made.launch_id)
    assert len(server["os-extended-volumes:volumes_attached"]) == 2


@step
def a_member_sees_the_servers_that_use_an_image(story: Story) -> None:
    raw = story.things["raw"]
    launches = [story.things[name] for name in ("server", "two", "on a volume") if name in story.things]
    expected = {server.id for each in launches if each.image_id == raw.id for server in each.servers}

    using = story.member.servers_using(raw)
    assert not using.not_looked_at, "servers on volumes are missing, and the answer says so"
    assert {each.id for each in using.servers} == expected


@step
def a_reader_launches_a_server(story: Story) -> None:
    request = LaunchRequest(name=unique("reader"), flavor="m1.tiny")
    story.things["launched by the reader"] = story.reader.launch(story.things["disk"], request)


@step
def another_department_launches_the_published_image(story: Story) -> None:
    request = LaunchRequest(name=unique("foreign"), flavor="m1.tiny")
    made = story.things["of another department"] = story.other.launch(story.things["published"], request)

    check(story, made)


@step
def a_member_asks_for_a_flavor_that_is_not_there(story: Story) -> None:
    launch(story, "disk", flavor="m9.huge")


@step
def a_member_launches_beyond_the_quota(story: Story) -> None:
    """Where there are no quotas, the servers are taken back at once."""
    request = LaunchRequest(name=unique("web"), flavor="m1.tiny", count=61)
    story.member.launch(story.things["disk"], request, wait=False).cancel()


@step
def a_member_captures_a_server(story: Story) -> None:
    server = story.things["server"].servers[0]
    image = story.things["captured"] = story.member.capture(server.id, NewCapture(name=unique("captured"), tags=["c"]))

    record = story.oracle.image(image.id)
    assert record is not None, "Glance does not have the capture"
    assert (record["status"], record["hyperx_captured_from"], record["tags"]) == ("active", server.id, ["c"])
    assert record["owner"] == story.oracle.project_id("dept-a")


@step
def a_member_captures_a_server_on_a_volume(story: Story) -> None:
    server = story.things["on a volume"].servers[0]
    before = {each["id"] for each in story.oracle.volumes()}
    image = story.things["captured volume"] = story.member.capture(server.id, NewCapture(name=unique("captured")))

    record = story.oracle.image(image.id)
    assert record is not None, "Glance does not have the capture"
    assert (record["status"], record["size"] > 0) == ("active", True)
    assert {each["id"] for each in story.oracle.volumes()} == before, "the copy of the volume is left"


def take_back(story: Story, name: str) -> None:
    """Take a launch back, and look whether its servers and their volumes are gone.

    Where Nova keeps deleted servers for a while, it keeps their volumes, too.
    """
    made = story.things[name]
    volumes = volumes_of(story.oracle.launched(made.launch_id))
    made.cancel()
    assert story.oracle.launched(made.launch_id) == []
    left = {each["id"] for each in story.oracle.volumes()} if volumes else set()
    assert left & volumes <= volumes_of(story.oracle.servers(deleted=True)), "a volume is left"


def volumes_of(servers: Iterable[dict[str, Any]]) -> set[str]:
    return {volume["id"] for server in servers for volume in server["os-extended-volumes:volumes_attached"]}


@step
def a_member_takes_a_launch_back(story: Story) -> None:
    take_back(story, "server")


@step
def a_member_takes_two_servers_back(story: Story) -> None:
    take_back(story, "two")


@step
def a_member_takes_a_launch_on_a_volume_back(story: Story) -> None:
    take_back(story, "on a volume")


@step
def a_member_takes_an_installation_back(story: Story) -> None:
    take_back(story, "installed")


@step
def another_department_takes_its_launch_back(story: Story) -> None:
    take_back(story, "of another department")
